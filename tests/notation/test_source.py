"""Expressions in the problem language: what is written, and that it is read as the same expression."""

from collections.abc import Callable
from fractions import Fraction

import pytest
import sympy

from symgrad.notation.integers import integer_source
from symgrad.notation.source import source
from symgrad.syntax import tree as syntax
from symgrad.syntax.reading import parse_expression
from symgrad.tensor import build as b
from symgrad.tensor.functions import construct as c
from symgrad.tensor.integers import Int, index_symbol, size_symbol
from symgrad.tensor.nodes import At, Cut, Expr

n, m, K = (size_symbol(s) for s in ["n", "m", "K"])
i, j, k, t = (index_symbol(s) for s in "ijkt")
SIZES = {"n": n, "m": m, "K": K, "i": i, "j": j, "k": k, "t": t}
SHAPES = {
    "h": (n,),
    "y": (K,),
    "yhat": (K,),
    "V": (K, n),
    "W": (n, n),
    "X": (m, n),
    "x": (n,),
    "z": (n,),
    "a": (),
    "q": (),
    "p": (),
}
FAMILIES = {"h", "y", "yhat"}


def named(name: str, *subs: Int) -> Expr:
    return b.var(name, subs, SHAPES[name])


V, W, X, x, z, a, p = (named(s) for s in ["V", "W", "X", "x", "z", "a", "p"])
ERROR = b.sub(named("yhat", t), named("y", t))
J = b.matmul(b.diag(b.sub(b.ONE, b.power(named("h", j), b.num(2)))), W)

READ_BACK = [
    (b.matmul(b.transpose(V), ERROR), "V.T @ (yhat[t] - y[t])"),
    (b.outer(ERROR, named("h", t - 1)), "(yhat[t] - y[t]) @ h[t-1].T"),
    (J, "diag(1 - h[j]**2) @ W"),
    (b.neg(b.mul(a, x)), "-a*x"),
    (b.mul(b.num(Fraction(-1, 2)), a, p), "-1/2*a*p"),
    (b.sub(a, b.mul(b.num(3), b.sub(p, a))), "a - 3*(p - a)"),
    (b.mul(b.matmul(W, x), z), "(W @ x)*z"),
    (b.matmul(W, b.mul(x, z)), "W @ (x*z)"),
    (b.div(x, b.mul(a, p)), "x/a/p"),
    (b.div(named("q"), b.mul(a, p)), "q/(a*p)"),
    (b.div(b.mul(b.num(2), a), b.mul(b.num(3), p)), "2/3*a/p"),
    (b.power(b.add(a, p), b.num(Fraction(1, 2))), "(a + p)**(1/2)"),
    (b.power(a, b.num(-2)), "1/a**2"),
    (b.power(b.neg(a), p), "(-a)**p"),
    (b.apply("exp", b.neg(b.div(b.power(a, b.num(2)), b.num(2)))), "exp(-1/2*a**2)"),
    (b.mul(b.num(Fraction(1, 10)), b.apply("relu", a)), "0.1*relu(a)"),
    (b.transpose(b.add(W, a)), "(W + a).T"),
    (b.inner(x, x), "x.T @ x"),
    (c.softmax(X, 1), "softmax(X, axis=1)"),
    (c.softmax(z), "softmax(z)"),
    (b.reduce("sum", X, 0), "sum(X, axis=0)"),
    (b.apply("where", b.compare("<=", a, b.ZERO), p, a), "where(a <= 0, p, a)"),
    (b.mul(b.compare(">", x, b.ZERO), z), "indicator(x > 0)*z"),
    (b.fold("sum", b.at(z, j), [b.binder(j, 1, n)], [b.rel("!=", j, i)]), "sum(z[j], j=1..n, j != i)"),
    (b.fold("prod", J, [b.binder(j, k + 1, t)], descending=True), "prod(diag(1 - h[j]**2) @ W, j=t..k+1)"),
    (b.at(named("h", t), i), "h[t][i]"),
    (b.entry(X, [At(2 * i + 1)]), "X[2*i+1, :]"),
    (b.entry(z, [Cut(2, n - 1)]), "z[2..n-1]"),
    (b.delta(i, j), "indicator(i == j)"),
    (b.stack(a, p), "stack(a, p)"),
    (b.concat([x, z]), "concat(x, z, axis=0)"),
    (c.one_hot(a, n), "one_hot(a, n)"),
    (c.cross_entropy(named("y", t), named("yhat", t)), "cross_entropy(y[t], yhat[t])"),
]  # fmt: skip

ONLY_WRITTEN = [
    (c.mean_of(x), "sum(x)/n"),
    (b.mul(b.power(p, b.num(-2)), b.sub(a, p)), "(a - p)/p**2"),
    (b.mul(b.num(Fraction(-1, 2)), b.power(a, b.MINUS_ONE), p), "-1/2*p/a"),
    (b.add(b.ones((n,)), x), "ones(n) + x"),
    (b.eye(n), "eye(n)"),
    (b.count(sympy.floor((n + 2 * m - K) / 3) + 1), "floor((n+2*m-K)/3)+1"),
    (b.count(sympy.floor((m + 2 * n - t * (K - 1) - 1) / k) + 1), "floor((m+2*n-t*(K-1)-1)/k)+1"),
    (b.deriv(a, x), "grad(a, x)"),
    (b.deriv(named("h", t), named("h", t - 1)), "jacobian(h[t], h[t-1])"),
    (b.deriv(named("h", t), W, "immediate"), "partial(h[t], W)"),
    (b.deriv(a, x, held=[p]), "grad(a, x, hold=[p])"),
    (b.build(b.at(X, i, j), [b.binder(j, 1, n), b.binder(i, 1, m)]), "tensor(X[i, j], j=1..n, i=1..m)"),
    (b.opaque("loss", [named("h", t)], [b.binder(t, 1, K)]), "loss(h[t], t=1..K)"),
]


@pytest.mark.parametrize(("expr", "expected"), [*READ_BACK, *ONLY_WRITTEN])
def test_whole_source(expr: Expr, expected: str) -> None:
    assert source(expr) == expected
    parse_expression(expected)


@pytest.mark.parametrize(("base", "expected"), [(1, "z[i] + z[2..3] + X[1, :]"), (0, "z[i-1] + z[1..2] + X[0, :]")])
def test_component_indices_begin_at_their_base(base: int, expected: str) -> None:
    parts = (b.at(z, i), b.entry(z, [Cut(2, 3)]), b.entry(X, [At(1)]))
    assert " + ".join(source(part, base) for part in parts) == expected


@pytest.mark.parametrize("expr", [expr for expr, _ in READ_BACK], ids=[text for _, text in READ_BACK])
def test_source_is_read_as_the_same_expression(expr: Expr) -> None:
    assert elaborate(parse_expression(source(expr))) is expr


# A small reading of syntax trees, independent of the one for problems.

OPERATIONS: dict[str, Callable[[Expr, Expr], Expr]] = {
    "+": b.add, "-": b.sub, "*": b.mul, "/": b.div, "@": b.matmul, "**": b.power,
}  # fmt: skip
CALLS: dict[str, Callable[..., Expr]] = {
    "diag": b.diag, "softmax": c.softmax, "one_hot": c.one_hot, "cross_entropy": c.cross_entropy, "stack": b.stack,
    "concat": lambda *args, axis: b.concat(args, axis), "indicator": lambda condition: condition,
    "sum": lambda body, axis=None: b.reduce("sum", body, axis),
}  # fmt: skip


def integer(tree: syntax.Tree) -> Int:
    match tree:
        case syntax.Number(value):
            return int(value)
        case syntax.Name(name):
            return SIZES[name]
        case syntax.Binary(op, left, right):
            x, y = integer(left), integer(right)
            return x + y if op == "+" else x - y if op == "-" else x * y
    raise AssertionError(tree)


def elaborate(tree: syntax.Tree) -> Expr:
    match tree:
        case syntax.Number(value):
            return b.num(value)
        case syntax.Name(name):
            return b.count(SIZES[name]) if name in SIZES else named(name)
        case syntax.Unary(_, operand):
            return b.neg(elaborate(operand))
        case syntax.Binary(op, left, right):
            return OPERATIONS[op](elaborate(left), elaborate(right))
        case syntax.Transpose(operand):
            return b.transpose(elaborate(operand))
        case syntax.Compare((op,), (syntax.Name("i"), syntax.Name("j"))):
            return b.iverson(b.rel(op, i, j))
        case syntax.Compare((op,), (left, right)):
            return b.compare(op, elaborate(left), elaborate(right))
        case syntax.Subscript(syntax.Name(name), items) if name in FAMILIES:
            return named(name, *(integer(x) for x in items))
        case syntax.Subscript(base, items):
            return entries(elaborate(base), items)
        case syntax.Call(func, args, keywords):
            return called(func.id, args, keywords)
    raise AssertionError(tree)


def entries(x: Expr, items: tuple[syntax.Tree, ...]) -> Expr:
    places: list[At | Cut] = []
    for axis, item in enumerate(items):
        match item:
            case syntax.Span(None, None):
                places.append(Cut(1, x.shape[axis]))
            case syntax.Span(lo, hi) if lo is not None and hi is not None:
                places.append(Cut(integer(lo), integer(hi)))
            case _:
                places.append(At(integer(item)))
    return b.entry(x, places)


def called(name: str, args: tuple[syntax.Tree, ...], keywords: tuple[syntax.Keyword, ...]) -> Expr:
    ranges = [x for x in keywords if isinstance(x.value, syntax.Span)]
    if not ranges:
        settings = {x.name.id: integer(x.value) for x in keywords}
        values = [elaborate(x) for x in args]
        if name in CALLS:
            if name == "one_hot":
                values[1] = integer(args[1])  # type: ignore[call-overload]
            return CALLS[name](*values, **settings)
        return b.apply(name, *values)
    (only,) = ranges
    assert isinstance(only.value, syntax.Span)
    assert only.value.lo is not None
    assert only.value.hi is not None
    first, last = integer(only.value.lo), integer(only.value.hi)
    descending = name == "prod"
    binder = b.binder(SIZES[only.name.id], *((last, first) if descending else (first, last)))
    conditions = [b.rel(x.ops[0], *map(integer, x.operands)) for x in args[1:] if isinstance(x, syntax.Compare)]
    return b.fold(name, elaborate(args[0]), [binder], conditions, descending)


STRIDES = [
    (j + 2 * (k - 1), "j+2*(k-1)"),
    (k - 2 * (j - 1), "k-2*(j-1)"),
    (3 * (k - 1) + 2 * (j - 1), "2*(j-1)+3*(k-1)"),
    (3 * (k - 1) + 2 * (j - 1) + 1, "2*(j-1)+3*(k-1)+1"),
    (sympy.expand(n * (j - 1) + k), "n*(j-1)+k"),
    (sympy.expand(n * (j - 1) + m * (k - 1) + 1), "n*(j-1)+m*(k-1)+1"),
    (j + 2 * k, "j+2*k"),
    (2 * j - 1, "2*j-1"),
    (2 * j - 2, "2*j-2"),
    (k + j - 1, "j+k-1"),
    (j + 2 * k - 3, "j+2*k-3"),
    (m + 2 * n - 2, "m+2*n-2"),
    (2 * j * k - 2, "2*j*k-2"),
]


@pytest.mark.parametrize(("value", "text"), STRIDES)
def test_strides_are_counted_from_the_first_place(value: sympy.Expr, text: str) -> None:
    """Of indices: a size times two less two is no stride."""
    assert integer_source(value) == text
