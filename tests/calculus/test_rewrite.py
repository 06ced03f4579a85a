"""Rewrites: what each makes of a formula, and that no value changes, whatever the formula."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.calculus.numeric import Numbers
from symgrad.calculus.rewrite import (
    as_diagonal,
    collect,
    common_scalars,
    distribute,
    factor,
    fold_definitions,
    merge_diagonals,
    multiply_out,
    size,
)
from symgrad.tensor import build as b
from symgrad.tensor.functions import construct as f
from symgrad.tensor.integers import size_symbol
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.system import System

n = size_symbol("n")
s, t = b.var("s"), b.var("t")
x, y, g, u, h = (b.var(name, (), (n,)) for name in ("x", "y", "g", "u", "h"))
A, B, C = (b.var(name, (), (n, n)) for name in "ABC")
mean = b.var("m")
TWO = b.num(2)


def D(v: Expr) -> Expr:
    return b.diag(v)


Rewrite = Callable[[Expr], Expr]


def to_diagonals(root: Expr) -> Expr:
    return as_diagonal(root, g)


def to_names(root: Expr) -> Expr:
    return fold_definitions(root, {b.add(b.matmul(A, x), y): h, b.mean(x): mean})


TABLE: dict[str, tuple[Rewrite, Expr, Expr]] = {
    "a matrix over a sum": (distribute, b.matmul(A, b.add(x, y)), b.add(b.matmul(A, x), b.matmul(A, y))),
    "a sum over a matrix": (distribute, b.matmul(b.add(A, B), x), b.add(b.matmul(A, x), b.matmul(B, x))),
    "both": (
        distribute,
        b.matmul(b.add(A, B), b.add(x, y)),
        b.add(b.matmul(A, x), b.matmul(A, y), b.matmul(B, x), b.matmul(B, y)),
    ),
    "a sum with a scalar behind it": (
        distribute,
        b.div(b.add(x, y), s),
        b.add(b.mul(b.power(s, b.MINUS_ONE), x), b.mul(b.power(s, b.MINUS_ONE), y)),
    ),
    "a sum with a scalar before it": (multiply_out, b.mul(s, b.add(x, y)), b.add(b.mul(s, x), b.mul(s, y))),
    "a sum of scalars stays": (distribute, b.mul(b.add(s, t), x), b.mul(b.add(s, t), x)),
    "a sum inside a diag stays": (distribute, b.matmul(D(b.add(x, y)), A, u), b.matmul(D(b.add(x, y)), A, u)),
    "a sum of scalars, multiplied out": (multiply_out, b.mul(b.add(s, t), x), b.add(b.mul(s, x), b.mul(t, x))),
    "entry by entry, multiplied out": (multiply_out, b.mul(u, b.add(x, y)), b.add(b.mul(u, x), b.mul(u, y))),
    "a factor on the left": (factor, b.add(b.matmul(A, x), b.matmul(A, y)), b.matmul(A, b.add(x, y))),
    "a factor on the right": (
        factor,
        b.add(b.matmul(A, C), b.matmul(B, C)),
        b.matmul(b.add(A, B), C),
    ),
    "a factor that is a term": (factor, b.add(A, b.matmul(A, B)), b.matmul(A, b.add(b.eye(n), B))),
    "a factor with numbers": (
        factor,
        b.add(b.mul(TWO, b.matmul(A, x)), b.matmul(A, y)),
        b.matmul(A, b.add(b.mul(TWO, x), y)),
    ),
    "a scalar factor": (factor, b.add(b.mul(s, x), b.mul(s, y)), b.mul(s, b.add(x, y))),
    "nothing shared": (factor, b.add(b.matmul(A, x), b.matmul(B, y)), b.add(b.matmul(A, x), b.matmul(B, y))),
    "a sum of diagonals": (collect, b.add(D(x), b.mul(TWO, D(y))), D(b.add(x, b.mul(TWO, y)))),
    "what is added comes first": (
        collect,
        b.add(b.neg(b.mul(g, x)), b.mul(g, y)),
        b.mul(g, b.sub(y, x)),
    ),
    "no shared vector": (collect, b.add(b.mul(g, x), b.mul(u, y)), b.add(b.mul(g, x), b.mul(u, y))),
    "scalars of every term": (
        common_scalars,
        b.sub(b.mul(s, u), b.mul(b.power(s, TWO), x)),
        b.mul(s, b.sub(u, b.mul(s, x))),
    ),
    "a scalar of one term": (common_scalars, b.add(b.mul(s, u), x), b.add(b.mul(s, u), x)),
    "neighbouring diagonals": (merge_diagonals, b.matmul(D(x), D(y), A), b.matmul(D(b.mul(x, y)), A)),
    "diagonals apart": (merge_diagonals, b.matmul(D(x), A, D(y)), b.matmul(D(x), A, D(y))),
    "weights beside an adjoint": (to_diagonals, b.mul(x, b.matmul(A, g)), b.matmul(D(x), A, g)),
    "weights and a number": (to_diagonals, b.mul(s, x, y, g), b.mul(s, b.matmul(D(b.mul(x, y)), g))),
    "weights without the adjoint": (to_diagonals, b.mul(x, b.matmul(A, u)), b.mul(x, b.matmul(A, u))),
    "a defined sum by its name": (to_names, b.add(b.matmul(A, x), y, u), b.add(u, h)),
    "a defined sum taken away": (to_names, b.sub(u, b.add(b.matmul(A, x), y)), b.sub(u, h)),
    "the sum behind a mean": (to_names, b.mul(s, f.sum_of(x)), b.mul(s, mean, b.count(n))),
}  # fmt: skip


@pytest.mark.parametrize(("rewrite", "before", "after"), TABLE.values(), ids=TABLE)
def test_what_a_rewrite_makes(rewrite: Rewrite, before: Expr, after: Expr) -> None:
    assert rewrite(before) is after


@pytest.mark.parametrize(
    ("expr", "names"),
    [(x, 1), (b.add(x, y), 2), (b.matmul(A, b.add(x, y)), 3), (b.deriv(s, x), 2), (b.mul(s, s, x), 3)],
)
def test_size_counts_what_is_shown(expr: Expr, names: int) -> None:
    assert size(expr) == names


def _grown(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda p: b.add(*p)),
        pairs.map(lambda p: b.sub(*p)),
        pairs.map(lambda p: b.mul(*p)),
        st.tuples(st.sampled_from([A, B, D(x), D(u), b.add(A, B)]), inner).map(lambda p: b.matmul(*p)),
        st.tuples(st.sampled_from([s, t, b.add(s, t), b.power(s, TWO), b.num("-1/2")]), inner).map(lambda p: b.mul(*p)),
    )


VECTORS = st.recursive(st.sampled_from([x, y, g, u]), _grown, max_leaves=8)
REWRITES = [distribute, multiply_out, factor, collect, common_scalars, merge_diagonals, to_diagonals]
VALUES = Numbers.of(System(()), {n: 3}, 3, 1)


@given(VECTORS, st.sampled_from(REWRITES))
@settings(max_examples=200, deadline=None)
def test_no_rewrite_changes_a_value(expr: Expr, rewrite: Rewrite) -> None:
    before = VALUES.value(expr)
    np.testing.assert_allclose(VALUES.value(rewrite(expr)), before, rtol=1e-9, atol=1e-9 * (1 + np.abs(before).max()))


def test_a_name_is_not_its_own_definition() -> None:
    assert isinstance(to_names(b.add(b.matmul(A, x), y)), Var)
