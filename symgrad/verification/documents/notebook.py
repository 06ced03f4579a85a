"""The text cells of a Jupyter notebook, every character with its place in the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from symgrad.errors import AnswerError
from symgrad.source import Source

_IS_KEY = re.compile(r"\s*:")
_ESCAPE = re.compile(r"\\u[0-9A-Fa-f]{4}|\\.|[^\\]", re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+')
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class _Cell(Struct):
    kind: str = ""
    chars: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    end: int = 0


def cells(source: Source) -> Iterator[Source]:
    """The Markdown and raw cells, in order.

    Raises:
        AnswerError: the file is no notebook.
    """
    try:
        root = json.loads(source.text)
    except (ValueError, RecursionError):
        raise AnswerError("this is no notebook: the JSON in it is broken", source.place(0, 0)) from None
    if not isinstance(root, dict) or not isinstance(root.get("cells"), list):
        raise AnswerError("this is no notebook: it has no cells", source.place(0, 0))
    for cell in _found(source):
        if cell.kind in ("markdown", "raw"):
            offsets = (*cell.offsets, cell.end)
            yield Source(source.name, "".join(cell.chars), source, offsets)


def _found(source: Source) -> Iterator[_Cell]:
    """The cells by one pass over the tokens; depth 1 is the notebook, 2 its list of cells, 3 a cell."""
    depth, key = 0, ""
    keys: list[str] = []
    cell = _Cell()
    for token in _TOKEN.finditer(source.text):
        sign = token[0]
        if sign in "{[":
            depth += 1
            keys.append(key)
            if depth == 3 and keys[1] == "cells":
                cell = _Cell()
            key = ""
        elif sign in "}]":
            depth -= 1
            keys.pop()
            if depth == 2 and len(keys) == 2 and keys[1] == "cells" and sign == "}":
                yield cell
            key = ""
        elif sign[0] == '"':
            if _IS_KEY.match(source.text, token.end()):
                key = json.loads(sign)
            elif depth == 3 and key == "cell_type":
                cell.kind = json.loads(sign)
            elif (depth == 3 and key == "source") or (depth == 4 and keys[-1] == "source"):
                _append(cell, sign, token.start())
        elif sign == ",":
            key = key if depth > 3 else ""


def _append(cell: _Cell, written: str, start: int) -> None:
    """A JSON string, character by character."""
    for piece in _ESCAPE.finditer(written, 1, len(written) - 1):
        sign = piece[0]
        if sign.startswith("\\u"):
            sign = chr(int(sign[2:], 16))
        elif sign.startswith("\\"):
            sign = _ESCAPES.get(sign[1], sign[1])
        cell.chars.append(sign)
        cell.offsets.append(start + piece.start())
    cell.end = start + len(written) - 1
