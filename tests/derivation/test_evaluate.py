"""Evaluation: exact values computed by hand, every node on the way, and what is missing named."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

import symgrad
from symgrad.codegen import module
from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Result, lines
from symgrad.problem.elaborate import load_problem
from symgrad.sheet.programs import program

PROBLEM = """
title: Values
symbols:
  x: {shape: n}
  W: {shape: [m, n]}
  b: {shape: m}
  y: {shape: m, is: one-hot}
  s[t]: {shape: n}
  h[0]: {}
  u[t]: {}
  a: {}
  c: {values: 3}
steps: {t: 1..T}
model:
  - z = W @ x + b
  - r = relu(z)
  - p = softmax(z)
  - L = cross_entropy(y, p)
  - h[t] = a*h[t-1] + u[t]
  - S = sum(h[t]*h[t], t=1..T)
  - M = sum(s[t], t=1..T)
  - best = max(u[t], t=1..T)
  - q = x.T @ x / 2
  - d = c*a
questions:
  - {id: q1, ask: evaluate, of: "%s", at: {%s}}
"""


def answer(of: str, at: str) -> Result:
    """The only result of one question."""
    (derivation,) = solve_problem(load_problem(PROBLEM % (of, at)))
    assert derivation.status == "certified", derivation.message
    return derivation.results[0]


HALF = Fraction(1, 2)
CASES = [
    ("r", "x: [1, 2], W: [[1, -1], [1/2, 1/3]], b: 0", [0, Fraction(7, 6)]),
    ("z", "x: [1, 2], W: 1, b: 1/2, m: 3", [Fraction(7, 2)] * 3),
    ("p", 'z: ["log(2)", "log(3)", 0]', [Fraction(1, 3), HALF, Fraction(1, 6)]),
    ("L", "x: [1, 0], W: 0, b: 0, y: [1, 0]", sympy.log(2)),
    ("S", 'u: [1, 2, 3], a: 1/2, "h[0]": 0', Fraction(405, 16)),
    ("h[2]", 'u: 1, a: 1/2, "h[0]": 4', Fraction(5, 2)),
    ("h[2]", '"u[t]": 1, a: 1/2, "h[0]": 4', Fraction(5, 2)),
    ("h[t]", 't: 2, u: 1, a: 0.5, "h[0]": 4', Fraction(5, 2)),
    ("M", "s: [[1, 2], [3, 4.5]]", [4, Fraction(13, 2)]),
    ("best", "u: [1, 7/2, 3]", Fraction(7, 2)),
    ("sum(x*x)", "x: 2, n: 5", 20),
    ("q", '"x[1]": 1, "x[2]": 3, n: 2', 5),
    ("d", "a: 1/3", 1),
    ("tanh(a)", 'a: "log(2)"', Fraction(3, 5)),
    ("exp(a)", "a: 1/2", sympy.exp(sympy.Rational(1, 2))),
    ("grad(q, x)", "x: [3, 4]", [3, 4]),
    ("grad(L, W)", "x: [1, 0], W: 0, b: 0, y: [1, 0]", [[-HALF, 0], [HALF, 0]]),
]


@pytest.mark.parametrize(("of", "at", "expected"), CASES)
def test_values_are_exact(of: str, at: str, expected: object) -> None:
    assert answer(of, at).exact == expected


@pytest.mark.parametrize(("of", "at", "expected"), CASES)
def test_the_program_needs_no_argument_and_returns_the_value(of: str, at: str, expected: object) -> None:
    problem = load_problem(PROBLEM % (of, at))
    made: dict[str, object] = {}
    source = module([program(problem, d) for d in solve_problem(problem)], "Generated")
    exec(compile(source, "<generated>", "exec"), made)
    exact = np.vectorize(float)(np.array(expected, dtype=object))
    np.testing.assert_allclose(np.asarray(made["q1"]()), exact, rtol=1e-13)  # type: ignore[operator]


@pytest.mark.parametrize(("at_zero", "expected"), [("0", 0), ("1/2", HALF), ("1", 1)])
def test_the_derivative_of_relu_at_zero_is_the_chosen_one(at_zero: str, expected: object) -> None:
    (derivation,) = solve_problem(
        load_problem(
            f"""
title: A kink
relu_at_zero: {at_zero}
symbols: {{x: {{shape: 2}}, w: {{shape: 2}}}}
model: ["r = relu(w.T @ x)"]
questions: [{{id: a, ask: evaluate, of: "grad(r, w)", at: {{w: 0, x: 1}}}}]
"""
        )
    )
    assert derivation.status == "certified", derivation.message
    assert derivation.results[0].exact == [expected, expected]


def test_an_irrational_value_has_its_float() -> None:
    result = answer("exp(a)", "a: 1/2")
    assert result.inexact == pytest.approx(np.exp(0.5), rel=1e-15)
    assert answer("d", "a: 1/3").inexact is None


def test_a_long_value_is_a_decimal() -> None:
    x = [Fraction(k, 40) for k in range(40)]
    result = answer("sum(tanh(exp(x)))", f"x: [{', '.join(map(str, x))}]")
    assert result.exact is None
    assert result.inexact == pytest.approx(np.tanh(np.exp(np.array(x, dtype=float))).sum(), rel=1e-14)


def test_the_nodes_stand_in_order_what_is_given_first() -> None:
    names = [line.left.name for line in lines(answer("r", "x: [1, 2], W: 1, b: 0, m: 2").blocks)]  # type: ignore[attr-defined]
    assert names == ["x", "W", "b", "z", "r"]


ERRORS = [
    ("z", "x: [1, 2], W: 1, m: 3", "no value is given for b: add it to 'at'"),
    ("h[2]", "a: 1, u: 1", "no value is given for h[0]: add it to 'at'"),
    ("sum(x*x)", "x: 2", "the size n is not given: add it to 'at'"),
    ("z", "x: [1, 2], W: [[1, 2, 3]], b: 0", "W has 3 entries along an axis of size 2"),
    ("z", "x: [[1, 2]], W: 1, b: 0", "x is a vector of size n; 1 × 2 is given"),
    ("h[t]", 'a: 1, u: 1, "h[0]": 1, T: 4', "say at which t: set it in 'at'"),
    ("log(a)", "a: 0", "log(a) is not a finite real number there"),
]


@pytest.mark.parametrize(("of", "at", "message"), ERRORS)
def test_what_is_missing_is_named(of: str, at: str, message: str) -> None:
    (derivation,) = solve_problem(load_problem(PROBLEM % (of, at)))
    assert (derivation.status, derivation.message) == ("failed", message)


def test_an_open_step_needs_no_number() -> None:
    problem = load_problem("""
title: Open step
symbols:
  x[t]: {}
  h[t-1]: {}
  w: {}
model:
  - h[t] = tanh(w*h[t-1] + x[t])
questions:
  - {id: a, ask: evaluate, of: "h[t]", at: {x: 1, w: 0, "h[t-1]": 1}}
""")
    assert solve_problem(problem)[0].results[0].exact == sympy.tanh(1)


@pytest.mark.parametrize(
    ("of", "at", "expected"),
    [("x > 0", "{x: 2}", True), ("x > 0", "{x: 0}", False), ("u > 1", "{u: [0, 1, 2]}", [False, False, True])],
)
def test_a_comparison_holds_or_not(of: str, at: str, expected: object) -> None:
    text = f"""
symbols: {{x: {{}}, u: {{shape: 3}}}}
model: ["y = x"]
questions: [{{id: q, ask: evaluate, of: "{of}", at: {at}}}]
"""
    assert symgrad.load(text).solve()["q"].results[0].value == expected


def test_a_program_needs_no_end_of_the_steps_that_its_value_does_not_reach() -> None:
    text = """
symbols: {"x[t]": {}, "h[0]": 0, w: {}}
steps: {t: 1..T}
model: ["h[t] = w*h[t-1] + x[t]"]
questions: [{id: a, ask: evaluate, of: "h[2]", at: {x: 1, w: 3}}, {id: b, ask: derivative, of: "h[2]", wrt: w}]
"""
    made: dict[str, object] = {}
    exec(compile(symgrad.load(text).solve().text("numpy"), "<generated>", "exec"), made)
    assert made["a"]() == 4  # type: ignore[operator]
    assert made["b"](x=np.array([5.0, 7.0, 9.0]), w=2.0) == 5  # type: ignore[operator]
