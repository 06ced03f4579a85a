"""Optima: the place and the value in numbers, against calculations by hand."""

from collections.abc import Callable

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
P, G, Q = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.1, 0.3]), np.array([0.5, 0.25, 0.25])
ARRAYS = {"X": X, "y": Y, "u": U, "c": 0.7, "a": 2.0, "p_data": P, "p_g": G, "q": Q}
BEST = P / (P + G)

CASES: dict[str, tuple[str, Callable[[], object], Callable[[], float]]] = {
    "least squares": (
        "of: norm(X @ w - y)**2, over: w",
        lambda: np.linalg.lstsq(X, Y, rcond=None)[0],
        lambda: float(np.linalg.lstsq(X, Y, rcond=None)[1][0]),
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
