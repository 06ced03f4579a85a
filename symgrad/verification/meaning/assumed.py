"""Random inputs that satisfy what a problem assumes: rows that sum to 1, vectors of length 1, a > b."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import sympy

from symgrad.calculus.moving import Key
from symgrad.calculus.numeric import Numbers
from symgrad.problem.model import Problem
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.nodes import Call, Compare, Expr, Num, Reduce, Var
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.stable import Array
from symgrad.tensor.system import System

POOL: Final = 64
_CLOSE: Final = 1e-9


def conditions_of(problem: Problem) -> tuple[Compare, ...]:
    """What a problem assumes of values."""
    return tuple(c for c in problem.assumptions if isinstance(c, Compare))


class Assumed(Mapping[Key, Array]):
    """Inputs at points at which the assumptions hold, as many as are wanted.

    Inputs that one assumption fixes in a known way are made to satisfy it; among the points those are chosen at which
    all hold. ``met`` says whether there were enough.
    """

    def __init__(
        self, problem: Problem, system: System, sizes: Mapping[sympy.Symbol, int], points: int, seed: int
    ) -> None:
        conditions = conditions_of(problem)
        shaped = _Shaped(problem, Numbers.of(system, sizes, POOL, seed), conditions)
        self._shaped = shaped
        self._pool = Numbers.of(system, sizes, POOL, seed, shaped)
        good = np.flatnonzero(np.logical_and.reduce([_holds(problem, self._pool, c) for c in conditions]))
        self.met = len(good) >= points
        self._chosen = good[:points] if self.met else np.arange(points)

    def __contains__(self, key: object) -> bool:
        return key in self._shaped

    def __getitem__(self, key: Key) -> Array:
        value = self._shaped[key]
        return value[self._chosen] if len(value) > 1 else value

    def __iter__(self) -> Iterator[Key]:
        return iter(self._shaped)

    def __len__(self) -> int:
        return len(self._shaped)


class _Shaped(Mapping[Key, Array]):
    """The inputs of a model, each made to satisfy the assumptions that speak of it alone."""

    def __init__(self, problem: Problem, raw: Numbers, conditions: Sequence[Compare]) -> None:
        self._problem, self._raw, self._conditions = problem, raw, conditions
        self._made: dict[Key, Array] = {}

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, tuple) or key[0] not in self._problem.declarations:
            return False
        return self._raw.system.body(Var(key[0], key[1], ())) is None

    def __getitem__(self, key: Key) -> Array:
        if key not in self._made:
            value = self._raw.value(self._problem.node(key[0], *key[1]))
            for condition in self._conditions:
                value = _satisfying(condition, key[0], value)
            self._made[key] = value
        return self._made[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._problem.declarations)


def _satisfying(condition: Compare, name: str, value: Array) -> Array:
    """The value of an input, changed so that a condition on it alone holds, where it is known how."""
    match condition:
        case Compare("==", Reduce("sum", Var(family), axes), Num(total)) if family == name:
            at = tuple(a + 1 for a in axes)
            sums = value.sum(axis=at, keepdims=True)
            if (value > 0).all() and total > 0:
                return np.asarray(value / sums * float(total))
            return np.asarray(value + (float(total) - sums) / np.prod([value.shape[a] for a in at]))
        case Compare("==", Call("norm", (Var(family),)), Num(length)) if family == name:
            axes = tuple(range(1, value.ndim))
            return np.asarray(value / np.sqrt((value * value).sum(axis=axes, keepdims=True)) * float(length))
        case Compare(">" | ">=", Var(family), Num(bound)) if family == name:
            return np.asarray(float(bound) + np.abs(value - float(bound)))
        case Compare("<" | "<=", Var(family), Num(bound)) if family == name:
            return np.asarray(float(bound) - np.abs(value - float(bound)))
    return value


def _holds(problem: Problem, numbers: Numbers, condition: Compare) -> Array:
    """At which points a condition holds, at every step for which it is said."""
    good = np.ones((POOL,), dtype=bool)
    symbols = [s for s in free_ints(condition) if s in problem.steps]
    ranges = [problem.steps[s] for s in symbols]
    spans = [range(evaluate_int(x.lo, numbers.sizes), evaluate_int(x.hi, numbers.sizes) + 1) for x in ranges]
    for chosen in itertools.product(*spans):
        at = dict(zip(symbols, chosen, strict=True))
        good &= np.broadcast_to(_true(numbers, condition, at).reshape(-1), (POOL,))
    return good


def _true(numbers: Numbers, condition: Compare, at: Mapping[sympy.Symbol, int]) -> Array:
    if condition.op != "==":
        truth = numbers.value(condition, at) != 0
    else:
        left, right = (_wide(numbers.value(side, at), condition) for side in (condition.left, condition.right))
        truth = np.abs(left - right) <= _CLOSE * (1 + np.abs(left))
    return np.asarray(truth.reshape(len(truth), -1).all(axis=1))


def _wide(value: Array, condition: Expr) -> Array:
    return value.reshape(len(value), *(1,) * (condition.order - (value.ndim - 1)), *value.shape[1:])
