"""Random expressions at unequal sizes: arrays, index notation, contracted δ and exact fractions agree."""

from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symgrad.tensor import build as b
from symgrad.tensor.deltas import contract_deltas
from symgrad.tensor.evaluate import Env, evaluate
from symgrad.tensor.functions import construct as f
from symgrad.tensor.integers import Int, evaluate_int, index_symbol, size_symbol
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import At, Binder, Cut, Expr, Shape, Var
from symgrad.tensor.stable import Array
from symgrad.tensor.sympy_border import exact_evaluate
from symgrad.tensor.walk import variables

n, m, k = size_symbol("n"), size_symbol("m"), size_symbol("k")
SIZES = {n: 2, m: 3, k: 1}
DIMENSIONS: tuple[Int, ...] = (n, m, k, 2)
BOUND = tuple(index_symbol(letter) for letter in "ijkl")
QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

shapes = st.lists(st.sampled_from(DIMENSIONS), max_size=3).map(tuple)


def leaf(name: str, shape: Shape) -> Var:
    return b.var(f"{name}{len(shape)}_" + "".join(str(d) for d in shape), shape=shape)


@st.composite
def expressions(draw: st.DrawFn, shape: Shape, depth: int = 3) -> Expr:
    """A random expression of a shape, of polynomials only, so that exact values stay fractions."""
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from([leaf("a", shape), leaf("b", shape), b.full(Fraction(2, 3), shape)]))

    def sub(inner: Shape) -> Expr:
        return draw(expressions(inner, depth - 1))

    def dimension() -> Int:
        return draw(st.sampled_from(DIMENSIONS))

    options = ["add", "mul", "square", "negative", "relu", "sum", "fold"]
    if shape:
        options += ["scaled", "built", "stacked", "entries", "guarded", "reshaped"]
    if len(shape) == 1:
        options += ["matrix-vector", "diagonal"]
    if len(shape) == 2:
        options += ["matmul", "outer", "transpose"]
        if shape[0] == shape[1]:
            options += ["diag", "eye"]
    if len(shape) == 3:
        options += ["permute", "chain"]
    match draw(st.sampled_from(options)):
        case "add":
            return b.add(sub(shape), sub(shape[draw(st.integers(0, len(shape))) :]))
        case "mul":
            return b.mul(sub(shape), sub(shape[draw(st.integers(0, len(shape))) :]))
        case "square":
            return b.power(sub(shape), b.num(2))
        case "negative":
            return b.neg(sub(shape))
        case "relu":
            return b.apply("relu", sub(shape))
        case "sum":
            axis = draw(st.integers(0, len(shape)))
            return f.sum_of(sub((*shape[:axis], dimension(), *shape[axis:])), axis)
        case "fold":
            symbol = draw(st.sampled_from(BOUND))
            weight = draw(st.sampled_from([b.count(symbol), b.delta(symbol, 2), b.at(leaf("c", (m,)), symbol)]))
            return b.fold("sum", b.mul(weight, sub(shape)), [b.binder(symbol, 1, 3)])
        case "scaled":
            return b.mul(b.num(Fraction(-3, 2)), sub(()), sub(shape))
        case "built":
            symbol = draw(st.sampled_from(BOUND))
            return b.build(b.mul(b.at(leaf("d", (shape[0],)), symbol), sub(shape[1:])), [b.binder(symbol, 1, shape[0])])
        case "guarded":
            symbol = draw(st.sampled_from(BOUND))
            guard = b.iverson(b.rel(">", symbol, 1))
            earlier = b.at(leaf("d", (shape[0],)), symbol - 1)
            return b.build(b.mul(guard, earlier, sub(shape[1:])), [b.binder(symbol, 1, shape[0])])
        case "stacked":
            return b.entry(b.concat([sub(shape), sub(shape)]), [Cut(2, shape[0] + 1)])
        case "entries":
            return b.entry(b.stack(sub(shape), sub(shape)), [At(draw(st.integers(1, 2)))])
        case "reshaped":
            return f.reshape(f.vec(sub(shape)), *shape)
        case "matrix-vector":
            inner = dimension()
            return b.matmul(sub((shape[0], inner)), sub((inner,)))
        case "diagonal":
            return b.diag(sub((shape[0], shape[0])))
        case "matmul":
            inner = dimension()
            return b.matmul(sub((shape[0], inner)), sub((inner, shape[1])))
        case "outer":
            return b.outer(sub((shape[0],)), sub((shape[1],)))
        case "transpose":
            return b.transpose(sub((shape[1], shape[0])))
        case "diag":
            return b.diag(sub((shape[0],)))
        case "eye":
            return b.eye(shape[0])
        case "permute":
            return b.permute(sub((shape[2], shape[0], shape[1])), (1, 2, 0))
    inner = dimension()
    return b.chain([sub((shape[0], inner)), sub((inner, shape[1], shape[2]))], [1])


def fractions_for(expr: Expr, seed: int) -> dict[Var, Array]:
    """Small fractions for every leaf, as arrays of objects."""
    rng = np.random.default_rng(seed)
    found: dict[Var, Array] = {}
    for node in variables(expr):
        shape = tuple(evaluate_int(d, SIZES) for d in node.shape)
        numbers = [Fraction(int(p), int(q)) for p, q in rng.integers([-4, 1], [5, 4], (int(np.prod(shape)), 2))]
        array = np.empty(len(numbers), dtype=object)
        array[:] = numbers
        found[node] = array.reshape(shape)
    return found


@given(st.data())
@QUIET
def test_arrays_index_notation_and_fractions_agree(data: st.DataObject) -> None:
    expr = data.draw(shapes.flatmap(lambda shape: expressions(shape)))
    exact = fractions_for(expr, data.draw(st.integers(0, 99)))
    env = Env.of({v: a[None].astype(float) for v, a in exact.items()}, SIZES)
    value = evaluate(expr, env)
    lookup = {v: a[()] if a.ndim == 0 else a for v, a in exact.items()}
    by_sympy = np.array(exact_evaluate(expr, SIZES, lookup)).astype(float)
    np.testing.assert_allclose(*np.broadcast_arrays(value[0], by_sympy), rtol=1e-9, atol=1e-9)
    symbols = tuple(index_symbol(f"r{axis}") for axis in range(expr.order))
    binders = [Binder(s, 1, d) for s, d in zip(symbols, expr.shape, strict=True)]
    entry = component(expr, symbols)
    contracted = contract_deltas(entry, binders)
    for form in (entry, contracted):
        again = evaluate(b.build(form, binders), env)
        np.testing.assert_allclose(*np.broadcast_arrays(value, again), rtol=1e-9, atol=1e-9)
