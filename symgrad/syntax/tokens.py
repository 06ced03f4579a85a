"""Tokens, which every lexer produces and the one parser reads."""

from __future__ import annotations

from enum import Enum, auto

from msgspec import Struct

from symgrad.source import Place

LONGEST_TEXT = 20_000
DEEPEST_NESTING = 100
DEEPEST_TREE = 200


class Kind(Enum):
    """What a token is; its text says which one."""

    NUMBER = auto()
    NAME = auto()
    OPERATOR = auto()
    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    DOT = auto()
    COMMAND = auto()
    WORDS = auto()
    END = auto()


class Token(Struct, frozen=True):
    """A token in canonical spelling; its place shows how it was written."""

    kind: Kind
    text: str
    place: Place

    def says(self, *texts: str) -> bool:
        """Whether it is one of these operators, brackets or separators."""
        return self.kind not in (Kind.NAME, Kind.NUMBER) and self.text in texts
