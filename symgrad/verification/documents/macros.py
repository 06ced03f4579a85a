"""The writer's own commands, `\\newcommand{\\R}{\\mathbb{R}}`, written out; every character keeps its place."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from symgrad.source import Source

_DEFINITION: Final = re.compile(
    r"\\(?:(?:re|provide)?newcommand\*?\s*\{?\s*\\(?P<new>[A-Za-z]+)\s*\}?\s*(?:\[(?P<count>[1-9])\])?\s*(?=\{)"
    r"|def\s*\\(?P<def>[A-Za-z]+)(?P<marks>(?:#[1-9])*)\s*(?=\{)"
    r"|DeclareMathOperator(?P<star>\*?)\s*\{?\s*\\(?P<operator>[A-Za-z]+)\s*\}?\s*(?=\{))"
)
_USE: Final = re.compile(r"\\([A-Za-z]+)")
_ARGUMENT: Final = re.compile(r"#([1-9])")
_DEEPEST = 8
_LONGEST_GROWTH = 200_000


class _Macro(Struct, frozen=True):
    arguments: int
    body: str


def written_out(source: Source) -> Source:
    """The text with its macros replaced; the text itself where it defines none."""
    macros = _macros(source.text)
    if not macros:
        return source
    pieces: list[str] = []
    offsets: list[int] = []
    at = grown = 0
    text = source.text
    for use in _USE.finditer(text):
        macro = macros.get(use[1])
        if macro is None or use.start() < at or grown > _LONGEST_GROWTH:
            continue
        args, end = _arguments(text, use.end(), macro.arguments)
        if args is None:
            continue
        body = _expanded(macro, args, macros, 0)
        pieces += [text[at : use.start()], body]
        offsets += [*range(at, use.start()), *[use.start()] * len(body)]
        grown += len(body)
        at = end
    pieces.append(text[at:])
    offsets += range(at, len(text) + 1)
    return Source(source.name, "".join(pieces), source, offsets)


def _macros(text: str) -> dict[str, _Macro]:
    found: dict[str, _Macro] = {}
    for match in _DEFINITION.finditer(text):
        end = _closing(text, match.end())
        if end < 0:
            continue
        body = text[match.end() + 1 : end]
        if match["operator"]:
            found[match["operator"]] = _Macro(0, rf"\operatorname{{{body}}}")
        elif match["new"]:
            found[match["new"]] = _Macro(int(match["count"] or 0), body)
        else:
            found[match["def"]] = _Macro(len(match["marks"]) // 2, body)
    return found


def _closing(text: str, start: int) -> int:
    """The brace that closes the one at ``start``; negative where there is none near by."""
    depth = 0
    for at in range(start, min(len(text), start + 5000)):
        depth += {"{": 1, "}": -1}.get(text[at], 0) if text[at - 1 : at] != "\\" else 0
        if depth == 0:
            return at
    return -1


def _arguments(text: str, at: int, count: int) -> tuple[list[str] | None, int]:
    args: list[str] = []
    for _ in range(count):
        while text[at : at + 1].isspace():
            at += 1
        if text[at : at + 1] == "{":
            end = _closing(text, at)
            if end < 0:
                return None, at
            args.append(text[at + 1 : end])
            at = end + 1
        else:
            token = _USE.match(text, at)
            end = token.end() if token else at + 1
            args.append(text[at:end])
            at = end
    return args, at


def _expanded(macro: _Macro, args: list[str], macros: dict[str, _Macro], depth: int) -> str:
    body = _ARGUMENT.sub(lambda m: args[int(m[1]) - 1] if int(m[1]) <= len(args) else "", macro.body)
    if depth >= _DEEPEST or len(body) > _LONGEST_GROWTH:
        return body
    pieces: list[str] = []
    at = 0
    for use in _USE.finditer(body):
        inner = macros.get(use[1])
        if inner is None or use.start() < at:
            continue
        found, end = _arguments(body, use.end(), inner.arguments)
        if found is not None and sum(map(len, pieces)) < _LONGEST_GROWTH:
            pieces += [body[at : use.start()], _expanded(inner, found, macros, depth + 1)]
            at = end
    # A letter behind a command that ended in letters must not run into it.
    return "".join([*pieces, body[at:]]) + " "
