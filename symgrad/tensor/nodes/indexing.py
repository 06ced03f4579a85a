"""Reductions and folds, tensors built from entries and parts, entries taken from tensors."""

from typing import TypeAlias

from msgspec import Struct

from symgrad.consing import node
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes.base import Binder, Expr, OfOne, Operation, Rel, Shape


@node
class Reduce(OfOne):
    """sum, prod, max, min or argmax over axes (all entries when axes is every axis)."""

    op: str
    arg: Expr
    axes: tuple[int, ...]
    shape: Shape


@node
class Fold(Expr):
    """sum, prod, max, min, or matprod of a body over index ranges, where the conditions hold.

    matprod multiplies matrices in the order of its range; ``first`` of the range stands on the left.
    """

    op: str
    body: Expr
    binders: tuple[Binder, ...]
    conds: tuple[Rel, ...]
    shape: Shape
    descending: bool = False

    @property
    def row(self) -> bool:
        return self.body.row

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)


@node
class Build(Expr):
    """The tensor whose entry at the binders' indices is the body; the body's own axes come last."""

    body: Expr
    binders: tuple[Binder, ...]
    shape: Shape

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)


class At(Struct, frozen=True):
    """One place along an axis, counted from 1."""

    index: Int


class Cut(Struct, frozen=True):
    """The places lo..hi along an axis, counted from 1."""

    lo: Int
    hi: Int


class Pick(Struct, frozen=True):
    """A place along an axis that is data: a scalar expression with an integer value, counted from 1."""

    index: Expr


Item: TypeAlias = At | Cut | Pick


@node
class Entry(Expr):
    """Entries of a tensor: one item an axis, in order."""

    arg: Expr
    items: tuple[Item, ...]
    shape: Shape

    @property
    def row(self) -> bool:
        return self.arg.row and self.order == 1

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.arg, *(i.index for i in self.items if isinstance(i, Pick)))


@node
class Stack(Operation):
    """Tensors of one shape along a new first axis."""

    args: tuple[Expr, ...]
    shape: Shape


@node
class Concat(Operation):
    """Tensors one after the other along an axis."""

    args: tuple[Expr, ...]
    axis: int
    shape: Shape
