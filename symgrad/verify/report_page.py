"""Marked answers as pages: the writer's document with every equation marked in place, in Markdown, HTML and TeX."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from symgrad.verify import verdicts as w
from symgrad.verify.report import SIGNS, notes, summary_lines
from symgrad.verify.verdicts import Judged
from symgrad.verify.verify import Marked

_CLASSES: Final = {
    **dict.fromkeys((w.RIGHT,), "right"),
    **dict.fromkeys((w.OTHER_LAYOUT, w.AS_SCALARS, w.TO_PRECISION, w.RIGHT_IF), "nearly"),
    **dict.fromkeys((w.WRONG, w.SHAPE_ERROR), "wrong"),
    w.CARRIED: "carried",
    **dict.fromkeys((w.DEFINITION, w.UNJUDGED), "open"),
    w.UNREAD: "unread",
}
_STYLE: Final = """\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
pre { white-space: pre-wrap; font: 14px/1.5 ui-monospace, monospace; margin: 0; }
mark { border-radius: 3px; padding: 0 2px; }
ul { margin: .3rem 0 1rem; padding-left: 1.2rem; list-style: none; font-size: 14px; }
.right { background: #d9f2dd; } .nearly { background: #d6eef2; } .wrong { background: #f8d4d4; }
.carried { background: #ecd9f5; } .open { background: #e7e9ef; } .unread { background: #f6eccb; }
@media (prefers-color-scheme: dark) { body { background: #16181d; color: #e6e6e6; } mark { color: #111; } }
"""


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
    """A page of its own: the document with every statement in colour, and what is said of it below."""
    body = "\n".join(_html_block(block) for block in blocks(marked))
    foot = "".join(f"<p>{escape(line)}</p>" for line in summary_lines(marked))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(marked.document)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n"
        f"{body}\n<hr>\n{foot}\n</body>\n</html>\n"
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
            f'<mark class="{_CLASSES[c.verdict]}" title="{title}">{escape(_cut(block, place.start, place.end))}</mark>'
        )
        at = place.end
    pieces.append(escape(_cut(block, at, end)))
    items = "".join(_html_item(c) for c in block.claims)
    return f"<pre>{''.join(pieces)}</pre>" + (f"<ul>{items}</ul>" if items else "")


def _cut(block: Block, start: int, end: int) -> str:
    return block.text[max(0, start - block.start) : max(0, end - block.start)]


def _html_item(c: Judged) -> str:
    said = "<br>".join(escape(note) for note in notes(c))
    head = f'<mark class="{_CLASSES[c.verdict]}">{SIGNS[c.verdict]} {c.verdict}</mark> line {c.place.line}'
    return f"<li>{head}{'<br>' if said else ''}{said}</li>"


# TeX

_ESCAPES: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
}  # fmt: skip
_TEX_COLOURS: Final = {
    "right": "green!50!black", "nearly": "teal", "wrong": "red!75!black", "carried": "violet", "open": "gray",
    "unread": "orange!80!black",
}  # fmt: skip
_TEX_SIGNS: Final = {"✓": r"$\checkmark$", "✗": r"$\times$", "→": r"$\to$", "·": r"$\cdot$", "?": "?"}


def tex(marked: Marked) -> str:
    """A document of its own: the writer's text as he wrote it, with the verdicts in colour below every stretch."""
    out = [
        r"\documentclass{article}", r"\usepackage[margin=2.5cm]{geometry}", r"\usepackage{xcolor,amssymb,fvextra}",
        r"\setlength{\parindent}{0pt}", r"\begin{document}",
    ]  # fmt: skip
    for block in blocks(marked):
        if block.text.strip():
            safe = block.text.strip("\n").replace(r"\end{Verbatim}", r"\end {Verbatim}")
            out += [r"\begin{Verbatim}[breaklines,fontsize=\small]", _ascii(safe), r"\end{Verbatim}"]
        out += [_tex_item(c) for c in block.claims]
    out += [
        r"\bigskip\hrule\medskip",
        *(f"{escaped(line)}\\par" for line in summary_lines(marked)),
        r"\end{document}",
        "",
    ]
    return "\n".join(out)


def _tex_item(c: Judged) -> str:
    colour = _TEX_COLOURS[_CLASSES[c.verdict]]
    said = "".join(f"\\par {escaped(note)}" for note in notes(c))
    sign = _TEX_SIGNS[SIGNS[c.verdict]]
    return f"{{\\color{{{colour}}}{sign} \\textbf{{{c.verdict}}} line {c.place.line}{said}\\par}}"


def escaped(text: str) -> str:
    """A text as TeX sets it, whatever it holds."""
    return "".join(_ESCAPES.get(ch, ch) for ch in _ascii(text))


def _ascii(text: str) -> str:
    """Signs that TeX's fonts lack, by others."""
    known = {
        "∂": "d", "⊙": "(.)", "×": "x", "⁺": "+", "Σ": "Sum", "ŷ": "y^", "∘": "o", "·": ".", "…": "...", "≈": "~",
        "−": "-",         "δ": "delta", "•": "*", "–": "-", "’": "'", "σ": "sigma", "γ": "gamma", "ᵀ": "^T", "≤": "<=",
        "≥": ">=", "∈": "in",
    }  # fmt: skip
    return "".join(known.get(ch, ch if ord(ch) < 256 else "?") for ch in text)
