"""Answers as JSON: the contract's schema, exact values beside their floats."""

import json
from fractions import Fraction
from typing import Any

import pytest
from json_contract import complaints, pairs

from symgrad import pipeline

KINDS = """
title: Kinds that the bank does not ask for
symbols:
  x: {shape: n}
  A: {shape: [n, n], is: symmetric}
  w: {shape: 2, values: [1/3, 2/7]}
  a: {}
model:
  - q = x.T @ A @ x
  - s = sum(w)
  - r = log(4) + a*0
questions:
  - {id: number, ask: evaluate, of: s}
  - {id: spelled, ask: evaluate, of: "log(4) + sqrt(2)"}
  - {id: pair, ask: evaluate, of: "2*w"}
  - {id: holds, ask: identity, left: "x.T @ x", right: "norm(x)**2"}
  - {id: refuted, ask: identity, left: "x.T @ A @ x", right: "x.T @ x"}
  - {id: shape, ask: shape, of: x, wrt: x}
  - {id: refused, ask: derivative, of: q, wrt: s}
  - {id: roots, ask: solve, for: a, where: "a**2 == 4"}
  - {id: prose, ask: text, answer: "Said by the author."}
"""


def answers(problem: str) -> dict[str, Any]:
    found = pipeline.load(problem)
    made: dict[str, Any] = json.loads(str(pipeline.printed([(found, pipeline.derive(found))], "json")))
    return made


def test_the_json_is_what_the_contract_says() -> None:
    assert complaints(answers(KINDS)) == []


def test_an_exact_value_is_its_float() -> None:
    for question in answers(KINDS)["questions"]:
        for result in question["results"]:
            for value, number in pairs(result["value"], result["float"]):
                assert number == pytest.approx(_number(value), rel=1e-12), question["id"]


def _number(value: int | float | str) -> float:
    """The number that an exact value stands for, a text read as the problem language reads it."""
    if not isinstance(value, str):
        return float(value)
    try:
        return float(Fraction(value))
    except ValueError:
        question = f'{{id: q, ask: evaluate, of: "{value}"}}'
        (found,) = answers(f"title: A number\nquestions:\n  - {question}\n")["questions"]
        return float(found["results"][0]["float"])


def test_values_that_are_known() -> None:
    found = {q["id"]: q["results"][0] for q in answers(KINDS)["questions"] if q["results"]}
    assert found["number"]["value"] == "13/21"
    assert found["pair"]["value"] == ["2/3", "4/7"]
    assert found["spelled"]["float"] == pytest.approx(1.3862943611198906 + 1.4142135623730951, rel=1e-15)
    assert found["shape"]["value"] == ["n", "n"]
    assert found["shape"]["latex"] == r"n \times n"
    assert found["roots"]["value"] == [-2, 2]
    assert (found["holds"]["holds"], found["holds"]["counterexample"]) == (True, None)
    assert found["refuted"]["holds"] is False
    assert found["refuted"]["counterexample"]


def test_a_count_is_a_number_in_latex() -> None:
    counted = {q["id"]: q["results"][0] for q in answers("layer_counts")["questions"] if q["ask"] == "count"}
    assert [(x["latex"], x["text"]) for x in counted.values()] == [(str(x["value"]),) * 2 for x in counted.values()]
