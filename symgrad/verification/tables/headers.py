"""What the columns of a table are about, by the words at their heads; a table that lies down is stood up."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from symgrad.verification.documents.claims import Table

_NOISE: Final = re.compile(r"\\(?:text|mathrm|mathbf|operatorname|mathit|left|right)\b|[${}\\*`]")
_FIELDS: Final = {
    "interpolated": r"interp|smooth|max.*prec",
    "level": r"recall.*(level|threshold)|^levels?$|threshold",
    "precision": r"prec|^p(\(|@|_|$)",
    "recall": r"recall|^rec\b|^r(\(|@|_|$)",
    "ctp": r"c(um|umulative)?[ ._-]*tp|acc.*tp|(cum|acc).*true|#\s*tp|sum.*tp",
    "cfp": r"c(um|umulative)?[ ._-]*fp|acc.*fp|(cum|acc).*false|#\s*fp|sum.*fp",
    "tp": r"^tp|true pos|\bhit|correct|match|^tp\s*/\s*fp",
    "fp": r"^fp|false pos",
    "rank": r"rank|^#$|^no\.?$|^nr\.?$|^[kin]$|^detections?$",
    "giou": r"giou|generali[sz]ed",
    "iou": r"iou|overlap|jaccard",
    "distance": r"l_?2|norm|dist|euclid",
    "box": r"box|predict|^name$|case",
    "parameters": r"param|weights",
    "multiplications": r"mult|\bmuls?\b",
    "additions": r"\badd",
    "macs": r"\bmacs?\b|flops?",
    "shape": r"output|shape|size|dim",
    "layer": r"layer|operation|\bop\b|name|module",
}
"""Fields by a pattern that the words at the head of a column have, in lower case; the first that fits."""


Position = tuple[int, int]
"""The row and the column of a cell as the table is written, from 0."""


class Columns(Struct, frozen=True):
    """The records of a table: `fields[j]` is what column j is about, '' where that is not known.

    ``body`` has the cells of every record below its heads; a table that lies down has its records in its columns.
    """

    fields: tuple[str, ...]
    body: tuple[tuple[Position, ...], ...]


def columns(table: Table) -> Columns | None:
    """The columns of a table, heads above or heads at the left; None where no head says what it is about."""
    width = len(table.cells[0])
    upright = tuple(field(cell.text) for cell in table.cells[0])
    lying = tuple(field(row[0].text) if row else "" for row in table.cells)
    even = [i for i, row in enumerate(table.cells) if len(row) == width]
    if sum(map(bool, lying)) > sum(map(bool, upright)) and len(even) == len(table.cells):
        return Columns(lying, tuple(tuple((i, j) for i in even) for j in range(1, width)))
    if not any(upright):
        return None
    return Columns(upright, tuple(tuple((i, j) for j in range(width)) for i in even if i))


def field(head: str) -> str:
    """What the words at a head are about; '' where they say nothing known."""
    words = " ".join(_NOISE.sub("", head).casefold().split())
    return next((name for name, pattern in _FIELDS.items() if re.search(pattern, words)), "")
