"""Layers in an answer: convolutions and pooling of what is written, with their settings."""

from __future__ import annotations

from typing import Final

import numpy as np

from symgrad.syntax.tree import Call as CallTree
from symgrad.syntax.tree import ListTree
from symgrad.tensor import build as b
from symgrad.tensor.functions import FUNCTIONS, layers
from symgrad.tensor.nodes import Call
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.errors import Unclear
from symgrad.verification.meaning.integers import index
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.values import Misfit, Value, tensor

NAMES: Final = tuple(layers.AXES)


def layer(m: Interpretation, tree: CallTree, ints: Ints) -> Value:
    """The value of conv2d(x, w, stride=2) and its like, as the problem language has them."""
    if m.world.scalars:
        raise Unclear("among scalars there are no layers")
    args = [m.value(arg, ints) for arg in tree.args]
    settings = {
        k.name.id: tuple(index(m, x, ints) for x in k.value.items)
        if isinstance(k.value, ListTree)
        else index(m, k.value, ints)
        for k in tree.keywords
    }
    row = FUNCTIONS[tree.func.id]
    try:
        node = row.construct(*(b.var(f"x{k}", (), x.shape) for k, x in enumerate(args)), **settings)
    except (ShapeError, TypeError):
        raise Misfit(tree.func.id, *(x.shape for x in args)) from None
    if not isinstance(node, Call) or row.values is None:
        raise Unclear(f"{tree.func.id!r} has no value here")
    points = max(len(x.data) for x in args)
    data = [np.broadcast_to(x.data, (points, *x.shape)) for x in args]
    return tensor(row.values.compute(data, dict(node.params), tuple(int(n) for n in node.shape)))
