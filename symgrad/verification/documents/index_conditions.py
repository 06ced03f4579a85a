"""Conditions on indices: `…, i = 1, …, k` behind an equation, `For i ≠ j:` before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from symgrad.errors import ProblemError
from symgrad.source import Place
from symgrad.syntax.latex.names import Vocabulary
from symgrad.syntax.tokens import Kind
from symgrad.syntax.tree import Compare, Name, Number, Span, Tree, children
from symgrad.verification.documents.claims import Claim
from symgrad.verification.documents.parts import among_subscripts
from symgrad.verification.documents.sides import Sides
from symgrad.verification.documents.statements import EQUALITIES, INEQUALITIES, Statement

_BEHIND: Final = re.compile(
    r"(?:^|: )[\s,;(]*(?:and\s+)?(?:for|if|when|whenever|where|with|provided)(?:\s+(?:all|any))?\s*$"
)
_BEFORE: Final = re.compile(
    r"\b(?:for|if|when|case|cases|where|suppose|assume)(?:\s+(?:all|any))?[\s:*]*$", re.IGNORECASE
)


def as_condition(statement: Statement, sides: Sides, place: Place) -> Compare | None:
    """A statement as a comparison of integers, `i = 1, …, k` and `i ∈ {1, …, k}` as 1 <= i <= k; None for any other."""
    statement = _of_set(statement) or statement
    numbers = _numbers(statement)
    if numbers:
        first, last = (Number(n, str(n), place=place) for n in (numbers[0], numbers[-1]))
        return Compare(("<=", "<="), (first, Name(statement.sides[0][0].text, place=place), last), place=place)
    relations = set(statement.relations)
    ranged = relations <= EQUALITIES and any(t.says("…") for t in statement.sides[-1])
    if not relations or not all(statement.sides) or not relations <= EQUALITIES | INEQUALITIES:
        return None
    try:
        trees = tuple(sides.parsed(side, ranged) for side in statement.sides)
    except ProblemError:
        return None
    if not ranged:
        return Compare(tuple("==" if op == "=" else op for op in statement.relations), trees, place=place)
    match trees:
        case (name, Span(Tree() as low, Tree() as high)):
            return Compare(("<=", "<="), (low, name, high), place=place)
    return None


def _of_set(statement: Statement) -> Statement | None:
    """`i = 1, …, k` for `i ∈ {1, …, k}`; None for any other statement."""
    match statement.sides:
        case (index, (first, *inside, last)) if statement.relations == ("∈",) and len(index) == 1 and inside:
            if first.says(r"\{") and last.says(r"\}"):
                return Statement((index, tuple(inside)), ("=",))
    return None


def _numbers(statement: Statement) -> list[Fraction]:
    """The numbers of `t = 2, 1`, where they follow one another; none for anything else."""
    match statement.sides:
        case ((name,), (first, *rest)) if statement.relations == ("=",) and name.kind is Kind.NAME:
            if first.kind is Kind.NUMBER and all(t.kind in (Kind.NUMBER, Kind.COMMA) for t in rest):
                found = sorted(Fraction(t.text) for t in (first, *rest) if t.kind is Kind.NUMBER)
                return found if found == [found[0] + k for k in range(len(found))] else []
    return []


def is_ranged(statement: Statement) -> bool:
    """Whether it gives an index a range or numbers, or compares."""
    statement = _of_set(statement) or statement
    dots = bool(statement.relations) and any(t.says("…") for t in statement.sides[-1])
    return dots or bool(_numbers(statement)) or bool(set(statement.relations) & INEQUALITIES)


def is_about(condition: Compare, claims: Sequence[Claim]) -> bool:
    """Whether a condition is on an index that stands among the subscripts of some claims."""
    names = {x.id for x in condition.operands if isinstance(x, Name)}
    return any(
        name in names for claim in claims for side in (claim.left, claim.right) for name in among_subscripts(side)
    )


def compares_indices(condition: Compare, vocabulary: Vocabulary) -> bool:
    """Whether a comparison is one of letters that have no value, and of numbers; of a range, what runs in it."""
    letters: list[str] = []
    compared = condition.operands[1:2] if len(condition.operands) == 3 else condition.operands
    waiting: list[Tree] = list(compared)
    while waiting:
        node = waiting.pop()
        waiting.extend(children(node))
        if isinstance(node, Name):
            letters.append(node.id)
    known = (x in vocabulary.arities or x in vocabulary.functions or len(x) > 1 for x in letters)
    return bool(letters) and not any(known) and not isinstance(compared[0], Number)


def stands_behind(context: str) -> bool:
    """Whether the words before a condition tie it to the formula before them: `… for i = j`."""
    return _BEHIND.search(context) is not None


def stands_before(context: str) -> bool:
    """Whether the words before a condition begin a case: `For i = j:`."""
    return _BEFORE.search(context) is not None
