"""Nodes without operands: numbers, constant tensors, named nodes."""

from fractions import Fraction

import sympy

from symgrad.consing import node
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes.base import Expr, Rel, Scalar, Shape


@node
class Num(Scalar):
    """An exact rational number."""

    value: Fraction


@node
class Count(Scalar):
    """An integer expression of sizes, steps and indices, used as a number."""

    value: sympy.Expr


@node
class Const(Scalar):
    """A named constant: pi, e, or inf, the value of a limit that is infinite."""

    name: str


@node
class Full(Expr):
    """A tensor with the same number in every entry."""

    value: Fraction
    shape: Shape


@node
class Eye(Expr):
    """The n × n identity."""

    size: Int

    @property
    def shape(self) -> Shape:
        return (self.size, self.size)


@node
class Literal(Expr):
    """An array of given numbers, row by row."""

    values: tuple[Fraction | float, ...]
    shape: Shape


@node
class Var(Expr):
    """A named node: a symbol of the problem or a quantity its model defines, with the subscripts that pick it."""

    name: str
    subs: tuple[Int, ...]
    shape: Shape
    facts: frozenset[str] = frozenset()


@node
class Iverson(Scalar):
    """1 where all the integer relations hold, else 0; one equality alone is Kronecker's δ."""

    conds: tuple[Rel, ...]
