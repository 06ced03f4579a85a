"""The ways in which one line of mathematics can be meant."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from symgrad.syntax.tree import Compare, Tree
from symgrad.tensor.integers import Int

Sizing = tuple[tuple[int, Int], ...]
"""The size of a constant by the place in the text at which it stands."""
Gradients = Literal["column", "row", "denominator"]
Partials = Literal["total", "leaves", "neighbours", "immediate", "alone"]
Norms = Literal["model", "entries", "operator"]


class Reading(Struct, frozen=True):
    """How what a line leaves open is read.

    Attributes:
        gradients: the gradient of a scalar by a vector is a column; or a row, as Jacobians are; or all are transposed.
        partials: ∂ goes through every path; or it is the immediate partial ∂⁺ by leaves of the model, of everything but
            the loss, or always; or of a state by an earlier one it goes along that state alone, the others held.
        loose: a vector on the left of a matrix lies down.
        spread: a vector on the left of a Jacobian scales its rows, as diag(v) J does.
        entries: `*` between matrices is entry by entry.
        backwards: products over a range stand in the other order.
        orders: the number of axes of names that nobody declared.
        sizes: the lengths of constant vectors, by the place at which each is written; without one, 1 is a number.
        inside: terms of a sum whose shifted indices lie beyond an axis are left out.
        norms: the norm of a matrix is that of its entries, or of the operator; or as the problem itself has it.
        columns: softmax of a matrix is taken along its columns, not along its rows.
        joined: vectors in a list are one vector, the one behind the other; not the columns of a matrix.
    """

    gradients: Gradients = "column"
    partials: Partials = "total"
    loose: bool = False
    spread: bool = False
    entries: bool = False
    backwards: bool = False
    orders: tuple[tuple[str, int], ...] = ()
    sizes: Sizing = ()
    columns: bool = False
    norms: Norms = "model"
    inside: bool = False
    joined: bool = False


class Defined(Struct, frozen=True):
    """A name that the writer defines: at the subscripts of ``pattern`` it is the body."""

    name: str
    pattern: tuple[Tree, ...]
    body: Tree


class Adjoint(Struct, frozen=True):
    """A name that stands for the derivative of the loss by a family, at the same step: δ_t for ∂L/∂h_t."""

    name: str
    loss: Tree
    family: str


Meanings = tuple[Defined | Adjoint, ...]
"""What a name means, the latest meaning last."""


@dataclass(slots=True)
class Notation:
    """What a writer's own names mean; what he puts in for some names, and where it holds.

    ``where`` are the conditions on the indices of the line that is being read. ``state`` is another object whenever a
    name has come to mean something else, so that what was found under it is known to hold no longer.
    """

    _names: MutableMapping[str, Meanings] = field(default_factory=dict)
    settings: Mapping[str, Tree] = field(default_factory=lambda: MappingProxyType({}))
    where: tuple[Compare, ...] = ()
    state: object = field(default_factory=object, compare=False, repr=False)

    @property
    def names(self) -> Mapping[str, Meanings]:
        """What each name means."""
        return self._names

    def define(self, meaning: Defined | Adjoint) -> None:
        """Add a meaning."""
        self.let(meaning.name, (*self.names.get(meaning.name, ()), meaning))

    def let(self, name: str, meanings: Meanings) -> None:
        """Give a name its meanings; without any it is forgotten."""
        if meanings:
            self._names[name] = meanings
        else:
            self._names.pop(name, None)
        self.state = object()

    def copy(self) -> Notation:
        """The same notation, to which meanings can be added; what is added there is not added here."""
        return Notation(ChainMap({}, self._names), self.settings, self.where, self.state)


PLAIN: Final = Reading()
