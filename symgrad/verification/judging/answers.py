"""What the questions of a problem come to, where it is a number or a shape: solved once, when a value needs it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from msgspec import Struct

from symgrad.derivation.solve import solve_problem
from symgrad.problem.model import Problem
from symgrad.syntax.tree import Binary, ListTree, Number, Tree
from symgrad.tensor.nodes import Rel

_WITH_NUMBERS: Final = frozenset(
    {"evaluate", "count", "shape", "average_precision", "iou", "limit", "special_case", "solve"}
)

Exact = Fraction | tuple["Exact", ...]


class Answer(Struct, frozen=True):
    """The exact result of a question: a number, or numbers in a row.

    ``what`` is what a question counts; ``records`` are the rows of its table, where it makes one.
    """

    question: str
    ask: str
    of: str
    value: Exact
    what: str = ""
    records: tuple[Mapping[str, Any], ...] = ()


def answers(problem: Problem) -> tuple[Answer, ...]:
    """The exact results of the questions that have one."""
    found: list[Answer] = []
    wanted = [q.id for q in problem.questions if q.ask in _WITH_NUMBERS]
    for derivation in solve_problem(problem, wanted) if wanted else ():
        for result in derivation.results:
            value = _exact(result.exact)
            records = tuple(result.extra.get("table", ()))
            if value is not None or records:
                what = problem.question(derivation.id).word("what") or ""
                found.append(
                    Answer(derivation.id, derivation.ask, result.of, () if value is None else value, what, records)
                )
    return tuple(found)


def _exact(value: Any) -> Exact | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Fraction):
        return Fraction(value)
    if isinstance(value, list | tuple):
        inner = [_exact(x) for x in value]
        known = tuple(x for x in inner if x is not None)
        return known if len(known) == len(inner) else None
    return None


def stated(tree: Tree) -> Exact | None:
    """The numbers that a value states: 58/77, 5 × 2, (5, 2); None where a name stands in it."""
    match tree:
        case ListTree(items):
            found = [stated(x) for x in items]
            known = tuple(x for x in found if x is not None)
            return known if len(known) == len(found) else None
        case Number(value, _):
            return value
        case Binary("×", left, right):
            first, last = stated(left), stated(right)
            if first is None or last is None:
                return None
            return (*(first if isinstance(first, tuple) else (first,)), *(last if isinstance(last, tuple) else (last,)))
    return None


def flat(value: Exact) -> tuple[Fraction, ...]:
    """The numbers in a row."""
    return tuple(x for part in value for x in flat(part)) if isinstance(value, tuple) else (value,)


def unknowns(problem: Problem) -> dict[str, tuple[str, tuple[Rel, ...]]]:
    """The integers that questions ask for, each with its question and the conditions on it."""
    found: dict[str, tuple[str, tuple[Rel, ...]]] = {}
    for question in problem.questions:
        conditions = tuple(c for c in question.where if isinstance(c, Rel))
        if question.ask == "solve" and conditions:
            for asked in question.several("for"):
                found.setdefault(asked.text, (question.id, conditions))
    return found
