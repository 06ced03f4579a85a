"""Sums, products and extremes in a writer's expression, over ranges or over entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
from msgspec.structs import replace

from symgrad.syntax.tree import Call
from symgrad.tensor import stable
from symgrad.tensor.stable import Array
from symgrad.verification.errors import BeyondAxis, Outside
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.functions import axis_of, scalar
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.ranges import ranges, runs
from symgrad.verification.meaning.values import Misfit, Value


def total(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """Σ over a range, or over the entries of an array."""
    if not ranges(tree):
        return _reduced(m, tree, ints)
    total: Value | None = None
    for term in _members(m, tree, ints):
        total = term if total is None else v.added(total, term)
    return v.number(0) if total is None else total


def product(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """Π over a range: each factor to the right of those before it, to their left under the backward reading."""
    if not ranges(tree):
        return _reduced(m, tree, ints)
    total = replace(v.number(1), eye=not m.world.scalars)
    for factor in _members(m, tree, ints):
        pair = (factor, total) if m.reading.backwards else (total, factor)
        total = v.entrywise(*pair) if factor.order == 1 else v.product(*pair, m.reading.loose)
    return total


def _members(m: Interpretation, tree: Call, ints: Ints) -> Iterator[Value]:
    """The values over a range.

    Raises:
        Misfit: the range goes beyond the end of an axis.
    """
    some = False
    for inside in runs(m, tree, ints):
        try:
            value = m.value(tree.args[0], inside)
        except BeyondAxis as error:
            if m.reading.inside and error.shifted:
                continue
            if not some:
                raise
            raise Misfit("the range goes beyond the end of an axis") from None
        some = True
        yield value


def extreme(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """The largest or smallest over a range, of two arguments, or of the entries of an array."""
    if not ranges(tree):
        return scalar(m, tree, ints) if len(tree.args) == 2 else _reduced(m, tree, ints)
    found = list(_members(m, tree, ints))
    if not found:
        raise Outside
    compute = stable.maximum if tree.func.id == "max" else stable.minimum
    total = found[0]
    for x in found[1:]:
        total = Value(compute(*np.broadcast_arrays(total.data, x.data)), total.out, formal=False)
    return total


def mean(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """The mean of the entries, or along an axis."""
    return _reduced(m, tree, ints)


def _reduced(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """Over all entries, or along an axis."""
    x = m.value(tree.args[0], ints) if len(tree.args) == 1 else v.stacked([m.value(a, ints) for a in tree.args])
    axis = axis_of(m, tree, ints)
    axes = tuple(range(1, x.data.ndim)) if axis is None else (axis + 1,)
    if any(a > x.order for a in axes):
        raise Misfit(tree.func.id, x.shape)
    reduced = _REDUCTIONS[tree.func.id](x.data, axes)
    return v.tensor(reduced)


_REDUCTIONS: Final[Mapping[str, Callable[[Array, tuple[int, ...]], Array]]] = {
    "sum": lambda x, axes: x.sum(axis=axes),
    "prod": lambda x, axes: x.prod(axis=axes),
    "mean": lambda x, axes: x.mean(axis=axes),
    "max": lambda x, axes: x.max(axis=axes),
    "min": lambda x, axes: x.min(axis=axes),
}
