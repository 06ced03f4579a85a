"""An answer judged against one problem or several: of each statement, the verdict of the one that knows most of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from symgrad.errors import AnswerError, near
from symgrad.problem.model import Problem
from symgrad.source import Source
from symgrad.verify import verdicts as w
from symgrad.verify.claims import Document
from symgrad.verify.extract import read_document, read_formula
from symgrad.verify.marking import Marker
from symgrad.verify.verdicts import Judged

_ORDER = (
    w.RIGHT, w.OTHER_LAYOUT, w.TO_PRECISION, w.AS_SCALARS, w.RIGHT_IF, w.CARRIED, w.WRONG, w.SHAPE_ERROR,
    w.DEFINITION, w.UNJUDGED, w.UNREAD,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Marked:
    """An answer with the verdicts on what it states, in the order of writing."""

    document: str
    problems: tuple[str, ...]
    claims: tuple[Judged, ...]
    text: str = field(default="", repr=False)

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


@dataclass(frozen=True, slots=True)
class Markers:
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
        found = [m.mark(d) for m, d in zip(self.markers, documents, strict=True)]
        source: Source = documents[0].source
        claims = merged(found) if len(found) > 1 else found[0]
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


def merged(found: Sequence[Sequence[Judged]]) -> list[Judged]:
    """Of several verdicts on the same text the best founded: judged before not judged, known names before unknown ones.

    What some problem can read is not unread.
    """
    by_place: dict[tuple[int, int], list[tuple[int, Judged]]] = {}
    unread = [[x for x in judged if x.verdict == w.UNREAD] for judged in found]
    good = [Counter(_section(x) for x in judged if x.verdict == w.RIGHT and x.sure) for judged in found]
    for turn, judged in enumerate(found):
        for x in judged:
            if x.verdict == w.UNREAD and not all(any(_overlap(x, y) for y in others) for others in unread):
                continue
            place = x.place.resolved()
            by_place.setdefault((place.start, place.end), []).append((turn, x))
    out: list[Judged] = []
    for key in sorted(by_place):
        candidates = by_place[key]
        first = candidates[0][0]
        several = [x for turn, x in candidates if turn == first]
        if len(several) == len(candidates):
            out += several
            continue
        out.append(min(candidates, key=lambda c: _rank(c[1], good[c[0]][_section(c[1])], c[0]))[1])
    return out


def _rank(x: Judged, neighbours: int, turn: int) -> tuple[int, bool, int, int, int]:
    """What is judged comes first; then what a question asks for; then the problem that knows most round about."""
    judged = (0 if x.sure else 2) if x.good or x.bad else 1 if x.verdict == w.DEFINITION and x.sure else 3
    return judged, x.question is None, -neighbours, _ORDER.index(x.verdict), turn


def _section(x: Judged) -> int:
    """Which stretch of forty lines a statement is in."""
    return x.place.line // 40


def _overlap(x: Judged, y: Judged) -> bool:
    """Whether two statements share a character."""
    a, b = x.place.resolved(), y.place.resolved()
    return a.start < b.end and b.start < a.end
