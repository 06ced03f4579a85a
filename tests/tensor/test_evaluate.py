"""Evaluation of every node kind against NumPy written by hand, at unequal sizes and several points."""

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np
import pytest

from symgrad.errors import InternalError
from symgrad.tensor import build as b
from symgrad.tensor.evaluate import Env, OutOfRange, evaluate, evaluate_all
from symgrad.tensor.frames import distinct
from symgrad.tensor.integers import evaluate_int, index_symbol, size_symbol
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Add, Build, Const, Cut, Expr, MatMul, Pick, Var
from symgrad.tensor.stable import Array
from symgrad.tensor.sympy_border import exact_evaluate
from symgrad.tensor.walk import postorder

n, m, k = size_symbol("n"), size_symbol("m"), size_symbol("k")
i, j, t = index_symbol("i"), index_symbol("j"), index_symbol("t")
SIZES = {n: 3, m: 4, k: 2}
BATCH = 5

s = b.var("s")
x, y = b.var("x", shape=(n,)), b.var("y", shape=(n,))
z = b.var("z", shape=(m,))
A, B = b.var("A", shape=(n, m)), b.var("B", shape=(m, k))
S = b.var("S", shape=(n, n))
T = b.var("T", shape=(n, m, k))
LEAVES = (s, x, y, z, A, B, S, T)


def values(seed: int = 0) -> dict[Var, Array]:
    """A point for every leaf and every h[0..3]."""
    rng = np.random.default_rng(seed)
    family = [b.var("h", (step,), (n,)) for step in range(5)]
    square = [b.var("J", (step,), (n, n)) for step in range(5)]
    return {
        leaf: rng.uniform(-1.5, 1.5, (BATCH, *(SIZES[d] for d in leaf.shape))) for leaf in (*LEAVES, *family, *square)
    }


VALUES = values()


def of(node: Var | str, *subs: int) -> Array:
    """The array of a leaf."""
    name = node if isinstance(node, str) else node.name
    return next(a for v, a in VALUES.items() if v.name == name and v.subs == subs)


def h(step: object) -> Var:
    return b.var("h", (step,), (n,))  # type: ignore[arg-type]


def J(step: object) -> Var:
    return b.var("J", (step,), (n, n))  # type: ignore[arg-type]


def each(body: Callable[..., Array], *leaves: Var) -> Array:
    """A function of single arrays applied point by point."""
    return np.stack([body(*(of(leaf)[p] for leaf in leaves)) for p in range(BATCH)])


def over(symbol: object, lo: object, hi: object) -> object:
    return b.binder(symbol, lo, hi)  # type: ignore[arg-type]


sx, sA, sS = of(x), of(A), of(S)

CASES: Mapping[str, tuple[Expr, Array]] = {
    "number": (b.num(Fraction(1, 4)), np.array([0.25])),
    "count": (b.count(n * m - 1), np.array([11.0])),
    "pi": (Const("pi"), np.array([np.pi])),
    "ones": (b.ones((n, k)), np.ones((1, 3, 2))),
    "identity": (b.eye(n), np.eye(3)[None]),
    "literal": (b.literal([Fraction(1, 2), 2, 3, 4], (2, 2)), np.array([[[0.5, 2], [3, 4]]])),
    "add with broadcasting": (b.add(A, z, s), each(lambda a, c, d: a + c + d, A, z, s)),
    "tensor plus matrix": (b.add(T, B), each(lambda a, c: a + c, T, B)),
    "product entry by entry": (b.mul(b.num(3), A, z), each(lambda a, c: 3 * a * c, A, z)),
    "square": (b.power(x, b.num(2)), sx**2),
    "reciprocal cube": (b.power(x, b.num(-3)), sx**-3.0),
    "root": (b.power(b.apply("exp", x), b.num(Fraction(1, 2))), np.exp(sx / 2)),
    "real power": (b.power(b.apply("exp", x), s), each(lambda a, c: np.exp(a * c), x, s)),
    "number to a vector": (b.power(b.num(2), x), 2.0**sx),
    "comparison": (b.compare(">", x, y), (sx > of(y)).astype(float)),
    "matrix times vector": (b.matmul(A, z), each(lambda a, c: a @ c, A, z)),
    "row times matrix": (b.matmul(b.transpose(x), A), each(lambda c, a: c @ a, x, A)),
    "inner": (b.inner(x, y), each(lambda a, c: a @ c, x, y)),
    "outer": (b.outer(x, z), each(np.outer, x, z)),
    "chain of products": (
        b.matmul(b.transpose(B), b.transpose(A), x),
        each(lambda p, a, c: p.T @ a.T @ c, B, A, x),
    ),
    "row of a chain": (
        b.matmul(b.transpose(x), A, B),
        each(lambda c, a, p: c @ a @ p, x, A, B),
    ),
    "outer times matrix": (b.matmul(x, b.transpose(z), B), each(lambda c, d, p: np.outer(c, d) @ p, x, z, B)),
    "transpose": (b.transpose(A), np.swapaxes(sA, 1, 2)),
    "row": (b.transpose(x), sx),
    "permute": (b.permute(T, (2, 0, 1)), of(T).transpose(0, 3, 1, 2)),
    "sum": (b.reduce("sum", A), sA.sum((1, 2))),
    "row sums": (b.reduce("sum", A, 1), sA.sum(2)),
    "product of entries": (b.reduce("prod", A, 0), sA.prod(1)),
    "largest": (b.reduce("max", A, 0), sA.max(1)),
    "smallest": (b.reduce("min", T, 1), of(T).min(2)),
    "place of the largest": (b.reduce("argmax", x), sx.argmax(1) + 1.0),
    "entry": (b.at(A, 2, 3), sA[:, 1, 2]),
    "cut": (b.entry(A, [Cut(2, n), Cut(1, k)]), sA[:, 1:, :2]),
    "column": (b.entry(A, [Cut(1, n), Cut(4, 4)]), sA[:, :, 3:4]),
    "picked by data": (
        b.entry(A, [Pick(b.reduce("argmax", x))]),
        np.stack([sA[p, sx[p].argmax()] for p in range(BATCH)]),
    ),
    "kronecker": (b.build(b.delta(i, j), [over(i, 1, 2), over(j, 1, 3)]), np.eye(2, 3)[None]),
    "stack": (b.stack(x, y), np.stack([sx, of(y)], axis=1)),
    "concat": (b.concat([A, S], axis=1), np.concatenate([sA, sS], axis=2)),
    "diag": (b.diag(x), each(np.diag, x)),
    "sum over steps": (b.fold("sum", h(t), [over(t, 1, 3)]), sum(of("h", q) for q in (1, 2, 3))),
    "condition": (
        b.fold("sum", h(t), [over(t, 1, 3)], [b.rel("!=", t, 2)]),
        of("h", 1) + of("h", 3),
    ),
    "empty sum": (b.fold("sum", h(t), [over(t, 3, 2)]), np.zeros((1, 3))),
    "empty product": (b.fold("prod", b.at(x, t), [over(t, 3, 2)]), np.ones(1)),
    "empty product of matrices": (b.fold("prod", J(t), [over(t, 3, 2)]), np.eye(3)[None]),
    "largest over a range": (b.fold("max", b.at(x, i), [over(i, 1, n)]), sx.max(1)),
    "ascending product": (
        b.fold("prod", J(t), [over(t, 1, 3)]),
        of("J", 1) @ of("J", 2) @ of("J", 3),
    ),
    "descending product": (
        b.fold("prod", J(t), [over(t, 1, 3)], descending=True),
        of("J", 3) @ of("J", 2) @ of("J", 1),
    ),
    "triangular sum": (
        b.fold("sum", b.mul(b.at(x, i), b.at(y, j)), [over(i, 1, n), over(j, i, n)]),
        each(lambda a, c: sum(a[p] * c[q] for p in range(3) for q in range(p, 3)), x, y),
    ),
    "ragged inner product": (
        b.build(b.fold("prod", b.at(y, j), [over(j, 1, i - 1)]), [over(i, 1, n)]),
        each(lambda c: np.array([np.prod(c[:p]) for p in range(3)]), y),
    ),
    "sizes that depend on the index": (
        b.fold("sum", b.reduce("prod", b.entry(x, [Cut(1, i)])), [over(i, 1, n)]),
        each(lambda a: np.sum([np.prod(a[: p + 1]) for p in range(3)]), x),
    ),
    "guarded entry": (
        b.build(b.mul(b.iverson(b.rel(">=", i - 1, 1)), b.at(x, i - 1)), [over(i, 1, n)]),
        each(lambda a: np.concatenate([[0], a[:-1]]), x),
    ),
    "guarded choice": (
        b.build(b.apply("where", b.iverson(b.rel(">", i, 1)), b.at(x, i - 1), b.num(7)), [over(i, 1, n)]),
        each(lambda a: np.concatenate([[7], a[:-1]]), x),
    ),
    "built rows": (b.build(b.mul(b.count(i), z), [over(i, 1, n)]), each(lambda c: np.outer([1, 2, 3], c), z)),
    "convolution": (
        b.build(b.fold("sum", b.mul(b.at(z, i + j - 1), b.at(B, j, 1)), [over(j, 1, 2)]), [over(i, 1, m - 1)]),
        each(lambda a, c: np.correlate(a, c[:2, 0], "valid"), z, B),
    ),
    "chain": (b.chain([x, b.permute(T, (0, 1, 2))], [1]), each(lambda a, c: np.tensordot(a, c, 1), x, T)),
    "chain over a matrix": (
        b.chain([A, b.permute(T, (0, 1, 2)), b.transpose(B)], [2, 1]),
        each(lambda a, c, d: np.tensordot(np.tensordot(a, c, 2), d.T, 1), A, T, B),
    ),
    "chain over scalars": (b.chain([s, x], [0]), each(lambda a, c: a * c, s, x)),
}


@pytest.mark.parametrize("name", CASES)
def test_value_is_what_numpy_says(name: str) -> None:
    expr, expected = CASES[name]
    found = evaluate(expr, Env.of(VALUES, SIZES))
    assert found.shape[1:] == tuple(evaluate_int(d, SIZES) for d in expr.shape)
    batch = (BATCH, *found.shape[1:])
    np.testing.assert_allclose(np.broadcast_to(found, batch), np.broadcast_to(expected, batch), rtol=1e-12)


def entries(array: Array) -> list[tuple[int, ...]]:
    """All indices of an array behind its batch axis, counted from 1."""
    return [tuple(q + 1 for q in at) for at in np.ndindex(array.shape[1:])]


@pytest.mark.parametrize("name", CASES)
def test_every_entry_in_index_notation_has_the_value(name: str) -> None:
    expr, _ = CASES[name]
    env = Env.of(VALUES, SIZES)
    whole = evaluate(expr, env)
    for at, found in zip(
        entries(whole), evaluate_all([component(expr, at) for at in entries(whole)], env), strict=True
    ):
        expected = whole[(slice(None), *(q - 1 for q in at))]
        np.testing.assert_allclose(*np.broadcast_arrays(found, expected), rtol=1e-10, atol=1e-13, err_msg=f"{at}")


@pytest.mark.parametrize("name", CASES)
def test_an_entry_at_symbolic_indices_has_the_value(name: str) -> None:
    expr, _ = CASES[name]
    env = Env.of(VALUES, SIZES)
    symbols = [index_symbol(letter) for letter in "ijt"[: expr.order]]
    binders = [over(q, 1, size) for q, size in zip(symbols, expr.shape, strict=True)]
    entry = component(expr, tuple(symbols))
    assert all(not isinstance(x, MatMul | Build) for x in postorder(entry))
    np.testing.assert_allclose(
        *np.broadcast_arrays(evaluate(b.build(entry, binders), env), evaluate(expr, env)), rtol=1e-10, atol=1e-13
    )


@pytest.mark.parametrize("name", CASES)
def test_sympy_reads_the_same_value(name: str) -> None:
    expr, _ = CASES[name]
    point = {v: array[0] for v, array in VALUES.items()}
    found = np.array(exact_evaluate(expr, SIZES, point)).astype(float)
    np.testing.assert_allclose(found, evaluate(expr, Env.of(VALUES, SIZES))[0], rtol=1e-10, atol=1e-13)


def test_a_free_step_comes_from_the_environment() -> None:
    value = evaluate(b.add(h(t), h(t - 1)), Env.of(VALUES, SIZES, {t: 2}))
    np.testing.assert_allclose(value, of("h", 2) + of("h", 1))


def test_a_bound_index_hides_a_free_one() -> None:
    outer = b.fold("sum", b.mul(b.count(t), b.fold("sum", b.count(t), [over(t, 1, 3)])), [over(t, 1, 2)])
    assert evaluate(outer, Env.of({})) == 18


def test_an_index_outside_its_array_is_an_error() -> None:
    expr = b.build(b.at(x, i - 1), [over(i, 1, n)])
    with pytest.raises(OutOfRange, match=r"index 0 is outside 1\.\.3"):
        evaluate(expr, Env.of(VALUES, SIZES))


def test_a_missing_value_is_named() -> None:
    with pytest.raises(InternalError, match=r"no value for h\[9\]"):
        evaluate(h(9), Env.of(VALUES, SIZES))
    with pytest.raises(InternalError, match="no value for t"):
        evaluate(h(t), Env.of(VALUES, SIZES))


@pytest.mark.parametrize("step", ["add", "tanh"])
def test_deep_graphs_do_not_recurse(step: str) -> None:
    deep: Expr = x
    for _ in range(5_000):
        deep = b.apply("tanh", deep) if step == "tanh" else Add((deep, y), deep.shape)
    assert np.isfinite(evaluate(deep, Env.of(VALUES, SIZES))).all()


def test_a_shared_node_is_evaluated_once() -> None:
    asked: list[str] = []

    def lookup(node: Var) -> Array:
        asked.append(node.name)
        return of(node)

    doubled: Expr = b.apply("tanh", x)
    for _ in range(200):
        doubled = b.apply("tanh", b.mul(doubled, b.apply("sin", doubled)))
    first, second = evaluate_all([doubled, b.apply("cos", doubled)], Env(lookup, SIZES))
    assert asked == ["x"]
    np.testing.assert_allclose(second, np.cos(first))


def test_the_body_of_a_range_is_evaluated_once_for_each_value() -> None:
    asked: list[tuple[object, ...]] = []

    def lookup(node: Var) -> Array:
        asked.append((node.name, *node.subs))
        return of(node.name, *node.subs)  # type: ignore[arg-type]

    expr = b.fold("sum", b.mul(b.inner(h(i), h(i)), b.at(x, j)), [over(i, 1, 3), over(j, 1, 3)])
    evaluate(expr, Env(lookup, SIZES))
    assert sorted(asked, key=str) == [("h", 1), ("h", 2), ("h", 3), ("x",)]


def test_complex_steps_give_derivatives_at_many_points() -> None:
    loss = b.add(b.reduce("max", x), b.inner(x, b.matmul(S, x)), b.reduce("sum", b.power(b.apply("exp", x), b.num(3))))
    moved = {v: a[:1].repeat(3, axis=0).astype(complex) for v, a in VALUES.items()}
    moved[x] = moved[x] + 1e-20j * np.eye(3)
    found = evaluate(loss, Env.of(moved, SIZES)).imag / 1e-20
    at, mat = sx[0], sS[0]
    expected = (mat + mat.T) @ at + 3 * np.exp(3 * at) + (at == at.max())
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_derivative_is_evaluated_by_the_hook_at_every_index() -> None:
    node = b.deriv(h(t), h(t - 1))
    expr = b.fold("prod", node, [over(t, 2, 3)], descending=True)

    def hook(found: Expr, env: Env) -> Array:
        assert found is node
        return of("J", env.indices[t])

    env = Env(lambda v: of(v), SIZES, {}, hook)
    np.testing.assert_allclose(evaluate(expr, env), of("J", 3) @ of("J", 2))


@pytest.mark.parametrize(("rows", "most"), [(1, 3), (50, 4), (1000, 3), (30, 10**6), (40, 2**40), (500, 100)])
def test_distinct_rows_are_those_that_numpy_finds(rows: int, most: int) -> None:
    columns = [np.random.default_rng(k).integers(-most, most, size=rows) for k in range(3)]
    table, places = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    found, where = distinct(columns)
    np.testing.assert_array_equal(np.stack(found, axis=1), table)
    np.testing.assert_array_equal(where, places.reshape(-1))
