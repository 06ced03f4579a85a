"""The verdicts of several problems on one text: of each statement, that of the problem which knows most of it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from msgspec import Struct

from symgrad.source import Source
from symgrad.verification.documents.headings import Headings
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.verdicts import Judged

_ORDER: Final = (
    w.RIGHT, w.OTHER_LAYOUT, w.TO_PRECISION, w.AS_SCALARS, w.RIGHT_IF, w.CARRIED, w.WRONG, w.SHAPE_ERROR,
    w.DEFINITION, w.UNJUDGED, w.UNREAD,
)  # fmt: skip
_LINES: Final = 40

Section = tuple[int, int]


def merged(found: Sequence[Sequence[Judged]], source: Source) -> list[Judged]:
    """Of several verdicts on the same text the best founded: judged before not judged, known names before unknown ones.

    What some problem can read is not unread, and what it takes for a condition or a term is no claim.
    """
    divisions = (Headings.and_parts(source), Headings.of(source))
    unread = [Spans.of([x for x in judged if x.verdict == w.UNREAD]) for judged in found]
    agreed = [
        [Counter(_section(x, headings) for x in judged if x.verdict == w.RIGHT and x.sure) for headings in divisions]
        for judged in found
    ]
    by_place: dict[tuple[int, int], list[tuple[int, Judged]]] = {}
    for turn, judged in enumerate(found):
        for x in judged:
            if x.verdict == w.UNREAD and not all(others.touch(x) for others in unread):
                continue
            place = x.place.resolved()
            by_place.setdefault((place.start, place.end), []).append((turn, x))
    out: list[Judged] = []
    for key in sorted(by_place):
        candidates = by_place[key]
        turns = {turn for turn, _ in candidates}
        if all(x.verdict == w.UNJUDGED for _, x in candidates):
            silent = [unread[k] for k in range(len(found)) if k not in turns]
            if any(not others.touch(candidates[0][1]) for others in silent):
                continue
        if len(turns) == 1:
            out += [x for _, x in candidates]
            continue
        sections = [_section(candidates[0][1], headings) for headings in divisions]
        known = {turn: [-found[s] for found, s in zip(agreed[turn], sections, strict=True)] for turn in turns}
        out.append(min(candidates, key=lambda c: _rank(c[1], known[c[0]], c[0]))[1])
    return out


def without_cells(judged: Sequence[Judged]) -> list[Judged]:
    """The verdicts without those on single cells of rows that have one as a whole."""
    rows = Spans.of([x for x in judged if x.row and x.verdict != w.UNJUDGED])
    return [x for x in judged if x.row or x.quantity or not rows.touch(x)]


def _rank(x: Judged, known: Sequence[int], turn: int) -> tuple[int, Sequence[int], bool, int, int]:
    """What is judged comes first; then the problem that knows most of the part, and of what stands under the heading;
    then what a question asks for.
    """
    judged = (0 if x.sure else 2) if x.good or x.bad else 1 if x.verdict == w.DEFINITION and x.sure else 3
    return judged, known, x.question is None, _ORDER.index(x.verdict), turn


def _section(x: Judged, headings: Headings) -> Section:
    """Which heading a statement stands under, and in which stretch of lines."""
    return headings.above(x.place), x.place.line // _LINES


class Spans(Struct, frozen=True):
    """Where some statements stand, in order: their starts, and the farthest end of each and of all before it."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> Spans:
        """The places of some statements."""
        places = sorted((place.start, place.end) for place in (x.place.resolved() for x in judged))
        return cls(tuple(start for start, _ in places), tuple(accumulate((end for _, end in places), max)))

    def touch(self, x: Judged) -> bool:
        """Whether one of them shares a character with a statement."""
        place = x.place.resolved()
        before = bisect_left(self.starts, place.end)
        return before > 0 and self.ends[before - 1] > place.start
