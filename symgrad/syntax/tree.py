"""Syntax trees: what was written, before names, shapes and meanings are known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Self

from symgrad.source import Place


@dataclass(frozen=True, slots=True)
class Tree:
    """A piece of an expression. Trees are equal when they say the same, wherever they stand."""

    place: Place = field(compare=False, repr=False, kw_only=True)

    def replaced(self, **values: Any) -> Self:
        """The tree with other values of some fields."""
        return replace(self, **values)


@dataclass(frozen=True, slots=True)
class Number(Tree):
    """A number, exactly as written: `0.1` is one tenth."""

    value: Fraction
    spelling: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Name(Tree):
    """A name: symbol, size, index, function or keyword, which only the declarations tell apart."""

    id: str


@dataclass(frozen=True, slots=True)
class Subscript(Tree):
    """`base[items]`: a member, a component or a part, depending on what `base` is."""

    base: Tree
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Span(Tree):
    """`lo..hi`, both ends included; without ends, `:`, everything."""

    lo: Tree | None
    hi: Tree | None


@dataclass(frozen=True, slots=True)
class Keyword(Tree):
    """`name=value` among arguments; a value that is a span makes it a binder."""

    name: Name
    value: Tree


@dataclass(frozen=True, slots=True)
class Call(Tree):
    """`func(args, keywords)`."""

    func: Name
    args: tuple[Tree, ...]
    keywords: tuple[Keyword, ...]


@dataclass(frozen=True, slots=True)
class Member(Tree):
    """`question.part`: the result of another question, such as `first.at` or `first.value`."""

    base: Name
    part: str


@dataclass(frozen=True, slots=True)
class Unary(Tree):
    """`-x` or `+x`."""

    op: str
    operand: Tree


@dataclass(frozen=True, slots=True)
class Binary(Tree):
    """`left op right`, with op one of `+ - * / @ **` or `IMPLICIT`."""

    op: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Compare(Tree):
    """A chain of comparisons, `1 <= s < t`."""

    ops: tuple[str, ...]
    operands: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Transpose(Tree):
    """`x.T`."""

    operand: Tree


@dataclass(frozen=True, slots=True)
class ListTree(Tree):
    """`[a, b]`."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Given(Tree):
    """`left | right` among the arguments of a density: `p(x, y | z)` has two on the left."""

    left: tuple[Tree, ...]
    right: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Distributed(Tree):
    """`var ~ density` among the arguments of an expectation."""

    var: Tree
    density: Tree


@dataclass(frozen=True, slots=True)
class Definition(Tree):
    """`target = body, i=1..k, j != c`: binders say for which members it holds, conditions restrict them."""

    target: Name | Subscript | Call
    body: Tree
    binders: tuple[Keyword, ...]
    conditions: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Approach(Tree):
    """`var -> target`, from above (side `+`), from below (`-`) or from both (empty)."""

    var: Tree
    target: Tree
    side: str


def children(tree: Tree) -> tuple[Tree, ...]:
    """The direct parts, in the order they are written."""
    match tree:
        case Subscript(base, items):
            return (base, *items)
        case Span(lo, hi):
            return tuple(end for end in (lo, hi) if end is not None)
        case Keyword(_, value):
            return (value,)
        case Call(func, args, keywords):
            return (func, *args, *keywords)
        case Member(base, _):
            return (base,)
        case Unary(_, operand) | Transpose(operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Compare(_, operands):
            return operands
        case ListTree(items):
            return items
        case Given(left_items, right_items):
            return (*left_items, *right_items)
        case Distributed(var, density):
            return (var, density)
        case Definition(target, body, binders, conditions):
            return (target, body, *binders, *conditions)
        case Approach(var, target, _):
            return (var, target)
        case _:
            return ()


def depth(tree: Tree) -> int:
    """The number of levels of the tree; found without recursion, since it guards those who recurse."""
    deepest = 0
    waiting = [(tree, 1)]
    while waiting:
        node, level = waiting.pop()
        deepest = max(deepest, level)
        waiting.extend((child, level + 1) for child in children(node))
    return deepest


def sexp(tree: Tree) -> str:
    """The tree as a compact s-expression, for tests and for looking at it."""
    match tree:
        case Number(value, _):
            return str(value)
        case Name(name):
            return name
        case Span(None, None):
            return ":"
        case Keyword(name, value):
            return f"{name.id}={sexp(value)}"
        case Call(func, args, keywords):
            return _group(func.id, *args, *keywords)
        case Subscript(base, items):
            return _group("[]", base, *items)
        case Member(base, part):
            return f"{base.id}.{part}"
        case Compare(ops, operands):
            return f"({sexp(operands[0])}{''.join(f' {op} {sexp(x)}' for op, x in _pairs(ops, operands))})"
        case Given(left, right):
            return f"(| {_group('', *left)} {_group('', *right)})"
        case Definition(target, body, binders, conditions):
            return _group("=", target, body, *binders, *conditions)
        case Approach(var, target, side):
            return f"(-> {sexp(var)} {sexp(target)}{side})"
        case _:
            return _group(_head(tree), *children(tree))


def _pairs(ops: tuple[str, ...], operands: tuple[Tree, ...]) -> list[tuple[str, Tree]]:
    return list(zip(ops, operands[1:], strict=True))


def _head(tree: Tree) -> str:
    match tree:
        case Unary(op, _):
            return f"{op}."
        case Binary(op, _, _):
            return op
        case Transpose():
            return "T"
        case Span():
            return ".."
        case Distributed():
            return "~"
        case _:
            return "list"


def _group(head: str, *parts: Tree) -> str:
    return f"({' '.join(filter(None, (head, *map(sexp, parts))))})"


IMPLICIT = "implicit"
"""The operator of two factors side by side, `W h`, which only LaTeX has."""
