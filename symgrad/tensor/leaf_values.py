"""Values of nodes that are evaluated without their operands: numbers, named nodes, unresolved derivatives.

Arrays have the shape (batch or 1, rows of the frame or 1, *shape of the node); see ``symgrad.tensor.frames``.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import singledispatch
from typing import Any, TypeAlias

import numpy as np
import sympy
from msgspec import Struct

from symgrad.errors import InternalError
from symgrad.tensor.dependence import dependence
from symgrad.tensor.frames import Frame
from symgrad.tensor.integers import replace
from symgrad.tensor.nodes import Const, Count, Deriv, Expr, Eye, Full, Iverson, Limit, Literal, Num, Opaque, Var
from symgrad.tensor.stable import Array

Unresolved: TypeAlias = Callable[[Expr, Mapping[sympy.Symbol, int]], Array]


class Run(Struct, frozen=True):
    """What the rules of one evaluation need: the values of named nodes, and of unresolved derivatives."""

    lookup: Callable[[Var], Array]
    derivative: Unresolved | None
    opaque: Unresolved | None


def constant(value: Any) -> Array:
    """A value that is the same at all points and in all rows."""
    return np.asarray(value, dtype=np.float64)[None, None]


def joined(values: Sequence[Array]) -> list[Array]:
    """The operands with a common batch and common rows."""
    if len(values) == 1:
        return list(values)
    leads = [x.shape[:2] for x in values]
    if leads.count(leads[0]) == len(leads):
        return list(values)
    lead = np.broadcast_shapes(*leads)
    return [np.broadcast_to(x, (*lead, *x.shape[2:])) for x in values]


@singledispatch
def leaf(node: Expr, run: Run, frame: Frame) -> Array:
    """The value of a leaf in a frame."""
    raise InternalError(f"no value is defined for {type(node).__name__}")


@leaf.register
def _num(node: Num, run: Run, frame: Frame) -> Array:
    return constant(float(node.value))


@leaf.register
def _count(node: Count, run: Run, frame: Frame) -> Array:
    if node.value.is_integer:
        return np.broadcast_to(np.asarray(frame.ints(node.value), dtype=np.float64), (frame.count,))[None]
    rows = ({**frame.fixed, **frame.row(k)} for k in range(frame.count))
    return np.array([[float(node.value.xreplace(row)) for row in rows]])


@leaf.register
def _const(node: Const, run: Run, frame: Frame) -> Array:
    return constant({"pi": math.pi, "e": math.e, "inf": math.inf}[node.name])


@leaf.register
def _full(node: Full, run: Run, frame: Frame) -> Array:
    return constant(np.full(frame.shape(node.shape), float(node.value)))


@leaf.register
def _eye(node: Eye, run: Run, frame: Frame) -> Array:
    return constant(np.eye(frame.one(node.size)))


@leaf.register
def _literal(node: Literal, run: Run, frame: Frame) -> Array:
    return constant(np.array([float(v) for v in node.values]).reshape(frame.shape(node.shape)))


@leaf.register
def _iverson(node: Iverson, run: Run, frame: Frame) -> Array:
    return frame.truth(node.conds).astype(np.float64)[None]


@leaf.register
def _var(node: Var, run: Run, frame: Frame) -> Array:
    if not frame.columns:
        here = tuple(s if isinstance(s, int) else frame.one(s) for s in node.subs)
        return run.lookup(node if here == node.subs else Var(node.name, here, node.shape, node.facts))[:, None]
    symbols = dependence(node).symbols
    subs = [frame.column(s) for s in node.subs]
    found = []
    for k in range(frame.count):
        row = {s: v for s, v in frame.row(k).items() if s in symbols}
        shape = tuple(replace(s, row) for s in node.shape)
        found.append(run.lookup(Var(node.name, tuple(int(s[k]) for s in subs), shape, node.facts))[:, None])
    return np.concatenate(joined(found), axis=1) if len(found) > 1 else found[0]


@leaf.register
def _deriv(node: Deriv, run: Run, frame: Frame) -> Array:
    return _by_hook(node, run.derivative, frame)


@leaf.register
def _limit(node: Limit, run: Run, frame: Frame) -> Array:
    return _by_hook(node, run.derivative, frame)


@leaf.register
def _opaque(node: Opaque, run: Run, frame: Frame) -> Array:
    return _by_hook(node, run.opaque, frame)


def _by_hook(node: Expr, hook: Unresolved | None, frame: Frame) -> Array:
    if hook is None:
        raise InternalError(f"no value is given for {type(node).__name__} nodes")
    found = [hook(node, frame.row(k))[:, None] for k in range(frame.count)]
    return np.concatenate(joined(found), axis=1)


LEAVES = frozenset(leaf.registry) - {object}
"""The kinds of nodes that are evaluated without their operands."""
