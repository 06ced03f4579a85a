"""Questions of kind plot: what is drawn is computed from the forward model, and compared with another way to it."""

from symgrad.derivation.plots import flow, surface
from symgrad.derivation.steps import Result
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """The norms of a Jacobian over the distance of its steps, or a number over one or two variables.

    Raises:
        QuestionError: there is no such curve.
    """
    if question.several("wrt") and question.several("over"):
        raise QuestionError("a plot is by 'wrt', over steps, or 'over' variables, not both", question.place)
    return (flow.drawn(problem, question) if question.several("wrt") else surface.drawn(problem, question),)
