"""Ranges of bound indices made ready: renamed apart, cut down, indices that an equality settles solved for."""

import sympy

from symgrad.codegen.guards import batched
from symgrad.codegen.intervals import Ranges, at_most, coefficient, extreme, gaps_of
from symgrad.codegen.state import NotVectorisable, Scope, free_ints
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, integer, replace, symbols_of
from symgrad.tensor.nodes import (
    Binder,
    Expr,
    Fold,
    Iverson,
    Mul,
    Rel,
)
from symgrad.tensor.reindex import fresh_symbol, reindex


def apart(binders: Ranges, body: Expr, conds: tuple[Rel, ...], scope: Scope) -> tuple[Ranges, Expr, tuple[Rel, ...]]:
    """The binders renamed away from the indices of the scope."""
    outer = {x.symbol for x in scope.ranges}
    renamed: dict[sympy.Symbol, Int] = {}
    for x in binders:
        if x.symbol in outer:
            taken = outer | {y.symbol for y in binders} | free_ints(body) | set(map(_symbol, renamed.values()))
            renamed[x.symbol] = fresh_symbol(x.symbol, taken)
    if not renamed:
        return binders, body, conds
    fresh = tuple(
        Binder(_symbol(renamed.get(x.symbol, x.symbol)), replace(x.lo, renamed), replace(x.hi, renamed))
        for x in binders
    )
    moved = tuple(b.rel(c.op, replace(c.left, renamed), replace(c.right, renamed)) for c in conds)
    return fresh, reindex(body, renamed), moved


def _symbol(s: Int) -> sympy.Symbol:
    assert isinstance(s, sympy.Symbol)
    return s


def solved(binders: Ranges, body: Expr, conds: tuple[Rel, ...], scope: Scope) -> tuple[Ranges, Expr, tuple[Rel, ...]]:
    """A sum without the indices that an equality settles."""
    while True:
        if isinstance(body, Fold) and body.op == "sum":
            inner, inside, more = apart(body.binders, body.body, body.conds, scope.over(*binders))
            binders, body, conds = (*binders, *inner), inside, (*conds, *more)
            continue
        if isinstance(body, Mul) and any(isinstance(a, Iverson) for a in body.args):
            conds = (*conds, *(c for a in body.args if isinstance(a, Iverson) for c in a.conds))
            body = b.mul(b.ONE, *(a for a in body.args if not isinstance(a, Iverson)))
        if isinstance(body, Iverson):
            conds, body = (*conds, *body.conds), b.ONE
        hit = _settled(binders, conds)
        if hit is None:
            return by_taps(binders, body, conds, scope)
        x, index, used = hit
        mapping = {x.symbol: index}
        kept = [c for c in conds if c is not used] + [Rel("<=", x.lo, x.symbol), Rel("<=", x.symbol, x.hi)]
        moved = [b.rel(c.op, replace(c.left, mapping), replace(c.right, mapping)) for c in kept]
        binders = tuple(Binder(y.symbol, replace(y.lo, mapping), replace(y.hi, mapping)) for y in binders if y is not x)
        known = scope.ranges + binders
        conds = tuple(c for c in moved if b.holds(c) is not True and not _proved(c, known))
        body = reindex(body, mapping)


def by_taps(binders: Ranges, body: Expr, conds: tuple[Rel, ...], scope: Scope) -> tuple[Ranges, Expr, tuple[Rel, ...]]:
    """A sum with few terms for each place, e ≤ y − s x ≤ e + n − 1 for n numbers, over these instead of over all y."""
    for y in binders:
        for x in scope.batch:
            ends = [(c, end) for c in conds if (end := tied(c, y.symbol, x.symbol)) is not None and end[0] > 1]
            lower = next((e for _, (_, up, e) in ends if not up), None)
            upper = next((e for _, (_, up, e) in ends if up), None)
            if len(ends) != 2 or ends[0][1][0] != ends[1][1][0] or lower is None or upper is None:
                continue
            count = difference(upper, lower) + 1
            if not isinstance(count, int) or any(y.symbol in symbols_of(e) for z in binders for e in (z.lo, z.hi)):
                continue
            tap = Binder(y.symbol, 1, integer(count))
            mapping: dict[sympy.Symbol, Int] = {
                y.symbol: integer(sympy.expand(y.symbol + ends[0][1][0] * x.symbol + lower - 1))
            }
            kept = [c for c in conds if c not in [met for met, _ in ends]]
            kept += [Rel("<=", y.lo, y.symbol), Rel("<=", y.symbol, y.hi)]
            moved = [b.rel(c.op, replace(c.left, mapping), replace(c.right, mapping)) for c in kept]
            binders = tuple(tap if z is y else z for z in binders)
            known = scope.ranges + binders
            conds = tuple(c for c in moved if b.holds(c) is not True and not _proved(c, known))
            return by_taps(binders, reindex(body, mapping), conds, scope)
    return binders, body, conds


def tied(c: Rel, result: sympy.Symbol, summed: sympy.Symbol) -> tuple[int, bool, Int] | None:
    """(s, whether it is the upper one, e) of a condition e ≤ j − s r or j − s r ≤ e, for s ≥ 1."""
    gaps = gaps_of(c)
    if gaps is None or len(gaps) != 1:
        return None
    sign, slope = coefficient(gaps[0], result), coefficient(gaps[0], summed)
    if sign not in (1, -1) or slope is None or slope * sign >= 0:
        return None
    rest = integer(sympy.expand(gaps[0] - sign * result - slope * summed))
    return abs(slope), sign < 0, rest if sign < 0 else difference(0, rest)


def _proved(c: Rel, known: Ranges) -> bool:
    gap = b.slack(c)
    return gap is not None and at_most(0, gap, known)


def _settled(binders: Ranges, conds: tuple[Rel, ...]) -> tuple[Binder, Int, Rel] | None:
    for c in conds:
        if c.op != "==":
            continue
        gap = difference(c.left, c.right)
        for x in reversed(binders):
            k = coefficient(gap, x.symbol)
            if k in (1, -1) and not any(x.symbol in symbols_of(e) for y in binders for e in (y.lo, y.hi)):
                rest = difference(gap, k * x.symbol)
                return x, integer(sympy.expand(-k * rest)), c
    return None


def rectangular(binders: Ranges, conds: tuple[Rel, ...], scope: Scope) -> tuple[Ranges, tuple[Rel, ...]]:
    """Ranges that do not depend on batch indices or on each other, with relations for what that leaves out."""
    out: list[Binder] = []
    extra: list[Rel] = []
    for x in binders:
        lo, hi = (extreme(e, scope.batch + tuple(out), up) for e, up in ((x.lo, False), (x.hi, True)))
        if lo is None or hi is None:
            raise NotVectorisable
        if lo != x.lo:
            extra.append(Rel("<=", x.lo, x.symbol))
        if hi != x.hi:
            extra.append(Rel("<=", x.symbol, x.hi))
        out.append(Binder(x.symbol, lo, hi))
    left: list[Rel] = []
    for c in (*conds, *extra):
        cut = _cut(out, c, scope)
        if cut is None:
            left.append(c)
        else:
            out = cut
    known = scope.ranges + tuple(out)
    return tuple(out), tuple(c for c in left if not _proved(c, known))


def _cut(binders: list[Binder], c: Rel, scope: Scope) -> list[Binder] | None:
    """The ranges cut by a relation of one index with what does not vary."""
    gap = b.slack(c)
    mine = [k for k, x in enumerate(binders) if x.symbol in symbols_of(c.left) | symbols_of(c.right)]
    if gap is None or len(mine) != 1 or batched(c, scope):
        return None
    x = binders[mine[0]]
    k = coefficient(gap, x.symbol)
    if k == 1:
        fresh = Binder(x.symbol, _extreme_of((x.lo, difference(x.symbol, gap)), sympy.Max, scope), x.hi)
    elif k == -1:
        fresh = Binder(x.symbol, x.lo, _extreme_of((x.hi, integer(gap + x.symbol)), sympy.Min, scope))
    else:
        return None
    return [fresh if n == mine[0] else y for n, y in enumerate(binders)]


def _extreme_of(ends: tuple[Int, Int], kind: type, scope: Scope) -> Int:
    a, c = ends
    if at_most(a, c, scope.known):
        return c if kind is sympy.Max else a
    if at_most(c, a, scope.known):
        return a if kind is sympy.Max else c
    return integer(kind(a, c))
