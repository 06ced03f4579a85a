"""Sums, products and extrema over axes and over index ranges."""

from collections.abc import Sequence

import sympy

from symgrad.tensor.build.arithmetic import mul, power
from symgrad.tensor.build.constants import MINUS_ONE, count, full, is_zero, num, number_of, ones
from symgrad.tensor.build.matrices import scalar_factors
from symgrad.tensor.integers import Int, same
from symgrad.tensor.nodes import Binder, Expr, Fold, Mul, Reduce, Rel
from symgrad.tensor.shapes import ShapeError, axis_index, describe, drop_axes


def reduce(op: str, x: Expr, axis: int | None = None) -> Expr:
    """sum, prod, max, min or argmax over one axis, or over all entries."""
    axes = tuple(range(x.order)) if axis is None else (axis_index(axis, x.order, op),)
    if x.order == 0:
        return x
    shape = drop_axes(x.shape, axes)
    value = number_of(x)
    if op == "sum" and value is not None:
        scale = count(sympy.Integer(1) * sympy.prod([x.shape[a] for a in axes]))
        return mul(num(value), scale, ones(shape))
    if op in ("max", "min") and value is not None:
        return full(value, shape)
    if op == "sum" and isinstance(x, Mul):
        scalars, rest = scalar_factors(x)
        if scalars:
            return mul(*scalars, reduce(op, rest, axis))
    return Reduce(op, x, axes, shape)


def mean(x: Expr, axis: int | None = None) -> Expr:
    """The mean over one axis or all entries."""
    axes = range(x.order) if axis is None else (axis_index(axis, x.order, "mean"),)
    size: Int = 1
    for a in axes:
        size = size * x.shape[a]
    return mul(power(count(size), MINUS_ONE), reduce("sum", x, axis))


def fold(op: str, body: Expr, binders: Sequence[Binder], conds: Sequence[Rel] = (), descending: bool = False) -> Expr:
    """Σ, ∏, max or min of the body over ranges; ``matprod`` multiplies matrices in the order of the range."""
    if op == "sum" and is_zero(body):
        return body
    if op == "matprod" and not body.order:
        op = "prod"
    if op == "prod" and body.order == 2:
        if not same(body.shape[0], body.shape[1]):
            raise ShapeError(f"prod of matrices: {describe(body)} is not square")
        op = "matprod"
    return Fold(op, body, tuple(binders), tuple(conds), body.shape, descending)
