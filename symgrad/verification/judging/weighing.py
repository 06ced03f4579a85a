"""A line weighed under one reading after another, and the verdict where one holds."""

from __future__ import annotations

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Name, Transpose, Tree
from symgrad.verification.errors import Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.trials import Failure, Point, Trial, points, readings, tried
from symgrad.verification.judging.verdicts import Counterexample, Judgement
from symgrad.verification.judging.words import described, measured
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Outcome
from symgrad.verification.meaning.readings import Notation, Reading
from symgrad.verification.meaning.sizings import sizings
from symgrad.verification.meaning.values import Misfit


def by_readings(
    bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, truth: Reading | None
) -> list[Trial] | Judgement:
    """The trials under one reading after another, up to the first that holds."""
    trials: list[Trial] = []
    at: list[Point] = []
    trouble: Exception | None = None
    if truth is not None:
        try:
            at = points(bench, left, right, kinds, notation, truth)
        except (Unclear, Misfit) as error:
            return no_truth(error)
    sizes = sizings(bench, left, right, kinds, notation)
    for reading in readings(right if truth is not None else _both(left, right), sizes):
        if truth is None:
            try:
                at = points(bench, left, right, kinds, notation, reading)
            except (Unclear, Misfit) as error:
                trouble = error
                continue
        if not at:
            continue
        trial = tried(bench, at, right, reading, notation)
        trials.append(trial)
        if trial.holds:
            break
        if trial.outcome is None and "neither declared" in trial.unclear:
            break
    if not trials:
        return no_truth(trouble) if trouble else Judgement(w.UNJUDGED, "there is no step at which it says anything")
    return trials


def _both(left: Tree, right: Tree) -> Tree:
    return Call(Name("both", place=left.place), (left, right), (), place=left.place)


def no_truth(error: Exception | None) -> Judgement:
    """The verdict where the left side has no value."""
    if isinstance(error, Misfit):
        return Judgement(w.SHAPE_ERROR, f"the left side: {described(error)}")
    return Judgement(w.UNJUDGED, str(error))


def accepted(trials: list[Trial], derivative: bool, atomic: bool, equation: Equation) -> Judgement | None:
    """The verdict where a reading holds."""
    trial = trials[-1]
    if trial.kinks and not trial.holds:
        return Judgement(
            w.RIGHT_IF, "right everywhere but at a kink, where the derivative is a convention", trial=trial
        )
    if not trial.holds:
        kinked = next((t for t in trials if t.kinks), None)
        if kinked is None:
            return None
        return Judgement(
            w.RIGHT_IF, "right everywhere but at a kink, where the derivative is a convention", trial=kinked
        )
    if trial.partly:
        return Judgement(w.RIGHT_IF, "right where both sides are defined", trial=trial)
    reading = trial.reading
    notes = "a vector before a derivative is read as its diagonal matrix" if reading.spread else _notes(reading)
    if reading.joined:
        notes = "; ".join(filter(None, (notes, "vectors in brackets are read as one vector")))
    if reading.backwards:
        return Judgement(w.RIGHT_IF, "right if the product over the range is taken in the other order", trial=trial)
    if reading.entries:
        return Judgement(w.RIGHT_IF, "right if * between matrices is taken entry by entry", trial=trial)
    if reading.columns:
        return Judgement(w.RIGHT_IF, "right if softmax is taken along the columns", trial=trial)
    if reading.norms != "model":
        return Judgement(w.RIGHT_IF, measured(reading), trial=trial)
    turned = trial.outcome is Outcome.TURNED
    other = turned or reading.loose or reading.gradients == "denominator"
    if reading.gradients == "row" and not trial.formal:
        other = True
    if not other:
        return Judgement(w.RIGHT, notes, trial=trial)
    if derivative and reading.loose and not turned and any(isinstance(x, Transpose) for x in walk(equation.right)):
        return None  # who transposes does not let vectors lie down by themselves
    if derivative:
        said = "the result is transposed: the other layout of derivatives" if turned or reading.loose else ""
        said = said or "the factors stand as in the other layout of derivatives"
        return Judgement(w.OTHER_LAYOUT, "; ".join(filter(None, (said, notes))), trial=trial)
    if turned and atomic:
        return Judgement(w.OTHER_LAYOUT, "right with vectors lying down", trial=trial)
    if not turned and not reading.loose:
        return Judgement(w.RIGHT, notes, trial=trial)
    if reading.loose and not turned:
        return Judgement(
            w.RIGHT_IF, "right if a vector on the left of a product lies down (is transposed)", trial=trial
        )
    return None


def _notes(reading: Reading) -> str:
    match reading.partials:
        case "leaves":
            return "∂ by a parameter is read as the immediate partial ∂⁺"
        case "neighbours" | "immediate":
            return "∂ on the right is read as the immediate partial ∂⁺"
    return ""


def counterexample(failure: Failure | None) -> Counterexample | None:
    """The point at which a line fails, with both numbers."""
    if failure is None or failure.gap is None or failure.point is None:
        return None
    at = {n: k for n, k in failure.point.world.sizes.items() if n != "*"} | dict(failure.point.ints)
    return Counterexample(at, failure.gap.entry, failure.gap.expected, failure.gap.given)
