"""Whether a line is written about plain numbers, in which order and shape say nothing."""

from __future__ import annotations

from symgrad.errors import SymgradError
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Tree
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging.trials import speaks_matrices
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.indices import choices
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.surgery import put_trees


def speaks_numbers(bench: Bench, right: Tree, kinds: dict[str, str], notation: Notation) -> bool:
    """Whether nothing in a line is about matrices: `f(1 − f) U`, and `diag(f(1 − f)) U` as well.

    What stands inside diag(…) there has no value as a vector, so that it is the diag of a number, which is the number.
    """
    if not speaks_matrices(right):
        return True
    of_numbers: dict[Tree, Tree] = {
        x: x.args[0]
        for x in walk(right)
        if isinstance(x, Call) and x.func.id == "diag" and len(x.args) == 1
        if not speaks_matrices(x.args[0]) and _misfits(bench, x.args[0], kinds, notation)
    }
    return bool(of_numbers) and not speaks_matrices(put_trees(right, of_numbers))


def _misfits(bench: Bench, tree: Tree, kinds: dict[str, str], notation: Notation) -> bool:
    """Whether shapes do not fit inside it, at the first place at which it could have a value."""
    world = bench.worlds[0]
    meaning = bench.meaning(world, PLAIN, notation)
    for ints in choices(kinds, bench.problem, world):
        try:
            meaning.value(tree, ints)
        except Misfit:
            return True
        except Outside:
            continue
        except (Unclear, SymgradError, ShapeError):
            return False
        return False
    return False
