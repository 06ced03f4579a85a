"""A formula that somebody wrote in LaTeX as a math tree, so that it is set in the formats that are not LaTeX."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct, field

from symgrad.notation.symbols import ACCENT_COMMANDS, FONT_COMMANDS, GREEK_LETTERS, SYMBOLS
from symgrad.notation.tree import (
    Accent,
    BigOp,
    Cases,
    Delim,
    Fenced,
    Font,
    Frac,
    Grid,
    Ident,
    Number,
    Oper,
    OpName,
    Root,
    Row,
    Script,
    Space,
    Sym,
    Text,
    Tree,
)

_TOKEN: Final = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:\.[0-9]+)?|\s+|.", re.DOTALL)
_ALIASES: Final = MappingProxyType(
    {
        r"\leq": "<=", r"\geq": ">=", r"\neq": "!=", r"\ldots": "dots", r"\dotsc": "dots", r"\dotsb": "cdots",
        r"\rightarrow": "to", r"\Rightarrow": "implies", r"\Leftrightarrow": "iff", r"\colon": "colon",
        r"\varnothing": "empty", r"\subset": "subset", r"\|": "norm", r"\{": "{", r"\}": "}", r"\lbrack": "[",
        r"\rbrack": "]", r"\coloneqq": "define", "*": "star", r"\intercal": "transpose", r"\Vert": "norm",
        r"\vert": "|", "|": "|", "≤": "<=", "≥": ">=", "≠": "!=", "→": "to", "·": "cdot", "×": "times", "∈": "in",
        "∂": "partial", "∇": "nabla", "∞": "infinity", "⊙": "odot", "⊤": "transpose", "−": "minus", "…": "dots",
    }
)  # fmt: skip
_SIGNS: Final = {row.latex: row.key for row in reversed(tuple(SYMBOLS.values()))} | dict(_ALIASES)
_FONTS: Final[Mapping[str, Font]] = {**FONT_COMMANDS, r"\operatorname": "roman"}
_NAMED: Final = frozenset(
    [
        "tanh", "sinh", "cosh", "sin", "cos", "tan", "log", "ln", "exp", "det", "tr", "diag", "arg", "sup", "inf",
        "ker", "dim", "gcd", "Pr", "rank", "erf", "arctan", "arcsin",
    ]
)  # fmt: skip
_SPACES: Final = {
    r"\,": "thin", r"\:": "medium", r"\;": "medium", r"\ ": "medium", "~": "medium", r"\quad": "quad",
    r"\qquad": "quad",
}  # fmt: skip
_UNSEEN: Final = re.compile(r"\\(?:!|displaystyle|textstyle|limits|nolimits|(?:big|Big|bigg|Bigg)[lrm]?)")
_GRIDS: Final = {"pmatrix": ("(", ")"), "bmatrix": ("[", "]"), "vmatrix": ("|", "|)")}
_BARS: Final = {"|": "|)", "norm": "norm)"}
_SIGNED: Final = ("plus", "minus", "plusminus")
_LONGEST: Final = 2000
_DEEPEST: Final = 40


class _UnknownError(Exception):
    """The formula holds something that this reader does not know."""


def read_formula(text: str) -> Tree | None:
    """The tree of a formula; None where it holds a command that is not known here."""
    if len(text) > _LONGEST:
        return None
    try:
        reader = _Reader([t for t in _TOKEN.findall(text) if not _UNSEEN.fullmatch(t)])
        tree = reader.row(frozenset())
    except _UnknownError:
        return None
    return None if reader.peek() else tree


class _Reader(Struct):
    tokens: list[str]
    at: int = 0
    depth: int = 0
    bars: list[str] = field(default_factory=list)

    def row(self, ends: frozenset[str]) -> Tree:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _UnknownError
        items: list[Tree] = []
        while self.peek() and self.peek() not in ends:
            item = self.scripted()
            if isinstance(item, Oper) and item.op in _SIGNED and (not items or isinstance(items[-1], Oper)):
                item = Sym(item.op)
            items.append(item)
        self.depth -= 1
        return items[0] if len(items) == 1 else Row(tuple(items))

    def peek(self) -> str:
        """The next token that is no blank; empty at the end."""
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        if not token:
            raise _UnknownError
        self.at += 1
        return token

    def expect(self, token: str) -> None:
        if self.next() != token:
            raise _UnknownError

    def scripted(self) -> Tree:
        base = Row(()) if self.peek() in ("_", "^") else self.atom()
        sub: Tree | None = None
        sup: Tree | None = None
        while self.peek() in ("_", "^", "'"):
            sign = self.next()
            if sign == "_" and sub is None:
                sub = self.argument()
            elif sign != "_" and sup is None:
                sup = Sym("prime") if sign == "'" else self.argument()
            else:
                raise _UnknownError
        if isinstance(base, BigOp):
            return BigOp(base.kind, sub, sup, None)
        return base if sub is None and sup is None else Script(base, sub, sup)

    def argument(self) -> Tree:
        """What a command or a script takes: braces, or one sign, of a number one digit."""
        token = self.peek()
        if token[:1].isdigit():
            self.tokens[self.at : self.at + 1] = list(token)
        return self.atom()

    def atom(self) -> Tree:
        token = self.next()
        if token == "{":
            inside = self.row(frozenset("}"))
            self.expect("}")
            return inside
        if token in _READERS:
            return _READERS[token](self)
        if token in ACCENT_COMMANDS:
            return Accent(ACCENT_COMMANDS[token], self.atom())
        if token in _FONTS:
            return self.lettered(_FONTS[token])
        if token in _SPACES:
            return Space("quad" if _SPACES[token] == "quad" else "medium" if _SPACES[token] == "medium" else "thin")
        if token in _SIGNS:
            return _sign(_SIGNS[token], self)
        if token in GREEK_LETTERS:
            return Sym(GREEK_LETTERS[token])
        if token[0] == "\\" and token[1:] in _NAMED:
            return OpName(token[1:])
        if token[0].isdigit():
            return Number(token)
        if token.isalpha() and len(token) == 1:
            return Ident(token)
        if token in "!?.":
            return Text(token)
        raise _UnknownError

    def words(self) -> str:
        """The words in braces, as they stand."""
        self.expect("{")
        found: list[str] = []
        while self.at < len(self.tokens) and self.tokens[self.at] != "}":
            found.append(self.tokens[self.at])
            self.at += 1
        self.expect("}")
        if any(t[0] in "\\{$" for t in found):
            raise _UnknownError
        return "".join(found)

    def lettered(self, font: Font) -> Tree:
        if self.peek() != "{":
            text = self.next()
        elif self.tokens[self.at + 1 : self.at + 2] and self.tokens[self.at + 1].startswith("\\"):
            return self.atom()
        else:
            text = self.words()
        if not text.isalnum():
            raise _UnknownError
        return OpName(text) if font == "roman" and len(text) > 1 else Ident(text, font)

    def bar(self, key: str) -> Tree:
        """A bar that opens, or closes the last one that is open."""
        if self.bars and self.bars[-1] == key:
            self.bars.pop()
            return Delim(_BARS[key], "right", 0)
        self.bars.append(key)
        return Delim(key, "left", 0)

    def delimiter(self, side: str) -> str:
        token = self.next()
        key = _SIGNS.get(token)
        if token == "." or key is None or SYMBOLS[key].spacing not in ("fence", "ordinary"):
            raise _UnknownError
        return _BARS.get(key, key) if side == "right" else key

    def environment(self) -> Tree:
        name = self.words()
        rows: list[tuple[Tree, ...]] = []
        cells: list[Tree] = []
        while True:
            cells.append(self.row(frozenset(["&", r"\\", r"\end"])))
            mark = self.next()
            if mark != "&":
                rows.append(tuple(cells))
                cells = []
            if mark == r"\end":
                break
        if self.words() != name or len({len(r) for r in rows}) > 1:
            raise _UnknownError
        if name == "cases" and len(rows[0]) == 2:
            return Cases(tuple((value, _said(when)) for value, when in rows))
        if name not in _GRIDS:
            raise _UnknownError
        return Grid(tuple(rows), *_GRIDS[name])


def _said(condition: Tree) -> Tree:
    """The condition of a case without the "if" that printing adds."""
    if isinstance(condition, Row) and condition.items[:1] in ((Text("if "),), (Text("if"),)):
        return Row(condition.items[1:])
    return condition


def _sign(key: str, reader: _Reader) -> Tree:
    match SYMBOLS[key].spacing:
        case "binary" | "relation":
            return Oper(key)
        case "large":
            return BigOp(key, None, None, None)
        case "fence":
            if key in _BARS:
                return reader.bar(key)
            closes = key.endswith(")") or key in ("]", "}")
            return Delim(key, "right" if closes else "left", 0)
    return Oper(key) if key in ("comma", "semicolon") else Sym(key)


def _fenced(reader: _Reader) -> Tree:
    left = reader.delimiter("left")
    body = reader.row(frozenset([r"\right"]))
    reader.expect(r"\right")
    return Fenced(body, left, reader.delimiter("right"))


def _fraction(reader: _Reader) -> Tree:
    return Frac(reader.argument(), reader.argument())


_READERS: Final[MappingProxyType[str, Callable[[_Reader], Tree]]] = MappingProxyType(
    {
        r"\frac": _fraction,
        r"\dfrac": _fraction,
        r"\tfrac": _fraction,
        r"\sqrt": lambda reader: Root(reader.argument()),
        r"\text": lambda reader: Text(reader.words()),
        r"\textrm": lambda reader: Text(reader.words()),
        r"\left": _fenced,
        r"\begin": lambda reader: reader.environment(),
    }
)
