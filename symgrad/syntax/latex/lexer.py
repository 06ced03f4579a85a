"""From LaTeX, and from mathematics in Unicode, to the tokens of the one parser."""

from __future__ import annotations

import re
from typing import Final

from symgrad.errors import ProblemError
from symgrad.source import Source
from symgrad.syntax.latex.characters import Characters, Pieces, one_by_one
from symgrad.syntax.latex.signs import (
    BIG,
    BLACKBOARD,
    CLOSING,
    FONTS,
    GRAMMAR,
    OPENING,
    SILENT,
    SILENT_WITH_ARGUMENT,
    UPRIGHT,
)
from symgrad.syntax.tokens import DEEPEST_NESTING, LONGEST_TEXT, Kind, Token

_SPACE = re.compile(r"(?:\s|~|%[^\n]*(?:\n|$))+")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+\*?|\\(?:\[[-0-9.]+[a-z]{2}\])?|.)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9 _-]*")
_PHRASES: Final = frozenset(
    {"and", "or", "if", "for", "when", "else", "otherwise", "so", "then", "where", "with", "thus", "hence", "since"}
)


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


class _Lexer(Characters):
    """Reads commands and what stands in their braces."""

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

    def command(self, end: int) -> None:
        """A command with its arguments, or the sign that it sets."""
        found = _COMMAND.match(self.source.text, self.at, end)
        if found is None:
            raise ProblemError("a backslash stands at the end", self.source.place(self.at, self.at + 1))
        start, stop, name = found.start(), found.end(), found[0]
        if name.startswith("\\\\"):
            self.add(Kind.OPERATOR, "\\\\", start, stop)
        elif name in (r"\left", r"\right"):
            self.at = stop
            self.fence(name == r"\left", start, end)
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

    # Words, fonts and brackets

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
        """The beginning or the end of an environment, one token; how its columns are set says nothing."""
        first, last = self.argument(end)
        kind = self.source.text[first:last].strip().rstrip("*")
        self.tokens[-1] = Token(Kind.COMMAND, f"{name}{{{kind}}}", self.source.place(start, self.at))
        if name == r"\begin" and kind in ("array", "tabular", "alignedat", "alignat"):
            if self.source.text.startswith("[", self.at):
                self.at = self.source.text.find("]", self.at) + 1
            self.argument(end)

    def fence(self, opens: bool, start: int, end: int) -> None:
        """The delimiter behind `\\left` or `\\right`, which begins at ``start``."""
        text = self.source.text
        if space := _SPACE.match(text, self.at, end):
            self.at = space.end()
        found = _COMMAND.match(text, self.at, end)
        sign = found[0] if found else text[self.at : self.at + 1]
        stop = self.at + len(sign)
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
