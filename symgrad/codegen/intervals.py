"""Affine index expressions over ranges: extremes, proofs of inequalities, ranges cut down by relations.

Ranges are listed from the outermost to the innermost; a bound may name the symbols before it.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeAlias

import sympy

from symgrad.tensor import build as b
from symgrad.tensor.affine import affine
from symgrad.tensor.integers import Int, difference, integer, replace, same, symbols_of
from symgrad.tensor.nodes import Binder, Rel

Ranges: TypeAlias = tuple[Binder, ...]


@lru_cache(maxsize=65536)
def coefficient(value: Int, symbol: sympy.Symbol) -> int | None:
    """The number before a symbol; None where the value is not affine in it with a whole coefficient."""
    if symbol not in symbols_of(value):
        return 0
    expanded = sympy.expand(value)
    c = expanded.coeff(symbol)
    if not c.is_Integer or symbol in (expanded - c * symbol).free_symbols:
        return None
    return int(c)


def nested(ranges: Ranges) -> Ranges:
    """The ranges with every symbol before those whose bounds name it."""
    out: list[Binder] = []
    left = list(ranges)
    while left:
        names = {x.symbol for x in left}
        free = [x for x in left if not (symbols_of(x.lo) | symbols_of(x.hi)) & (names - {x.symbol})] or left[:1]
        out.append(free[0])
        left.remove(free[0])
    return tuple(out)


def nonnegative(value: Int, ranges: Ranges) -> bool:
    """Whether value ≥ 0 is proved for all indices in the ranges."""
    branches = _branches(value)
    if branches is not None:
        every, values = branches
        proofs = (nonnegative(v, ranges) for v in values)
        return all(proofs) if every else any(proofs)
    for x in reversed(ranges):
        c = coefficient(value, x.symbol)
        if c is None:
            return False
        if c:
            ends = _options(x.lo, sympy.Max) if c > 0 else _options(x.hi, sympy.Min)
            rest = tuple(y for y in ranges if y is not x)
            return any(nonnegative(integer(replace(value, {x.symbol: e})), rest) for e in ends)
    if affine(value).nonnegative():
        return True
    bound = _without_floor(value)
    return bound is not None and nonnegative(bound, ranges)


@lru_cache(maxsize=65536)
def _branches(value: Int) -> tuple[bool, tuple[Int, ...]] | None:
    """A value with min or max in it as its branches, and whether each of them (or any) must be ≥ 0."""
    if isinstance(value, int):
        return None
    for f in sorted(value.atoms(sympy.Min, sympy.Max), key=str):
        stand_in = sympy.Dummy(integer=True)
        c = coefficient(value.xreplace({f: stand_in}), stand_in)
        if c:
            every = isinstance(f, sympy.Min) == (c > 0)
            return every, tuple(integer(sympy.expand(value.xreplace({f: a}))) for a in f.args)
    return None


@lru_cache(maxsize=65536)
def _without_floor(value: Int) -> Int | None:
    """A multiple of a lower bound, with one floor or ceiling less: n/d − (d − 1)/d ≤ ⌊n/d⌋ ≤ n/d; None without any."""
    if isinstance(value, int):
        return None
    for f in sorted(value.atoms(sympy.floor, sympy.ceiling), key=sympy.count_ops, reverse=True):
        above, below = sympy.together(f.args[0]).as_numer_denom()
        stand_in = sympy.Dummy(integer=True)
        c = coefficient(value.xreplace({f: stand_in}), stand_in)
        if not c or not below.is_Integer:
            continue
        slack = below - 1 if (c > 0) == isinstance(f, sympy.floor) else 0
        sign = -1 if isinstance(f, sympy.floor) else 1
        return integer(sympy.expand(below * value.xreplace({f: 0}) + c * (above + sign * slack)))
    return None


def tidy(value: Int) -> Int:
    """min(2, T − t) + t as min(t + 2, T)."""
    if isinstance(value, int) or not value.is_Add:
        return value
    found = [a for a in value.args if isinstance(a, sympy.Min | sympy.Max)]
    if len(found) != 1:
        return value
    rest = value - found[0]
    return integer(found[0].func(*(sympy.expand(a + rest) for a in found[0].args)))


def _options(end: Int, meet: type[sympy.Basic]) -> tuple[Int, ...]:
    if isinstance(end, int) or not isinstance(end, meet):
        return (end,)
    return tuple(integer(a) for a in end.args)


def at_most(a: Int, b: Int, ranges: Ranges = ()) -> bool:
    """Whether a ≤ b is proved for all indices in the ranges."""
    return nonnegative(difference(b, a), ranges)


def extreme(value: Int, ranges: Ranges, upper: bool) -> Int | None:
    """The largest (or smallest) value over the ranges, free of their symbols; None where it is not affine."""
    for x in reversed(ranges):
        c = coefficient(value, x.symbol)
        if c is None:
            return None
        if c:
            value = integer(replace(value, {x.symbol: x.hi if (c > 0) == upper else x.lo}))
    return integer(sympy.expand(value)) if not isinstance(value, int) else value


def smallest(values: Iterable[Int], ranges: Ranges = ()) -> Int:
    """min(…), with those left out that are proved not to be needed."""
    kept = _undominated(values, lambda a, b: at_most(b, a, ranges))
    return kept[0] if len(kept) == 1 else integer(sympy.Min(*kept))


def largest(values: Iterable[Int], ranges: Ranges = ()) -> Int:
    """max(…), with those left out that are proved not to be needed."""
    kept = _undominated(values, lambda a, b: at_most(a, b, ranges))
    return kept[0] if len(kept) == 1 else integer(sympy.Max(*kept))


def _undominated(values: Iterable[Int], covered: Callable[[Int, Int], bool]) -> list[Int]:
    kept: list[Int] = []
    for v in values:
        if any(covered(v, k) for k in kept):
            continue
        kept = [k for k in kept if not covered(k, v)]
        kept.append(v)
    return kept


def contains(outer: tuple[Int, Int], inner: tuple[Int, Int], ranges: Ranges) -> bool:
    """Whether lo..hi of the second is proved to lie inside the first."""
    return at_most(outer[0], inner[0], ranges) and at_most(inner[1], outer[1], ranges)


def gaps_of(r: Rel) -> tuple[Int, ...] | None:
    """The expressions that are all ≥ 0 exactly where a relation holds; None for !=."""
    if r.op == "==":
        return difference(r.right, r.left), difference(r.left, r.right)
    gap = b.slack(r)
    return None if gap is None else (gap,)


def clip(ranges: Ranges, conds: Sequence[Rel], known: Ranges = ()) -> tuple[Ranges, tuple[Rel, ...]]:
    """The ranges cut to where the relations hold, and the relations that no cut can express."""
    left: list[Rel] = []
    for r in conds:
        gaps = gaps_of(r)
        cut: Ranges | None = None if gaps is None else ranges
        for gap in gaps or ():
            cut = None if cut is None else _cut(cut, gap, known)
        if cut is None:
            left.append(r)
        else:
            ranges = cut
    return ranges, tuple(left)


def _cut(ranges: Ranges, gap: Int, known: Ranges) -> Ranges | None:
    """The ranges where gap ≥ 0, by a bound on the innermost symbol in it."""
    if nonnegative(gap, known + ranges):
        return ranges
    for k in reversed(range(len(ranges))):
        x = ranges[k]
        c = coefficient(gap, x.symbol)
        if c is None:
            return None
        if c == 0:
            continue
        if c not in (1, -1):
            return None
        outer = known + ranges[:k]
        if c == 1:
            x = Binder(x.symbol, largest((x.lo, difference(x.symbol, gap)), outer), x.hi)
        else:
            x = Binder(x.symbol, x.lo, smallest((x.hi, integer(sympy.expand(gap + x.symbol))), outer))
        return (*ranges[:k], x, *ranges[k + 1 :])
    return None


def fixed_value(x: Binder) -> Int | None:
    """The one index of a range lo..lo, else None."""
    return x.lo if same(x.lo, x.hi) else None
