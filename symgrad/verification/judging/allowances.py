"""Lines that are right on a condition: ∂⁺ for ∂, an input that the text fixes, some members, what a name is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from symgrad.errors import near
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Name, Subscript, Tree
from symgrad.tensor.nodes import Var
from symgrad.tensor.system import Definition
from symgrad.verification.errors import Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.trials import Point, Trial, points, readings, tried, unknown_orders
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.judging.weighing import accepted, counterexample
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Outcome
from symgrad.verification.meaning.derivatives import node_of
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.naming import node
from symgrad.verification.meaning.readings import PLAIN, Notation, Partials, Reading
from symgrad.verification.meaning.values import Misfit

_PATHS: Final[Mapping[Partials, str]] = {
    "immediate": "∂ on the left is the immediate partial ∂⁺, not the total derivative",
    "alone": "∂ on the left goes along this state alone, with the others held",
}
"""How the derivative on the left may be meant, where it is not the total one."""


def immediately(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement | None:
    """Right where the derivative on the left is the immediate partial, or goes along one state alone."""
    left, right = equation.left, equation.right
    if not (isinstance(left, Call) and left.func.id == "jacobian" and not left.keywords):
        return None
    for partials, words in _PATHS.items():
        try:
            at = points(bench, left, right, kinds, notation, Reading(partials=partials))
        except (Unclear, Misfit):
            continue
        if not at or not any(abs(p.truth.data).max() > 0 for p in at):
            continue
        meaning = bench.meaning(at[0].world, PLAIN, notation)
        if meaning.value(left.args[0], at[0].ints).order == 0:
            return None  # of a loss, what later steps add is the point of the question
        of, wrt = (node_of(meaning, x, at[0].ints) for x in left.args)
        if partials == "immediate" and of is not None and wrt is not None and at[0].world.forgets(of, wrt):
            continue
        for reading in readings(right):
            trial = tried(bench, at, right, reading, notation)
            good = accepted([trial], True, True, equation) if trial.holds else None
            if good is not None and good.verdict in (w.RIGHT, w.OTHER_LAYOUT):
                return Judgement(w.RIGHT_IF, f"right if {words}", trial=trial)
    return None


def within_axes(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement | None:
    """Right where a sum leaves out what lies beyond an axis, as sums over the taps of a filter do at the border."""
    if not any(isinstance(x, Call) and x.func.id == "sum" and x.keywords for x in walk(equation.right)):
        return None
    reading = Reading(inside=True)
    try:
        at = points(bench, equation.left, equation.right, kinds, notation, reading, most=_MOST_PLACES)
    except (Unclear, Misfit):
        return None
    trial = tried(bench, at, equation.right, reading, notation) if at else None
    if trial is None or trial.outcome is not Outcome.SAME:
        return None
    return Judgement(w.RIGHT_IF, "right if terms beyond the ends of an axis are left out", trial=trial)


def for_some_members(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement | None:
    """Right for the members of a family that one line of the model defines: q_i for i ≥ 1, where q_0 is another."""
    left = equation.left
    if not (isinstance(left, Subscript) and isinstance(left.base, Name)) or notation.where:
        return None
    definitions = bench.problem.system.family(left.base.id)
    if len(definitions) < 2:
        return None
    at = points(bench, left, equation.right, kinds, notation, most=_MOST_PLACES)
    for d in definitions:
        inside = [p for p in at if _defined_by(bench, p, left, d, notation)]
        trial = tried(bench, inside, equation.right, PLAIN, notation) if inside else None
        if trial is not None and trial.outcome is Outcome.SAME:
            ranges = ", ".join(f"{x.symbol} = {x.lo}, …, {x.hi}" for x in d.ranges) or "the first member"
            return Judgement(w.RIGHT_IF, f"right for {ranges}", trial=trial)
    return None


def _defined_by(bench: Bench, point: Point, left: Subscript, d: Definition, notation: Notation) -> bool:
    """Whether a line of the model defines the member at a point."""
    meaning = bench.meaning(point.world, PLAIN, notation)
    assert isinstance(left.base, Name)
    member = node(meaning, left.base, left.items[: len(d.indices)], point.ints)
    hit = point.world.numbers.system.definition(member) if isinstance(member, Var) else None
    return hit is not None and hit[0].indices == d.indices


def with_unknown(
    bench: Bench, equation: Equation, kinds: dict[str, str], loose: Sequence[Name], notation: Notation
) -> Judgement:
    """An equation with names that nobody declared, tried as numbers, vectors and matrices."""
    left, right = equation.left, equation.right
    names = " and ".join(repr(n.id) for n in loose[:3])
    inside = [{n.id for n in open_names((side,), bench.names, notation)[1]} for side in (left, right)]
    declared = [*bench.names.values()]
    suggestion = near(loose[0].id, declared) if len(loose) == 1 else None
    others = f" and {len(loose) - 3} others" if len(loose) > 3 else ""
    unknown = f"{names}{others} {'is' if len(loose) == 1 else 'are'} neither declared nor defined"
    unknown += f"; did you mean {suggestion!r}?" if suggestion else ""
    if len(loose) > 3:
        return Judgement(w.UNJUDGED, unknown)
    held: list[Trial] = []
    failed: Trial | None = None
    always = True
    for reading in unknown_orders(PLAIN, loose):
        trial = _tried_with(bench, left, right, kinds, notation, reading)
        if trial is not None and trial.outcome is Outcome.SAME:
            held.append(trial)
            continue
        always = always and trial is None
        if trial is not None and trial.outcome is Outcome.VALUES:
            failed = failed or trial
    said = ", ".join(f"{n} {_ORDERS[k]}" for n, k in held[0].reading.orders) if held else ""
    numbers = failed is None and bool(held) and all(k == 0 for _, k in held[0].reading.orders)
    if held and (always or numbers):
        return Judgement(w.RIGHT, "" if always else said, trial=held[0], sure=False)
    if held:
        return Judgement(w.RIGHT_IF, f"right if {said}", trial=held[0], sure=False)
    if failed is not None and inside[0] == inside[1]:
        example = counterexample(failed.failure)
        return Judgement(w.WRONG, "the two sides differ", counterexample=example, trial=failed, sure=False)
    return Judgement(w.UNJUDGED, unknown)


def _tried_with(
    bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, reading: Reading
) -> Trial | None:
    """The trial of an equation whose undeclared names have given orders: the first that holds, or has a value."""
    found: Trial | None = None
    for variant in (reading, replace(reading, gradients="denominator"), replace(reading, loose=True)):
        try:
            at = points(bench, left, right, kinds, notation, variant)
        except (Unclear, Misfit):
            continue
        trial = tried(bench, at, right, variant, notation) if at else None
        if trial is not None and trial.outcome is Outcome.SAME:
            return trial
        found = found or trial
    return found


_MOST_PLACES = 12


_ORDERS = ("is a number", "is a vector", "is a matrix")


# Rejecting
