"""Intervals: what is stated by `x ∈ (a, b)` is a < x < b."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from symgrad.syntax.latex.cursor import partners
from symgrad.syntax.tokens import Kind
from symgrad.syntax.tree import Compare, Tree
from symgrad.verification.documents.parts import place_of
from symgrad.verification.documents.statements import Statement, Tokens

_ENDLESS: Final = frozenset({"inf", "∞", r"\infty"})

Inequality = tuple[Tree | None, Tree, str]
"""Both sides and the sign between them; of a < x < b the whole comparison without a left side, and its first sign."""


def within_interval(statement: Statement, read: Callable[[Tokens], Tree | None]) -> list[Inequality] | None:
    """The inequalities that x ∈ (a, b) states, one for each x; None where the set is no interval."""
    *before, right = statement.sides
    ends = _ends(right)
    if ends is None:
        return None
    sign = "<" if right[0].says("(") else "<="
    low, high = (None if side[-1].text in _ENDLESS else read(side) for side in ends)
    found: list[Inequality] = []
    for side in (*statement.lead, *(side for side in before if side)):
        x = read(side)
        if x is None or (low is None and high is None):
            continue
        if low is not None and high is not None:
            found.append((None, Compare((sign, sign), (low, x, high), place=place_of(right)), sign))
        elif high is not None:
            found.append((x, high, sign))
        elif low is not None:
            found.append((low, x, sign))
    return found


def _ends(side: Tokens) -> tuple[Tokens, Tokens] | None:
    """a and b of (a, b) and [a, b]."""
    if len(side) < 5 or not ((side[0].says("(") and side[-1].says(")")) or (side[0].says("[") and side[-1].says("]"))):
        return None
    partner, commas, at = partners(side), list[int](), 1
    while at < len(side) - 1:
        if side[at].kind is Kind.COMMA:
            commas.append(at)
        at = partner.get(at, at) + 1
    if len(commas) != 1 or commas[0] in (1, len(side) - 2):
        return None
    return side[1 : commas[0]], side[commas[0] + 1 : -1]
