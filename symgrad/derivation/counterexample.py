"""Counterexamples: small inputs at which a claimed relation fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symgrad.calculus.numeric import Numbers
from symgrad.calculus.sampling import sample
from symgrad.derivation.certify import EXCESS
from symgrad.derivation.integral_rules import definitions
from symgrad.errors import InternalError
from symgrad.tensor.integers import evaluate_int, replace
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.probability import RANDOM, expanded
from symgrad.tensor.stable import Array
from symgrad.tensor.sympy_border import exact_evaluate
from symgrad.tensor.system import System
from symgrad.tensor.walk import variables

TRIES = 40
MARGIN = 1e-6
DIGITS = 30
_FREE_OF_FACTS = frozenset({"constant", "parameter"})


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Inputs, and the values of both sides there."""

    inputs: Mapping[Var, Array]
    left: Array
    right: Array
    sizes: Mapping[sympy.Symbol, int]


def leaves(system: System, exprs: Sequence[Expr]) -> tuple[Var, ...]:
    """The inputs that expressions depend on, in the order of first mention."""
    found: dict[Var, None] = {}
    waiting = list(exprs)
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
                waiting.append(body)
    return tuple(found)


def search(
    system: System,
    left: Expr,
    right: Expr,
    relation: str,
    choices: Sequence[Mapping[sympy.Symbol, int]],
) -> Counterexample | None:
    """The first small inputs at which the relation fails; None where none was found."""
    excess = EXCESS[relation]
    least = [{s: min(n, 2) if s.is_positive else 1 for s, n in choices[0].items()}] if choices else []
    choices = [*least, *choices]
    for turn in range(TRIES):
        for sizes in choices:
            inputs = leaves(system, [left, right])
            random = np.random.default_rng([turn, len(inputs)])
            given = {}
            for v in inputs:
                shape = tuple(evaluate_int(s, sizes) for s in v.shape)
                given[v] = small(v, shape, turn, random)
            keyed = {(v.name, tuple(replace(i, sizes) for i in v.subs)): np.asarray(x)[None] for v, x in given.items()}
            numbers = Numbers.of(system, sizes, 1, turn, keyed)
            sides = [numbers.value(x) for x in (left, right)]
            if not all(np.isfinite(s).all() for s in sides):
                continue
            if excess(sides[0], sides[1]) > MARGIN and _confirmed(system, (left, right), sides, sizes, given):
                return Counterexample(given, sides[0][0], sides[1][0], sizes)
    return None


def _confirmed(
    system: System,
    exprs: Sequence[Expr],
    values: Sequence[Array],
    sizes: Mapping[sympy.Symbol, int],
    given: Mapping[Var, Array],
) -> bool:
    """Whether scalars have these values with many digits too, so that no rounding is taken for a difference."""
    for expr, value in zip(exprs, values, strict=True):
        exact = None if expr.order else precise(system, expr, sizes, given)
        if exact is not None and abs(exact - float(value.reshape(-1)[0])) > MARGIN / 4 * max(1.0, abs(exact)):
            return False
    return True


def precise(system: System, expr: Expr, sizes: Mapping[sympy.Symbol, int], given: Mapping[Var, Array]) -> float | None:
    """The value of a scalar, computed with many digits; None where it has no exact reading."""
    exact_inputs = {v: _nested(x) for v, x in given.items()}
    whole = expanded(definitions(system).apply(expr))
    try:
        return float(sympy.N(exact_evaluate(whole, sizes, exact_inputs), DIGITS))
    except (InternalError, TypeError, ValueError, ZeroDivisionError):
        return None


def _nested(x: Array) -> Any:
    if not np.ndim(x):
        return Fraction(float(x)).limit_denominator(10**6)
    return [_nested(row) for row in x]


def small(v: Var, shape: tuple[int, ...], turn: int, random: np.random.Generator) -> Array:
    """Small whole numbers where nothing is said of the input, hundredths or a fair draw elsewhere."""
    said = v.facts - _FREE_OF_FACTS
    if not said and turn % 4 == 3:
        return np.asarray(random.integers(-4, 5, size=shape) / 4.0)
    if not said:
        return random.integers(-1 - turn // 8, 3 + turn // 8, size=shape).astype(float)
    if said == {"positive"} and turn % 4 == 3:
        return np.asarray(random.integers(1, 9, size=shape) / 4.0)
    if said == {"positive"}:
        return random.integers(1, 4 + turn // 4, size=shape).astype(float)
    if said == {"density"}:
        weights = random.integers(1, 6, size=shape).astype(float)
        return np.asarray(weights / weights.sum())
    drawn = sample(v.facts, shape, 1, random)[0]
    if all(f.startswith("between") or f in ("function", "probability") for f in said) and (
        not shape or "probability" not in said
    ):
        return np.asarray(np.round(drawn, 2))
    return np.asarray(drawn)


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
