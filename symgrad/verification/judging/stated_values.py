"""Numbers that an answer states: against what questions come to, and at the inputs that a writer puts in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symgrad.syntax.tree import Call, Name, Number, Subscript, Tree
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
from symgrad.verification.meaning.meaning import Meaning
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.surgery import put_trees

_AVERAGE_PRECISION = re.compile(r"^m?AP(_.*)?$")


def is_average_precision(bench: Bench, claim: Claim) -> bool:
    """Whether a claim is about AP, which a question knows and the model does not."""
    own = claim.left.id if isinstance(claim.left, Name) else ""
    return _AVERAGE_PRECISION.match(own) is not None and own not in bench.names.families


def by_value(bench: Bench, claim: Claim, answers: Sequence[Answer], notation: Notation) -> Judgement | None:
    """The verdict on a number by the results of the questions; None where it is no number."""
    precise = is_average_precision(bench, claim)
    asked = [a for a in answers if claim.question in (None, a.question)]
    asked = [a for a in asked if a.ask == "average_precision"] if precise else asked
    if not asked:
        return None if precise else Judgement(w.UNJUDGED, "no question asks for a number")
    given = number(bench, claim.right, notation)
    if given is None:
        return None if precise else Judgement(w.UNJUDGED, "it is not said what this is")
    turned = next((a for a in asked if a.ask == "shape" and _channels_last(flat(a.value)) == given), None)
    if turned is not None:
        return Judgement(w.RIGHT, f"the answer to {turned.question}, channels last", question=turned.question)
    for answer in asked:
        if answer.value == given or flat(answer.value) == (given if isinstance(given, tuple) else (given,)):
            return Judgement(w.RIGHT, f"the answer to {answer.question}", question=answer.question)
    decimals = len(claim.right.spelling.partition(".")[2]) if isinstance(claim.right, Number) else 0
    for answer in asked if decimals else ():
        exact = answer.value
        if (
            isinstance(exact, Fraction)
            and isinstance(given, Fraction)
            and abs(exact - given) <= Fraction(1, 2 * 10**decimals)
        ):
            reason = f"right to {decimals} decimals: the answer is {exact}"
            return Judgement(w.TO_PRECISION, reason, question=answer.question)
    if claim.question is not None or precise:
        return Judgement(w.WRONG, f"the answer is {' or '.join(_shown(a.value) for a in asked)}")
    return Judgement(w.UNJUDGED, "no question has this number as its answer")


def number(bench: Bench, tree: Tree, notation: Notation) -> Fraction | tuple[Fraction, ...] | None:
    """The number or the sizes that a tree without names of the problem states."""
    numbers = stated(tree)
    if numbers is not None:
        return flat(numbers) if isinstance(numbers, tuple) else numbers
    kinds, loose = open_names((tree,), bench.names, notation)
    if kinds or loose:
        return None
    try:
        return Meaning(bench.worlds[0], PLAIN, bench.names, notation).value(tree, {}).exact
    except (Unclear, Misfit, Outside):
        return None


def _channels_last(shape: tuple[Fraction, ...]) -> tuple[Fraction, ...] | None:
    """The shape of a picture with its channels behind height and width."""
    return (*shape[1:], shape[0]) if len(shape) == 3 else None


def _shown(value: object) -> str:
    return " × ".join(map(_shown, value)) if isinstance(value, tuple) else str(value)


@dataclass(slots=True)
class PutIn:
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
