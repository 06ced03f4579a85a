"""Derivative rules: how an adjoint g (the shape of the value) passes to each operand of one operation.

For y = f(x) and a scalar L, the pullback gives ∂L/∂x = (∂f/∂x)ᵀ g from g = ∂L/∂y. A rule may use the value y itself
(``ans``), so that tanh gives 1 − h². Operations without a rule of their own are differentiated by entries.
"""

from collections.abc import Callable
from functools import singledispatch

import sympy

from symgrad.errors import InternalError
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, at_most, difference, integer, lifted, same
from symgrad.tensor.lowering_rules import fresh_indices
from symgrad.tensor.nodes import (
    Add,
    Apply,
    At,
    Call,
    Compare,
    Concat,
    Cut,
    Entry,
    Expr,
    Item,
    MatMul,
    Mul,
    Num,
    Permute,
    Pick,
    Pow,
    Reduce,
    Stack,
    Transpose,
    Var,
)
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.shapes import same_shape

Contribution = Expr | None

SUMS_TO_ONE = "sums to 1"
DISTRIBUTIONS = frozenset({"one-hot", "probability", SUMS_TO_ONE})
"""Facts by which the entries of a vector, or of each row of a matrix, sum to 1."""


def fit(g: Expr, like: Expr) -> Expr:
    """Undo broadcasting: g summed over the axes along which ``like`` was repeated."""
    if same_shape(g.shape, like.shape):
        return g
    if like.order == 0:
        return sum_entries(g)
    while g.order > like.order:
        g = b.reduce("sum", g, 0)
    for axis, (have, want) in enumerate(zip(g.shape, like.shape, strict=True)):
        if not same(have, want):
            g = b.matmul(b.transpose(b.ones((have,))), g) if g.order == 1 else _keep_axis(g, axis)
    return g


def _keep_axis(g: Expr, axis: int) -> Expr:
    summed = b.reduce("sum", g, axis)
    return b.call("reshape", (summed,), (*g.shape[:axis], 1, *g.shape[axis + 1 :]))


def sum_entries(x: Expr) -> Expr:
    """Σ of all entries; of a product of two vectors, their inner product."""
    if x.order == 0:
        return x
    if isinstance(x, Add):
        return b.add(*(sum_entries(_spread_to(t, x)) for t in x.args))
    if isinstance(x, Var) and x.order == 1 and x.facts & DISTRIBUTIONS:
        return b.ONE
    if x.order == 1 and isinstance(x, Mul):
        scalars = [f for f in x.args if f.order == 0]
        vectors = [b.transpose(f) if f.row else f for f in x.args if f.order == 1 and not b.is_one(f)]
        if len(vectors) >= 2:
            return b.mul(*scalars, b.inner(b.mul(*vectors[:-1]), vectors[-1]))
        if len(vectors) == 1 and scalars:
            return b.mul(*scalars, sum_entries(vectors[0]))
        if not vectors and scalars:
            return b.mul(b.count(x.shape[0]), *scalars)
    return b.reduce("sum", b.transpose(x) if x.row else x)


def _spread_to(x: Expr, like: Expr) -> Expr:
    return x if same_shape(x.shape, like.shape) else b.mul(x, b.ones(like.shape))


@singledispatch
def pullback(node: Expr, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    """One contribution for each operand of the node; None where the operand does not vary.

    Args:
        node: the operation.
        ans: its value, by name where it has one.
        g: the adjoint of its value, of its shape.
    """
    if not node.children:
        return ()
    raise InternalError(f"no derivative rule for {type(node).__name__}")


@pullback.register
def _(node: Add, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    return tuple(fit(g, a) for a in node.args)


@pullback.register
def _(node: Mul, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    return tuple(fit(b.mul(g, *node.args[:k], *node.args[k + 1 :]), a) for k, a in enumerate(node.args))


@pullback.register
def _(node: Pow, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    base, e = node.base, node.exponent
    outer = b.mul(g, e, b.power(base, b.sub(e, b.ONE)))
    by_exponent = None if isinstance(e, Num) else fit(b.mul(g, ans, b.apply("log", base)), e)
    return fit(outer, base), by_exponent


@pullback.register
def _(node: Apply, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    slopes = SCALARS[node.fn].derivative(node.args, ans)
    return tuple(None if b.is_zero(d) else fit(b.mul(g, d), a) for a, d in zip(node.args, slopes, strict=False)) + (
        None,
    ) * (len(node.args) - len(slopes))


@pullback.register
def _(node: Compare, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    return None, None


@pullback.register
def _(node: MatMul, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    args = node.args
    return tuple(
        b.matmul(
            *(b.transpose(a) for a in reversed(args[:k])),
            g,
            *(b.transpose(a) for a in reversed(args[k + 1 :])),
        )
        for k in range(len(args))
    )


@pullback.register
def _(node: Transpose, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    return (b.transpose(g),)


@pullback.register
def _(node: Permute, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    back = tuple(node.axes.index(k) for k in range(len(node.axes)))
    return (b.permute(g, back),)


@pullback.register
def _(node: Reduce, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    x = node.arg
    spread = along(g, x, node.axes)
    match node.op:
        case "sum":
            return (spread if same_shape(spread.shape, x.shape) else b.mul(spread, b.ones(x.shape)),)
        case "prod":
            return (b.mul(spread, along(ans, x, node.axes), b.power(x, b.MINUS_ONE)),)
        case "max" | "min":
            return (b.mul(spread, first_extreme(node)),)
    return (None,)


def first_extreme(node: Reduce) -> Expr:
    """1 at the largest (smallest) entry of each reduction, the first one where they tie, 0 elsewhere."""
    x = node.arg if node.op == "max" else b.neg(node.arg)
    if len(node.axes) == x.order:
        size = integer(sympy.prod([lifted(s) for s in x.shape]))
        unit = b.call("one_hot", (b.reduce("argmax", x),), (size,))
        return unit if x.order == 1 else b.call("reshape", (unit,), x.shape)
    (axis,) = node.axes
    places = b.reduce("argmax", x, axis)
    units = b.call("one_hot", (places,), (*places.shape, x.shape[axis]))
    kept = list(range(places.order))
    return b.permute(units, (*kept[:axis], places.order, *kept[axis:]))


def along(g: Expr, x: Expr, axes: tuple[int, ...]) -> Expr:
    """g, which lacks some axes of x, repeated along them so that it lines up with x."""
    if g.order == 0:
        return g
    if x.order == 2 and len(axes) == 1:
        ones = b.ones((x.shape[axes[0]],))
        return b.outer(ones, g) if axes == (0,) else b.outer(g, ones)
    if axes == (0,):
        return g
    kept = tuple(1 if a in axes else s for a, s in enumerate(x.shape))
    return b.call("reshape", (g,), kept)


@pullback.register
def _(node: Entry, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    return (_embed(g, node), *(None for i in node.items if isinstance(i, Pick)))


def _embed(g: Expr, node: Entry) -> Expr:
    x, items = node.arg, node.items
    if x.order == 1:
        item = items[0]
        return pad(g, 0, item, x) if isinstance(item, Cut) else b.mul(g, _unit(item, x.shape[0]))
    if all(isinstance(i, Cut) for i in items):
        for axis, item in enumerate(items):
            assert isinstance(item, Cut)
            g = pad(g, axis, item, x)
        return g
    if x.order == 2:
        first, second = items
        if isinstance(first, Cut):
            assert not isinstance(second, Cut)
            return b.outer(pad(g, 0, first, x, size=x.shape[0]), _unit(second, x.shape[1]))
        if isinstance(second, Cut):
            return b.outer(_unit(first, x.shape[0]), pad(g, 0, second, x, size=x.shape[1]))
        return b.mul(g, b.outer(_unit(first, x.shape[0]), _unit(second, x.shape[1])))
    return _scatter(g, node)


def _unit(item: At | Pick, size: Int) -> Expr:
    index = item.index if isinstance(item, Pick) else b.count(item.index)
    return b.call("one_hot", (index,), (size,))


def _scatter(g: Expr, node: Entry) -> Expr:
    indices, _ = fresh_indices(node.arg.order, frozenset(x.name for x in free_ints(g) | free_ints(node)))
    factors: list[Expr] = []
    places: list[Int] = []
    for symbol, item, size in zip(indices, node.items, node.arg.shape, strict=True):
        match item:
            case At(index=i):
                factors.append(b.delta(symbol, i))
            case Pick():
                factors.append(b.at(_unit(item, size), symbol))
            case Cut(lo=lo, hi=hi):
                factors.append(b.iverson(b.rel("<=", lo, symbol), b.rel("<=", symbol, hi)))
                places.append(symbol - lo + 1)
    binders = [b.binder(s, 1, n) for s, n in zip(indices, node.arg.shape, strict=True)]
    return b.build(b.mul(*factors, b.at(g, *places)), binders)


def pad(g: Expr, axis: int, item: Cut, x: Expr, size: Int | None = None) -> Expr:
    """g with zeros before place lo and after place hi along an axis, up to the size that x has there."""
    size = x.shape[axis] if size is None else size
    pieces: list[Expr] = []
    before = difference(item.lo, 1)
    after = difference(size, item.hi)
    if at_most(before, 0) is not True:
        pieces.append(b.zeros((*g.shape[:axis], before, *g.shape[axis + 1 :])))
    pieces.append(g)
    if at_most(after, 0) is not True:
        pieces.append(b.zeros((*g.shape[:axis], after, *g.shape[axis + 1 :])))
    return b.concat(pieces, axis)


@pullback.register
def _(node: Stack, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    return tuple(b.entry(g, [At(k + 1)]) for k in range(len(node.args)))


@pullback.register
def _(node: Concat, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    out: list[Contribution] = []
    start: Int = 0
    for a in node.args:
        stop = start + a.shape[node.axis]
        items: list[Item] = [Cut(1, s) for s in g.shape]
        items[node.axis] = Cut(start + 1, stop)
        out.append(b.entry(g, items))
        start = stop
    return tuple(out)


@pullback.register
def _(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    rule = CALLS.get(node.fn)
    if rule is None:
        raise InternalError(f"no derivative rule for {node.fn}")
    return rule(node, ans, g)


CallRule = Callable[[Call, Expr, Expr], tuple[Contribution, ...]]


def _softmax(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    if ans.order == 1:
        if divides(g, ans):
            scaled = b.mul(ans, g)
            return (b.add(b.neg(b.mul(sum_entries(scaled), ans)), scaled),)
        return (b.mul(ans, b.sub(g, b.inner(ans, g))),)
    axis = node.param("axis")
    if divides(g, ans) and (share := _constant_share(b.mul(ans, g), axis % ans.order)) is not None:
        scale, fixed = share
        return (b.mul(b.neg(scale), b.sub(ans, fixed)),)
    weighted = along(b.reduce("sum", b.mul(ans, g), axis), ans, (axis % ans.order,))
    return (b.mul(ans, b.sub(g, weighted)),)


def _constant_share(x: Expr, axis: int) -> tuple[Expr, Expr] | None:
    """x as a scalar times a given distribution along the last axis, whose sums are 1; None where it is not that."""
    factors = x.args if isinstance(x, Mul) else (x,)
    tensors = [f for f in factors if f.order]
    if len(tensors) != 1 or axis != x.order - 1:
        return None
    (only,) = tensors
    known = isinstance(only, Var) and only.facts & DISTRIBUTIONS
    return (b.mul(*(f for f in factors if not f.order)), only) if known else None


def divides(g: Expr, p: Expr) -> bool:
    """Whether g is a product with the factor 1/p, so that p ⊙ g cancels."""
    return isinstance(g, Mul) and any(isinstance(f, Pow) and f.base is p for f in g.args)


def _logsumexp(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    x = node.args[0]
    axis = node.param("axis")
    if axis is None and x.order > 1:
        size = integer(sympy.prod([lifted(s) for s in x.shape]))
        flat = b.call("softmax", (b.call("reshape", (x,), (size,)),), (size,), axis=0)
        return (b.mul(g, b.call("reshape", (flat,), x.shape)),)
    p = b.call("softmax", (x,), x.shape, axis=0 if axis is None else axis)
    return (b.mul(along(g, x, (axis,)) if axis is not None and x.order > 1 else g, p),)


def _cross_entropy(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    y, p = node.args
    return b.mul(b.MINUS_ONE, g, b.apply("log", p)), b.mul(b.MINUS_ONE, g, b.div(y, p))


def _norm(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    return (b.mul(g, b.div(node.args[0], ans)),)


def _trace(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    return (b.mul(g, b.eye(node.args[0].shape[0])),)


def _det(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    return (b.mul(g, ans, b.transpose(b.call("inv", node.args, node.args[0].shape))),)


def _inv(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    back = b.transpose(ans)
    return (b.neg(b.matmul(back, g, back)),)


def _diag(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    if isinstance(g, MatMul) and g.args[0].order == 1:
        return (b.mul(g.args[0], b.transpose(b.matmul(*g.args[1:]))),)
    return (b.diag(g),)


def _reshape(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    return (b.call("reshape", (g,), node.args[0].shape),)


def _kron(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    """a ⊗ c has the entries of a cᵀ row by row; block (i, j) of A ⊗ C is a_ij C, and entry (k, l) lies in it."""
    left, right = node.args
    if left.order == 1:
        table = b.outer(b.ones(left.shape), b.ones(right.shape))
        table = table if b.is_one(g) else b.call("reshape", (g,), (*left.shape, *right.shape))
        return b.matmul(table, right), b.matmul(b.transpose(table), left)
    names, _ = fresh_indices(4, frozenset(x.name for x in free_ints(g) | free_ints(node)))
    outer = [b.binder(s, 1, n) for s, n in zip(names[:2], left.shape, strict=True)]
    inner = [b.binder(s, 1, n) for s, n in zip(names[2:], right.shape, strict=True)]
    places = [(x.symbol - 1) * y.hi + y.symbol for x, y in zip(outer, inner, strict=True)]
    met = b.at(g, *map(integer, places))
    by_left = b.fold("sum", b.mul(met, b.at(right, *names[2:])), inner)
    by_right = b.fold("sum", b.mul(met, b.at(left, *names[:2])), outer)
    return b.build(by_left, outer), b.build(by_right, inner)


def _constant(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    return tuple(None for _ in node.args)


CALLS: dict[str, CallRule] = {
    "softmax": _softmax,
    "logsumexp": _logsumexp,
    "cross_entropy": _cross_entropy,
    "norm": _norm,
    "trace": _trace,
    "det": _det,
    "inv": _inv,
    "diag": _diag,
    "diagpart": _diag,
    "reshape": _reshape,
    "vec": _reshape,
    "kron": _kron,
    "one_hot": _constant,
}
