"""The plain notation: NumPy's operators, `1..T` for ranges, names in any script."""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from types import MappingProxyType
from typing import Final

from symgrad.errors import ProblemError
from symgrad.source import Source
from symgrad.syntax.dialect import Dialect
from symgrad.syntax.grammar import Grammar, Infix
from symgrad.syntax.parser import Parser
from symgrad.syntax.tokens import LONGEST_TEXT, Kind, Token

_LONGEST_NUMBER = 60
_LARGEST_EXPONENT = 400

_NUMBER = re.compile(r"(?P<mantissa>[0-9]+(?:\.[0-9]+|\.(?![\w.]))?|\.[0-9]+)(?:[eE](?P<exponent>[+-]?[0-9]+)(?!\w))?")
# Longer ones first; the foreign ones are there to be explained.
_OPERATORS: Final = (
    *("**", "..", "==", "!=", "<=", ">=", "->", ":=", "&&", "||", "//"),
    *"+-*/@<>=|~:^&!%;×⊙∘·⋅∙−÷≤≥≠≈→←…ᵀ⊤²³",
)
# Unicode counts the middle dot and the raised T among the letters.
_NOT_IN_NAMES: Final = frozenset("·ᵀ")
_BRACKETS: Final = {"(": Kind.OPEN, "[": Kind.OPEN, ")": Kind.CLOSE, "]": Kind.CLOSE}

HINTS: Final = MappingProxyType(
    {
        "^": "use ** for powers",
        "²": "use **2",
        "³": "use **3",
        "ᵀ": "use .T for the transpose",
        "⊤": "use .T for the transpose",
        "'": "use .T for the transpose",
        **dict.fromkeys("×⊙∘", "use * for the product element by element"),
        **dict.fromkeys("·⋅∙", "use * element by element, @ for the matrix product"),
        "√": "use sqrt(x)",
        "∞": "use inf",
        "−": "use - (this is the typographic minus)",
        "÷": "use /",
        "//": "use floor(a / b)",
        "%": "there is no remainder; use a - b*floor(a / b)",
        "≤": "use <=",
        "≥": "use >=",
        "≠": "use !=",
        "→": "use ->",
        "…": "use .. for a range",
        **dict.fromkeys(("&", "&&"), "separate conditions with commas"),
        "!": "use != for 'not equal'; there is no factorial",
        "||": "use norm(x) or abs(x)",
        '"': "there are no strings in expressions",
        **dict.fromkeys("“”‘’„", "use plain quotes"),
        "{": "braces belong to LaTeX; use (...) or [...]",
        "}": "braces belong to LaTeX; use (...) or [...]",
        "\\": "this looks like LaTeX",
    }
)


def tokenize(source: Source) -> tuple[Token, ...]:
    """The tokens of a text in plain notation, with an END token behind them."""
    text = source.text
    if len(text) > LONGEST_TEXT:
        message = f"the expression has {len(text)} characters; at most {LONGEST_TEXT} are read"
        raise ProblemError(message, source.place(0, 1))
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _token_at(source, at)
        tokens.append(token)
        at = token.place.end
    end = len(text.rstrip())
    return (*tokens, Token(Kind.END, "", source.place(end, end)))


def _token_at(source: Source, at: int) -> Token:
    text = source.text
    char = text[at]
    # `1..3` is a range, so a dot that begins another dot belongs to no number.
    if not text.startswith("..", at) and (number := _NUMBER.match(text, at)):
        return _number(source, number)
    if char.isidentifier() and char not in _NOT_IN_NAMES:
        end = at + 1
        while end < len(text) and text[end] not in _NOT_IN_NAMES and ("_" + text[end]).isidentifier():
            end += 1
        # Composed and decomposed accents are the same name.
        return Token(Kind.NAME, unicodedata.normalize("NFC", text[at:end]), source.place(at, end))
    if char in _BRACKETS:
        return Token(_BRACKETS[char], char, source.place(at, at + 1))
    if char == ",":
        return Token(Kind.COMMA, char, source.place(at, at + 1))
    for operator in _OPERATORS:
        if text.startswith(operator, at):
            return Token(Kind.OPERATOR, operator, source.place(at, at + len(operator)))
    if char == ".":
        return Token(Kind.DOT, char, source.place(at, at + 1))
    raise ProblemError(_unreadable(char), source.place(at, at + 1))


def _unreadable(char: str) -> str:
    if char in HINTS:
        return f"'{char}' cannot be read: {HINTS[char]}"
    if not char.isprintable():
        name = unicodedata.name(char, f"character {ord(char):#x}")
        return f"{name} cannot be read; in a double-quoted YAML text, a backslash must be doubled"
    return f"{char!r} cannot be read here"


def _number(source: Source, match: re.Match[str]) -> Token:
    place = source.place(match.start(), match.end())
    exponent = match["exponent"] or "0"
    if len(match[0]) > _LONGEST_NUMBER or abs(int(exponent)) > _LARGEST_EXPONENT:
        raise ProblemError("this number is too long or too large to be meant", place)
    following = source.text[match.end() : match.end() + 1]
    if following.isidentifier():
        name = source.text[match.end() :]
        raise ProblemError(f"write {match[0]}*{name[:1]}... for a product with a number", place)
    return Token(Kind.NUMBER, match[0], place)


GRAMMAR: Final = Grammar(
    infix=MappingProxyType(
        {
            "+": Infix(10, 11),
            "-": Infix(10, 11),
            "*": Infix(20, 21),
            "/": Infix(20, 21),
            "@": Infix(20, 21),
            # The right side of a power may carry a sign, `x**-1`, and another power.
            "**": Infix(40, 30),
        }
    ),
    hints=HINTS,
)

PLAIN: Final = Dialect(tokenize, partial(Parser, grammar=GRAMMAR))
