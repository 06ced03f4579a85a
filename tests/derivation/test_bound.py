"""Norm bounds: what is stated, and that no norm lies above it."""

import numpy as np
import pytest

import symgrad
from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Derivation, Prose, lines
from symgrad.notation.source import source
from symgrad.problem.elaborate import load_problem

PROBLEM = """
title: Bounds
symbols:
  x[t]: {shape: m}
  h[0]: {shape: n}
  U: {shape: [n, m]}
  W: {shape: [n, n]}
steps: {t: 1..T}
model:
  - h[t] = %s
questions:
  - {id: step, ask: bound, of: "h[t]", wrt: "h[t-1]"}
  - {id: product, ask: bound, of: "h[t]", wrt: "h[k]"}
"""
MODELS = {
    "tanh(U @ x[t] + W @ h[t-1])": "spectral_norm(W)",
    "sigmoid(U @ x[t] + W @ h[t-1])": "1/4*spectral_norm(W)",
    "relu(U @ x[t] + W @ h[t-1])": "spectral_norm(W)",
    "h[t-1] + tanh(U @ x[t] + W @ h[t-1])": "1 + ",
    "W @ h[t-1]": "spectral_norm(W)",
}


def words(d: Derivation) -> str:
    """The sentences of an answer."""
    return " ".join(str(w) for r in d.results for b in r.blocks if isinstance(b, Prose) for w in b.words)


@pytest.mark.parametrize(("model", "bound"), MODELS.items())
def test_the_bound_of_a_step_and_of_many(model: str, bound: str) -> None:
    step, product = solve_problem(load_problem(PROBLEM % model))
    assert (step.status, product.status) == ("certified", "certified"), step.message + product.message
    assert source(step.results[0].value).startswith(bound)
    (boxed,) = [x for x in lines(product.results[0].blocks) if x.boxed]
    assert boxed.relation == "<="
    if bound == "spectral_norm(W)":
        assert source(product.results[0].value) == "spectral_norm(W)**(t-k)"


def test_when_it_vanishes_and_when_it_can_explode() -> None:
    plain, _ = solve_problem(load_problem(PROBLEM % "tanh(U @ x[t] + W @ h[t-1])"))
    assert "vanishes for certain" in words(plain)
    assert "Exploding is possible" in words(plain)
    residual, _ = solve_problem(load_problem(PROBLEM % "h[t-1] + tanh(U @ x[t] + W @ h[t-1])"))
    assert "never below 1" in words(residual)
    assert "vanishes for certain" not in words(residual)


def test_the_numbers_are_norms_and_bounds() -> None:
    space: dict[str, object] = {}
    exec(symgrad.load(PROBLEM % "tanh(U @ x[t] + W @ h[t-1])").solve().text("numpy"), space)
    random = np.random.default_rng(0)
    x, h0, u, w = (random.normal(size=s) for s in ((5, 2), 3, (3, 2), (3, 3)))
    h, jacobian = h0, np.eye(3)
    for k in range(4):
        h = np.tanh(u @ x[k] + w @ h)
        if k >= 1:
            jacobian = np.diag(1 - h**2) @ w @ jacobian
    found = space["product"](x=x, h0=h0, U=u, W=w, t=4, k=1)
    assert found["norm"] == pytest.approx(np.linalg.norm(jacobian, 2))
    assert found["bound"] == pytest.approx(np.linalg.norm(w, 2) ** 3)
    assert found["norm"] <= found["bound"]


def test_a_norm_that_is_none_is_refused() -> None:
    text = (PROBLEM % "W @ h[t-1]").replace('wrt: "h[t-1]"}', 'wrt: "h[t-1]", norm: three}')
    (found,) = solve_problem(load_problem(text), ["step"])
    assert (found.status, found.message) == ("failed", "the norm is one of 2, 1, inf, fro")


OTHER_NORMS = [
    ("relu(W @ h[t-1])", "1", "column_norm(W)"),
    ("relu(W @ h[t-1])", "inf", "row_norm(W)"),
    ("relu(W @ h[t-1])", "fro", "norm(W)"),
    ("W.T @ h[t-1]", "1", "row_norm(W)"),
    ("sigmoid(W @ h[t-1])", "inf", "1/4*row_norm(W)"),
    ("h[t-1] + W @ tanh(W @ h[t-1])", "1", "1 + column_norm(W)**2"),
    ("h[t-1] + W @ h[t-1]", "fro", "sqrt(n) + norm(W)"),
    ("softmax(W @ h[t-1])", "2", "1/2*spectral_norm(W)"),
    ("softmax(W @ h[t-1])", "inf", "1/2*row_norm(W)"),
]


@pytest.mark.parametrize(("model", "norm", "bound"), OTHER_NORMS)
def test_bounds_in_other_norms(model: str, norm: str, bound: str) -> None:
    text = (PROBLEM % model).replace('wrt: "h[t-1]"}', f'wrt: "h[t-1]", norm: {norm}}}')
    (found,) = solve_problem(load_problem(text), ["step"])
    assert found.status == "certified", found.message
    assert source(found.results[0].value) == bound


def test_the_norms_are_those_of_numpy() -> None:
    w = np.random.default_rng(4).normal(size=(3, 3))
    for norm, order in (("1", 1), ("inf", np.inf), ("fro", "fro")):
        text = (PROBLEM % "W @ h[t-1]").replace('wrt: "h[t-1]"}', f'wrt: "h[t-1]", norm: {norm}}}')
        found = symgrad.load(text).solve(["step"])["step"].results[0].evaluate(W=w)
        assert found["norm"] == pytest.approx(np.linalg.norm(w, order))
        assert found["bound"] == pytest.approx(np.linalg.norm(w, order))


LAYERS = """
symbols: {{x: {{shape: n}}, "W[l]": {{shape: [n, n]}}}}
steps: {{l: 1..{last}}}
model: ["h[0] = x", "h[l] = tanh(W[l] @ h[l-1])"]
questions: [{{id: q, ask: bound, of: "h[{last}]", wrt: {wrt}}}]
"""


@pytest.mark.parametrize("last", ["4", "L"])
@pytest.mark.parametrize("wrt", ["x", '"h[0]"'])
def test_between_the_ends_of_a_network(last: str, wrt: str) -> None:
    result = symgrad.load(LAYERS.format(last=last, wrt=wrt)).solve()["q"].results[0]
    assert result.latex == rf"\prod_{{j=1}}^{{{last}}} \lVert W_j \rVert_2"
    random = np.random.default_rng(8)
    x, weights = random.normal(size=3), 0.6 * random.normal(size=(4, 3, 3))
    jacobian, h = np.eye(3), x
    for w in weights:
        h = np.tanh(w @ h)
        jacobian = np.diag(1 - h**2) @ w @ jacobian
    found = result.evaluate(x=x, W=weights)
    np.testing.assert_allclose(found["norm"], np.linalg.norm(jacobian, 2), rtol=1e-10)
    np.testing.assert_allclose(found["bound"], np.prod([np.linalg.norm(w, 2) for w in weights]), rtol=1e-10)
