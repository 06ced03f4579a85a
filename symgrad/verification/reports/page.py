"""Marked answers as pages: the writer's document with every equation marked in place, in Markdown and HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.verdicts import Judged
from symgrad.verification.marked import Marked
from symgrad.verification.reports.report import SIGNS, notes, number, summary_lines

CLASSES: Final = {
    **dict.fromkeys((w.RIGHT,), "right"),
    **dict.fromkeys((w.OTHER_LAYOUT, w.AS_SCALARS, w.TO_PRECISION, w.RIGHT_IF), "nearly"),
    **dict.fromkeys((w.WRONG, w.SHAPE_ERROR), "wrong"),
    w.CARRIED: "carried",
    **dict.fromkeys((w.DEFINITION, w.UNJUDGED), "open"),
    w.UNREAD: "unread",
}
_STYLE: Final = """\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f27; }
h1 { font-size: 1.4rem; margin: 0 0 .4rem; }
header { border-bottom: 1px solid #ccd1da; margin-bottom: 1.2rem; padding-bottom: .8rem; }
header p { margin: .2rem 0; color: #566; font-size: 14px; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.5 ui-monospace, monospace; margin: .6rem 0 0; }
mark { border-radius: 3px; padding: 0 3px; color: inherit; }
.chips mark { display: inline-block; margin: .15rem .4rem .15rem 0; padding: 0 .5rem; font-size: 14px; }
ul { margin: .3rem 0 1rem; padding: 0; list-style: none; font-size: 14px; }
li { border-left: 4px solid #ccd1da; margin: .25rem 0 .25rem .4rem; padding: .1rem .7rem; }
li p { margin: 0; } li code { background: #eef0f4; border-radius: 3px; padding: 0 3px; }
.right { background: #d9f2dd; } .nearly { background: #d6eef2; } .wrong { background: #f8d4d4; }
.carried { background: #ecd9f5; } .open { background: #e7e9ef; } .unread { background: #f6eccb; }
li.right, li.nearly, li.wrong, li.carried, li.open, li.unread { background: none; }
li.right { border-color: #5cb870; } li.nearly { border-color: #4fa9b8; } li.wrong { border-color: #d05555; }
li.carried { border-color: #a06cc4; } li.unread { border-color: #d3ab3a; }
@media (prefers-color-scheme: dark) {
  body { background: #16181d; color: #e6e6e6; } mark, li code { color: #111; } header p { color: #9aa; }
}
"""


_BLANK_LINES: Final = re.compile(r"\n(?:[ \t]*\n){2,}")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the document up to a blank line, with what is judged in it."""

    start: int
    text: str
    claims: tuple[Judged, ...]


def blocks(marked: Marked) -> Iterator[Block]:
    """The document in stretches between blank lines; a statement belongs to the stretch in which it ends."""
    waiting = sorted(marked.claims, key=lambda c: c.place.resolved().end)
    start = 0
    for part in _parts(marked.text):
        end = start + len(part)
        inside = [c for c in waiting if c.place.resolved().end <= end]
        waiting = waiting[len(inside) :]
        yield Block(start, part, tuple(inside))
        start = end
    if waiting:
        yield Block(start, "", tuple(waiting))


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


# HTML


def html(marked: Marked) -> str:
    """A page of its own: the verdicts counted, the document with every statement in colour, and what is said of it."""
    body = "\n".join(_html_block(block) for block in blocks(marked))
    chips = "".join(
        f'<mark class="{CLASSES[verdict]}">{count} {verdict}</mark>' for verdict, count in marked.counts.items()
    )
    points = "" if marked.points is None else f"<p>points: {number(marked.points):g}</p>"
    against = f"<p>marked against {escape(', '.join(marked.problems))}</p>"
    name = escape(marked.document)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{name}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n"
        f'<header><h1>{name}</h1>{against}<p class="chips">{chips or "nothing to judge"}</p>{points}</header>\n'
        f"{body}\n</body>\n</html>\n"
    )


def _html_block(block: Block) -> str:
    pieces: list[str] = []
    at = block.start
    end = block.start + len(block.text)
    for c in sorted(block.claims, key=lambda c: c.place.resolved().start):
        place = c.place.resolved()
        if place.start < at or place.end > end:
            continue
        pieces.append(escape(_cut(block, at, place.start)))
        title = escape("; ".join([c.verdict, *notes(c)]), quote=True)
        pieces.append(
            f'<mark class="{CLASSES[c.verdict]}" title="{title}">{escape(_cut(block, place.start, place.end))}</mark>'
        )
        at = place.end
    pieces.append(escape(_cut(block, at, end)))
    items = "".join(_html_item(c) for c in block.claims)
    written = _BLANK_LINES.sub("\n\n", "".join(pieces)).strip("\n")
    shown = f"<pre>{written}</pre>" if written else ""
    return shown + (f"<ul>{items}</ul>" if items else "")


def _cut(block: Block, start: int, end: int) -> str:
    return block.text[max(0, start - block.start) : max(0, end - block.start)]


def _html_item(c: Judged) -> str:
    kind = CLASSES[c.verdict]
    head = f'<p><mark class="{kind}">{SIGNS[c.verdict]} {c.verdict}</mark> line {c.place.line}</p>'
    said = "".join(f"<p>{escape(note)}</p>" for note in (c.reason, c.diagnosis) if note)
    correct = f"<p>correct: <code>{escape(c.correction)}</code></p>" if c.correction else ""
    return f'<li class="{kind}">{head}{said}{correct}</li>'
