"""The LaTeX of a declared name, read into the math tree where it is letters, accents, fonts and scripts.

What is more than that stays as it was given, with the declared name for the formats that are not LaTeX.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from symgrad.notation.symbols import ACCENT_COMMANDS, FONT_COMMANDS, SYMBOLS
from symgrad.notation.tree import Accent, Font, Ident, Infix, Number, OpName, Row, Script, Sym, Tree, Verbatim

_TOKEN: Final = re.compile(r"\\[A-Za-z]+\*?|\\.|\S", re.DOTALL)
_SIGNS: Final = {row.latex: row.key for row in SYMBOLS.values() if row.spacing == "ordinary"}
_FONTS: Final[Mapping[str, Font]] = {**FONT_COMMANDS, r"\text": "roman", r"\textrm": "roman"}
_LONGEST: Final = 200


class _NotSimpleError(Exception):
    """The text is more than letters with accents, fonts and scripts."""


def read_latex_name(text: str, plain: str, indices: Sequence[str] = ()) -> Tree:
    """The tree of a name; scripts that only repeat the declared indices, as in ``h_t`` for h[t], are left out."""
    try:
        reader = _Reader(tuple(_TOKEN.findall(text[:_LONGEST])))
        tree = reader.row(None)
    except _NotSimpleError:
        return Verbatim(text, plain)
    if indices and isinstance(tree, Script) and _spelled(tree.sub) == ",".join(indices):
        return tree.base if tree.sup is None else Script(tree.base, None, tree.sup)
    return tree


def _spelled(tree: Tree | None) -> str:
    match tree:
        case Ident(text=text) | Number(text=text):
            return text
        case Sym(key=key):
            return "," if key == "comma" else key
        case Row(items=items):
            return "".join(_spelled(x) for x in items)
        case Infix(items=items):
            return ",".join(_spelled(x) for x in items)
        case _:
            return "?"


class _Reader(Struct):
    tokens: tuple[str, ...]
    at: int = 0

    def row(self, end: str | None) -> Tree:
        items: list[Tree] = []
        while self.at < len(self.tokens) and self.tokens[self.at] != end:
            items.append(self.scripted())
        if not items or (end is not None and self.at >= len(self.tokens)):
            raise _NotSimpleError
        self.at += end is not None
        return items[0] if len(items) == 1 else Row(tuple(items))

    def scripted(self) -> Tree:
        base, sub, sup = self.atom(), None, None
        while self.at < len(self.tokens) and self.tokens[self.at] in ("_", "^", "'"):
            sign = self.tokens[self.at]
            self.at += 1
            if sign == "_" and sub is None:
                sub = self.atom()
            elif sign != "_" and sup is None:
                sup = Sym("prime") if sign == "'" else self.atom()
            else:
                raise _NotSimpleError
        return base if sub is None and sup is None else Script(base, sub, sup)

    def atom(self) -> Tree:
        if self.at >= len(self.tokens):
            raise _NotSimpleError
        token = self.tokens[self.at]
        self.at += 1
        if token == "{":
            return self.row("}")
        if token in _SIGNS:
            return Sym(_SIGNS[token])
        if token in ACCENT_COMMANDS:
            return Accent(ACCENT_COMMANDS[token], self.atom())
        if token in _FONTS:
            return self.font(_FONTS[token])
        if token == r"\operatorname":
            return OpName(self.letters())
        if len(token) == 1 and token.isalpha():
            return Ident(token)
        if token.isdigit():
            return Number(token)
        raise _NotSimpleError

    def font(self, font: Font) -> Tree:
        following = self.tokens[self.at : self.at + 2]
        if font == "bold" and any(t in _SIGNS for t in following):
            raise _NotSimpleError
        return Ident(self.letters(), font)

    def letters(self) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at] != "{":
            self.at += 1
            text = self.tokens[self.at - 1]
        else:
            end = self.tokens.index("}", self.at) if "}" in self.tokens[self.at :] else -1
            text = "".join(self.tokens[self.at + 1 : end]) if end > 0 else ""
            self.at = end + 1
        if not text.isalnum():
            raise _NotSimpleError
        return text
