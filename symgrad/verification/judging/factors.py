"""Bounds that a text gives to every factor of a product: the norm of each is tried at points."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from symgrad.syntax.tree import Call, Name, Number, Tree
from symgrad.verification.judging import inequalities
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import Notation
from symgrad.verification.surgery import factors, text_of


def bounded(bench: Bench, product: Tree, bound: Tree, relation: str, notation: Notation) -> Judgement:
    """Wrong where the norm of some factor exceeds the bound somewhere, right where none does at any point."""
    found = [(x, _one(bench, x, bound, relation, notation)) for x in _factors(product)]
    for factor, judgement in found:
        if judgement.bad:
            return replace(judgement, reason=f"the norm of {text_of(factor)}: {judgement.reason}")
    if found and all(judgement.good for _, judgement in found):
        return Judgement(w.RIGHT, "it holds for the norm of each factor at the points that were tried")
    return Judgement(w.UNJUDGED, "a bound that is given in words")


def _factors(tree: Tree) -> Iterator[Tree]:
    """The factors of a product that are no numbers, those under a sum or a product over a range included."""
    for factor in factors(tree):
        if isinstance(factor, Call) and factor.func.id in ("sum", "prod") and factor.keywords:
            yield from _factors(factor.args[0])
        elif not isinstance(factor, Number):
            yield factor


def _one(bench: Bench, factor: Tree, bound: Tree, relation: str, notation: Notation) -> Judgement:
    norm = Call(Name("norm", place=factor.place), (factor,), (), place=factor.place)
    return inequalities.at_points(bench, norm, bound, relation, notation)
