"""Lines that are right for plain numbers only, or as far as a number is written out."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from symgrad.syntax.tree import Number, Tree, Unary
from symgrad.verify import verdicts as w
from symgrad.verify.adjoints import is_adjoint
from symgrad.verify.bench import Bench
from symgrad.verify.compare import Outcome
from symgrad.verify.equations import Equation
from symgrad.verify.errors import Unclear
from symgrad.verify.readings import PLAIN, Notation
from symgrad.verify.rejection import failure_words, shape_failure
from symgrad.verify.trials import Trial, has_derivative, points, readings, speaks_matrices, tried
from symgrad.verify.values import Misfit
from symgrad.verify.verdicts import Judgement


def to_precision(
    bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, equation: Equation
) -> Judgement | None:
    """A number that agrees as far as it is written out: 0.753 for 58/77."""
    shown = right.operand if isinstance(right, Unary) else right
    if not isinstance(shown, Number):
        return None
    decimals = len(shown.spelling.partition(".")[2])
    if not decimals and not equation.rounded:
        return None
    unit = Fraction(1, 10**decimals)
    sign = -1 if isinstance(right, Unary) and right.op == "-" else 1
    try:
        at = points(bench, left, right, kinds, notation)
    except (Unclear, Misfit):
        return None
    for point in at:
        values = point.truth.data.real.reshape(-1)
        gap = abs(values - float(sign * shown.value)).max()
        if point.truth.order or not gap < float(unit) * (1 - 1e-9):
            return None
        if gap > float(unit) / 2 * (1 + 1e-9) and not abs(values[0]) >= abs(float(shown.value)):
            return None
    if not at:
        return None
    return Judgement(w.TO_PRECISION, f"right to {decimals} decimals: it is {at[0].truth.data.real.reshape(-1)[0]:.8g}")


def as_scalars(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement | None:
    """Right where every quantity is a number, of lines that have no meaning as matrices."""
    left, right = equation.left, equation.right
    derivative = has_derivative(left) or is_adjoint(left, notation)
    if not derivative or not equation.scalars or speaks_matrices(right):
        return None
    if any(t.outcome is Outcome.VALUES and not t.reading.loose and not t.kinks for t in trials):
        return None
    trial = scalar_trial(bench, left, right, kinds, notation)
    if trial is None:
        return None
    reason = "right where every quantity is a number; as matrices, " + failure_words(bench, left, trials)
    return Judgement(w.AS_SCALARS, reason, trial=replace(trial, failure=shape_failure(trials)))


def scalar_trial(bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation) -> Trial | None:
    """The trial that holds where every quantity is a number; None where none does."""
    try:
        at = points(bench, left, right, kinds, notation, PLAIN, (bench.scalars,))
    except (Unclear, Misfit):
        return None
    if not any(abs(p.truth.data).max() > 0 for p in at):
        return None
    for reading in readings(right):
        if reading.gradients != "column" or reading.loose or reading.entries or reading.backwards:
            continue
        trial = tried(bench, at, right, reading, notation)
        if trial.holds:
            return trial
    return None
