"""Diagnosis: the one edit of a wrong line that makes it right, and the line after it, in the writer's own notation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from typing import Final

import numpy as np

from symgrad.errors import SymgradError
from symgrad.source import Source
from symgrad.syntax.reading import parse_expression
from symgrad.syntax.tree import Call, Name, Subscript, Tree
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.diagnosis.every_edit import edits
from symgrad.verification.diagnosis.hands import hand_of
from symgrad.verification.diagnosis.remedies import Remedies
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging.trials import Point, has_derivative, points, tried
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Outcome, agrees
from symgrad.verification.meaning.meaning import Meaning
from symgrad.verification.meaning.readings import PLAIN, Adjoint, Notation, Reading, Sizing
from symgrad.verification.meaning.sizings import sizings
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.surgery import spliced

LONGEST: Final = 0.4
_MOST_EDITS: Final = 4000
_LOOKS: Final = 16
_MATRIX_SLIPS: Final = frozenset({"transpose", "diag", "order", "product"})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The edit that makes a line right: the slip's name, what to do, and the text after it, where it reads back."""

    slip: str
    said: str
    text: str


@dataclass(eq=False)
class Doctor:
    """Who diagnoses lines about one problem."""

    bench: Bench
    remedies: Remedies = field(init=False)

    def __post_init__(self) -> None:
        self.remedies = Remedies(self.bench)

    def diagnosed(
        self,
        left: Tree,
        right: Tree,
        kinds: dict[str, str],
        notation: Notation,
        scalars: bool,
        near: Sequence[Tree] = (),
        matrices_only: bool = False,
    ) -> Diagnosis | None:
        """The first single edit, in the order of the table, after which the line is right; None where there is none.

        The text after the edit is read again and tried: what it says must be right as well.

        Args:
            scalars: whether the line is judged as one about plain numbers.
            near: lines near by, in which a lost factor may stand.
            matrices_only: whether only slips are tried that plain numbers do not show.
        """
        worlds = (self.bench.scalars,) if scalars else self.bench.worlds
        try:
            at = points(self.bench, left, right, kinds, notation, PLAIN, worlds)
        except (Unclear, Misfit):
            return None
        if not at:
            return None
        deadline = time.process_time() + LONGEST
        hand = hand_of(right.place.source.text)
        letters = tuple(name for name, kind in kinds.items() if kind == "entry")
        remedies = self.remedies
        context = remedies.bare_context(hand) if matrices_only else remedies.context(left, right, near, hand, letters)
        sizes = sizings(self.bench, left, right, kinds, notation)
        attempt = _Attempt(self.bench, at, notation, list(_readings(right, scalars, sizes)))
        unreadable: Diagnosis | None = None
        for count, edit in enumerate(edits(right, context, _MATRIX_SLIPS if matrices_only else None)):
            if count > _MOST_EDITS or (count % _LOOKS == 0 and time.process_time() > deadline):
                break
            if edit.tree == left or not attempt.succeeds(edit.tree):
                continue
            text = spliced(right.place, edit.splices)
            again = self._read(text, hand.plain)
            if again is not None and attempt.succeeds(again):
                return Diagnosis(edit.slip, edit.said, text)
            unreadable = unreadable or Diagnosis(edit.slip, edit.said, "")
        return unreadable

    def _read(self, text: str, plain: bool) -> Tree | None:
        if not plain:
            return self.remedies.parsed(text)
        try:
            return parse_expression(Source("correction", text))
        except SymgradError:
            return self.remedies.parsed(text)


@dataclass(slots=True)
class _Attempt:
    """Edited lines tried one after another; parts that an edit leaves alone are evaluated once."""

    bench: Bench
    at: Sequence[Point]
    notation: Notation
    readings: Sequence[Reading]
    meanings: dict[Reading, Meaning] = field(default_factory=dict)

    def succeeds(self, tree: Tree) -> bool:
        """Whether the line is right after an edit: at the first point, and then at all."""
        return any(self._under(tree, reading) for reading in self.readings)

    def _under(self, tree: Tree, reading: Reading) -> bool:
        first = self.at[0]
        meaning = self.meanings.get(reading)
        if meaning is None:
            meaning = self.meanings[reading] = Meaning(first.world, reading, self.bench.names, self.notation)
        try:
            given = meaning.value(tree, first.ints)
            if not agrees(first.truth, given):
                return False
        except (Misfit, Outside, Unclear, SymgradError, ShapeError, np.linalg.LinAlgError, OverflowError):
            return False
        trial = tried(self.bench, self.at, tree, reading, self.notation)
        return trial.outcome is Outcome.SAME


def _readings(right: Tree, scalars: bool, sizes: Sequence[Sizing]) -> Iterator[Reading]:
    rows = [PLAIN]
    if has_derivative(right):
        rows.append(Reading(partials="leaves"))
        if not scalars:
            rows += [Reading("row"), Reading("row", "leaves"), Reading("column", "neighbours")]
    return (changed(reading, sizes=sizing) for reading in rows for sizing in sizes)


def adjoint_derivative(left: Tree, notation: Notation) -> Tree:
    """∂L/∂h_t where δ_t stands for it; any other side as it is."""
    base = left.base if isinstance(left, Subscript) else left
    for meaning in notation.names.get(base.id, ()) if isinstance(base, Name) else ():
        if isinstance(meaning, Adjoint):
            family = Name(meaning.family, place=left.place)
            wrt: Tree = Subscript(family, left.items, place=left.place) if isinstance(left, Subscript) else family
            return Call(Name("jacobian", place=left.place), (meaning.loss, wrt), (), place=left.place)
    return left
