"""Equality of expressions by index notation: sums of products of entries, the names of summed indices forgotten."""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

import sympy
from msgspec import Struct

from symgrad.tensor import build as b
from symgrad.tensor.deltas import contract_deltas
from symgrad.tensor.integers import Int, index_symbol, integer, replace, symbols_of
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Add, Apply, Binder, Expr, Fold, Mul, Num, Pow, Rel
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints, reindex
from symgrad.tensor.walk import postorder

MOST_SUMMED = 6
MOST_FACTORS = 4
_FREE = "ijklmpqrsuv"


class Term(Struct, frozen=True):
    """Σ over ``binders`` of the product of ``factors``, in one order."""

    factors: tuple[Expr, ...]
    binders: tuple[Binder, ...]
    conds: tuple[Rel, ...] = ()

    @property
    def expr(self) -> Expr:
        """The term as an expression."""
        body = b.mul(*self.factors) if self.factors else b.ONE
        return b.fold("sum", body, self.binders, self.conds) if self.binders else body


def entry_of(x: Expr, indices: Sequence[sympy.Symbol]) -> Expr:
    """One entry in index notation, δ's contracted; a scalar is its own entry."""
    binders = [Binder(i, 1, n) for i, n in zip(indices, x.shape, strict=True)]
    return contract_deltas(component(x, tuple(indices)), binders)


def free_indices(order: int, taken: set[str]) -> tuple[sympy.Symbol, ...]:
    """Indices for the entry of a tensor."""
    names = [c for c in _FREE if c not in taken]
    return tuple(index_symbol(c) for c in names[:order])


def terms(x: Expr, free: Sequence[sympy.Symbol]) -> dict[Term, Fraction]:
    """An entry as numbers times terms in canonical form."""
    out: dict[Term, Fraction] = {}
    for number, factors, binders, conds in _products(x):
        term = _canonical([_closed(f) for f in factors], binders, conds, free)
        out[term] = out.get(term, Fraction(0)) + number
    return {t: c for t, c in out.items() if c}


def in_order(x: Expr, free: Sequence[sympy.Symbol]) -> Expr:
    """An entry as sums of products whose factors stand as they were, summed indices named as in canonical form."""
    out: list[Expr] = []
    for number, factors, binders, conds in _products(x):
        term, mapping = _renamed(factors, binders, conds, free)
        kept = tuple(reindex(f, mapping) for f in factors)
        out.append(b.mul(b.num(number), Term(kept, term.binders, term.conds).expr))
    return b.add(*out) if out else b.ZERO


_Product = tuple[Fraction, list[Expr], list[Binder], list[Rel]]


def _products(x: Expr) -> list[_Product]:
    """A sum of products of atoms under summed indices, products multiplied out; every sum has indices of its own."""
    taken = {s.name for n in postorder(x) for s in free_ints(n)}
    return [_settled(p) for p in _multiplied(x, (n for n in (f"i{k}" for k in itertools.count()) if n not in taken))]


def _multiplied(x: Expr, fresh: Iterator[str]) -> list[_Product]:
    match x:
        case Add(args=args):
            return [p for a in args for p in _multiplied(a, fresh)]
        case Mul(args=args):
            out: list[_Product] = [(Fraction(1), [], [], [])]
            for a in args:
                value = b.number_of(a)
                parts = [(value, [], [], [])] if value is not None else _multiplied(a, fresh)
                out = [_joined(p, q) for p in out for q in parts]
            return out
        case Fold(op="sum", body=body, binders=binders, conds=conds):
            own: dict[sympy.Symbol, Int] = {x.symbol: index_symbol(next(fresh)) for x in binders}
            over = [Binder(own[x.symbol], replace(x.lo, own), replace(x.hi, own)) for x in binders]
            told = [Rel(c.op, replace(c.left, own), replace(c.right, own)) for c in conds]
            return [(n, f, [*over, *o], [*told, *c]) for n, f, o, c in _multiplied(reindex(body, own), fresh)]
        case Pow(base=Apply(fn="sqrt", args=(inside,)), exponent=Num(value=e)) if e.denominator == 1 and not e % 2:
            return _multiplied(b.power(inside, b.num(e / 2)), fresh)
        case Pow(base=base, exponent=Num(value=e)) if e.denominator == 1 and 1 < e <= MOST_FACTORS:
            return _multiplied(Mul((base,) * int(e), ()), fresh)
    value = b.number_of(x)
    return [(value, [], [], [])] if value is not None else [(Fraction(1), [x], [], [])]


def _closed(atom: Expr) -> Expr:
    """An atom whose summed indices have names by how many sums stand within theirs."""
    heights: dict[Expr, int] = {}

    def rule(x: Expr) -> Expr:
        height = max((heights.get(c, 0) for c in x.children), default=0)
        if isinstance(x, Fold):
            height += 1
            own: dict[sympy.Symbol, Int] = {y.symbol: index_symbol(f"s{height}_{k}") for k, y in enumerate(x.binders)}
            over = tuple(Binder(own[y.symbol], replace(y.lo, own), replace(y.hi, own)) for y in x.binders)
            told = tuple(Rel(c.op, replace(c.left, own), replace(c.right, own)) for c in x.conds)
            x = Fold(x.op, reindex(x.body, own), over, told, x.shape, x.descending)
        heights[x] = height
        return x

    return transform(atom, rule)


def _settled(p: _Product) -> _Product:
    """The product with the powers of a factor put together, and n for a sum over n equal terms."""
    number, factors, binders, conds = p
    named = {s for f in factors for s in free_ints(f)} | {
        s for c in conds for end in (c.left, c.right) for s in symbols_of(end)
    }
    idle = [x for x in binders if x.symbol not in named and not _bounds(x, binders)]
    exponents: dict[Expr, Fraction] = {}
    for f in [*factors, *(b.count(integer(x.hi - x.lo + 1)) for x in idle)]:
        e = b.number_of(f.exponent) if isinstance(f, Pow) else None
        base, power = (f.base, e) if isinstance(f, Pow) and e is not None else (f, Fraction(1))
        if isinstance(base, Apply) and base.fn == "sqrt":
            base, power = base.args[0], power / 2
        exponents[base] = exponents.get(base, Fraction(0)) + power
    kept: list[Expr] = []
    for base, power in exponents.items():
        value = b.number_of(base)
        if value is not None and power.denominator == 1:
            number *= value ** int(power)
        elif power > 0 and power.denominator == 1 and power <= MOST_FACTORS:
            kept += [base] * int(power)
        elif power.denominator == 2:
            kept.append(b.power(b.apply("sqrt", base), b.num(2 * power)))
        elif power:
            kept.append(b.power(base, b.num(power)))
    return number, kept, [x for x in binders if x not in idle], conds


def _bounds(x: Binder, binders: Sequence[Binder]) -> bool:
    """Whether the range of another index speaks of an index."""
    return any(x.symbol in symbols_of(y.lo) | symbols_of(y.hi) for y in binders)


def _joined(p: _Product, q: _Product) -> _Product:
    """The product of two terms, whose summed indices have names of their own."""
    return p[0] * q[0], [*p[1], *q[1]], [*p[2], *q[2]], [*p[3], *q[3]]


def _canonical(
    factors: Sequence[Expr], binders: Sequence[Binder], conds: Sequence[Rel], free: Sequence[sympy.Symbol]
) -> Term:
    return _renamed(factors, binders, conds, free)[0]


def _renamed(
    factors: Sequence[Expr], binders: Sequence[Binder], conds: Sequence[Rel], free: Sequence[sympy.Symbol]
) -> tuple[Term, dict[sympy.Symbol, Int]]:
    """The term whose summed indices have the names for which its factors come first in the alphabet."""
    if len(binders) > MOST_SUMMED or conds:
        return Term(tuple(sorted(factors, key=repr)), tuple(binders), tuple(conds)), {}
    taken = {s.name for s in free} | {s.name for f in factors for s in free_ints(f)} - {x.symbol.name for x in binders}
    names = [index_symbol(c) for c in _FREE if c not in taken][: len(binders)]
    best: tuple[list[str], Term, dict[sympy.Symbol, Int]] | None = None
    for order in itertools.permutations(range(len(binders))):
        mapping: dict[sympy.Symbol, Int] = {binders[k].symbol: names[place] for place, k in enumerate(order)}
        renamed = sorted((reindex(f, mapping) for f in factors), key=repr)
        key = [repr(f) for f in renamed]
        own = tuple(Binder(names[place], binders[k].lo, binders[k].hi) for place, k in enumerate(order))
        if best is None or key < best[0]:
            best = key, Term(tuple(renamed), own), mapping
    assert best is not None
    return best[1], best[2]
