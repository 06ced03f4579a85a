"""Marked answers as pages: the writer's document with every equation marked in place, in Markdown."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.verdicts import Judged
from symgrad.verification.marked import Marked
from symgrad.verification.reports.report import SIGNS, summary_lines

CLASSES: Final = {
    **dict.fromkeys((w.RIGHT,), "right"),
    **dict.fromkeys((w.OTHER_LAYOUT, w.AS_SCALARS, w.TO_PRECISION, w.RIGHT_IF), "nearly"),
    **dict.fromkeys((w.WRONG, w.SHAPE_ERROR), "wrong"),
    w.CARRIED: "carried",
    **dict.fromkeys((w.DEFINITION, w.UNJUDGED), "open"),
    w.UNREAD: "unread",
}


class Block(Struct, frozen=True):
    """A stretch of the document up to a blank line, with what is judged in it."""

    start: int
    text: str
    claims: tuple[Judged, ...]


def blocks(marked: Marked) -> Iterator[Block]:
    """The document in stretches between blank lines; a statement belongs to the stretch in which it ends."""
    waiting = sorted(marked.claims, key=lambda c: c.place.resolved().end)
    ends = [c.place.resolved().end for c in waiting]
    start = first = 0
    for part in _parts(marked.text):
        end = start + len(part)
        last = bisect_right(ends, end)
        yield Block(start, part, tuple(waiting[first:last]))
        start, first = end, last
    if first < len(waiting):
        yield Block(start, "", tuple(waiting[first:]))


def _parts(text: str) -> Iterator[str]:
    """Stretches of lines, each with the blank lines behind it; a display is not cut."""
    part: list[str] = []
    displayed = False
    for line in text.splitlines(keepends=True):
        if part and not part[-1].strip() and line.strip() and not displayed:
            yield "".join(part)
            part = []
        part.append(line)
        displayed ^= line.count("$$") % 2 == 1
    if part:
        yield "".join(part)


# Markdown


def markdown(marked: Marked) -> str:
    """The document with a note behind every stretch that states something."""
    out: list[str] = []
    for block in blocks(marked):
        out.append(block.text.rstrip("\n"))
        out += ["", *(line for c in block.claims for line in _quoted(c)), ""] if block.claims else [""]
    out += ["---", "", *summary_lines(marked), ""]
    return "\n".join(out)


def _quoted(c: Judged) -> Iterator[str]:
    yield f"> {SIGNS[c.verdict]} **{c.verdict}** (line {c.place.line}) {_code(' '.join(c.latex.split()))}  "
    found = [c.reason, c.diagnosis]
    yield from (f"> {note}  " for note in found if note)
    if c.correction:
        yield f"> correct: ${' '.join(c.correction.split())}$  "


def _code(text: str) -> str:
    ticks = "``" if "`" in text else "`"
    return f"{ticks}{text}{ticks}"
