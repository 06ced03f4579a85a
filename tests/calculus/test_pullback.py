"""Every derivative rule against the complex step and central differences of the operation itself, at unequal sizes.

A rule is read in both directions: as the product with an adjoint, and as a Jacobian read off that product.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest

from symgrad.calculus.linear import NotReadable
from symgrad.calculus.local import adjoint_part, entry_jacobian, local_jacobian, matrix_jacobian
from symgrad.calculus.numeric import Numbers
from symgrad.calculus.pullback import CALLS, pullback, sum_entries
from symgrad.tensor import build as b
from symgrad.tensor.functions import FUNCTIONS
from symgrad.tensor.functions import construct as f
from symgrad.tensor.functions import layers as cnn
from symgrad.tensor.integers import index_symbol, size_symbol
from symgrad.tensor.nodes import At, Build, Call, Cut, Expr, Fold, Opaque, Pick, Var
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.stable import Array
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder, variables

n, m, k = (size_symbol(s) for s in "nmk")
SIZES = {n: 3, m: 2, k: 4}
i, j, l = (index_symbol(s) for s in "ijl")  # noqa: E741


def v(name: str, *shape: object, facts: tuple[str, ...] = ()) -> Var:
    return b.var(name, (), shape, facts)  # type: ignore[arg-type]


a, c, x, y = v("a"), v("c"), v("x", n), v("y", n)
z = v("z", m)
A, B, C, S, T = v("A", m, n), v("B", n, k), v("C", m, n), v("S", n, n), v("T", n, n)
P, Q = v("P", n, n, facts=("positive-definite",)), v("Q", n, n, facts=("invertible",))
u, w, W = v("u", n, facts=("positive",)), v("w", n, facts=("positive",)), v("W", m, n, facts=("positive",))
X3 = v("X", m, n, k)
p, Y = v("p", n, facts=("probability",)), v("Y", m, n, facts=("probability",))
image, filters = v("image", 2, 5, 4), v("filters", 3, 2, 2, 3)
signal, kernels = v("signal", 2, 6), v("kernels", 3, 2, 3)
back, back1 = v("back", 3, 2, 2, 3), v("backward", 2, 3, 2)
pooled = v("pooled", 2, 2, 2)
bigger, line3 = v("bigger", 3, 2, 3), v("line", 2, 3)
place = v("place", facts=("index",))

CASES: dict[str, Expr] = {
    "sum of vectors": b.add(x, b.mul(b.num(2), y), x),
    "sum with a scalar": b.add(x, a),
    "sum with a row": b.add(A, b.transpose(x)),
    "sum along the last axis": b.add(A, x),
    "product": b.mul(x, y, a),
    "product with the last axis": b.mul(A, x),
    "quotient": b.div(b.mul(x, y), b.add(b.ONE, b.power(y, b.num(2)))),
    "quotient by a scalar": b.div(A, b.add(b.ONE, b.power(a, b.num(2)))),
    "square": b.power(x, b.num(2)),
    "cube of a matrix": b.power(A, b.num(3)),
    "power of a variable": b.power(u, y),
    "scalar exponent": b.power(u, a),
    "reciprocal": b.power(W, b.MINUS_ONE),
    "matrix times vector": b.matmul(A, x),
    "row times matrix": b.matmul(b.transpose(x), B),
    "matrix times matrix": b.matmul(A, B),
    "chain of three": b.matmul(A, S, B),
    "chain ending in a vector": b.matmul(A, S, x),
    "quadratic form": b.matmul(b.transpose(x), S, x),
    "bilinear form": b.matmul(b.transpose(z), A, x),
    "outer product": b.outer(z, x),
    "inner product": b.inner(x, y),
    "outer product used": b.matmul(b.outer(z, x), y),
    "transposed": b.transpose(b.mul(A, C)),
    "transposed in a product": b.matmul(b.transpose(A), z),
    "permuted": b.permute(X3, (2, 0, 1)),
    "whole sum": b.reduce("sum", b.mul(A, C)),
    "sum over rows": b.reduce("sum", A, 0),
    "sum over columns": b.reduce("sum", b.mul(A, A), 1),
    "sum over a middle axis": b.reduce("sum", X3, 1),
    "mean": b.mean(b.mul(x, x)),
    "product of entries": b.reduce("prod", u),
    "product over columns": b.reduce("prod", W, 1),
    "product over rows": b.reduce("prod", W, 0),
    "largest entry": b.reduce("max", x),
    "largest of each row": b.reduce("max", A, 1),
    "largest of each column": b.reduce("max", A, 0),
    "smallest entry": b.reduce("min", A),
    "place of the largest": b.mul(a, b.reduce("argmax", x)),
    "one entry of a vector": b.at(x, 2),
    "one entry of a matrix": b.at(A, 1, 2),
    "a row of a matrix": b.entry(A, [At(2), Cut(1, n)]),
    "a column of a matrix": b.entry(A, [Cut(1, m), At(1)]),
    "part of a row": b.entry(A, [At(2), Cut(2, 3)]),
    "part of a vector": b.entry(x, [Cut(2, 3)]),
    "block of a matrix": b.entry(B, [Cut(1, 2), Cut(2, k)]),
    "entry that data picks": b.entry(x, [Pick(place)]),
    "row that data picks": b.entry(S, [Pick(place), Cut(1, n)]),
    "slice of a cube": b.entry(X3, [Cut(1, m), At(2), Cut(2, 3)]),
    "stacked scalars": b.stack(a, b.mul(a, c), c),
    "stacked vectors": b.stack(x, b.mul(x, y)),
    "joined vectors": b.concat([x, z, x]),
    "joined matrices, below": b.concat([A, b.matmul(A, S)], 0),
    "joined matrices, beside": b.concat([b.matmul(A, S), A], 1),
    "comparison": b.mul(x, b.compare(">", x, y)),
    "softmax": f.softmax(x),
    "softmax of rows": f.softmax(A, 1),
    "softmax of columns": f.softmax(A, 0),
    "softmax of a cube": f.softmax(X3, 1),
    "logsumexp": f.logsumexp(x),
    "logsumexp of a matrix": f.logsumexp(A),
    "logsumexp of rows": f.logsumexp(A, 1),
    "logsumexp of columns": f.logsumexp(A, 0),
    "cross-entropy": f.cross_entropy(u, w),
    "cross-entropy of matrices": f.cross_entropy(W, b.power(W, b.num(2))),
    "norm": f.norm(x),
    "norm of a matrix": f.norm(A),
    "column norm": f.column_norm(A),
    "row norm": f.row_norm(A),
    "1-norm": f.norm(x, 1),
    "largest column sum": f.column_norm(A),
    "largest row sum": f.row_norm(A),
    "trace": f.trace(b.matmul(S, T)),
    "det": f.det(Q),
    "inv": f.inv(Q),
    "inv of positive": b.matmul(b.transpose(x), f.inv(b.add(P, b.eye(n))), x),
    "diag": b.diag(b.mul(x, y)),
    "diag used": b.matmul(b.diag(x), S),
    "diagpart": b.diag(b.matmul(S, T)),
    "reshape": f.reshape(b.mul(A, A), n, m),
    "vec": f.vec(b.matmul(A, S)),
    "one_hot": b.mul(a, f.one_hot(place, n)),
    "kron": f.kron(A, B),
    "kron of vectors": f.kron(x, z),
    "softmax with cross-entropy": f.cross_entropy(p, f.softmax(x)),
    "softmax with cross-entropy, by rows": f.cross_entropy(Y, f.softmax(A, 1)),
    "softmax along the axis along which the targets do not sum to 1": f.cross_entropy(Y, f.softmax(A, 0)),
    "conv1d": cnn.conv1d(signal, kernels, stride=2, padding=1),
    "conv2d": cnn.conv2d(image, filters, stride=(2, 1), padding=(1, 0)),
    "conv_transpose1d": cnn.conv_transpose1d(line3, back1, stride=2),
    "conv_transpose2d": cnn.conv_transpose2d(bigger, back, stride=2, padding=(1, 0)),
    "maxpool1d": cnn.maxpool1d(signal, 2),
    "maxpool2d": cnn.maxpool2d(image, 2),
    "maxunpool1d": cnn.maxunpool1d(b.mul(line3, line3), signal, 2),
    "maxunpool2d": cnn.maxunpool2d(b.mul(pooled, pooled), image, 2),
    "avgpool1d": cnn.avgpool1d(signal, 2),
    "avgpool2d": cnn.avgpool2d(image, 2),
    "Σ over entries": b.fold("sum", b.mul(b.at(x, i), b.at(S, i, 2)), [b.binder(i, 1, n)]),
    "Σ with a condition": b.fold(
        "sum", b.mul(b.at(S, i, j), b.at(x, j)), [b.binder(i, 1, n), b.binder(j, 1, n)], [b.rel("!=", i, j)]
    ),
    "∏ over entries": b.fold("prod", b.at(u, i), [b.binder(i, 1, n)]),
    "∏ over two ranges": b.fold("prod", b.at(S, i, j), [b.binder(i, 1, n), b.binder(j, 1, n)]),
    "∏ over a triangle": b.fold("prod", b.at(S, i, j), [b.binder(i, 1, n), b.binder(j, 1, i)], [b.rel("!=", i, 2)]),
    "max over entries": b.fold("max", b.mul(b.at(x, i), b.at(y, i)), [b.binder(i, 1, n)]),
    "min over two ranges": b.fold("min", b.at(S, i, j), [b.binder(i, 1, n), b.binder(j, 1, n)]),
    "Σ of vectors": b.fold("sum", b.mul(b.at(z, i), b.entry(A, [At(i), Cut(1, n)])), [b.binder(i, 1, m)]),
    "built vector": b.build(b.mul(b.at(x, i), b.at(y, i)), [b.binder(i, 1, n)]),
    "built matrix": b.build(b.mul(b.at(x, i), b.at(z, j)), [b.binder(i, 1, n), b.binder(j, 1, m)]),
    "∏ of matrices": b.fold("prod", b.mul(b.at(x, i), b.add(S, b.eye(n))), [b.binder(i, 1, 3)]),
    "∏ of matrices, descending": b.fold("prod", b.add(S, b.mul(b.at(x, i), T)), [b.binder(i, 1, 3)], descending=True),
    **{f"scalar {name}": b.apply(name, *(v(f"s{q}", n) for q in range(row.arity))) for name, row in SCALARS.items()},
    **{
        f"scalar {name} of a matrix inside": b.mul(A, b.apply(name, *(b.mul(c, A) for _ in range(row.arity))))
        for name, row in SCALARS.items()
        if name not in ("log", "sqrt", "max", "min", "where")
    },
    "relu with a slope at zero": b.apply("relu", x, b.num(1)),
    "max with a scalar": b.apply("max", A, b.ZERO),
    "where": b.apply("where", b.compare(">", x, b.ZERO), b.mul(x, y), b.mul(a, x)),
}


@dataclass(frozen=True)
class Operation:
    """The definition out = body in numbers."""

    body: Expr
    out: Var
    numbers: Numbers = field(compare=False)

    @classmethod
    def of(cls, body: Expr, seed: int = 0) -> "Operation":
        if body.row:
            body = b.transpose(body)
        out = b.var("out", (), body.shape)
        random = np.random.default_rng(seed)
        given: dict[tuple[str, tuple[()]], Array] = {}
        for node in postorder(body):
            if isinstance(node, Call) or not hasattr(node, "fn"):
                continue
            for arg in node.children:
                if isinstance(arg, Var) and arg.name.startswith("s"):
                    shape = (4, *(SIZES.get(s, s) for s in arg.shape))
                    given[arg.name, ()] = random.uniform(*SCALARS[node.fn].sample, size=shape)
        if isinstance(body, Expr) and "s0" in {w.name for w in variables(body)} and "where" in repr(body)[:40]:
            given["s0", ()] = (given["s0", ()] > 0).astype(float)
        return cls(body, out, Numbers.of(System((Definition("out", (), body),)), SIZES, 4, seed, given))


def varied(body: Expr) -> list[Var]:
    return [w for w in dict.fromkeys(variables(body)) if w is not place and not _is_condition(body, w)]


def _is_condition(body: Expr, w: Var) -> bool:
    return getattr(body, "fn", "") == "where" and body.children[0] is w


def contracted(g: Array, jacobian: Array, order: int) -> Array:
    """gᵀ J: the axes of the value summed out."""
    points = max(len(g), len(jacobian))
    g, jacobian = (np.broadcast_to(q, (points, *q.shape[1:])) for q in (g, jacobian))
    shape = jacobian.shape[1 + order :]
    return np.einsum("pi,pij->pj", g.reshape(points, -1), jacobian.reshape(points, g[0].size, -1)).reshape(
        points, *shape
    )


def close(got: Array, want: Array, rtol: float = 1e-9) -> None:
    assert got.shape[1:] == want.shape[1:]
    np.testing.assert_allclose(
        *np.broadcast_arrays(got, want), rtol=rtol, atol=rtol * max(1.0, float(np.abs(want).max()))
    )


@pytest.mark.parametrize("name", CASES)
def test_a_rule_multiplies_the_adjoint_by_the_transposed_jacobian(name: str) -> None:
    op = Operation.of(CASES[name])
    g = b.var("g", (), op.body.shape)
    for w in varied(op.body):
        part = adjoint_part(op.body, op.out, g, w)
        assert part.shape == w.shape
        want = contracted(op.numbers.value(g), op.numbers.derivative(op.out, w), op.body.order)
        close(op.numbers.value(part), want)


@pytest.mark.parametrize("name", CASES)
def test_a_rule_read_as_a_jacobian_agrees_with_central_differences(name: str) -> None:
    op = Operation.of(CASES[name], seed=3)
    for w in varied(op.body):
        jacobian = local_jacobian(op.body, op.out, w)
        assert jacobian.shape == op.body.shape + w.shape
        close(op.numbers.value(jacobian), op.numbers.derivative(op.out, w))
        close(op.numbers.value(jacobian), op.numbers.differences(op.out, w, (), 1e-4), 1e-6)


@pytest.mark.parametrize("name", [q for q, body in CASES.items() if body.order <= 1])
def test_matrix_and_entry_readings_of_a_jacobian_agree(name: str) -> None:
    op = Operation.of(CASES[name])
    for w in varied(op.body):
        try:
            matrices = matrix_jacobian(op.body, op.out, w)
        except NotReadable:
            continue
        close(op.numbers.value(entry_jacobian(op.body, op.out, w)), op.numbers.value(matrices))


READABLE = (
    "matrix times vector", "chain ending in a vector", "quadratic form", "bilinear form", "outer product used",
    "sum of vectors", "sum with a scalar", "product", "quotient", "square", "softmax", "joined vectors",
    "stacked scalars", "part of a vector", "one entry of a vector", "transposed in a product", "whole sum", "norm",
    "logsumexp", "trace",
    "det", "cross-entropy", "scalar tanh", "scalar gelu", "where", "row times matrix",
)  # fmt: skip


@pytest.mark.parametrize("name", READABLE)
def test_these_jacobians_are_read_in_matrix_notation(name: str) -> None:
    op = Operation.of(CASES[name])
    for w in (w for w in varied(op.body) if w.order + op.body.order <= 2):
        shown = matrix_jacobian(op.body, op.out, w)
        assert not any(isinstance(q, Build | Fold) for q in postorder(shown)), shown


def test_every_rule_has_a_case() -> None:
    kinds = {type(q) for body in CASES.values() for q in postorder(body)}
    ruled = set(pullback.registry) - {object, Expr}
    assert ruled - kinds == set()
    assert {Fold, Build} <= kinds
    called = {q.fn for body in CASES.values() for q in postorder(body) if isinstance(q, Call)}
    nodes = {name for name, row in FUNCTIONS.items() if row.values is not None and row.values.entries is not None}
    assert (set(CALLS) | nodes) - called - {"vec"} == set()
    applied = {getattr(q, "fn", None) for body in CASES.values() for q in postorder(body)}
    assert set(SCALARS) - applied == set()


def test_ties_go_to_the_first() -> None:
    tied = {("x", ()): np.array([[1.0, 3.0, 3.0]]), ("A", ()): np.array([[[2.0, 2.0, 1.0], [0.0, 5.0, 5.0]]])}
    for body, w, want in (
        (b.reduce("max", x), x, [0, 1, 0]),
        (b.reduce("max", A, 1), A, [[1, 0, 0], [0, 1, 0]]),
        (b.reduce("min", b.neg(x)), x, [0, -1, 0]),
        (b.fold("max", b.at(x, i), [b.binder(i, 1, n)]), x, [0, 1, 0]),
        (b.apply("max", x, b.num(3)), x, [0, 1, 1]),
        (b.apply("relu", b.sub(x, b.num(3))), x, [0, 0, 0]),
        (b.apply("relu", b.sub(x, b.num(3)), b.num(1)), x, [0, 1, 1]),
    ):
        out = b.var("out", (), body.shape)
        numbers = Numbers.of(System((Definition("out", (), body),)), SIZES, 1, 0, tied)
        value = numbers.value(adjoint_part(body, out, b.ones(body.shape), w))
        np.testing.assert_array_equal(value[0], want)


def test_an_opaque_loss_passes_on_its_partials() -> None:
    loss = b.opaque("loss", [x, z])
    out = b.var("out")
    assert isinstance(loss, Opaque)
    for w in (x, z):
        assert adjoint_part(loss, out, b.ONE, w) is b.deriv(out, w, "immediate")


SUMS: dict[str, Expr] = {
    "number": a,
    "vector": x,
    "row": b.transpose(x),
    "distribution": p,
    "distribution by rows": Y,
    "scaled ones": b.mul(a, c, b.ones((n,))),
    "scaled vector": b.mul(a, c, x),
    "product of vectors": b.mul(a, x, y),
    "product of three": b.mul(x, y, u),
    "vector beside a number": b.add(x, a, b.mul(x, y)),
    "rows": b.add(b.transpose(x), b.transpose(y)),
    "product of rows": b.mul(b.transpose(x), b.transpose(y)),
    "matrix": b.mul(A, C),
    "matrix beside a vector": b.add(A, x),
}


@pytest.mark.parametrize("body", SUMS.values(), ids=SUMS)
def test_the_sum_of_entries_is_that_of_numpy(body: Expr) -> None:
    numbers = Numbers.of(System(()), SIZES, 4, 0)
    found, value = numbers.value(sum_entries(body)), numbers.value(body)
    expected = value.reshape(len(value), -1).sum(axis=1)
    np.testing.assert_allclose(np.broadcast_to(found, expected.shape), expected, rtol=1e-12)
