"""Products of matrices, transposes, diagonals, calls of the table of whole-tensor functions."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from symgrad.tensor.build.arithmetic import add, coefficient, mul
from symgrad.tensor.build.constants import eye, is_one, is_zero, num, ones, zeros
from symgrad.tensor.integers import Int, same
from symgrad.tensor.nodes import (
    Add,
    Call,
    Cut,
    Entry,
    Expr,
    Eye,
    Fold,
    Full,
    MatMul,
    Mul,
    Permute,
    Shape,
    Transpose,
    Var,
)
from symgrad.tensor.shapes import ShapeError, describe, same_shape


def matmul(*args: Expr) -> Expr:
    """A @ B @ …: products of matrices, vectors and rows; a scalar operand scales."""
    flat: list[Expr] = []
    scalars: list[Expr] = []
    for a in args:
        for f in a.args if isinstance(a, MatMul) and a.order else (a,):
            if f.order == 0:
                scalars.append(f)
                continue
            weights, rest = scalar_factors(f)
            scalars += weights
            flat += rest.args if isinstance(rest, MatMul) else (rest,)
    if not flat:
        return mul(*scalars)
    shape, row = _product_shape(flat)
    if any(is_zero(s) for s in scalars) or any(is_zero(f) for f in flat):
        return zeros(shape, row)
    kept = [f for f in flat if not isinstance(f, Eye)]
    if not kept:
        product: Expr = flat[0]
    elif len(kept) == 1:
        product = kept[0]
    else:
        product = MatMul(tuple(kept), shape, row)
    return mul(*scalars, product) if scalars else product


def scalar_factors(x: Expr) -> tuple[list[Expr], Expr]:
    """x as scalars times a tensor of its shape."""
    if not isinstance(x, Mul) or any(f.order not in (0, x.order) for f in x.args):
        return [], x
    weights = [f for f in x.args if f.order == 0]
    rest = [f for f in x.args if f.order]
    return (weights, mul(*rest)) if weights and rest else ([], x)


def _ends(x: Expr) -> tuple[Int | None, Int | None]:
    if x.order == 1:
        return (None, x.shape[0]) if x.row else (x.shape[0], None)
    if x.order == 2:
        return x.shape[0], x.shape[1]
    raise ShapeError(f"@ multiplies matrices and vectors, not a tensor with {x.order} axes; write it by components")


def _product_shape(args: Sequence[Expr]) -> tuple[Shape, bool]:
    first, last = _ends(args[0])
    for left, x in pairwise(args):
        top, bottom = _ends(x)
        if not same(1 if last is None else last, 1 if top is None else top):
            hint = (
                "; write a @ b.T for the outer product, a.T @ b for the inner one" if left.order == x.order == 1 else ""
            )
            raise ShapeError(f"product @: {describe(left)} times {describe(x)} does not fit{hint}")
        last = bottom
    shape = tuple(s for s in (first, last) if s is not None)
    return shape, first is None and last is not None


def transpose(x: Expr) -> Expr:
    """Aᵀ, or a vector as a row; a product is transposed factor by factor."""
    match x:
        case Transpose(arg=arg):
            return arg
        case Eye():
            return x
        case Call(fn="diag"):
            return x
        case Call(fn="inv", args=(arg,)) if transpose(arg) is arg:
            return x
        case Var(facts=facts) if facts & {"symmetric", "diagonal", "positive-definite"} and x.order == 2:
            return x
        case Entry(arg=Transpose(arg=arg), items=(Cut() as rows, Cut() as columns)):
            return Entry(arg, (columns, rows), x.shape[::-1])
        case MatMul(args=args):
            return matmul(*(transpose(a) for a in reversed(args)))
        case Add(args=args) if all(same_shape(a.shape, x.shape) for a in args):
            return add(*(transpose(a) for a in args))
        case Fold(op="sum", body=body) if x.order == 2:
            turned = transpose(body)
            return Fold("sum", turned, x.binders, x.conds, turned.shape)
        case Mul(args=args) if sum(a.order > 0 for a in args) == 1:
            return mul(*(transpose(a) if a.order else a for a in args))
    if x.order == 0:
        return x
    if x.order == 1:
        return Transpose(x, x.shape)
    if x.order == 2:
        if isinstance(x, Full):
            return Full(x.value, (x.shape[1], x.shape[0]))
        return Transpose(x, (x.shape[1], x.shape[0]))
    raise ShapeError(f".T transposes matrices and vectors, not a tensor with {x.order} axes; use transpose(x, axes)")


def permute(x: Expr, axes: Sequence[int]) -> Expr:
    """The tensor with its axes in another order."""
    if sorted(axes) != list(range(x.order)):
        raise ShapeError(f"transpose: {list(axes)} is not an order of the axes 0..{x.order - 1}")
    if list(axes) == list(range(x.order)):
        return x
    if x.order == 2:
        return transpose(x)
    return Permute(x, tuple(axes), tuple(x.shape[a] for a in axes))


def outer(a: Expr, b: Expr) -> Expr:
    """a bᵀ."""
    return matmul(a, transpose(b))


def inner(a: Expr, b: Expr) -> Expr:
    """aᵀ b, a scalar."""
    return matmul(transpose(a), b)


def diag(v: Expr) -> Expr:
    """The matrix with v on its diagonal; of a matrix, the vector of its diagonal."""
    if v.order == 1:
        n = v.shape[0]
        if is_one(v):
            return eye(n)
        if is_zero(v):
            return zeros((n, n))
        c, rest = coefficient(v)
        if c != 1 and isinstance(v, Mul):
            return mul(num(c), diag(rest))
        return call("diag", (v,), (n, n))
    if v.order == 2:
        if not same(v.shape[0], v.shape[1]):
            raise ShapeError(f"diag of {describe(v)}: the matrix must be square")
        if isinstance(v, Call) and v.fn == "diag":
            return v.args[0]
        if isinstance(v, Eye):
            return ones((v.size,))
        return call("diagpart", (v,), (v.shape[0],))
    raise ShapeError(f"diag takes a vector or a square matrix, not {describe(v)}")


def call(fn: str, args: Sequence[Expr], shape: Shape, **params: Any) -> Expr:
    """A whole-tensor function whose shape is known; ``symgrad.tensor.functions`` has the checked constructors."""
    return Call(fn, tuple(args), tuple(sorted(params.items())), shape)
