"""Equations and sizes that a writer sets in running text, without dollar signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import digits
from typing import Final

from msgspec.structs import replace

from symgrad.source import Source
from symgrad.syntax.latex.names import Vocabulary
from symgrad.syntax.latex.signs import FUNCTIONS, LOWERED, RAISED, UNICODE

_PIECE = re.compile(
    r"(?P<number>\d+(?:\.\d+)?(?:/\d+)?)|(?P<word>[^\W\d_](?:[\w']|\\_)*)|(?P<space>[ \t]+)|(?P<sign>\\\*|\S)"
)
_SIZE = re.compile(r"(?<![\w.*/×])\d+(?:[ \t]*[×x][ \t]*\d+)+(?![\w*/])")
_GLUED: Final = frozenset("+-*/=()[]{}^_.,'<>|!" + "".join(UNICODE) + "⊙ᵀ²³₀₁₂₃₄₅₆₇₈₉ₜᵢⱼₖ₋₊⁻¹")
_SCRIPTS: Final = "".join((*RAISED, *LOWERED))
_WORD_BEFORE = re.compile(r"[^\W\d_][\w']*[ \t]*$")
_TRAILING: Final = " \t.,;:'"
_APPLIED = re.compile(r"[^\W\d_][(\[{][ \t]*$")
_SHORTEST = 2


def formulas_in(text: Source, vocabulary: Vocabulary) -> Iterator[Source]:
    """The parts of prose that are equations or sizes, in order."""
    at = 0
    for line in text.text.split("\n"):
        for first, last in _in_line(line, vocabulary):
            part = text.part(at + first, at + last)
            yield replace(part, text=part.text.replace("x", "×")) if _SIZE.fullmatch(part.text) else part
        at += len(line) + 1


def _in_line(line: str, vocabulary: Vocabulary) -> Iterator[tuple[int, int]]:
    if "\\" in line and re.search(r"\\(?:frac|partial|sum|sigma|tanh|odot|cdot|left|hat)", line):
        start = len(line) - len(line.lstrip(" \t-*•"))
        yield start, len(line.rstrip())
        return
    found: list[tuple[int, int]] = []
    for first, last in _runs(line, vocabulary) if "=" in line else ():
        if line[first] == "=":
            word = _WORD_BEFORE.search(line[:first])
            first = word.start() if word is not None else first
        sides = line[first:last].split("=")
        if len(sides) > 1 and sides[-1].strip() and sides[0].strip():
            found.append((first, last))
    found += [size.span() for size in _SIZE.finditer(line) if not any(a <= size.start() < z for a, z in found)]
    yield from sorted(found)


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
    while line[start:end] and line[start] in _TRAILING + ")*+":
        start += 1
    for part in re.finditer(r"(?:(?!\.\s|,\s(?![^()\[\]]*[)\]])).)+", line[start:end]):
        first, last = start + part.start(), start + part.end()
        if _APPLIED.search(line[first:last]):
            continue  # a word of the language stands in the brackets of a function: this is half a formula
        while last > first and (line[last - 1] in _TRAILING + "([{" or _is_stray(line[first:last])):
            last -= 1
        while first < last and line[first] in _TRAILING:
            first += 1
        if last - first >= _SHORTEST:
            yield first, last


def _is_stray(text: str) -> bool:
    """Whether the text ends with a bracket that the sentence opened."""
    return text[-1] in ")]" and text.count(text[-1]) > text.count({")": "(", "]": "["}[text[-1]])


def _is_mathematical(piece: re.Match[str], vocabulary: Vocabulary) -> bool:
    if piece.lastgroup != "word":
        return piece.lastgroup != "sign" or piece[0] in _GLUED or piece[0] == "\\*"
    word = piece[0].replace("\\_", "_")
    stem = word.partition("_")[0].rstrip(_SCRIPTS + digits)
    differential = stem[:1] == "d" and stem[1:] in vocabulary.arities
    known = word in FUNCTIONS or word == "axis" or stem in vocabulary.arities or word in vocabulary.arities
    return known or differential or "_" in word or len(stem) == 1
