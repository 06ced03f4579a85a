"""Cells of tables: the number, the size or the word that one states, and whether it is the one that is expected."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any, Final, Literal

from msgspec import Struct

from symgrad.errors import ProblemError
from symgrad.source import Source
from symgrad.syntax.latex.lexer import tokenize
from symgrad.syntax.tokens import Kind
from symgrad.syntax.tree import Call, Number, Tree
from symgrad.verification.documents.sides import Sides
from symgrad.verification.documents.statements import EQUALITIES, statements
from symgrad.verification.judging.constants import value_of
from symgrad.verification.judging.stated_values import number
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import Notation

State = Literal["right", "rounded", "wrong"]

_THOUSANDS: Final = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_PERCENT: Final = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*\\?%")
_FIRST: Final = re.compile(r"-?\d+(?:\.\d+)?(?:/\d+)?(?:\s*×\s*\d+)*")
_MARKUP: Final = str.maketrans({"$": " ", "*": "·", "`": " ", "−": "-", "≈": "=", "~": " "})
_EMPHASIS: Final = re.compile(r"\*\*|</?[a-z]+>")
_BETWEEN_SIZES: Final = re.compile(r"(?<=\d)\s*[xX]\s*(?=\d)")
WORDS: Final = {
    **dict.fromkeys(("tp", "yes", "true", "hit", "✓", "✔", r"\checkmark", "t", "correct"), Fraction(1)),
    **dict.fromkeys(("fp", "no", "false", "miss", "✗", "✘", "×", "f", "x", "wrong", "-"), Fraction(0)),
}  # fmt: skip
_CLOSE: Final = 1e-9


class Stated(Struct, frozen=True):
    """What a cell states: a number, or the sizes of a shape, and how many decimals it shows."""

    value: Fraction | tuple[Fraction, ...]
    decimals: int = 0

    def state(self, expected: Any) -> State:
        """Whether it is what is expected: a number, sizes in a row, or a SymPy number."""
        if isinstance(expected, bool):
            expected = int(expected)
        if isinstance(expected, list | tuple):
            return "right" if self.value == tuple(expected) else "wrong"
        if isinstance(self.value, tuple):
            return "right" if math.prod(self.value) == expected else "wrong"
        if isinstance(expected, int | Fraction):
            apart = abs(self.value - expected)
            if apart == 0:
                return "right"
            return "rounded" if self.decimals and apart <= Fraction(1, 2 * 10**self.decimals) else "wrong"
        distance = abs(float(self.value) - float(expected))
        allowed = 0.5 * 10**-self.decimals if self.decimals else _CLOSE
        return "rounded" if distance <= allowed else "wrong"


def stated_in(bench: Bench, cell: Source, notation: Notation) -> Stated | None:
    """What a cell states; None where it is neither number nor size, nor a word for a hit or a miss."""
    written = _EMPHASIS.sub(" ", cell.text).strip()
    if written.strip("$ ").casefold() in WORDS:
        return Stated(WORDS[written.strip("$ ").casefold()])
    text = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), written)
    text = _BETWEEN_SIZES.sub(" × ", text).translate(_MARKUP)
    percent = _PERCENT.fullmatch(text.strip())
    if percent:
        return Stated(Fraction(percent[1]) / 100, len(percent[1].partition(".")[2]) + 2)
    whole = _stated(bench, text, notation)
    first = _FIRST.search(text)
    if whole is not None or first is None:
        return whole
    alone = not any(ch.isdigit() for ch in text[: first.start()] + text[first.end() :])
    return _stated(bench, first[0], notation) if alone else None


def _stated(bench: Bench, text: str, notation: Notation) -> Stated | None:
    """The number or the sizes that a text is."""
    tree = _value(bench, text)
    if tree is None:
        return None
    found = number(bench, tree, notation)
    if found is None:
        value = value_of(tree)
        return Stated(Fraction(float(value))) if value is not None and math.isfinite(value) else None
    return Stated(found, len(tree.spelling.partition(".")[2]) if isinstance(tree, Number) else 0)


def _value(bench: Bench, text: str) -> Tree | None:
    """The last side of what stands in a cell."""
    vocabulary = bench.names.vocabulary
    try:
        row = tuple(t for t in tokenize(Source("<cell>", text), vocabulary.pieces) if t.kind is not Kind.END)
        found = statements(row)
        if len(found) != 1 or not set(found[0].relations) <= EQUALITIES or not found[0].sides[-1]:
            return None
        tree = Sides(vocabulary).parsed(found[0].sides[-1])
    except ProblemError:
        return None
    return None if isinstance(tree, Call) and tree.func.id == "matrix" else tree
