"""Letters, numbers and signs of LaTeX and of Unicode as tokens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from msgspec import Struct, field

from symgrad.errors import ProblemError
from symgrad.source import Source
from symgrad.syntax.latex.signs import (
    CLOSING,
    COMBINING,
    FUNCTIONS,
    GRAMMAR,
    GREEK,
    GREEK_LETTERS,
    LOWERED,
    NAMES,
    OPENING,
    OPERATORS,
    RAISED,
    SILENT,
    UNICODE,
)
from symgrad.syntax.tokens import Kind, Token

_PERCENT: Final = re.compile(r"\s*(?:\\,)?\s*\\%")

_LONGEST_NUMBER = 60
_LETTERS = re.compile(r"[A-Za-z]{3,}(?:~[A-Za-z]{3,})+|[A-Za-z]+(?:\\_[A-Za-z0-9]+)*")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_SIGNS: Final = ("==", ":=", "!=", "<=", ">=", "->", "=>", "||", "**", *"+-*/=<>|,;:.'_^&!?~@")
_SAME: Final = {":=": "=", "==": "=", "=>": "⇒", "||": "‖", "?": "?"}

Pieces: TypeAlias = Callable[[str, bool], Sequence[str]]
"""How a run of letters, in a script or not, falls into names: `UI` into U and I, `softmax` into itself."""


def one_by_one(run: str, script: bool) -> Sequence[str]:
    """Every letter is a name."""
    return tuple(run)


class Characters(Struct):
    """Tokens read so far, and the place of the next character."""

    source: Source
    pieces: Pieces
    at: int = 0
    tokens: list[Token] = field(default_factory=list)
    scripts: list[bool] = field(default_factory=list)
    level: int = 0

    def add(self, kind: Kind, text: str, start: int, end: int) -> None:
        """One more token; what stands in braces behind `_` is known to be a subscript."""
        if kind is Kind.OPEN and text == "{":
            below = bool(self.tokens) and self.tokens[-1].says("_")
            self.scripts.append(below or bool(self.scripts and self.scripts[-1]))
        elif kind is Kind.CLOSE and text == "}" and self.scripts:
            self.scripts.pop()
        self.tokens.append(Token(kind, text, self.source.place(start, end)))
        self.at = end

    def number(self, found: re.Match[str]) -> None:
        r"""A number, of which a bare argument of `\frac` takes one digit; a hundredth of it before a per cent sign."""
        if self.is_argument():
            if found[0].startswith("."):
                raise ProblemError("a part of this fraction is a mere point", self.source.place(self.at, self.at + 1))
            self.add(Kind.NUMBER, found[0][0], found.start(), found.start() + 1)
            return
        if len(found[0]) > _LONGEST_NUMBER:
            message = "this number is too long to be meant"
            raise ProblemError(message, self.source.place(found.start(), found.end()))
        percent = _PERCENT.match(self.source.text, found.end())
        text = found[0] if percent is None else f"{Decimal(found[0]).scaleb(-2):f}"
        self.add(Kind.NUMBER, text, found.start(), found.end() if percent is None else percent.end())

    def is_argument(self) -> bool:
        """Whether a bare digit is a whole part of a fraction here, as in `\\frac12`."""
        before = self.tokens[-2:]
        if before and before[-1].text == r"\frac":
            return True
        return len(before) == 2 and before[0].text == r"\frac" and before[1].kind in (Kind.NUMBER, Kind.NAME)

    def letters(self, end: int) -> None:
        """Names side by side; in a script after `_` one letter, as in TeX, unless braces are round it."""
        text, start = self.source.text, self.at
        if self.tokens and self.tokens[-1].says("_", "^") and self.tokens[-1].place.end == start:
            self.add(Kind.NAME, text[start], start, start + 1)
            return
        word = _WORD.match(text, start, end)
        if word and not word[0].isalpha() and tuple(self.pieces(word[0], True)) == (word[0],):
            self.add(Kind.NAME, word[0], start, word.end())
            return
        run = _LETTERS.match(text, start, end)
        assert run is not None
        if "\\" in run[0] or "~" in run[0]:
            self.add(Kind.NAME, run[0].replace("\\_", "_").replace("~", "_"), start, run.end())
            return
        for piece in self.pieces(run[0], bool(self.scripts and self.scripts[-1])):
            self.add(Kind.NAME, piece, self.at, self.at + len(piece))

    def plain_command(self, name: str, start: int, stop: int) -> bool:
        """Commands that are one token whatever follows."""
        if name[1:] in GREEK:
            self.add(Kind.NAME, name[1:], start, stop)
        elif name in NAMES:
            self.add(Kind.NAME, NAMES[name], start, stop)
        elif name[1:] in FUNCTIONS:
            self.add(Kind.NAME, name[1:], start, stop)
        elif name in OPERATORS:
            self.add(Kind.OPERATOR, OPERATORS[name], start, stop)
        elif name in OPENING:
            self.add(Kind.OPEN, OPENING[name], start, stop)
        elif name in CLOSING:
            self.add(Kind.CLOSE, CLOSING[name], start, stop)
        elif name == r"\arg":
            self.add(Kind.COMMAND, r"\arg", start, stop)
        elif name in (r"\%", r"\$", r"\#", r"\&", r"\_"):
            self.add(Kind.OPERATOR, name[1], start, stop)
        else:
            return False
        return True

    # Other signs

    def sign(self, char: str) -> None:
        """What is neither a letter nor a number nor a command: a bracket, a script, a sign of Unicode or of ASCII."""
        start = self.at
        if char in OPENING:
            self.add(Kind.OPEN, OPENING[char], start, start + 1)
        elif char in CLOSING:
            self.add(Kind.CLOSE, CLOSING[char], start, start + 1)
        elif char in RAISED or char in LOWERED:
            self.script(RAISED if char in RAISED else LOWERED)
        elif char in UNICODE:
            self.unicode(UNICODE[char], start)
        elif char in GREEK_LETTERS:
            self.add(Kind.NAME, GREEK_LETTERS[char], start, start + 1)
        elif char.isalpha():
            self.foreign_letter(char, start)
        else:
            self.ascii_sign(char, start)

    def ascii_sign(self, char: str, start: int) -> None:
        """The longest sign that begins here."""
        for sign in _SIGNS:
            if self.source.text.startswith(sign, start):
                kind = {",": Kind.COMMA, ".": Kind.DOT}.get(sign, Kind.OPERATOR)
                self.add(kind, _SAME.get(sign, sign), start, start + len(sign))
                return
        shown = repr(char) if char.isprintable() else unicodedata.name(char, f"character {ord(char):#x}")
        raise ProblemError(f"{shown} cannot be read here", self.source.place(start, start + 1))

    def unicode(self, command: str, start: int) -> None:
        """A sign of Unicode, which means what its command does."""
        if command in GRAMMAR:
            self.add(Kind.COMMAND, command, start, start + 1)
        elif command in SILENT:
            self.at = start + 1
        elif not self.plain_command(command, start, start + 1):
            self.add(Kind.OPERATOR, command, start, start + 1)

    def foreign_letter(self, char: str, start: int) -> None:
        """ŷ is a y with a hat, composed or not."""
        end = start + 1
        while end < len(self.source.text) and unicodedata.combining(self.source.text[end]):
            end += 1
        decomposed = unicodedata.normalize("NFD", self.source.text[start:end])
        letter, marks = decomposed[0], decomposed[1:]
        if all(mark in COMBINING for mark in marks):
            for mark in reversed(marks):
                self.add(Kind.COMMAND, COMBINING[mark], start, start)
            self.add(Kind.NAME, GREEK_LETTERS.get(letter, letter), start, end)
        else:
            self.add(Kind.NAME, unicodedata.normalize("NFC", self.source.text[start:end]), start, end)

    def script(self, row: Mapping[str, str]) -> None:
        """A run of raised or lowered signs, hₜ₋₁ or xᵀ, as a script in braces."""
        start, text = self.at, self.source.text
        end = start
        while end < len(text) and text[end] in row:
            end += 1
        self.add(Kind.OPERATOR, "^" if row is RAISED else "_", start, start)
        self.add(Kind.OPEN, "{", start, start)
        for at in range(start, end):
            sign = row[text[at]]
            kind = Kind.NUMBER if sign.isdigit() else Kind.NAME if sign.isalpha() or sign == "⊤" else Kind.OPERATOR
            kind = {"(": Kind.OPEN, ")": Kind.CLOSE}.get(sign, kind)
            self.add(kind, sign, at, at + 1)
        self.add(Kind.CLOSE, "}", end, end)
