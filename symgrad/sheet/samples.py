"""Arguments of a program: the arrays that its inputs have in a model of small sizes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.calculus.numeric import Numbers
from symgrad.codegen.program import Leaf
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.reindex import reindex
from symgrad.tensor.stable import Array


def sample(leaf: Leaf, numbers: Numbers) -> Array:
    """The value of an argument, index axes first."""
    return _rows(leaf, numbers, {})


def _rows(leaf: Leaf, numbers: Numbers, at: Mapping[Any, int]) -> Array:
    if not leaf.ranges:
        node = reindex(reindex(leaf.node, dict(at)), numbers.sizes)
        return np.asarray(numbers.value(node)[0], dtype=float)
    head, *rest = leaf.ranges
    inner = Leaf(leaf.argument, leaf.node, tuple(rest))
    lo, hi = (evaluate_int(end, {**numbers.sizes, **at}) for end in (head.lo, head.hi))
    return np.array([_rows(inner, numbers, {**at, head.symbol: k}) for k in range(lo, hi + 1)])
