"""Laws over the table of scalar functions: each row's value, derivative, source and proof agree."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import sympy

from symgrad.tensor import build as b
from symgrad.tensor.evaluate import Env, evaluate
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.scalars import SCALARS, ScalarFunction
from symgrad.tensor.stable import Array
from symgrad.tensor.sympy_border import to_sympy

ROWS = list(SCALARS.values())
SMOOTH = [row for row in ROWS if row.smooth]
LETTERS = [b.var(name) for name in "abc"]


def name_of(row: ScalarFunction) -> str:
    return row.name


def leaves(row: ScalarFunction) -> list[Expr]:
    return list(LETTERS[: row.arity])


def points(row: ScalarFunction, count: int = 40) -> list[Array]:
    rng = np.random.default_rng(7)
    drawn = [rng.uniform(*row.sample, count) for _ in range(row.arity)]
    if row.name == "where":
        drawn[0] = (drawn[0] > 0).astype(float)
    return drawn


def numeric(expr: Expr, values: list[Array]) -> Array:
    return evaluate(expr, Env.of(dict(zip(LETTERS, values, strict=False))))


def test_the_table_is_complete() -> None:
    promised = "tanh sigmoid relu exp log sqrt abs sign sin cos softplus gelu silu erf floor ceil max min where"
    assert set(SCALARS) == set(promised.split())


@pytest.mark.parametrize("row", SMOOTH, ids=name_of)
def test_sympy_proves_the_displayed_derivative(row: ScalarFunction) -> None:
    u = sympy.Symbol("a", positive=True) if row.sample[0] > 0 else sympy.Symbol("a", real=True)
    args = leaves(row)
    (displayed,) = row.derivative(args, b.apply(row.name, *args))

    def lookup(node: Var, indices: tuple[int, ...]) -> sympy.Expr:
        return u

    true = sympy.diff(row.sympy(u), u)
    for way in (displayed, *row.spelled(args[0])):
        shown = to_sympy(way, {}, lookup)
        assert sympy.simplify((shown - true).rewrite(sympy.exp)) == 0


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_complex_steps_and_differences_agree_with_the_derivative(row: ScalarFunction) -> None:
    values = points(row)
    args = leaves(row)
    shown = row.derivative(args, b.apply(row.name, *args))
    assert len(shown) == row.arity
    for k, derivative in enumerate(shown):
        found = np.broadcast_to(numeric(derivative, values), values[0].shape)
        if row.name == "where" and k == 0:
            assert not found.any()
            continue
        stepped = [v + 1e-20j * (q == k) for q, v in enumerate(values)]
        np.testing.assert_allclose(found, row.compute(*stepped).imag / 1e-20, rtol=1e-12, atol=1e-14)
        up, down = ([v + sign * 1e-6 * (q == k) for q, v in enumerate(values)] for sign in (1, -1))
        np.testing.assert_allclose(found, (row.compute(*up) - row.compute(*down)) / 2e-6, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_value_is_what_sympy_says(row: ScalarFunction) -> None:
    values = points(row, 5)
    expected = [float(row.sympy(*(sympy.Float(float(v[p])) for v in values))) for p in range(5)]
    np.testing.assert_allclose(row.compute(*values), expected, rtol=1e-12)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_source_computes_the_value(row: ScalarFunction) -> None:
    space: dict[str, object] = {"np": np, "math": math}
    values = points(row)
    space.update(zip("abc", values, strict=False))
    for helper in row.helpers:
        exec(helper, space)
    found = eval(row.code.format(*"abc"), space)
    np.testing.assert_allclose(found, row.compute(*values), rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "at", "value"),
    [
        ("sigmoid", 1000.0, 1.0),
        ("sigmoid", -1000.0, 0.0),
        ("softplus", 1000.0, 1000.0),
        ("softplus", -1000.0, 0.0),
        ("silu", -1000.0, 0.0),
        ("tanh", 1000.0, 1.0),
        ("relu", 0.0, 0.0),
        ("sign", 0.0, 0.0),
    ],
)
def test_nothing_overflows(function: str, at: float, value: float) -> None:
    compute: Callable[..., Array] = SCALARS[function].compute
    assert compute(np.array([at])) == value
    assert compute(np.array([at + 1e-20j])).real == value


def test_conventions_at_kinks() -> None:
    zero = [np.zeros(1)]
    (plain,) = SCALARS["relu"].derivative([LETTERS[0]], b.apply("relu", LETTERS[0]))
    assert numeric(plain, zero) == 0
    half = b.div(b.ONE, b.num(2))
    agreed, constant = SCALARS["relu"].derivative([LETTERS[0], half], b.apply("relu", LETTERS[0], half))
    assert numeric(agreed, zero) == 0.5
    assert b.is_zero(constant)
    assert numeric(b.apply("relu", LETTERS[0], half), zero) == 0
    tie = [np.ones(1), np.ones(1)]
    for name in ("max", "min"):
        first, second = SCALARS[name].derivative(LETTERS[:2], b.apply(name, *LETTERS[:2]))
        assert (numeric(first, tie), numeric(second, tie)) == (1, 0)
