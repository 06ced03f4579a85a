"""Optima checked in numbers: nothing near by, and nothing drawn at random, is better."""

from collections.abc import Callable, Sequence

import numpy as np

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.steps import Check
from symgrad.errors import CertificationError
from symgrad.tensor.integers import replace
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.stable import Array

STEPS = (1e-3, 1e-2, 1e-1, 1.0)
Projection = Callable[[Array], Array]


def check(
    instances: Sequence[Numbers], of: Expr, over: Var, at: Expr, value: Expr, maximum: bool, onto: Projection
) -> Check:
    """No admissible point near ``at`` has a better value than ``value``.

    Args:
        instances: the model in numbers.
        of: what is optimised.
        over: the variable.
        at: where the optimum is claimed to be, of over's shape.
        value: how much it is claimed to be there.
        maximum: whether it is a maximum.
        onto: moves points to admissible ones.

    Raises:
        CertificationError: the value is another, or a better point was found.
    """
    sign = 1.0 if maximum else -1.0
    worst = 0.0
    for numbers in instances:
        best, claimed = numbers.value(at), numbers.value(value)
        there = _moved(numbers, over, best).value(of)
        gap = float(np.abs(there - claimed).max() / max(1.0, float(np.abs(claimed).max())))
        if not gap < 1e-9:
            raise CertificationError(f"the optimum has another value; off by {gap:.1e}; this is a fault of symgrad")
        worst = max(worst, gap)
        random = np.random.default_rng(7)
        for step in STEPS:
            for _ in range(4):
                full = np.broadcast_to(best, (numbers.points, *best.shape[1:]))
                other = onto(full + step * random.normal(size=full.shape))
                better = sign * (_moved(numbers, over, other).value(of) - claimed)
                if float(better[np.isfinite(better)].max(initial=0.0)) > 1e-9 * max(1.0, float(np.abs(claimed).max())):
                    raise CertificationError("a better point than the optimum was found; this is a fault of symgrad")
    sizes = len(instances)
    return Check("agrees: no point tried near by or far away is better", worst, instances[0].points, sizes)


def _moved(numbers: Numbers, over: Var, value: Array) -> Numbers:
    """The same numbers with another value of one input."""
    key = (over.name, tuple(replace(s, numbers.sizes) for s in over.subs))
    return Numbers(numbers.system, numbers.sizes, numbers.points, numbers.seed, {**numbers.given, key: value})


def anywhere(x: Array) -> Array:
    """Every point is admissible."""
    return x
