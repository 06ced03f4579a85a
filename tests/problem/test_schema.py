"""The JSON Schema agrees with the reader."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from symgrad.errors import ProblemError
from symgrad.problem.document import load_document
from symgrad.problem.schema import json_schema

GOOD = [
    "title: a\nsymbols:\n  W: {shape: [n, n], is: symmetric}\n  h[0]: 0\n  x:\nsteps: {t: 1..3}\n",
    "model: [a = b]\nquestions:\n  - {id: q, ask: derivative, of: a, wrt: [b], order: 2}\n",
    "questions:\n  - {id: q, ask: limit, of: a, at: tau -> 0+}\nindex_base: 0\nx-own: {}\n",
    "assume: []\nquestions:\n  - {id: q, ask: derivative, of: a, wrt: b, hold: [], leave: [], where: [], assume: []}\n",
    "questions:\n  - {id: q, ask: iou, boxes: {a: [0, 0, 1, 1]}, reference: a}\n",
]
BAD = [
    "titel: a\n",
    "symbols:\n  W: {shap: n}\n",
    "symbols:\n  W: {is: onehot}\n",
    "symbols:\n  W: [n, n]\n",
    "steps: {t: 3}\n",
    "questions:\n  - {id: q, ask: derivativ}\n",
    "questions:\n  - {id: q, ask: derivative, of: a}\n",
    "questions:\n  - {id: q, ask: derivative, of: a, wrt: []}\n",
    "questions:\n  - {id: 1q, ask: text, answer: a}\n",
    "questions:\n  - {ask: text, answer: a}\n",
    "questions:\n  - {id: q, ask: limit, of: a}\n",
    "questions:\n  - {id: q, ask: text, answer: a, of: b}\n",
]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("text", GOOD)
def test_both_accept(validator: Draft202012Validator, text: str) -> None:
    load_document(text)
    assert [error.message for error in validator.iter_errors(YAML(typ="safe").load(text))] == []


@pytest.mark.parametrize("text", BAD)
def test_both_refuse(validator: Draft202012Validator, text: str) -> None:
    with pytest.raises(ProblemError):
        load_document(text)
    assert not validator.is_valid(YAML(typ="safe").load(text))
