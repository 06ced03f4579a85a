"""The unit vector at which a function is largest."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import numpy as np

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Compare, Name, Number, Subscript, Tree
from symgrad.verification.errors import Unclear
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.values import Misfit, Value

_STEP: Final = 1e-20
_SAME_DIRECTION: Final = 1e-9


def best_direction(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """The unit vector at which a function of one linear form is largest, or smallest: along its gradient."""
    if len(tree.keywords) != 1 or len(tree.args) != 2 or not _is_unit(tree.args[1], tree.keywords[0].name.id):
        raise Unclear(f"{tree.func.id} has a value here only over the vectors of length 1")
    name = tree.keywords[0].name.id
    size = 3 if m.world.sizes.get("*", 0) == 0 else 2
    for node in walk(tree.args[0]):
        if isinstance(node, Name | Subscript) and not (isinstance(node, Name) and node.id == name):
            with suppress(Unclear, Misfit):
                x = m.value(node, ints)
                size = x.shape[0] if x.order == 1 else size
    directions = []
    for place in range(2):
        random = np.random.default_rng([m.world.numbers.seed, place])
        at = random.normal(size=(1, size))
        slopes = []
        for k in range(size):
            moved = at + 1j * _STEP * np.eye(size)[k]
            inner = m.inside({**m.arguments, name: Value(moved, 1)})
            slopes.append(inner.value(tree.args[0], ints).data.imag / _STEP)
        slope = np.stack(np.broadcast_arrays(*slopes), axis=-1)
        directions.append(slope / np.linalg.norm(slope, axis=-1, keepdims=True))
    if np.abs(directions[0] - directions[1]).max() > _SAME_DIRECTION:
        raise Unclear("it is not a function of one linear form")
    return Value(directions[0] if tree.func.id == "argmax" else -directions[0], 1, formal=False)


def _is_unit(condition: Tree, name: str) -> bool:
    """Whether a condition says that a vector has length 1."""
    match condition:
        case Compare(("==",), (Call(func, (Name(inner), *_)), Number(value, _))):
            return func.id == "norm" and inner == name and value == 1
    return False
