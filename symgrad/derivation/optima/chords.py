"""Chords that lie below a graph: two inputs between which a function rises above the line between its values."""

from collections.abc import Mapping, Sequence

import numpy as np
import sympy
from msgspec import Struct

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.assuming import Imposed
from symgrad.derivation.identities import counterexample as refuting
from symgrad.derivation.identities.draws import moved, small, wide
from symgrad.errors import InternalError
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.stable import Array
from symgrad.tensor.system import System

TRIES, SPREAD = 200, 24
POPULATION, GENERATIONS, KEPT = 64, 24, 8
MARGIN, ROUNDING = 1e-3, 1e-7
Values = Mapping[Var, Array]


class Chord(Struct, frozen=True):
    """Inputs, two points and the one halfway, and the three values."""

    given: Values
    points: Sequence[Array]
    values: Sequence[float]
    sizes: Mapping[sympy.Symbol, int]


class Search(Struct, frozen=True):
    """A chord of ``of`` along x that lies below the graph, where what is assumed holds at its ends and halfway."""

    system: System
    of: Expr
    x: Var
    sizes: Mapping[sympy.Symbol, int]
    imposed: Imposed

    def found(self) -> Chord | None:
        """Between small points where there is one; None where none was found."""
        return self._small() or self._wide()

    def _small(self) -> Chord | None:
        for turn in range(TRIES):
            random = np.random.default_rng(turn + 1)
            shapes = {v: refuting.shape_at(v, self.sizes) for v in self._inputs}
            drawn = {v: small(v, shape, turn % SPREAD, random) for v, shape in shapes.items() if v is not self.x}
            ends = [small(self.x, shapes[self.x], (turn + 8 * k) % SPREAD, random) for k in range(2)]
            chord = self._at(drawn, ends, MARGIN)
            if chord is not None:
                return chord
        return None

    @property
    def _inputs(self) -> tuple[Var, ...]:
        return tuple(dict.fromkeys([*refuting.leaves(self.system, [self.of]), self.x]))

    def _wide(self) -> Chord | None:
        """Points of very different sizes, and then those where the graph came nearest to the chord, moved."""
        random = np.random.default_rng([len(self._inputs), 13])
        shapes = {v: refuting.shape_at(v, self.sizes) for v in self._inputs}
        drawn = {v: wide(v, shape, POPULATION, random, False) for v, shape in shapes.items() if v is not self.x}
        ends = self._ends(shapes[self.x], random)
        for _ in range(GENERATIONS):
            with np.errstate(all="ignore"):
                heights = [self._heights(drawn, p) for p in (*ends, (ends[0] + ends[1]) / 2)]
                size = np.max(np.abs(heights), axis=0)
                excess = (heights[2] - (heights[0] + heights[1]) / 2) / np.maximum(size, 1e-300)
            excess = np.where(np.isfinite(excess), excess, -np.inf)
            best = np.argsort(-excess)[:KEPT]
            for k in best:
                if excess[k] > ROUNDING:
                    chord = self._at({v: a[k] for v, a in drawn.items()}, [e[k] for e in ends], ROUNDING)
                    if chord is not None:
                        return chord
            parents = np.resize(best, POPULATION)
            drawn = {v: moved(v, a[parents], random) for v, a in drawn.items()}
            ends = [moved(self.x, e[parents], random) for e in ends]
        return None

    def _ends(self, shape: tuple[int, ...], random: np.random.Generator) -> list[Array]:
        """Two ends: far from each other, near each other, or on both sides of 0."""
        first, second = (wide(self.x, shape, POPULATION, random, False) for _ in range(2))
        near = moved(self.x, first, random)
        kind = random.integers(0, 3, size=(POPULATION, *[1] * len(shape)))
        across = near if self.x.facts - {"constant", "parameter"} else -near
        return [first, np.where(kind == 0, second, np.where(kind == 1, near, across))]

    def _heights(self, drawn: Values, at: Array) -> Array:
        keyed = {(v.name, v.subs): a for v, a in {**drawn, self.x: at}.items()}
        try:
            found = Numbers.of(self.system, self.sizes, len(at), 0, keyed).value(self.of)
        except InternalError:
            return np.full(len(at), np.nan)
        return np.broadcast_to(found.reshape(-1), (len(at),))

    def _at(self, drawn: Values, ends: Sequence[Array], margin: float) -> Chord | None:
        """The chord between two points if it lies below the graph, in many digits where they can be had."""
        points = [ends[0], ends[1], (ends[0] + ends[1]) / 2]
        given: dict[Var, Array] = dict(drawn)
        for p in points:
            allowed = self.imposed.at(self.system, self.sizes, {**given, self.x: p})
            if allowed is None or not np.allclose(allowed[self.x], p, rtol=1e-12, atol=1e-12):
                return None
            given = {v: a for v, a in allowed.items() if v is not self.x}
        with np.errstate(all="ignore"):
            values = [
                float(self._heights({v: np.asarray(a)[None] for v, a in given.items()}, p[None])[0]) for p in points
            ]
        if not np.isfinite(values).all() or not _above(values, margin):
            return None
        exact = [refuting.precise(self.system, self.of, self.sizes, {**given, self.x: p}) for p in points]
        known = [e for e in exact if e is not None]
        if len(known) == len(points) and not _above(known, margin):
            return None
        return Chord(given, points, values, self.sizes)


def _above(values: Sequence[float], margin: float) -> bool:
    """Whether the value halfway is above the mean of the values at the ends by more than rounding could do."""
    mean = (values[0] + values[1]) / 2
    return values[2] - mean > margin * max(*(abs(v) for v in values), 1e-300)
