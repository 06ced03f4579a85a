"""The forms a field's value may have: how each is checked, and its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from msgspec import Struct

from symgrad.errors import Diagnostic, ProblemError, near
from symgrad.problem.yaml_tree import RawList, RawMap, RawNode, RawScalar
from symgrad.source import Source
from symgrad.syntax.reading import (
    looks_like_latex,
    looks_like_limit,
    parse_definition,
    parse_expression,
    parse_limit,
    parse_range,
)

Check = Callable[[RawNode], Iterator[Diagnostic]]
Schema = Mapping[str, Any]


class Form(Struct, frozen=True):
    """A form: what it is in words, its check, and its JSON Schema."""

    what: str
    check: Check
    schema: Schema

    def complaints(self, node: RawNode) -> list[Diagnostic]:
        """What is wrong with a value."""
        return list(self.check(node))


def one_or_list(form: Form, what: str, may_be_empty: bool = False) -> Form:
    """One value of a form or a list of them."""

    def check(node: RawNode) -> Iterator[Diagnostic]:
        if isinstance(node, RawList):
            if not (node.items or may_be_empty):
                yield Diagnostic(f"this list is empty; {what} is needed", node.place)
            for item in node.items:
                yield from form.check(item)
        else:
            yield from form.check(node)

    several = {"type": "array", "items": form.schema, "minItems": int(not may_be_empty)}
    return Form(what, check, {"anyOf": [form.schema, several]})


def choice(*words: str) -> Form:
    """One of a few words."""

    def check(node: RawNode) -> Iterator[Diagnostic]:
        if not isinstance(node, RawScalar) or node.text not in words:
            text = node.text if isinstance(node, RawScalar) else ""
            message = f"one of {', '.join(words)} is needed" + (f", not {text!r}" if text else "")
            yield Diagnostic(message, node.place, near(text, words))

    numbers = [int(word) for word in words if word.isdecimal()]
    return Form("a word", check, {"enum": [*words, *numbers]})


def _written(what: str, parse: Callable[[Source], object], schema: Schema | None = None, hint: str = "") -> Form:
    """A text in the notation of the problem language."""

    def check(node: RawNode) -> Iterator[Diagnostic]:
        if not isinstance(node, RawScalar) or node.value is None:
            braces = hint if isinstance(node, RawMap) else ""
            yield Diagnostic(f"{what} is needed here{braces}", node.place)
        elif diagnostic := _lost_backslash(node):
            yield diagnostic
        elif not looks_like_latex(node.text):
            try:
                parse(node.source)
            except ProblemError as error:
                # `z_t = V h_t` is LaTeX where z or h has steps, which is not known yet.
                if "_" not in node.text:
                    yield from error.diagnostics

    return Form(what, check, schema or _TEXT_OR_NUMBER)


def _lost_backslash(node: RawScalar) -> Diagnostic | None:
    """In double quotes YAML turns `\\tau` into a tab and `au`, which nobody means."""
    for at, char in enumerate(node.text):
        offset = node.source.offsets[at] if node.source.parent else at
        file = node.source.parent or node.source
        written = file.text[offset : offset + 3]
        if written[:1] == "\\" and char != "\\" and written[1:2] in "abefnrtv" and written[2:].isalpha():
            message = f"in double quotes YAML reads {written[:2]} as one character; use single quotes for LaTeX"
            return Diagnostic(message, Source(file.name, file.text).place(offset, offset + 2))
    return None


def _of_kind(what: str, accepts: Callable[[RawNode], bool], schema: Schema) -> Form:
    def check(node: RawNode) -> Iterator[Diagnostic]:
        if not accepts(node):
            yield Diagnostic(f"{what} is needed here", node.place)

    return Form(what, check, schema)


def _is_number(node: RawNode) -> bool:
    if not isinstance(node, RawScalar) or isinstance(node.value, bool):
        return False
    return isinstance(node.value, int | Fraction) or _fraction(node.text) is not None


def _fraction(text: str) -> Fraction | None:
    top, slash, bottom = (piece.strip() for piece in text.partition("/"))
    if slash and top.lstrip("-").isdecimal() and bottom.isdecimal() and len(text) < 60 and int(bottom):
        return Fraction(int(top), int(bottom))
    return None


def number(node: RawScalar) -> Fraction:
    """The number a checked scalar holds: `0.5` and `1/2` are the same."""
    if isinstance(node.value, int | Fraction):
        return Fraction(node.value)
    return _fraction(node.text) or Fraction(0)


def _check_settings(node: RawNode) -> Iterator[Diagnostic]:
    """`{gamma: 0}`, or texts such as `p -> 1` and `gamma = 0`."""
    if isinstance(node, RawMap):
        yield from _check_assignments(node)
    elif isinstance(node, RawList):
        for item in node.items:
            yield from _check_settings(item)
    else:
        yield from _SETTING.check(node)


def _parse_setting(source: Source) -> object:
    if looks_like_limit(source.text):
        return parse_limit(source)
    if "=" in source.text.replace("==", ""):
        return parse_definition(source)
    return parse_expression(source)


def _check_assignments(node: RawNode) -> Iterator[Diagnostic]:
    if not isinstance(node, RawMap) or not node.entries:
        yield Diagnostic("a mapping of names to values is needed here, {name: value}", node.place)
        return
    for key, value in node.entries:
        yield from EXPRESSION.check(key)
        yield from _check_values(value)


def _check_values(node: RawNode) -> Iterator[Diagnostic]:
    """A number, an expression without names, or a nested list of them."""
    match node:
        case RawList(items):
            for item in items:
                yield from _check_values(item)
        case RawMap():
            yield Diagnostic("a number or a nested list of numbers is needed here", node.place)
        case RawScalar(int() | Fraction()):
            return
        case _:
            yield from EXPRESSION.check(node)


def _is_text(node: RawNode) -> bool:
    return isinstance(node, RawScalar) and node.value is not None


def _is_flat_list(node: RawNode) -> bool:
    return isinstance(node, RawList) and all(isinstance(item, RawScalar) for item in node.items)


_TEXT_OR_NUMBER: Final = {"type": ["string", "number"]}
_FREE: Final[Schema] = {}

TEXT: Final = _of_kind("a text", _is_text, {"type": ["string", "number", "boolean"]})
ANY: Final = Form("anything", lambda node: iter(()), _FREE)
NUMBER: Final = _of_kind("a number", _is_number, _TEXT_OR_NUMBER)
ORDER: Final = _of_kind(
    "an order, 1 or 2,",
    lambda node: isinstance(node, RawScalar) and type(node.value) is int and node.value in (1, 2),
    {"enum": [1, 2]},
)
LIST: Final = _of_kind("a list", _is_flat_list, {"type": "array"})
BOX: Final = _of_kind(
    "a name or a list [x1, y1, x2, y2]",
    lambda node: _is_text(node) or _is_flat_list(node),
    {"type": ["string", "array"]},
)
BOXES: Final = _of_kind(
    "a mapping of names to boxes [x1, y1, x2, y2]",
    lambda node: isinstance(node, RawMap) and all(_is_flat_list(box) for _, box in node.entries),
    {"type": "object", "additionalProperties": {"type": "array"}},
)
EXPRESSION: Final = _written("an expression", parse_expression, hint="; quote a text that holds {")
EXPRESSIONS: Final = one_or_list(EXPRESSION, "an expression")
ANY_EXPRESSIONS: Final = one_or_list(EXPRESSION, "an expression", may_be_empty=True)
DEFINITION: Final = _written(
    "a definition, name = expression,", parse_definition, {"type": "string"}, "; quote a text that holds ': '"
)
RANGE: Final = _written("a range such as 1..3", parse_range, {"type": "string"})
_SETTING: Final = _written("a setting such as gamma = 0", _parse_setting)
ASSIGNMENTS: Final = Form("a mapping of names to values", _check_assignments, {"type": "object", "minProperties": 1})
SETTINGS: Final = Form(
    "settings such as {gamma: 0}", _check_settings, {"type": ["object", "string", "number", "array"]}
)
VALUES: Final = Form("numbers", _check_values, {"type": ["number", "string", "array"]})
