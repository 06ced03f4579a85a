"""Functions in a writer's expression: scalar ones entry by entry, whole-tensor ones, sums and products over ranges."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np

from symgrad.problem.names import Member
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Binary, Call, Compare, Keyword, ListTree, Name, Number, Span, Subscript, Tree
from symgrad.tensor import stable
from symgrad.tensor.functions import arrays
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.stable import Array
from symgrad.verify import values as v
from symgrad.verify.errors import Outside, Unclear
from symgrad.verify.meaning import Handler, Ints, Meaning
from symgrad.verify.values import Misfit, Value

_STEP: Final = 1e-20
_SAME_DIRECTION: Final = 1e-9
_LONGEST_RANGE: Final = 10_000
_HYPERBOLIC: Final[Mapping[str, Callable[[Array], Array]]] = {
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "sech": lambda x: 1.0 / np.cosh(x),
    "coth": lambda x: 1.0 / np.tanh(x),
}


def _only(tree: Call, m: Meaning, ints: Ints) -> Value:
    if len(tree.args) != 1:
        raise Unclear(f"{tree.func.id} takes one argument here")
    return m.value(tree.args[0], ints)


# Entry by entry


def _scalar(m: Meaning, tree: Call, ints: Ints) -> Value:
    row = SCALARS[tree.func.id]
    args = [m.value(arg, ints) for arg in tree.args]
    if len(args) != row.arity:
        raise Unclear(f"{row.name} takes {row.arity} arguments")
    if len(args) == 1:
        return replace(args[0], data=row.compute(args[0].data), exact=_exactly(row.name, args[0].exact), eye=False)
    wide = max(args, key=lambda x: x.order)
    if any(x.order and x.shape != wide.shape for x in args):
        raise Misfit(row.name, *(x.shape for x in args))
    exact = None
    if row.name in ("max", "min") and all(x.exact is not None for x in args):
        exact = (max if row.name == "max" else min)(x.exact for x in args if x.exact is not None)
    data = row.compute(*(x.data.reshape(-1, *(1,) * (wide.order - x.order), *x.shape) for x in args))
    return Value(data, wide.out, exact, formal=False)


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


def _slope(m: Meaning, tree: Call, ints: Ints) -> Value:
    """f′(x) of a scalar function, by the complex step."""
    x = _only(tree, m, ints)
    if np.iscomplexobj(x.data):
        raise Unclear("a derivative of a derivative")
    name = tree.func.id.rstrip("'")
    compute = SCALARS[name].compute if name in SCALARS else _HYPERBOLIC[name]
    return replace(x, data=compute(x.data + 1j * _STEP).imag / _STEP, exact=None, eye=False)


def _hyperbolic(m: Meaning, tree: Call, ints: Ints) -> Value:
    x = _only(tree, m, ints)
    return replace(x, data=_HYPERBOLIC[tree.func.id](x.data), exact=None)


def _where(m: Meaning, tree: Call, ints: Ints) -> Value:
    test, one, other = (m.value(arg, ints) for arg in tree.args)
    if test.order == 0 and test.data.size == 1:
        return one if test.data.flat[0] else other
    return v.added(v.entrywise(test, one), v.entrywise(v.added(v.number(1), v.negative(test)), other))


# Whole tensors


def _softmax(m: Meaning, tree: Call, ints: Ints) -> Value:
    x = _only(tree, m, ints)
    if m.world.scalars and x.order == 0:
        return Value(stable.sigmoid(x.data), formal=x.formal)
    axis = _axis(m, tree, ints)
    if x.order == 0 or (x.order > 1 and axis is None):
        raise Misfit("softmax", x.shape)
    return Value(arrays.softmax([x.data], {"axis": axis or 0}, x.shape), x.out)


def _axis(m: Meaning, tree: Call, ints: Ints) -> int | None:
    for k in tree.keywords:
        if k.name.id == "axis":
            return m.index(k.value, ints)
    return None


def _cross_entropy(m: Meaning, tree: Call, ints: Ints) -> Value:
    y, p = (m.value(arg, ints) for arg in tree.args)
    if y.shape != p.shape:
        raise Misfit("cross-entropy", y.shape, p.shape)
    if m.world.scalars:
        return Value(-(y.data * np.log(p.data) + (1 - y.data) * np.log(1 - p.data)))
    return Value(arrays.cross_entropy([y.data, p.data], {}, ()))


def _norm(m: Meaning, tree: Call, ints: Ints) -> Value:
    x = m.value(tree.args[0], ints)
    order = tree.args[1] if len(tree.args) > 1 else None
    axes = tuple(range(1, x.data.ndim))
    if isinstance(order, Number) and order.value == 1:
        return Value(stable.absolute(x.data).sum(axis=axes))
    if isinstance(order, Name) and order.id == "inf":
        return Value(stable.absolute(x.data).max(axis=axes))
    if x.order == 2 and (order is None or (isinstance(order, Number) and order.value == 2)):
        return Value(np.linalg.norm(x.data, 2, axis=(1, 2)))
    return Value(np.sqrt((x.data * x.data).sum(axis=axes)))


def _diag(m: Meaning, tree: Call, ints: Ints) -> Value:
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


def _of_square(m: Meaning, tree: Call, ints: Ints) -> Value:
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


def _flattened(m: Meaning, tree: Call, ints: Ints) -> Value:
    x = _only(tree, m, ints)
    return Value(x.data.reshape(len(x.data), -1), 1)


def _concat(m: Meaning, tree: Call, ints: Ints) -> Value:
    parts = [
        m.value(arg, ints) for part in tree.args for arg in (part.items if isinstance(part, ListTree) else (part,))
    ]
    if m.world.scalars or any(p.order != parts[0].order or p.order == 0 for p in parts):
        raise Unclear("these parts cannot be joined")
    points = max(len(p.data) for p in parts)
    axis = (_axis(m, tree, ints) or 0) + 1
    try:
        data = np.concatenate([np.broadcast_to(p.data, (points, *p.shape)) for p in parts], axis=axis)
    except ValueError:
        raise Misfit("concat", *(p.shape for p in parts)) from None
    return Value(data, parts[0].out)


def _stack(m: Meaning, tree: Call, ints: Ints) -> Value:
    if tree.keywords:
        return v.stacked([m.value(tree.args[0], inside) for inside in _runs(m, tree, ints)])
    return v.stacked([m.value(arg, ints) for arg in tree.args])


def _matrix(m: Meaning, tree: Call, ints: Ints) -> Value:
    """A matrix of numbers; one column is a vector, one row a vector lying down; vectors are joined."""
    cells = [row.items for row in tree.args if isinstance(row, ListTree)]
    if all(len(row) == 1 for row in cells):
        blocks = [m.value(row[0], ints) for row in cells]
        if any(x.order == 1 for x in blocks):
            return _joined(blocks)
    rows = [v.stacked([m.value(x, ints) for x in row.items]) for row in tree.args if isinstance(row, ListTree)]
    if any(r.order != 1 for r in rows):
        raise Unclear("a matrix of blocks")
    whole = v.stacked(rows)
    if whole.shape[1] == 1:
        return Value(whole.data[:, :, 0], 1, formal=False)
    return Value(whole.data[:, 0], 0, formal=False) if whole.shape[0] == 1 else whole


def _joined(parts: Sequence[Value]) -> Value:
    """Vectors and numbers below one another."""
    if any(x.order > 1 or x.row or (x.order == 0 and x.exact == 0) for x in parts):
        raise Unclear("a matrix of blocks")
    points = max(len(x.data) for x in parts)
    return Value(
        np.concatenate([np.broadcast_to(x.data.reshape(len(x.data), -1), (points, x.data[0].size)) for x in parts], 1),
        1,
    )


def _dot(m: Meaning, tree: Call, ints: Ints) -> Value:
    x, y = (m.value(arg, ints) for arg in tree.args)
    if x.order == 2 and x.shape == y.shape:
        return Value((x.data * y.data).sum(axis=(1, 2)))
    return v.scaled(x, y) if x.order == 0 and y.order == 0 else v.inner(x, y)


def _outer(m: Meaning, tree: Call, ints: Ints) -> Value:
    x, y = (m.value(arg, ints) for arg in tree.args)
    return v.scaled(x, y) if m.world.scalars else v.outer(x, y)


def _transpose(m: Meaning, tree: Call, ints: Ints) -> Value:
    return v.transposed(_only(tree, m, ints))


def _identity(m: Meaning, tree: Call, ints: Ints) -> Value:
    if m.world.scalars or not tree.args:
        return replace(v.number(1), eye=not m.world.scalars)
    return v.eye(v.number(1), m.index(tree.args[0], ints))


def _ones(m: Meaning, tree: Call, ints: Ints) -> Value:
    return v.number(1)


def _unit(m: Meaning, tree: Call, ints: Ints) -> Value:
    if len(tree.args) != 2:
        raise Unclear("the size of this unit vector is not said")
    place, size = (m.index(arg, ints) for arg in tree.args)
    if not 1 <= place <= size:
        raise Outside
    return Value(np.eye(size)[None, place - 1], 1)


def _indicator(m: Meaning, tree: Call, ints: Ints) -> Value:
    return _only(tree, m, ints)


def _logsumexp(m: Meaning, tree: Call, ints: Ints) -> Value:
    x = _only(tree, m, ints)
    return Value(arrays.logsumexp([x.data], {"axis": None}, ()))


# Ranges


def _sum(m: Meaning, tree: Call, ints: Ints) -> Value:
    if not _ranges(tree):
        return _reduced(m, tree, ints)
    total: Value | None = None
    for inside in _runs(m, tree, ints):
        term = m.value(tree.args[0], inside)
        total = term if total is None else v.added(total, term, m.reading.loose)
    return v.number(0) if total is None else total


def _product(m: Meaning, tree: Call, ints: Ints) -> Value:
    if not _ranges(tree):
        return _reduced(m, tree, ints)
    total = replace(v.number(1), eye=not m.world.scalars)
    for inside in _runs(m, tree, ints):
        factor = m.value(tree.args[0], inside)
        pair = (factor, total) if m.reading.backwards else (total, factor)
        total = v.entrywise(*pair) if factor.order == 1 else v.product(*pair, m.reading.loose)
    return total


def _extreme(m: Meaning, tree: Call, ints: Ints) -> Value:
    if not _ranges(tree):
        return _scalar(m, tree, ints) if len(tree.args) == 2 else _reduced(m, tree, ints)
    found = [m.value(tree.args[0], inside) for inside in _runs(m, tree, ints)]
    if not found:
        raise Outside
    compute = stable.maximum if tree.func.id == "max" else stable.minimum
    total = found[0]
    for x in found[1:]:
        total = Value(compute(*np.broadcast_arrays(total.data, x.data)), total.out, formal=False)
    return total


def _best_direction(m: Meaning, tree: Call, ints: Ints) -> Value:
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
            inner = Meaning(m.world, m.reading, m.names, m.notation, m.used, {**m.arguments, name: Value(moved, 1)})
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


def _mean(m: Meaning, tree: Call, ints: Ints) -> Value:
    return _reduced(m, tree, ints)


def _reduced(m: Meaning, tree: Call, ints: Ints) -> Value:
    """Over all entries, or along an axis."""
    x = m.value(tree.args[0], ints) if len(tree.args) == 1 else v.stacked([m.value(a, ints) for a in tree.args])
    axis = _axis(m, tree, ints)
    axes = tuple(range(1, x.data.ndim)) if axis is None else (axis + 1,)
    if any(a > x.order for a in axes):
        raise Misfit(tree.func.id, x.shape)
    reduced = _REDUCTIONS[tree.func.id](x.data, axes)
    return v.tensor(reduced)


_REDUCTIONS: Final[Mapping[str, Callable[[Array, tuple[int, ...]], Array]]] = {
    "sum": lambda x, axes: x.sum(axis=axes),
    "prod": lambda x, axes: x.prod(axis=axes),
    "mean": lambda x, axes: x.mean(axis=axes),
    "max": lambda x, axes: x.max(axis=axes),
    "min": lambda x, axes: x.min(axis=axes),
}


def _ranges(tree: Call) -> list[Keyword]:
    return [k for k in tree.keywords if isinstance(k.value, Span)]


def _runs(m: Meaning, tree: Call, ints: Ints) -> Iterator[dict[str, int]]:
    """The values of the running indices, where the conditions hold.

    Raises:
        Outside: a range ends before it begins by more than one step.
    """
    conditions = tree.args[1:]
    names = [k.name.id for k in _ranges(tree)]
    spans: list[range] = []
    for k in _ranges(tree):
        span = k.value
        assert isinstance(span, Span)
        if span.lo is None or span.hi is None:
            lo, hi = _extent(m, tree, k.name.id, ints)
        else:
            lo, hi = m.index(span.lo, ints), m.index(span.hi, ints)
        falling = _falls(span)
        if (lo < hi - 1) if falling else (hi < lo - 1):
            raise Outside
        spans.append(range(lo, hi - 1, -1) if falling else range(lo, hi + 1))
    if np.prod([len(s) for s in spans], dtype=float) > _LONGEST_RANGE:
        raise Unclear("the range is too long")
    for chosen in itertools.product(*spans):
        inside = {**ints, **dict(zip(names, chosen, strict=True))}
        if all(_holds(m, c, inside) for c in conditions):
            yield inside


def _falls(span: Span) -> bool:
    """Whether a range is written from its end to its beginning, t down to k + 1 or T down to 1."""
    match span.lo, span.hi:
        case ((Name() | Binary(_, Name(), _)), (Number(value, _))) if value < 3:
            return not isinstance(span.lo, Binary) or span.lo.op == "-"
        case Name(), Binary("+", Name(), Number()):
            return True
        case Number(first, _), Number(last, _):
            return first > last + 1
    return False


def _holds(m: Meaning, condition: Tree, ints: Ints) -> bool:
    value = m.value(condition, ints)
    if value.data.size != 1:
        raise Unclear("a condition on what runs compares integers")
    return bool(value.data.flat[0])


def _extent(m: Meaning, tree: Call, name: str, ints: Ints) -> tuple[int, int]:
    """The range of an index that is not stated: that of the step or axis at which it stands."""
    for node in (x for part in tree.args for x in walk(part)):
        if not isinstance(node, Subscript):
            continue
        base: Tree = node.base
        items = list(node.items)
        while isinstance(base, Subscript):
            items = [*base.items, *items]
            base = base.base
        family = m.names.families.get(base.id) if isinstance(base, Name) else None
        place = next((k for k, x in enumerate(items) if isinstance(x, Name) and x.id == name), None)
        if place is None or not isinstance(base, Name):
            continue
        if family is not None and place < family.arity:
            found = _step_range(m, family.members, place)
            if found is not None:
                return found
            continue
        arity = family.arity if family is not None else 0
        whole = m.named(base, tuple(items[:arity]), ints)
        if place - arity < whole.order:
            low = m.names.index_base
            return low, whole.shape[place - arity] + low - 1
    raise Unclear(f"the range of {name!r} is not said")


def _step_range(m: Meaning, members: Sequence[Member], place: int) -> tuple[int, int] | None:
    for member in members:
        for x in member.ranges:
            if member.pattern[place] == x.symbol:
                sizes = m.world.numbers.sizes
                return evaluate_int(x.lo, sizes), evaluate_int(x.hi, sizes)
    steps = m.problem.steps
    if len(steps) == 1:
        (x,) = steps.values()
        return evaluate_int(x.lo, m.world.numbers.sizes), evaluate_int(x.hi, m.world.numbers.sizes)
    return None


FUNCTION_CALLS: Final[Mapping[str, Handler]] = {
    **dict.fromkeys(SCALARS, _scalar),
    **{f"{name}'": _slope for name in (*SCALARS, *_HYPERBOLIC)},
    **dict.fromkeys(_HYPERBOLIC, _hyperbolic),
    **dict.fromkeys(("trace", "det", "inv"), _of_square),
    "where": _where,
    "softmax": _softmax,
    "cross_entropy": _cross_entropy,
    "norm": _norm,
    "diag": _diag,
    "vec": _flattened,
    "concat": _concat,
    "stack": _stack,
    "matrix": _matrix,
    "dot": _dot,
    "outer": _outer,
    "transpose": _transpose,
    "identity": _identity,
    "ones": _ones,
    "one_hot": _unit,
    "indicator": _indicator,
    "logsumexp": _logsumexp,
    "sum": _sum,
    "prod": _product,
    "max": _extreme,
    "min": _extreme,
    "mean": _mean,
    "argmax": _best_direction,
    "argmin": _best_direction,
}
"""What a call of each function is worth."""
