"""Derivatives in a writer's expression: their values come from the model by the complex step, never from a rule."""

from __future__ import annotations

from typing import Final

import numpy as np

from symgrad.syntax.tree import Call, Name, Subscript, Transpose, Tree
from symgrad.tensor.nodes import Entry, Expr, Var
from symgrad.verify.errors import Unclear
from symgrad.verify.interpretation import Interpretation, Ints
from symgrad.verify.naming import matched, named, node
from symgrad.verify.readings import Defined
from symgrad.verify.values import Value, tensor

_STEP: Final = 1e-20


def derivative(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """∂of/∂wrt, with the axes of ``of`` before those of ``wrt`` unless the reading transposes."""
    of_tree, wrt_tree = _lying(tree.args[0]), _lying(tree.args[1])
    wrt = node_of(m, wrt_tree, ints)
    if wrt is None:
        return _by_own_name(m, of_tree, wrt_tree, ints)
    of = node_of(m, of_tree, ints)
    if of is None:
        return _of_expression(m, of_tree, wrt, ints)
    immediate = bool(tree.keywords) or _is_immediate(m, of, wrt)
    return m.laid_out(m.world.partial(of, wrt, immediate), of.order, wrt.order)


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


def _is_leaf(m: Interpretation, wrt: Expr) -> bool:
    node = wrt.arg if isinstance(wrt, Entry) else wrt
    return isinstance(node, Var) and m.world.numbers.system.body(node) is None


def _of_expression(m: Interpretation, of: Tree, wrt: Expr, ints: Ints) -> Value:
    """The derivative of an expression by a node: every entry of the node is moved in turn."""
    whole = wrt.arg if isinstance(wrt, Entry) else wrt
    if not isinstance(whole, Var) or m.world.base is not None:
        raise Unclear("a derivative is taken by a named quantity or its entries")
    still = m.value(of, ints)
    if still.order == 0 and still.exact is not None:
        return m.laid_out(np.zeros((1, *_plain_shape(wrt))), 0, wrt.order)
    world = m.world.moved(whole, 1j * _STEP)
    there = m.moved(world).value(of, ints)
    entries, points = int(np.prod(whole.shape, dtype=int)), m.world.numbers.points
    data = np.broadcast_to(there.data, (entries * points, *there.shape)).imag / _STEP
    data = np.moveaxis(data.reshape(entries, points, *there.shape), 0, -1)
    data = data.reshape(points, *there.shape, *(whole.shape if not m.world.scalars else ()))
    if isinstance(wrt, Entry):
        picks = tuple(_pick(item) for item in wrt.items)
        data = data[(slice(None),) * (1 + there.order) + picks]
    return m.laid_out(data, there.order, wrt.order)


def _plain_shape(x: Expr) -> tuple[int, ...]:
    return tuple(int(s) for s in x.shape)


def _pick(item: object) -> int | slice:
    index = getattr(item, "index", None)
    if index is not None:
        return int(index) - 1
    return slice(int(item.lo) - 1, int(item.hi))  # type: ignore[attr-defined]


def _by_own_name(m: Interpretation, of: Tree, wrt: Tree, ints: Ints) -> Value:
    """The derivative by a name that only the writer has: ∂σ(z)/∂z where z is no quantity of the model."""
    if not isinstance(wrt, Name):
        raise Unclear("a derivative is taken by a named quantity or its entries")
    x = named(m, wrt, (), ints)
    if np.iscomplexobj(x.data):
        raise Unclear("a derivative of a derivative")
    entries = int(np.prod(x.shape, dtype=int))
    if m.world.base is not None:
        raise Unclear("a derivative of a derivative")
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
