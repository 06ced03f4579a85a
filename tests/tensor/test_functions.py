"""Laws over the table of whole-tensor functions, their shape rules and their refusals."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from symgrad.tensor import build as b
from symgrad.tensor.evaluate import Env, evaluate, evaluate_all
from symgrad.tensor.functions import FUNCTIONS, arrays, values_of
from symgrad.tensor.functions import construct as f
from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.integers import evaluate_int, size_symbol
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Call, Expr, Var
from symgrad.tensor.shapes import ShapeError
from symgrad.tensor.stable import Array
from symgrad.tensor.sympy_border import exact_evaluate

n, m, k = size_symbol("n"), size_symbol("m"), size_symbol("k")
SIZES = {n: 3, m: 4, k: 2}
s, q = b.var("s"), b.var("q", facts=["index"])
x, y, z = b.var("x", shape=(n,)), b.var("y", shape=(n,)), b.var("z", shape=(m,))
A, C, B = b.var("A", shape=(n, m)), b.var("C", shape=(n, m)), b.var("B", shape=(m, k))
S = b.var("S", shape=(n, n))
T = b.var("T", shape=(n, m, k))
picks = b.var("picks", shape=(m,))

BATCH = 4
rng = np.random.default_rng(11)
VALUES: dict[Var, Array] = {
    v: rng.uniform(0.3, 1.5, (BATCH, *(SIZES[d] for d in v.shape))) for v in (s, x, y, z, A, B, C, S, T)
}
VALUES[q] = np.array([1.0, 3, 2, 2])
VALUES[picks] = np.array([[1.0, 3, 2, 2]]).repeat(BATCH, axis=0)
ENV = Env.of(VALUES, SIZES)


def softmax(v: Array, axis: int) -> Array:
    return np.exp(v) / np.exp(v).sum(axis=axis, keepdims=True)


CASES: Mapping[str, tuple[Expr, Callable[..., Array], tuple[Var, ...]]] = {
    "softmax": (f.softmax(x), lambda v: softmax(v, 0), (x,)),
    "softmax of columns": (f.softmax(A, axis=0), lambda v: softmax(v, 0), (A,)),
    "softmax of a tensor": (f.softmax(T, axis=-1), lambda v: softmax(v, 2), (T,)),
    "softmax of a row": (f.softmax(b.transpose(x)), lambda v: softmax(v, 0), (x,)),
    "logsumexp": (f.logsumexp(x), lambda v: np.log(np.exp(v).sum()), (x,)),
    "logsumexp of rows": (f.logsumexp(A, axis=1), lambda v: np.log(np.exp(v).sum(1)), (A,)),
    "logsumexp of all": (f.logsumexp(A), lambda v: np.log(np.exp(v).sum()), (A,)),
    "cross entropy": (f.cross_entropy(x, y), lambda v, w: -(v * np.log(w)).sum(), (x, y)),
    "cross entropy of a batch": (f.cross_entropy(A, C), lambda v, w: -(v * np.log(w)).sum(), (A, C)),
    "cross entropies of rows": (f.cross_entropy(A, C, axis=1), lambda v, w: -(v * np.log(w)).sum(axis=1), (A, C)),
    "norm": (f.norm(x), np.linalg.norm, (x,)),
    "Frobenius norm": (f.norm(A), np.linalg.norm, (A,)),
    "column norm": (f.column_norm(A), lambda a: max(sum(abs(x) for x in c) for c in a.T), (A,)),
    "row norm": (f.row_norm(A), lambda a: max(sum(abs(x) for x in r) for r in a), (A,)),
    "spectral norm": (f.spectral_norm(A), lambda a: np.linalg.svd(a, compute_uv=False)[0], (A,)),
    "1-norm": (f.norm(x, ord=1), lambda v: np.linalg.norm(v, 1), (x,)),
    "max norm": (f.norm(x, ord="inf"), lambda v: np.linalg.norm(v, np.inf), (x,)),
    "norms of rows": (f.norm(A, axis=1), lambda a: np.linalg.norm(a, axis=1), (A,)),
    "1-norms of columns": (f.norm(A, ord=1, axis=0), lambda a: np.linalg.norm(a, 1, axis=0), (A,)),
    "max norms of rows": (f.norm(A, ord="inf", axis=-1), lambda a: np.linalg.norm(a, np.inf, axis=1), (A,)),
    "trace": (f.trace(S), np.trace, (S,)),
    "det": (f.det(S), np.linalg.det, (S,)),
    "inv": (f.inv(S), np.linalg.inv, (S,)),
    "diag": (b.diag(x), np.diag, (x,)),
    "diagpart": (b.diag(S), np.diagonal, (S,)),
    "kron": (f.kron(A, B), np.kron, (A, B)),
    "kron of vectors": (f.kron(x, z), np.kron, (x, z)),
    "vec": (f.vec(A), np.ravel, (A,)),
    "reshape": (f.reshape(T, m, k, n), lambda v: v.reshape(4, 2, 3), (T,)),
    "reshape with an open size": (f.reshape(T, k, -1), lambda v: v.reshape(2, 12), (T,)),
    "one_hot": (f.one_hot(q, n), lambda v: np.eye(3)[int(v) - 1], (q,)),
    "one_hot of indices": (f.one_hot(picks, n), lambda v: np.eye(3)[v.astype(int) - 1], (picks,)),
    "one_hot of a number": (f.one_hot(2, n), lambda: np.eye(3)[1], ()),
    "outer": (f.outer(x, z), np.outer, (x, z)),
    "dot": (f.dot(x, y), np.dot, (x, y)),
    "mean": (f.mean_of(A, axis=1), lambda v: v.mean(1), (A,)),
    "argmax": (f.argmax(A, axis=1), lambda v: v.argmax(1) + 1.0, (A,)),
    "transpose": (f.transpose(T, 2, 0, 1), lambda v: v.transpose(2, 0, 1), (T,)),
    "size": (f.size(A), lambda: np.array(12.0), ()),
    "length of an axis": (f.size(A, axis=1), lambda: np.array(4.0), ()),
}
CALLS = [name for name, case in CASES.items() if isinstance(case[0], Call)]


@pytest.mark.parametrize("name", CASES)
def test_value_is_what_numpy_says(name: str) -> None:
    expr, by_hand, leaves = CASES[name]
    found = evaluate(expr, ENV)
    assert found.shape[1:] == tuple(evaluate_int(d, SIZES) for d in expr.shape)
    for p in range(BATCH):
        expected = by_hand(*(VALUES[v][p] for v in leaves))
        np.testing.assert_allclose(found[p % len(found)], expected, rtol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_every_entry_in_index_notation_has_the_value(name: str) -> None:
    expr, _, _ = CASES[name]
    whole = evaluate(expr, ENV)
    places = list(np.ndindex(whole.shape[1:]))
    found = evaluate_all([component(expr, tuple(p + 1 for p in at)) for at in places], ENV)
    for at, value in zip(places, found, strict=True):
        np.testing.assert_allclose(*np.broadcast_arrays(value, whole[(slice(None), *at)]), rtol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_sympy_reads_the_same_value(name: str) -> None:
    expr, _, _ = CASES[name]
    point = {v: a[1].tolist() for v, a in VALUES.items()}
    found = np.array(exact_evaluate(expr, SIZES, point)).astype(float)
    np.testing.assert_allclose(found, evaluate(expr, ENV)[1 % len(evaluate(expr, ENV))], rtol=1e-10)


@pytest.mark.parametrize("name", CALLS)
def test_the_source_computes_the_value(name: str) -> None:
    node, by_hand, leaves = CASES[name]
    assert isinstance(node, Call)
    row = values_of(node)
    space: dict[str, object] = {"np": np}
    for helper in row.helpers:
        exec(helper, space)
    args = [evaluate(a, ENV) for a in node.args]
    names = [f"a{i}" for i in range(len(args))]
    space.update((label, a[0]) for label, a in zip(names, args, strict=True))
    shape = tuple(evaluate_int(d, SIZES) for d in node.shape)
    last = shape[-1] if shape else None
    found = eval(row.code.format(*names, **dict(node.params), shape=shape, last=last), space)
    np.testing.assert_allclose(found, by_hand(*(VALUES[v][0] for v in leaves)), rtol=1e-12)


@pytest.mark.parametrize("name", [c for c in CALLS if "one_hot" not in c])
def test_complex_steps_agree_with_differences(name: str) -> None:
    expr, _, leaves = CASES[name]
    for leaf in leaves:
        direction = np.random.default_rng(2).normal(size=VALUES[leaf].shape)

        def moved(by: complex, leaf: Var = leaf, direction: Array = direction) -> Array:
            return evaluate(expr, Env.of({**VALUES, leaf: VALUES[leaf] + by * direction}, SIZES))

        np.testing.assert_allclose(
            moved(1e-20j).imag / 1e-20, (moved(1e-6) - moved(-1e-6)).real / 2e-6, rtol=1e-6, atol=1e-7
        )


def test_every_function_with_a_value_is_tried() -> None:
    tried = {CASES[name][0].fn for name in CALLS}  # type: ignore[attr-defined]
    elsewhere = set(AXES)  # test_layers.py
    assert tried == {row.name for row in FUNCTIONS.values() if row.values is not None} - elsewhere


def test_large_arguments_do_not_overflow() -> None:
    large = Env.of({x: np.array([[1000.0, 0, -1000]])}, SIZES)
    np.testing.assert_allclose(evaluate(f.softmax(x), large), [[1, 0, 0]])
    np.testing.assert_allclose(evaluate(f.logsumexp(x), large), [1000])


def test_zero_times_log_zero_is_zero() -> None:
    values = {x: np.array([[0.0, 1, 0]]), y: np.array([[0.0, 0.5, 0.5]])}
    np.testing.assert_allclose(evaluate(f.cross_entropy(x, y), Env.of(values, SIZES)), [np.log(2)])
    exact = exact_evaluate(f.cross_entropy(x, y), SIZES, {v: a[0] for v, a in values.items()})
    assert float(exact) == pytest.approx(np.log(2))


FOLDED = {
    "trace of I": (f.trace(b.eye(n)), b.count(n)),
    "trace of diag": (f.trace(b.diag(x)), b.reduce("sum", x)),
    "trace of ones": (f.trace(b.ones((n, n))), b.count(n)),
    "det of I": (f.det(b.eye(n)), b.ONE),
    "inverse of I": (f.inv(b.eye(n)), b.eye(n)),
    "inverse twice": (f.inv(f.inv(S)), S),
    "reshape to the same": (f.reshape(A, n, m), A),
    "reshape twice": (f.reshape(f.reshape(A, n * m), m, n), f.reshape(A, m, n)),
    "vec of a vector": (f.vec(x), x),
    "norm of 0": (f.norm(b.zeros((n,))), b.ZERO),
    "norm of a scalar": (f.norm(s), b.apply("abs", s)),
    "size": (f.size(A, axis=0), b.count(n)),
    "dot of matrices": (f.dot(A, B), b.matmul(A, B)),
    "softmax of a row": (f.softmax(b.transpose(x)), b.transpose(f.softmax(x))),
    "an axis as an expression": (f.softmax(A, axis=b.num(1)), f.softmax(A, axis=1)),
}


@pytest.mark.parametrize("name", FOLDED)
def test_the_trivial_is_folded(name: str) -> None:
    built, expected = FOLDED[name]
    assert built is expected


REFUSED: Mapping[str, tuple[Callable[[], Expr], str]] = {
    "softmax of a matrix": (
        lambda: f.softmax(A),
        "softmax of n × m needs an axis: axis=1 normalises every row, axis=0 every column",
    ),
    "softmax of a scalar": (lambda: f.softmax(s), "softmax takes a vector or a tensor, not a scalar"),
    "no such axis": (
        lambda: f.softmax(A, axis=2),
        "softmax: axis 2 of a tensor with 2 axes (axes are counted from 0)",
    ),
    "cross entropy": (
        lambda: f.cross_entropy(x, z),
        "cross_entropy: a vector of size n and a vector of size m differ",
    ),
    "trace": (lambda: f.trace(A), "trace takes a square matrix, not n × m"),
    "inv": (lambda: f.inv(x), "inv takes a square matrix, not a vector of size n"),
    "kron": (lambda: f.kron(A, x), "kron takes two vectors or two matrices, not n × m and a vector of size n"),
    "reshape": (lambda: f.reshape(A, n, k), "reshape: n × m has m*n entries, n × k has k*n"),
    "reshape with a remainder": (
        lambda: f.reshape(A, k, -1),
        "reshape: m*n entries cannot be divided evenly by k",
    ),
    "norm": (lambda: f.norm(A, ord=3), "norm of n × m with ord=3 is not known (2, 1, inf; fro for matrices)"),
    "one_hot": (lambda: f.one_hot(5, 3), "one_hot: 5 is not in 1..3"),
    "a size that is data": (
        lambda: f.reshape(A, s),
        "a size in reshape must be an integer, not a scalar",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_is_wrong(name: str) -> None:
    make, message = REFUSED[name]
    with pytest.raises(ShapeError) as caught:
        make()
    assert str(caught.value) == message


def test_a_point_without_a_value_does_not_cost_the_others_theirs() -> None:
    a = np.ones((3, 2, 2))
    a[1, 0, 0] = np.nan
    np.testing.assert_array_equal(arrays.spectral_norm([a], {}, ()), [2.0, np.nan, 2.0])
    regular = np.array([[1.0, 1.0], [1.0, 2.0]])
    found = arrays.inv([np.stack([regular, np.ones((2, 2))])], {}, ())
    np.testing.assert_allclose(found[0] @ regular, np.eye(2), atol=1e-12)
    assert np.isnan(found[1]).all()
