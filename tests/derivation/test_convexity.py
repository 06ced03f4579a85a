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
