"""Counterexamples: small inputs at which a claimed relation fails."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import sympy
from msgspec import Struct

from symgrad.calculus.numeric import Numbers
from symgrad.calculus.rewrite import size
from symgrad.derivation.assuming import Imposed
from symgrad.derivation.certify import EXCESS
from symgrad.derivation.identities.draws import moved, small, wide
from symgrad.derivation.identities.integral_rules import definitions
from symgrad.derivation.reading_order import specialise
from symgrad.derivation.writing_out import earlier_states
from symgrad.errors import InternalError
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, evaluate_int, replace, symbols_of
from symgrad.tensor.nodes import Call, Expr, Law, Var
from symgrad.tensor.probability import RANDOM, expanded
from symgrad.tensor.reindex import reindex
from symgrad.tensor.stable import Array
from symgrad.tensor.sympy_border import exact_evaluate
from symgrad.tensor.system import System, spread
from symgrad.tensor.walk import postorder, variables

TRIES, FEW_TRIES = 40, 8
POPULATION, GENERATIONS, KEPT = 64, 24, 8
ROUNDING, MARGIN, CLEAR = 1e-7, 1e-6, 1e-3
"""How far values must differ where they are confirmed with many digits, are sound, or may have lost digits."""
DIGITS = 30
MOST_NAMES = 500
"""Names in the longest formula that is computed with many digits."""

_GAPS: Final[Mapping[str, Callable[[Array, Array], Array]]] = MappingProxyType(
    {"=": lambda a, c: np.abs(a - c), "<=": np.subtract, ">=": lambda a, c: c - a}
)
"""By how much a relation fails at each entry."""


class Counterexample(Struct, frozen=True):
    """Inputs, and the values of both sides there."""

    inputs: Mapping[Var, Array]
    left: Array
    right: Array
    sizes: Mapping[sympy.Symbol, int]


def shape_at(v: Var, sizes: Mapping[sympy.Symbol, int]) -> tuple[int, ...]:
    """The shape of an input at numeric sizes."""
    return tuple(evaluate_int(s, sizes) for s in v.shape)


def leaves(system: System, exprs: Sequence[Expr], sizes: Mapping[sympy.Symbol, int] | None = None) -> tuple[Var, ...]:
    """The inputs that expressions depend on, in the order of first mention; at numeric steps where they are open."""
    places = steps_at(system, sizes or {})
    system = specialise(system, places)
    found: dict[Var, None] = {}
    waiting = [spread(reindex(x, places)) for x in exprs]
    seen: set[Var] = set()
    while waiting:
        x = waiting.pop(0)
        for v in variables(x, into_derivatives=True):
            if v in seen or RANDOM in v.facts:
                continue
            seen.add(v)
            body = system.body(v)
            if body is None:
                found[v] = None
            else:
                waiting.append(spread(body))
    return tuple(found)


def steps_at(system: System, sizes: Mapping[sympy.Symbol, int]) -> dict[sympy.Symbol, Int]:
    """The numbers of open steps and of their ends."""
    ends = {s for x in system.steps.values() for s in symbols_of(x.lo) | symbols_of(x.hi)}
    return {s: n for s, n in sizes.items() if not s.is_positive or s in ends}


class Search(Struct, frozen=True):
    """A claimed relation between two expressions, to be refuted at inputs for which what is assumed holds."""

    system: System
    left: Expr
    right: Expr
    relation: str
    choices: Sequence[Mapping[sympy.Symbol, int]]
    imposed: Imposed

    def found(self) -> Counterexample | None:
        """Inputs at which the relation fails, small ones where there are some; None where none was found."""
        return self._small() or (None if self.by_quadrature else self._wide())

    @property
    def by_quadrature(self) -> bool:
        """Whether values are approximate: means over a continuous law are sums over a few points."""
        stays = earlier_states(self.system, self.left, self.right)
        whole = [definitions(self.system, stays).apply(x) for x in (self.left, self.right)]
        return any(isinstance(n, Law) for x in whole for n in postorder(x))

    @property
    def _sizes(self) -> Sequence[Mapping[sympy.Symbol, int]]:
        least = [{s: min(n, 2) if s.is_positive else 1 for s, n in c.items()} for c in self.choices[:1]]
        return [*least, *self.choices]

    def _small(self) -> Counterexample | None:
        all_inputs = [leaves(self.system, [self.left, self.right], sizes) for sizes in self._sizes]
        for turn in range(FEW_TRIES if self.by_quadrature else TRIES):
            for inputs, sizes in zip(all_inputs, self._sizes, strict=True):
                random = np.random.default_rng([turn, len(inputs)])
                drawn = {v: small(v, shape_at(v, sizes), turn, random) for v in inputs}
                given = self.imposed.at(self.system, sizes, drawn)
                if given is not None:
                    example = self._at(given, sizes)
                    if example is not None:
                        return example
        return None

    def _wide(self) -> Counterexample | None:
        """Inputs of very different sizes, and then those at which the relation came nearest to failing, moved."""
        for turn, sizes in enumerate(self._sizes):
            inputs = leaves(self.system, [self.left, self.right], sizes)
            random = np.random.default_rng([turn, len(inputs), 11])
            drawn = {v: wide(v, shape_at(v, sizes), POPULATION, random, not self._sound) for v in inputs}
            for _ in range(GENERATIONS if self._sound else 1):
                if self.imposed.conditions:
                    values, _good = self.imposed.satisfied(self.system, sizes, drawn)
                    drawn = {**drawn, **values}
                excess = self._excesses(drawn, sizes)
                best = np.argsort(-excess)[:KEPT]
                for k in best:
                    if excess[k] > ROUNDING:
                        given = self.imposed.at(self.system, sizes, {v: x[k] for v, x in drawn.items()})
                        example = None if given is None else self._at(given, sizes)
                        if example is not None:
                            return example
                parents = np.resize(best, POPULATION)
                drawn = {v: moved(v, x[parents], random) for v, x in drawn.items()}
        return None

    def _excesses(self, drawn: Mapping[Var, Array], sizes: Mapping[sympy.Symbol, int]) -> Array:
        """By how much the relation fails at each point, relative to the larger side; −∞ where there is no value."""
        left, right = self._sides(drawn, sizes, POPULATION)
        with np.errstate(all="ignore"):
            gap = _GAPS[self.relation](left, right)
            size = np.maximum(np.abs(left), np.abs(right)).reshape(len(left), -1).max(axis=1)
            worst = gap.reshape(len(gap), -1).max(axis=1) / np.maximum(size, 1e-300)
        return np.where(np.isfinite(worst), worst, -np.inf)

    def _sides(self, drawn: Mapping[Var, Array], sizes: Mapping[sympy.Symbol, int], points: int) -> tuple[Array, Array]:
        keyed = {(v.name, tuple(replace(i, sizes) for i in v.subs)): x for v, x in drawn.items()}
        numbers = Numbers.of(self.system, sizes, points, 0, keyed)
        with np.errstate(all="ignore"):
            first, second = np.broadcast_arrays(numbers.value(self.left), numbers.value(self.right))
        shape = (points, *first.shape[1:])
        return np.broadcast_to(first, shape), np.broadcast_to(second, shape)

    def _at(self, given: Mapping[Var, Array], sizes: Mapping[sympy.Symbol, int]) -> Counterexample | None:
        """The counterexample at one point, if it is one: by many digits, or by far more than rounding could do."""
        left, right = self._sides({v: np.asarray(x)[None] for v, x in given.items()}, sizes, 1)
        if not (np.isfinite(left).all() and np.isfinite(right).all()):
            return None
        failing = self._confirmed(given, sizes, left, right)
        if failing is None:
            failing = EXCESS[self.relation](left, right) > (MARGIN if self._sound else CLEAR)
        return Counterexample(given, left[0], right[0], sizes) if failing else None

    def _confirmed(
        self, given: Mapping[Var, Array], sizes: Mapping[sympy.Symbol, int], left: Array, right: Array
    ) -> bool | None:
        """Whether the relation fails with many digits too, at the entry where it fails most; None without such."""
        gap = _GAPS[self.relation](left, right)
        place = [int(k) + 1 for k in np.unravel_index(int(np.argmax(gap)), gap.shape)][1:]
        sides = [b.at(x, *place) if x.order else x for x in (self.left, self.right)]
        first, second = (precise(self.system, x, sizes, given) for x in sides)
        if first is None or second is None:
            return None
        size = max(abs(first), abs(second)) or 1.0
        excess = EXCESS[self.relation]
        by_digits = excess(np.asarray([first / size]), np.asarray([second / size]))
        return min(by_digits, excess(left / size, right / size)) > ROUNDING

    @property
    def _sound(self) -> bool:
        """Whether nothing is inverted or averaged over a law, so that values have nearly all their digits."""
        return not self.by_quadrature and not any(
            isinstance(n, Call) and n.fn in ("inv", "det") for x in (self.left, self.right) for n in postorder(x)
        )


def precise(system: System, expr: Expr, sizes: Mapping[sympy.Symbol, int], given: Mapping[Var, Array]) -> float | None:
    """The value of a scalar, computed with many digits; None where it is long or has no exact reading."""
    exact_inputs = {v: _nested(x) for v, x in given.items()}
    places = steps_at(system, sizes)
    whole = expanded(definitions(specialise(system, places)).apply(spread(reindex(expr, places))))
    if size(whole) > MOST_NAMES:
        return None
    try:
        return float(sympy.N(exact_evaluate(whole, sizes, exact_inputs), DIGITS))
    except (InternalError, TypeError, ValueError, ZeroDivisionError):
        return None


def _nested(x: Array) -> Any:
    if not np.ndim(x):
        return Fraction(float(x)).limit_denominator(10**6)
    return [_nested(row) for row in x]


def plain(x: Array) -> Any:
    """An array as nested lists of whole numbers, fractions with small denominators, or floating-point numbers."""
    if not np.ndim(x):
        return exact(float(x))
    return [plain(row) for row in x]


def exact(value: float) -> Any:
    """The number as it would be written."""
    if value == round(value) and abs(value) < 1e15:
        return int(value)
    near = Fraction(value).limit_denominator(200)
    return near if abs(float(near) - value) < 1e-14 else value


def literal_values(x: Array) -> tuple[Fraction | float, ...]:
    """The entries row by row, for a literal."""
    found = (exact(float(v)) for v in np.ravel(x))
    return tuple(Fraction(v) if isinstance(v, int) else v for v in found)
