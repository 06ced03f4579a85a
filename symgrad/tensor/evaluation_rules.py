"""The value of each node kind, as a generator that asks for (operand, frame) and gets arrays.

Arrays have the shape (batch or 1, rows of the frame or 1, *shape of the node); see ``symgrad.tensor.frames``.
"""

import string
from collections.abc import Generator, Sequence
from functools import reduce as fold_left
from functools import singledispatch
from typing import TypeAlias

import numpy as np
import sympy

from symgrad.errors import InternalError
from symgrad.tensor.build import number_of
from symgrad.tensor.frames import Frame, compare
from symgrad.tensor.functions import evaluate_call
from symgrad.tensor.leaf_values import Run, constant, joined
from symgrad.tensor.nodes import (
    Add,
    Apply,
    Call,
    Chain,
    Compare,
    Concat,
    Count,
    Expr,
    Iverson,
    MatMul,
    Mul,
    Num,
    Permute,
    Pow,
    Reduce,
    Stack,
    Transpose,
)
from symgrad.tensor.reductions import along, place_of_largest
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.stable import Array

Steps: TypeAlias = Generator[tuple[Expr, Frame], Array, Array]


@singledispatch
def rule(node: Expr, run: Run, frame: Frame) -> Steps:
    """The value of a node, not a leaf, in a frame."""
    raise InternalError(f"no value is defined for {type(node).__name__}")


def _all(nodes: Sequence[Expr], frame: Frame) -> Generator[tuple[Expr, Frame], Array, list[Array]]:
    values = []
    for x in nodes:
        values.append((yield x, frame))
    return values


def _aligned(values: Sequence[Array]) -> list[Array]:
    """The operands lined up at the last axis, behind batch and rows."""
    most = max(x.ndim for x in values)
    if all(x.ndim == most for x in values):
        return list(values)
    return [x.reshape((*x.shape[:2], *(1,) * (most - x.ndim), *x.shape[2:])) for x in values]


# Entry by entry


@rule.register
def _add(node: Add, run: Run, frame: Frame) -> Steps:
    values = yield from _all(node.args, frame)
    return fold_left(np.add, _aligned(values))


def _is_guard(x: Expr) -> bool:
    if isinstance(x, Compare):
        return isinstance(x.left, Num | Count) and isinstance(x.right, Num | Count)
    return isinstance(x, Iverson)


@rule.register
def _mul(node: Mul, run: Run, frame: Frame) -> Steps:
    guards = [x for x in node.args if _is_guard(x)]
    factors = [x for x in node.args if not _is_guard(x)]
    if not guards:
        values = yield from _all(factors, frame)
        return fold_left(np.multiply, _aligned(values))
    truth = np.ones(frame.count, dtype=bool)
    for g in guards:
        truth &= (yield g, frame)[0] != 0
    shape = frame.shape(node.shape)
    if not truth.any():
        return constant(np.zeros(shape))
    # Where a guard is 0 the other factors may have no value at all: an index may be outside its array.
    inside = frame if truth.all() else frame.rows(truth)
    values = yield from _all(factors, inside)
    product = fold_left(np.multiply, _aligned(values)) if values else constant(1.0)
    if inside is frame:
        return product
    return _scattered(product, truth, shape)


def _scattered(values: Array, truth: Array, shape: tuple[int, ...]) -> Array:
    out = np.zeros((len(values), len(truth), *shape), dtype=values.dtype)
    out[:, truth] = values
    return out


@rule.register
def _pow(node: Pow, run: Run, frame: Frame) -> Steps:
    base = yield node.base, frame
    exponent = number_of(node.exponent)
    if exponent is not None and exponent.denominator <= 2 and node.base.order == node.order:
        if exponent.denominator == 2:
            base = np.sqrt(base)
        power = np.power(base, abs(exponent.numerator))
        return power if exponent > 0 else np.asarray(1.0 / power)
    values = _aligned([base, (yield node.exponent, frame)])
    return np.asarray(np.power(*values))


@rule.register
def _apply(node: Apply, run: Run, frame: Frame) -> Steps:
    if node.fn == "where" and _is_guard(node.args[0]):
        return (yield from _guarded_choice(node, frame))
    values = yield from _all(node.args, frame)
    return SCALARS[node.fn].compute(*_aligned(values))


def _guarded_choice(node: Apply, frame: Frame) -> Steps:
    condition, then, otherwise = node.args
    truth = np.broadcast_to((yield condition, frame)[0] != 0, (frame.count,))
    shape = frame.shape(node.shape)
    parts = []
    for mask, branch in ((truth, then), (~truth, otherwise)):
        if mask.any():
            value = yield branch, frame if mask.all() else frame.rows(mask)
            parts.append(_scattered(_aligned([value, np.zeros((1, 1, *shape))])[0], mask, shape))
    return fold_left(np.add, parts)


@rule.register
def _compare(node: Compare, run: Run, frame: Frame) -> Steps:
    left, right = _aligned((yield from _all(node.children, frame)))
    return compare(node.op, left, right).astype(np.float64)


# Matrices and axes


def _as_matrix(value: Array, x: Expr) -> Array:
    if x.order == 2:
        return value
    return value[..., None, :] if x.row else value[..., None]


@rule.register
def _matmul(node: MatMul, run: Run, frame: Frame) -> Steps:
    values = yield from _all(node.args, frame)
    matrices = [_as_matrix(v, x) for v, x in zip(values, node.args, strict=True)]
    first, last = node.args[0], node.args[-1]
    if last.order == 1 and not last.row:
        product = fold_left(lambda right, left: np.matmul(left, right), reversed(matrices))
        product = product[..., 0]
        return product[..., 0] if first.row else product
    product = fold_left(np.matmul, matrices)
    return product[..., 0, :] if first.row else product


@rule.register
def _transpose(node: Transpose, run: Run, frame: Frame) -> Steps:
    value = yield node.arg, frame
    return np.swapaxes(value, -1, -2) if node.order == 2 else value


@rule.register
def _permute(node: Permute, run: Run, frame: Frame) -> Steps:
    value = yield node.arg, frame
    return value.transpose((0, 1, *(a + 2 for a in node.axes)))


@rule.register
def _reduce(node: Reduce, run: Run, frame: Frame) -> Steps:
    value = yield node.arg, frame
    lead = value.shape[:2]
    kept = tuple(a for a in range(node.arg.order) if a not in node.axes)
    ordered = value.transpose((0, 1, *(a + 2 for a in kept), *(a + 2 for a in node.axes)))
    flat = ordered.reshape((*lead, *(value.shape[a + 2] for a in kept), -1))
    if node.op == "argmax":
        return place_of_largest(flat)
    return along(node.op, flat, -1)


@rule.register
def _stack(node: Stack, run: Run, frame: Frame) -> Steps:
    values = yield from _all(node.args, frame)
    return np.stack(joined(values), axis=2)


@rule.register
def _concat(node: Concat, run: Run, frame: Frame) -> Steps:
    values = yield from _all(node.args, frame)
    return np.concatenate(joined(values), axis=node.axis + 2)


@rule.register
def _call(node: Call, run: Run, frame: Frame) -> Steps:
    values = joined((yield from _all(node.args, frame)))
    lead = values[0].shape[:2]
    shape = frame.shape(node.shape)
    settings = {k: frame.one(v) if isinstance(v, sympy.Expr) else v for k, v in node.params}
    result = evaluate_call(node, [x.reshape((-1, *x.shape[2:])) for x in values], settings, shape)
    return result.reshape((*lead, *shape))


@rule.register
def _chain(node: Chain, run: Run, frame: Frame) -> Steps:
    values = yield from _all(node.args, frame)
    letters = iter(string.ascii_letters)
    terms: list[str] = []
    shared = ""
    for i, x in enumerate(node.args):
        after = node.links[i] if i < len(node.links) else 0
        own = "".join(next(letters) for _ in range(x.order - len(shared)))
        terms.append(shared + own)
        if i == 0:
            head = own[: len(own) - after]
        shared = terms[-1][x.order - after :] if after else ""
    tail = terms[-1][node.links[-1] :]
    equation = ",".join("..." + t for t in terms) + "->..." + head + tail
    return np.asarray(np.einsum(equation, *values, optimize=True))
