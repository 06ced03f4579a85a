"""The JSON of answers as the contract has it: a strict schema, and every exact value beside its float."""

from collections.abc import Iterator
from typing import Any, Final

import jsonschema

CHECK: Final = {
    "type": "object",
    "required": ["kind", "max_rel_error", "points", "ok"],
    "additionalProperties": False,
    "properties": {
        "kind": {"type": "string", "minLength": 1},
        "max_rel_error": {"type": "number", "minimum": 0, "maximum": 1e-5},
        "points": {"type": "integer", "minimum": 0},
        "ok": {"const": True},
    },
}
STEP: Final = {
    "type": "object",
    "required": ["latex", "rule", "check"],
    "additionalProperties": False,
    "properties": {
        "latex": {"type": "string", "minLength": 1},
        "rule": {"type": "string", "minLength": 1},
        "reason": {"type": "string"},
        "for": {"type": "string", "minLength": 1},
        "check": CHECK,
    },
}
RESULT: Final = {
    "type": "object",
    "required": ["of", "wrt", "latex", "text", "shape", "value", "float", "steps", "checks"],
    "properties": {
        "of": {"type": "string"},
        "wrt": {"type": ["string", "null"]},
        "latex": {"type": "string"},
        "text": {"type": "string"},
        "shape": {"type": "array", "items": {"type": ["integer", "string"]}},
        "value": {"$ref": "#/$defs/value"},
        "float": {"$ref": "#/$defs/float"},
        "steps": {"type": "array", "items": STEP},
        "checks": {"type": "array", "items": CHECK},
    },
}
QUESTION: Final = {
    "type": "object",
    "required": ["id", "ask", "status", "message", "results"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
        "ask": {"type": "string", "minLength": 1},
        "status": {"enum": ["certified", "unchecked", "failed"]},
        "message": {"type": "string"},
        "text": {"type": "string"},
        "results": {"type": "array", "items": RESULT},
    },
    "allOf": [
        {
            "if": {"properties": {"status": {"const": "failed"}}},
            "then": {"properties": {"message": {"minLength": 1}, "results": {"maxItems": 0}}},
        },
        {
            "if": {"properties": {"status": {"const": "certified"}}},
            "then": {
                "properties": {
                    "message": {"const": ""},
                    "results": {"minItems": 1, "items": {"properties": {"checks": {"minItems": 1}}}},
                }
            },
        },
        {
            "if": {"properties": {"ask": {"const": "identity"}, "status": {"const": "certified"}}},
            "then": {
                "properties": {
                    "results": {
                        "items": {
                            "required": ["holds", "counterexample"],
                            "properties": {
                                "holds": {"type": "boolean"},
                                "counterexample": {"type": ["object", "null"]},
                            },
                        }
                    }
                }
            },
        },
        {
            "if": {"properties": {"ask": {"enum": ["average_precision", "iou"]}, "status": {"const": "certified"}}},
            "then": {"properties": {"results": {"items": {"required": ["table"]}}}},
        },
        {
            "if": {"properties": {"ask": {"const": "diagram"}, "status": {"const": "certified"}}},
            "then": {"properties": {"results": {"items": {"required": ["nodes", "edges"]}}}},
        },
    ],
}
SCHEMA: Final = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["problem", "questions"],
    "additionalProperties": False,
    "properties": {"problem": {"type": "string"}, "questions": {"type": "array", "items": QUESTION}},
    "$defs": {
        "value": {
            "oneOf": [
                {"type": ["number", "boolean", "null"]},
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"$ref": "#/$defs/value"}},
                {"type": "object", "additionalProperties": {"$ref": "#/$defs/value"}},
            ]
        },
        "float": {
            "oneOf": [
                {"type": ["number", "null"]},
                {"type": "array", "items": {"$ref": "#/$defs/float"}},
                {"type": "object", "additionalProperties": {"$ref": "#/$defs/float"}},
            ]
        },
    },
}


def complaints(answers: Any) -> list[str]:
    """What the schema has against answers."""
    errors = jsonschema.Draft202012Validator(SCHEMA).iter_errors(answers)
    return [f"{'/'.join(map(str, e.path))}: {e.message}" for e in errors]


def pairs(value: Any, number: Any) -> Iterator[tuple[int | float | str, float]]:
    """Every exact number with its float; sizes, truth values and solution sets have none."""
    if isinstance(value, list) and isinstance(number, list):
        assert len(value) == len(number)
        for v, n in zip(value, number, strict=True):
            yield from pairs(v, n)
    elif isinstance(value, dict) and isinstance(number, dict):
        for key in value.keys() & number.keys():
            yield from pairs(value[key], number[key])
    elif isinstance(number, int | float) and isinstance(value, int | float | str) and not isinstance(value, bool):
        yield value, float(number)
