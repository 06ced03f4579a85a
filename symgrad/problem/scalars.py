"""YAML scalars: their values, and where each of their characters stands in the file."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from symgrad.source import Source

Scalar = None | bool | int | Fraction | str

_LONGEST_NUMBER = 60
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_FLAGS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,2})?")
_PROPERTIES = re.compile(r"(?:[!&]\S*\s+)*")
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)|[ \t]*\n\s*|.", re.DOTALL)


def plain_value(text: str) -> Scalar:
    """The value of an unquoted scalar by the core schema of YAML 1.2; `on`, `no`, `y` are texts."""
    if text in _NULLS:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    if len(text) <= _LONGEST_NUMBER and _INTEGER.fullmatch(text):
        return int(text)
    if len(text) <= _LONGEST_NUMBER and _DECIMAL.fullmatch(text):
        return Fraction(text)
    return text


def scalar_source(file: Source, start: int, end: int, text: str, style: str | None) -> Source:
    """The text of a scalar, mapped to where it is written between `start` and `end` of the file."""
    raw = file.text[start:end]
    skipped = _PROPERTIES.match(raw)
    at = skipped.end() if skipped else 0
    if style in ("|", ">"):
        at = raw.find("\n", at) + 1 or len(raw)
        offsets = _aligned(raw, at, text)
    elif style == "'":
        offsets = _aligned(raw, at + 1, text, doubled="'")
    elif style == '"':
        offsets = _unescaped(raw, at + 1, text)
    else:
        offsets = _aligned(raw, at, text)
    return Source(file.name, text, file, tuple(start + offset for offset in offsets))


def _aligned(raw: str, at: int, text: str, doubled: str = "") -> list[int]:
    """Each character of the text at its next occurrence; white space may have been folded."""
    offsets = []
    for char in text:
        if not char.isspace():
            while at < len(raw) and raw[at] != char and raw[at].isspace():
                at += 1
        offsets.append(min(at, len(raw)))
        if raw[at : at + 1] == char:
            at += 2 if char == doubled else 1
    return [*offsets, min(at, len(raw))]


def _unescaped(raw: str, at: int, text: str) -> list[int]:
    offsets: list[int] = []
    while len(offsets) < len(text) and (piece := _ESCAPE.match(raw, at)):
        written = piece[0]
        if written.startswith("\\\n"):
            # A continued line adds nothing to the text.
            at += 2 + len(raw[at + 2 :]) - len(raw[at + 2 :].lstrip(" \t"))
            continue
        # A folded line is one space, or as many breaks as there are empty lines in it.
        count = max(1, written.count("\n") - 1) if "\n" in written else 1
        offsets.extend([at] * count)
        at = piece.end()
    offsets = offsets[: len(text)]
    return [*offsets, *[at] * (len(text) + 1 - len(offsets))]
