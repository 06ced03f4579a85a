"""The sizes of constants that do not say theirs: the vector 1 and the unit vector e_i are as long as they must be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from symgrad.errors import SymgradError
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Subscript, Tree
from symgrad.tensor.integers import difference, evaluate_int
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.errors import Outside, Unclear, Unsized
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Outcome, compared
from symgrad.verification.meaning.indices import choices
from symgrad.verification.meaning.interpretation import Interpretation
from symgrad.verification.meaning.readings import Notation, Reading, Sizing
from symgrad.verification.meaning.values import Misfit, Value

_UNSIZED: Final = {"ones": 0, "one_hot": 1}
_MOST: Final = 3
_MOST_TRIED: Final = 64


def sizings(bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation) -> list[Sizing]:
    """The choices of sizes under which both sides have the same shape, the constants read as numbers first."""
    sides = (left, right)
    unsized = {x.place.start for side in sides for x in walk(side) if _is_unsized(x)}
    if any(isinstance(x, Subscript) or _is_call(x, "matrix") for side in sides for x in walk(side)):
        unsized |= set(_blocks(bench, sides, kinds, notation))
    if not unsized:
        return [()]
    candidates = _candidates(sorted(unsized), bench)
    found = (s for s in candidates if _fits(bench, left, right, kinds, notation, s))
    return [(), *itertools.islice(found, _MOST)]


def _blocks(bench: Bench, sides: Sequence[Tree], kinds: dict[str, str], notation: Notation) -> list[int]:
    """The places of blocks and of arrays by their entries whose sizes are not said."""
    found: list[int] = []
    for side in sides:
        for _ in range(_MOST):
            sizes: Sizing = tuple((place, 1) for place in found)
            meaning = bench.meaning(bench.worlds[0], Reading(sizes=sizes), notation)
            try:
                _at_some_step(meaning, (side,), kinds)
            except Unsized as error:
                found += error.places
            except (Misfit, Unclear, SymgradError, ShapeError, np.linalg.LinAlgError):
                break
    return found


def _is_unsized(tree: Tree) -> bool:
    return isinstance(tree, Call) and _UNSIZED.get(tree.func.id) == len(tree.args)


def _is_call(tree: Tree, name: str) -> bool:
    return isinstance(tree, Call) and tree.func.id == name


def _candidates(places: list[int], bench: Bench) -> Iterator[Sizing]:
    """All constants of one size, then each of its own; a single one may fill what other axes leave of an axis."""
    known = bench.dimensions
    for size in known:
        yield tuple((place, size) for place in places)
    if len(places) == 1:
        left = dict.fromkeys(difference(x, y) for x, y in itertools.permutations(known, 2))
        worlds = [world.numbers.sizes for world in bench.worlds]
        yield from (((places[0], gap),) for gap in left if all(evaluate_int(gap, sizes) > 0 for sizes in worlds))
    for chosen in itertools.islice(itertools.product(known, repeat=len(places)), _MOST_TRIED):
        if len(set(chosen)) > 1:
            yield tuple(zip(places, chosen, strict=True))


def _fits(bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, sizes: Sizing) -> bool:
    """Whether both sides have values of the same shape, or one that of the other transposed."""
    meaning = bench.meaning(bench.worlds[0], Reading(sizes=sizes), notation)
    try:
        values = _at_some_step(meaning, (left, right), kinds)
    except (Misfit, Unclear, SymgradError, ShapeError, np.linalg.LinAlgError):
        return False
    return bool(values) and compared(*values).outcome is not Outcome.SHAPE


def _at_some_step(meaning: Interpretation, trees: Sequence[Tree], kinds: dict[str, str]) -> list[Value]:
    """The values of trees at the first choice of the open indices at which all have one; nothing if there is none."""
    for ints in choices(kinds, meaning.problem, meaning.world):
        try:
            return [meaning.value(tree, ints) for tree in trees]
        except Outside:
            continue
    return []
