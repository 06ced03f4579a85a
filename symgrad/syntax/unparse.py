"""From a tree back to plain notation, with no bracket more than it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from symgrad.syntax.plain import GRAMMAR
from symgrad.syntax.tree import (
    IMPLICIT,
    Approach,
    Binary,
    Call,
    Compare,
    Definition,
    Distributed,
    Given,
    Keyword,
    ListTree,
    Member,
    Name,
    Number,
    Span,
    Subscript,
    Transpose,
    Tree,
    Unary,
)

_CONDITION: Final = 0
_EXPRESSION: Final = 10
_SIGN: Final = 30
_ATOM: Final = 50
_SIDE_BY_SIDE: Final = GRAMMAR.infix["*"]


def unparse(tree: Tree) -> str:
    """The text that parses to `tree`."""
    return _text(tree, _CONDITION)


def _text(tree: Tree, tightness: int) -> str:
    text, own = _written(tree)
    return text if own >= tightness else f"({text})"


def _written(tree: Tree) -> tuple[str, int]:
    """The text and how tightly its loosest operator binds."""
    match tree:
        case Number(_, spelling):
            return spelling, _ATOM
        case Name(name):
            return name, _ATOM
        case Member(base, part):
            return f"{base.id}.{part}", _ATOM
        case Subscript(base, items):
            return f"{_text(base, _ATOM)}[{_list(items, _EXPRESSION)}]", _ATOM
        case Transpose(operand):
            return f"{_text(operand, _ATOM)}.T", _ATOM
        case Call(func, args, keywords):
            return f"{func.id}({_list((*args, *keywords), _CONDITION)})", _ATOM
        case ListTree(items):
            return f"[{_list(items, _CONDITION)}]", _ATOM
        case Unary(op, operand):
            return f"{op}{_text(operand, _SIGN)}", _SIGN
        case Binary():
            return _binary(tree)
        case Compare(ops, operands):
            rest = "".join(f" {op} {_text(x, _EXPRESSION)}" for op, x in zip(ops, operands[1:], strict=True))
            return _text(operands[0], _EXPRESSION) + rest, _CONDITION
        case _:
            return _phrase(tree), _EXPRESSION


def _binary(tree: Binary) -> tuple[str, int]:
    infix = GRAMMAR.infix.get(tree.op, _SIDE_BY_SIDE)
    sign = {"**": "**", IMPLICIT: " "}.get(tree.op, f" {tree.op} ")
    # A power of a power or of a signed term needs its bracket: ** groups to the right.
    left = _text(tree.left, infix.left + (infix.right < infix.left))
    return f"{left}{sign}{_text(tree.right, infix.right)}", infix.left


def _phrase(tree: Tree) -> str:
    """What stands only in one place: among arguments, in subscripts, or alone."""
    match tree:
        case Span(None, None):
            return ":"
        case Span(lo, hi):
            return "..".join(_text(end, _EXPRESSION) for end in (lo, hi) if end is not None)
        case Keyword(name, value):
            return f"{name.id}={_text(value, _EXPRESSION)}"
        case Given(left, right):
            return f"{_list(left, _CONDITION)} | {_list(right, _CONDITION)}"
        case Distributed(var, density):
            return f"{_text(var, _CONDITION)} ~ {_text(density, _EXPRESSION)}"
        case Definition(target, body, binders, conditions):
            return ", ".join(
                (f"{unparse(target)} = {unparse(body)}", *map(unparse, binders), *map(unparse, conditions))
            )
        case Approach(var, target, side):
            return f"{_text(var, _EXPRESSION)} -> {_text(target, _EXPRESSION)}{side}"
        case _:
            raise TypeError(f"no plain notation for {type(tree).__name__}")


def _list(items: Sequence[Tree], tightness: int) -> str:
    return ", ".join(_text(item, tightness) for item in items)
