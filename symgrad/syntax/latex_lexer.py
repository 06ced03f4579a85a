"""From LaTeX, and from mathematics in Unicode, to the tokens of the one parser."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from symgrad.errors import ProblemError
from symgrad.source import Source
from symgrad.syntax.latex_signs import (
    BIG,
    BLACKBOARD,
    CLOSING,
    COMBINING,
    FONTS,
    GRAMMAR,
    GREEK,
    GREEK_LETTERS,
    LOWERED,
    NAMES,
    OPENING,
    OPERATORS,
    RAISED,
    SILENT,
    SILENT_WITH_ARGUMENT,
    UNICODE,
    UPRIGHT,
)
from symgrad.syntax.tokens import DEEPEST_NESTING, LONGEST_TEXT, Kind, Token

_LONGEST_NUMBER = 60
_SPACE = re.compile(r"(?:\s|~|%[^\n]*(?:\n|$))+")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+\*?|\\(?:\[[-0-9.]+[a-z]{2}\])?|.)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_LETTERS = re.compile(r"[A-Za-z]{3,}(?:~[A-Za-z]{3,})+|[A-Za-z]+(?:\\_[A-Za-z0-9]+)*")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9 _-]*")
_SIGNS: Final = ("==", ":=", "!=", "<=", ">=", "->", "=>", "||", *"+-*/=<>|,;:.'_^&!?~")
_SAME: Final = {":=": "=", "==": "=", "=>": "⇒", "||": "‖", "?": "?"}
_PHRASES: Final = frozenset(
    {"and", "or", "if", "for", "when", "else", "otherwise", "so", "then", "where", "with", "thus", "hence", "since"}
)

Pieces: TypeAlias = Callable[[str, bool], Sequence[str]]
"""How a run of letters, in a script or not, falls into names: `UI` into U and I, `softmax` into itself."""


def one_by_one(run: str, script: bool) -> Sequence[str]:
    """Every letter is a name."""
    return tuple(run)


def tokenize(source: Source, pieces: Pieces = one_by_one, longest: int = LONGEST_TEXT) -> tuple[Token, ...]:
    """The tokens of a text in LaTeX, with an END token behind them.

    Raises:
        ProblemError: the text is too long, or a command or sign is unknown.
    """
    if len(source.text) > longest:
        message = f"the expression has {len(source.text)} characters; at most {longest} are read"
        raise ProblemError(message, source.place(0, 1))
    lexer = _Lexer(source, pieces)
    lexer.run(len(source.text))
    end = len(source.text.rstrip())
    return (*lexer.tokens, Token(Kind.END, "", source.place(end, end)))


@dataclass(slots=True)
class _Lexer:
    source: Source
    pieces: Pieces
    at: int = 0
    tokens: list[Token] = field(default_factory=list)
    scripts: list[bool] = field(default_factory=list)
    level: int = 0

    def run(self, end: int) -> None:
        """Read up to a place; groups inside commands are read by runs of their own."""
        text = self.source.text
        self.level += 1
        if self.level > DEEPEST_NESTING:
            message = f"nested more than {DEEPEST_NESTING} deep"
            raise ProblemError(message, self.source.place(self.at, self.at + 1))
        while self.at < end:
            if space := _SPACE.match(text, self.at, end):
                self.at = space.end()
            elif text[self.at] == "\\":
                self.command(end)
            elif number := _NUMBER.match(text, self.at, end):
                self.number(number)
            elif text[self.at].isascii() and text[self.at].isalpha():
                self.letters(end)
            else:
                self.sign(text[self.at])
        self.level -= 1

    def add(self, kind: Kind, text: str, start: int, end: int) -> None:
        if kind is Kind.OPEN and text == "{":
            below = bool(self.tokens) and self.tokens[-1].says("_")
            self.scripts.append(below or bool(self.scripts and self.scripts[-1]))
        elif kind is Kind.CLOSE and text == "}" and self.scripts:
            self.scripts.pop()
        self.tokens.append(Token(kind, text, self.source.place(start, end)))
        self.at = end

    # Letters and numbers

    def number(self, found: re.Match[str]) -> None:
        if len(found[0]) > _LONGEST_NUMBER:
            message = "this number is too long to be meant"
            raise ProblemError(message, self.source.place(found.start(), found.end()))
        self.add(Kind.NUMBER, found[0], found.start(), found.end())

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

    # Commands

    def command(self, end: int) -> None:
        found = _COMMAND.match(self.source.text, self.at, end)
        if found is None:
            raise ProblemError("a backslash stands at the end", self.source.place(self.at, self.at + 1))
        start, stop, name = found.start(), found.end(), found[0]
        if name.startswith("\\\\"):
            self.add(Kind.OPERATOR, "\\\\", start, stop)
        elif name in (r"\left", r"\right"):
            self.at = stop
            self.fence(name == r"\left", end)
        elif name in UPRIGHT:
            self.words(name, start, stop, end)
        elif name in FONTS or name in BLACKBOARD:
            self.font(name, start, stop, end)
        elif name in SILENT:
            self.at = stop
        elif name in SILENT_WITH_ARGUMENT:
            self.at = stop
            self.argument(end)
        elif name in (r"\underbrace", r"\overbrace", r"\stackrel", r"\overset", r"\underset"):
            self.decorated(name, stop, end)
        elif name in GRAMMAR:
            self.add(Kind.COMMAND, name.replace("dfrac", "frac").replace("tfrac", "frac"), start, stop)
            if name in (r"\begin", r"\end"):
                self.environment(name, start, end)
        elif not self.plain_command(name, start, stop):
            raise ProblemError(f"the command {name} is not known here", self.source.place(start, stop))

    def plain_command(self, name: str, start: int, stop: int) -> bool:
        """Commands that are one token whatever follows."""
        if name[1:] in GREEK:
            self.add(Kind.NAME, name[1:], start, stop)
        elif name in NAMES:
            self.add(Kind.NAME, NAMES[name], start, stop)
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

    def argument(self, end: int) -> tuple[int, int]:
        """The inside of the group that follows, behind which reading goes on."""
        text = self.source.text
        if space := _SPACE.match(text, self.at, end):
            self.at = space.end()
        if not text.startswith("{", self.at):
            found = _COMMAND.match(text, self.at, end)
            start, self.at = self.at, found.end() if found else min(self.at + 1, end)
            return start, self.at
        start, depth = self.at + 1, 0
        for at in range(self.at, end):
            depth += {"{": 1, "}": -1}.get(text[at], 0) if text[at - 1 : at] != "\\" else 0
            if depth == 0:
                self.at = at + 1
                return start, at
        raise ProblemError("this '{' is never closed", self.source.place(start - 1, start))

    def words(self, name: str, start: int, stop: int, end: int) -> None:
        r"""`\text{…}`: one word is a name, `\text{softmax}`; several are words between formulas."""
        self.at = stop
        first, last = self.argument(end)
        after = self.at
        inside = " ".join(self.source.text[first:last].replace("~", " ").split()).strip(" ,.:;")
        folded = inside.replace(r"\_", "_").replace(" ", "" if name.startswith((r"\operatorname", r"\mathrm")) else " ")
        simple = _IDENTIFIER.fullmatch(folded) is not None and " " not in folded
        if "\\" + folded.lower() in BIG:
            self.add(Kind.COMMAND, "\\" + folded.lower(), start, after)
        elif inside == "T":
            self.add(Kind.NAME, "⊤", start, after)
        elif simple and folded.casefold() not in _PHRASES:
            self.add(Kind.NAME, folded.replace("-", "_"), start, after)
        elif not inside:
            self.at = after
        elif not name.startswith(r"\text") and not simple and name != r"\mbox":
            self.at = first
            self.run(last)
            self.at = after
        else:
            self.add(Kind.WORDS, inside, start, after)

    def font(self, name: str, start: int, stop: int, end: int) -> None:
        r"""`\mathbf{h}` is h; `\mathbb{R}`, `\mathbf{1}` and bold 0 and e have meanings of their own."""
        self.at = stop
        if name in (r"\bf", r"\rm", r"\it"):
            return
        first, last = self.argument(end)
        after, inside = self.at, self.source.text[first:last].strip()
        if inside == "1" or (inside == "I" and name in BLACKBOARD):
            self.add(Kind.NAME, "𝟏", start, after)
        elif inside == "E" and name in BLACKBOARD:
            self.add(Kind.COMMAND, r"\E", start, after)
        elif name in BLACKBOARD:
            self.add(Kind.NAME, {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "P": "P"}.get(inside, inside), start, after)
        elif inside in ("e", "I") and name in (r"\mathbf", r"\boldsymbol", r"\bm"):
            self.add(Kind.NAME, {"e": "𝐞", "I": "𝐈"}[inside], start, after)
        elif len(inside) == 1 and inside.isalpha():
            self.add(Kind.NAME, inside, start, after)
        elif name == r"\mathbf" and inside == "0":
            self.add(Kind.NUMBER, "0", start, after)
        else:
            self.at = first - (self.source.text[first - 1] == "{")

    def decorated(self, name: str, stop: int, end: int) -> None:
        r"""`\underbrace{x}_{why}` is x, `\overset{!}{=}` is =."""
        self.at = stop
        if name in (r"\stackrel", r"\overset", r"\underset"):
            self.argument(end)
            return
        first, last = self.argument(end)
        after = self.at
        self.at = first - 1
        self.run(last)
        self.add(Kind.CLOSE, "}", last, after)
        if self.source.text[self.at : self.at + 1] in ("_", "^"):
            self.at += 1
            self.argument(end)

    def environment(self, name: str, start: int, end: int) -> None:
        first, last = self.argument(end)
        kind = self.source.text[first:last].strip().rstrip("*")
        self.tokens[-1] = Token(Kind.COMMAND, f"{name}{{{kind}}}", self.source.place(start, self.at))
        if name == r"\begin" and kind in ("array", "tabular", "alignedat", "alignat"):
            if self.source.text.startswith("[", self.at):
                self.at = self.source.text.find("]", self.at) + 1
            self.argument(end)

    def fence(self, opens: bool, end: int) -> None:
        """The delimiter behind `\\left` or `\\right`."""
        text = self.source.text
        if space := _SPACE.match(text, self.at, end):
            self.at = space.end()
        found = _COMMAND.match(text, self.at, end)
        sign = found[0] if found else text[self.at : self.at + 1]
        start, stop = self.at, self.at + len(sign)
        sign = {r"\|": "‖", r"\Vert": "‖", r"\lVert": "‖", r"\rVert": "‖", r"\vert": "|"}.get(sign, sign)
        sign = {r"\lvert": "|", r"\rvert": "|", "": "."}.get(sign, sign)
        if sign in ("|", "‖", "."):
            bar = sign + "(" if opens else "." if sign == "." else ")" + sign
            self.add(Kind.OPEN if opens else Kind.CLOSE, bar, start, stop)
        elif opens and (sign in OPENING or sign in CLOSING):
            self.add(Kind.OPEN, OPENING.get(sign, sign), start, stop)
        elif not opens and (sign in CLOSING or sign in OPENING):
            self.add(Kind.CLOSE, CLOSING.get(sign, sign), start, stop)
        else:
            raise ProblemError(f"{sign!r} is no bracket", self.source.place(start, max(stop, start + 1)))

    # Other signs

    def sign(self, char: str) -> None:
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
        for sign in _SIGNS:
            if self.source.text.startswith(sign, start):
                kind = {",": Kind.COMMA, ".": Kind.DOT}.get(sign, Kind.OPERATOR)
                self.add(kind, _SAME.get(sign, sign), start, start + len(sign))
                return
        shown = repr(char) if char.isprintable() else unicodedata.name(char, f"character {ord(char):#x}")
        raise ProblemError(f"{shown} cannot be read here", self.source.place(start, start + 1))

    def unicode(self, command: str, start: int) -> None:
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
