"""Functions in a writer's expression: scalar ones entry by entry, and those of whole tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

import numpy as np
from msgspec.structs import replace

from symgrad.syntax.tree import Call, ListTree
from symgrad.tensor import stable
from symgrad.tensor.functions import arrays
from symgrad.tensor.scalars import SCALARS, ScalarFunction
from symgrad.tensor.stable import Array
from symgrad.verification.errors import BeyondAxis, Nested, Unclear
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.integers import index
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.ranges import runs
from symgrad.verification.meaning.values import Misfit, Value

STEP: Final = 1e-20


HYPERBOLIC: Final[Mapping[str, Callable[[Array], Array]]] = {
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "sech": lambda x: 1.0 / np.cosh(x),
    "coth": lambda x: 1.0 / np.tanh(x),
}


def _only(tree: Call, m: Interpretation, ints: Ints) -> Value:
    if len(tree.args) != 1:
        raise Unclear(f"{tree.func.id} takes one argument here")
    return m.value(tree.args[0], ints)


# Entry by entry


def scalar(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """f(x) entry by entry; of two arguments, the one is a number or both have one shape."""
    row = SCALARS[tree.func.id]
    args = [m.value(arg, ints) for arg in tree.args]
    if len(args) != row.arity:
        raise Unclear(f"{row.name} takes {row.arity} arguments")
    if len(args) == 1:
        return replace(args[0], data=_computed(row, args[0].data), exact=_exactly(row.name, args[0].exact), eye=False)
    wide = max(args, key=lambda x: x.order)
    if any(x.order and x.shape != wide.shape for x in args):
        raise Misfit(row.name, *(x.shape for x in args))
    exact = None
    if row.name in ("max", "min") and all(x.exact is not None for x in args):
        exact = (max if row.name == "max" else min)(x.exact for x in args if x.exact is not None)
    data = row.compute(*(x.data.reshape(-1, *(1,) * (wide.order - x.order), *x.shape) for x in args))
    return Value(data, wide.out, exact, formal=False)


def _computed(row: ScalarFunction, x: Array) -> Array:
    """The values of a function; none outside its domain, also where the input has an imaginary step."""
    value = row.compute(x)
    return np.where(np.isnan(row.compute(x.real)), complex(np.nan, np.nan), value) if np.iscomplexobj(x) else value


def _exactly(name: str, x: Fraction | None) -> Fraction | None:
    if x is None:
        return None
    match name:
        case "floor":
            return Fraction(x.numerator // x.denominator)
        case "ceil":
            return Fraction(-(-x.numerator // x.denominator))
        case "abs":
            return abs(x)
        case "relu":
            return max(x, Fraction(0))
    return None


def slope(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """f′(x) of a scalar function, by the complex step."""
    x = _only(tree, m, ints)
    if np.iscomplexobj(x.data):
        raise Nested
    name = tree.func.id.rstrip("'")
    compute = SCALARS[name].compute if name in SCALARS else HYPERBOLIC[name]
    return replace(x, data=compute(x.data + 1j * STEP).imag / STEP, exact=None, eye=False)


def hyperbolic(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """sinh, cosh, … entry by entry."""
    x = _only(tree, m, ints)
    return replace(x, data=HYPERBOLIC[tree.func.id](x.data), exact=None)


def where(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """One value where a condition holds, else another; of a number, only the one that counts is found."""
    test = m.value(tree.args[0], ints)
    if not test.order and (test.data.all() or not test.data.any()):
        return m.value(tree.args[1 if test.data.all() else 2], ints)
    one, other = (m.value(arg, ints) for arg in tree.args[1:])
    return v.added(v.entrywise(test, one), v.entrywise(v.added(v.number(1), v.negative(test)), other))


# Whole tensors


def softmax(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """e^{x_i} / Σ_j e^{x_j} along an axis, the last one by default; σ(x) of a number among numbers."""
    x = _only(tree, m, ints)
    if m.world.scalars and x.order == 0:
        return Value(stable.sigmoid(x.data), formal=x.formal)
    axis = axis_of(m, tree, ints)
    if x.order == 0 or (x.order > 2 and axis is None):
        raise Misfit("softmax", x.shape)
    if axis is None:
        axis = 0 if m.reading.columns else x.order - 1
    return Value(arrays.softmax([x.data], {"axis": axis}, x.shape), x.out)


def axis_of(m: Interpretation, tree: Call, ints: Ints) -> int | None:
    """The axis that a call states; None where it states none."""
    for k in tree.keywords:
        if k.name.id == "axis":
            return index(m, k.value, ints)
    return None


def cross_entropy(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """−Σ_i y_i log p_i; among numbers that of two classes."""
    if len(tree.args) != 2:
        raise Unclear(f"{tree.func.id} takes two arguments")
    y, p = (m.value(arg, ints) for arg in tree.args)
    if y.shape != p.shape:
        raise Misfit("cross-entropy", y.shape, p.shape)
    if m.world.scalars:
        return Value(-(y.data * np.log(p.data) + (1 - y.data) * np.log(1 - p.data)))
    return Value(arrays.cross_entropy([y.data, p.data], {}, ()))


def diag(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """diag(v) of a vector, and the diagonal of a square matrix."""
    x = v.stacked([m.value(a, ints) for a in tree.args]) if len(tree.args) > 1 else _only(tree, m, ints)
    if x.order == 0:
        return x if m.world.scalars else replace(x, eye=True)
    if x.order == 1:
        return Value(arrays.diag([x.data], {}, ()), 1, formal=x.formal)
    return Value(arrays.diagpart([_square(x, "diag").data], {}, ()), 1)


def _square(x: Value, what: str) -> Value:
    if x.order != 2 or x.shape[0] != x.shape[1]:
        raise Misfit(what, x.shape)
    return x


def of_square(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """tr A, det A and A⁻¹."""
    x = _only(tree, m, ints)
    if x.order == 0 and m.world.scalars:
        return Value(1.0 / x.data) if tree.func.id == "inv" else x
    x = _square(x, tree.func.id)
    match tree.func.id:
        case "trace":
            return Value(arrays.trace([x.data], {}, ()))
        case "det":
            return Value(arrays.det([x.data], {}, ()))
    return Value(arrays.inv([x.data], {}, ()), 1)


def flattened(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """vec A: all entries in a row, row by row."""
    x = _only(tree, m, ints)
    return Value(x.data.reshape(len(x.data), -1), 1)


def concat(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """[a; b]: one array behind the other along an axis."""
    parts = [
        m.value(arg, ints) for part in tree.args for arg in (part.items if isinstance(part, ListTree) else (part,))
    ]
    if m.world.scalars or any(p.order != parts[0].order or p.order == 0 for p in parts):
        raise Unclear("these parts cannot be joined")
    points = max(len(p.data) for p in parts)
    axis = (axis_of(m, tree, ints) or 0) + 1
    try:
        data = np.concatenate([np.broadcast_to(p.data, (points, *p.shape)) for p in parts], axis=axis)
    except ValueError:
        raise Misfit("concat", *(p.shape for p in parts)) from None
    return Value(data, parts[0].out)


def stack(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """The members of a range, or the arguments, along a new first axis."""
    if tree.keywords:
        return v.stacked([m.value(tree.args[0], inside) for inside in runs(m, tree, ints)])
    return v.stacked([m.value(arg, ints) for arg in tree.args])


def dot(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """Σ_i x_i y_i, of matrices over all entries."""
    x, y = (m.value(arg, ints) for arg in tree.args)
    if x.order == 2 and x.shape == y.shape:
        return Value((x.data * y.data).sum(axis=(1, 2)))
    return v.scaled(x, y) if x.order == 0 and y.order == 0 else v.inner(x, y)


def outer(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """x yᵀ."""
    x, y = (m.value(arg, ints) for arg in tree.args)
    return v.scaled(x, y) if m.world.scalars else v.outer(x, y)


def transpose(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """xᵀ."""
    return v.transposed(_only(tree, m, ints))


def identity(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """I, of a size that is stated or fits what is beside it."""
    if m.world.scalars or not tree.args:
        return replace(v.number(1), eye=not m.world.scalars)
    return v.eye(v.number(1), index(m, tree.args[0], ints))


def ones(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """The vector of ones; the number 1 where nothing says how long it is."""
    if m.world.scalars:
        return v.number(1)
    size = index(m, tree.args[0], ints) if tree.args else m.size_at(tree)
    return v.number(1) if size is None else Value(np.ones((1, size)), 1, formal=False)


def unit(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """e_i, the unit vector."""
    place = index(m, tree.args[0], ints) + 1 - m.names.index_base
    size = index(m, tree.args[1], ints) if len(tree.args) > 1 else m.size_at(tree)
    if size is None or m.world.scalars:
        raise Unclear("the size of this unit vector is not said")
    if not 1 <= place <= size:
        raise BeyondAxis
    return Value(np.eye(size)[None, place - 1], 1, formal=False)


def indicator(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """𝟏[c]: 1 where a condition holds, else 0."""
    return _only(tree, m, ints)


def logsumexp(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """log Σ exp(x), over all entries or along an axis."""
    x = _only(tree, m, ints)
    axis = axis_of(m, tree, ints)
    shape = () if axis is None else x.shape[:axis] + x.shape[axis + 1 :]
    if axis is not None and not 0 <= axis < x.order:
        raise Misfit("logsumexp", x.shape)
    return v.tensor(arrays.logsumexp([x.data], {"axis": axis}, shape))


# Ranges
