"""Formulas for sizes that an answer states, ⌊(H + 2P − K)/S⌋ + 1, beside the shapes that questions ask for."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import sympy
from msgspec import Struct

from symgrad.problem.model import Problem
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Binary, Call, ListTree, Name, Subscript, Tree
from symgrad.tensor.integers import Int, evaluate_int, symbols_of
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.integers import index
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit

_CHOICES: Final = 8
_TRIED: Final = 4000
_LARGEST: Final = 40
_OF_OUTPUT: Final = re.compile(r"out|size|output|^[HWLNo]['′]|prime", re.IGNORECASE)


class Sought(Struct, frozen=True):
    """A question for a shape that depends on sizes, and choices of them for which there is one."""

    question: str
    shape: tuple[Int, ...]
    choices: tuple[Mapping[sympy.Symbol, int], ...]


def sought(problem: Problem) -> tuple[Sought, ...]:
    """The shapes in symbols that questions ask for."""
    found: list[Sought] = []
    for q in problem.questions:
        if q.ask != "shape" or q.several("wrt") or not q.several("of"):
            continue
        shape = q.of.expr.shape
        symbols = sorted({s for size in shape for s in symbols_of(size)}, key=str)
        choices = tuple(_choices(shape, symbols)) if symbols else ()
        if choices:
            found.append(Sought(q.id, shape, choices))
    return tuple(found)


def _choices(shape: Sequence[Int], symbols: Sequence[sympy.Symbol]) -> Iterator[dict[sympy.Symbol, int]]:
    """Numbers for the sizes at which every size is positive."""
    chance, given = random.Random(0), 0
    for _ in range(_TRIED):
        env = {s: chance.randint(1, chance.choice((4, _LARGEST))) for s in symbols}
        if all(evaluate_int(size, env) > 0 for size in shape):
            yield env
            given += 1
        if given == _CHOICES:
            return


def judge(
    bench: Bench, asked: Sequence[Sought], left: Tree | None, right: Tree, notation: Notation
) -> Judgement | None:
    """The verdict on a formula for a size or a shape; None where it is none, or no question asks for it."""
    name = _written(left) if left is not None else ""
    stated = _factors(right)
    if not asked or (left is not None and not _OF_OUTPUT.search(name)) or not _rounds(right):
        return None
    for one in asked:
        values = [_values(bench, part, one, notation) for part in stated]
        if None in values:
            continue
        truth = [tuple(evaluate_int(size, env) for env in one.choices) for size in one.shape]
        if values in (truth, [*truth[1:], truth[0]]) or (len(values) == 1 and values[0] in truth):
            return Judgement(w.RIGHT, f"the answer to {one.question}", question=one.question)
    if left is None:
        return None
    names = {x.id for x in walk(right) if isinstance(x, Name)} & bench.names.sizes.keys()
    for one in asked:
        if any(names == {s.name for s in symbols_of(size)} for size in one.shape):
            return Judgement(w.WRONG, "the size is another one", question=one.question)
    return None


def _factors(tree: Tree) -> list[Tree]:
    """a, b and c of a × b × c or (a, b, c)."""
    match tree:
        case Binary("×", left, right):
            return [*_factors(left), *_factors(right)]
        case ListTree(items):
            return list(items)
    return [tree]


def _rounds(tree: Tree) -> bool:
    """Whether a quotient is rounded in a tree."""
    return any(isinstance(x, Call) and x.func.id in ("floor", "ceil") for x in walk(tree))


def _values(bench: Bench, tree: Tree, one: Sought, notation: Notation) -> tuple[int, ...] | None:
    """The numbers that a formula comes to; None where it has a name that is no size, or comes to none."""
    meaning = bench.meaning(bench.worlds[0], PLAIN, notation)
    try:
        return tuple(index(meaning, tree, {s.name: n for s, n in env.items()}) for env in one.choices)
    except (Unclear, Outside, Misfit):
        return None


def _written(tree: Tree) -> str:
    base = tree
    while isinstance(base, Subscript):
        base = base.base
    return base.id if isinstance(base, Name) else ""
