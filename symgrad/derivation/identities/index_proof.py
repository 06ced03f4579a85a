"""Equality of expressions by index notation: sums of products of entries, the names of summed indices forgotten."""

import itertools
from collections.abc import Sequence
from fractions import Fraction

import sympy
from msgspec import Struct

from symgrad.tensor import build as b
from symgrad.tensor.deltas import contract_deltas
from symgrad.tensor.integers import Int, index_symbol
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Add, Apply, Binder, Expr, Fold, Mul, Num, Pow, Rel
from symgrad.tensor.reindex import free_ints, reindex

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
        term = _canonical(factors, binders, conds, free)
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
    """A sum of products of atoms under summed indices, products multiplied out."""
    match x:
        case Add(args=args):
            return [p for a in args for p in _products(a)]
        case Mul(args=args):
            out: list[_Product] = [(Fraction(1), [], [], [])]
            for a in args:
                value = b.number_of(a)
                parts = [(value, [], [], [])] if value is not None else _products(a)
                out = [_joined(p, q) for p in out for q in parts]
            return out
        case Fold(op="sum", body=body, binders=binders, conds=conds):
            return [(n, f, [*binders, *o], [*conds, *c]) for n, f, o, c in _products(body)]
        case Pow(base=Apply(fn="sqrt", args=(inside,)), exponent=Num(value=Fraction(numerator=2, denominator=1))):
            return _products(inside)
        case Pow(base=base, exponent=Num(value=e)) if e.denominator == 1 and 1 < e <= MOST_FACTORS:
            return _products(Mul((base,) * int(e), ()))
    value = b.number_of(x)
    return [(value, [], [], [])] if value is not None else [(Fraction(1), [x], [], [])]


def _joined(p: _Product, q: _Product) -> _Product:
    """The product of two terms; summed indices of the second that clash with the first are renamed."""
    number, factors, binders, conds = q
    taken = {x.symbol for x in p[2]}
    mapping: dict[sympy.Symbol, Int] = {}
    for x in binders:
        if x.symbol in taken:
            used = {s.name for s in taken} | {y.symbol.name for y in binders}
            used |= {s.name for f in (*p[1], *factors) for s in free_ints(f)}
            mapping[x.symbol] = index_symbol(next(c for c in (*_FREE, *(f"i{k}" for k in range(20))) if c not in used))
            taken.add(mapping[x.symbol])
    if mapping:
        factors = [reindex(f, mapping) for f in factors]
        binders = [Binder(mapping.get(x.symbol, x.symbol), x.lo, x.hi) for x in binders]
    return p[0] * number, [*p[1], *factors], [*p[2], *binders], [*p[3], *conds]


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
