"""Lines that are wrong, with the point at which they fail, or whose shapes do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.syntax.tree import Tree
from symgrad.verification.errors import Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.adjoints import is_adjoint
from symgrad.verification.judging.plain_numbers import speaks_numbers
from symgrad.verification.judging.trials import Failure, Trial, has_derivative, points, tried
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.judging.weighing import counterexample
from symgrad.verification.judging.words import at_point, described, shape_words
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Outcome
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit


def shape_failure(trials: Sequence[Trial]) -> Failure | None:
    """How a line fails as matrices, in its plainest reading."""
    return next((t.failure for t in trials if t.failure is not None), None)


def failure_words(bench: Bench, left: Tree, trials: Sequence[Trial]) -> str:
    """In words, how a line fails as matrices."""
    failure = shape_failure(trials)
    if failure is None:
        return "it has no value"
    if failure.misfit is not None:
        return described(failure.misfit, failure.point.world if failure.point else None)
    if failure.point is not None and failure.given is not None and failure.given != failure.point.truth.shape:
        shown = shape_words(failure.given, failure.point.world)
        return f"the right side is {shown}, the left side {shape_words(failure.point.truth.shape, failure.point.world)}"
    return "the values differ"


def rejected(
    bench: Bench, left: Tree, right: Tree, trials: list[Trial], kinds: dict[str, str], notation: Notation
) -> Judgement:
    """A wrong line with the point at which it fails, or one whose shapes do not fit, or one without a value."""
    if not all(world.met for world in bench.worlds):
        return Judgement(w.UNJUDGED, "no random inputs were found at which what the problem assumes holds")
    by_value = next((t for t in trials if t.outcome is Outcome.VALUES and not t.reading.loose), None)
    by_value = by_value or next((t for t in trials if t.outcome is Outcome.VALUES), None)
    if by_value is not None and by_value.failure is not None:
        return Judgement(
            w.WRONG, at_point(by_value.failure), counterexample=counterexample(by_value.failure), trial=by_value
        )
    by_shape = next((t for t in trials if t.outcome is Outcome.SHAPE), None)
    beyond = by_shape.failure.misfit if by_shape is not None and by_shape.failure is not None else None
    if beyond is not None and not beyond.shapes:
        return Judgement(w.WRONG, beyond.what, trial=by_shape)
    if by_shape is not None:
        wrong = wrong_as_scalars(bench, left, right, kinds, notation)
        if wrong is not None:
            reason = f"wrong even where every quantity is a number: {at_point(wrong.failure)}" if wrong.failure else ""
            return Judgement(w.WRONG, reason, counterexample=counterexample(wrong.failure), trial=wrong)
        return Judgement(w.SHAPE_ERROR, failure_words(bench, left, trials), trial=by_shape)
    turned = next((t for t in trials if t.outcome is Outcome.TURNED), None)
    if turned is not None:
        example = counterexample(turned.failure)
        return Judgement(
            w.WRONG, "the right side is the transpose of the left one", counterexample=example, trial=turned
        )
    return Judgement(w.UNJUDGED, next((t.unclear for t in trials if t.unclear), "it has no value"))


def wrong_as_scalars(bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation) -> Trial | None:
    """The trial of a line without the notation of matrices, where it has a wrong value as numbers."""
    derivative = has_derivative(left) or is_adjoint(left, notation)
    if not derivative or not speaks_numbers(bench, right, kinds, notation):
        return None
    try:
        at = points(bench, left, right, kinds, notation, PLAIN, (bench.scalars,))
    except (Unclear, Misfit):
        return None
    trial = tried(bench, at, right, PLAIN, notation)
    return trial if trial.outcome is Outcome.VALUES else None
