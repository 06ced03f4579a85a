"""Inequalities between quantities of the model, tried at points; what only restricts an input is no claim."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

import numpy as np

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Compare, Name, Tree
from symgrad.tensor.stable import Array
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.trials import Failure, Point, has_derivative, norms, points
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.judging.weighing import counterexample
from symgrad.verification.judging.words import at_point, measured
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Gap
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.readings import PLAIN, Notation, Reading
from symgrad.verification.meaning.values import Misfit, Value

_SIGNS: Final[Mapping[str, float]] = {"<=": 1.0, "<": 1.0, ">=": -1.0, ">": -1.0}
_FEWEST: Final = 8
_TOLERANCE: Final = 1e-9
_UNJUDGED: Final = Judgement(w.UNJUDGED, "an inequality")


def judge(bench: Bench, left: Tree | None, right: Tree, relation: str, notation: Notation) -> Judgement:
    """Right where it holds at every point that is tried, else wrong."""
    if isinstance(right, Compare) and len(right.ops) > 1:
        return _chain(bench, right, notation)
    if left is None or relation not in _SIGNS or not any(_is_computed(bench, x) for x in (left, right)):
        return _UNJUDGED
    return at_points(bench, left, right, relation, notation)


def at_points(bench: Bench, left: Tree, right: Tree, relation: str, notation: Notation) -> Judgement:
    """The verdict of the points at which an inequality is tried, also on inputs alone."""
    found = _under(bench, left, right, relation, notation, PLAIN)
    if not found.bad:
        return found
    for reading in norms(left, right):
        if _under(bench, left, right, relation, notation, reading).good:
            return Judgement(w.RIGHT_IF, measured(reading))
    return found


def _under(bench: Bench, left: Tree, right: Tree, relation: str, notation: Notation, reading: Reading) -> Judgement:
    kinds, loose = open_names((left, right), bench.names, notation)
    if loose:
        return _UNJUDGED
    held: list[bool] = []
    worst: Failure | None = None
    try:
        for point in points(bench, left, right, kinds, notation, reading):
            given = bench.meaning(point.world, reading, notation).value(right, point.ints)
            gap = _SIGNS[relation] * v.added(point.truth, v.negative(given)).data.real
            scale = _TOLERANCE * (1 + np.abs(point.truth.data).max())
            holds = [bool(np.all(entries <= scale)) for entries in gap]
            held += holds
            if worst is None and not all(holds):
                worst = _failure(point, given, gap)
    except (Unclear, Misfit, Outside):
        return _UNJUDGED
    if len(held) < _FEWEST:
        return _UNJUDGED
    if all(held):
        return Judgement(w.RIGHT, f"it holds at the {len(held)} points that were tried")
    reason = f"it fails at {held.count(False)} of the {len(held)} points that were tried"
    if worst is None:
        return Judgement(w.WRONG, reason)
    return Judgement(w.WRONG, f"{reason}: {at_point(worst)}", counterexample=counterexample(worst))


def _failure(point: Point, given: Value, excess: Array) -> Failure:
    """Where the smaller side exceeds the larger one most."""
    place = np.unravel_index(int(np.nanargmax(excess)), excess.shape)
    sides = [np.broadcast_to(side.data.real, excess.shape)[place] for side in (point.truth, given)]
    entry = tuple(int(k) + 1 for k in place[1:])
    return Failure(point, Gap(int(place[0]), entry, float(sides[0]), float(sides[1])), given=given.shape)


def _chain(bench: Bench, chain: Compare, notation: Notation) -> Judgement:
    """The verdict on a <= b <= c: right where every part is, wrong where one is."""
    parts = [
        judge(bench, x, y, op, notation) if op in _SIGNS else _UNJUDGED
        for op, (x, y) in zip(chain.ops, pairwise(chain.operands), strict=True)
    ]
    bad = next((part for part in parts if part.bad), None)
    return bad or next((part for part in parts if not part.good), parts[0])


def _is_computed(bench: Bench, tree: Tree) -> bool:
    """Whether something that the model computes stands in a tree, so that it is no mere condition on inputs."""
    if has_derivative(tree):
        return True
    made = {d.family for d in bench.problem.system.definitions} | bench.names.densities.keys()
    return any(isinstance(x, Name) and x.id in made for x in walk(tree))
