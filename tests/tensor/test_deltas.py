"""Contraction of Kronecker's δ: whole expected expressions, and values that do not change."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.tensor import build as b
from symgrad.tensor.comparisons import HOLDS
from symgrad.tensor.deltas import contract_deltas
from symgrad.tensor.evaluate import Env, evaluate
from symgrad.tensor.integers import evaluate_int, index_symbol, size_symbol
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Binder, Expr, Rel
from symgrad.tensor.ranges import certain

n, m, w, s = (size_symbol(name) for name in "nmws")
i, j, k, r = (index_symbol(name) for name in "ijkr")
SIZES = {n: 4, m: 3, w: 2, s: 2}
x, y, z = b.var("x", shape=(n,)), b.var("y", shape=(n,)), b.var("z", shape=(m,))
A, B = b.var("A", shape=(n, m)), b.var("B", shape=(m, m))
LEAVES = (x, y, z, A, B)

in_n = b.binder(i, 1, n)
in_m = b.binder(j, 1, m)


def total(body: Expr, *binders: Binder, conds: tuple[Rel, ...] = ()) -> Expr:
    return b.fold("sum", body, binders, conds)


CASES: Mapping[str, tuple[Expr, tuple[Binder, ...], Expr]] = {
    "picks": (total(b.mul(b.delta(i, k), b.at(x, k)), b.binder(k, 1, n)), (in_n,), b.at(x, i)),
    "keeps the range where it can fail": (
        total(b.mul(b.delta(i, k), b.at(x, k)), b.binder(k, 1, n)),
        (),
        b.mul(b.iverson(b.rel("<=", 1, i), b.rel("<=", i, n)), b.at(x, i)),
    ),
    "δ alone": (total(b.delta(i, k), b.binder(k, 1, n)), (in_n,), b.ONE),
    "two δ": (
        total(b.mul(b.delta(i, k), b.delta(j, r), b.at(A, k, r)), b.binder(k, 1, n), b.binder(r, 1, m)),
        (in_n, in_m),
        b.at(A, i, j),
    ),
    "δ under an inner sum": (
        total(
            b.mul(b.at(x, k), total(b.mul(b.delta(k, i), b.at(A, k, r)), b.binder(r, 1, m))),
            b.binder(k, 1, n),
        ),
        (in_n,),
        b.mul(b.at(x, i), total(b.at(A, i, r), b.binder(r, 1, m))),
    ),
    "a sum of terms": (
        total(b.mul(b.sub(b.delta(i, k), b.at(y, k)), b.at(x, k)), b.binder(k, 1, n)),
        (in_n,),
        b.sub(b.at(x, i), total(b.mul(b.at(y, k), b.at(x, k)), b.binder(k, 1, n))),
    ),
    "affine": (
        total(b.mul(b.delta(i, s * r + k - 1), b.at(x, r), b.at(z, k)), b.binder(r, 1, n), b.binder(k, 1, m)),
        (in_n,),
        total(
            b.mul(
                b.iverson(b.rel("<=", 1, i - s * r + 1), b.rel("<=", i - s * r + 1, m)),
                b.at(x, r),
                b.at(z, i - s * r + 1),
            ),
            b.binder(r, 1, n),
        ),
    ),
    "a condition of the sum": (
        total(b.at(x, k), b.binder(k, 1, n), conds=(b.rel("==", k, i),)),
        (in_n,),
        b.at(x, i),
    ),
    "inside a built tensor": (
        b.build(total(b.mul(b.delta(i, k), b.at(x, k)), b.binder(k, 1, n)), [in_n]),
        (),
        b.build(b.at(x, i), [in_n]),
    ),
    "the diagonal of a product": (
        component(b.matmul(b.diag(x), A), (i, j)),
        (in_n, in_m),
        b.mul(b.at(x, i), b.at(A, i, j)),
    ),
    "a product with the identity tensor": (
        component(b.chain([A, b.identity_tensor((n, m))], [2]), (i, j)),
        (in_n, in_m),
        b.at(A, i, j),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_contraction(name: str) -> None:
    expr, within, expected = CASES[name]
    assert contract_deltas(expr, within) is expected


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("place", [(1, 1), (4, 3), (2, 2)])
def test_contraction_keeps_the_value(name: str, place: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    expr, within, _ = CASES[name]
    values = {v: rng.normal(size=(2, *(SIZES[d] for d in v.shape))) for v in LEAVES}
    env = Env.of(values, SIZES, dict(zip((i, j), place, strict=True)))
    before, after = evaluate(expr, env), evaluate(contract_deltas(expr, within), env)
    np.testing.assert_allclose(*np.broadcast_arrays(before, after), rtol=1e-12)


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        (b.rel("==", n, n), True),
        (b.rel("==", n, n + 1), False),
        (b.rel("==", 2 * n, 3), False),
        (b.rel("==", n, m), None),
        (b.rel("!=", n, n), False),
        (b.rel("!=", n, n + 1), True),
        (b.rel("!=", n, m), None),
        (b.rel("<=", 1, n), True),
        (b.rel("<=", n, 0), False),
        (b.rel("<=", n, 1), None),
        (b.rel("<", n, n + m), True),
        (b.rel("<", n, n), False),
        (b.rel("<", 1, n), None),
        (b.rel(">=", n, 1), True),
        (b.rel(">=", 0, n), False),
        (b.rel(">=", n, 2), None),
        (b.rel(">", n, 0), True),
        (b.rel(">", n, n), False),
        (b.rel(">", n, 1), None),
        (b.rel("<", i, 0), None),
    ],
)
def test_what_holds_for_all_sizes(relation: Rel, expected: bool | None) -> None:
    assert b.holds(relation) is expected


RANGES = {i: in_n, k: b.binder(k, 1, i)}


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        (b.rel("<=", 1, i), True),
        (b.rel("<", 0, i), True),
        (b.rel("<=", i, n), True),
        (b.rel(">", i, n), False),
        (b.rel("<=", k, n), True),
        (b.rel("==", i, n + 1), False),
        (b.rel("!=", i, 0), True),
        (b.rel("<=", i, n - 1), None),
        (b.rel("==", i, k), None),
        (b.rel("<=", 1, n + 1 - i), True),
        (b.rel("<=", j, n), None),
    ],
)
def test_what_is_certain_in_ranges(relation: Rel, expected: bool | None) -> None:
    assert certain(relation, RANGES) is expected


RELATIONS = st.builds(
    b.rel,
    st.sampled_from(("==", "!=", "<", "<=", ">", ">=")),
    *[st.tuples(*[st.integers(-2, 2)] * 4).map(lambda c: c[0] + c[1] * n + c[2] * i + c[3] * k)] * 2,
)


@settings(max_examples=200, deadline=None)
@given(RELATIONS)
def test_what_is_said_to_be_certain_holds_at_every_index(relation: Rel) -> None:
    places = [{n: a, i: c, k: d} for a in range(1, 6) for c in range(1, a + 1) for d in range(1, c + 1)]
    sides = [(evaluate_int(relation.left, place), evaluate_int(relation.right, place)) for place in places]
    known = certain(relation, RANGES)
    assert known is None or {HOLDS[relation.op](*x) for x in sides} == {known}
