"""Marked answers in TeX: the writer's text as he wrote it, with the verdicts in colour below every stretch."""

from __future__ import annotations

import re
from typing import Final

from symgrad.verification.judging.verdicts import Judged
from symgrad.verification.marked import Marked
from symgrad.verification.reports.page import CLASSES, blocks
from symgrad.verification.reports.report import SIGNS, notes, summary_lines

_ESCAPES: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "-": "-{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
}  # fmt: skip
_COLOURS: Final = {
    "right": "green!45!black", "nearly": "teal", "wrong": "red!75!black", "carried": "violet", "open": "gray",
    "unread": "orange!80!black",
}  # fmt: skip
_SIGNS: Final = {"✓": r"$\checkmark$", "✗": r"$\times$", "→": r"$\to$", "·": r"$\cdot$", "?": "?"}
_MATHEMATICAL: Final = {
    "∂": r"$\partial$", "⊙": r"$\odot$", "×": r"$\times$", "⁺": "$^+$", "Σ": r"$\Sigma$", "ŷ": r"$\hat{y}$",
    "∘": r"$\circ$", "·": r"$\cdot$", "…": r"\dots{}", "≈": r"$\approx$", "−": "$-$", "δ": r"$\delta$",
    "•": r"$\bullet$", "–": "--", "’": "'", "σ": r"$\sigma$", "γ": r"$\gamma$", "ᵀ": r"$^\top$", "≤": r"$\le$",
    "≥": r"$\ge$", "∈": r"$\in$", "ℝ": r"$\mathbb{R}$", "→": r"$\to$", "⊤": r"$\top$", "∏": r"$\prod$",
    "∑": r"$\sum$", "≠": r"$\neq$", "⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "√": r"$\surd$", "∞": r"$\infty$",
    **{raised: f"$^{k}$" for k, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{lowered: f"$_{k}$" for k, lowered in enumerate("₀₁₂₃₄₅₆₇₈₉")}, "ₜ": "$_t$", "ᵢ": "$_i$", "₋": "$_-$",
}  # fmt: skip
_LAST_OF_LATIN_1: Final = 255
_PREAMBLE: Final = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{lmodern,textcomp,amssymb,xcolor}
\usepackage[margin=2.5cm]{geometry}
\setlength{\parindent}{0pt}
\emergencystretch=3em
\begin{document}
"""


def tex(marked: Marked) -> str:
    """A document of its own: what was written, what is said of it, and the verdicts counted."""
    title = rf"{{\Large\bfseries {escaped(marked.document)}}}\par\medskip"
    out = [_PREAMBLE, title, *_summary(marked), r"\medskip\hrule\medskip"]
    for block in blocks(marked):
        lines = [line.rstrip() for line in block.text.strip("\n").split("\n")]
        written = "\n".join(rf"{_line(line)}\par" for line in lines if line)
        if written:
            out.append(rf"{{\ttfamily\small\raggedright {written}}}")
        if block.claims:
            out += [r"\smallskip", *(_item(c) for c in block.claims), r"\smallskip"]
    return "\n".join([*out, r"\end{document}", ""])


def _summary(marked: Marked) -> list[str]:
    return [rf"{escaped(line)}\par" for line in summary_lines(marked)]


def _line(line: str) -> str:
    """A line as it was written, which TeX may break where a command or a group begins."""
    indent = len(line) - len(line.lstrip())
    text = escaped(line.lstrip())
    return "~" * indent + re.sub(r"(?=\\textbackslash\{\}|\\\{)", r"\\allowbreak{}", text)


def _item(c: Judged) -> str:
    colour = _COLOURS[CLASSES[c.verdict]]
    said = "".join(rf"\\ {escaped(note)}" for note in notes(c))
    sign = _SIGNS[SIGNS[c.verdict]]
    return (
        rf"{{\color{{{colour}}}\leftskip=1.5em\rightskip=0pt plus 3em {sign} \textbf{{{c.verdict}}}, "
        rf"line {c.place.line}{said}\par}}"
    )


def escaped(text: str) -> str:
    """A text as TeX sets it, whatever it holds."""
    return "".join(_sign(ch) for ch in text)


def _sign(ch: str) -> str:
    if ch in _ESCAPES:
        return _ESCAPES[ch]
    if ch in _MATHEMATICAL:
        return _MATHEMATICAL[ch]
    return ch if ch.isprintable() and ord(ch) <= _LAST_OF_LATIN_1 else "?"
