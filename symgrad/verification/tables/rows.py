"""The verdict on each row of a table of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from symgrad.source import Place
from symgrad.verification.documents.claims import Table
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.answers import Answer
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import Notation
from symgrad.verification.tables import arrays, layers, records
from symgrad.verification.tables.cells import stated_in
from symgrad.verification.tables.headers import columns
from symgrad.verification.tables.records import Checked, Numbers

_WORDS: Final = {
    "ctp": "the hits so far", "cfp": "the misses so far", "tp": "TP", "fp": "FP", "iou": "IoU", "giou": "GIoU",
    "interpolated": "the interpolated precision", "distance": "the distance", "shape": "the shape",
    "parameters": "the number of parameters", "multiplications": "the number of multiplications",
    "additions": "the number of additions", "macs": "the number of multiply-accumulates",
}  # fmt: skip


class Row(Struct, frozen=True):
    """A row of a table with its verdict."""

    place: Place
    judgement: Judgement


def judged_rows(bench: Bench, table: Table, answers: Sequence[Answer], notation: Notation) -> Iterator[Row]:
    """The rows that have a verdict; one that says so where a table of numbers is about nothing that is asked."""
    grid = [[stated_in(bench, cell, notation) for cell in row] for row in table.cells]
    by_row: dict[int, list[Checked]] = {}
    for cell in _checked(table, grid, answers):
        by_row.setdefault(cell.row, []).append(cell)
    for at in sorted(by_row):
        yield Row(_place(table, at), _judgement(by_row[at]))
    numbers = next((at for at, row in enumerate(grid) if sum(x is not None for x in row) > len(row) // 2), None)
    if not by_row and numbers is not None:
        yield Row(_place(table, numbers), Judgement(w.UNJUDGED, "no question asks for the numbers of this table"))


def _checked(table: Table, grid: Numbers, answers: Sequence[Answer]) -> list[Checked]:
    """The cells that questions know, in rows and columns as they are written."""
    found = columns(table)
    if found is None:
        return arrays.checked(grid, answers)
    numbers = [[grid[i][j] for i, j in record] for record in found.body]
    labels = [table.cells[i][j].text for (i, j), *_ in found.body]
    cells = records.checked(found, numbers, labels, answers) or layers.checked(found, numbers, answers)
    if not cells:
        return arrays.checked(grid, answers)
    return [replace(c, row=i, column=j) for c in cells for i, j in [found.body[c.row][c.column]]]


def _place(table: Table, at: int) -> Place:
    """From the first cell of a row to the last."""
    first, last = (table.cells[at][k].place().resolved() for k in (0, -1))
    return first.to(last)


def _judgement(cells: Sequence[Checked]) -> Judgement:
    """The verdict on a row: that of its worst cell."""
    question = cells[0].question
    wrong = [c for c in cells if c.state == "wrong"]
    if wrong:
        said = "; ".join(f"{_named(c)} is {_shown(c.expected)}" for c in wrong)
        return Judgement(w.WRONG, said, question=wrong[0].question)
    rounded = [c for c in cells if c.state == "rounded"]
    if rounded:
        said = "; ".join(f"{_named(c)} is {_shown(c.expected)}" for c in rounded)
        return Judgement(w.TO_PRECISION, f"right as far as the digits go: {said}", question=question)
    fields = dict.fromkeys(_named(c) for c in cells if not c.field.startswith("entry"))
    return Judgement(w.RIGHT, f"as question {question} has it: {', '.join(fields)}".rstrip(": "), question=question)


def _named(cell: Checked) -> str:
    return _WORDS.get(cell.field, f"the {cell.field}" if cell.field in ("precision", "recall") else cell.field)


def _shown(value: Any) -> str:
    return " × ".join(map(_shown, value)) if isinstance(value, tuple) else str(value)
