"""Diagnosis: the one edit of a wrong line that makes it right, and the line after it, in the writer's own notation."""

from __future__ import annotations

import itertools
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct
from msgspec.structs import replace as changed

from symgrad.errors import SymgradError
from symgrad.source import Source
from symgrad.syntax.dialect import Dialect
from symgrad.syntax.latex.notation import latex
from symgrad.syntax.plain import PLAIN as PLAIN_DIALECT
from symgrad.syntax.reading import parse_expression
from symgrad.syntax.tree import Call, Name, Subscript, Tree
from symgrad.verification.diagnosis.edits import Context, Edit, Slip, choices_in
from symgrad.verification.diagnosis.every_edit import offers, sites
from symgrad.verification.diagnosis.hands import hand_of
from symgrad.verification.diagnosis.remedies import Remedies
from symgrad.verification.diagnosis.screening import Screens
from symgrad.verification.diagnosis.slips import SLIPS
from symgrad.verification.errors import Unclear
from symgrad.verification.judging.equations import by_entries
from symgrad.verification.judging.trials import Point, has_derivative, points, tried
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import Outcome
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.readings import PLAIN, Adjoint, Defined, Notation, Reading, Sizing
from symgrad.verification.meaning.sizings import sizings
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.surgery import spliced

LONGEST: Final = 0.4
_MOST_EDITS: Final = 20_000
_LOOKS: Final = 8
_MATRIX_SLIPS: Final = frozenset({"transpose", "diag", "order", "product"})


class Diagnosis(Struct, frozen=True):
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
        entries = by_entries(left, right)
        left, line = entries or (left, right)
        if entries is not None:
            kinds, _ = open_names(entries, self.bench.names, notation)
        try:
            at = points(self.bench, left, line, kinds, notation, PLAIN, worlds)
        except (Unclear, Misfit):
            return None
        if not at:
            return None
        deadline = time.process_time() + LONGEST
        hand = hand_of(right.place.source.text)
        letters = tuple(name for name, kind in kinds.items() if kind == "entry")
        remedies = self.remedies
        context = remedies.bare_context(hand) if matrices_only else remedies.context(left, line, near, hand, letters)
        sizes = sizings(self.bench, left, line, kinds, notation)
        attempt = _Attempt(self.bench, at, notation, list(_readings(line, scalars, sizes)))
        unreadable: Diagnosis | None = None
        for edit, under in attempt.hopeful(line, context, _MATRIX_SLIPS if matrices_only else None, deadline):
            if edit.tree == left or not attempt.succeeds(edit.tree, under):
                continue
            text = spliced(right.place, edit.splices)
            again = self._read(text, hand.plain, notation)
            if entries is not None:
                again = again.base if isinstance(again, Subscript) else None
            if again is not None and attempt.succeeds(again, attempt.readings):
                return Diagnosis(edit.slip, edit.said, text)
            unreadable = unreadable or Diagnosis(edit.slip, edit.said, "")
        return unreadable

    def _read(self, text: str, plain: bool, notation: Notation) -> Tree | None:
        """The tree of a corrected text, in which the writer's own names have their steps; None where it is not read."""
        for dialect in (PLAIN_DIALECT, self._dialect(notation)) if plain else (self._dialect(notation),):
            with suppress(SymgradError):
                return parse_expression(Source("correction", text), dialect)
        return None

    def _dialect(self, notation: Notation) -> Dialect:
        names = self.bench.names
        vocabulary = names.vocabulary.copy()
        for name, meanings in notation.names.items():
            last = meanings[-1]
            family = None if isinstance(last, Defined) else names.families.get(last.family)
            if name in names.families or (family is None and not isinstance(last, Defined)):
                continue  # an adjoint of the writer's own node has no place in a line about the model alone
            vocabulary.know(name, len(last.pattern) if isinstance(last, Defined) else family.arity if family else 0)
        return latex(vocabulary)


class _Attempt(Struct):
    """Edited lines tried at the points at which the truth is known, under the readings that the line allows."""

    bench: Bench
    at: Sequence[Point]
    notation: Notation
    readings: Sequence[Reading]

    def hopeful(
        self, line: Tree, context: Context, only: Collection[str] | None, deadline: float
    ) -> Iterator[tuple[Edit, list[Reading]]]:
        """The edits after which a line may be right, and under which readings, in the order of the table."""
        point, places = self.at[0], sites(line, self.bench.names)
        meanings = [self.bench.meaning(point.world, reading, self.notation) for reading in self.readings]
        screens = Screens(line, meanings, point.ints, point.truth)
        count = 0
        for turn in _turns(only):
            found: list[tuple[tuple[int, ...], Edit, list[Reading]]] = []
            for place, site in enumerate(places):
                offered = list(offers(site, turn, context))
                count += sum(choices_in(x.edit) for x in offered)
                if count > _MOST_EDITS or (place % _LOOKS == 0 and time.process_time() > deadline):
                    break
                hopeful = screens.hopeful(site, [x.edit for x in offered]) if offered else {}
                for (n, i), under in hopeful.items():
                    order = (offered[n].number, place, i, offered[n].rank)
                    found.append((order, offered[n].made(line, site, i), under))
            yield from ((edit, under) for _, edit, under in sorted(found, key=lambda row: row[0]))

    def succeeds(self, tree: Tree, under: Sequence[Reading]) -> bool:
        """Whether the line is right after an edit, under one of some readings."""
        return any(tried(self.bench, self.at, tree, x, self.notation).outcome is Outcome.SAME for x in under)


def _turns(only: Collection[str] | None) -> Iterator[list[tuple[int, Slip]]]:
    """The slips that are looked for at once, with their numbers: the likeliest first."""
    known = [(k, slip) for k, slip in enumerate(SLIPS) if only is None or slip.name in only]
    return (list(group) for _, group in itertools.groupby(known, key=lambda row: row[1].turn))


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
