"""Every question of a problem answered by the solver of its kind; one that fails does not stop the rest."""

from collections.abc import Callable, Collection, Mapping

from symgrad.derivation import (
    average_precision,
    bound,
    convexity,
    count,
    depends,
    derivative,
    diagram,
    equations,
    evaluation,
    identity,
    iou,
    limit,
    matrix_form,
    optimum,
    prose,
    shapes,
    solving,
    special_case,
    update,
)
from symgrad.derivation.steps import Derivation, Result
from symgrad.errors import QuestionError, SymgradError, near
from symgrad.problem.model import Problem, Question
from symgrad.tensor.shapes import ShapeError

Solver = Callable[[Problem, Question], tuple[Result, ...]]

SOLVERS: Mapping[str, Solver] = {
    "derivative": derivative.solve,
    "update": update.solve,
    "shape": shapes.solve,
    "evaluate": evaluation.solve,
    "equations": equations.solve,
    "depends": depends.solve,
    "diagram": diagram.solve,
    "identity": identity.solve,
    "optimum": optimum.solve,
    "bound": bound.solve,
    "convexity": convexity.solve,
    "average_precision": average_precision.solve,
    "iou": iou.solve,
    "matrix_form": matrix_form.solve,
    "count": count.solve,
    "limit": limit.solve,
    "special_case": special_case.solve,
    "solve": solving.solve,
    "text": prose.solve,
}


def solve_problem(problem: Problem, only: Collection[str] | None = None) -> tuple[Derivation, ...]:
    """The derivations of a problem's questions, in order.

    Args:
        problem: what is given and asked.
        only: the ids of the questions wanted; all by default.
    """
    return tuple(solve_question(problem, q) for q in problem.questions if only is None or q.id in only)


def unsolved(problem: Problem, only: Collection[str] = ()) -> tuple[Derivation, ...]:
    """The questions of a problem as they are asked, without answers."""
    return tuple(_derivation(q, "unsolved", ()) for q in problem.questions if not only or q.id in only)


def solve_question(problem: Problem, question: Question) -> Derivation:
    """The derivation of one question; a failure is its status, with the reason as the message."""
    try:
        results = _solver(question)(problem, question)
    except (SymgradError, ShapeError) as error:
        message = error.message if isinstance(error, SymgradError) else str(error)
        return _derivation(question, "failed", (), message)
    status = "unchecked" if question.ask == "text" else "certified"
    return _derivation(question, status, results)


def _solver(question: Question) -> Solver:
    solver = SOLVERS.get(question.ask)
    if solver is None:
        known = ", ".join(SOLVERS)
        suggestion = near(question.ask, SOLVERS)
        hint = f"; did you mean {suggestion}?" if suggestion else ""
        raise QuestionError(f"questions of kind {question.ask!r} cannot be answered yet; known kinds: {known}{hint}")
    return solver


def _derivation(question: Question, status: str, results: tuple[Result, ...], message: str = "") -> Derivation:
    return Derivation(
        question.id,
        question.ask,
        status,
        question.prompt,
        message,
        results,
        question.note,
        question.hint,
        question.points,
    )
