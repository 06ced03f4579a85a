"""Index notation of ranges, entries, assembled tensors and whole-tensor functions; completes the rules."""

from collections.abc import Sequence

import sympy

from symgrad.tensor import build as b
from symgrad.tensor.dependence import dependence
from symgrad.tensor.functions import values_of
from symgrad.tensor.integers import Int, difference, integer, replace
from symgrad.tensor.lowering_rules import (
    Indices,
    Lowering,
    Names,
    Place,
    fresh_index,
    fresh_indices,
    lower,
    product,
    sum_over,
)
from symgrad.tensor.nodes import (
    At,
    Binder,
    Build,
    Call,
    Concat,
    Cut,
    Density,
    Entry,
    Expr,
    Fold,
    Integral,
    Item,
    Law,
    Pick,
    Rel,
    Stack,
    Var,
)
from symgrad.tensor.probability import meaning
from symgrad.tensor.reindex import reindex

__all__ = ["lower"]


@lower.register
def _fold(node: Fold, at: Indices, taken: Names) -> Lowering:
    if node.op == "matprod":
        return b.entry(node, [At(i) for i in at])
    renamed: dict[sympy.Symbol, Int] = {}
    binders = []
    for x in node.binders:
        symbol = x.symbol
        if symbol.name in taken:
            symbol = fresh_index(taken | {s.name for s in dependence(node.body).symbols})
        binders.append(Binder(symbol, replace(x.lo, renamed), replace(x.hi, renamed)))
        taken |= {symbol.name}
        if symbol != x.symbol:
            renamed[x.symbol] = symbol
    body = yield Place(reindex(node.body, renamed), at, taken)
    conds = [Rel(c.op, replace(c.left, renamed), replace(c.right, renamed)) for c in node.conds]
    return b.fold(node.op, body, binders, conds, node.descending)


@lower.register
def _build(node: Build, at: Indices, taken: Names) -> Lowering:
    own, rest = at[: len(node.binders)], at[len(node.binders) :]
    chosen: dict[sympy.Symbol, Int] = {}
    for x, i in zip(node.binders, own, strict=True):
        chosen[x.symbol] = integer(difference(replace(x.lo, chosen) + i, 1))
    return (yield Place(reindex(node.body, chosen), rest, taken))


@lower.register
def _entry(node: Entry, at: Indices, taken: Names) -> Lowering:
    ends = iter(at)
    items: list[Item] = []
    for item in node.items:
        match item:
            case At():
                items.append(item)
            case Cut(lo=lo):
                items.append(At(integer(difference(lo + next(ends), 1))))
            case Pick(index=index):
                items.append(Pick((yield Place(index, (), taken))))
    if all(isinstance(i, At) for i in items) and not _is_leaf(node.arg):
        return (yield Place(node.arg, tuple(i.index for i in items if isinstance(i, At)), taken))
    if _is_leaf(node.arg):
        return b.entry(node.arg, items, checked=False)
    return (yield from _picked(node.arg, items, taken))


def _is_leaf(x: Expr) -> bool:
    return isinstance(x, Var)


def _picked(x: Expr, items: Sequence[Item], taken: Names) -> Lowering:
    """Σ_k [k = the data] x_k, for each index that is data."""
    sizes = [n for n, i in zip(x.shape, items, strict=True) if isinstance(i, Pick)]
    symbols, taken = fresh_indices(len(sizes), taken)
    names = iter(symbols)
    indices: list[Int] = []
    choices = []
    for item in items:
        if isinstance(item, Pick):
            indices.append(next(names))
            choices.append(b.compare("==", item.index, b.count(indices[-1])))
        elif isinstance(item, At):
            indices.append(item.index)
    body = yield Place(x, tuple(indices), taken)
    return sum_over(product([*choices, body]), symbols, sizes)


@lower.register
def _stack(node: Stack, at: Indices, taken: Names) -> Lowering:
    first, rest = at[0], at[1:]
    if isinstance(first, int):
        return (yield Place(node.args[first - 1], rest, taken))
    terms = []
    for k, x in enumerate(node.args, 1):
        terms.append(product([b.delta(first, k), (yield Place(x, rest, taken))]))
    return b.add(*terms)


@lower.register
def _concat(node: Concat, at: Indices, taken: Names) -> Lowering:
    index = at[node.axis]
    terms = []
    before: Int = 0
    for x in node.args:
        after = integer(before + x.shape[node.axis])
        inside = b.iverson(b.rel("<=", before + 1, index), b.rel("<=", index, after))
        if not b.is_zero(inside):
            own = (*at[: node.axis], integer(difference(index, before)), *at[node.axis + 1 :])
            terms.append(product([inside, (yield Place(x, own, taken))]))
        before = after
    return b.add(*terms)


@lower.register
def _call(node: Call, at: Indices, taken: Names) -> Lowering:
    entries = values_of(node).entries
    if entries is None:
        return b.entry(node, [At(i) for i in at]) if at else node
    names = set(taken)

    def fresh() -> sympy.Symbol:
        symbol = fresh_index(frozenset(names))
        names.add(symbol.name)
        return symbol

    written = entries(node, at, lambda x, i: b.entry(x, [At(k) for k in i], checked=False) if i else x, fresh)
    return (yield Place(written, (), taken)) if written is not node else node


@lower.register(Density)
@lower.register(Law)
@lower.register(Integral)
def _probability(node: Density | Law | Integral, at: Indices, taken: Names) -> Lowering:
    return (yield Place(meaning(node, {}), at, taken))
