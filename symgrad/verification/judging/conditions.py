"""Conditions on an unknown integer, as the lines of a solution state them: compared by the integers that satisfy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from symgrad.errors import SymgradError
from symgrad.syntax.tree import Compare, Name, Tree
from symgrad.tensor import build as b
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.nodes import Rel
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.interpretation import Interpretation
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit

_TRIED: Final = range(1, 700)


def unknown_in(bench: Bench, tree: Tree, unknowns: Mapping[str, object]) -> str | None:
    """The unknown that a condition is about; None where it is about anything else."""
    kinds, loose = open_names((tree,), bench.names, Notation())
    inside = {n.id for n in _names(tree)} & set(unknowns)
    return inside.pop() if len(inside) == 1 and not loose and not kinds else None


def _names(tree: Tree) -> list[Name]:
    if isinstance(tree, Name):
        return [tree]
    parts = getattr(tree, "operands", None) or getattr(tree, "args", None)
    if parts is None:
        parts = [getattr(tree, key) for key in ("left", "right", "operand", "base") if hasattr(tree, key)]
    return [n for part in parts for n in _names(part)]


def judge(bench: Bench, tree: Tree, unknown: str, conditions: tuple[Rel, ...]) -> Judgement | None:
    """The verdict on a condition: the integers that satisfy it are those that are asked for.

    One that bounds the unknown on one side must bound it as tightly; None where every integer satisfies it.
    """
    symbol = bench.problem.sizes[unknown]
    wanted = {k for k in _TRIED if all(_true(c, {**bench.worlds[0].numbers.sizes, symbol: k}) for c in conditions)}
    meaning = bench.meaning(bench.worlds[0], PLAIN, Notation())
    try:
        given = {k for k in _TRIED if _holds(meaning, tree, unknown, k)}
    except (Unclear, Misfit, Outside, SymgradError, ShapeError) as error:
        return Judgement(w.UNJUDGED, str(error))
    if len(given) == len(_TRIED):
        return None
    if given == wanted:
        return Judgement(w.RIGHT)
    one_sided = isinstance(tree, Compare) and len(tree.ops) == 1 and tree.ops[0] not in ("==", "!=")
    if one_sided and wanted and wanted < given:
        ends = (min(given) == min(wanted), max(given) == max(wanted))
        if any(ends):
            return Judgement(w.RIGHT, "it bounds the unknown on one side")
    said = _run(sorted(given)) if given else "no integer"
    return Judgement(w.WRONG, f"it holds for {unknown} = {said}, but what is asked holds for {_run(sorted(wanted))}")


def _true(c: Rel, sizes: Mapping[object, int]) -> bool:
    try:
        return b.holds(b.rel(c.op, evaluate_int(c.left, sizes), evaluate_int(c.right, sizes))) is True
    except SymgradError:
        return False


def _holds(meaning: Interpretation, tree: Tree, unknown: str, k: int) -> bool:
    return bool(meaning.value(tree, {unknown: k}).data.flat[0])


def _run(values: list[int]) -> str:
    if len(values) < 4:
        return ", ".join(map(str, values)) or "no integer"
    if values[-1] == _TRIED[-1]:
        return f"{values[0]} and more"
    return f"{values[0]}, …, {values[-1]}"
