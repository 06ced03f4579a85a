"""Matrices of numbers and of blocks; zeros and identities among blocks are as large as their neighbours need."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from symgrad.syntax.tree import Call, ListTree, Tree
from symgrad.tensor.stable import Array
from symgrad.verification.errors import Unsized
from symgrad.verification.meaning.integers import index
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.values import Misfit, Value, number

Sizes = list[int | None]


def zeros(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """0ₙ and 0ₙ×ₘ; among scalars a number."""
    shape = tuple(index(m, size, ints) for size in tree.args)
    if m.world.scalars:
        return number(0)
    if any(n < 0 for n in shape) or len(shape) > 2:
        raise Misfit("array of zeros", shape)
    return Value(np.zeros((1, *shape)), 1, formal=False)


def matrix(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """A matrix of numbers, vectors and matrices; one column of numbers and vectors is a vector, one row lies down.

    Raises:
        Misfit: the blocks do not fit together.
        Unsized: nothing says how large a block of zeros is, or an identity.
    """
    rows = [row.items for row in tree.args if isinstance(row, ListTree)]
    grid = [[m.value(cell, ints) for cell in row] for row in rows]
    heights, widths = _sizes(m, rows, grid)
    points = max(len(x.data) for row in grid for x in row)
    filled = [
        [np.broadcast_to(_block(x, h, w), (points, h, w)) for x, w in zip(row, widths, strict=True)]
        for row, h in zip(grid, heights, strict=True)
    ]
    data = np.concatenate([np.concatenate(row, axis=2) for row in filled], axis=1)
    return _laid_out(data, [x for row in grid for x in row])


def _laid_out(data: Array, cells: Sequence[Value]) -> Value:
    """One column as a vector, one row as a vector lying down, unless there are matrices in it."""
    tensors = [x for x in cells if x.order]
    formal = bool(tensors) and all(x.formal for x in tensors)
    if all(x.order < 2 for x in cells):
        if data.shape[2] == 1:
            return Value(data[:, :, 0], 1, formal=formal)
        if data.shape[1] == 1:
            return Value(data[:, 0], 0, formal=formal)
    return Value(data, 1, formal=formal)


def _sizes(
    m: Interpretation, rows: Sequence[Sequence[Tree]], grid: Sequence[Sequence[Value]]
) -> tuple[list[int], list[int]]:
    """The heights of the rows of blocks and the widths of their columns."""
    numbers = all(x.order == 0 and not x.eye for row in grid for x in row)
    columns = list(zip(*grid, strict=True))
    heights: Sizes = [_common(row, _height, numbers) for row in grid]
    widths: Sizes = [_common(column, _width, numbers) for column in columns]
    _through_identities(grid, heights, widths)
    for eyes in (True, False):
        for i, row in enumerate(grid):
            for j, x in enumerate(row):
                if (_is_eye(x) if eyes else _is_flexible(x)) and None in (heights[i], widths[j]):
                    said = m.size_at(rows[i][j])
                    heights[i] = said if heights[i] is None else heights[i]
                    widths[j] = said if widths[j] is None else widths[j]
        _through_identities(grid, heights, widths)
    if None in heights or None in widths:
        open_cells = [rows[i][j] for i, h in enumerate(heights) for j, w in enumerate(widths) if h is None or w is None]
        raise Unsized([cell.place.start for cell in open_cells], "the sizes of its blocks are not said")
    return [h for h in heights if h is not None], [w for w in widths if w is not None]


def _through_identities(grid: Sequence[Sequence[Value]], heights: Sizes, widths: Sizes) -> None:
    """An identity is as high as it is wide."""
    eyes = [(i, j) for i, row in enumerate(grid) for j, x in enumerate(row) if _is_eye(x)]
    while half := [(i, j) for i, j in eyes if (heights[i] is None) is not (widths[j] is None)]:
        for i, j in half:
            heights[i] = widths[j] if heights[i] is None else heights[i]
            widths[j] = heights[i] if widths[j] is None else widths[j]


def _common(cells: Sequence[Value], size: Callable[[Value], int], numbers: bool) -> int | None:
    """The size that those blocks share which have one; None where none has."""
    found = {size(x) for x in cells if numbers or not _is_flexible(x)}
    if len(found) > 1:
        raise Misfit("matrix of blocks", *(x.shape for x in cells))
    return found.pop() if found else None


def _is_flexible(x: Value) -> bool:
    return x.order == 0 and (x.eye or x.exact == 0)


def _is_eye(x: Value) -> bool:
    return x.order == 0 and x.eye and x.exact != 0


def _height(x: Value) -> int:
    return 1 if x.order == 0 or x.row else x.shape[0]


def _width(x: Value) -> int:
    return x.shape[0] if x.row else x.shape[1] if x.order == 2 else 1


def _block(x: Value, height: int, width: int) -> Array:
    """A block as a matrix.

    Raises:
        Misfit: it is of another size.
    """
    if x.order > 2:
        raise Misfit("matrix of blocks", x.shape)
    if _is_eye(x):
        if height != width:
            raise Misfit("identity among blocks", (height, width))
        return x.data[:, None, None] * np.eye(height)
    if _is_flexible(x):
        return np.zeros((1, height, width))
    if (_height(x), _width(x)) != (height, width):
        raise Misfit("matrix of blocks", x.shape, (height, width))
    return x.data.reshape(len(x.data), height, width)
