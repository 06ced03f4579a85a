"""Places: line, column, excerpt, and the way back from a part to its file."""

from __future__ import annotations

import pytest

from symgrad.source import Source


@pytest.mark.parametrize(
    ("text", "start", "end", "where", "excerpt"),
    [
        ("a + b", 4, 5, (1, 5), "    a + b\n        ^"),
        ("one\ntwo + x\n", 10, 11, (2, 7), "    two + x\n          ^"),
        ("\tx + yy", 5, 7, (1, 6), "        x + yy\n            ^^"),
        ("数学 + x", 5, 6, (1, 6), "    数学 + x\n           ^"),
        ("y\u0302 + x", 5, 6, (1, 6), "    y\u0302 + x\n        ^"),
        ("a(", 2, 2, (1, 3), "    a(\n      ^"),
        ("ab\ncd", 0, 5, (1, 1), "    ab\n    ^^"),
        ("", 0, 0, (1, 1), "    \n    ^"),
        ("\x07x", 1, 2, (1, 2), "    \ufffdx\n     ^"),
    ],
)
def test_place(text: str, start: int, end: int, where: tuple[int, int], excerpt: str) -> None:
    place = Source("f", text).place(start, end)
    assert (place.line, place.column) == where
    assert place.excerpt() == excerpt
    assert str(place) == f"f:{where[0]}:{where[1]}"


def test_a_long_line_is_cut_around_the_place() -> None:
    place = Source("f", "a" * 500 + "X" + "b" * 500).place(500, 501)
    line, carets = place.excerpt().split("\n")
    assert line[carets.index("^")] == "X"
    assert len(line) < 180


def test_a_part_of_a_part_leads_back_to_the_file() -> None:
    file = Source("f", "skip\n  h = W x  \n")
    part = file.part(7, 16).part(4, 7)
    assert part.text == "W x"
    assert str(part.place(2, 3)) == "f:2:9"
    assert part.place(2, 3).excerpt() == "      h = W x\n            ^"


def test_characters_may_be_mapped_one_by_one() -> None:
    file = Source("f", r'"a\u00e9b"')
    text = Source("f", "aéb", file, (1, 2, 8, 9))
    assert [text.place(i, i + 1).resolved().text for i in range(3)] == ["a", r"\u00e9", "b"]
