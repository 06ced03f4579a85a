"""Norms in a writer's expression: of all entries, of a matrix as an operator, along an axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from symgrad.syntax.tree import Call, Name, Number, Tree
from symgrad.tensor import stable
from symgrad.tensor.functions import arrays
from symgrad.tensor.stable import Array
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.functions import axis_of
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.values import Misfit, Value

_ENTRIES: Final[Mapping[str, Callable[[Array, tuple[int, ...]], Array]]] = {
    "": lambda x, axes: np.sqrt((x * x).sum(axis=axes)),
    "1": lambda x, axes: stable.absolute(x).sum(axis=axes),
    "inf": lambda x, axes: stable.absolute(x).max(axis=axes),
}
_OPERATORS: Final[Mapping[str, Callable[[list[Array], Mapping[str, int], tuple[int, ...]], Array]]] = {
    "": arrays.spectral_norm,
    "2": arrays.spectral_norm,
    "1": arrays.column_norm,
    "inf": arrays.row_norm,
}


def norm(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """√Σ x², Σ |x| or max |x|; of a matrix as an operator its largest singular value, column sum or row sum."""
    x = m.value(tree.args[0], ints)
    order = _order(tree.args[1]) if len(tree.args) > 1 else ""
    axis = axis_of(m, tree, ints)
    if axis is not None and not 0 <= axis < x.order:
        raise Misfit("norm", x.shape)
    if axis is None and x.order == 2 and order in _OPERATORS and _is_operator(m, order):
        return Value(_OPERATORS[order]([x.data], {}, ()))
    axes = tuple(range(1, x.data.ndim)) if axis is None else (axis + 1,)
    return v.tensor(_ENTRIES.get(order, _ENTRIES[""])(x.data, axes))


def _order(tree: Tree) -> str:
    match tree:
        case Number(value):
            return str(value)
        case Name(name):
            return name
    return ""


def _is_operator(m: Interpretation, order: str) -> bool:
    """Whether a matrix is measured as an operator; in doubt as the problem does it, and ‖A‖ and ‖A‖₂ are so."""
    if m.reading.norms != "model":
        return m.reading.norms == "operator"
    match order:
        case "":
            return "norm" not in m.world.norms
        case "1":
            return "column_norm" in m.world.norms
        case "inf":
            return "row_norm" in m.world.norms
    return True
