"""Tensors from their entries or from parts, and entries of tensors."""

from collections.abc import Sequence

from symgrad.tensor.build.constants import full, num, number_of
from symgrad.tensor.build.relations import delta
from symgrad.tensor.integers import Int, at_most, difference, integer, same
from symgrad.tensor.nodes import (
    At,
    Binder,
    Build,
    Call,
    Concat,
    Count,
    Cut,
    Entry,
    Expr,
    Eye,
    Item,
    Num,
    Pick,
    Shape,
    Stack,
)
from symgrad.tensor.shapes import ShapeError, axis_index, describe, drop_axes, same_shape


def build(body: Expr, binders: Sequence[Binder]) -> Expr:
    """The tensor of the body over the binders' ranges."""
    lengths = tuple(b.length for b in binders)
    if not binders:
        return body
    value = number_of(body)
    if value is not None:
        return full(value, lengths + body.shape)
    for n in lengths:
        if at_most(n, 0):
            raise ShapeError(f"the range has no entries (its length is {n})")
    return Build(body, tuple(binders), lengths + body.shape)


def entry(x: Expr, items: Sequence[Item], checked: bool = True) -> Expr:
    """Entries of x, one item an axis from the first; missing items take the whole axis.

    Unchecked, an index may be certain to lie outside: a condition beside it may say that it is never reached.
    """
    if len(items) > x.order:
        raise ShapeError(f"{len(items)} indices for {describe(x)}")
    whole = [Cut(1, size) for size in x.shape]
    picked = [_item(item, size, axis, checked) for axis, (item, size) in enumerate(zip(items, x.shape, strict=False))]
    picked += whole[len(items) :]
    if all(isinstance(i, Cut) and same(i.lo, c.lo) and same(i.hi, c.hi) for i, c in zip(picked, whole, strict=True)):
        return x
    shape = tuple(integer(difference(i.hi, i.lo) + 1) for i in picked if isinstance(i, Cut))
    folded = _folded(x, picked, shape, checked)
    return Entry(x, tuple(picked), shape) if folded is None else folded


def _item(item: Item, size: Int, axis: int, checked: bool) -> Item:
    """An item in lowest terms: a place that is known is no data."""
    match item:
        case At(index):
            if checked:
                _check_inside(index, size, axis)
            return At(integer(index))
        case Cut(lo, hi):
            if checked:
                _check_inside(lo, size, axis)
                _check_inside(hi, size, axis)
            return Cut(integer(lo), integer(hi))
        case Pick(Num(value)) if value.denominator == 1:
            return At(int(value))
        case Pick(Count(value)):
            return At(value)
        case Pick(index) if index.order:
            raise ShapeError(f"an index must be a scalar, not {describe(index)}")
    return item


def _folded(x: Expr, items: Sequence[Item], shape: Shape, checked: bool) -> Expr | None:
    """The entries where they are known without a node: of entries, of a constant, of I, of a stack."""
    value = number_of(x)
    if value is not None:
        return full(value, shape)
    match x, items:
        case Entry(arg), _ if (inner := _through(x, items)) is not None:
            return Entry(arg, inner, shape)
        case Eye(), (At(i), At(j)):
            return delta(i, j)
        case Eye(), (At(i), Cut(1, hi)) | (Cut(1, hi), At(i)) if same(hi, x.size):
            return Call("one_hot", (num(i) if isinstance(i, int) else Count(i),), (), x.shape[:1])
        case Stack(args), (At(int(k)), *rest) if 1 <= k <= len(args):
            return entry(args[k - 1], rest, checked)
    return None


def _through(x: Entry, items: Sequence[Item]) -> tuple[Item, ...] | None:
    """Entries of entries as entries of the tensor itself: W[i, :][k] = W[i, k]; None where data picks within a part."""
    rest = iter(items)
    out: list[Item] = []
    for item in x.items:
        if not isinstance(item, Cut):
            out.append(item)
            continue
        match next(rest):
            case At(index=i):
                out.append(At(integer(item.lo + i - 1)))
            case Cut(lo=lo, hi=hi):
                out.append(Cut(integer(item.lo + lo - 1), integer(item.lo + hi - 1)))
            case Pick() as pick if same(item.lo, 1):
                out.append(pick)
            case _:
                return None
    return tuple(out)


def _check_inside(index: Int, size: Int, axis: int) -> None:
    if at_most(index, 0) or at_most(size + 1, index):
        raise ShapeError(f"index {index} is outside 1..{size} (axis {axis})")


def at(x: Expr, *indices: Int) -> Expr:
    """The scalar entry at indices counted from 1."""
    return entry(x, [At(i) for i in indices])


def stack(*args: Expr) -> Expr:
    """Tensors of one shape along a new first axis."""
    for a in args[1:]:
        if not same_shape(a.shape, args[0].shape):
            raise ShapeError(f"stack: {describe(args[0])} and {describe(a)} differ")
    return Stack(args, (len(args), *args[0].shape))


def concat(args: Sequence[Expr], axis: int = 0) -> Expr:
    """Tensors one after the other along an axis."""
    if any(a.order == 0 for a in args):
        raise ShapeError("concat joins vectors or tensors, not scalars; use stack")
    first = args[0]
    axis = axis_index(axis, first.order, "concat")
    length: Int = 0
    for a in args:
        if a.order != first.order or not same_shape(drop_axes(a.shape, (axis,)), drop_axes(first.shape, (axis,))):
            raise ShapeError(f"concat: {describe(first)} and {describe(a)} differ off axis {axis}")
        length = length + a.shape[axis]
    if len(args) == 1:
        return first
    return Concat(tuple(args), axis, (*first.shape[:axis], integer(length), *first.shape[axis + 1 :]))
