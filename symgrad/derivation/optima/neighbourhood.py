"""Optima checked in numbers: nothing near by, and nothing far away, is better."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.steps import Check
from symgrad.errors import CertificationError
from symgrad.tensor.integers import replace
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.stable import Array

STEPS = (1e-3, 1e-2, 1e-1, 1.0)
FAR = (3.0, 10.0, 100.0, 1e4)
TOLERANCE = 1e-9
Projection = Callable[[Array], Array]


def check(
    instances: Sequence[Numbers],
    of: Expr,
    places: Mapping[Var, Expr],
    value: Expr,
    maximum: bool,
    onto: Mapping[Var, Projection],
) -> Check:
    """No admissible point near the optimum, or far from it, has a better value.

    Args:
        instances: the model in numbers.
        of: what is optimised.
        places: where the optimum is claimed to be: for each variable an expression of its shape.
        value: how much it is claimed to be there.
        maximum: whether it is a maximum.
        onto: moves points to admissible ones, for the variables that are not free.

    Raises:
        CertificationError: the value is another, or a better point was found.
    """
    sign = 1.0 if maximum else -1.0
    worst = 0.0
    for numbers in instances:
        best = {v: np.broadcast_to(a := numbers.value(at), (numbers.points, *a.shape[1:])) for v, at in places.items()}
        claimed = numbers.value(value)
        size = max(1.0, float(np.abs(claimed).max()))
        gap = float(np.abs(_moved(numbers, best).value(of) - claimed).max() / size)
        if not gap < TOLERANCE:
            raise CertificationError(f"the optimum has another value; off by {gap:.1e}; this is a fault of symgrad")
        worst = max(worst, gap)
        for other in _others(best, onto):
            with np.errstate(all="ignore"):
                better = sign * (_moved(numbers, other).value(of) - claimed)
            if float(np.nan_to_num(better, nan=0.0).max(initial=0.0)) > TOLERANCE * size:
                raise CertificationError("a better point than the optimum was found; this is a fault of symgrad")
    kind = "agrees: no point tried near by or far away is better"
    return Check(kind, worst, instances[0].points, len(instances))


def _others(best: Mapping[Var, Array], onto: Mapping[Var, Projection]) -> Iterator[dict[Var, Array]]:
    """Points round the best one, then points in all directions, ever farther from it."""
    random = np.random.default_rng(7)
    steps = [step for step in STEPS for _ in range(4)] + [step for step in FAR for _ in range(8)]
    for step in steps:
        moved = {v: a + step * random.normal(size=a.shape) for v, a in best.items()}
        yield {v: onto[v](a) if v in onto else a for v, a in moved.items()}


def _moved(numbers: Numbers, values: Mapping[Var, Array]) -> Numbers:
    """The same numbers with other values of some inputs."""
    keys = {(v.name, tuple(replace(s, numbers.sizes) for s in v.subs)): a for v, a in values.items()}
    return Numbers(numbers.system, numbers.sizes, numbers.points, numbers.seed, {**numbers.given, **keys})
