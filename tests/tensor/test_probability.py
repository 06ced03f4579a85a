"""Densities and integrals: what they stand for in numbers, and how they print."""

import numpy as np
import pytest

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.workspace import choose_sizes
from symgrad.errors import ProblemError
from symgrad.notation.latex import latex
from symgrad.notation.read import read
from symgrad.notation.source import source
from symgrad.problem.elaborate import load_problem
from symgrad.tensor.nodes import Density, Expr, Integral, Law
from symgrad.tensor.probability import expanded
from symgrad.tensor.walk import postorder

HEAD = """
title: Densities
symbols:
  p(x, z): {is: density}
  q(z): {is: density}
  r(z): {is: density}
  D(z): {is: function, range: [0, 1]}
  mu: {}
  y: {}
  s: {is: positive}
  m: {shape: d}
  v: {shape: d, is: positive}
  u: {shape: d}
model:
  - value = %s
questions: [{id: only, ask: evaluate, of: value}]
"""


def numbers(text: str) -> tuple[Expr, Numbers]:
    """The expression and one instance of everything in it."""
    problem = load_problem(HEAD % text)
    expr = problem.system.body(problem.node("value"))
    assert expr is not None
    sizes = choose_sizes(problem.system, [expr])[0]
    return expr, Numbers.of(problem.system, sizes, 3)


def table(n: Numbers, expr: Expr, name: str) -> np.ndarray:
    """The values of a density at the common points."""
    node = next(x.table for x in postorder(expr) if isinstance(x, Density) and x.table.name == name)  # type: ignore[attr-defined]
    return n.value(node)


DISCRETE = {
    "E(D(z), z ~ q)": lambda q, r, d: (q * d).sum(1),
    "Var(D(z), z ~ q)": lambda q, r, d: (q * d**2).sum(1) - (q * d).sum(1) ** 2,
    "KL(q, r) + 0*E(D(z), z ~ q)": lambda q, r, d: (q * np.log(q / r)).sum(1),
    "integral(q(z)*D(z), z) + 0*KL(q, r)": lambda q, r, d: (q * d).sum(1),
}


@pytest.mark.parametrize("text", DISCRETE)
def test_integrals_are_sums_over_common_points(text: str) -> None:
    expr, n = numbers(text)
    found = {x.table.name: n.value(x.table) for x in postorder(expr) if isinstance(x, Density)}  # type: ignore[attr-defined]
    empty = np.ones(1)
    want = DISCRETE[text](found.get("q", empty), found.get("r", empty), found.get("D", empty))
    np.testing.assert_allclose(n.value(expr), want, rtol=1e-12)


def test_marginals_and_conditionals() -> None:
    expr, n = numbers("p(z | x) * p(x) - p(x, z)")
    np.testing.assert_allclose(n.value(expr), 0, atol=1e-15)
    expr, n = numbers("p(z)")
    joint = table(n, expr, "p")
    np.testing.assert_allclose(joint.sum((1, 2)), 1)
    place = next(v for s, v in n.sizes.items() if s.name == "z")
    np.testing.assert_allclose(n.value(expr), joint.sum(1)[:, place - 1])


def test_gaussians_by_quadrature() -> None:
    expr, n = numbers("E(w**4, w ~ normal(mean=mu, cov=s**2)) - (mu**4 + 6*mu**2*s**2 + 3*s**4)")
    np.testing.assert_allclose(n.value(expr), 0, atol=1e-9)
    expr, n = numbers("E(u.T @ u, u ~ normal(mean=m, cov=diag(v))) - m.T @ m - sum(v)")
    np.testing.assert_allclose(n.value(expr), 0, atol=1e-9)
    expr, n = numbers("E(b, b ~ bernoulli(1/4))")
    np.testing.assert_allclose(n.value(expr), 0.25)


def test_a_density_integrates_to_one_in_closed_form() -> None:
    expr, n = numbers("normal(0*mu, mean=0, cov=1)")
    np.testing.assert_allclose(n.value(expr), 1 / np.sqrt(2 * np.pi))


def test_nothing_of_probability_is_left_when_written_out() -> None:
    expr, n = numbers("KL(q(z), p(z | x)) + E(log(q(z)), z ~ q)")
    plain = expanded(expr)
    assert not any(isinstance(x, Density | Law | Integral) for x in postorder(plain))
    np.testing.assert_allclose(n.value(plain), n.value(expr), rtol=1e-12)


PRINTED = {
    "E(log(p(x | z)), z ~ q)": r"\mathbb{E}_{z\sim q} \bigl[\log p(x \mid z)\bigr]",
    "KL(q(z), p(z | x))": r"\operatorname{KL}\bigl(q(z) \parallel p(z \mid x)\bigr)",
    "integral(p(x, z), z)": r"\int p(x, z)\, \mathrm{d} z",
    "Var(D(z), z ~ q)": r"\operatorname{Var}_{z\sim q} \bigl[D(z)\bigr]",
    "KL(normal(y, mean=mu, cov=s**2), normal(y, mean=0, cov=1))": (
        r"\operatorname{KL}\bigl(\mathcal{N}(y; \mu, s^{2}) \parallel \mathcal{N}(y; 0, 1)\bigr)"
    ),
}


@pytest.mark.parametrize("text", PRINTED)
def test_print(text: str) -> None:
    expr, _ = numbers(text)
    assert latex(read(expr)) == PRINTED[text]


@pytest.mark.parametrize("text", ["E(log(p(x | z)), z ~ q(z))", "KL(q(z), p(z | x))", "integral(p(x, z), z)", "D(z)"])
def test_source_is_read_back(text: str) -> None:
    expr, _ = numbers(text)
    assert source(expr) == text
    assert numbers(source(expr))[0] is expr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q(x)", "q(z) is taken at its own variables"),
        ("D()", "D needs z too"),
        ("D(z | z)", "only a density is conditional"),
        ("E(D(z))", "E takes an expression and a distribution"),
        ("KL(q)", "KL takes two densities"),
        ("integral(q(z))", "integral takes an expression and its variables"),
        ("normal(u, mean=m)", "normal takes a point, then mean, cov"),
        ("normal(u, mean=m, cov=v)", "the n × n covariance matrix"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(ProblemError) as error:
        load_problem(HEAD % text)
    assert message in str(error.value)
