"""Σ_i y_i log p_i as the sum of the vector y ⊙ log p: what a person differentiates without an index."""

import sympy

from symgrad.tensor import build as b
from symgrad.tensor.integers import difference, same, symbols_of
from symgrad.tensor.nodes import Add, Apply, At, Binder, Compare, Cut, Entry, Expr, Fold, Item, Mul, Pick, Pow
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints


def whole_sums(root: Expr) -> Expr:
    """The expression with every sum over all entries of vectors as the sum of a vector, where it is one."""
    return transform(root, _whole)


def _whole(x: Expr) -> Expr:
    if not isinstance(x, Fold) or x.op != "sum" or x.order or x.conds or len(x.binders) != 1:
        return x
    vector = _along(x.body, x.binders[0])
    return x if vector is None or vector.order != 1 else b.reduce("sum", vector)


def _along(x: Expr, over: Binder) -> Expr | None:
    """A scalar at every index of a range as a vector; itself where it does not vary, None where it is no vector."""
    if over.symbol not in free_ints(x):
        return x
    if isinstance(x, Entry):
        return _axis(x, over)
    if not isinstance(x, Add | Mul | Pow | Apply | Compare):
        return None
    parts = [part for child in x.children if (part := _along(child, over)) is not None]
    if len(parts) < len(x.children):
        return None
    match x:
        case Add():
            return b.add(*parts)
        case Mul():
            return b.mul(*parts)
        case Pow():
            return b.power(*parts)
        case Apply():
            return b.apply(x.fn, *parts)
        case Compare():
            return b.compare(x.op, *parts)


def _axis(x: Entry, over: Binder) -> Expr | None:
    """x_i for all i as x, when i runs along the whole of one axis."""
    items: list[Item] = []
    for item, size in zip(x.items, x.arg.shape, strict=True):
        if not _varies(item, over.symbol):
            items.append(item)
            continue
        first = difference(item.index, over.symbol) + over.lo if isinstance(item, At) else 0
        length = over.length
        if first != 1 or not same(length, size) or any(isinstance(done, Cut) for done in items):
            return None
        items.append(Cut(1, size))
    return None if over.symbol in free_ints(x.arg) else b.entry(x.arg, items)


def _varies(item: Item, symbol: sympy.Symbol) -> bool:
    match item:
        case At(index=index):
            return symbol in symbols_of(index)
        case Cut(lo=lo, hi=hi):
            return symbol in symbols_of(lo) | symbols_of(hi)
        case Pick(index=index):
            return symbol in free_ints(index)
