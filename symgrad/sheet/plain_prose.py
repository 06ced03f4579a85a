"""One paragraph of words and $formulas$, which needs no reader of Markdown."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from msgspec import Struct

_FORMULA: Final = re.compile(r"\$(?!\s)([^$\n]+)(?<!\s)\$(?!\d)")
_WORDS: Final = re.compile(r"(?:[^\W_]|[ .,;:?()'\"/–—-])*")


class Piece(Struct, frozen=True):
    """Words, or what stands between two dollars."""

    text: str
    formula: bool


def pieces(markdown: str) -> list[Piece] | None:
    """The words and formulas of a paragraph without marks; None where something may mean more than its letters."""
    text = markdown.strip()
    found = list(_divided(text))
    plain = all(x.formula or _WORDS.fullmatch(x.text) for x in found)
    beside = any(y.formula and x.text[-1:].isalnum() for x, y in pairwise(found))
    return found if text[:1].isalpha() and plain and not beside else None


def _divided(text: str) -> Iterator[Piece]:
    at = 0
    for found in _FORMULA.finditer(text):
        if at < found.start():
            yield Piece(text[at : found.start()], False)
        yield Piece(found[1], True)
        at = found.end()
    if at < len(text):
        yield Piece(text[at:], False)
