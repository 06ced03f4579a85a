"""An answer judged against one problem or several: of each statement, the verdict of the one that knows most of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from fractions import Fraction
from pathlib import Path

from msgspec import Struct

from symgrad.errors import AnswerError, near
from symgrad.problem.model import Problem
from symgrad.source import Source
from symgrad.verification.asked import with_points
from symgrad.verification.documents.claims import Document
from symgrad.verification.documents.extract import read_document, read_formula
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.verdicts import Judged
from symgrad.verification.marker import Marker
from symgrad.verification.marking import mark as mark_document
from symgrad.verification.merging import merged, without_cells


class Marked(Struct, frozen=True):
    """An answer with the verdicts on what it states, in the order of writing."""

    document: str
    problems: tuple[str, ...]
    claims: tuple[Judged, ...]
    text: str = ""

    @property
    def wrong(self) -> tuple[Judged, ...]:
        """What counts against the writer."""
        return tuple(c for c in self.claims if c.bad)

    @property
    def counts(self) -> dict[str, int]:
        """How often each verdict was given."""
        found = Counter(c.verdict for c in self.claims)
        return {verdict: found[verdict] for verdict in w.VERDICTS if found[verdict]}

    @property
    def points(self) -> Fraction | None:
        """The points earned; None where no question has any."""
        given = [c.points for c in self.claims if c.points is not None]
        return sum(given, Fraction(0)) if given else None


class Markers(Struct, frozen=True):
    """Problems made ready for marking any number of answers."""

    markers: tuple[Marker, ...]

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> Markers:
        """The markers of some problems."""
        return cls(tuple(Marker.of(p) for p in problems))

    def mark(self, answer: Path | str, questions: Collection[str] = (), formula: bool = False) -> Marked:
        """The verdicts on an answer: a path, a text, or one formula.

        Args:
            answer: the document.
            questions: only what belongs to these questions, where some are named.
            formula: whether it is one formula without a document around it.

        Raises:
            AnswerError: the document cannot be used.
        """
        self.check(questions)
        documents = [self._read(m, answer, formula) for m in self.markers]
        found = [mark_document(m, d) for m, d in zip(self.markers, documents, strict=True)]
        source: Source = documents[0].source
        claims = without_cells(merged(found, source) if len(found) > 1 else found[0])
        claims = with_points([m.problem for m in self.markers], claims)
        if questions:
            claims = [c for c in claims if c.question in questions]
        names = tuple(m.problem.name for m in self.markers)
        return Marked(source.name, names, tuple(claims), source.text)

    def check(self, questions: Collection[str]) -> None:
        """Nothing, where every question is known.

        Raises:
            AnswerError: one is not.
        """
        known = [q for m in self.markers for q in m.problem.ids]
        for name in questions:
            if name not in known:
                raise AnswerError(f"there is no question {name!r}", suggestion=near(name, known))

    def _read(self, marker: Marker, answer: Path | str, formula: bool) -> Document:
        vocabulary = marker.bench.names.vocabulary
        return read_formula(str(answer), vocabulary) if formula else read_document(answer, vocabulary)


def mark(
    problems: Sequence[Problem], answer: Path | str, questions: Collection[str] = (), formula: bool = False
) -> Marked:
    """The verdicts on one answer, as ``Markers.mark`` gives them."""
    return Markers.of(problems).mark(answer, questions, formula)
