"""Products and powers as LaTeX writes them, whose meaning the shapes settle.

A vector is a column: v ⊙ M multiplies the rows of M, which is diag(v) M. Derivatives side by side are a chain, in
which ∂E/∂h is contracted with ∂h/∂W over the entries of h, whatever their orders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from symgrad.syntax.tree import IMPLICIT
from symgrad.tensor import build as b
from symgrad.tensor.functions import FUNCTIONS
from symgrad.tensor.nodes import Add, At, Chain, Cut, Deriv, Entry, Expr, Fold, Mul
from symgrad.tensor.shapes import ShapeError, describe, same_shape

_LARGEST_POWER = 16


def links(x: Expr) -> tuple[int, int] | None:
    """The orders of what is differentiated and of the variable, for derivatives and what is made of them."""
    match x:
        case Deriv(of=of, wrt=wrt):
            return of.order, wrt.order
        case Chain(args=args, links=orders):
            return args[0].order - orders[0], args[-1].order - orders[-1]
        case Fold(body=body):
            return links(body)
        case Add(args=args):
            found = {links(a) for a in args}
            return found.pop() if len(found) == 1 else None
        case Mul(args=args):
            tensors = [a for a in args if a.order]
            return links(tensors[0]) if len(tensors) == 1 else None
        case _:
            return None


def side_by_side(left: Expr, right: Expr) -> Expr:
    """a b: a multiple, a chain of derivatives, a product of matrices, rows and columns.

    Raises:
        ShapeError: two columns, or a column before a matrix.
    """
    chained = _chained(left, right)
    if chained is not None:
        return chained
    if left.order == 0 or right.order == 0:
        return b.mul(left, right)
    if _is_slice(left) and right.order == 1 and not right.row:
        return b.inner(left, right)
    if left.order > 2 or right.order > 2:
        raise ShapeError(f"{describe(left)} and {describe(right)} cannot stand side by side")
    return b.matmul(left, right)


def _chained(left: Expr, right: Expr) -> Expr | None:
    """Derivatives contracted over the node between them; None where they are none, or do not meet."""
    first, second = links(left), links(right)
    if second is None or left.order == 0 or right.order == 0:
        return None
    if first is None:
        is_linear = left.order == 2 and second[0] == 1 and right.order > 2
        return b.chain([left, right], [1]) if is_linear else None
    if first[1] != second[0]:
        return None
    (args, before), (more, after) = _factors(left), _factors(right)
    return b.chain([*args, *more], [*before, first[1], *after])


def _factors(x: Expr) -> tuple[tuple[Expr, ...], tuple[int, ...]]:
    return (x.args, x.links) if isinstance(x, Chain) else ((x,), ())


def _is_slice(x: Expr) -> bool:
    """Whether x is a row of a matrix, W[i, :]."""
    return isinstance(x, Entry) and len(x.items) == 2 and isinstance(x.items[0], At) and isinstance(x.items[1], Cut)


def dotted(left: Expr, right: Expr) -> Expr:
    """a · b: of two columns the inner product, else as side by side."""
    columns = left.order == right.order == 1 and not left.row and not right.row
    if columns and links(right) is None and same_shape(left.shape, right.shape):
        return b.inner(left, right)
    return side_by_side(left, right)


def entrywise(left: Expr, right: Expr) -> Expr:
    """a ⊙ b, where a column beside a tensor of higher order multiplies its rows, and a row its columns.

    Raises:
        ShapeError: the shapes do not fit.
    """
    low, high = (left, right) if left.order < right.order else (right, left)
    if low.order != 1 or high.order < 2:
        return b.mul(left, right)
    if low.row:
        return b.matmul(high, b.diag(b.transpose(low)))
    if not same_shape(low.shape, high.shape[:1]):
        raise ShapeError(f"product entry by entry: {describe(left)} and {describe(right)}")
    return b.matmul(b.diag(low), high) if high.order == 2 else b.chain([b.diag(low), high], [1])


def divided(left: Expr, right: Expr) -> Expr:
    """a ⊘ b, entry by entry."""
    return entrywise(left, b.power(right, b.MINUS_ONE)) if right.order else b.div(left, right)


def tensor_product(left: Expr, right: Expr) -> Expr:
    """a ⊗ b: of vectors the outer product, of matrices Kronecker's."""
    if left.order == 0 or right.order == 0:
        return b.mul(left, right)
    if left.order == right.order == 1:
        return b.outer(b.transpose(left) if left.row else left, b.transpose(right) if right.row else right)
    return FUNCTIONS["kron"].construct(left, right)


def raised(base: Expr, exponent: Expr) -> Expr:
    """xᵏ: the inverse or the power of a square matrix, else entry by entry."""
    number = b.number_of(exponent)
    if base.order == 2 and number == -1:
        return FUNCTIONS["inv"].construct(base)
    if base.order == 2 and number is not None and number.denominator == 1 and 2 <= number <= _LARGEST_POWER:
        return b.matmul(*[base] * int(number))
    if base.order == 2 and exponent.order == 0:
        raise ShapeError("this power of a matrix is not read; a power entry by entry is written ^{\\odot k}")
    return b.power(base, exponent)


OPERATIONS: Final[Mapping[str, Callable[[Expr, Expr], Expr]]] = MappingProxyType(
    {
        IMPLICIT: side_by_side,
        "·": dotted,
        "×": dotted,
        "⊙": entrywise,
        "∘": entrywise,
        "⊘": divided,
        "⊗": tensor_product,
    }
)
"""The operators of LaTeX."""
