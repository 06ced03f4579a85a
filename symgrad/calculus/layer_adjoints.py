"""Adjoints of convolutions and pooling by their input, as layers: a convolution hands back by the transposed one.

Filters and biases are summed over places, which index notation says best; they have no rule here.
"""

from collections.abc import Sequence

import sympy

from symgrad.tensor import build as b
from symgrad.tensor.functions.layers import (
    AXES,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    maxunpool1d,
    maxunpool2d,
    setting,
)
from symgrad.tensor.integers import Int, difference, integer
from symgrad.tensor.nodes import At, Build, Call, Count, Cut, Expr, Item, Num
from symgrad.tensor.shapes import ShapeError, same_shape
from symgrad.tensor.walk import postorder

_FORWARD = {1: conv1d, 2: conv2d}
_BACKWARD = {1: conv_transpose1d, 2: conv_transpose2d}
_UNPOOL = {1: maxunpool1d, 2: maxunpool2d}


def input_adjoint(node: Call, g: Expr) -> Expr | None:
    """(∂y/∂x)ᵀ g for y = layer(x, …), of x's shape; None where no layer of the table is that.

    An adjoint that is given by entries, such as a unit tensor, stays in index notation.

    Args:
        node: the layer.
        g: the adjoint of its value, of its shape.
    """
    if node.fn not in AXES or given_by_entries(g):
        return None
    try:
        found = _adjoint(node, g)
    except ShapeError:
        return None
    return None if found is None else _fitted(found, node.args[0])


def given_by_entries(g: Expr) -> bool:
    """Whether an adjoint is a tensor of formulas, or picks entries by unit vectors at known places."""
    return any(isinstance(x, Build) or _is_unit(x) for x in postorder(g))


def has_layer(x: Expr) -> bool:
    """Whether a convolution or pooling is among the operations of an expression."""
    return any(isinstance(y, Call) and y.fn in AXES for y in postorder(x))


def _is_unit(x: Expr) -> bool:
    return isinstance(x, Call) and x.fn == "one_hot" and isinstance(x.args[0], Num | Count)


def _adjoint(node: Call, g: Expr) -> Expr | None:
    axes = AXES[node.fn]
    stride, padding, dilation = (setting(node, n) for n in ("stride", "padding", "dilation"))
    match node.fn.rstrip("12d"):
        case "conv":
            w = node.args[1]
            extra = _rest(node, w.shape[w.order - axes :])
            back = _BACKWARD[axes]
            return back(g, w, stride=stride, padding=padding, dilation=dilation, output_padding=extra,
                        groups=node.param("groups"))  # fmt: skip
        case "conv_transpose":
            forward = _FORWARD[axes]
            return forward(g, node.args[1], stride=stride, padding=padding, dilation=dilation,
                           groups=node.param("groups"))  # fmt: skip
        case "maxpool":
            return _UNPOOL[axes](g, node.args[0], setting(node, "kernel"), stride, padding, dilation)
    return None


def _rest(node: Call, kernel: Sequence[Int]) -> tuple[Int, ...]:
    """The places at the end of each axis that no window of a convolution reaches."""
    axes = AXES[node.fn]
    x = node.args[0]
    options = (setting(node, n) for n in ("stride", "padding", "dilation"))
    outs, sizes = node.shape[node.order - axes :], x.shape[x.order - axes :]
    found = zip(sizes, outs, kernel, *options, strict=True)
    return tuple(difference(size, _reached(n, k, s, p, d)) for size, n, k, s, p, d in found)


def _reached(n: Int, k: Int, s: Int, p: Int, d: Int) -> Int:
    return integer(sympy.expand((n - 1) * s - 2 * p + d * (k - 1) + 1))


def _fitted(found: Expr, x: Expr) -> Expr | None:
    """A layer's result at the places and in the shape of the input, which may stand for its only channel."""
    lead = found.order - x.order
    if lead not in (0, 1):
        return None
    kept = found.shape[lead:]
    if lead == 0 and same_shape(kept, x.shape):
        return found
    items: list[Item] = [*(At(1) for _ in range(lead)), *(Cut(1, n) for n in x.shape)]
    fitted = b.entry(found, items, checked=False)
    return fitted if same_shape(fitted.shape, x.shape) else None
