"""Questions of kind optimum: where a quantity is largest or smallest, how much it is there, and why."""

from symgrad.derivation.optima import functional, on_plane, on_simplex, on_sphere, stationary
from symgrad.derivation.steps import Result
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Density, Expr, Var


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """The optimum of ``of`` over the variables, subject to the constraints.

    Raises:
        QuestionError: ``of`` is no scalar, or no method is known for this problem.
    """
    of, over = question.of, question.several("over")
    if of.expr.order:
        raise QuestionError("an optimum is of a scalar", of.place)
    maximum = (question.word("sense") or "min").startswith("max")
    constraints = [c for c in question.conditions("subject_to") if isinstance(c, Expr)]
    if len(over) == 1 and isinstance(over[0].expr, Density) and not constraints:
        return (functional.solve(problem, question, over[0].expr, maximum),)
    nodes = [x.expr for x in over if isinstance(x.expr, Var)]
    if len(nodes) < len(over):
        raise QuestionError("'over' names symbols or quantities, or an unknown function such as D(x)", over[0].place)
    if constraints:
        if len(nodes) == 1 and len(constraints) == 1 and on_sphere.is_unit_sphere(constraints[0], nodes[0]):
            return (on_sphere.solve(problem, question, nodes[0], maximum),)
        plane = on_plane.normal_of(constraints[0], nodes[0]) if len(nodes) == 1 and len(constraints) == 1 else None
        if plane is not None and not on_simplex.is_whole(constraints[0], nodes[0]):
            return (on_plane.solve(problem, question, nodes[0], plane, maximum),)
        if len(nodes) == 1 and len(constraints) == 1:
            return (on_simplex.solve(problem, question, nodes[0], constraints[0], maximum),)
        raise QuestionError("known constraints are ‖h‖ = 1, sum(p) = 1 and gᵀx = c", question.place)
    if len(nodes) == 1 and "probability" in nodes[0].facts and nodes[0].order == 1:
        whole = b.compare("==", b.reduce("sum", nodes[0]), b.ONE)
        return (on_simplex.solve(problem, question, nodes[0], whole, maximum),)
    if len(nodes) == 1:
        return (stationary.solve(problem, question, nodes[0], maximum),)
    raise QuestionError("an optimum is over one variable; ask for one after the other", question.place)
