"""Subscripts of declarations and left sides: fixed steps, ranges of steps, steps that stay open."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from msgspec import Struct

from symgrad.errors import ProblemError
from symgrad.problem.indices import size_of
from symgrad.problem.names import Names
from symgrad.problem.ranges import span_ends
from symgrad.problem.scope import Scope
from symgrad.syntax.tree import Span, Tree
from symgrad.tensor.integers import Int, at_most, difference, index_symbol, integer, symbols_of
from symgrad.tensor.nodes import Binder

_LETTERS = "srjmpquv"


class Pattern(Struct, frozen=True):
    """What subscripts say: `h[t+1]` over t = 0..T-1 is h[t] over t = 1..T, with t shifted by -1 in what it says."""

    indices: tuple[Int, ...]
    ranges: tuple[Binder, ...]
    shift: dict[sympy.Symbol, Int]


def pattern(items: Sequence[Tree], stated: dict[sympy.Symbol, Binder], scope: Scope) -> Pattern:
    """The pattern of subscripts; a stated range goes before the one under `steps`.

    Raises:
        ProblemError: a subscript is no integer, or a step stands there in another way than t or t ± number.
    """
    steps = {**scope.names.steps, **stated}
    indices: list[Int] = []
    ranges: dict[sympy.Symbol, Binder] = {}
    shift: dict[sympy.Symbol, Int] = {}
    for item in items:
        if isinstance(item, Span):
            lo, hi = span_ends(item, scope)
            if at_most(hi + 1, lo):
                raise ProblemError(f"the range {lo}..{hi} is empty", item.place)
            symbol = _unused(scope.names, ranges)
            indices.append(symbol)
            ranges[symbol] = Binder(symbol, lo, hi)
            continue
        value = size_of(item, scope)
        moving = [s for s in symbols_of(value) if s in steps]
        if not moving:
            indices.append(value)
            continue
        symbol = moving[0]
        offset = difference(value, symbol)
        if symbol in symbols_of(offset) or len(moving) > 1 or symbol in ranges:
            raise ProblemError("a step stands here as t, t + number or t - number, and once", item.place)
        indices.append(symbol)
        ranges[symbol] = Binder(symbol, integer(steps[symbol].lo + offset), integer(steps[symbol].hi + offset))
        if offset != 0:
            shift[symbol] = integer(symbol - offset)
    return Pattern(tuple(indices), tuple(ranges.values()), shift)


def _unused(names: Names, ranges: dict[sympy.Symbol, Binder]) -> sympy.Symbol:
    taken = {*names.kinds, *(s.name for s in ranges)}
    return index_symbol(next(x for x in [*_LETTERS, *(f"s{n}" for n in range(99))] if x not in taken))
