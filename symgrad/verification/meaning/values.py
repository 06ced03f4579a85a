"""Values of what a writer wrote: arrays at several points, with the axes that come out and those that go in.

A matrix has one axis of each kind, a column one that comes out, a row one that goes in; ∂h/∂W has one out and two in.
A product contracts the axes that go into the left factor with those that come out of the right one.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from symgrad.tensor.stable import Array

_LONGEST_EXACT = 4096


class Misfit(Exception):
    """Shapes that do not fit together; ``what`` is the operation, the shapes are those of its operands."""

    def __init__(self, what: str, *shapes: tuple[int, ...]) -> None:
        super().__init__(what)
        self.what = what
        self.shapes = shapes


class Value(Struct, frozen=True, eq=False):
    """An array at every point, (points or 1, *out, *in).

    Attributes:
        out: how many axes come out; the others go in.
        exact: the number itself, where it is rational and the same everywhere.
        eye: whether it is this number times the identity, of whatever size its neighbours need.
        formal: whether every tensor in it is a derivative, so that its layout is nowhere to be seen.
    """

    data: Array
    out: int = 0
    exact: Fraction | None = None
    eye: bool = False
    formal: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape at one point."""
        found: tuple[int, ...] = self.data.shape[1:]
        return found

    @property
    def order(self) -> int:
        """The number of axes."""
        return self.data.ndim - 1

    @property
    def inner(self) -> tuple[int, ...]:
        """The sizes of the axes that go in."""
        return self.shape[self.out :]

    @property
    def outer(self) -> tuple[int, ...]:
        """The sizes of the axes that come out."""
        return self.shape[: self.out]

    @property
    def row(self) -> bool:
        """Whether it is a vector lying down."""
        return self.order == 1 and self.out == 0


def number(value: Fraction | int | float) -> Value:
    """A number, exact where it can be."""
    exact = Fraction(value) if not isinstance(value, float) else None
    return Value(np.full((1,), float(value)), 0, exact)


def tensor(data: Array, out: int | None = None, formal: bool = False) -> Value:
    """An array of a named quantity: a column, a matrix, or more axes that all come out but the last."""
    order = data.ndim - 1
    return Value(data, out if out is not None else (order if order < 2 else order - 1), formal=formal or order == 0)


def _rational(value: Fraction) -> Fraction | None:
    return value if value.numerator.bit_length() + value.denominator.bit_length() < _LONGEST_EXACT else None


def _lifted(x: Value, y: Value) -> tuple[Value, Value]:
    """The identity as a matrix where the other operand is one."""
    if x.eye and not y.eye and y.order == 2 and y.shape[0] == y.shape[1]:
        return eye(x, y.shape[0]), y
    if y.eye and not x.eye and x.order == 2 and x.shape[0] == x.shape[1]:
        return x, eye(y, x.shape[0])
    return x, y


def eye(x: Value, size: int) -> Value:
    """A multiple of the identity as a matrix."""
    return Value(x.data[:, None, None] * np.eye(size), 1, formal=x.formal)


def scaled(scalar: Value, x: Value) -> Value:
    """A number times an array."""
    data = _times(scalar.data.reshape(-1, *(1,) * x.order), x.data)
    exact = None if scalar.exact is None or x.exact is None else _rational(scalar.exact * x.exact)
    return Value(data, x.out, exact, (scalar.eye or x.eye) and not x.order, scalar.formal and x.formal)


def negative(x: Value) -> Value:
    """−x."""
    return replace(x, data=-x.data, exact=None if x.exact is None else -x.exact)


def added(x: Value, y: Value) -> Value:
    """x + y, of one shape, or a number added to every entry.

    Raises:
        Misfit: the shapes differ, or one is a row and the other a column.
    """
    x, y = _lifted(x, y)
    exact = None if x.exact is None or y.exact is None else _rational(x.exact + y.exact)
    formal = x.formal and y.formal
    if x.order == 0 or y.order == 0:
        wide = x if y.order == 0 else y
        left, right = (v.data.reshape(-1, *(1,) * (wide.order - v.order), *v.shape) for v in (x, y))
        return Value(left + right, wide.out, exact, x.eye and y.eye, formal)
    if x.shape != y.shape or (x.out != y.out and not formal):
        raise Misfit("sum", x.shape, y.shape)
    return Value(x.data + y.data, x.out, None, False, formal)


def entrywise(x: Value, y: Value, what: str = "product entry by entry") -> Value:
    """x ⊙ y; a vector beside an array of more axes scales along the first one, as diag(v) J does.

    Raises:
        Misfit: the shapes do not fit.
    """
    x, y = _lifted(x, y)
    if x.order == 0 or y.order == 0:
        return scaled(x, y) if x.order == 0 else scaled(y, x)
    formal = x.formal and y.formal
    if x.shape == y.shape and (x.out == y.out or x.order > 1):
        return Value(_times(x.data, y.data), x.out, formal=formal)
    vector, wide = (x, y) if x.order == 1 else (y, x)
    if vector.order == 1 and wide.order > 1:
        if not vector.row and vector.shape[0] == wide.shape[0]:
            weights = vector.data.reshape(len(vector.data), -1, *(1,) * (wide.order - 1))
            return Value(weights * wide.data, wide.out, formal=formal)
        if vector.row and vector.shape[0] == wide.shape[-1]:
            return Value(vector.data.reshape(len(vector.data), *(1,) * (wide.order - 1), -1) * wide.data, wide.out)
    raise Misfit(what, x.shape, y.shape)


def inner(x: Value, y: Value) -> Value:
    """The inner product of two vectors of one length.

    Raises:
        Misfit: the lengths differ.
    """
    if x.order != 1 or x.shape != y.shape:
        raise Misfit("inner product", x.shape, y.shape)
    return Value(_times(x.data, y.data).sum(axis=1), 0, formal=x.formal and y.formal)


def product(x: Value, y: Value, loose: bool = False, spread: bool = False) -> Value:
    """x y: the axes that go into x contracted with those that come out of y; x yᵀ is the outer product.

    ``loose`` reads a vector on the left of a matrix as a row, ``spread`` as one that scales the rows of a derivative.

    Raises:
        Misfit: the axes do not fit.
    """
    if x.order == 0 or y.order == 0:
        return scaled(x, y) if x.order == 0 else scaled(y, x)
    if spread and x.order == 1 and not x.row and y.formal and y.order > 1:
        return entrywise(x, y)
    if loose and x.order == 1 and not x.row and y.out and y.order > 1:
        x = replace(x, out=0)
    formal = x.formal and y.formal
    if x.out == x.order and y.out == 0:
        return Value(_contracted(x.data, y.data, 0), x.out, formal=formal)
    if x.inner == y.outer:
        data = _contracted(x.data, y.data, y.out)
        whole = data.ndim - 1 > 1 and x.out == data.ndim - 1
        return Value(data, x.out - 1 if whole else x.out, formal=formal)
    raise Misfit("product", x.shape, y.shape)


def outer(x: Value, y: Value) -> Value:
    """x ⊗ y = x yᵀ of two vectors.

    Raises:
        Misfit: they are no vectors.
    """
    if x.order != 1 or y.order != 1:
        raise Misfit("outer product", x.shape, y.shape)
    return Value(_contracted(x.data, y.data, 0), 1, formal=x.formal and y.formal)


def _times(x: Array, y: Array) -> Array:
    """Entries multiplied, where 0 · log 0 = 0."""
    data = x * y
    if np.isnan(data).any():
        limit = ((x == 0) & np.isneginf(y.real)) | ((y == 0) & np.isneginf(x.real))
        data = np.where(limit, 0.0, data)
    return np.asarray(data)


def _contracted(x: Array, y: Array, axes: int) -> Array:
    """The last axes of x summed against the first ones of y, point by point."""
    points = max(len(x), len(y))
    left, right = x.shape[1 : x.ndim - axes], y.shape[1 + axes :]
    depth = math.prod(y.shape[1 : 1 + axes])
    one, two = x.reshape(len(x), -1, depth), y.reshape(len(y), depth, -1)
    finite = np.isfinite(one).all() and np.isfinite(two).all()
    flat = np.matmul(one, two) if finite else _times(one[..., None], two[:, None]).sum(axis=2)
    return np.asarray(flat.reshape(points, *left, *right))


def transposed(x: Value) -> Value:
    """xᵀ: what went in comes out."""
    if x.order == 0:
        return x
    turned = [*range(1 + x.out, 1 + x.order), *range(1, 1 + x.out)]
    return replace(x, data=x.data.transpose(0, *turned), out=x.order - x.out)


def divided(x: Value, y: Value) -> Value:
    """x / y, entry by entry.

    Raises:
        Misfit: y is an array of another shape.
    """
    if y.exact == 0:
        raise Misfit("division by zero")
    exact = None if x.exact is None or y.exact is None else _rational(x.exact / y.exact)
    with np.errstate(all="ignore"):
        if y.order == 0:
            data = x.data / y.data.reshape(-1, *(1,) * x.order)
            return Value(data, x.out, exact, x.eye, x.formal and y.formal)
        return entrywise(x, replace(y, data=1.0 / y.data), "quotient entry by entry")


def power(x: Value, exponent: Value, entries: bool = False) -> Value:
    """xᵏ: of a square matrix the matrix power unless ``entries`` is set, else entry by entry.

    Raises:
        Misfit: the exponent is an array of another shape, or the matrix is not square.
    """
    k = exponent.exact
    if x.order == 2 and not entries and k is not None and k.denominator == 1 and abs(k) < 64:
        if x.shape[0] != x.shape[1]:
            raise Misfit("power", x.shape)
        return replace(x, data=np.linalg.matrix_power(x.data, int(k)))
    exact = None
    if x.exact is not None and k is not None and k.denominator == 1 and abs(k) < 512 and (x.exact != 0 or k > 0):
        exact = _rational(x.exact ** int(k))
    with np.errstate(all="ignore"):
        base = x.data
        if exponent.order == 0:
            if k is not None and k.denominator == 1:
                return Value(base ** int(k) if k >= 0 else 1.0 / base ** int(-k), x.out, exact, x.eye, x.formal)
            return Value(base ** exponent.data.reshape(-1, *(1,) * x.order), x.out, exact, False, x.formal)
        if x.order == 0:
            return Value(base.reshape(-1, *(1,) * exponent.order) ** exponent.data, exponent.out, None)
        if x.shape != exponent.shape:
            raise Misfit("power", x.shape, exponent.shape)
        return Value(base**exponent.data, x.out)


def joined(parts: Sequence[Value]) -> Value:
    """Vectors and numbers one behind the other, as one vector.

    Raises:
        Misfit: one of them has more axes.
    """
    if any(x.order > 1 for x in parts):
        raise Misfit("list", *(x.shape for x in parts))
    points = max(len(x.data) for x in parts)
    flat = [np.broadcast_to(x.data.reshape(len(x.data), -1), (points, x.data[0].size)) for x in parts]
    return Value(np.concatenate(flat, axis=1), 1, formal=False)


def beside(parts: Sequence[Value]) -> Value:
    """Columns side by side, as the columns of a matrix.

    Raises:
        Misfit: they are not all columns of one length.
    """
    if any(x.order != 1 or x.row for x in parts):
        raise Misfit("list", *(x.shape for x in parts))
    return replace(transposed(stacked([replace(x, out=0) for x in parts])), formal=False)


def stacked(parts: Sequence[Value]) -> Value:
    """Numbers as a vector, or vectors lying down as the rows of a matrix.

    Raises:
        Misfit: the parts differ in shape.
    """
    if any(p.shape != parts[0].shape for p in parts) or parts[0].order > 1:
        raise Misfit("list", *(p.shape for p in parts))
    points = max(len(p.data) for p in parts)
    data = np.stack([np.broadcast_to(p.data, (points, *p.shape)) for p in parts], axis=1)
    return Value(data, 1, formal=False)
