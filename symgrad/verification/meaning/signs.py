"""What the signs between expressions do: sums, products, powers, comparisons."""

from __future__ import annotations

from typing import Final

import numpy as np

from symgrad.problem.texts import walk
from symgrad.syntax.tree import IMPLICIT, Call, Tree
from symgrad.tensor.comparisons import HOLDS
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.readings import Reading
from symgrad.verification.meaning.values import Value

_PRODUCTS: Final = frozenset({"*", "·", "×", "@", IMPLICIT})


def binary(m: Interpretation, op: str, left: Tree, right: Tree, ints: Ints) -> Value:
    """The value of two sides with a sign between them, in the writer's sense of the sign.

    Raises:
        Misfit: shapes do not fit.
        Outside: an index is outside its range.
        Unclear: something in it has no value.
    """
    try:
        x, y = m.value(left, ints), m.value(right, ints)
    except Outside:
        if op in (*_PRODUCTS, "⊙", "∘") and any(_excludes(m, side, ints) for side in (left, right)):
            return v.number(0)
        raise
    return combined(m.reading, op, x, y)


def combined(reading: Reading, op: str, x: Value, y: Value) -> Value:
    """Two values with a sign between them, in the writer's sense of the sign.

    Raises:
        Misfit: shapes do not fit.
        Unclear: the sign says nothing about values.
    """
    match op:
        case "+":
            return v.added(x, y)
        case "-":
            return v.added(x, v.negative(y))
        case "⊙" | "∘":
            return v.entrywise(x, y)
        case "*" | "·" | "×" if x.order == 1 and x.shape == y.shape and x.out == y.out:
            return v.entrywise(x, y) if op == "*" else v.inner(x, y)
        case "·" | "×" if x.order == y.order == 1 and x.shape == y.shape and not (x.out and not y.out):
            return v.inner(x, y)
        case "*" if reading.entries and x.order == y.order == 2:
            return v.entrywise(x, y)
        case _ if op in _PRODUCTS:
            return v.product(x, y, reading.loose, reading.spread)
        case "⊗":
            return v.outer(x, y)
        case "/":
            return v.divided(x, y)
        case "⊘":
            return v.divided(x, y)
        case "^" | "**":
            return v.power(x, y, entries=op == "**")
    raise Unclear(f"the sign {op!r} has no value here")


def _excludes(m: Interpretation, tree: Tree, ints: Ints) -> bool:
    """Whether a factor is an indicator that is 0 here: what it multiplies need not exist, 1[t < T] δ_{t+1}."""
    if not any(isinstance(x, Call) and x.func.id == "indicator" for x in walk(tree)):
        return False
    try:
        return not m.value(tree, ints).data.any()
    except Outside:
        return False


def compared(ops: tuple[str, ...], sides: list[Value]) -> Value:
    """Where a chain of comparisons holds, as 0 and 1.

    Raises:
        Misfit: shapes do not fit.
    """
    truth = np.ones((1,), dtype=bool)
    shape: tuple[int, ...] = ()
    for op, x, y in zip(ops, sides[:-1], sides[1:], strict=True):
        gap = v.added(x, v.negative(y))
        truth, shape = truth & HOLDS[op](gap.data.real, 0), gap.shape
    return Value(truth.astype(float), len(shape), formal=False)
