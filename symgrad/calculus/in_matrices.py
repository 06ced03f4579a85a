"""Sums over indices as a person reads them before differentiating: Σ_j W_ij x_j as W x, Σ_ij q_i W_ij w_j as qᵀ W w.

What is read is an expression whose indices run along whole axes, each scalar in it at every value of its indices.
"""

from collections.abc import Iterable, Mapping

import sympy

from symgrad.calculus.contraction import Laid, aligned, contracted, product
from symgrad.tensor import build as b
from symgrad.tensor.integers import difference, same, symbols_of
from symgrad.tensor.nodes import (
    Add,
    Apply,
    At,
    Binder,
    Build,
    Compare,
    Cut,
    Entry,
    Expr,
    Fold,
    Item,
    MatMul,
    Mul,
    Pick,
    Pow,
    Reduce,
)
from symgrad.tensor.rebuild import rebuild, transform
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder

Ranges = Mapping[sympy.Symbol, Binder]


def in_matrices(root: Expr) -> Expr:
    """The expression with sums over indices, tensors by entries and a softmax in exponentials in matrix notation.

    What has none, or what indices pick nodes in, stays as it is.
    """
    return transform(_by_indices(root), _softmax)


def _by_indices(root: Expr) -> Expr:
    nodes = postorder(root, into=lambda x: not isinstance(x, Fold | Build))
    read: dict[Expr, Expr] = {x: _read(x) for x in nodes if isinstance(x, Fold | Build)}
    return replace_nodes(root, read)


def _softmax(x: Expr) -> Expr:
    """e^z / Σ_i e^{z_i}, and log Σ_i e^{z_i}, by their names."""
    match x:
        case Mul(args=args) if x.order == 1:
            for e in args:
                if isinstance(e, Apply) and e.fn == "exp" and e.order == 1 and (below := _one_over_sum(e)) in args:
                    made = b.call("softmax", e.args, e.shape, axis=0)
                    return b.mul(*(made if f is e else f for f in args if f is not below))
        case Apply(fn="log", args=(Reduce(op="sum", arg=Apply(fn="exp", args=(z,))),)) if z.order == 1 and not x.order:
            return b.call("logsumexp", (z,), (), axis=None)
    return x


def _one_over_sum(e: Expr) -> Expr:
    return b.power(b.reduce("sum", e), b.MINUS_ONE)


def _read(x: Fold | Build) -> Expr:
    """A sum or a tensor by entries in matrix notation; what stands in it where it has none itself."""
    over = {y.symbol: y for y in x.binders}
    if isinstance(x, Build):
        laid = _laid(x.body, over)
        if laid is not None and set(laid.axes) == set(over):
            return aligned(laid, tuple(over)).tensor
    elif (laid := _summed(x, {})) is not None:
        return laid.tensor
    body = _by_indices(x.body)
    return x if body is x.body else rebuild(x, (body,))


def _laid(x: Expr, over: Ranges) -> Laid | None:
    """A scalar at all values of its indices as a tensor with an axis for each; None where it is none that is known."""
    if x.order:
        return None
    if not free_ints(x) & over.keys():
        return Laid(_by_indices(x), ())
    match x:
        case Entry():
            return _entries(x, over)
        case Mul(args=args):
            factors = [_laid(a, over) for a in args]
            return None if (known := _all(factors)) is None else product(known)
        case Fold():
            return _summed(x, over)
        case MatMul():
            return _products(x, over)
        case Add() | Pow() | Apply() | Compare():
            return _entry_by_entry(x, over)
    return None


def _all(found: Iterable[Laid | None]) -> list[Laid] | None:
    known = list(found)
    present = [x for x in known if x is not None]
    return present if len(present) == len(known) else None


def _summed(x: Fold, over: Ranges) -> Laid | None:
    """A sum over whole axes, at all values of the indices that are free in it."""
    own = {y.symbol: y for y in x.binders}
    if x.op != "sum" or x.conds or x.body.order or own.keys() & over.keys():
        return None
    ranges = {**over, **own}
    factors = x.body.args if isinstance(x.body, Mul) else (x.body,)
    known = _all(_laid(f, ranges) for f in factors)
    return None if known is None else contracted(known, tuple(own))


def _entry_by_entry(x: Add | Pow | Apply | Compare, over: Ranges) -> Laid | None:
    """A function of scalars entry by entry: all that vary have the same axes."""
    known = _all(_laid(a, over) for a in x.children)
    if known is None:
        return None
    axes = next(a.axes for a in known if a.axes)
    if any(a.axes and set(a.axes) != set(axes) for a in known) or (isinstance(x, Pow) and known[1].axes):
        return None
    return Laid(rebuild(x, tuple(aligned(a, axes).tensor if a.axes else a.tensor for a in known)), axes)


def _entries(x: Entry, over: Ranges) -> Laid | None:
    """x_i for all i as x, where every index that varies runs along a whole axis."""
    items: list[Item] = []
    axes: list[sympy.Symbol] = []
    for item, size in zip(x.items, x.arg.shape, strict=True):
        symbol = _runs_along(item, size, over)
        if symbol is not None:
            axes.append(symbol)
            items.append(Cut(1, size))
        elif _symbols(item) & over.keys():
            return None
        else:
            items.append(item)
    if free_ints(x.arg) & over.keys():
        return None
    if len(axes) == 2 and axes[0] == axes[1]:
        tensor = b.entry(x.arg, items)
        return Laid(b.diag(tensor), (axes[0],)) if same(*tensor.shape) else None
    return Laid(b.entry(x.arg, items), tuple(axes)) if len(axes) <= 2 else None


def _runs_along(item: Item, size: object, over: Ranges) -> sympy.Symbol | None:
    """The index that runs along the whole of an axis, if one does."""
    if not isinstance(item, At):
        return None
    for symbol in symbols_of(item.index) & over.keys():
        x = over[symbol]
        if same(difference(item.index, symbol) + x.lo, 1) and same(x.length, size):
            return symbol
    return None


def _symbols(item: Item) -> frozenset[sympy.Symbol] | set[sympy.Symbol]:
    match item:
        case At(index=index):
            return symbols_of(index)
        case Cut(lo=lo, hi=hi):
            return symbols_of(lo) | symbols_of(hi)
        case Pick(index=index):
            return free_ints(index)


def _products(x: MatMul, over: Ranges) -> Laid | None:
    """uᵀ X_{k,:} for all k as X u: the rows and columns of matrices at the ends of a product."""
    first, *middle, last = x.args
    if any(free_ints(m) & over.keys() for m in middle):
        return None
    left, right = _lines(b.transpose(first), over), _lines(last, over)
    if left is None or right is None or (left.axes and left.axes == right.axes):
        return None
    value = b.matmul(left.tensor if left.axes else first, *middle, b.transpose(right.tensor) if right.axes else last)
    return Laid(b.transpose(value) if not left.axes else value, left.axes + right.axes)


def _lines(x: Expr, over: Ranges) -> Laid | None:
    """The rows X_{k,:} for all k as the matrix X with k along its first axis; a vector that does not vary as it is."""
    if not free_ints(x) & over.keys():
        return Laid(x, ())
    if not isinstance(x, Entry) or x.arg.order != 2 or free_ints(x.arg) & over.keys():
        return None
    for axis, (item, size) in enumerate(zip(x.items, x.arg.shape, strict=True)):
        symbol = _runs_along(item, size, over)
        other = x.items[1 - axis]
        if symbol is not None and isinstance(other, Cut) and not _symbols(other) & over.keys():
            whole = b.entry(x.arg, [Cut(1, size), other] if not axis else [other, Cut(1, size)])
            return Laid(b.transpose(whole) if axis else whole, (symbol,))
    return None
