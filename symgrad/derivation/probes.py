"""How a derivative is compared with the forward model: entry by entry, or along directions where it has too many.

A sum of the entries of a wrong derivative, with random weights, is right with probability 0; an error in one of n
entries stands out of the sum by 1/√n of the whole, far above rounding.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import ClassVar, TypeAlias

import numpy as np
import sympy
from msgspec import Struct

from symgrad.calculus.directional import Directional
from symgrad.calculus.numeric import Numbers
from symgrad.tensor.nodes import Add, Chain, Expr
from symgrad.tensor.stable import Array
from symgrad.tensor.walk import postorder

Indices: TypeAlias = Mapping[sympy.Symbol, int]


class Entries(Struct, frozen=True):
    """Every entry is compared."""

    numbers: Numbers
    indices: Indices
    how: ClassVar[str] = ""

    def slopes(self, node: Expr) -> Array:
        """An unresolved derivative, or any other left side, by the forward model."""
        return self.numbers.value(node, self.indices)

    def value(self, expr: Expr) -> Array:
        """What is claimed to be its value."""
        return self.numbers.value(expr, self.indices)

    def differences(self, of: Expr, wrt: Expr, held: Iterable[Expr], h: float) -> Array:
        """∂of/∂wrt by central differences."""
        return self.numbers.differences(of, wrt, held, h)

    def smooth(self, of: Expr, wrt: Expr, held: Iterable[Expr], h: float) -> Array:
        """Which entries have one slope on both sides."""
        return self.numbers.smooth(of, wrt, held, h)

    def confirm(self, node: Expr, right: Sequence[Expr]) -> None:
        """The values were found right."""


class Along(Struct, frozen=True):
    """Sums of the entries along directions are compared, (points, directions, *of.shape)."""

    numbers: Numbers
    indices: Indices
    directions: Array
    how: ClassVar[str] = " along random directions"

    @property
    def _moves(self) -> Directional:
        return Directional(self.numbers, self.indices)

    def slopes(self, node: Expr) -> Array:
        """The derivative along the directions by the complex step."""
        derivative = self.numbers.unresolved(node, self.indices)
        assert derivative is not None
        return self._moves.slopes(derivative, self.directions)

    def value(self, expr: Expr) -> Array:
        """The sums of the claimed entries."""
        return self._applied(expr, self.directions)

    def _applied(self, expr: Expr, directions: Array) -> Array:
        """A linear map applied to directions; a chain factor by factor, so that no Jacobian is written out."""
        match expr:
            case Add(args=terms) if all(x.shape == expr.shape for x in terms):
                return np.asarray(sum(self._applied(x, directions) for x in terms))
            case Chain(args=factors):
                for factor in reversed(factors):
                    directions = self._applied(factor, directions)
                return directions
        derivative = self.numbers.unresolved(expr, self.indices)
        if derivative is not None and self._moves.movable(derivative):
            return self._moves.slopes(derivative, directions)
        points, count, *shape = directions.shape
        value = self.numbers.value(expr, self.indices)
        kept = value.shape[1 : value.ndim - len(shape)]
        entries = np.broadcast_to(value, (points, *value.shape[1:])).reshape(points, prod(kept), prod(shape))
        sums = directions.reshape(points, count, -1) @ np.swapaxes(entries, 1, 2)
        return np.asarray(sums.reshape(points, count, *kept))

    def differences(self, of: Expr, wrt: Expr, held: Iterable[Expr], h: float) -> Array:
        """∂of/∂wrt along the directions by central differences."""
        return self._moves.differences(of, wrt, self.directions, held, h)

    def smooth(self, of: Expr, wrt: Expr, held: Iterable[Expr], h: float) -> Array:
        """Which sums have one slope on both sides."""
        return self._moves.smooth(of, wrt, self.directions, held, h)

    def confirm(self, node: Expr, right: Sequence[Expr]) -> None:
        """What was found right along the directions is taken for the derivative, of which all entries cost too much."""
        derivative = self.numbers.unresolved(node, self.indices)
        assert derivative is not None
        resolved = next((x for x in right if not self._unresolved(x)), None)
        if resolved is not None:
            self.numbers.take(derivative, self.numbers.value(resolved, self.indices), self.indices)

    def _unresolved(self, expr: Expr) -> bool:
        """Whether an expression has no value but by moving very many entries one by one."""
        derivatives = filter(None, (self.numbers.unresolved(x, self.indices) for x in postorder(expr)))
        return any(self._moves.many(x.of, x.wrt) and not self.numbers.taken(x, self.indices) for x in derivatives)


def probe(numbers: Numbers, of: Expr, wrt: Expr, indices: Indices) -> Entries | Along:
    """How a derivative ∂of/∂wrt is compared."""
    moves = Directional(numbers, indices)
    return Along(numbers, indices, moves.directions(wrt)) if moves.many(of, wrt) else Entries(numbers, indices)


def probe_of(numbers: Numbers, left: Expr, relation: str, indices: Indices) -> Entries | Along:
    """How the sides of a line are compared, of which the left one may be an unresolved derivative."""
    derivative = numbers.unresolved(left, indices) if relation == "=" else None
    if derivative is None:
        return Entries(numbers, indices)
    return probe(numbers, derivative.of, derivative.wrt, indices)
