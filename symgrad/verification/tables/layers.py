"""Tables of layers: shapes and counts, each row one quantity of the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from symgrad.verification.judging.answers import Answer
from symgrad.verification.tables.cells import Stated
from symgrad.verification.tables.headers import Columns
from symgrad.verification.tables.records import Checked, Numbers

COUNTED: Final = ("parameters", "multiplications", "additions", "macs")


def checked(columns: Columns, numbers: Numbers, answers: Sequence[Answer]) -> list[Checked]:
    """Every cell with a shape or a count that questions ask for."""
    found: list[Checked] = []
    for i, row in enumerate(numbers):
        found += _row(i, columns.fields, row, answers)
    return found


def _row(i: int, fields: Sequence[str], row: Sequence[Stated | None], answers: Sequence[Answer]) -> Iterator[Checked]:
    """The cells of a row: right where some question has that result; wrong where its other cells say which is meant."""
    cells = [
        (j, name, stated)
        for j, (name, stated) in enumerate(zip(fields, row, strict=False))
        if stated is not None and (name in COUNTED or name == "shape")
    ]
    right = {j: _right(name, stated, answers) for j, name, stated in cells}
    meant = {answer.of for found in right.values() for answer in found}
    for j, name, _ in cells:
        others = {a.of for k, found in right.items() if k != j for a in found}
        if right[j]:
            answer = next((a for a in right[j] if a.of in others), right[j][0])
            yield Checked(i, j, "right", name, answer.value, answer.question)
            continue
        asked = [a for a in answers if a.of in meant and _asks(a, name)]
        if len({a.value for a in asked}) == 1:
            yield Checked(i, j, "wrong", name, asked[0].value, asked[0].question)


def _asks(answer: Answer, name: str) -> bool:
    return answer.ask == "shape" if name == "shape" else answer.ask == "count" and answer.what == name


def _right(name: str, stated: Stated, answers: Sequence[Answer]) -> list[Answer]:
    return [
        a for a in answers if _asks(a, name) and any(stated.state(v) == "right" for v in _orders(a.value))
    ]  # fmt: skip


def _orders(value: Any) -> list[Any]:
    """A shape as it is, and with its channels last; a number itself."""
    return [value, (*value[1:], value[0])] if isinstance(value, tuple) and len(value) == 3 else [value]
