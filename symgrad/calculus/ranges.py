"""Reasoning about index ranges: what follows from the bounds of the steps, and which indices meet a subscript."""

from collections.abc import Iterable, Mapping, Sequence

import sympy
from msgspec import Struct

from symgrad.tensor.affine import Affine, affine
from symgrad.tensor.build import holds, rel
from symgrad.tensor.integers import Int, difference, integer, replace, symbols_of
from symgrad.tensor.nodes import Binder, Rel


class Bounds(Struct, frozen=True):
    """Known inequalities, each as an expression that is ≥ 0."""

    gaps: tuple[Int, ...] = ()

    def within(self, binders: Iterable[Binder]) -> "Bounds":
        """The bounds with lo ≤ index ≤ hi added for each binder."""
        more: list[Int] = []
        for x in binders:
            more += [difference(x.symbol, x.lo), difference(x.hi, x.symbol), difference(x.hi, x.lo)]
        return Bounds((*self.gaps, *(g for g in more if not isinstance(g, int))))

    def under(self, conds: Iterable[Rel]) -> "Bounds":
        """The bounds with relations that are given."""
        more: list[Int] = []
        for c in conds:
            gap = difference(c.right, c.left)
            match c.op:
                case "<=":
                    more.append(gap)
                case "<":
                    more.append(difference(gap, 1))
                case ">=":
                    more.append(difference(0, gap))
                case ">":
                    more.append(difference(-1, gap))
                case "==":
                    more += [gap, difference(0, gap)]
        return Bounds((*self.gaps, *(g for g in more if not isinstance(g, int))))

    def holds(self, r: Rel) -> bool | None:
        """Whether a relation follows (True), its contrary follows (False), or neither (None)."""
        known = holds(r)
        if known is not None:
            return known
        gap = affine(r.right) - affine(r.left)
        match r.op:
            case "<=":
                return self._at_least_zero(gap)
            case "<":
                return self._at_least_zero(gap - 1)
            case ">=":
                return self._at_least_zero(-gap)
            case ">":
                return self._at_least_zero(-gap - 1)
        apart = self.nonnegative(gap - 1) or self.nonnegative(-gap - 1)
        return r.op == "!=" if apart else None

    def _at_least_zero(self, value: Affine) -> bool | None:
        if self.nonnegative(value):
            return True
        return False if self.nonnegative(-value - 1) else None

    def nonnegative(self, value: Affine) -> bool:
        """Whether value ≥ 0 follows from one or two of the known inequalities."""
        if value.nonnegative():
            return True
        known = [affine(g) for g in self.gaps]
        singles = [value - g for g in known]
        if any(s.nonnegative() for s in singles):
            return True
        return any((s - g).nonnegative() for s in singles for g in known)


class Match(Struct, frozen=True):
    """How the members of a family that a definition reads meet one given member.

    ``values`` are the indices that follow from the meeting, ``binders`` and ``conds`` what is left to sum over, and
    ``guard`` the relations on the given member for which there is a meeting at all.
    """

    values: dict[sympy.Symbol, Int]
    binders: tuple[Binder, ...]
    conds: tuple[Rel, ...]
    guard: tuple[Rel, ...]


def meet(
    subs: Sequence[Int],
    target: Sequence[Int],
    unknowns: Sequence[Binder],
    conds: Sequence[Rel],
    known: Bounds,
) -> Match | None:
    """The indices at which family[subs] is family[target]; None where there are none.

    Args:
        subs: subscripts as read, in the unknowns.
        target: subscripts of the given member.
        unknowns: the indices to find, with their ranges; those that come first are solved for first.
        conds: relations among the unknowns.
        known: what is known of the target's indices.
    """
    values: dict[sympy.Symbol, Int] = {}
    ranges = {x.symbol: x for x in unknowns}
    relations: list[Rel] = list(conds)
    for e, s in zip(subs, target, strict=True):
        e = replace(e, values)
        free = [x.symbol for x in unknowns if x.symbol in symbols_of(e) and x.symbol not in values]
        solved = next((u for u in free if _coefficient(e, u) in (1, -1)), None)
        if solved is None:
            relations.append(rel("==", e, s))
            continue
        sign = _coefficient(e, solved)
        rest = difference(e, sign * solved)
        value = integer(difference(s, rest) if sign == 1 else difference(rest, s))
        values = {u: replace(v, {solved: value}) for u, v in values.items()}
        values[solved] = value
    left = [x for x in unknowns if x.symbol not in values]
    for u in values:
        relations += [rel("<=", ranges[u].lo, u), rel("<=", u, ranges[u].hi)]
    relations = [rel(r.op, replace(r.left, values), replace(r.right, values)) for r in relations]
    for k, x in enumerate(left):
        lo, hi = replace(x.lo, values), replace(x.hi, values)
        if x.symbol in symbols_of(lo) | symbols_of(hi):
            relations += [rel("<=", lo, x.symbol), rel("<=", x.symbol, hi)]
            lo, hi = _widest(x.lo, values, ranges, -1), _widest(x.hi, values, ranges, 1)
        left[k] = Binder(x.symbol, lo, hi)
    return _settle(values, left, relations, known)


def _widest(bound: Int, values: Mapping[sympy.Symbol, Int], ranges: Mapping[sympy.Symbol, Binder], side: int) -> Int:
    """The largest (side 1) or least (−1) value of a bound of a range, over the ranges of the indices in it."""
    while solved := [u for u in values if u in symbols_of(bound)]:
        u = solved[0]
        up = (_coefficient(bound, u) > 0) == (side > 0)
        bound = replace(bound, {u: ranges[u].hi if up else ranges[u].lo})
    return bound


def _coefficient(e: Int, symbol: sympy.Symbol) -> Int:
    return 0 if isinstance(e, int) else integer(sympy.expand(e).coeff(symbol))


def _settle(values: dict[sympy.Symbol, Int], left: list[Binder], relations: list[Rel], known: Bounds) -> Match | None:
    guard: list[Rel] = []
    conds: list[Rel] = []
    for r in relations:
        bound = [k for k, x in enumerate(left) if x.symbol in symbols_of(r.left) | symbols_of(r.right)]
        if not bound:
            certain = known.holds(r)
            if certain is False:
                return None
            if certain is None:
                guard.append(r)
        elif len(bound) == 1 and (tighter := _tighten(left[bound[0]], r, known)) is not None:
            left[bound[0]] = tighter
        else:
            conds.append(r)
    for x in left:
        if known.holds(rel("<=", x.lo, x.hi)) is False:
            return None
    return Match(values, tuple(left), tuple(conds), tuple(dict.fromkeys(guard)))


def _tighten(x: Binder, r: Rel, known: Bounds) -> Binder | None:
    """The range of x cut to where an inequality with unit coefficient holds."""
    if r.op not in ("<=", "<"):
        return None
    gap = difference(r.right, r.left) if r.op == "<=" else difference(difference(r.right, r.left), 1)
    c = _coefficient(gap, x.symbol)
    if c == 1:
        return Binder(x.symbol, largest(x.lo, difference(x.symbol, gap), known), x.hi)
    if c == -1:
        return Binder(x.symbol, x.lo, smallest(x.hi, difference(gap, -x.symbol), known))
    return None


def largest(a: Int, b: Int, known: Bounds) -> Int:
    """max(a, b), one of them where the bounds tell which."""
    order = known.holds(rel("<=", a, b))
    if order is not None:
        return b if order else a
    return integer(sympy.Max(a, b))


def smallest(a: Int, b: Int, known: Bounds) -> Int:
    """min(a, b), one of them where the bounds tell which."""
    order = known.holds(rel("<=", a, b))
    if order is not None:
        return a if order else b
    return integer(sympy.Min(a, b))
