"""Lines whose sides are only said to be close."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Name, Tree
from symgrad.verify import verdicts as w
from symgrad.verify.bench import Bench
from symgrad.verify.readings import Notation
from symgrad.verify.rejection import rejected
from symgrad.verify.trials import Trial
from symgrad.verify.verdicts import Judgement


def approximated(
    bench: Bench, left: Tree, right: Tree, kinds: dict[str, str], notation: Notation, trials: list[Trial]
) -> Judgement:
    """Wrong where both sides are numbers that no input moves; unjudged otherwise."""
    numbers = not any(isinstance(x, Name) for side in (left, right) for x in _values_in(side))
    if numbers:
        return rejected(bench, left, right, trials, kinds, notation)
    return Judgement(w.UNJUDGED, "it is an approximation")


def _values_in(tree: Tree) -> Iterator[Tree]:
    """The parts of a tree but for the names of functions."""
    called = {id(x.func) for x in walk(tree) if isinstance(x, Call)}
    return (x for x in walk(tree) if id(x) not in called)
