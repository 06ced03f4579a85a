"""The file ``symgrad.toml``: what all sheets of a course share, so that nobody has to say it on every command line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from symgrad.errors import Diagnostic, ProblemError, near
from symgrad.problem.document import HEADER, load_source
from symgrad.sheet.look import CHOICES
from symgrad.source import Place, Source

_TEXTS: Final = ("title", "templates", "logo", *HEADER)
FIELDS: Final = (*_TEXTS, *CHOICES, "diagram")
_PLACE: Final = re.compile(r"\(at line (\d+), column (\d+)\)")


def read_settings(path: Path) -> dict[str, Any]:
    """The settings in a file, named as the fields of a ``Look``.

    Raises:
        ProblemError: everything that is wrong with the file, each with its place.
    """
    source = load_source(path)
    try:
        values = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise ProblemError(_syntax(source, str(error))) from None
    complaints = [c for name, value in values.items() for c in _complaints(name, value, source)]
    if complaints:
        raise ProblemError(complaints)
    look: dict[str, Any] = {name: value for name, value in values.items() if name not in HEADER}
    if "templates" in look:
        look["templates"] = path.parent / look["templates"]
    if "logo" in values:
        look["logo"] = _value(source, "logo")
    look["header"] = tuple((name, values[name]) for name in HEADER if name in values)
    return look


def _complaints(name: str, value: object, source: Source) -> Iterable[Diagnostic]:
    place = _key(source, name)
    if name not in FIELDS:
        yield Diagnostic(f"symgrad.toml has no field {name!r}", place, near(name, FIELDS))
    elif name == "diagram":
        if not isinstance(value, bool):
            yield Diagnostic("'diagram' is true or false", place)
    elif not isinstance(value, str):
        yield Diagnostic(f"{name!r} is a text in quotation marks", place)
    elif name in CHOICES and value not in CHOICES[name]:
        known = " or ".join(CHOICES[name])
        yield Diagnostic(f"{name!r} is {known}", place, near(value, CHOICES[name]))


def _key(source: Source, name: str) -> Place:
    """Where a field is named."""
    found = re.search(rf"^[ \t]*[\"'\[]*({re.escape(name)})", source.text, re.MULTILINE)
    return source.place(*found.span(1)) if found else source.place(0, 0)


def _value(source: Source, name: str) -> Source:
    """The text of a field as a part of the file."""
    found = re.search(rf"^[ \t]*{name}[ \t]*=[ \t]*([\"'])(.*?)\1", source.text, re.MULTILINE)
    return source.part(*found.span(2)) if found else source.part(0, 0)


def _syntax(source: Source, message: str) -> Diagnostic:
    found = _PLACE.search(message)
    text = _PLACE.sub("", message).strip()
    if found is None:
        return Diagnostic(text, source.place(len(source.text.rstrip())))
    lines = source.text.splitlines(keepends=True)
    start = sum(len(line) for line in lines[: int(found[1]) - 1]) + int(found[2]) - 1
    return Diagnostic(text, source.place(start, start + 1))
