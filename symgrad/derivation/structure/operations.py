"""How many multiplications, divisions and additions an operation takes, as formulas in the sizes of its operands.

Counted are products, quotients and sums of numbers, padding like any other entry. Subtracting is adding; signs,
comparisons and functions such as tanh count as nothing.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import singledispatch

from msgspec import Struct

from symgrad.tensor import build as b
from symgrad.tensor.functions.layers import AXES, setting
from symgrad.tensor.integers import Int, same
from symgrad.tensor.nodes import Add, Call, Chain, Expr, Fold, MatMul, Mul, Num, Pow, Reduce, Shape

ONE: Expr = b.ONE


class Work(Struct, frozen=True):
    """Formulas of the operations of one node, with their factors in the order of thought."""

    multiplications: Expr = b.ZERO
    additions: Expr = b.ZERO
    divisions: Expr = b.ZERO


def times(*factors: Int | Expr) -> Expr:
    """A product that is not multiplied out: 5 · 5 · 64 · 1568; factors of 1 are left out."""
    parts = [f if isinstance(f, Expr) else b.count(f) for f in factors]
    if any(b.is_zero(p) for p in parts):
        return b.ZERO
    kept = [f for p in parts for f in (p.args if isinstance(p, Mul) else (p,)) if not b.is_one(f)]
    return Mul(tuple(kept), ()) if len(kept) > 1 else kept[0] if kept else ONE


def plus(*terms: Expr) -> Expr:
    """A sum that is not added up."""
    kept = [t for x in terms for t in (x.args if isinstance(x, Add) else (x,)) if not b.is_zero(t)]
    return Add(tuple(kept), ()) if len(kept) > 1 else kept[0] if kept else b.ZERO


def less_one(x: Expr) -> Expr:
    """x − 1, added up where x is a number."""
    value = b.number_of(x)
    if value is None and isinstance(x, Mul):
        numbers = [b.number_of(f) for f in x.args]
        if all(n is not None for n in numbers):
            value = Fraction(1)
            for n in numbers:
                value *= n if n is not None else 1
    return b.num(value - 1) if value is not None else Add((x, b.MINUS_ONE), ())


def entries(shape: Shape) -> Expr:
    """The number of entries."""
    return times(*shape)


@singledispatch
def work_of(node: Expr) -> Work:
    """The work of one operation, its operands being there."""
    return Work()


@work_of.register
def _(node: Add) -> Work:
    return Work(additions=times(len(node.args) - 1, *node.shape))


@work_of.register
def _(node: Mul) -> Work:
    factors = [a for a in node.args if not (isinstance(a, Num) and abs(a.value) == 1)]
    below = min(sum(_is_divisor(a) for a in factors), len(factors) - 1)
    above = len(factors) - 1 - below
    return Work(multiplications=times(above, *node.shape), divisions=times(below, *node.shape))


def _is_divisor(x: Expr) -> bool:
    return isinstance(x, Pow) and isinstance(x.exponent, Num) and x.exponent.value < 0


@work_of.register
def _(node: Pow) -> Work:
    if isinstance(node.exponent, Num) and node.exponent.value.denominator == 1:
        return Work(multiplications=times(max(0, abs(int(node.exponent.value)) - 1), *node.shape))
    return Work()


@work_of.register
def _(node: MatMul) -> Work:
    """From the right where the chain ends in a vector, else from the left."""
    from_right = node.args[-1].order == 1 and not node.args[-1].row
    first, *rest = reversed(node.args) if from_right else node.args
    products: list[Expr] = []
    sums: list[Expr] = []
    shape, row = first.shape, first.row
    for x in rest:
        left, right = (_two(x), _ends(shape, row)) if from_right else (_ends(shape, row), _two(x))
        inner = left[1]
        products.append(times(left[0], right[1], inner))
        sums.append(times(left[0], right[1], less_one(b.count(inner))))
        shape, row = _product(left[0], right[1])
    return Work(plus(*products), plus(*sums))


def _two(x: Expr) -> tuple[Int, Int]:
    return _ends(x.shape, x.row)


def _ends(shape: Shape, row: bool) -> tuple[Int, Int]:
    if len(shape) == 2:
        return shape[0], shape[1]
    if not shape:
        return 1, 1
    return (1, shape[0]) if row else (shape[0], 1)


def _product(rows: Int, columns: Int) -> tuple[Shape, bool]:
    if same(rows, 1):
        return ((), False) if same(columns, 1) else ((columns,), True)
    return ((rows,), False) if same(columns, 1) else ((rows, columns), False)


@work_of.register
def _(node: Chain) -> Work:
    return Work()


@work_of.register
def _(node: Reduce) -> Work:
    each = less_one(times(*(node.arg.shape[a] for a in node.axes)))
    if node.op == "sum":
        return Work(additions=times(*node.shape, each))
    return Work(multiplications=times(*node.shape, each)) if node.op == "prod" else Work()


@work_of.register
def _(node: Fold) -> Work:
    """The terms' own work at every index, and their sum."""
    number = times(*(x.length for x in node.binders))
    own = [work_of(x) for x in _below(node.body)]
    inside = [plus(*(getattr(w, kind) for w in own)) for kind in ("multiplications", "additions", "divisions")]
    joined = times(less_one(number), *node.shape)
    products = times(number, inside[0])
    if node.op == "prod":
        products = plus(products, joined)
    sums = plus(times(number, inside[1]), joined if node.op == "sum" else b.ZERO)
    return Work(products, sums, times(number, inside[2]))


def _below(root: Expr) -> Sequence[Expr]:
    found: list[Expr] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.append(node)
            if not isinstance(node, Fold):
                waiting.extend(node.children)
    return found


@work_of.register
def _(node: Call) -> Work:
    if node.fn in AXES:
        return _layer(node)
    n = entries(node.args[0].shape)
    match node.fn:
        case "softmax":
            length = node.args[0].shape[node.param("axis")]
            rows = times(*(s for a, s in enumerate(node.shape) if a != node.param("axis")))
            return Work(additions=times(rows, less_one(b.count(length))), divisions=n)
        case "cross_entropy":
            return Work(n, less_one(n))
        case "norm":
            return Work(n, less_one(n))
        case "trace":
            return Work(additions=less_one(b.count(node.args[0].shape[0])))
        case "kron":
            return Work(entries(node.shape))
    return Work()


def _layer(node: Call) -> Work:
    axes = AXES[node.fn]
    if "pool" in node.fn:
        window = times(*setting(node, "kernel"))
        mean = node.fn.startswith("avg")
        sums = times(*node.shape, less_one(window))
        return Work(additions=sums, divisions=entries(node.shape)) if mean else Work()
    x, w = node.args[:2]
    bias = entries(node.shape) if len(node.args) > 2 else b.ZERO
    kernel = w.shape[w.order - axes :]
    if "transpose" not in node.fn:
        each = times(*w.shape[1 : w.order - axes], *kernel)
        return Work(times(*node.shape, each), plus(times(*node.shape, less_one(each)), bias))
    spread = times(*x.shape, *w.shape[1 : w.order - axes], *kernel)
    return Work(spread, plus(spread, bias))
