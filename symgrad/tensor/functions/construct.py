"""Checked constructors of the whole-tensor functions: shape rules, clear refusals, folding of the trivial.

A row xᵀ is treated as the vector x; the result is a row again where it has an axis. Axes count from 0.
"""

from typing import TypeAlias

import sympy

from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, integer, lifted, same
from symgrad.tensor.nodes import Call, Count, Expr, Eye, Num
from symgrad.tensor.shapes import ShapeError, axis_index, describe, drop_axes, same_shape, show_shape, total

IntLike: TypeAlias = Expr | Int


def as_integer(value: IntLike, what: str) -> Int:
    """An argument that must be an integer: a number, or arithmetic on sizes, steps and indices."""
    if isinstance(value, Num) and value.value.denominator == 1:
        return int(value.value)
    if isinstance(value, Count):
        return integer(value.value)
    if isinstance(value, Expr):
        raise ShapeError(f"{what} must be an integer, not {describe(value)}")
    return integer(value)


def _fixed_axis(axis: IntLike, x: Expr, what: str) -> int:
    chosen = as_integer(axis, f"the axis of {what}")
    if not isinstance(chosen, int):
        raise ShapeError(f"the axis of {what} must be a number, not {chosen}")
    return axis_index(chosen, x.order, what)


def _square(x: Expr, what: str) -> Int:
    if x.order != 2 or not same(x.shape[0], x.shape[1]):
        raise ShapeError(f"{what} takes a square matrix, not {describe(x)}")
    return x.shape[0]


def softmax(x: Expr, axis: IntLike | None = None) -> Expr:
    """softmax(x)_i = exp(x_i)/Σ_k exp(x_k), along one axis; the shape stays."""
    if x.order == 0:
        raise ShapeError("softmax takes a vector or a tensor, not a scalar")
    if x.row:
        return b.transpose(softmax(b.transpose(x), axis))
    if axis is None and x.order > 1:
        hint = "axis=1 normalises every row, axis=0 every column" if x.order == 2 else "say which with axis="
        raise ShapeError(f"softmax of {describe(x)} needs an axis: {hint}")
    return b.call("softmax", (x,), x.shape, axis=_fixed_axis(0 if axis is None else axis, x, "softmax"))


def logsumexp(x: Expr, axis: IntLike | None = None) -> Expr:
    """log Σ exp(x), along one axis, which disappears, or over all entries."""
    if x.order == 0:
        return x
    if x.row:
        return logsumexp(b.transpose(x), axis)
    if axis is None or x.order == 1:
        if axis is not None:
            _fixed_axis(axis, x, "logsumexp")
        return b.call("logsumexp", (x,), (), axis=None)
    chosen = _fixed_axis(axis, x, "logsumexp")
    return b.call("logsumexp", (x,), drop_axes(x.shape, (chosen,)), axis=chosen)


def cross_entropy(y: Expr, p: Expr, axis: IntLike | None = None) -> Expr:
    """−Σ y log p along one axis, which disappears, or over all entries, where 0 · log 0 = 0."""
    if y.row and p.row:
        return cross_entropy(b.transpose(y), b.transpose(p), axis)
    if y.row != p.row or not same_shape(y.shape, p.shape):
        raise ShapeError(f"cross_entropy: {describe(y)} and {describe(p)} differ")
    chosen = None if axis is None else _fixed_axis(axis, y, "cross_entropy")
    if y.order > 1 and chosen is not None:
        return b.neg(b.reduce("sum", b.mul(y, b.apply("log", p)), chosen))
    return b.call("cross_entropy", (y, p), ())


def norm(x: Expr, ord: IntLike | str | None = None, axis: IntLike | None = None) -> Expr:
    """√Σ x², the 2-norm of a vector and the Frobenius norm of a matrix; ord=1 and ord=inf of a vector.

    Along an axis, the norms of the vectors that lie in it.
    """
    if x.order == 0:
        return b.apply("abs", x)
    if x.row:
        return norm(b.transpose(x), ord, axis)
    along = None if axis is None else _fixed_axis(axis, x, "norm")
    kind = _norm_kind(ord)
    if x.order > 1 and along is not None:
        if kind in (1, "inf"):
            return b.reduce("sum" if kind == 1 else "max", b.apply("abs", x), along)
        if kind in (None, 2):
            return b.apply("sqrt", b.reduce("sum", b.power(x, b.num(2)), along))
    elif b.is_zero(x):
        return b.ZERO
    elif kind in (None, "fro") or (x.order == 1 and kind == 2):
        return b.call("norm", (x,), ())
    elif kind in (1, "inf") and x.order < 3:
        return column_norm(x) if kind == 1 else row_norm(x)
    elif x.order == 2 and kind == 2:
        return spectral_norm(x)
    raise ShapeError(f"norm of {describe(x)} with ord={kind} is not known (2, 1, inf; fro for matrices)")


def _norm_kind(ord: IntLike | str | None) -> Int | str | None:
    if ord == "inf" or ord is sympy.oo:
        return "inf"
    return ord if ord is None or isinstance(ord, str) else as_integer(ord, "the order of a norm")


def spectral_norm(x: Expr) -> Expr:
    """max ‖A v‖ over ‖v‖ = 1, the largest singular value; of a vector, its 2-norm."""
    if x.order < 2:
        return norm(x)
    if x.order > 2:
        raise ShapeError(f"spectral_norm takes a matrix, not {describe(x)}")
    if isinstance(x, Eye):
        return b.ONE
    return b.call("spectral_norm", (x,), ())


def column_norm(x: Expr) -> Expr:
    """‖A‖_1 = max_j Σ_i |A_ij|, the largest column sum; of a vector, Σ |x_i|."""
    return b.call("column_norm", (x,), ()) if x.order == 2 else b.reduce("sum", b.apply("abs", x))


def row_norm(x: Expr) -> Expr:
    """‖A‖_∞ = max_i Σ_j |A_ij|, the largest row sum; of a vector, max |x_i|."""
    return b.call("row_norm", (x,), ()) if x.order == 2 else b.reduce("max", b.apply("abs", x))


def trace(x: Expr) -> Expr:
    """Σ_k A_kk."""
    n = _square(x, "trace")
    if isinstance(x, Eye):
        return b.count(n)
    value = b.number_of(x)
    if value is not None:
        return b.mul(b.num(value), b.count(n))
    if isinstance(x, Call) and x.fn == "diag":
        return b.reduce("sum", x.args[0])
    return b.call("trace", (x,), ())


def det(x: Expr) -> Expr:
    """The determinant of a square matrix."""
    _square(x, "det")
    if isinstance(x, Eye):
        return b.ONE
    return b.call("det", (x,), ())


def inv(x: Expr) -> Expr:
    """The inverse of a square matrix."""
    n = _square(x, "inv")
    if isinstance(x, Eye):
        return x
    if isinstance(x, Call) and x.fn == "inv":
        return x.args[0]
    return b.call("inv", (x,), (n, n))


def diagpart(x: Expr) -> Expr:
    """The vector of the diagonal of a square matrix."""
    _square(x, "diagpart")
    return b.diag(x)


def kron(*args: Expr) -> Expr:
    """A ⊗ B: blocks A_ij B; of two vectors, the vector of blocks a_i b."""
    if len(args) != 2:
        raise ShapeError(f"kron takes two arguments, not {len(args)}")
    x, y = args
    if x.row and y.row:
        return b.transpose(kron(b.transpose(x), b.transpose(y)))
    if x.order == 0 or y.order == 0:
        return b.mul(x, y)
    if x.order != y.order or x.row or y.row or x.order > 2:
        raise ShapeError(f"kron takes two vectors or two matrices, not {describe(x)} and {describe(y)}")
    return b.call("kron", (x, y), tuple(integer(m * n) for m, n in zip(x.shape, y.shape, strict=True)))


def vec(x: Expr) -> Expr:
    """The entries row by row as one vector: entry (i, j) of an m × n matrix is entry (i − 1) n + j."""
    return reshape(b.transpose(x) if x.row else x, total(x.shape))


def reshape(x: Expr, *sizes: IntLike) -> Expr:
    """The entries, taken row by row, in another shape; one size may be −1, which the others settle."""
    if x.row:
        x = b.transpose(x)
    shape = [as_integer(s, "a size in reshape") for s in sizes]
    have = total(x.shape)
    open_axes = [i for i, s in enumerate(shape) if s == -1]
    if len(open_axes) == 1:
        rest = total(tuple(s for s in shape if s != -1))
        quotient = sympy.cancel(lifted(have) / rest)
        if not quotient.is_integer:
            raise ShapeError(f"reshape: {have} entries cannot be divided evenly by {rest}")
        shape[open_axes[0]] = integer(quotient)
    to = tuple(integer(s) for s in shape)
    if not same(total(to), have):
        raise ShapeError(f"reshape: {describe(x)} has {have} entries, {show_shape(to)} has {total(to)}")
    if same_shape(to, x.shape):
        return x
    value = b.number_of(x)
    if value is not None:
        return b.full(value, to)
    if isinstance(x, Call) and x.fn == "reshape":
        return reshape(x.args[0], *to)
    return b.call("reshape", (x,), to)


def one_hot(index: IntLike, n: IntLike) -> Expr:
    """1 at the index (from 1) in a vector of n zeros; of m indices, the m × n matrix of such rows."""
    chosen = index if isinstance(index, Expr) else b.count(index)
    if chosen.order > 1:
        raise ShapeError(f"one_hot takes an index or a vector of them, not {describe(chosen)}")
    if chosen.row:
        chosen = b.transpose(chosen)
    size = as_integer(n, "the length of one_hot")
    place = b.number_of(chosen)
    if place is not None and (place < 1 or place.denominator != 1 or (isinstance(size, int) and place > size)):
        raise ShapeError(f"one_hot: {place} is not in 1..{size}")
    return b.call("one_hot", (chosen,), (*chosen.shape, size))


def size(x: Expr, axis: IntLike | None = None) -> Expr:
    """The length of an axis, or the number of entries, as a number."""
    if axis is None:
        return b.count(total(x.shape))
    return b.count(x.shape[_fixed_axis(axis, x, "size")])


def outer(x: Expr, y: Expr) -> Expr:
    """x yᵀ."""
    if x.order != 1 or y.order != 1:
        raise ShapeError(f"outer takes two vectors, not {describe(x)} and {describe(y)}")
    return b.outer(_column(x), _column(y))


def dot(x: Expr, y: Expr) -> Expr:
    """xᵀ y of two vectors, x @ y otherwise."""
    if x.order == y.order == 1:
        return b.inner(_column(x), _column(y))
    return b.matmul(x, y)


def _column(x: Expr) -> Expr:
    return b.transpose(x) if x.row else x


def _reduction(op: str, x: Expr, axis: IntLike | None) -> Expr:
    if x.order == 0:
        return b.ONE if op == "argmax" else x
    return b.reduce(op, _column(x), None if axis is None else _fixed_axis(axis, x, op))


def sum_of(x: Expr, axis: IntLike | None = None) -> Expr:
    """Σ over one axis or all entries."""
    return _reduction("sum", x, axis)


def prod_of(x: Expr, axis: IntLike | None = None) -> Expr:
    """∏ over one axis or all entries."""
    return _reduction("prod", x, axis)


def max_of(x: Expr, axis: IntLike | None = None) -> Expr:
    """The largest entry along one axis or of all."""
    return _reduction("max", x, axis)


def min_of(x: Expr, axis: IntLike | None = None) -> Expr:
    """The smallest entry along one axis or of all."""
    return _reduction("min", x, axis)


def argmax(x: Expr, axis: IntLike | None = None) -> Expr:
    """The place of the first largest entry, counted from 1 (row by row where no axis is given)."""
    return _reduction("argmax", x, axis)


def mean_of(x: Expr, axis: IntLike | None = None) -> Expr:
    """The mean over one axis or all entries."""
    if x.order == 0:
        return x
    return b.mean(_column(x), None if axis is None else _fixed_axis(axis, x, "mean"))


def transpose(x: Expr, *axes: IntLike) -> Expr:
    """Aᵀ, or the axes in the order given."""
    if not axes:
        return b.transpose(x)
    return b.permute(x, [_fixed_axis(a, x, "transpose") for a in axes])
