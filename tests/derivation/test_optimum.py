"""Optima: the place and the value in numbers, against calculations by hand."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgrad
from symgrad.derivation.solve import solve_problem
from symgrad.problem.elaborate import load_problem

HEAD = """
title: Optima
symbols:
  X: {shape: [m, n]}
  y: {shape: m}
  w: {shape: n}
  u: {shape: n}
  h: {shape: n}
  c: {}
  x: {}
  a: {is: positive}
  p: {shape: K, is: probability}
  q: {shape: K, is: probability}
  v: {}
  p_data(z): {is: density}
  p_g(z): {is: density}
  D(z): {is: function, range: [0, 1]}
questions:
  - {id: only, ask: optimum, %s}
"""
R = np.random.default_rng(3)
X, Y, U = R.normal(size=(6, 3)), R.normal(size=6), R.normal(size=3)
XC = X - X.mean(axis=0)
P, G, Q = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.1, 0.3]), np.array([0.5, 0.25, 0.25])
ARRAYS = {"X": X, "y": Y, "u": U, "c": 0.7, "a": 2.0, "p_data": P, "p_g": G, "q": Q}
BEST = P / (P + G)

CASES: dict[str, tuple[str, Callable[[], object], Callable[[], float]]] = {
    "least squares": (
        "of: norm(X @ w - y)**2, over: w",
        lambda: np.linalg.lstsq(X, Y, rcond=None)[0],
        lambda: float(np.linalg.lstsq(X, Y, rcond=None)[1][0]),
    ),
    "mean squares": (
        "of: mean((X @ w - y)**2), over: w",
        lambda: np.linalg.lstsq(X, Y, rcond=None)[0],
        lambda: float(np.linalg.lstsq(X, Y, rcond=None)[1][0] / 6),
    ),
    "a parabola": ("of: a*x**2 - c*x, over: x", lambda: 0.7 / 4, lambda: -0.49 / 8),
    "maximum on the sphere": (
        "of: 'sigmoid(c + u.T @ h)', over: h, subject_to: norm(h) == 1, sense: max",
        lambda: U / np.linalg.norm(U),
        lambda: 1 / (1 + np.exp(-0.7 - np.linalg.norm(U))),
    ),
    "minimum on the sphere": (
        "of: 'c + u.T @ h', over: h, subject_to: 'h.T @ h == 1', sense: min",
        lambda: -U / np.linalg.norm(U),
        lambda: 0.7 - np.linalg.norm(U),
    ),
    "cross-entropy on the simplex": (
        "of: -sum(q*log(p)), over: p, subject_to: sum(p) == 1",
        lambda: Q,
        lambda: -float(Q @ np.log(Q)),
    ),
    "a sample mean": ("of: sum((y - x)**2), over: x", lambda: Y.mean(), lambda: float(((Y - Y.mean()) ** 2).sum())),
    "the mean of a normal sample": (
        "of: -sum((y - x)**2)/(2*a**2) - m*log(a), over: x, sense: max",
        lambda: Y.mean(),
        lambda: float(-((Y - Y.mean()) ** 2).sum() / 8 - 6 * np.log(2)),
    ),
    "the deviation of a normal sample": (
        "of: -sum((y - c)**2)/(2*a**2) - m*log(a), over: a, sense: max",
        lambda: np.sqrt(((Y - 0.7) ** 2).mean()),
        lambda: float(-3 - 3 * np.log(((Y - 0.7) ** 2).mean())),
    ),
    "in the ball": (
        "of: 'u.T @ h', over: h, subject_to: norm(h) <= 1",
        lambda: -U / np.linalg.norm(U),
        lambda: -float(np.linalg.norm(U)),
    ),
    "on a hyperplane": (
        "of: 'norm(h)**2', over: h, subject_to: 'u.T @ h == c'",
        lambda: 0.7 * U / (U @ U),
        lambda: 0.49 / float(U @ U),
    ),
    "a proximal step": (
        "of: 'u.T @ h + norm(h)**2/(2*a)', over: h",
        lambda: -2 * U,
        lambda: -float(U @ U),
    ),
    "softmax of scores": (
        "of: 'sum(p*log(q)) - sum(p*log(p))/a', over: p, subject_to: sum(p) == 1, sense: max",
        lambda: Q**2 / (Q**2).sum(),
        lambda: float(np.log((Q**2).sum()) / 2),
    ),
    "probabilities need no constraint": (
        "of: -sum(q*log(p)), over: p",
        lambda: Q,
        lambda: -float(Q @ np.log(Q)),
    ),
    "the slope of a sigmoid": ("of: 'grad(sigmoid(x), x)', over: x, sense: max", lambda: 0.0, lambda: 0.25),
    "a divergence of normals": (
        "of: 'KL(normal(v, mean=x, cov=1), normal(v, mean=c, cov=a))', over: x",
        lambda: 0.7,
        lambda: float(np.log(2) / 2 - 0.25),
    ),
    "discriminator": (
        "of: 'E(log(D(z)), z ~ p_data) + E(log(1 - D(z)), z ~ p_g)', over: D(z), sense: max",
        lambda: BEST,
        lambda: float(P @ np.log(BEST) + G @ np.log(1 - BEST)),
    ),
    "least-squares discriminator": (
        "of: 'E((D(z) - 1)**2, z ~ p_data) + E(D(z)**2, z ~ p_g)', over: D, sense: min",
        lambda: BEST,
        lambda: float(P @ (BEST - 1) ** 2 + G @ BEST**2),
    ),
}


OVER_ONE_NUMBER: dict[str, tuple[str, float, float]] = {
    "the lower of two valleys": ("of: x**4/4 - x**3/3 - x**2, over: x", 2, -8 / 3),
    "the higher of two bumps": ("of: 'x*exp(-x**2)', over: x, sense: max", 0.5**0.5, 0.5**0.5 * np.exp(-0.5)),
    "a positive number": ("of: a + 1/a, over: a", 1, 2),
    "entropy of a coin": ("of: '-r*log(r) - (1 - r)*log(1 - r)', over: r, sense: max", 0.5, np.log(2)),
    "binary cross-entropy": ("of: '-s*log(r) - (1 - s)*log(1 - r)', over: r", 0.3, 0.610864302054893),
    "a kink": ("of: 'abs(x - 2)', over: x", 2, 0),
    "beside a kink": ("of: 'abs(x - 2) + x**2', over: x", 0.5, 1.75),
    "two pieces": ("of: 'max(1 - x, x**2)', over: x", (5**0.5 - 1) / 2, (3 - 5**0.5) / 2),
    "Huber": ("of: 'where(abs(x) <= 1, x**2/2, abs(x) - 1/2)', over: x", 0, 0),
    "soft thresholding": ("of: '(x - s)**2/2 + r*abs(x)', over: x, assume: ['r < s']", 0.1, 0.04),
    "nothing left of it": ("of: '(x - s)**2/2 + a*abs(x)', over: x, assume: ['s < a']", 0, 0.045),
    "an end": ("of: '(x - 3)**2', over: x, subject_to: x <= 1", 1, 4),
    "the other end": ("of: '(x - 3)**2', over: x, subject_to: [0 <= x, x <= 1], sense: max", 0, 9),
    "between the ends": ("of: 'x*(1 - x)', over: x, subject_to: 0 <= x <= 1, sense: max", 0.5, 0.25),
    "a cubic between ends": ("of: 'x**3 - 3*x', over: x, subject_to: -1 <= x <= 3", 1, -2),
    "what is named beside it": ("of: 'k*x**2 - x', over: x", 1 / (2 * np.exp(0.7)), -1 / (4 * np.exp(0.7))),
}


@pytest.mark.parametrize(("fields", "at", "value"), OVER_ONE_NUMBER.values(), ids=OVER_ONE_NUMBER)
def test_over_one_number(fields: str, at: float, value: float) -> None:
    more = "symbols:\n  r: {is: probability}\n  s: {is: probability}\n"
    problem = symgrad.load(
        (HEAD % fields).replace("symbols:\n", more).replace("questions:", "model: [k = exp(c)]\nquestions:")
    )
    sheet = problem.solve()
    assert sheet["only"].status == "certified", sheet["only"].message
    space: dict[str, Any] = {}
    exec(sheet.text("numpy"), space)
    code = space["only"].__code__
    known = {"r": 0.2, "s": 0.3, "a": 2.0, "c": 0.7}
    found = space["only"](**{k: known[k] for k in code.co_varnames[: code.co_kwonlyargcount]})
    assert (float(found["at"]), float(found["value"])) == pytest.approx((at, value), rel=1e-12, abs=1e-12)


def test_values_that_are_numbers_are_numbers_in_json() -> None:
    sheet = symgrad.load(HEAD % "of: '(x - 1/2)**2 + 3', over: x").solve()
    (result,) = json.loads(sheet.text("json"))["questions"][0]["results"]
    assert (result["at"], result["value"], result["float"]) == ("1/2", 3, 3.0)


TOGETHER: dict[str, tuple[str, dict[str, Any], object]] = {
    "a quadratic form": ("of: x**2 + x*c + c**2 - 3*x, over: [x, c]", {"x": 2, "c": -1}, -3),
    "Rosenbrock": ("of: (1 - x)**2 + 100*(c - x**2)**2, over: [x, c]", {"x": 1, "c": 1}, 0),
    "a normal beside the standard one": (
        "of: 'KL(normal(v, mean=x, cov=a**2), normal(v, mean=0, cov=1))', over: [x, a]",
        {"x": 0, "a": 1},
        0,
    ),
    "a normal sample": (
        "of: 'sum((y - x)**2)/(2*a**2) + m*log(a)', over: [x, a]",
        {"x": Y.mean(), "a": Y.std()},
        3 + 6 * np.log(Y.std()),
    ),
    "with an end": ("of: (x - c)**2 + c**2, over: [x, c], subject_to: x >= 1", {"x": 1, "c": 0.5}, 0.5),
    "least squares with an intercept": (
        "of: 'norm(X @ w + x - y)**2 + a*norm(w)**2', over: [w, x]",
        {
            "w": (b := np.linalg.solve(XC.T @ XC + 2 * np.eye(3), XC.T @ (Y - Y.mean()))),
            "x": Y.mean() - X.mean(axis=0) @ b,
        },
        float(((XC @ b - Y + Y.mean()) ** 2).sum() + 2 * b @ b),
    ),
}


@pytest.mark.parametrize(("fields", "at", "value"), TOGETHER.values(), ids=TOGETHER)
def test_over_several_variables_together(fields: str, at: dict[str, Any], value: float) -> None:
    sheet = symgrad.load(HEAD % fields).solve()
    assert sheet["only"].status == "certified", sheet["only"].message
    space: dict[str, Any] = {}
    exec(sheet.text("numpy"), space)
    code = space["only"].__code__
    found = space["only"](**{k: ARRAYS[k] for k in code.co_varnames[: code.co_kwonlyargcount]})
    assert list(found) == ["at", "value"]
    assert sorted(found["at"]) == sorted(at)
    for name, place in at.items():
        np.testing.assert_allclose(found["at"][name], place, rtol=1e-9)
    np.testing.assert_allclose(found["value"], value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("of", "over", "value"),
    [
        ("w.T @ A @ w / 2 - u.T @ w + c", "w", "c - 1/2*(u.T @ inv(A) @ u)"),
        ("norm(X @ w - y)**2 + a*norm(w)**2", "w", "norm(y)**2 - (y.T @ X @ inv(X.T @ X + a*eye(n)) @ X.T @ y)"),
    ],
)
def test_the_value_of_a_quadratic_form_is_short(of: str, over: str, value: str) -> None:
    more = "symbols:\n  A: {shape: [n, n], is: positive-definite}\n"
    sheet = symgrad.load((HEAD % f"of: '{of}', over: {over}").replace("symbols:\n", more)).solve()
    assert json.loads(sheet.text("json"))["questions"][0]["results"][0]["value"] == value


@pytest.mark.parametrize(("fields", "at", "value"), CASES.values(), ids=CASES)
def test_place_and_value(fields: str, at: Callable[[], object], value: Callable[[], float]) -> None:
    problem = symgrad.load(HEAD % fields)
    sheet = problem.solve()
    answer = sheet["only"]
    assert answer.status == "certified", answer.message
    space: dict[str, object] = {}
    exec(sheet.text("numpy"), space)
    function = space["only"]
    names = function.__kwdefaults__ or {}
    wanted = function.__code__.co_varnames[: function.__code__.co_kwonlyargcount]
    assert not names
    found = function(**{k: ARRAYS[k] for k in wanted})
    np.testing.assert_allclose(found["at"], at(), rtol=1e-9)
    np.testing.assert_allclose(found["value"], value(), rtol=1e-9)


def test_entropy_is_largest_for_equal_probabilities() -> None:
    (found,) = solve_problem(load_problem(HEAD % "of: -sum(p*log(p)), over: p, subject_to: sum(p) == 1, sense: max"))
    assert found.status == "certified", found.message
    from_extra = {k: repr(v) for k, v in found.results[0].extra.items()}
    assert set(from_extra) == {"at", "value"}
    assert "log" in from_extra["value"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("of: a*x**2, over: x, sense: max", "the derivative is zero at x = 0, but that is no maximum"),
        ("of: x**3 - 3*x, over: x", "there is no minimum: it goes to −∞ as x goes to −∞"),
        ("of: sigmoid(x), over: x, sense: max", "there is no maximum: it goes to 1 as x goes to ∞, and nowhere is it"),
        ("of: 1/a, over: a", "there is no minimum: it goes to 0 as a goes to ∞"),
        ("of: 'c*x**2', over: x", "the derivative is zero at x = 0, but that is no minimum"),
        ("of: '(x - c)**2/2 + a*abs(x)', over: x", "which of 3 points is the minimum depends on c, a"),
        ("of: x*c, over: [x, c]", "no point is known in closed form at which the derivative is zero"),
        ("of: x**2 - c**2, over: [x, c]", "there is no minimum: it goes to −∞ as c goes to −∞"),
        ("of: w, over: w", "of a scalar"),
        ("of: a*x**2, over: c", "does not depend"),
        ("of: 'u.T @ h + h.T @ h * c', over: h, subject_to: norm(h) == 1", "linear form"),
        ("of: 'u.T @ h', over: h, subject_to: norm(h) == 2", "known constraints"),
    ],
)
def test_what_has_no_known_optimum_says_so(fields: str, message: str) -> None:
    (found,) = solve_problem(load_problem(HEAD % fields))
    assert found.status == "failed"
    assert message in found.message
