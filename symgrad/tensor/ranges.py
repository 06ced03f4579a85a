"""What is certain about integers that lie in ranges: 1 ≤ i ≤ n implies i − 1 ≥ 0."""

from collections.abc import Mapping
from typing import TypeAlias

import sympy

from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, replace, symbols_of
from symgrad.tensor.nodes import Binder, Rel

Ranges: TypeAlias = Mapping[sympy.Symbol, Binder]


def certain(relation: Rel, ranges: Ranges) -> bool | None:
    """Whether a relation holds for all indices in their ranges, for none (False), or cannot be told (None)."""
    known = b.holds(relation)
    if known is not None or not ranges:
        return known
    gap = difference(relation.right, relation.left)
    low, high = _extreme(gap, ranges, lowest=True), _extreme(gap, ranges, lowest=False)
    above = low is not None and b.holds(Rel(">=", low, 0)) is True
    below = high is not None and b.holds(Rel("<=", high, 0)) is True
    positive = low is not None and b.holds(Rel(">", low, 0)) is True
    negative = high is not None and b.holds(Rel("<", high, 0)) is True
    match relation.op:
        case "<=":
            return True if above else False if negative else None
        case "<":
            return True if positive else False if below else None
        case ">=":
            return True if below else False if positive else None
        case ">":
            return True if negative else False if above else None
        case "==":
            return True if above and below else False if positive or negative else None
        case _:
            return False if above and below else True if positive or negative else None


def _extreme(value: Int, ranges: Ranges, lowest: bool) -> Int | None:
    """The least or greatest value over the ranges; inner ranges, which may depend on outer ones, go first."""
    for symbol in reversed(ranges):
        if symbol not in symbols_of(value):
            continue
        slope = sympy.expand(value).coeff(symbol, 1)
        if symbol in symbols_of(difference(value, slope * symbol)):
            return None
        rising = slope.is_nonnegative
        if not rising and not slope.is_nonpositive:
            return None
        bound = ranges[symbol].lo if bool(rising) == lowest else ranges[symbol].hi
        value = replace(value, {symbol: bound})
    return value
