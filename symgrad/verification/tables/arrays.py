"""Tables that are arrays: a result entry by entry, with or without heads that only count rows and columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symgrad.verification.judging.answers import Answer, Exact
from symgrad.verification.tables.cells import Stated
from symgrad.verification.tables.records import Checked

Grid = Sequence[Sequence[Stated | None]]


def checked(grid: Grid, answers: Sequence[Answer]) -> list[Checked]:
    """Every entry of the array that a question asks for; the array with the fewest wrong entries, if any fits."""
    readings = [
        list(_entries(body, value, first, answer))
        for answer in answers
        if answer.ask in ("evaluate", "limit", "special_case") and isinstance(answer.value, tuple)
        for value in [_rows(answer.value)]
        for first, body in _bodies(grid)
        if len(body) == len(value) and all(len(x) == len(y) for x, y in zip(body, value, strict=True))
    ]
    return min(readings, key=lambda found: sum(c.state == "wrong" for c in found), default=[])


def _rows(value: tuple[Exact, ...]) -> tuple[tuple[Exact, ...], ...]:
    """A matrix row by row; a vector is one row."""
    if all(isinstance(row, tuple) for row in value):
        return tuple(row for row in value if isinstance(row, tuple))
    return (value,)


def _bodies(grid: Grid) -> Iterator[tuple[tuple[int, int], list[Sequence[Stated]]]]:
    """The table with and without its first row and column, where it holds numbers only."""
    for top in (0, 1):
        for left in (0, 1):
            body = [[x for x in row[left:] if x is not None] for row in grid[top:]]
            if body and all(len(row) == len(whole) - left for row, whole in zip(body, grid[top:], strict=True)):
                yield (top, left), list(body)


def _entries(
    body: Sequence[Sequence[Stated]], value: Sequence[Sequence[Exact]], first: tuple[int, int], answer: Answer
) -> Iterator[Checked]:
    for i, (row, expected) in enumerate(zip(body, value, strict=True)):
        for j, (stated, entry) in enumerate(zip(row, expected, strict=True)):
            name = f"entry ({i + 1}, {j + 1})"
            yield Checked(i + first[0], j + first[1], stated.state(entry), name, entry, answer.question)
