"""Every kind of node as NumPy source: alone, for all steps at once, and inside a recurrence."""

from fractions import Fraction

import numpy_harness as harness
import pytest
from numpy_systems import STEPS, T, d, i, j, k, m, matrix, n, over_steps, scalar, t, total, vector

from symgrad.codegen import Leaf, Program
from symgrad.tensor import build as b
from symgrad.tensor.functions import construct as f
from symgrad.tensor.integers import index_symbol
from symgrad.tensor.nodes import At, Binder, Const, Cut, Expr, Pick
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition, System

SIZES = {T: 4, n: 3, d: 2, k: 5, m: 2}
p, q, r = (index_symbol(x) for x in "pqr")
ONE_TO_N, ONE_TO_D = Binder(i, 1, n), Binder(j, 1, d)

x, y, u = vector("x", n, t), vector("y", n, t), vector("u", n)
A, S, B = matrix("A", n, n), matrix("S", n, n, t), matrix("B", n, d)
g, w = scalar("g"), scalar("w", t)
C = b.var("C", shape=(m, n, d))
D = b.var("D", (t,), (m, n, d))
signal, kernel = vector("signal", n + 2, t), vector("kernel", 3)
place, places = b.var("place", facts=("index",)), b.var("places", (t,), (), ("index",))
positive = b.var("pos", (t,), (n,), ("positive",))
y_hot, prob = b.var("hot", (t,), (k,), ("one-hot",)), b.var("prob", (t,), (k,), ("probability",))

TANH = b.apply("tanh", b.matmul(A, x))

LEAVES = tuple(
    Leaf(v.name, v, (STEPS,) if v.subs else ())
    for v in (x, y, u, A, S, B, g, w, C, D, signal, kernel, place, places, positive, y_hot, prob)
)  # fmt: skip


def scalars() -> dict[str, Expr]:
    """Every scalar function on arguments inside its domain."""
    out: dict[str, Expr] = {}
    for name, row in SCALARS.items():
        if row.arity == 1:
            out[name] = b.apply(name, positive if row.sample[0] > 0 else x)
        elif row.arity == 2:
            out[name] = b.apply(name, x, u)
        else:
            out[name] = b.apply(name, b.compare(">", x, u), x, y)
    return out


EXPRESSIONS: dict[str, Expr] = {
    **scalars(),
    "number": b.mul(b.num(Fraction(1, 3)), x),
    "negative number": b.add(b.num(-2), b.neg(x)),
    "quotients": b.div(b.mul(x, b.num(Fraction(5, 2))), b.mul(positive, b.add(b.ONE, b.power(y, b.num(2))))),
    "count": b.add(b.mul(b.count(t), x), b.count(n - 1)),
    "constant": b.mul(Const("pi"), b.power(positive, Const("e"))),
    "ones": b.add(x, b.ones((n,))),
    "wider": b.mul(w, b.ones((n, d))),
    "one column": b.add(b.call("reshape", (x,), (n, 1)), B),
    "identity": b.add(b.eye(n), S),
    "literal": b.inner(b.literal([Fraction(1), Fraction(-1, 2), 0.25], (3,)), vector("kernel", 3)),
    "power": b.power(positive, x),
    "inverse square": b.power(positive, b.num(-2)),
    "root": b.power(positive, b.num(Fraction(1, 2))),
    "comparison": b.compare("<=", x, y),
    "number compared": b.add(b.compare("<", b.ZERO, x), b.compare(">", y, g)),
    "compared and multiplied": b.mul(b.num(-1), b.compare(">", x, b.ZERO), y),
    "matrix vector": b.matmul(A, x),
    "batched matrix": b.matmul(S, u),
    "both batched": b.matmul(S, x),
    "transposed": b.matmul(b.transpose(S), b.transpose(A), x),
    "row": b.transpose(b.matmul(b.transpose(x), A)),
    "inner": b.inner(x, y),
    "inner with constant": b.inner(u, x),
    "outer": b.outer(x, y),
    "outer with constant": b.outer(u, x),
    "long chain": b.matmul(A, S, b.transpose(A), x),
    "matrices": b.matmul(S, A, B),
    "diagonal left": b.matmul(b.diag(x), A, b.diag(y), u),
    "diagonal alone": b.diag(x),
    "diagonals": b.matmul(b.diag(x), b.diag(u)),
    "diagonal scaled": b.matmul(A, b.diag(x)),
    "column by row of one": b.matmul(x, b.transpose(b.stack(w))),
    "transpose": b.transpose(S),
    "permuted": b.permute(D, (2, 0, 1)),
    "sum": b.reduce("sum", D, 1),
    "sum of all": b.reduce("sum", b.mul(x, y)),
    "product": b.reduce("prod", x),
    "largest": b.reduce("max", S, 0),
    "smallest": b.reduce("min", S),
    "argmax": b.reduce("argmax", x),
    "mean": b.mean(S, 1),
    "entry": b.at(S, 2, 1),
    "cut": b.entry(S, [Cut(2, n), At(1)]),
    "shifted cut": b.entry(signal, [Cut(2, n + 1)]),
    "column": b.entry(S, [Cut(1, n), At(2)]),
    "entry of transpose": b.at(b.transpose(B), 2, 3),
    "entry of sum": b.at(b.add(x, y), 2),
    "picked": b.entry(S, [Pick(place), Cut(1, n)]),
    "picked by step": b.entry(x, [Pick(places)]),
    "picked column": b.entry(C, [Pick(places), Cut(1, n), At(1)]),
    "stack": b.stack(x, u),
    "stack of numbers": b.stack(w, g, b.inner(x, y)),
    "concat": b.concat([x, u]),
    "concat of columns": b.concat([S, A], 1),
    "softmax": f.softmax(x),
    "softmax of rows": f.softmax(S, 1),
    "softmax of columns": f.softmax(S, 0),
    "logsumexp": f.logsumexp(x),
    "logsumexp of rows": f.logsumexp(S, 1),
    "logsumexp of all": f.logsumexp(S),
    "cross-entropy": f.cross_entropy(y_hot, prob),
    "norm": f.norm(x),
    "norm of a matrix": f.norm(S),
    "trace": f.trace(S),
    "determinant": f.det(S),
    "inverse": f.inv(b.add(S, b.mul(b.num(4), b.eye(n)))),
    "diagonal of": b.diag(S),
    "kron": f.kron(x, u),
    "reshape": f.reshape(D, n, m * d),
    "vec": f.vec(S),
    "one-hot": f.one_hot(places, m),
    "built": b.build(b.mul(b.at(x, i), b.at(u, j)), [ONE_TO_N, Binder(j, 1, n)]),
    "built from steps": b.build(b.mul(b.count(i), b.at(x, i)), [ONE_TO_N]),
    "built of vectors": b.build(b.mul(b.at(x, i), y), [ONE_TO_N]),
    "constant built": b.build(w, [ONE_TO_N, ONE_TO_D]),
    "toeplitz": b.build(b.at(signal, i + j - 1), [ONE_TO_N, Binder(j, 1, 3)]),
    "convolution": b.build(
        b.fold("sum", b.mul(b.at(signal, i + p - 1), b.at(kernel, p)), [Binder(p, 1, 3)]), [ONE_TO_N]
    ),
    "reversed": b.build(b.at(x, n + 1 - i), [ONE_TO_N]),
    "triangle": b.build(b.mul(b.iverson(b.rel("<=", i, j)), b.at(S, i, j)), [ONE_TO_N, Binder(j, 1, n)]),
    "delta": b.build(b.mul(b.delta(i, j), b.at(x, i)), [ONE_TO_N, Binder(j, 1, n)]),
    "masked neighbour": b.build(b.mul(b.iverson(b.rel("<=", i + 1, n)), b.at(x, i + 1)), [ONE_TO_N]),
    "masked logarithm": b.build(
        b.mul(b.iverson(b.rel(">", i, 1)), b.apply("log", b.count(i - 1)), b.at(x, i)), [ONE_TO_N]
    ),
    "prefix sums": b.build(b.fold("sum", b.at(x, p), [Binder(p, 1, i)]), [ONE_TO_N]),
    "Σ": b.fold("sum", b.mul(b.at(x, i), b.at(B, i, j)), [ONE_TO_N, ONE_TO_D]),
    "Σ with δ": b.fold("sum", b.mul(b.delta(i, 2), b.at(x, i)), [ONE_TO_N]),
    "Σ of a constant": b.fold("sum", b.mul(w, x), [ONE_TO_D]),
    "Σ under a condition": b.fold("sum", b.at(x, i), [ONE_TO_N], [b.rel("!=", i, 2)]),
    "Σ of matrices": b.fold("sum", b.mul(b.at(x, i), S), [ONE_TO_N]),
    "Σ of Σ": b.fold("sum", b.mul(b.at(x, i), b.fold("sum", b.at(B, i, j), [ONE_TO_D])), [ONE_TO_N]),
    "Σ above an index": b.build(
        b.fold("sum", b.at(S, i, j), [Binder(j, 1, n)], [b.rel("<", i, j)]), [ONE_TO_N]
    ),
    "∏": b.fold("prod", b.add(b.ONE, b.at(x, i)), [ONE_TO_N]),
    "∏ under a condition": b.fold("prod", b.at(x, i), [ONE_TO_N], [b.rel("!=", i, 2)]),
    "∏ of the others": b.build(
        b.fold("prod", b.at(x, p), [Binder(p, 1, n)], [b.rel("!=", p, i)]), [ONE_TO_N]
    ),
    "max": b.fold("max", b.at(x, i), [ONE_TO_N]),
    "min under a condition": b.fold("min", b.at(x, i), [ONE_TO_N], [b.rel(">", i, 1)]),
    "max of vectors": b.fold("max", b.entry(S, [At(i), Cut(1, n)]), [ONE_TO_N]),
    "product of matrices": b.fold("prod", b.add(S, b.mul(b.count(i), A)), [Binder(i, 1, 3)]),
    "descending product": b.fold("prod", b.add(S, b.mul(b.count(i), A)), [Binder(i, 1, 3)], (), True),
    "Kronecker δ": b.mul(b.delta(t, 2), x),
    "guard": b.add(y, b.mul(b.iverson(b.rel("<=", t + 1, T)), vector("x", n, t + 1))),
    "nested guard": b.apply("tanh", b.add(y, b.mul(b.iverson(b.rel("<", 1, t)), vector("x", n, t - 1)))),
    "two guards": b.add(
        b.mul(b.iverson(b.rel("==", t, 1)), y), b.mul(b.iverson(b.rel(">=", t, 3)), vector("x", n, t - 2))
    ),
    "chain": b.chain([b.transpose(b.matmul(S, A)), B], (1,)),
    "chain over matrices": b.chain([D, b.permute(C, (1, 2, 0))], (2,)),
    "outer chain": b.chain([x, u], (0,)),
    "used twice": b.mul(TANH, b.sub(b.ONE, b.power(TANH, b.num(2)))),
}  # fmt: skip


def program(system: System, output: Expr) -> Program:
    """A program over the inputs of this table."""
    return Program("f", system, output, LEAVES)


def weighted(e: Expr) -> Expr:
    """All entries weighted differently, so that a permutation of them shows."""
    flat = f.vec(e) if e.order else b.stack(e)
    return b.reduce("sum", b.mul(flat, b.apply("sin", flat)))


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_for_all_steps_at_once(name: str) -> None:
    e = EXPRESSIONS[name]
    column = b.transpose(e) if e.row else e
    family = b.var("out", (t,), column.shape)
    system = System((over_steps("out", column),), {t: STEPS})
    harness.check(program(system, b.build(family, [STEPS])), SIZES)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_at_an_open_step(name: str) -> None:
    e = EXPRESSIONS[name]
    column = b.transpose(e) if e.row else e
    made = Program("f", System((), {t: STEPS}), column, LEAVES, (t,))
    for step in (1, 3, 4):
        harness.check(made, {**SIZES, t: step})


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_inside_a_recurrence(name: str) -> None:
    e = EXPRESSIONS[name]
    column = b.transpose(e) if e.row else e
    before = b.var("out", (t - 1,), column.shape)
    body = b.add(column, b.mul(b.num(Fraction(1, 2)), before))
    system = System(
        (
            Definition("out", (0,), b.zeros(column.shape) if column.order else b.num(Fraction(1, 4))),
            over_steps("out", b.apply("sin", body)),
        ),
        {t: STEPS},
    )
    harness.check(program(system, total(b.var("out", (t,), column.shape))), SIZES)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_with_the_state_of_a_recurrence_as_operand(name: str) -> None:
    e = EXPRESSIONS[name]
    state = vector("x", n, t - 1)
    leaves = tuple(Leaf("x0", vector("x", n, 0)) if leaf.argument == "x" else leaf for leaf in LEAVES)
    if any(offset in repr(e) for offset in ("(t + 1,)", "(t - 1,)", "(t - 2,)")):
        pytest.skip("the state reads itself at another step")
    moved = b.add(b.mul(b.num(Fraction(1, 2)), state), b.mul(b.apply("sin", weighted(_at_state(e))), u))
    system = System((over_steps("x", moved),), {t: STEPS})
    made = Program("f", system, total(b.mul(x, b.add(b.ONE, x))), leaves)
    harness.check(made, SIZES, tol=1e-9)


def _at_state(e: Expr) -> Expr:
    return replace_nodes(e, {x: vector("x", n, t - 1)})
