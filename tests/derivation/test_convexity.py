"""Convexity: proofs by the Hessian, counterexamples by a chord, and neither where rounding would decide."""

import numpy as np
import pytest

from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Result, lines
from symgrad.problem.elaborate import load_problem

PROBLEM = """
title: Convexity
symbols:
  X: {shape: [m, n]}
  y: {shape: m}
  w: {shape: n}
  u: {shape: n}
  A: {shape: [n, n], is: positive-definite}
  B: {shape: [n, n]}
  z: {shape: K}
  k: {shape: K, is: one-hot}
  r: {}
  b: {is: probability}
  s: {is: positive}
questions:
  - {id: only, ask: convexity, of: '%s', over: %s}
"""
CONVEX = {
    "least squares": ("norm(X @ w - y)**2", "w"),
    "ridge": ("sum((X @ w - y)**2) + s*sum(w**2)", "w"),
    "positive definite form": ("w.T @ A @ w", "w"),
    "cross-entropy of a softmax": ("cross_entropy(k, softmax(z))", "z"),
    "log-sum-exp": ("logsumexp(z)", "z"),
    "logistic loss": ("log(1 + exp(-(w.T @ u)))", "w"),
    "binary cross-entropy": ("-b*log(sigmoid(w.T @ u)) - (1 - b)*log(1 - sigmoid(w.T @ u))", "w"),
    "softplus": ("sum(softplus(X @ w))", "w"),
    "minus log": ("-log(s)", "s"),
    "even powers": ("r**4 + r**2", "r"),
    "logistic loss with a bias": ("log(1 + exp(-b*(w.T @ u + r)))", "w"),
}
TOGETHER = {
    "a norm squared with a bias": ("norm(X @ w + r - y)**2", "[w, r]", True),
    "logistic loss with a bias": ("log(1 + exp(-b*(w.T @ u + r)))", "[w, r]", True),
    "cross-entropy of a linear classifier": ("cross_entropy(k, softmax(M @ u + z))", "[M, z]", True),
    "hinge": ("max(0, 1 - b*(w.T @ u + r))", "[w, r]", True),
    "a square over a number": ("r**2/s", "[r, s]", True),
    "relative entropy": ("s*log(s/s2)", "[s, s2]", True),
    "minus the geometric mean": ("-sqrt(s*s2)", "[s, s2]", True),
    "three squares": ("r**2 + r*r2 + r2**2 + s**2", "[r, r2, s]", True),
    "a product of two weights": ("(1 - r*r2)**2", "[r, r2]", False),
    "a saddle": ("r**2 + 3*r*r2 + r2**2", "[r, r2]", False),
    "two layers": ("(w.T @ B @ u - r)**2", "[w, B]", False),
}
NOT_CONVEX = {
    "an indefinite form": ("w.T @ B @ w", "w"),
    "squares behind a sigmoid": ("(sigmoid(r) - b)**2", "r"),
    "a double well": ("r**4 - r**2", "r"),
    "squares behind tanh": ("sum((tanh(X @ w) - y)**2)", "w"),
    "log": ("log(s)", "s"),
}


def solved(of: str, over: str) -> Result:
    """The result for one quantity."""
    (found,) = solve_problem(load_problem(PROBLEM % (of, over)))
    assert found.status == "certified", found.message
    return found.results[0]


@pytest.mark.parametrize(("of", "over"), CONVEX.values(), ids=CONVEX)
def test_convex(of: str, over: str) -> None:
    result = solved(of, over)
    assert result.exact is True
    assert any(x.relation == ">=" for x in lines(result.blocks))
    assert any("eigenvalue" in c.kind for c in result.checks)


@pytest.mark.parametrize(("of", "over"), NOT_CONVEX.values(), ids=NOT_CONVEX)
def test_not_convex(of: str, over: str) -> None:
    result = solved(of, over)
    assert result.exact is False
    first, second, middle = (float(v) for v in result.extra["counterexample"]["values"])
    assert middle > (first + second) / 2


def test_the_chord_by_hand() -> None:
    example = solved("w.T @ B @ w", "w").extra["counterexample"]
    matrix = np.array(example["B"], float)
    names = [k for k in example if k not in ("B", "values")]
    ends = [np.array(example[k], float) for k in names]
    points = [*ends, (ends[0] + ends[1]) / 2]
    assert [float(p @ matrix @ p) for p in points] == pytest.approx([float(v) for v in example["values"]])


BY_COMPOSITION = {
    "hinge": ("max(0, 1 - r*(w.T @ u))", "w"),
    "absolute values": ("sum(abs(w))", "w"),
    "a norm": ("norm(X @ w - y)", "w"),
    "the largest score": ("max(z)", "z"),
    "affine": ("w.T @ u + r", "w"),
    "a matrix": ("norm(B)**2 + s*sum(abs(B))", "B"),
    "elastic net": ("sum((y - X @ w)**2)/2 + s*sum(abs(w))", "w"),
    "support vector machine": ("s/2*norm(w)**2 + mean(max(0, 1 - y*(X @ w)))", "w"),
    "logistic loss over data": ("-sum(k2*log(sigmoid(X @ w)) + (1 - k2)*log(1 - sigmoid(X @ w)))", "w"),
    "Huber": ("where(abs(r) <= s, r**2/2, s*(abs(r) - s/2))", "r"),
    "two kinks": ("relu(r) + relu(2 - r)", "r"),
    "leaky": ("where(r > 0, r, b*r)", "r"),
    "log-sum-exp by hand": ("log(sum(exp(z)))", "z"),
    "cross-entropy by hand": ("-(k.T @ log(softmax(z)))", "z"),
    "relative entropy to a softmax": ("sum(q*log(q/softmax(z)))", "z"),
}
NOT_CONVEX_IN_SMALL_PLACES = {
    "a concave kink between small points": "where(abs(r) <= 1, r**2, abs(r))",
    "cut off far away": "min(r**2, 100)",
    "a jump far away": "where(r > 10, 0, r**2)",
    "a shallow double well": "r**4 - r**2/1000",
    "convex but far away": "exp(r) - r**2/1000000",
    "a falling slope": "where(r > 0, r, 2*r)",
    "the square of a jump": "where(r > 0, 1, 2)**2",
}


@pytest.mark.parametrize(("of", "over"), BY_COMPOSITION.values(), ids=BY_COMPOSITION)
def test_convex_by_composition(of: str, over: str) -> None:
    problem = PROBLEM.replace(
        "symbols:\n", "symbols:\n  k2: {shape: m, is: probability}\n  q: {shape: K, is: probability}\n"
    )
    (found,) = solve_problem(load_problem(problem % (of, over)))
    assert found.status == "certified", found.message
    assert found.results[0].exact is True


@pytest.mark.parametrize(("of", "over", "convex"), TOGETHER.values(), ids=TOGETHER)
def test_several_variables_together(of: str, over: str, convex: bool) -> None:
    more = "  M: {shape: [K, n]}\n  s2: {is: positive}\n  r2: {}\n"
    problem = PROBLEM.replace("symbols:\n", f"symbols:\n{more}")
    (found,) = solve_problem(load_problem(problem % (of, over)))
    assert found.status == "certified", found.message
    (result,) = found.results
    assert result.exact is convex
    if not convex:
        first, second, middle = (float(v) for v in result.extra["counterexample"]["values"])
        assert middle > (first + second) / 2


@pytest.mark.parametrize("of", NOT_CONVEX_IN_SMALL_PLACES.values(), ids=NOT_CONVEX_IN_SMALL_PLACES)
def test_a_second_derivative_between_kinks_proves_nothing(of: str) -> None:
    assert solved(of, "r").exact is False


@pytest.mark.parametrize(
    ("of", "assume", "convex"),
    [
        ("r*z2**2", "r > 0", True),
        ("r*z2**2", "r <= 0", False),
        ("(1 - r)*z2**2", "0 < r < 1", True),
        ("r*abs(z2)", "r >= 0", True),
        ("-r*z2**2", "-2 <= r <= -1", True),
        ("r*abs(z2)", "1/2 <= r <= 3", True),
        ("(1 - r)*z2**2", "1/4 <= r <= 1/2", True),
    ],
)
def test_what_is_assumed_counts(of: str, assume: str, convex: bool) -> None:
    problem = PROBLEM.replace("symbols:\n", "symbols:\n  z2: {}\n") % (of, "z2")
    (found,) = solve_problem(load_problem(problem.replace("over: z2}", f"over: z2, assume: ['{assume}']}}")))
    assert found.status == "certified", found.message
    assert found.results[0].exact is convex
