"""What all nodes share: a shape and operands; and the index ranges and relations that they carry."""

from typing import TypeAlias

import sympy
from msgspec import Struct

from symgrad.consing import Consed
from symgrad.tensor.integers import Int, difference, integer

Shape: TypeAlias = tuple[Int, ...]


class Binder(Struct, frozen=True):
    """A bound index with its inclusive range lo..hi."""

    symbol: sympy.Symbol
    lo: Int
    hi: Int

    @property
    def length(self) -> Int:
        """hi − lo + 1, the number of its values."""
        return integer(difference(self.hi, self.lo) + 1)


class Rel(Struct, frozen=True):
    """A relation between integer expressions; op is one of == != < <= > >=."""

    op: str
    left: Int
    right: Int


ANY = sympy.Symbol("*", integer=True)
"""As a subscript of a held node: every member of the family but those that the derivative names."""


class Expr(Consed):
    """Base of all nodes; equality is identity."""

    __slots__ = ()

    @property
    def shape(self) -> Shape:
        """The lengths of the axes."""
        raise NotImplementedError

    @property
    def row(self) -> bool:
        """Whether this is a transposed vector."""
        return False

    @property
    def order(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def children(self) -> "tuple[Expr, ...]":
        """The operands, in the author's order."""
        return ()

    @property
    def binders(self) -> tuple[Binder, ...]:
        """The indices that it binds in its operands, with their ranges, outermost first."""
        return ()

    def __repr__(self) -> str:
        from_fields = ", ".join(repr(getattr(self, n)) for n in type(self)._key if n != "shape")
        return f"{type(self).__name__}({from_fields})"


class Scalar(Expr):
    """A node of shape ()."""

    __slots__ = ()

    @property
    def shape(self) -> Shape:
        return ()


class Operation(Expr):
    """A node with any number of operands."""

    __slots__ = ()
    args: tuple[Expr, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args


class Oriented(Operation):
    """An operation of which a result of order 1 is a column or a row."""

    __slots__ = ()
    is_row: bool

    @property
    def row(self) -> bool:
        return self.is_row


class OfOne(Expr):
    """A node with one operand."""

    __slots__ = ()
    arg: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.arg,)
