"""Texts and places in them: every tree and record knows where it was written."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from msgspec import Struct

_TAB = "    "
_LONGEST_LINE = 160


class Source(Struct, frozen=True):
    """A named text, which may be a part of another one.

    `offsets[i]` is the offset in `parent` of character `i`; its last entry, one more than there are
    characters, is the end. A text with escapes or folded lines is mapped character by character.
    """

    name: str
    text: str
    parent: Source | None = None
    offsets: Sequence[int] = ()

    def place(self, start: int = 0, end: int | None = None) -> Place:
        """The characters from `start` up to `end`, by default all of them."""
        return Place(self, start, len(self.text) if end is None else end)

    def part(self, start: int, end: int) -> Source:
        """The characters from `start` up to `end` as a text of their own."""
        return Source(self.name, self.text[start:end], self, range(start, end + 1))


class Place(Struct, frozen=True):
    """The characters `start` up to `end` of a source."""

    source: Source
    start: int
    end: int

    def resolved(self) -> Place:
        """The same characters in the outermost source, the file."""
        place = self
        while place.source.parent is not None:
            offsets = place.source.offsets
            place = Place(place.source.parent, offsets[place.start], offsets[place.end])
        return place

    @property
    def line(self) -> int:
        """The line of the file, counted from 1."""
        place = self.resolved()
        return place.source.text.count("\n", 0, place.start) + 1

    @property
    def column(self) -> int:
        """The column in its line of the file, counted in characters from 1."""
        place = self.resolved()
        return place.start - _line_start(place.source.text, place.start) + 1

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def to(self, other: Place) -> Place:
        """From the start of this place to the end of `other`, in the same source."""
        return Place(self.source, self.start, max(self.end, other.end))

    def excerpt(self) -> str:
        """The line with carets under the place."""
        place = self.resolved()
        text = place.source.text
        start = _line_start(text, place.start)
        stop = text.find("\n", start)
        stop = len(text) if stop < 0 else stop
        first, last = place.start, max(place.start + 1, min(place.end, stop))
        cut = max(start, first - _LONGEST_LINE // 2) if stop - start > _LONGEST_LINE else start
        shown = text[cut : min(stop, cut + _LONGEST_LINE)]
        before = _visible("..." * (cut > start) + text[cut:first])
        marked = max(1, _width(_visible(text[first : min(last, cut + _LONGEST_LINE)])))
        line = "..." * (cut > start) + shown + "..." * (stop > cut + _LONGEST_LINE)
        return f"    {_visible(line).rstrip()}\n    {' ' * _width(before)}{'^' * marked}"

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _visible(text: str) -> str:
    return "".join(_TAB if c == "\t" else c if c.isprintable() or _width(c) == 0 else "\ufffd" for c in text)


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
