"""Certification: a line exists only if both its sides agree in numbers, at several random points and sizes."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import sympy
from msgspec import Struct, field

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.probes import probe, probe_of
from symgrad.derivation.steps import Check, Line, Reason
from symgrad.errors import CertificationError, QuestionError
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.nodes import Binder, Deriv, Expr
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.stable import Array
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder

POINTS = 5
RESAMPLES = 6
TOLERANCE = 1e-9
DIFFERENCE_TOLERANCE = 1e-5
BESIDE_KINKS = " where there is no kink"
FEWEST_SMOOTH = 0.5
"""How many of the entries must have one slope on both sides, where those on a kink are left out."""
DIFFERENCE_STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
"""The largest step is the most exact for smooth models; a long recurrence, or kinks near by, need a smaller one."""
_TOO_LARGE: Final = "{} is too large to compute at the points tried"


class Certifier(Struct):
    """Evaluates lines of one question in several numeric instances of the model."""

    instances: list[Numbers]
    checks: list[Check] = field(default_factory=list)

    @classmethod
    def of(cls, system: System, choices: Sequence[Mapping[sympy.Symbol, int]], points: int = POINTS) -> "Certifier":
        """A certifier with one instance for each choice of sizes and open indices."""
        return cls([Numbers.of(system, sizes, points, seed=k) for k, sizes in enumerate(choices)])

    def know(self, definitions: Iterable[Definition]) -> None:
        """Add named nodes that lines may use."""
        definitions = tuple(definitions)
        self.instances = [n.extended(definitions) for n in self.instances]

    def open(self, ranges: Iterable[Binder]) -> None:
        """Give an open index a value in every instance: any place of its range."""
        for turn, numbers in enumerate(self.instances):
            values = dict(numbers.sizes)
            for x in ranges:
                lo, hi = evaluate_int(x.lo, values), evaluate_int(x.hi, values)
                values[x.symbol] = lo + turn % (hi - lo + 1)
            self.instances[turn] = numbers.resized(values)

    def line(
        self,
        left: Expr,
        *right: Expr,
        reason: Reason = (),
        rule: str = "",
        ranges: tuple[Binder, ...] = (),
        boxed: bool = False,
        relation: str = "=",
    ) -> Line:
        """The line left = right[0] = …, after evaluating every side; ``relation`` may also be iff, <=, <, >= or >.

        Raises:
            CertificationError: two sides are not in that relation; nothing is printed.
        """
        check = self.compare(left, *right, ranges=ranges, relation=relation)
        self.checks.append(check)
        return Line(left, right, reason, rule, check, ranges, boxed, relation=relation)

    def compare(self, left: Expr, *right: Expr, ranges: tuple[Binder, ...] = (), relation: str = "=") -> Check:
        """The largest relative violation of the relation between neighbouring sides, over all instances and indices.

        Raises:
            CertificationError: it is above the tolerance.
            QuestionError: the left side is no finite number, so that nothing can be said.
        """
        excess = EXCESS[relation]
        ways: set[str] = set()

        def violation(numbers: Numbers) -> float:
            worst = 0.0
            for indices in index_values(ranges, numbers.sizes):
                by = probe_of(numbers, left, relation, indices)
                sides = [numbers.inside(x) for x in (by.slopes(left), *(by.value(x) for x in right))]
                for k, side in enumerate(sides[1:]):
                    error = excess(sides[0] if excess is relative_error else sides[k], side)
                    if not error <= TOLERANCE:
                        if not np.isfinite(sides[0]).all():
                            raise QuestionError(_TOO_LARGE.format(describe_node(left)))
                        raise CertificationError(
                            f"{describe_node(left)} and {describe_node(right[0])} differ by {error:.1e} "
                            f"at {_places(indices)}; this is a fault of symgrad"
                        )
                    worst = max(worst, error)
                by.confirm(left, right)
                ways.add(by.how)
            return worst

        worst = self._where_defined(violation)
        kind = "complex step" if any(_differentiates(x) for x in (left, *right)) else "evaluation"
        return self._check(f"the {kind}{max(ways)}" if any(ways) else kind, worst)

    def _check(self, kind: str, worst: float) -> Check:
        """A check at all instances: so many points at each choice of sizes."""
        sizes = len({tuple(sorted((s.name, n) for s, n in x.sizes.items())) for x in self.instances})
        return Check(kind, worst, self.instances[0].points * len(self.instances) // sizes, sizes)

    def _where_defined(self, judge: Callable[[Numbers], float]) -> float:
        """The worst verdict over the instances, each at other points where something has no value at any of its own.

        Raises:
            QuestionError: it has none at the other points either.
        """
        worst = 0.0
        for k in range(len(self.instances)):
            for left in reversed(range(RESAMPLES)):
                try:
                    worst = max(worst, judge(self.instances[k]))
                    break
                except QuestionError:
                    if not left:
                        raise
                    self.instances[k] = self.instances[k].reseeded()
        return worst

    def differences(self, of: Expr, wrt: Expr, value: Expr, held: Iterable[Expr] = ()) -> Check:
        """The value compared with central differences of the forward model.

        Raises:
            CertificationError: they disagree.
            QuestionError: the differences are no finite numbers, or most lie on a kink, so that nothing can be said.
        """
        held = tuple(held)
        ways: set[str] = set()
        kinks: set[str] = set()

        def violation(numbers: Numbers) -> float:
            by = probe(numbers, of, wrt, {})
            ways.add(by.how)
            claimed = numbers.inside(by.value(value))
            error = float("inf")
            for h in DIFFERENCE_STEPS:
                found = numbers.inside(by.differences(of, wrt, held, h))
                error = min(error, relative_error(found, claimed))
                if error <= DIFFERENCE_TOLERANCE:
                    return error
            if not np.isfinite(found).all():
                raise QuestionError(_TOO_LARGE.format(describe_node(of)))
            smooth = numbers.inside(by.smooth(of, wrt, held, h))
            if smooth.mean() < FEWEST_SMOOTH:
                raise QuestionError(f"{describe_node(of)} has a kink at most of the points tried")
            if not smooth.all():
                beside = relative_error(np.where(smooth, found, 0.0), np.where(smooth, claimed, 0.0))
                if beside <= DIFFERENCE_TOLERANCE:
                    kinks.add(BESIDE_KINKS)
                    return beside
            raise CertificationError(
                f"the derivative of {describe_node(of)} by {describe_node(wrt)} disagrees with central "
                f"differences by {error:.1e}; this is a fault of symgrad"
            )

        worst = self._where_defined(violation)
        check = self._check(f"central differences{max(ways)}{max(kinks, default='')}", worst)
        self.checks.append(check)
        return check


def _differentiates(side: Expr) -> bool:
    """Whether an unresolved derivative stands in a side: its value is that of the forward model by the complex step."""
    return any(isinstance(x, Deriv) for x in postorder(side))


def relative_error(a: Array, b: Array) -> float:
    """max |a − b| over the largest of max |a|, max |b| and 10⁻³; infinite where shapes or finiteness differ."""
    if a.shape[1:] != b.shape[1:]:
        return float("inf")
    if a.size == 0:
        return 0.0
    a, b = np.asarray(a), np.asarray(b)
    same = np.isinf(a) & np.isinf(b) & (np.sign(a.real) == np.sign(b.real))
    a, b = np.where(same, 0.0, a), np.where(same, 0.0, b)
    gap = np.abs(a - b)
    if not np.isfinite(gap).all():
        return float("inf")
    return float(gap.max() / max(1e-3, float(np.abs(a).max()), float(np.abs(b).max())))


def _above(a: Array, b: Array) -> float:
    """By how much a exceeds b at most, over the larger of 1 and max |b|; 0 where a ≤ b everywhere."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    worst = np.broadcast_to(a - b, shape)
    return max(0.0, float(worst.max()) / max(1.0, float(np.abs(b).max()))) if np.isfinite(worst).all() else float("inf")


EXCESS: Mapping[str, Callable[[Array, Array], float]] = {
    "=": relative_error,
    "iff": relative_error,
    "<=": _above,
    "<": lambda a, b: _above(a, b) if (np.asarray(b) > np.asarray(a)).all() else float("inf"),
    ">=": lambda a, b: _above(b, a),
    ">": lambda a, b: _above(b, a) if (np.asarray(a) > np.asarray(b)).all() else float("inf"),
}
"""By how much a relation between two arrays is violated."""


def index_values(
    ranges: Sequence[Binder], sizes: Mapping[sympy.Symbol, int], most: int = 4
) -> list[dict[sympy.Symbol, int]]:
    """Values of open indices to try: every one of a short range, the ends and the middle of a long one."""
    out: list[dict[sympy.Symbol, int]] = [{}]
    for x in ranges:
        grown: list[dict[sympy.Symbol, int]] = []
        for chosen in out:
            env = {**sizes, **chosen}
            lo, hi = evaluate_int(x.lo, env), evaluate_int(x.hi, env)
            values = range(lo, hi + 1)
            tried = sorted({lo, lo + 1, (lo + hi) // 2, hi}) if len(values) > most else values
            grown += [{**chosen, x.symbol: v} for v in tried]
        out = grown
    return list(itertools.islice(out, 24))


def _places(indices: Mapping[sympy.Symbol, int]) -> str:
    return ", ".join(f"{s} = {v}" for s, v in indices.items()) or "a random point"
