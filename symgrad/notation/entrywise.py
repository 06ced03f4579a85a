"""The entry of an expression at given indices, taken inside sums, products and scalar functions: x_i log y_i."""

from collections.abc import Sequence
from functools import singledispatch

from symgrad.tensor.build import add, apply, at, compare, matmul, mul, power
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Add, Apply, Compare, Entry, Expr, MatMul, Mul, Pow, Transpose


def component(x: Expr, indices: Sequence[Int]) -> Expr:
    """x at the indices, one for each axis; operands with fewer axes take the last ones, those of length 1 the first."""
    if x.order == 0:
        return x
    return _inside(x, tuple(indices))


def _part(x: Expr, indices: Sequence[Int]) -> Expr:
    own = indices[len(indices) - x.order :]
    return component(x, [1 if size == 1 else i for size, i in zip(x.shape, own, strict=True)])


@singledispatch
def _inside(x: Expr, indices: tuple[Int, ...]) -> Expr:
    return at(x, *indices)


@_inside.register
def _(x: Add, indices: tuple[Int, ...]) -> Expr:
    return add(*(_part(a, indices) for a in x.args))


@_inside.register
def _(x: Mul, indices: tuple[Int, ...]) -> Expr:
    return mul(*(_part(a, indices) for a in x.args))


@_inside.register
def _(x: Pow, indices: tuple[Int, ...]) -> Expr:
    return power(_part(x.base, indices), _part(x.exponent, indices))


@_inside.register
def _(x: Apply, indices: tuple[Int, ...]) -> Expr:
    return apply(x.fn, *(_part(a, indices) for a in x.args))


@_inside.register
def _(x: Compare, indices: tuple[Int, ...]) -> Expr:
    return compare(x.op, _part(x.left, indices), _part(x.right, indices))


@_inside.register
def _(x: Transpose, indices: tuple[Int, ...]) -> Expr:
    return component(x.arg, indices[::-1])


@_inside.register
def _(x: MatMul, indices: tuple[Int, ...]) -> Expr:
    if x.order == 2 and len(x.args) == 2 and all(a.order == 1 for a in x.args):
        return mul(component(x.args[0], indices[:1]), component(x.args[1], indices[1:]))
    first, *rest = x.args
    if x.order == 1 and not x.row and len(rest) == 1 and isinstance(first, Entry):
        return matmul(at(first, indices[0]), *rest)
    return at(x, *indices)
