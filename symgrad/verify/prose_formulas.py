"""Equations and sizes that a writer sets in running text, without dollar signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from symgrad.source import Source
from symgrad.syntax.latex_names import Vocabulary
from symgrad.syntax.latex_signs import FUNCTIONS, UNICODE

_PIECE = re.compile(
    r"(?P<number>\d+(?:\.\d+)?(?:/\d+)?)|(?P<word>[^\W\d_](?:[\w']|\\_)*)|(?P<space>[ \t]+)|(?P<sign>\\\*|\S)"
)
_SIZE = re.compile(r"(?<![\w.*/×])\d+(?:[ \t]*[×x][ \t]*\d+)+(?![\w*/])")
_GLUED: Final = frozenset("+-*/=()[]{}^_.,'<>|!" + "".join(UNICODE) + "⊙ᵀ²³₀₁₂₃₄₅₆₇₈₉ₜᵢⱼₖ₋₊⁻¹")
_ARTICLES: Final = frozenset({"a", "A", "I", "x", "e", "g", "s", "t", "d"})
_TRAILING: Final = " \t.,;:'"
_SHORTEST = 3


def formulas_in(text: Source, vocabulary: Vocabulary) -> Iterator[Source]:
    """The parts of prose that are equations or sizes, in order."""
    at = 0
    for line in text.text.split("\n"):
        yield from (text.part(at + first, at + last) for first, last in _in_line(line, vocabulary))
        at += len(line) + 1


def _in_line(line: str, vocabulary: Vocabulary) -> Iterator[tuple[int, int]]:
    if "=" not in line:
        yield from (found.span() for found in _SIZE.finditer(line))
        return
    if "\\" in line and re.search(r"\\(?:frac|partial|sum|sigma|tanh|odot|cdot|left|hat)", line):
        start = len(line) - len(line.lstrip(" \t-*•"))
        yield start, len(line.rstrip())
        return
    for first, last in _runs(line, vocabulary):
        piece = line[first:last]
        sides = piece.split("=")
        if len(sides) > 1 and sides[-1].strip() and any(side.strip() for side in sides[:-1]):
            yield first, last


def _runs(line: str, vocabulary: Vocabulary) -> Iterator[tuple[int, int]]:
    """Runs of numbers, signs and names, between words of the language."""
    start: int | None = None
    end = 0
    for piece in _PIECE.finditer(line):
        if _is_mathematical(piece, vocabulary):
            if start is None and piece.lastgroup != "space":
                start = piece.start()
            if piece.lastgroup != "space":
                end = piece.end()
        elif start is not None:
            yield from _trimmed(line, start, end)
            start = None
    if start is not None:
        yield from _trimmed(line, start, end)


def _trimmed(line: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A run without the marks of the sentence round it; a full stop before a space ends one."""
    while line[start:end] and line[start] in _TRAILING + ")*-+":
        start += 1
    for part in re.finditer(r"(?:(?!\.\s|,\s(?![^()\[\]]*[)\]])).)+", line[start:end]):
        first, last = start + part.start(), start + part.end()
        while last > first and line[last - 1] in _TRAILING:
            last -= 1
        while first < last and line[first] in _TRAILING:
            first += 1
        if last - first >= _SHORTEST:
            yield first, last


def _is_mathematical(piece: re.Match[str], vocabulary: Vocabulary) -> bool:
    if piece.lastgroup != "word":
        return piece.lastgroup != "sign" or piece[0] in _GLUED or piece[0] == "\\*"
    word = piece[0].replace("\\_", "_")
    stem = word.partition("_")[0]
    return (
        "_" in word or len(stem) == 1 or word in FUNCTIONS or stem in vocabulary.arities or word in vocabulary.arities
    )
