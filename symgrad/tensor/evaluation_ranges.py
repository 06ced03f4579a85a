"""The value of entries, of folds over ranges and of built tensors; completes the rules of evaluation."""

import numpy as np

from symgrad.errors import QuestionError
from symgrad.tensor.dependence import dependence
from symgrad.tensor.evaluation_rules import Steps, rule
from symgrad.tensor.frames import Frame
from symgrad.tensor.integers import difference
from symgrad.tensor.leaf_values import Run, constant, joined
from symgrad.tensor.nodes import At, Build, Cut, Density, Entry, Fold, Integral, Item, Law, Pick
from symgrad.tensor.probability import meaning
from symgrad.tensor.reductions import IDENTITY, along, matrix_product, segments
from symgrad.tensor.stable import Array

__all__ = ["OutOfRange", "rule"]


class OutOfRange(QuestionError):
    """An index lies outside its array."""


@rule.register
def _entry(node: Entry, run: Run, frame: Frame) -> Steps:
    value = yield node.arg, frame
    order = node.order
    indices: list[Array] = []
    axis = 0
    for item, size in zip(node.items, value.shape[2:], strict=True):
        places = yield from _places(item, frame)
        if places.size and (places.min() < 1 or places.max() > size):
            outside = places.min() if places.min() < 1 else places.max()
            raise OutOfRange(f"index {outside} is outside 1..{size}")
        own = [1] * order
        if isinstance(item, Cut):
            own[axis] = places.shape[2]
            axis += 1
        indices.append(places.reshape((*places.shape[:2], *own)) - 1)
    ones = (1,) * order
    batch = np.arange(value.shape[0]).reshape((-1, 1, *ones))
    rows = np.arange(value.shape[1]).reshape((1, -1, *ones))
    return np.asarray(value[(batch, rows, *indices)])


def _places(item: Item, frame: Frame) -> Steps:
    """The places along one axis, from 1: (batch or 1, rows or 1), with a last axis for a cut."""
    match item:
        case At(index=i):
            return np.asarray(frame.ints(i)).reshape((1, -1))
        case Pick(index=x):
            return np.asarray(np.rint((yield x, frame).real), dtype=np.int64)
        case Cut(lo=lo, hi=hi):
            length = frame.one(difference(hi, lo) + 1)
            return np.asarray(frame.ints(lo)).reshape((1, -1, 1)) + np.arange(length)


def _bodies(node: Fold | Build, inner: Frame) -> Steps:
    """The body in every row of the frame; row by row where sizes inside depend on the row."""
    bound = dependence(node.body).sizes & inner.columns.keys()
    if not bound:
        value = yield node.body, inner
        return np.broadcast_to(value, (len(value), inner.count, *value.shape[2:]))
    found = []
    for k in range(inner.count):
        found.append((yield node.body, inner.rows(np.array([k]))))
    return np.concatenate(joined(found), axis=1)


@rule.register
def _fold(node: Fold, run: Run, frame: Frame) -> Steps:
    extended = frame.extended(node.binders, node.conds)
    if extended is None:
        shape = frame.shape(node.shape)
        return constant(np.eye(shape[0]) if node.op == "matprod" else np.full(shape, IDENTITY[node.op]))
    inner, owner = extended
    terms = yield from _bodies(node, inner)
    if node.op == "matprod":
        return segments(terms, owner, frame.count, lambda x: matrix_product(x, node.descending))
    return segments(terms, owner, frame.count, lambda x: along(node.op, x, 2))


@rule.register
def _build(node: Build, run: Run, frame: Frame) -> Steps:
    extended = frame.extended(node.binders, ())
    lengths = frame.shape(node.shape[: len(node.binders)])
    if extended is None or 0 in lengths:
        return constant(np.zeros(frame.shape(node.shape)))
    terms = yield from _bodies(node, extended[0])
    return terms.reshape((len(terms), frame.count, *lengths, *terms.shape[2:]))


@rule.register(Density)
@rule.register(Law)
@rule.register(Integral)
def _probability(node: Density | Law | Integral, run: Run, frame: Frame) -> Steps:
    return (yield meaning(node, frame.fixed), frame)
