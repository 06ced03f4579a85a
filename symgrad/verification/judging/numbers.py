"""Lines that are right for plain numbers only, or as far as a number is written out."""

from __future__ import annotations

from msgspec.structs import replace

from symgrad.syntax.tree import Tree
from symgrad.verification.errors import Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.adjoints import is_adjoint
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.plain_numbers import speaks_numbers
from symgrad.verification.judging.rejection import failure_words, shape_failure
from symgrad.verification.judging.shown import shown_array
from symgrad.verification.judging.trials import Trial, has_derivative, points, readings, tried
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Outcome
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit


def to_precision(
    bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, equation: Equation
) -> Judgement | None:
    """Numbers that agree as far as they are written out: 0.753 for 58/77."""
    written = shown_array(right)
    if written is None or not (written.decimals or equation.rounded):
        return None
    try:
        at = points(bench, left, right, kinds, notation)
    except (Unclear, Misfit):
        return None
    for point in at:
        if point.truth.shape != written.shape:
            return None
        if not all(written.stands_for(values) for values in point.truth.data.real):
            return None
    if not at:
        return None
    if written.shape:
        return Judgement(w.TO_PRECISION, "right as far as the digits go")
    value = at[0].truth.data.real.reshape(-1)[0]
    return Judgement(w.TO_PRECISION, f"right as far as the digits go: it is {value:.8g}")


def as_scalars(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement | None:
    """Right where every quantity is a number, of lines that have no meaning as matrices."""
    left, right = equation.left, equation.right
    derivative = has_derivative(left) or is_adjoint(left, notation)
    if not derivative or not equation.scalars or not speaks_numbers(bench, right, kinds, notation):
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
