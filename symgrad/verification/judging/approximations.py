"""Lines whose sides are only said to be close."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Name, Tree
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.rejection import rejected
from symgrad.verification.judging.trials import Trial
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import Notation


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
