"""Equations between differentials: dE = (ŷ − y)ᵀ dz, dL = tr(Gᵀ dW), dh_t = D_t (dW h_{t−1} + W dh_{t−1})."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from symgrad.errors import SymgradError
from symgrad.syntax.tree import Name, Subscript, Tree
from symgrad.tensor.nodes import Var
from symgrad.tensor.shapes import ShapeError
from symgrad.tensor.stable import Array
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.adjoints import target_of
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.trials import Failure, Point
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.judging.weighing import counterexample
from symgrad.verification.judging.words import at_point, described, shape_words
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Outcome, compared
from symgrad.verification.meaning.derivatives import node_of
from symgrad.verification.meaning.indices import choices, open_names
from symgrad.verification.meaning.interpretation import Ints
from symgrad.verification.meaning.meaning import Meaning
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit, Value
from symgrad.verification.meaning.world import POINTS, World
from symgrad.verification.surgery import parts, put_names, put_trees

_MOST_PLACES: Final = 3


def judge_differentials(bench: Bench, equation: Equation, notation: Notation) -> Judgement | None:
    """The verdict on an equation between differentials; None where it is none.

    dy = Σ_k (∂y/∂x_k) dx_k over the x_k whose differentials stand on the right, each with the others held: dx_k are
    random directions. It is one where y depends on every x_k, and none of these on y; adjoints go the other way.
    """
    of, by = _differential(bench, equation.left), _differentials(bench, equation.right)
    if of is None or not by:
        return None
    kinds, loose = open_names((of, put_trees(equation.right, by)), bench.names, notation)
    if loose:
        return None
    found = _judged(bench, of, by, equation.right, kinds, notation, immediate=False)
    if found is not None and found.verdict == w.WRONG:
        direct = _judged(bench, of, by, equation.right, kinds, notation, immediate=True)
        if direct is not None and direct.verdict == w.RIGHT:
            return Judgement(w.RIGHT_IF, "right if what leads through earlier steps is left out")
    return found


def between_differentials(bench: Bench, judgement: Judgement, left: Tree, right: Tree) -> bool:
    """Whether a verdict was found by random directions, so that no edit of values can mend the line."""
    return judgement.trial is None and _differential(bench, left) is not None and bool(_differentials(bench, right))


def _judged(
    bench: Bench, of: Tree, by: Mapping[Tree, Tree], right: Tree, kinds: dict[str, str], notation: Notation,
    immediate: bool,
) -> Judgement | None:  # fmt: skip
    """The verdict with every path, or with those alone that lead through no other step."""
    tried = False
    for world in bench.worlds:
        meaning = bench.meaning(world, PLAIN, notation)
        for ints in choices(kinds, bench.problem, world)[:_MOST_PLACES]:
            try:
                found = _at(meaning, of, by, right, ints, immediate)
            except Misfit as misfit:
                return Judgement(w.SHAPE_ERROR, described(misfit, world))
            except Outside:
                continue
            except (Unclear, SymgradError, ShapeError) as error:
                return Judgement(w.UNJUDGED, f"an equation between differentials: {error}") if tried else None
            if found is not None:
                return found
            tried = True
    return Judgement(w.RIGHT, "an equation between differentials") if tried else None


def _at(
    meaning: Meaning, of: Tree, by: Mapping[Tree, Tree], right: Tree, ints: Ints, immediate: bool
) -> Judgement | None:
    """The verdict where both sides differ at one place; None where they agree.

    Raises:
        Outside: the left side does not depend on all that moves on the right.
        Unclear: it is no equation between differentials, or a side has no value.
    """
    y = node_of(meaning, of, ints)
    nodes = {tree: node_of(meaning, x, ints) for tree, x in by.items()}
    xs = [x for x in dict.fromkeys(nodes.values()) if isinstance(x, Var)]
    if not isinstance(y, Var) or len(xs) < len(set(nodes.values())):
        raise Unclear("a differential is that of a named quantity")
    world = meaning.world
    if any(world.partial(x, y).any() for x in xs):
        raise Unclear("the left side acts on what moves on the right")
    if not all(world.partial(y, x).any() for x in xs):
        raise Outside
    held = world.given({(x.name, x.subs): world.value(x) for x in xs})
    moves = {x: _direction(world, x) for x in xs}
    changes = [_along(held.partial(y, x, immediate), moves[x], len(y.shape)) for x in xs]
    truth = v.tensor(np.asarray(sum(changes)))
    names = {tree: Name(f"d·{k}", place=tree.place) for k, tree in enumerate(by)}
    arguments = {names[tree].id: v.tensor(moves[x]) for tree, x in nodes.items() if isinstance(x, Var)}
    given = meaning.inside(arguments).value(put_trees(right, names), ints)
    return _compared(Point(world, ints, truth), given)


def _compared(point: Point, given: Value) -> Judgement | None:
    found = compared(point.truth, given)
    match found.outcome:
        case Outcome.SAME:
            return None
        case Outcome.TURNED:
            return Judgement(w.OTHER_LAYOUT, "an equation between differentials, with vectors lying down")
        case Outcome.SHAPE:
            left, right = shape_words(point.truth.shape, point.world), shape_words(given.shape, point.world)
            return Judgement(w.SHAPE_ERROR, f"the right side is {right}, the left side {left}")
    failure = Failure(point, found.gap, given=given.shape)
    return Judgement(w.WRONG, at_point(failure), counterexample=counterexample(failure))


def _direction(world: World, x: Var) -> Array:
    """A random direction in the space of a node, (points, *shape)."""
    random = np.random.default_rng([world.numbers.seed, *x.name.encode(), *(abs(int(k)) for k in x.subs)])
    return random.normal(size=(POINTS, *(int(n) for n in x.shape)))


def _along(slope: Array, move: Array, order: int) -> Array:
    """The change of a quantity of some order: its derivative contracted with a direction."""
    axes = tuple(range(1 + order, slope.ndim))
    aligned = move.reshape(len(move), *(1,) * order, *move.shape[1:])
    return np.asarray((slope * aligned).sum(axis=axes))


# Reading


def _differential(bench: Bench, tree: Tree) -> Tree | None:
    """h_t of dh_t; None for anything else."""
    base = tree.base if isinstance(tree, Subscript) else tree
    if not isinstance(base, Name) or base.id in bench.names.families or not base.id.startswith("d"):
        return None
    target = target_of(base.id, bench)
    return None if target is None else put_names(tree, {base.id: target})


def _differentials(bench: Bench, tree: Tree) -> dict[Tree, Tree]:
    """The differentials in a tree, each with what it is that of; a subscripted one stands for all of it."""
    found: dict[Tree, Tree] = {}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        of = _differential(bench, node)
        if of is not None:
            found[node] = of
        else:
            waiting.extend(parts(node))
    return found
