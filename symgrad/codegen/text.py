"""Python source as data: expressions with their precedence and axes, and lines laid out as formatters do."""

from collections.abc import Sequence
from itertools import pairwise

import sympy
from msgspec import Struct

from symgrad.tensor.integers import Int

COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 7)
WIDTH = 88


class Code(Struct, frozen=True):
    """A NumPy expression.

    Attributes:
        text: Its source.
        level: How tightly it binds.
        batch: The indices that run along its leading axes.
        order: The number of axes after those. It may be less than the expression's where broadcasting does the rest.
        boolean: Whether the entries are truth values.
        matmul: Whether its outermost operation is ``@``.
        sliced: Whether it is an array with integers and slices alone in the brackets at its end.
        native: Where its axes were brought into order, its source as it was and what is along each axis: an index, or
            the place among the axes of its own.
        unit: Where it is unit vectors along its one batch axis, the range of the index over which they are all of them.
    """

    text: str
    level: int = ATOM
    batch: tuple[sympy.Symbol, ...] = ()
    order: int = 0
    boolean: bool = False
    matmul: bool = False
    unit: tuple[Int, Int] | None = None
    sliced: bool = False
    native: tuple[str, tuple[sympy.Symbol | int, ...]] | None = None

    def at(self, level: int) -> str:
        """The source, in parentheses where an operand must bind at least so tightly."""
        return self.text if self.level >= level else f"({self.text})"

    @property
    def axes(self) -> int:
        """The number of axes of the array."""
        return len(self.batch) + self.order

    @property
    def factor(self) -> str:
        """The source as an operand of ``*`` or ``/``."""
        return f"({self.text})" if self.matmul else self.at(PRODUCT)

    @property
    def operand(self) -> str:
        """The source as an operand of ``@`` on its left."""
        return self.text if self.matmul else self.at(SIGN)


def transposed(text: str) -> str:
    """The source of an atom's transpose."""
    return text[:-2] if text.endswith(".T") else f"{text}.T"


def widened(code: Code, marks: Sequence[str]) -> str:
    """The source with new axes: for each axis of the result ``:`` where it is there and ``None`` where it is new.

    Axes of the array after the last mark stay as they are.
    """
    if not code.sliced:
        return f"{code.at(ATOM)}[{', '.join(marks)}]"
    start = _last_bracket(code.text)
    assert start is not None
    items = _items(code.text[start + 1 : -1])
    made: list[str] = []
    for mark in marks:
        while mark == ":" and items and not _cuts(items[0], ":"):
            made.append(items.pop(0))
        made.append(items.pop(0) if mark == ":" and items else mark)
    return f"{code.text[:start]}[{', '.join([*made, *items])}]"


_OPEN, _CLOSE = "([{", ")]}"


def _cuts(text: str, wanted: str) -> list[int]:
    """Where an operator, with spaces around it, stands outside of all brackets."""
    depth, out = 0, []
    for k, c in enumerate(text):
        depth += (c in _OPEN) - (c in _CLOSE)
        if depth == 0 and text.startswith(wanted, k):
            out.append(k)
    return out


_LOOSEST_FIRST = (
    (" if ", " else "),
    (" == ", " != ", " < ", " <= ", " > ", " >= "),
    (" & ",),
    (" + ", " - "),
    (" * ", " / ", " @ "),
)


def _pieces(text: str) -> list[str]:
    """The text cut at its loosest operators, each but the first piece with its operator in front."""
    for group in (
        (" if ", " else "),
        (" == ", " != ", " < ", " <= ", " > ", " >= "),
        (" & ",),
        (" + ", " - "),
        (" * ", " / ", " @ "),
    ):
        cuts = sorted(k for op in group for k in _cuts(text, op))
        if cuts:
            ends = [0, *(k + 1 for k in cuts), len(text) + 1]
            return [text[a : b - 1] for a, b in pairwise(ends)]
    return [text]


def layout(indent: int, text: str) -> list[str]:
    """The lines of one statement or item, broken at brackets and operators where it is too long."""
    pad = "    " * indent
    if len(pad) + len(text) <= WIDTH:
        return [pad + text]
    lead, value, tail = _parts(text)
    if len(pad) + len(lead) > WIDTH - 20 and (start := _last_bracket(lead)) is not None:
        return _target_opened(indent, lead, value, start)
    pieces = _pieces(value)
    if len(pieces) == 1 or (lead and len(pieces) == 2 and _opens_at_end(pad + lead, value)):
        return _bracketed(indent, lead, value, tail)
    if not lead:
        rows = _rows(indent, pieces)
        return [*rows[:-1], rows[-1] + tail]
    body = " ".join(pieces)
    inner = [f"{pad}    {body}"] if len(pad) + 4 + len(body) <= WIDTH else _rows(indent + 1, pieces)
    return [f"{pad}{lead}(", *inner, f"{pad}){tail}"]


def _target_opened(indent: int, lead: str, value: str, start: int) -> list[str]:
    """A statement whose target is long: what it is indexed by on lines of its own."""
    end = _closing(lead, start)
    first, *rest = layout(indent, f"_{lead[end + 1 :]}{value}")
    return [*_bracketed(indent, "", lead[: end + 1], "")[:-1], first.replace("_", lead[end], 1), *rest]


def _opens_at_end(before: str, value: str) -> bool:
    """Whether a value ends with a bracket that can be opened up instead of breaking at its one operator."""
    start = _last_bracket(value)
    fits = start is not None and len(before) + start < WIDTH
    return fits and start is not None and _closing(value, start) == len(value) - 1


def _parts(text: str) -> tuple[str, str, str]:
    """What stands before a value, the value, and the comma after it."""
    tail = "," if text.endswith(",") else ""
    text = text.removesuffix(",")
    for mark in (" = ", " += "):
        cuts = _cuts(text, mark)
        if cuts:
            end = cuts[0] + len(mark)
            return text[:end], text[end:], tail
    if text.startswith("return "):
        return "return ", text.removeprefix("return "), tail
    return "", text, tail


def _rows(indent: int, pieces: list[str]) -> list[str]:
    out: list[str] = []
    for piece in pieces:
        out += layout(indent, piece)
    return out


def _bracketed(indent: int, lead: str, value: str, tail: str) -> list[str]:
    """The last bracket opened up, its items on a line of their own or one to a line."""
    pad = "    " * indent
    start = _last_bracket(value)
    if start is None:
        return [pad + lead + value + tail]
    end = _closing(value, start)
    inside = value[start + 1 : end]
    first, last = pad + lead + value[: start + 1], pad + value[end:] + tail
    if len(pad) + 4 + len(inside) <= WIDTH:
        return [first, f"{pad}    {inside}", last]
    items = _items(inside)
    if len(items) == 1 and not (value[start] == "(" and start and value[start - 1].isalnum()):
        return [first, *_rows(indent + 1, _pieces(inside)), last]
    return [first, *(line for item in items for line in layout(indent + 1, f"{item},")), last]


def _items(inside: str) -> list[str]:
    cuts = [-2, *_cuts(inside, ", "), len(inside)]
    return [inside[a + 2 : b].rstrip(",") for a, b in pairwise(cuts)]


def _last_bracket(text: str) -> int | None:
    depth, found = 0, None
    for k, c in enumerate(text):
        if c in _OPEN:
            if depth == 0 and _closing(text, k) > k + 1:
                found = k
            depth += 1
        depth -= c in _CLOSE
    return found


def _closing(text: str, start: int) -> int:
    depth = 0
    for k in range(start, len(text)):
        depth += (text[k] in _OPEN) - (text[k] in _CLOSE)
        if depth == 0:
            return k
    return len(text)
