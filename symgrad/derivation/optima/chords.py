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
    points: Sequence[Values]
    values: Sequence[float]
    sizes: Mapping[sympy.Symbol, int]


class Search(Struct, frozen=True):
    """A chord of ``of`` that lies below the graph, where what is assumed holds at its ends and halfway.

    The ends differ in all variables of ``over`` at once.
    """

    system: System
    of: Expr
    over: tuple[Var, ...]
    sizes: Mapping[sympy.Symbol, int]
    imposed: Imposed

    def found(self) -> Chord | None:
        """Between small points where there is one; None where none was found."""
        return self._small() or self._wide()

    def _small(self) -> Chord | None:
        for turn in range(TRIES):
            random = np.random.default_rng(turn + 1)
            shapes = {v: refuting.shape_at(v, self.sizes) for v in self._inputs}
            drawn = {v: small(v, shape, turn % SPREAD, random) for v, shape in shapes.items() if v not in self.over}
            ends = [{v: small(v, shapes[v], (turn + 8 * k) % SPREAD, random) for v in self.over} for k in range(2)]
            chord = self._at(drawn, ends, MARGIN)
            if chord is not None:
                return chord
        return None

    @property
    def _inputs(self) -> tuple[Var, ...]:
        return tuple(dict.fromkeys([*refuting.leaves(self.system, [self.of]), *self.over]))

    def _wide(self) -> Chord | None:
        """Points of very different sizes, and then those where the graph came nearest to the chord, moved."""
        random = np.random.default_rng([len(self._inputs), 13])
        shapes = {v: refuting.shape_at(v, self.sizes) for v in self._inputs}
        drawn = {v: wide(v, shape, POPULATION, random, False) for v, shape in shapes.items() if v not in self.over}
        pairs = {v: self._ends(v, shapes[v], random) for v in self.over}
        ends = [{v: pair[k] for v, pair in pairs.items()} for k in range(2)]
        for _ in range(GENERATIONS):
            with np.errstate(all="ignore"):
                heights = [self._heights(drawn, p) for p in (*ends, halfway(*ends))]
                size = np.max(np.abs(heights), axis=0)
                excess = (heights[2] - (heights[0] + heights[1]) / 2) / np.maximum(size, 1e-300)
            excess = np.where(np.isfinite(excess), excess, -np.inf)
            best = np.argsort(-excess)[:KEPT]
            for k in best:
                if excess[k] > ROUNDING:
                    picked = [{v: a[k] for v, a in values.items()} for values in (drawn, *ends)]
                    chord = self._at(picked[0], picked[1:], ROUNDING)
                    if chord is not None:
                        return chord
            parents = np.resize(best, POPULATION)
            drawn = {v: moved(v, a[parents], random) for v, a in drawn.items()}
            ends = [{v: moved(v, a[parents], random) for v, a in e.items()} for e in ends]
        return None

    def _ends(self, x: Var, shape: tuple[int, ...], random: np.random.Generator) -> list[Array]:
        """Two ends: far from each other, near each other, or on both sides of 0."""
        first, second = (wide(x, shape, POPULATION, random, False) for _ in range(2))
        near = moved(x, first, random)
        kind = random.integers(0, 3, size=(POPULATION, *[1] * len(shape)))
        across = near if x.facts - {"constant", "parameter"} else -near
        return [first, np.where(kind == 0, second, np.where(kind == 1, near, across))]

    def _heights(self, drawn: Values, at: Values) -> Array:
        keyed = {(v.name, v.subs): a for v, a in {**drawn, **at}.items()}
        count = len(at[self.over[0]])
        try:
            found = Numbers.of(self.system, self.sizes, count, 0, keyed).value(self.of)
        except InternalError:
            return np.full(count, np.nan)
        return np.broadcast_to(found.reshape(-1), (count,))

    def _at(self, drawn: Values, ends: Sequence[Values], margin: float) -> Chord | None:
        """The chord between two points if it lies below the graph, in many digits where they can be had."""
        points = [*ends, halfway(*ends)]
        given: dict[Var, Array] = dict(drawn)
        for p in points:
            allowed = self.imposed.at(self.system, self.sizes, {**given, **p})
            if allowed is None or not all(np.allclose(allowed[v], a, rtol=1e-12, atol=1e-12) for v, a in p.items()):
                return None
            given = {v: a for v, a in allowed.items() if v not in self.over}
        with np.errstate(all="ignore"):
            values = [float(self._heights(_alone(given), _alone(p))[0]) for p in points]
        if not np.isfinite(values).all() or not _above(values, margin):
            return None
        exact = [refuting.precise(self.system, self.of, self.sizes, {**given, **p}) for p in points]
        known = [e for e in exact if e is not None]
        if len(known) == len(points) and not _above(known, margin):
            return None
        return Chord(given, points, values, self.sizes)


def halfway(first: Values, second: Values) -> Values:
    return {v: (a + second[v]) / 2 for v, a in first.items()}


def _alone(values: Values) -> Values:
    """One point as a batch of one."""
    return {v: np.asarray(a)[None] for v, a in values.items()}


def _above(values: Sequence[float], margin: float) -> bool:
    """Whether the value halfway is above the mean of the values at the ends by more than rounding could do."""
    mean = (values[0] + values[1]) / 2
    return values[2] - mean > margin * max(*(abs(v) for v in values), 1e-300)
