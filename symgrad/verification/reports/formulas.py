"""The formulas of a document as MathML, a verdict's part of one in its colour; what cannot be set stays as written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from msgspec import Struct

from symgrad.errors import AnswerError
from symgrad.notation.formula import read_formula
from symgrad.notation.mathml import mathml
from symgrad.source import Source
from symgrad.verification.documents.document import take_apart

_OPENS: Final = re.compile(r"(?:\$\$|\$|\\\[|\\\(|\\begin\{[a-z]+\*?\})$")
_CLOSES: Final = re.compile(r"\$\$|\$|\\\]|\\\)|\\end\{[a-z]+\*?\}")
_LAID_OUT: Final = (
    r"aligned|align|alignat|alignedat|split|gathered|gather|multline|eqnarray|equation|displaymath|math|dmath|flalign"
)
_LAYOUT: Final = re.compile(rf"\\(?:begin|end)\{{(?:{_LAID_OUT})\*?\}}(?:\{{[^{{}}]*\}})?")
_SILENT: Final = re.compile(
    r"\\(?:tag\*?|label|vspace\*?|hspace\*?)\s*\{[^{}]*\}|\\(?:nonumber|notag|displaystyle|limits|nolimits|hline|boxed|therefore|because"
    r"|[bB]igg?[lrm]?)(?![A-Za-z])"
)
_ABOVE: Final = re.compile(r"\\(?:stackrel|overset)\s*\{[^{}]*\}\s*\{([^{}]*)\}")
_ARRAY: Final = re.compile(r"\\(begin|end)\{array\}(?:\s*\{[^{}]*\})?")
_PIECE: Final = re.compile(r"\\begin\{|\\end\{|\\\\(?:\[[^\]]*\])?|(?<!\\)&")
_LONGEST: Final = 4000


class Stretch(Struct, frozen=True):
    """A formula with the signs that begin and end it, in characters of the document."""

    start: int
    end: int


def stretches(name: str, text: str) -> tuple[Stretch, ...]:
    """The formulas of a document, in order; none where it cannot be taken apart."""
    kind = name.rpartition(".")[2].lower()
    if kind in ("ipynb", "yaml", "yml"):
        return ()
    try:
        written = take_apart(Source(name, text), kind)
    except AnswerError:
        return ()
    found: list[Stretch] = []
    for formula in written.formulas:
        place = formula.source.place().resolved()
        opening, closing = _OPENS.search(text, max(0, place.start - 30), place.start), _CLOSES.match(text, place.end)
        if opening and closing and (not found or found[-1].end <= opening.start()):
            found.append(Stretch(opening.start(), closing.end()))
    return tuple(found)


class Part(Struct, frozen=True):
    """A part of a document: its text, and the tag round it, empty where nothing is said of it."""

    start: int
    text: str
    tag: str = ""

    @property
    def end(self) -> int:
        """The place behind its last character."""
        return self.start + len(self.text)


def set_out(parts: Sequence[Part], formulas: Sequence[Stretch]) -> str:
    """Parts of a text that follow one another in HTML, those that lie in formulas as MathML."""
    out: list[str] = []
    for formula, inside in _by_formula(parts, formulas):
        shown = [_set(part, formula) for part in inside] if formula is not None else [None]
        whole = None not in shown
        for part, html in zip(inside, shown, strict=True):
            out.append(_tagged(html if whole and html is not None else escape(part.text), part.tag))
    return "".join(out)


def _by_formula(parts: Sequence[Part], formulas: Sequence[Stretch]) -> Iterator[tuple[Stretch | None, list[Part]]]:
    """The parts cut where formulas begin and end, those of one formula together."""
    waiting = list(reversed(parts))
    for formula in formulas:
        inside: list[Part] = []
        while waiting and waiting[-1].start < formula.end:
            part = waiting.pop()
            cut = formula.start if part.start < formula.start < part.end else formula.end
            if part.start < cut < part.end:
                waiting.append(Part(cut, part.text[cut - part.start :], part.tag))
                part = Part(part.start, part.text[: cut - part.start], part.tag)
            if part.end <= formula.start:
                yield None, [part]
            else:
                inside.append(part)
        if inside and inside[0].start == formula.start and inside[-1].end == formula.end:
            yield formula, inside
        else:
            yield from ((None, [part]) for part in inside)
    yield from ((None, [part]) for part in reversed(waiting))


def _tagged(html: str, tag: str) -> str:
    return f"<mark{tag}>{html}</mark>" if tag else html


def _set(part: Part, formula: Stretch) -> str | None:
    """A part of a formula as MathML, line by line; None where it cannot be set."""
    text = part.text
    if part.end == formula.end:
        text = text[: len(text) - len(_last(text))]
    if part.start == formula.start:
        found = re.match(r"\$\$|\$|\\\[|\\\(|\\begin\{[a-z]+\*?\}", text)
        text = text[found.end() :] if found else text
    lines = [setting(line) for line in _lines(_ABOVE.sub(r"\1", _SILENT.sub(" ", _LAYOUT.sub(" ", text))))]
    known = [line for line in lines if line is not None]
    return "<br>".join(known) if len(known) == len(lines) else None


def _last(text: str) -> str:
    found = re.search(r"(?:\$\$|\$|\\\]|\\\)|\\end\{[a-z]+\*?\})$", text)
    return found[0] if found else ""


def _lines(text: str) -> Iterator[str]:
    """The lines of a part, without the signs that align them; matrices and cases stay whole."""
    balanced = text.count(r"\begin{array}") == text.count(r"\end{array}")
    text = _ARRAY.sub(lambda found: rf"\{found[1]}{{matrix}}" if balanced else " ", text)
    depth = start = 0
    line = ""
    for found in _PIECE.finditer(text):
        depth += {r"\begin{": 1, r"\end{": -1}.get(found[0], 0)
        if depth or found[0].startswith((r"\begin", r"\end")):
            continue
        line += text[start : found.start()] + " "
        start = found.end()
        if found[0].startswith("\\\\"):
            yield line
            line = ""
    yield line + text[start:]


def setting(latex: str) -> str | None:
    """A formula in LaTeX as one MathML element, nothing for nothing; None where it cannot be set."""
    source = " ".join(latex.split())
    if not source:
        return ""
    tree = read_formula(source) if len(source) <= _LONGEST else None
    if tree is None:
        return None
    annotation = f'<annotation encoding="application/x-tex">{escape(source)}</annotation>'
    return f'<math displaystyle="true"><semantics><mrow>{mathml(tree)}</mrow>{annotation}</semantics></math>'
