"""Derivatives in a writer's expression: their values come from the model by the complex step, never from a rule."""

from __future__ import annotations

from typing import Final

import numpy as np

from symgrad.syntax.tree import Call, Name, Subscript, Transpose, Tree
from symgrad.tensor.nodes import At, Cut, Entry, Expr, Item, Var
from symgrad.tensor.stable import Array
from symgrad.verification.errors import Nested, Unclear
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.naming import matched, named, node
from symgrad.verification.meaning.readings import Defined
from symgrad.verification.meaning.values import Value, tensor

_STEP: Final = 1e-20
_WIDTH: Final = 2e-3
_NOISE: Final = 1e-10
_DIFFERENCES: Final = tuple(
    (k * _WIDTH, w / (840 * _WIDTH))
    for k, w in ((1, 672), (-1, -672), (2, -168), (-2, 168), (3, 32), (-3, -32), (4, -3), (-4, 3))
)
"""Central differences of eighth order, for what the complex step cannot take; their error is of order 10⁻¹²."""


def derivative(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """∂of/∂wrt, with the axes of ``of`` before those of ``wrt`` unless the reading transposes."""
    of_tree, wrt_tree = _lying(tree.args[0]), _lying(tree.args[1])
    wrt = node_of(m, wrt_tree, ints)
    if wrt is None:
        return _by_own_name(m, of_tree, wrt_tree, ints)
    of = node_of(m, of_tree, ints)
    if of is None:
        return _of_expression(m, of_tree, wrt, ints)
    if m.world.is_complex:
        raise Nested
    marked = bool(tree.keywords)
    if m.reading.partials == "alone" and not marked:
        return m.laid_out(_alone(m, of, wrt), of.order, wrt.order)
    immediate = marked or _is_immediate(m, of, wrt)
    data = m.world.partial(of, wrt, immediate, marked)
    if immediate and not marked and not data.any() and m.world.partial(of, wrt).any():
        raise Unclear("no immediate path leads from one to the other")
    return m.laid_out(data, of.order, wrt.order)


def _lying(tree: Tree) -> Tree:
    return tree.operand if isinstance(tree, Transpose) else tree


def node_of(m: Interpretation, tree: Tree, ints: Ints) -> Expr | None:
    """The node of the model that a tree names, or entries of it; None for anything else."""
    match tree:
        case Name() if tree.id in m.notation.settings:
            return None
        case Name():
            return _alias(m, tree, (), ints) or node(m, tree, (), ints)
        case Subscript(Name() as base, items):
            return _alias(m, base, items, ints) or node(m, base, items, ints)
        case Subscript(Subscript(Name() as base, first), second):
            return node(m, base, (*first, *second), ints)
    return None


def _alias(m: Interpretation, name: Name, items: tuple[Tree, ...], ints: Ints) -> Expr | None:
    """The node for which a writer's name stands, where he defined it as nothing but another name."""
    for meaning in reversed(m.notation.names.get(name.id, [])):
        if (
            isinstance(meaning, Defined)
            and isinstance(meaning.body, Name | Subscript)
            and name.id not in m.names.families
        ):
            bound, used = matched(m, meaning, items, ints)
            if bound is not None and used == len(items):
                return node_of(m, meaning.body, {**ints, **bound})
    return None


def _is_immediate(m: Interpretation, of: Expr, wrt: Expr) -> bool:
    """Whether the reading takes this ∂ for the immediate partial."""
    match m.reading.partials:
        case "total":
            return False
        case "leaves":
            return of.order > 0 and _is_leaf(m, wrt)
        case "neighbours":
            return of.order > 0
    return True


def _alone(m: Interpretation, of: Expr, wrt: Expr) -> Array:
    """A derivative along a state, which other states would lead from step to step besides."""
    found = m.world.along(of, wrt) if isinstance(of, Var) and isinstance(wrt, Var) else None
    if found is None:
        raise Unclear("no state leads from one to the other besides others")
    return found


def _is_leaf(m: Interpretation, wrt: Expr) -> bool:
    node = wrt.arg if isinstance(wrt, Entry) else wrt
    return isinstance(node, Var) and m.world.numbers.system.body(node) is None


def _of_expression(m: Interpretation, of: Tree, wrt: Expr, ints: Ints) -> Value:
    """The derivative of an expression by a node: every entry of the node is moved in turn."""
    whole = wrt.arg if isinstance(wrt, Entry) else wrt
    if not isinstance(whole, Var):
        raise Unclear("a derivative is taken by a named quantity or its entries")
    if m.world.is_complex:
        raise Nested
    still = m.value(of, ints)
    if still.order == 0 and still.exact is not None:
        return m.laid_out(np.zeros((1, *_plain_shape(wrt))), 0, wrt.order)
    try:
        slope = _there(m, of, whole, 1j * _STEP, ints).imag / _STEP
    except Nested:
        slope = np.sum([weight * _there(m, of, whole, step, ints) for step, weight in _DIFFERENCES], axis=0)
        slope = np.where(np.abs(slope) <= _NOISE * (1 + np.abs(still.data).max()), 0.0, slope)
    data = np.moveaxis(slope, 0, -1)
    data = data.reshape(*data.shape[:-1], *(whole.shape if not m.world.scalars else ()))
    if isinstance(wrt, Entry):
        picks = tuple(_pick(item) for item in wrt.items)
        data = data[(slice(None),) * (1 + still.order) + picks]
    return m.laid_out(data, still.order, wrt.order)


def _there(m: Interpretation, of: Tree, wrt: Var, step: complex | float, ints: Ints) -> Array:
    """An expression where each entry of a node is moved in turn, (entries, points, *shape)."""
    value = m.moved(m.world.moved(wrt, step)).value(of, ints)
    entries, points = int(np.prod(wrt.shape, dtype=int)), m.world.numbers.points
    return np.broadcast_to(value.data, (entries * points, *value.shape)).reshape(entries, points, *value.shape)


def _plain_shape(x: Expr) -> tuple[int, ...]:
    return tuple(int(s) for s in x.shape)


def _pick(item: Item) -> int | slice:
    match item:
        case At(index):
            return int(index) - 1
        case Cut(lo, hi):
            return slice(int(lo) - 1, int(hi))
    raise Unclear("a derivative by an entry that depends on data has no value here")


def _by_own_name(m: Interpretation, of: Tree, wrt: Tree, ints: Ints) -> Value:
    """The derivative by a name that only the writer has: ∂σ(z)/∂z where z is no quantity of the model."""
    if not isinstance(wrt, Name):
        raise Unclear("a derivative is taken by a named quantity or its entries")
    x = named(m, wrt, (), ints)
    if np.iscomplexobj(x.data) or m.world.is_complex:
        raise Nested
    entries = int(np.prod(x.shape, dtype=int))
    slopes = []
    for k in range(entries):
        moved = np.array(x.data, dtype=complex)
        moved.reshape(len(moved), -1)[:, k] += 1j * _STEP
        arguments = {**m.arguments, wrt.id: tensor(moved)}
        slopes.append(m.inside(arguments).value(of, ints))
    order = slopes[0].order
    points = max(len(s.data) for s in slopes)
    data = np.stack([np.broadcast_to(s.data, (points, *s.shape)).imag / _STEP for s in slopes], axis=-1)
    return m.laid_out(data.reshape(points, *slopes[0].shape, *x.shape), order, x.order)
