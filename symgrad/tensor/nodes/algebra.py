"""Sums, products and functions entry by entry, products of matrices, transposes, whole-tensor functions."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from symgrad.consing import node
from symgrad.tensor.nodes.base import Expr, OfOne, Operation, Oriented, Shape

Settings: TypeAlias = Mapping[str, Any]
"""What a whole-tensor function is told besides its operands: integers, and None for an axis that is all of them."""


@node
class Add(Oriented):
    """A sum, entry by entry, in the author's order."""

    args: tuple[Expr, ...]
    shape: Shape
    is_row: bool = False


@node
class Mul(Oriented):
    """A product, entry by entry, with NumPy broadcasting; a quotient is a factor with a negative power."""

    args: tuple[Expr, ...]
    shape: Shape
    is_row: bool = False


@node
class Pow(Expr):
    """A power, entry by entry; the exponent is a scalar or has the base's shape."""

    base: Expr
    exponent: Expr
    shape: Shape

    @property
    def row(self) -> bool:
        return self.order == 1 and (self.base.row or self.exponent.row)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.base, self.exponent)


@node
class Apply(Oriented):
    """A scalar function of the table, entry by entry."""

    fn: str
    args: tuple[Expr, ...]
    shape: Shape
    is_row: bool = False


@node
class Compare(Expr):
    """A comparison entry by entry, 1 where it holds and 0 elsewhere."""

    op: str
    left: Expr
    right: Expr
    shape: Shape

    @property
    def row(self) -> bool:
        return self.order == 1 and (self.left.row or self.right.row)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.left, self.right)


@node
class MatMul(Oriented):
    """A chain of matrix products over vectors, rows and matrices."""

    args: tuple[Expr, ...]
    shape: Shape
    is_row: bool = False


@node
class Transpose(OfOne):
    """The transpose of a matrix, or a vector as a row."""

    arg: Expr
    shape: Shape

    @property
    def row(self) -> bool:
        return self.arg.order == 1 and not self.arg.row


@node
class Permute(OfOne):
    """The axes of a tensor in another order: axis a of the result is axis axes[a] of the argument."""

    arg: Expr
    axes: tuple[int, ...]
    shape: Shape


@node
class Call(Operation):
    """A whole-tensor function of the table; params are its integer settings such as the axis."""

    fn: str
    args: tuple[Expr, ...]
    params: tuple[tuple[str, Any], ...]
    shape: Shape

    def param(self, name: str) -> Any:
        """The setting of that name."""
        return dict(self.params)[name]
