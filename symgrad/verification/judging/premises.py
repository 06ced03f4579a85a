"""Lines that are right where something holds that the text supposes: `if f_t = 1`, `when γ = 0`, `for x > 0`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Final

import numpy as np
from msgspec.structs import replace

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Binary, Call, Compare, Name, Number, Subscript, Tree
from symgrad.verification.errors import Unclear
from symgrad.verification.judging import inequalities
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.trials import Point, Trial, has_derivative, points
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.judging.weighing import accepted, by_readings
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.integers import index
from symgrad.verification.meaning.readings import PLAIN, Notation, Partials, Reading
from symgrad.verification.meaning.supposing import Fixed, Premise, supposing
from symgrad.verification.meaning.values import Misfit

_EVERY_PATH: Final[tuple[Partials, ...]] = ("total", "leaves", "neighbours", "immediate")
_STEPS: Final = range(-1, 8)
_MOST_OPEN: Final = 2


def under_premises(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement | None:
    """Right where what the text supposes holds.

    A quantity of the model that has a given value acts as a constant, so a derivative may be taken only by what does
    not act on it; elsewhere it would be 0 for a wrong reason.
    """
    usable = [p for p in equation.premises if p.what is not None and not _entries(bench, p)]
    nearest = [usable[-k:] for k in range(2, len(usable) + 1)]
    for premises in [[p] for p in reversed(usable)] + nearest:
        for truth in _truths(equation):
            with suppress(Unclear, Misfit):
                supposed = supposing(bench, premises)
                found = _under(bench, supposed, premises, equation, kinds, notation, truth)
                if found is not None:
                    return found
    return _where_entries_are_so(bench, equation, kinds, notation)


def _where_entries_are_so(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation
) -> Judgement | None:
    """Right where what the text supposes of single entries holds, g_i if x_i > 0: elsewhere the line says nothing.

    What holds nowhere excuses nothing.
    """
    premises = [p for p in equation.premises if _entries(bench, p) and set(_open(bench, p)) <= kinds.keys()]
    left, right = equation.left, equation.right
    for premise in reversed(premises):
        assert isinstance(premise.what, Compare)
        here, nowhere = (
            by_readings(bench, left, _either(premise.what, side, left), kinds, notation, PLAIN)
            for side in (right, _more(right))
        )
        vacuous = isinstance(nowhere, Judgement) or nowhere[-1].holds
        if isinstance(here, list) and here[-1].holds and not vacuous:
            return Judgement(w.RIGHT_IF, f"right if {premise.words}, as the text says", trial=here[-1])
    return None


def _either(condition: Tree, one: Tree, other: Tree) -> Tree:
    return Call(Name("where", place=one.place), (condition, one, other), (), place=one.place)


def _more(tree: Tree) -> Tree:
    return Binary("+", tree, Number(Fraction(1), "1", place=tree.place), place=tree.place)


def _entries(bench: Bench, premise: Premise) -> bool:
    """Whether a premise is about single entries, at indices that the problem does not have as steps."""
    return isinstance(premise.what, Compare) and bool(_open(bench, premise))


def _open(bench: Bench, premise: Premise) -> list[str]:
    steps = {s.name for s in bench.names.steps}
    assert isinstance(premise.what, Compare)
    inside = (x.id for x in walk(premise.what) if isinstance(x, Name))
    return [name for name in inside if name not in bench.names.families and name not in steps]


def _truths(equation: Equation) -> tuple[Reading, ...]:
    """How the left side is read: a derivative as the total one, or the immediate partial."""
    derivative = has_derivative(equation.left) or has_derivative(equation.right)
    return (PLAIN, Reading(partials="immediate")) if derivative else (PLAIN,)


def _under(
    bench: Bench, supposed: Bench, premises: Sequence[Premise], equation: Equation, kinds: dict[str, str],
    notation: Notation, truth: Reading,
) -> Judgement | None:  # fmt: skip
    left, right = equation.left, equation.right
    if not all(_still(bench, premises, call, truth.partials, notation) for call in _derivatives(left)):
        return None
    if not all(_still(bench, premises, c, p, notation) for c in _derivatives(right) for p in _EVERY_PATH):
        return None
    if truth is not PLAIN and not _says_something(supposed, left, right, kinds, notation, truth):
        return None
    judged = by_readings(supposed, left, right, kinds, notation, truth)
    if isinstance(judged, Judgement):
        return None
    good = accepted(judged, has_derivative(left), True, equation)
    if good is None:
        return None
    words = _words(premises)
    aside = "" if truth is PLAIN else ", and ∂ is the immediate partial ∂⁺"
    return Judgement(w.RIGHT_IF, f"right if {words}, as the text says{aside}", trial=good.trial)


def _words(premises: Sequence[Premise]) -> str:
    return " and ".join(dict.fromkeys(p.words for p in premises))


def _says_something(
    bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, truth: Reading
) -> bool:
    at = points(bench, left, right, kinds, notation, truth)
    return any(np.abs(p.truth.data).max() > 0 for p in at)


def inequality_under_premises(
    bench: Bench, left: Tree | None, right: Tree, relation: str, premises: Sequence[Premise], notation: Notation
) -> Judgement | None:
    """The verdict on an inequality that fails somewhere: right where what the text supposes holds; None without."""
    if not premises:
        return None
    words = _words(premises)
    try:
        if all(p.what is not None for p in premises):
            found = inequalities.judge(supposing(bench, premises), left, right, relation, notation)
            if found.good:
                return replace(found, verdict=w.RIGHT_IF, reason=f"right if {words}, as the text says")
            if found.bad:
                return None
    except (Unclear, Misfit):
        pass
    return Judgement(w.UNJUDGED, f"whether it holds where {words}, as the text supposes, is not judged")


def beyond_premises(
    bench: Bench, equation: Equation, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement | None:
    """Unjudged where the text supposes what numbers cannot be made to satisfy, or what a derivative acts on."""
    unmet = [p.words for p in equation.premises if p.what is None or not _can_be_tried(bench, p, equation, notation)]
    if not unmet:
        return None
    return Judgement(w.UNJUDGED, f"whether it holds where {' and '.join(unmet)}, as the text supposes, is not judged")


def _can_be_tried(bench: Bench, premise: Premise, equation: Equation, notation: Notation) -> bool:
    if _entries(bench, premise):
        return set(_open(bench, premise)) <= {x.id for x in walk(equation.left) if isinstance(x, Name)}
    try:
        supposing(bench, (premise,))
        return all(
            _still(bench, (premise,), call, truth.partials, notation)
            for truth in _truths(equation)[:1]
            for side in (equation.left, equation.right)
            for call in _derivatives(side)
        )
    except (Unclear, Misfit):
        return False


def _derivatives(tree: Tree) -> Iterator[Call]:
    return (x for x in walk(tree) if isinstance(x, Call) and x.func.id in ("jacobian", "grad"))


def _still(bench: Bench, premises: Sequence[Premise], call: Call, partials: Partials, notation: Notation) -> bool:
    """Whether what a derivative is taken by does not act on any quantity that is supposed to have a value."""
    fixed = [p.what for p in premises if isinstance(p.what, Fixed) and bench.problem.system.family(p.what.name)]
    return all(_is_still(bench, one, call, partials, notation) for one in fixed)


def _is_still(bench: Bench, one: Fixed, call: Call, partials: Partials, notation: Notation) -> bool:
    """Whether every member of a family stands still where another quantity moves; a member that is this one moves."""
    by, open_items = call.args[1], [k for k, item in enumerate(one.items) if not isinstance(item, Number)]
    if len(open_items) > _MOST_OPEN:
        return False
    for steps in itertools.product(_STEPS, repeat=len(open_items)):
        items = list(one.items)
        for k, step in zip(open_items, steps, strict=True):
            items[k] = Number(Fraction(step), str(step), place=by.place)
        moved = call.replaced(args=(one.member(items), by))
        kinds, _ = open_names((moved,), bench.names, notation)
        try:
            at = points(bench, moved, moved, kinds, notation, Reading(partials=partials))
        except (Unclear, Misfit):
            continue
        if any(abs(p.truth.data).max() > 0 and not _is_member(bench, p, by, one.name, items, notation) for p in at):
            return False
    return True


def _is_member(bench: Bench, point: Point, by: Tree, name: str, items: Sequence[Tree], notation: Notation) -> bool:
    """Whether a quantity is one member of a family at a point."""
    base, subs = (by.base, by.items) if isinstance(by, Subscript) else (by, ())
    if not isinstance(base, Name) or base.id != name or len(subs) != len(items):
        return False
    meaning = bench.meaning(point.world, PLAIN, notation)
    return all(index(meaning, x, point.ints) == index(meaning, y, {}) for x, y in zip(subs, items, strict=True))
