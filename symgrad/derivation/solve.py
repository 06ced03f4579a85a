"""Every question of a problem answered by the solver of its kind; one that fails does not stop the rest."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from msgspec.structs import replace

from symgrad.derivation import referred
from symgrad.derivation.assuming import with_facts
from symgrad.derivation.open_sizes import Opened, open_sizes
from symgrad.derivation.steps import Derivation, Line, Result
from symgrad.errors import ProblemError, QuestionError, SymgradError, near
from symgrad.lazy import later
from symgrad.limits import time_limit
from symgrad.problem.model import Problem, Question
from symgrad.problem.questions import answered
from symgrad.tensor.nodes import Deriv, Expr
from symgrad.tensor.shapes import ShapeError
from symgrad.tensor.walk import find

settled = later("symgrad.derivation.differentiation.gradients:settled")

OVER_ALL_SIZES: Final = frozenset({"derivative", "update"})
"""Kinds of questions whose answers hold for every size, where they do for some."""

SECONDS: Final = 120.0
"""What one question may take."""

Solver = Callable[[Problem, Question], tuple[Result, ...]]

SOLVERS: Mapping[str, Solver] = {
    "derivative": later("symgrad.derivation.differentiation.derivative:solve"),
    "update": later("symgrad.derivation.differentiation.update:solve"),
    "shape": later("symgrad.derivation.structure.shapes:solve"),
    "evaluate": later("symgrad.derivation.numbers.evaluation:solve"),
    "equations": later("symgrad.derivation.structure.equations:solve"),
    "depends": later("symgrad.derivation.structure.depends:solve"),
    "diagram": later("symgrad.derivation.structure.diagram:solve"),
    "plot": later("symgrad.derivation.plots.plot:solve"),
    "identity": later("symgrad.derivation.identities.identity:solve"),
    "optimum": later("symgrad.derivation.optima.optimum:solve"),
    "bound": later("symgrad.derivation.optima.bound:solve"),
    "convexity": later("symgrad.derivation.optima.convexity:solve"),
    "average_precision": later("symgrad.derivation.numbers.average_precision:solve"),
    "iou": later("symgrad.derivation.numbers.iou:solve"),
    "matrix_form": later("symgrad.derivation.structure.matrix_form:solve"),
    "count": later("symgrad.derivation.structure.count:solve"),
    "limit": later("symgrad.derivation.limits.limit:solve"),
    "special_case": later("symgrad.derivation.limits.special_case:solve"),
    "solve": later("symgrad.derivation.solutions.solving:solve"),
    "text": later("symgrad.derivation.prose:solve"),
}


def solve_problem(problem: Problem, only: Collection[str] = ()) -> tuple[Derivation, ...]:
    """The derivations of a problem's questions, in order.

    Args:
        problem: what is given and asked.
        only: the ids of the questions wanted; all where it is empty.

    Raises:
        ProblemError: the problem has no question of such an id.
    """
    answers = _Answers(problem)
    return tuple(answers.of(q) for q in _wanted(problem, only))


def unsolved(problem: Problem, only: Collection[str] = ()) -> tuple[Derivation, ...]:
    """The questions of a problem as they are asked, without answers."""
    return tuple(_derivation(q, "unsolved", ()) for q in _wanted(problem, only))


def _wanted(problem: Problem, only: Collection[str]) -> list[Question]:
    for name in only:
        if name not in problem.ids:
            message = f"{problem.name} has no question {name!r}; its questions are {', '.join(problem.ids)}"
            raise ProblemError(message, suggestion=near(name, problem.ids))
    return [q for q in problem.questions if not only or q.id in only]


@dataclass
class _Answers:
    """The answers found so far by id; a question that mentions others has them answered first."""

    problem: Problem
    found: dict[str, Derivation] = field(default_factory=dict)

    @cached_property
    def opened(self) -> Opened | None:
        """The problem for all sizes, where its own are large."""
        return open_sizes(self.problem)

    def of(self, question: Question) -> Derivation:
        if question.id not in self.found:
            self.found[question.id] = self._answer(question)
        return self.found[question.id]

    def _answer(self, question: Question) -> Derivation:
        needs = dict.fromkeys(need for p in question.pending for need in p.needs)
        try:
            if needs:
                results = {(name, part): self._result(name, part) for name, part in needs}
                question = answered(question, results)
        except SymgradError as error:
            return _derivation(question, "failed", (), error.message)
        if needs or question.ask not in OVER_ALL_SIZES or self.opened is None:
            return solve_question(self.problem, question)
        opened, general = self.opened, self.opened.problem.question(question.id)
        return _tried(question, lambda: tuple(opened.closed(r) for r in _results(opened.problem, general)))

    def _result(self, name: str, part: str) -> Expr:
        return referred.result(self.problem, self.of(self.problem.question(name)), part)


def solve_question(problem: Problem, question: Question) -> Derivation:
    """The derivation of one question; a failure is its status, with the reason as the message."""
    return _tried(question, lambda: _results(problem, question))


def _results(problem: Problem, question: Question) -> tuple[Result, ...]:
    solver = _solver(question)
    problem, question = with_facts(problem, question)
    if not _speaks_of_derivatives(problem, question):
        return solver(problem, question)
    ready = settled(problem, question)
    return _behind(ready.lines, solver(ready.problem, ready.question))


def _speaks_of_derivatives(problem: Problem, question: Question) -> bool:
    asked = (x.expr for name in question.fields for x in question.several(name))
    roots = (*(d.body for d in problem.system.definitions), *asked)
    return any(next(find(x, Deriv), None) is not None for x in roots)


def _behind(lines: tuple[Line, ...], results: tuple[Result, ...]) -> tuple[Result, ...]:
    """The results with lines that the first of them rests on before its own."""
    if not lines:
        return results
    first, *others = results
    checks = (*(x.check for x in lines), *first.checks)
    return (replace(first, blocks=(*lines, *first.blocks), checks=checks), *others)


def _tried(question: Question, solve: Callable[[], tuple[Result, ...]]) -> Derivation:
    try:
        with time_limit(SECONDS):
            results = solve()
    except Exception as error:  # whatever is wrong with one question, the others are answered
        return _derivation(question, "failed", (), _reason(error))
    status = "unchecked" if question.ask == "text" else "certified"
    return _derivation(question, status, results)


def _reason(error: Exception) -> str:
    match error:
        case SymgradError():
            return error.message
        case ShapeError():
            return str(error)
        case NotImplementedError():
            return f"SymPy has no method for this: {str(error).splitlines()[0]}"
        case MemoryError():
            return "it takes more memory than there is"
        case OverflowError():
            return "a number in it is too large"
        case RecursionError():
            return "it is nested too deeply"
    return f"symgrad meets a case that it does not know, which is its own fault: {type(error).__name__}: {error}"


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
        question=question,
    )
