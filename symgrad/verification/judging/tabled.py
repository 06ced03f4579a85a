"""Quantities that the tables of questions have and no model names: AP, IoU, GIoU, the distance of two boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from symgrad.syntax.tree import Call, Name, Number, Subscript, Tree
from symgrad.verification.documents.claims import Claim
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.answers import Answer
from symgrad.verification.judging.constants import value_of
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench

_NAMED: Final = (
    (re.compile(r"m?AP(_.*)?"), "average_precision", ""),
    (re.compile(r"(IoU|IOU|iou|Jaccard)(_.*)?"), "iou", "iou"),
    (re.compile(r"(GIoU|GIOU|giou)(_.*)?"), "iou", "giou"),
    (re.compile(r"(d|D|dist|distance|L_?2|Distance)(_.*)?"), "iou", "distance"),
)
"""Names, the kind of question whose table has them, and the column; without one it is the result itself."""
_CLOSE: Final = 1e-9


class Tabled(Struct, frozen=True):
    """A number that a question comes to, under a name that no model has; ``of`` is the box it belongs to."""

    question: str
    value: Any
    of: str = ""


def may_be(left: Tree | None) -> bool:
    """Whether a left side may name such a quantity."""
    name, _ = _spelled(left)
    return any(pattern.fullmatch(name) for pattern, _, _ in _NAMED)


def tabled(left: Tree | None, answers: Sequence[Answer]) -> tuple[Tabled, ...]:
    """What a left side may name: AP of every question, IoU of every box, or of the one in its subscript."""
    name, labels = _spelled(left)
    found = tuple(
        tabled
        for pattern, ask, column in _NAMED
        if pattern.fullmatch(name)
        for answer in answers
        if answer.ask == ask
        for tabled in _values(answer, column)
    )
    own = tuple(x for x in found if x.of and x.of.casefold() in labels)
    return own or found


def _spelled(left: Tree | None) -> tuple[str, frozenset[str]]:
    """The name of a left side, and the words in its subscripts or arguments: IoU_a, IoU(a, truth)."""
    labels: list[Tree] = []
    while isinstance(left, Subscript):
        labels += left.items
        left = left.base
    if isinstance(left, Call):
        labels += left.args
        left = left.func
    name = left.id if isinstance(left, Name) else ""
    words = [x.id for x in labels if isinstance(x, Name)] + name.split("_")[1:]
    return name, frozenset(word.casefold() for word in words)


def _values(answer: Answer, column: str) -> Iterator[Tabled]:
    if not column:
        yield Tabled(answer.question, answer.value)
    for record in answer.records if column else ():
        if column in record:
            yield Tabled(answer.question, record[column], str(record["box"]))


def judge(bench: Bench, claim: Claim, answers: Sequence[Answer]) -> Judgement | None:
    """The verdict on a number for such a quantity; None where the claim is about none, or states no number.

    A name that the model has for something else is judged as that, unless the number is right.
    """
    asked = [x for x in tabled(claim.left, answers) if claim.question in (None, x.question)]
    given = value_of(claim.right) if asked else None
    if given is None:
        return None
    decimals = len(claim.right.spelling.partition(".")[2]) if isinstance(claim.right, Number) else 0
    for x in asked:
        whose = f", for {x.of}" if x.of else ""
        if abs(float(given) - float(x.value)) <= _CLOSE:
            return Judgement(w.RIGHT, f"the answer to {x.question}{whose}", question=x.question)
        if decimals and abs(float(given) - float(x.value)) <= 0.5 * 10**-decimals + _CLOSE:
            reason = f"right to {decimals} decimals: the answer is {x.value}{whose}"
            return Judgement(w.TO_PRECISION, reason, question=x.question)
    if _spelled(claim.left)[0] in bench.names.families:
        return None
    question = asked[0].question if len({x.question for x in asked}) == 1 else None
    said = " or ".join(dict.fromkeys(str(x.value) for x in asked))
    return Judgement(w.WRONG, f"the answer is {said}", question=question)
