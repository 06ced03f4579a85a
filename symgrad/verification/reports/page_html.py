"""Marked answers as a page in HTML: the writer's document with every equation set and marked in place."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from symgrad.verification.judging.verdicts import Judged
from symgrad.verification.marked import Marked
from symgrad.verification.reports.formulas import Part, Stretch, set_out, setting, stretches
from symgrad.verification.reports.page import CLASSES, Block, blocks
from symgrad.verification.reports.report import SIGNS, notes, number

_STYLE: Final = """\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f27; }
h1 { font-size: 1.4rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
header { border-bottom: 1px solid #ccd1da; margin-bottom: 1.2rem; padding-bottom: .8rem; }
header p { margin: .2rem 0; color: #566; font-size: 14px; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; overflow-x: auto; overflow-y: hidden; padding-block: .2rem;
  margin: .6rem 0 0; font: 14px/1.5 ui-monospace, monospace; }
math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", math; font-size: 1.1em; }
mark { border-radius: 3px; padding: 0 3px; color: inherit; }
mark:has(> math) { display: inline-block; padding: 1px 3px; }
.chips mark { display: inline-block; margin: .15rem .4rem .15rem 0; padding: 0 .5rem; font-size: 14px; }
ul { margin: .3rem 0 1rem; padding: 0; list-style: none; font-size: 14px; }
li { border-left: 4px solid #ccd1da; margin: .25rem 0 .25rem .4rem; padding: .1rem .7rem; }
li p { margin: 0; overflow-x: auto; overflow-y: hidden; padding-block: .1rem; }
li code { background: #eef0f4; border-radius: 3px; padding: 0 3px; }
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


def html(marked: Marked) -> str:
    """A page of its own: the verdicts counted, the document with every statement in colour, and what is said of it."""
    formulas = stretches(marked.document, marked.text)
    body = "\n".join(_html_block(block, formulas) for block in blocks(marked))
    chips = "".join(
        f'<mark class="{CLASSES[verdict]}">{count} {verdict}</mark>' for verdict, count in marked.counts.items()
    )
    points = "" if marked.points is None else f"<p>points: {number(marked.points):g}</p>"
    against = f"<p>marked against {escape(', '.join(marked.problems))}</p>"
    name = escape(marked.document)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n"
        f'<header><h1>{name}</h1>{against}<p class="chips">{chips or "nothing to judge"}</p>{points}</header>\n'
        f"{body}\n</body>\n</html>\n"
    )


def _html_block(block: Block, formulas: Sequence[Stretch]) -> str:
    first = bisect_left(formulas, block.start, key=lambda f: f.start)
    last = bisect_right(formulas, block.start + len(block.text), key=lambda f: f.end)
    here = formulas[first:last]
    written = _BLANK_LINES.sub("\n\n", set_out(list(_parts(block)), here)).strip("\n")
    items = "".join(_html_item(c) for c in block.claims)
    shown = f"<pre>{written}</pre>" if written else ""
    return shown + (f"<ul>{items}</ul>" if items else "")


def _parts(block: Block) -> Iterator[Part]:
    """The text of a block, cut where a verdict begins and ends; of two that overlap the first is shown."""
    at, end = block.start, block.start + len(block.text)
    for c in sorted(block.claims, key=lambda c: c.place.resolved().start):
        place = c.place.resolved()
        if place.start < at or place.end > end or place.start == place.end:
            continue
        if at < place.start:
            yield Part(at, _cut(block, at, place.start))
        title = escape("; ".join([c.verdict, *notes(c)]), quote=True)
        yield Part(place.start, _cut(block, place.start, place.end), f' class="{CLASSES[c.verdict]}" title="{title}"')
        at = place.end
    if at < end:
        yield Part(at, _cut(block, at, end))


def _cut(block: Block, start: int, end: int) -> str:
    return block.text[max(0, start - block.start) : max(0, end - block.start)]


def _html_item(c: Judged) -> str:
    kind = CLASSES[c.verdict]
    head = f'<p><mark class="{kind}">{SIGNS[c.verdict]} {c.verdict}</mark> line {c.place.line}</p>'
    said = "".join(f"<p>{escape(note)}</p>" for note in (c.reason, c.diagnosis) if note)
    shown = setting(c.correction) or f"<code>{escape(c.correction)}</code>"
    correct = f"<p>correct: {shown}</p>" if c.correction else ""
    return f'<li class="{kind}">{head}{said}{correct}</li>'
