"""The JSON Schema of problem files, made from the table of fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from symgrad.problem.fields import DOCUMENT, QUESTION_KINDS, SYMBOL, Field, QuestionKind
from symgrad.problem.forms import RANGE

_SCALARS: Final = ["string", "number", "boolean", "null"]


def json_schema() -> dict[str, Any]:
    """The schema of a problem file, Draft 2020-12, for editors that check while one types."""
    schema = _object(DOCUMENT)
    properties = schema["properties"]
    properties["symbols"] |= {
        "type": ["object", "null"],
        "additionalProperties": {"anyOf": [{"$ref": "#/$defs/symbol"}, {"type": ["number", "string", "null"]}]},
    }
    properties["steps"] |= {"type": ["object", "null"], "additionalProperties": dict(RANGE.schema)}
    properties["questions"] |= {"type": ["array", "null"], "items": {"$ref": "#/$defs/question"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "symgrad problem",
        **schema,
        "patternProperties": {"^x-": {}},
        "$defs": {
            "symbol": _object(SYMBOL),
            "question": {
                "type": "object",
                "required": ["id", "ask"],
                "properties": {"ask": {"enum": list(QUESTION_KINDS)}},
                "allOf": [
                    {
                        "if": {"properties": {"ask": {"const": ask}}, "required": ["ask"]},
                        "then": {"$ref": f"#/$defs/{ask}"},
                    }
                    for ask in QUESTION_KINDS
                ],
            },
            **{ask: _question(kind) for ask, kind in QUESTION_KINDS.items()},
        },
    }


def _question(kind: QuestionKind) -> dict[str, Any]:
    schema = _object(kind.all_fields) | {"description": kind.about}
    schema["properties"]["id"]["pattern"] = "^[A-Za-z_][A-Za-z0-9_]*$"
    if kind.one_of:
        schema["anyOf"] = [{"required": [name]} for name in kind.one_of]
    return schema


def _object(fields: Iterable[Field]) -> dict[str, Any]:
    known = tuple(fields)
    required = [field.name for field in known if field.required]
    return {
        "type": "object",
        "properties": {field.name: {**field.form.schema, "description": field.about} for field in known},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }
