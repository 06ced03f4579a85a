"""Shapes of NumPy's, with sizes that may be symbols; rows besides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.tensor import build as b
from symgrad.tensor.integers import size_symbol
from symgrad.tensor.nodes import Expr, Shape
from symgrad.tensor.shapes import ShapeError, axis_index, broadcast, drop_axes, merge, same_shape, total

n, m = size_symbol("n"), size_symbol("m")
SIZES = st.lists(st.integers(1, 3), max_size=4).map(tuple)

MERGED: list[tuple[Shape, Shape, Shape | None]] = [
    ((n,), (n,), (n,)),
    ((n,), (m,), None),
    ((n, m), (m,), (n, m)),
    ((n, m), (n,), None),
    ((1, m), (n, 1), (n, m)),
    ((n, 1), (m,), (n, m)),
    ((n + m,), (m + n,), (m + n,)),
    ((), (n, m), (n, m)),
]

v, w, u = (b.var(name, (), (size,)) for name, size in (("v", n), ("w", n), ("u", m)))
A, c = b.var("A", (), (n, m)), b.var("c", (), ())
BROADCAST: list[tuple[tuple[Expr, ...], Shape, bool]] = [
    ((c, c), (), False),
    ((c, v), (n,), False),
    ((v, c, w), (n,), False),
    ((b.transpose(v), c), (n,), True),
    ((b.transpose(v), b.transpose(w)), (n,), True),
    ((A, u), (n, m), False),
    ((b.transpose(u), A), (n, m), False),
    ((A, b.transpose(u)), (n, m), False),
]


@given(SIZES, SIZES)
def test_shapes_line_up_at_the_last_axis_as_in_numpy(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    try:
        expected: tuple[int, ...] | None = np.broadcast_shapes(first, second)
    except ValueError:
        expected = None
    assert merge(first, second) == expected


@pytest.mark.parametrize(("first", "second", "expected"), MERGED)
def test_symbols_stand_for_any_size(first: Shape, second: Shape, expected: Shape | None) -> None:
    for a, z in ((first, second), (second, first)):
        found = merge(a, z)
        assert found == expected or (found is not None and expected is not None and same_shape(found, expected))


@pytest.mark.parametrize(("args", "shape", "row"), BROADCAST)
def test_a_row_stays_a_row_beside_scalars_and_rows(args: tuple[Expr, ...], shape: Shape, row: bool) -> None:
    assert broadcast(args, "sum") == (shape, row)


@pytest.mark.parametrize("args", [(v, b.transpose(w)), (b.transpose(v), c, w), (v, u), (A, v)])
def test_what_does_not_fit(args: tuple[Expr, ...]) -> None:
    with pytest.raises(ShapeError, match=r"^sum: "):
        broadcast(args, "sum")


@given(SIZES, st.data())
def test_axes_are_those_of_numpy(shape: tuple[int, ...], data: st.DataObject) -> None:
    array = np.zeros(shape)
    axis = data.draw(st.integers(-6, 5))
    if -len(shape) <= axis < len(shape):
        place = axis_index(axis, len(shape), "sum")
        assert shape[place] == array.shape[axis]
        assert drop_axes(shape, (place,)) == array.sum(axis=axis).shape
    else:
        with pytest.raises(ShapeError, match="counted from 0"):
            axis_index(axis, len(shape), "sum")
    assert total(shape) == array.size


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [((n, 2), (n, 2), True), ((n,), (n, 1), False), ((n,), (m,), False), ((2 * n,), (n + n,), True)],
)
def test_equal_for_all_sizes(first: Shape, second: Shape, same: bool) -> None:
    assert same_shape(first, second) is same
