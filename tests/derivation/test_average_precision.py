"""Average precision, against values by hand, fractions by brute force, and the areas of known curves."""

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad

FIVE = [1, 1, 0, 0, 0, 1, 1, 0, 0, 1]


def answer(hits: list[object], positives: object, method: str = "11-point") -> dict[str, object]:
    text = json.dumps(
        {
            "title": "AP",
            "questions": [
                {
                    "id": "q",
                    "ask": "average_precision",
                    "detections": hits,
                    "positives": positives,
                    "method": method,
                }
            ],
        },
        indent=1,
    )
    solved = symgrad.load(text).solve().text("json")
    question = json.loads(solved)["questions"][0]
    assert isinstance(question, dict)
    return question


def value(hits: list[object], positives: int, method: str) -> Fraction:
    question = answer(hits, positives, method)
    assert question["status"] == "certified", question["message"]
    return Fraction(question["results"][0]["value"])  # type: ignore[index]


@pytest.mark.parametrize(
    ("hits", "positives", "method", "expected"),
    [
        (FIVE, 5, "11-point", "58/77"),
        (FIVE, 5, "all-point", "51/70"),
        (FIVE, 5, "coco", "517/707"),
        ([1], 1, "11-point", "1"),
        ([1], 1, "coco", "1"),
        ([0, 0], 3, "11-point", "0"),
        ([0, 0], 3, "all-point", "0"),
        ([0, 1], 1, "all-point", "1/2"),
        ([1, 0, 1], 4, "11-point", str(Fraction(3 * 1 + 3 * Fraction(2, 3)) / 11)),
    ],
)
def test_values_by_hand(hits: list[object], positives: int, method: str, expected: str) -> None:
    assert value(hits, positives, method) == Fraction(expected)


def test_the_table_and_the_words_for_a_hit() -> None:
    rows = answer(["hit", "FP", True, 0], 3)["results"][0]["table"]  # type: ignore[index]
    assert rows == [
        {"rank": 1, "hit": True, "ctp": 1, "cfp": 0, "precision": 1, "recall": "1/3"},
        {"rank": 2, "hit": False, "ctp": 1, "cfp": 1, "precision": "1/2", "recall": "1/3"},
        {"rank": 3, "hit": True, "ctp": 2, "cfp": 1, "precision": "2/3", "recall": "2/3"},
        {"rank": 4, "hit": False, "ctp": 2, "cfp": 2, "precision": "1/2", "recall": "2/3"},
    ]


@pytest.mark.parametrize("method", ["11-point", "all-point", "coco"])
def test_without_detections_nothing_is_found(method: str) -> None:
    (result,) = answer([], 2, method)["results"]  # type: ignore[misc]
    assert (result["value"], result["table"]) == (0, [])


@pytest.mark.parametrize(
    ("hits", "positives", "message"),
    [
        ([1, 1], 1, "there are 2 hits, but only 1 positives"),
        ([1, 2], 3, "a detection is a hit (1, true, TP) or a miss (0, false, FP), not '2'"),
        ([1], 0, "'positives' is how many there are to be found: 1, 2, 3, …"),
    ],
)
def test_what_is_refused(hits: list[object], positives: int, message: str) -> None:
    question = answer(hits, positives)
    assert (question["status"], question["message"]) == ("failed", message)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(0, 3))
def test_random_rankings_against_the_area_under_the_curve(hits: list[bool], missed: int) -> None:
    positives = max(1, sum(hits) + missed)
    best: list[Fraction] = []
    for k in reversed(range(len(hits))):
        precision = Fraction(sum(hits[: k + 1]), k + 1)
        best.insert(0, max([precision, *best[:1]]))
    area = sum((p for p, hit in zip(best, hits, strict=True) if hit), Fraction(0)) / positives
    assert value(list(hits), positives, "all-point") == area
