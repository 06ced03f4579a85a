"""Unresolved derivatives and chains of them, limits, and scalars known only by their partials."""

from symgrad.consing import node
from symgrad.tensor.nodes.base import Binder, Expr, Operation, Scalar, Shape


@node
class Opaque(Operation, Scalar):
    """A scalar of which only the immediate partials by its arguments are given.

    ``binders`` are the ranges when the arguments are members of families: loss(h[t], t=1..K).
    """

    name: str
    args: tuple[Expr, ...]
    binders: tuple[Binder, ...] = ()


@node
class Deriv(Expr):
    """∂of/∂wrt with shape of.shape + wrt.shape.

    kind is "total" (through every path), or "immediate" (∂⁺: the definition of ``of`` itself, everything it names
    held). ``held`` are nodes kept fixed in a total derivative.
    """

    of: Expr
    wrt: Expr
    kind: str
    shape: Shape
    held: frozenset[Expr] = frozenset()

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.of, self.wrt)


@node
class Chain(Operation):
    """Derivatives multiplied along a path: neighbours are contracted over the shape of the node between them.

    ``links`` are the orders of the nodes between; shape is the first factor's ``of`` with the last factor's ``wrt``.
    """

    args: tuple[Expr, ...]
    links: tuple[int, ...]
    shape: Shape


@node
class Limit(Expr):
    """The limit of ``arg`` as the scalar ``var`` goes to ``point``: from below, above or both (side "-", "+", "")."""

    arg: Expr
    var: Expr
    point: Expr
    side: str
    shape: Shape

    @property
    def row(self) -> bool:
        return self.arg.row

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.arg, self.var, self.point)
