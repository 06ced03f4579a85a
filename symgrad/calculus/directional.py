"""Derivatives along random directions, for nodes with more entries than are worth moving one by one."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
import sympy
from msgspec import Struct

from symgrad.calculus.moving import Key
from symgrad.calculus.numeric import PLACES, STEP, STEP_OF_DIFFERENCES, Numbers, central, one_slope
from symgrad.calculus.places import at_numbers, generator, key_of
from symgrad.tensor.nodes import Deriv, Expr, Var
from symgrad.tensor.stable import Array

MOST_ONE_BY_ONE = 1 << 21
"""Numbers held where every entry of a node is moved in one pass; what needs more is moved along directions."""
DIRECTIONS = 4
"""At each point; an error in any entry shows along a random direction unless it is smaller than rounding."""


class Directional(Struct, frozen=True):
    """A model in numbers whose nodes are moved along directions, at values of open indices."""

    numbers: Numbers
    indices: Mapping[sympy.Symbol, int]

    def _at(self, expr: Expr) -> Expr:
        return at_numbers(expr, {**self.numbers.sizes, **self.indices})

    def movable(self, node: Deriv) -> bool:
        """Whether the complex step along directions gives a derivative: by a node, with no other derivatives in it."""
        return isinstance(node.wrt, Var) and not self.numbers.nested(self._at(node.of))

    def many(self, of: Expr, wrt: Expr) -> bool:
        """Whether a derivative has more entries than are worth moving one by one."""
        of, node = self._at(of), self._at(wrt)
        if not isinstance(node, Var):
            return False
        self.numbers.value(node)
        read = self.numbers.read(of)
        moves = self.numbers.moves()
        if moves.most(key_of(node)) <= MOST_ONE_BY_ONE or self.numbers.nested(of):
            return False
        return moves.cost(moves.target(of, read), key_of(node)) > MOST_ONE_BY_ONE

    def directions(self, wrt: Expr) -> Array:
        """Random unit vectors in the space of a node, (points, directions, *wrt.shape)."""
        node = self._at(wrt)
        shape = self.numbers.value(node).shape[1:]
        name, subs = key_of(node)
        points = self.numbers.points
        random = generator(self.numbers.seed, (f"along {name}", subs))
        drawn = random.normal(size=(points, DIRECTIONS, math.prod(shape)))
        unit = drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)
        return np.asarray(unit.reshape(points, DIRECTIONS, *shape))

    def slopes(self, node: Deriv, directions: Array) -> Array:
        """A derivative along directions by the complex step, (points, directions, *of.shape)."""
        of, wrt = self._at(node.of), self._at(node.wrt)
        assert isinstance(wrt, Var)
        kept = frozenset(self.numbers.kept(of, wrt, node, {**self.numbers.sizes, **self.indices}))
        return np.asarray(self._shifted(of, wrt, directions, (1j * STEP,), kept)[0].imag / STEP)

    def differences(
        self, of: Expr, wrt: Expr, directions: Array, held: Iterable[Expr] = (), h: float = STEP_OF_DIFFERENCES
    ) -> Array:
        """The same by central differences."""
        return central(self._beside(of, wrt, directions, held, h), h)

    def smooth(self, of: Expr, wrt: Expr, directions: Array, held: Iterable[Expr], h: float) -> Array:
        """Where the slopes on both sides are one."""
        return one_slope(self._beside(of, wrt, directions, held, h), h)

    def _beside(self, of: Expr, wrt: Expr, directions: Array, held: Iterable[Expr], h: float) -> Array:
        sizes = self.numbers.sizes
        of, node = at_numbers(of, sizes), at_numbers(wrt, sizes)
        assert isinstance(node, Var)
        kept = frozenset(self.numbers.held(of, node, [at_numbers(x, sizes) for x in held]))
        return self._shifted(of, node, directions, tuple(h * k for k in PLACES), kept)

    def _shifted(self, of: Expr, wrt: Var, directions: Array, by: tuple[complex, ...], held: frozenset[Key]) -> Array:
        """of with wrt moved along each direction by each amount; (amounts, points, directions, *of.shape)."""
        read = self.numbers.read(of)
        self.numbers.value(wrt)
        moves = self.numbers.moves()
        moved = moves.along(moves.target(of, read, held), key_of(wrt), np.swapaxes(directions, 0, 1), by)
        return np.swapaxes(moved, 1, 2)
