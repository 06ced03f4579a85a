"""The writer's text around a part that is edited."""

from __future__ import annotations

from fractions import Fraction

from symgrad.syntax.tree import Binary, Keyword, Number, Span, Subscript, Tree
from symgrad.verification.surgery import Splice, bare_text, extent, inner_extent


def _around(node: Tree, before: str, behind: str) -> tuple[Splice, ...]:
    start, end = extent(node)
    return Splice(start, start, before), Splice(end, end, behind)


def instead(node: Tree, text: str) -> tuple[Splice, ...]:
    """A text in the place of a part and the brackets around it."""
    return (Splice(*extent(node), text),)


def is_value(node: Tree, parent: Tree | None) -> bool:
    """Whether a part is a factor or a term, not a subscript, a range or an exponent."""
    if isinstance(node, Number | Span | Keyword):
        return False
    if isinstance(parent, Subscript | Span | Keyword):
        return False
    return not (isinstance(parent, Binary) and parent.op in ("^", "**") and node is parent.right)


def bracketed(node: Tree) -> str:
    """A part as a factor: in brackets where it is a sum."""
    start, end = extent(node)
    inner = inner_extent(node)
    text = node.place.source.text[start:end]
    return f"({text})" if isinstance(node, Binary) and node.op in ("+", "-") and (start, end) == inner else text


# One function for each slip


def shifted(index: Tree, by: int) -> tuple[Tree, str]:
    """An index moved by one, and how it is written."""
    place = index.place
    if isinstance(index, Number):
        value = index.value + by
        return Number(value, str(value), place=place), str(value)
    if isinstance(index, Binary) and index.op in ("+", "-") and isinstance(index.right, Number):
        offset = (index.right.value if index.op == "+" else -index.right.value) + by
        base = bare_text(index.left)
        if offset == 0:
            return index.left, base
        number = Number(abs(offset), str(abs(offset)), place=place)
        sign = "+" if offset > 0 else "-"
        return Binary(sign, index.left, number, place=place), f"{base}{sign}{abs(offset)}"
    sign = "+" if by > 0 else "-"
    one = Number(Fraction(1), "1", place=place)
    return Binary(sign, index, one, place=place), f"{bare_text(index)}{sign}1"


def primed(text: str) -> str:
    """σ′( for σ(: a prime before the bracket that ends a text."""
    at = max(text.rfind("("), text.rfind("["), text.rfind("{"))
    left = text.rfind(r"\left")
    cut = left if 0 <= left < at else at
    return f"{text[:cut].rstrip()}'{text[cut:]}" if cut > 0 else f"{text.rstrip()}'"
