"""Overlaps of boxes, against values by hand and laws of areas."""

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad


def answer(boxes: dict[str, list[Any]], reference: Any, columns: list[str]) -> dict[str, Any]:
    question = {"id": "q", "ask": "iou", "boxes": boxes, "reference": reference, "columns": columns}
    solved = symgrad.load(json.dumps({"title": "IoU", "questions": [question]}, indent=1)).solve().text("json")
    found = json.loads(solved)["questions"][0]
    assert isinstance(found, dict)
    return found


def test_two_boxes_at_the_same_distance() -> None:
    boxes: dict[str, list[Any]] = {"truth": [0, 0, 8, 8], "a": [0, 0, 11, 12], "b": [0, 0, 5, 4]}
    (result,) = answer(boxes, "truth", ["iou", "distance", "giou"])["results"]
    assert result["value"] == ["16/33", "5/16"]
    assert result["table"] == [
        {"box": "a", "iou": "16/33", "distance": 5, "giou": "16/33"},
        {"box": "b", "iou": "5/16", "distance": 5, "giou": "5/16"},
    ]


@pytest.mark.parametrize(
    ("box", "column", "expected"),
    [
        ([0, 0, 2, 2], "iou", 1),
        ([0, 0, 2, 2], "distance", 0),
        ([2, 0, 4, 2], "iou", 0),
        ([2, 0, 4, 2], "giou", 0),
        ([3, 0, 5, 2], "giou", "-1/5"),
        ([1, 1, 3, 3], "iou", "1/7"),
        ([1, 1, 3, 3], "giou", "-5/63"),
        ([1, 1, 3, 3], "distance", 2),
        ([0, 1, 3, 3], "distance", "sqrt(3)"),
        ([0, "1/2", 1, 2.5], "iou", "3/9"),
        ([1, 0, 1, 2], "iou", 0),
        ([3, 1, 3, 1], "giou", "-1/3"),
        ([0, 0, 0, 0], "distance", "2*sqrt(2)"),
    ],
)
def test_one_box_against_a_square(box: list[Any], column: str, expected: Any) -> None:
    (result,) = answer({"p": box}, [0, 0, 2, 2], [column])["results"]
    (found,) = result["value"]
    assert str(found) == (str(Fraction(expected)) if column != "distance" else str(expected))


def test_a_box_without_area_overlaps_with_nothing() -> None:
    question = {"id": "q", "ask": "iou", "boxes": {"p": [1, 0, 1, 2]}, "reference": [0, 0, 2, 2]}
    page = symgrad.load(json.dumps({"title": "IoU", "questions": [question]}, indent=1)).solve().text("md")
    assert "$p$ has no area, so they share none" in page
    (result,) = answer({"p": [1, 1, 1, 1]}, [1, 1, 1, 1], ["distance"])["results"]
    assert result["value"] == [0]


@pytest.mark.parametrize(
    ("boxes", "reference", "message"),
    [
        ({"a": [0, 0, 1]}, [0, 0, 1, 1], "box a needs four numbers [x1, y1, x2, y2]"),
        ({"a": [1, 0, 0, 1]}, [0, 0, 1, 1], "box a is turned round: x1 <= x2 and y1 <= y2 are needed"),
        (
            {"a": [0, 0, 0, 1]},
            [2, 0, 2, 1],
            "neither a nor reference has an area: their IoU is 0/0, which is undefined",
        ),
        ({"a": [0, 0, 1, 1]}, "b", "the reference 'b' is none of the boxes a"),
        ({"a": [0, 0, 1, 1]}, "a", "there is no box to compare with the reference"),
    ],
)
def test_what_is_refused(boxes: dict[str, list[Any]], reference: Any, message: str) -> None:
    found = answer(boxes, reference, ["iou"])
    assert (found["status"], found["message"]) == ("failed", message)


corner = st.integers(-4, 4)
side = st.integers(1, 5)


@settings(max_examples=15, deadline=None)
@given(corner, corner, side, side, corner, corner, side, side)
def test_random_boxes_against_unit_cells(x: int, y: int, w: int, h: int, u: int, v: int, a: int, c: int) -> None:
    cells = {(i, j) for i in range(x, x + w) for j in range(y, y + h)}
    others = {(i, j) for i in range(u, u + a) for j in range(v, v + c)}
    (result,) = answer({"p": [x, y, x + w, y + h]}, [u, v, u + a, v + c], ["iou"])["results"]
    assert Fraction(result["value"][0]) == Fraction(len(cells & others), len(cells | others))
