"""The headings of a document, and under which of them something stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

from msgspec import Struct

from symgrad.source import Place, Source

_HEADING: Final = re.compile(
    r"^#{1,6} |^\*\*\(|\\(?:sub)*section\b|^\*{0,2}(?:Problem|Question|Exercise|Task|Part|Q) ?\d", re.MULTILINE
)
_PART: Final = re.compile(
    rf"{_HEADING.pattern}|^[ \t>*-]*\(?(?:[a-h]|[ivx]{{1,4}})[.)]\)?\*{{0,2}}(?=\s)", re.MULTILINE
)


class Headings(Struct, frozen=True):
    """Where the headings of a document begin."""

    starts: tuple[int, ...]

    @classmethod
    def of(cls, source: Source) -> Headings:
        """The headings of a document."""
        return cls(tuple(found.start() for found in _HEADING.finditer(source.text)))

    @classmethod
    def and_parts(cls, source: Source) -> Headings:
        """The headings of a document, and where the parts of a question begin: `(b)`, `ii.`."""
        return cls(tuple(found.start() for found in _PART.finditer(source.text)))

    def above(self, place: Place) -> int:
        """The number of the heading that a place stands under, from 1; 0 before the first."""
        return bisect_right(self.starts, place.resolved().start)
