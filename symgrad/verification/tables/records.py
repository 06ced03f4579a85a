"""Tables of records: detections by rank with their precision and recall, recall levels, boxes with their overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from msgspec import Struct

from symgrad.verification.judging.answers import Answer
from symgrad.verification.tables.cells import State, Stated
from symgrad.verification.tables.headers import Columns

Numbers = Sequence[Sequence[Stated | None]]
"""What the cells of every record state."""

Record = Mapping[str, Any]

RANKED: Final = frozenset({"precision", "recall", "ctp", "cfp", "tp", "fp", "interpolated"})
LEVELS: Final = frozenset({"interpolated", "precision"})
BOXES: Final = frozenset({"iou", "giou", "distance"})


class Checked(Struct, frozen=True):
    """A cell beside what a question comes to: its place in the records, how it compares, and what is expected."""

    row: int
    column: int
    state: State
    field: str
    expected: Any
    question: str


def checked(columns: Columns, numbers: Numbers, labels: Sequence[str], answers: Sequence[Answer]) -> list[Checked]:
    """Every cell that the records of some question know, by the reading of the table with the fewest wrong ones."""
    readings = [
        found
        for answer in answers
        for found in (*_ranked(columns.fields, numbers, answer), *_boxes(columns.fields, numbers, labels, answer))
        if found
    ]
    return min(readings, key=lambda found: (sum(c.state == "wrong" for c in found), -len(found)), default=[])


def _ranked(fields: Sequence[str], numbers: Numbers, answer: Answer) -> Iterator[list[Checked]]:
    """A table of detections, its TP cumulative or not; a table of recall levels."""
    if answer.ask != "average_precision" or not {"precision", "interpolated"} & set(fields):
        return
    if {"recall", "ctp", "tp", "rank"} & set(fields):
        for cumulative in (True, False) if {"tp", "fp"} & set(fields) else (True,):
            records = {r["rank"]: _detection(r, answer.records, cumulative) for r in answer.records}
            yield list(_compared(fields, numbers, _keys(fields, numbers, "rank"), records, RANKED, answer))
    level = "level" if "level" in fields else "recall" if not {"rank", "tp", "ctp"} & set(fields) else ""
    if level in fields:
        keys = _keys(fields, numbers, level)
        best = {key: _interpolated(answer.records, key) for key in keys if key is not None}
        records = {key: {"interpolated": p, "precision": p} for key, p in best.items()}
        yield list(_compared(fields, numbers, keys, records, LEVELS, answer))


def _detection(record: Record, records: Sequence[Record], cumulative: bool) -> Record:
    tp = record["ctp"] if cumulative else int(record["hit"])
    fp = record["cfp"] if cumulative else 1 - int(record["hit"])
    return {**record, "tp": tp, "fp": fp, "interpolated": _interpolated(records, record["recall"])}


def _interpolated(records: Sequence[Record], level: Fraction) -> Fraction:
    """The largest precision at a recall of that level or more."""
    return max((r["precision"] for r in records if r["recall"] >= level), default=Fraction(0))


def _keys(fields: Sequence[str], numbers: Numbers, key: str) -> list[Fraction | None]:
    """The key of every row; without a column for it, the rows are counted."""
    if key not in fields:
        return [Fraction(k) for k in range(1, len(numbers) + 1)]
    column = list(fields).index(key)
    values = [row[column] for row in numbers]
    return [x.value if x is not None and isinstance(x.value, Fraction) else None for x in values]


def _boxes(fields: Sequence[str], numbers: Numbers, labels: Sequence[str], answer: Answer) -> Iterator[list[Checked]]:
    """A table of boxes, found by their names, or in the order of the question."""
    if answer.ask != "iou" or not BOXES & set(fields):
        return
    names = [str(r["box"]).casefold() for r in answer.records]
    written = [label.strip("$*` ").casefold().split() for label in labels]
    by_name = [next((Fraction(k) for k, name in enumerate(names, 1) if name in words), None) for words in written]
    keys = by_name if any(by_name) else [Fraction(k) for k in range(1, len(numbers) + 1)]
    records = {Fraction(k): record for k, record in enumerate(answer.records, 1)}
    yield list(_compared(fields, numbers, keys, records, BOXES, answer))


def _compared(
    fields: Sequence[str],
    numbers: Numbers,
    keys: Sequence[Fraction | None],
    records: Mapping[Any, Record],
    known: frozenset[str],
    answer: Answer,
) -> Iterator[Checked]:
    for i, (key, row) in enumerate(zip(keys, numbers, strict=True)):
        record = records.get(key) if key is not None else None
        for j, (name, stated) in enumerate(zip(fields, row, strict=False)):
            if record is not None and stated is not None and name in known and name in record:
                yield Checked(i, j, stated.state(record[name]), name, record[name], answer.question)
