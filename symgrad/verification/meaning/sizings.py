"""The sizes of constants that do not say theirs: the vector 1 and the unit vector e_i are as long as they must be."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from symgrad.errors import SymgradError
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Tree
from symgrad.tensor.integers import Int
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Outcome, compared
from symgrad.verification.meaning.indices import choices
from symgrad.verification.meaning.readings import Notation, Reading, Sizing
from symgrad.verification.meaning.values import Misfit

_UNSIZED: Final = {"ones": 0, "one_hot": 1}
_MOST: Final = 3
_MOST_TRIED: Final = 64


def sizings(bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation) -> list[Sizing]:
    """The choices of sizes under which both sides have the same shape, the constants read as numbers first."""
    unsized = sorted({x.place.start for side in (left, right) for x in walk(side) if _is_unsized(x)})
    if not unsized:
        return [()]
    found = (s for s in _candidates(unsized, bench.dimensions) if _fits(bench, left, right, kinds, notation, s))
    return [(), *itertools.islice(found, _MOST)]


def _is_unsized(tree: Tree) -> bool:
    return isinstance(tree, Call) and _UNSIZED.get(tree.func.id) == len(tree.args)


def _candidates(places: list[int], dimensions: Iterable[Int]) -> Iterator[Sizing]:
    """All constants of one size, then each of its own."""
    known = list(dimensions)
    for size in known:
        yield tuple((place, size) for place in places)
    for chosen in itertools.islice(itertools.product(known, repeat=len(places)), _MOST_TRIED):
        if len(set(chosen)) > 1:
            yield tuple(zip(places, chosen, strict=True))


def _fits(bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, sizes: Sizing) -> bool:
    """Whether both sides have values of the same shape, or one that of the other transposed."""
    world = bench.worlds[0]
    meaning = bench.meaning(world, Reading(sizes=sizes), notation)
    for ints in choices(kinds, bench.problem, world):
        try:
            outcome = compared(meaning.value(left, ints), meaning.value(right, ints)).outcome
        except Outside:
            continue
        except (Misfit, Unclear, SymgradError, ShapeError, np.linalg.LinAlgError):
            return False
        return outcome is not Outcome.SHAPE
    return False
