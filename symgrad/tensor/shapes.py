"""Shape arithmetic: NumPy broadcasting on column vectors, with rows kept apart, over symbolic sizes."""

from collections.abc import Sequence

from symgrad.tensor.integers import Int, same
from symgrad.tensor.nodes import Expr, Shape


class ShapeError(Exception):
    """Operands whose shapes do not fit; the message names both."""


def show_shape(shape: Shape, row: bool = False) -> str:
    """A shape in words: scalar, vector of n, row of n, n × m."""
    sizes = [str(s).replace("**", "^") for s in shape]
    if not sizes:
        return "a scalar"
    if len(sizes) == 1:
        return f"a {'row' if row else 'vector'} of size {sizes[0]}"
    return " × ".join(sizes)


def describe(x: Expr) -> str:
    """The shape of an expression in words."""
    return show_shape(x.shape, x.row)


def same_shape(a: Shape, b: Shape) -> bool:
    """Whether two shapes are equal for all sizes."""
    return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))


def broadcast(args: Sequence[Expr], what: str) -> tuple[Shape, bool]:
    """The shape that the operands share under broadcasting, and whether it is a row.

    Raises:
        ShapeError: an axis differs and neither size is 1, or a row meets a column.
    """
    shape: Shape = ()
    row = False
    seen: Expr | None = None
    for x in args:
        if x.order == 0:
            continue
        if seen is not None and x.order == 1 and seen.order == 1 and x.row != row:
            raise ShapeError(f"{what}: {describe(seen)} with {describe(x)}; transpose one of them")
        merged = merge(shape, x.shape)
        if merged is None:
            left = show_shape(shape, row)
            raise ShapeError(f"{what}: {left} does not fit {describe(x)}")
        if len(merged) == 1:
            row = x.row
        elif len(shape) < 2:
            row = False
        shape, seen = merged, x
    return shape, row


def merge(a: Shape, b: Shape) -> Shape | None:
    """Two shapes lined up at the last axis; None where they do not fit."""
    if a == b:
        return a
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    out: list[Int] = list(longer)
    offset = len(longer) - len(shorter)
    for i, s in enumerate(shorter):
        t = longer[offset + i]
        if same(s, t):
            continue
        if t == 1:
            out[offset + i] = s
        elif s != 1:
            return None
    return tuple(out)


def axis_index(axis: int, order: int, what: str) -> int:
    """An axis counted from 0, negative from the end.

    Raises:
        ShapeError: there is no such axis.
    """
    if not -order <= axis < order:
        raise ShapeError(f"{what}: axis {axis} of a tensor with {order} axes (axes are counted from 0)")
    return axis % order


def drop_axes(shape: Shape, axes: Sequence[int]) -> Shape:
    """The shape without the given axes."""
    return tuple(s for i, s in enumerate(shape) if i not in axes)


def total(shape: Shape) -> Int:
    """The number of entries."""
    result: Int = 1
    for s in shape:
        result = result * s
    return result
