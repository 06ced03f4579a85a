"""Numbers that an answer states: against what questions come to, and at the inputs that a writer puts in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from msgspec import Struct, field
from msgspec.structs import replace

from symgrad.syntax.tree import Binary, Call, Number, Subscript, Tree
from symgrad.verification.documents.claims import Claim
from symgrad.verification.documents.parts import base_name
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.answers import Answer, flat, stated
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.judge import judge
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.surgery import put_trees

Given = Fraction | tuple[Fraction, ...]


def by_value(bench: Bench, claim: Claim, answers: Sequence[Answer], notation: Notation) -> Judgement:
    """The verdict on a number without a left side, by the results of the questions."""
    asked = [a for a in answers if claim.question in (None, a.question)]
    if not asked:
        return Judgement(w.UNJUDGED, "no question asks for a number")
    given = number(bench, claim.right, notation)
    if given is None:
        return Judgement(w.UNJUDGED, "it is not said what this is")
    found = _shaped(claim.right, given, asked) or _equal(claim.right, given, asked)
    if found is not None:
        return found
    if claim.question is not None:
        return Judgement(w.WRONG, f"the answer is {' or '.join(_shown(a.value) for a in asked)}")
    return Judgement(w.UNJUDGED, "no question has this number as its answer")


def _shaped(tree: Tree, given: Given, asked: Sequence[Answer]) -> Judgement | None:
    """The verdict where it is the shape that a question asks for, its channels first or last."""
    for answer in asked if isinstance(given, tuple) else ():
        shape = flat(answer.value) if answer.ask == "shape" else ()
        if given == shape:
            return Judgement(w.RIGHT, f"the answer to {answer.question}", question=answer.question)
        if len(shape) == 3 and given == (*shape[1:], shape[0]):
            return Judgement(w.RIGHT, f"the answer to {answer.question}, channels last", question=answer.question)
    return None


def _equal(tree: Tree, given: Given, asked: Sequence[Answer]) -> Judgement | None:
    """The verdict where it is the number, or the row of numbers, that a question comes to; `5 × 5` may be a product."""
    product = isinstance(tree, Binary) and tree.op == "×" and isinstance(given, tuple)
    value: Given = math.prod(flat(given), start=Fraction(1)) if product else given
    for answer in asked:
        if flat(answer.value) == (value if isinstance(value, tuple) else (value,)):
            return Judgement(w.RIGHT, f"the answer to {answer.question}", question=answer.question)
    decimals = len(tree.spelling.partition(".")[2]) if isinstance(tree, Number) else 0
    for answer in asked if decimals else ():
        exact = answer.value
        if isinstance(exact, tuple) or isinstance(value, tuple):
            continue
        if abs(exact - value) <= Fraction(1, 2 * 10**decimals):
            reason = f"right to {decimals} decimals: the answer is {exact}"
            return Judgement(w.TO_PRECISION, reason, question=answer.question)
    return None


def number(bench: Bench, tree: Tree, notation: Notation) -> Given | None:
    """The number or the sizes that a tree without names of the problem states."""
    numbers = stated(tree)
    if numbers is not None:
        return flat(numbers) if isinstance(numbers, tuple) else numbers
    kinds, loose = open_names((tree,), bench.names, notation)
    if kinds or loose:
        return None
    try:
        return bench.meaning(bench.worlds[0], PLAIN, notation).value(tree, {}).exact
    except (Unclear, Misfit, Outside):
        return None


def _shown(value: object) -> str:
    return " × ".join(map(_shown, value)) if isinstance(value, tuple) else str(value)


class PutIn(Struct):
    """What a writer puts in for inputs and states, and how he makes quantities from them, by the outermost function."""

    fixed: dict[Tree, Tree] = field(default_factory=dict)
    formulas: dict[str, Call] = field(default_factory=dict)

    def note(self, bench: Bench, left: Tree, right: Tree, judgement: Judgement) -> None:
        """Remember what a line puts in, or that it is a formula."""
        base = base_name(left)
        puts = judgement.verdict == w.DEFINITION and isinstance(left, Subscript) and base in bench.names.families
        if puts or (judgement.verdict == w.UNJUDGED and f"it fixes {base} for one" in judgement.reason):
            self.fixed[left] = right
        elif judgement.good and isinstance(right, Call):
            self.formulas[right.func.id] = right

    def judge(self, bench: Bench, claim: Claim, wrong: Sequence[Tree], notation: Notation) -> Judgement | None:
        """The verdict on a value σ(…) of a formula of the answer, at the inputs that were put in; None otherwise."""
        value = claim.right
        if claim.kind != "value" or not isinstance(value, Call) or len(value.args) != 1 or not self.fixed:
            return None
        if value in wrong:
            return Judgement(w.CARRIED, "it repeats a wrong value")
        formula = self.formulas.get(value.func.id)
        if formula is None or len(formula.args) != 1:
            return None
        inside = put_trees(formula.args[0], self.fixed)
        if inside is formula.args[0]:
            return None
        judgement = judge(bench, Equation(inside, value.args[0]), notation.copy())
        if judgement.verdict not in (w.RIGHT, w.WRONG):
            return None
        said = " and ".join(f"{a.place.text} = {b.place.text}" for a, b in self.fixed.items())
        reason = f"with {said}; before {value.func.id}, {judgement.reason}" if judgement.reason else f"with {said}"
        return replace(judgement, reason=reason)
