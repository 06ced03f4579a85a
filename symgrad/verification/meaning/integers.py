"""Integers among subscripts, in ranges and in sizes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from symgrad.syntax.tree import IMPLICIT, Binary, Compare, Name, Number, Tree, Unary
from symgrad.tensor.comparisons import HOLDS
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.meaning.interpretation import Interpretation, Ints


def index(m: Interpretation, tree: Tree, ints: Ints) -> int:
    """The integer that an index is.

    Raises:
        Unclear: it is no integer.
    """
    if isinstance(tree, Name) and tree.id in ints:
        return ints[tree.id]
    value = _rational(m, tree, ints)
    if value.denominator != 1:
        raise Outside
    return int(value)


def holds(m: Interpretation, conditions: Sequence[Compare], ints: Ints) -> bool:
    """Whether conditions on indices hold; what is no condition on integers says nothing.

    Raises:
        Outside: a side is no integer.
    """
    for c in conditions:
        for op, (x, y) in zip(c.ops, pairwise(c.operands), strict=True):
            if not any(isinstance(side, Name) and side.id in ints for side in (x, y)):
                continue
            try:
                if not HOLDS[op](index(m, x, ints), index(m, y, ints)):
                    return False
            except Unclear:
                continue
    return True


def _rational(m: Interpretation, tree: Tree, ints: Ints) -> Fraction:
    match tree:
        case Number(value, _):
            return value
        case Name(name) if name in ints:
            return Fraction(ints[name])
        case Name(name) if name in m.world.sizes:
            return Fraction(m.world.sizes[name])
        case Name():
            found = m.value(tree, ints)
            if found.exact is None:
                raise Unclear(f"{tree.id!r} is no index")
            return found.exact
        case Unary(op, operand):
            inner = _rational(m, operand, ints)
            return -inner if op == "-" else inner
        case Binary(op, left, right) if op in ("+", "-", "*", "·", "/", IMPLICIT):
            x, y = _rational(m, left, ints), _rational(m, right, ints)
            if op == "/" and y == 0:
                raise Outside
            return x + y if op == "+" else x - y if op == "-" else x / y if op == "/" else x * y
    found = m.value(tree, ints)
    if found.exact is None:
        raise Unclear("an index is an integer")
    return found.exact
