"""Identities: whether they hold, how they are proved, and numbers where they fail."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Derivation, Prose, lines
from symgrad.problem.elaborate import load_problem

PROBLEM = """
title: Identities
symbols:
  A: {shape: [n, n]}
  B: {shape: [n, n]}
  C: {shape: [n, m]}
  G: {shape: [m, k]}
  S: {shape: [n, n], is: positive-definite}
  u: {shape: n}
  v: {shape: n}
  x: {}
  mu: {}
  s: {is: positive}
  w: {}
  q(z): {is: density}
  r(z): {is: density}
  p(y, t): {is: density}
  f(z): {is: function}
model:
  - second = E(w**2, w ~ normal(mean=mu, cov=s**2))
questions:
  - {id: only, ask: identity, left: '%s', right: '%s', relation: '%s'%s}
"""


def answer(left: str, right: str, relation: str = "==", assume: str = "") -> Derivation:
    """The answer to one claim."""
    (found,) = solve_problem(load_problem(PROBLEM % (left, right, relation, assume)))
    assert found.status == "certified", found.message
    return found


TRUE = {
    "transpose of a product": ("(C @ G).T", "G.T @ C.T", "==", "entries"),
    "trace is cyclic": ("trace(A @ B)", "trace(B @ A)", "==", "entries"),
    "Frobenius norm": ("norm(A)**2", "trace(A.T @ A)", "==", "entries"),
    "distributivity": ("A @ (u + v)", "A @ u + A @ v", "==", "entries"),
    "sigmoid": ("sigmoid(-x)", "1 - sigmoid(x)", "==", "identity"),
    "tanh by sigmoid": ("tanh(x)", "2*sigmoid(2*x) - 1", "==", "identity"),
    "Bayes": ("p(t | y)", "p(y | t)*p(t)/p(y)", "==", "rewriting"),
    "marginal": ("integral(p(y, t), t)", "p(y)", "==", "rewriting"),
    "total mass": ("integral(q(z), z)", "1", "==", "rewriting"),
    "variance": ("Var(f(z), z ~ q)", "E(f(z)**2, z ~ q) - E(f(z), z ~ q)**2", "==", "rewriting"),
    "moments": ("second", "mu**2 + s**2", "==", "rewriting"),
    "KL of normals": (
        "KL(normal(u, mean=v, cov=S), normal(u, mean=0, cov=1))",
        "1/2*(trace(S) + v.T @ v - n - log(det(S)))",
        "==",
        "rewriting",
    ),
    "KL is not negative": ("KL(q, r)", "0", ">=", "not negative"),
    "entropy": ("E(log(q(z)), z ~ q)", "E(log(r(z)), z ~ q)", ">=", "not negative"),
    "Jensen": ("E(log(f(z)**2 + 1), z ~ q)", "log(E(f(z)**2 + 1, z ~ q))", "<=", "identity"),
    "Cauchy-Schwarz": ("(u.T @ v)**2", "(u.T @ u)*(v.T @ v)", "<=", "identity"),
    "triangle": ("norm(u + v)", "norm(u) + norm(v)", "<=", "identity"),
}


@pytest.mark.parametrize(("left", "right", "relation", "rule"), TRUE.values(), ids=TRUE)
def test_what_holds_is_proved(left: str, right: str, relation: str, rule: str) -> None:
    (result,) = answer(left, right, relation).results
    assert result.exact is True
    assert result.extra == {"holds": True, "counterexample": None}
    assert rule in {x.rule for x in lines(result.blocks)}
    said = [str(w) for b in result.blocks if isinstance(b, Prose) for w in b.words]
    assert not any("No proof" in w for w in said)
    assert [x.boxed for x in lines(result.blocks)].count(True) == 1


FALSE = {
    "matrices do not commute": ("A @ B", "B @ A", "=="),
    "binomial of matrices": ("(A + B) @ (A - B)", "A @ A - B @ B", "=="),
    "KL is not symmetric": ("KL(q, r)", "KL(r, q)", "=="),
    "a square may be below": ("x**2", "x", ">="),
    "trace of a product": ("trace(A @ B)", "trace(A)*trace(B)", "=="),
}


@pytest.mark.parametrize(("left", "right", "relation"), FALSE.values(), ids=FALSE)
def test_what_fails_has_a_counterexample(left: str, right: str, relation: str) -> None:
    (result,) = answer(left, right, relation).results
    assert result.exact is False
    assert result.extra["holds"] is False
    example = result.extra["counterexample"]
    first, second = np.array(example["left"], float), np.array(example["right"], float)
    assert (first < second).any() if relation == ">=" else (first != second).any()


def test_the_numbers_of_a_counterexample_are_right() -> None:
    (result,) = answer("A @ B", "B @ A").results
    example = result.extra["counterexample"]
    a, b = np.array(example["A"]), np.array(example["B"])
    assert (a @ b == np.array(example["left"])).all()
    assert (b @ a == np.array(example["right"])).all()
    assert (a @ b != b @ a).any()


def test_densities_of_a_counterexample_add_to_one() -> None:
    (result,) = answer("KL(q, r)", "KL(r, q)").results
    example = result.extra["counterexample"]
    assert sum(example["q"]) == Fraction(1)
    q, r = (np.array([float(v) for v in example[name]]) for name in "qr")
    assert example["left"] == pytest.approx(float(q @ np.log(q / r)))


def test_an_assumption_makes_it_true() -> None:
    (result,) = answer("KL(q, r)", "0", "==", ', assume: ["q(z) == r(z)"]').results
    assert result.exact is True


@pytest.mark.parametrize("name", ["vae_elbo", "gan_optimum"])
def test_the_bank_is_proved(name: str) -> None:
    problem = load_problem(Path(__file__).parents[2] / "problems" / f"{name}.yaml")
    for d in solve_problem(problem):
        assert d.status == "certified", d.message
        if d.ask == "identity":
            assert d.results[0].exact is True


FALSE_FAR_AWAY = [
    ("0", "u.T @ A @ u", "<="),
    ("x", "1000", "<="),
    ("log(1 + exp(x))", "x + 10", "<="),
    ("x**2", "1000*s + 30", "<="),
    ("exp(-x**2)", "1/1000000", ">="),
    ("floor(x + 1/1000)", "floor(x)", "=="),
]


@pytest.mark.parametrize(("left", "right", "relation"), FALSE_FAR_AWAY)
def test_what_fails_far_away_is_refuted(left: str, right: str, relation: str) -> None:
    (result,) = answer(left, right, relation).results
    assert result.exact is False
    assert result.extra["counterexample"]


HARD_TO_COMPUTE = [
    ("sigmoid(x)", "exp(x)/(1 + exp(x))", "=="),
    ("log(1 + exp(x))", "max(x, 0)", ">="),
    ("norm(u + v)", "norm(u) + norm(v)", "<="),
    ("softmax(u + x)", "softmax(u)", "=="),
    ("log(softmax(u))", "u - logsumexp(u)", "=="),
    ("inv(S + u @ u.T)", "inv(S) - inv(S) @ u @ u.T @ inv(S)/(1 + u.T @ inv(S) @ u)", "=="),
    ("E(exp(w), w ~ normal(mean=mu, cov=s**2))", "exp(mu + s**2/2)", "=="),
    ("x**2 - 2*x*s + s**2", "0", ">="),
]


@pytest.mark.parametrize(("left", "right", "relation"), HARD_TO_COMPUTE)
def test_rounding_refutes_nothing(left: str, right: str, relation: str) -> None:
    (result,) = answer(left, right, relation).results
    assert result.exact is True


ASSUMED = [
    ("abs(x)", "x", "==", "x > 0", True),
    ("x", "x**2", "<=", "x >= 1", True),
    ("x", "x**2", "<=", "x >= 0", False),
    ("max(x, s)", "s", "==", "x < s", True),
    ("norm(2*u)", "2", "==", "norm(u) == 1", True),
    ("norm(u)", "2", "==", "norm(u) == 1", False),
    ("sum(A)", "n", "==", "sum(A, axis=1) == 1", True),
    ("exp(x + mu)", "1", "==", "x + mu == 0", True),
    ("trace(A @ S)", "1", "==", "trace(A @ S) == 1", True),
    ("u.T @ v", "0", "==", "u.T @ v == 0", True),
]


@pytest.mark.parametrize(("left", "right", "relation", "assume", "holds"), ASSUMED)
def test_what_is_assumed_holds_at_every_point(left: str, right: str, relation: str, assume: str, holds: bool) -> None:
    (result,) = answer(left, right, relation, f", assume: ['{assume}']").results
    assert result.exact is holds
    if not holds:
        assert result.extra["counterexample"]


def test_an_assumption_that_cannot_be_met_fails() -> None:
    (found,) = solve_problem(load_problem(PROBLEM % ("x", "x", "==", ", assume: ['x**2 + s < 0']")))
    assert found.status == "failed"
    assert "no values were found" in found.message


MODEL = """
symbols: {x: {shape: n}, W: {shape: [m, n]}}
model: ["h = W @ x", "g = tanh(h)", "s = sum(h**2)"]
questions: [{id: only, ask: identity, left: '%s', right: '%s'}]
"""

DEFINED = [
    ("h.T @ h", "x.T @ W.T @ h", True),
    ("outer(h, x)", "W @ x @ x.T", True),
    ("grad(s, x)", "2 * W.T @ h", True),
    ("grad(s, x)", "W.T @ h", False),
    ("g", "h", False),
    ("x - mean(x)", "0", False),
    ("h - h", "0", True),
    ("sum(x[i], i=1..n)*sum(x[i]**2, i=1..n)", "sum(x[i]**3, i=1..n)", False),
]


@pytest.mark.parametrize(("left", "right", "holds"), DEFINED)
def test_quantities_of_the_model_are_compared_entry_by_entry(left: str, right: str, holds: bool) -> None:
    (found,) = solve_problem(load_problem(MODEL % (left, right)))
    assert (found.message, [r.exact for r in found.results]) == ("", [holds])


PROVED = [
    ("inv(J @ K)", "inv(K) @ inv(J)", "=="),
    ("inv(J.T)", "inv(J).T", "=="),
    ("det(inv(J))", "1/det(J)", "=="),
    ("det(2*J)", "2**n*det(J)", "=="),
    ("det(Q)**2", "1", "=="),
    ("norm(Q @ u)", "norm(u)", "=="),
    ("u.T @ S @ v", "v.T @ S @ u", "=="),
    ("softmax(u + x)", "softmax(u)", "=="),
    ("logsumexp(u + x)", "logsumexp(u) + x", "=="),
    ("log(softmax(u))", "u - logsumexp(u)", "=="),
    ("cross_entropy(h, softmax(u))", "logsumexp(u) - h.T @ u", "=="),
    ("sum(softmax(u))", "1", "=="),
    ("relu(x) - relu(-x)", "x", "=="),
    ("max(x, w)", "(x + w + abs(x - w))/2", "=="),
    ("grad(logsumexp(u), u)", "softmax(u)", "=="),
    ("0", "sum(d*log(d/e))", "<="),
    ("sum(d*log(e))", "sum(d*log(d))", "<="),
    ("-sum(d*log(d))", "log(n)", "<="),
    ("max(u)", "logsumexp(u)", "<="),
    ("logsumexp(u)", "max(u) + log(n)", "<="),
    ("mean(u)**2", "mean(u**2)", "<="),
    ("exp(mean(u))", "mean(exp(u))", "<="),
    ("norm(u)", "norm(u, 1)", "<="),
    ("norm(u, 1)", "sqrt(n)*norm(u)", "<="),
    ("0", "u.T @ S @ u", "<="),
    ("0", "u.T @ A.T @ A @ u", "<="),
    ("1 + x", "exp(x)", "<="),
    ("log(s)", "s - 1", "<="),
    ("x*w", "(x**2 + w**2)/2", "<="),
    ("sigmoid(x)*(1 - sigmoid(x))", "1/4", "<="),
]


PROVED += [
    ("sum(softmax(A, axis=1), axis=1)", "1", "=="),
    ("sum(A - mean(A, axis=0), axis=0)", "0", "=="),
    ("mean((u - mean(u))**2)", "mean(u**2) - mean(u)**2", "=="),
    ("mean((u - mean(u))/sqrt(mean((u - mean(u))**2) + s))", "0", "=="),
    ("mean(A**2/(mean(A**2, axis=0) + s), axis=0)", "mean(A**2, axis=0)/(mean(A**2, axis=0) + s)", "=="),
    ("sum(u[i], i=1..n)*sum(u[i]*v[i], i=1..n)", "sum(sum(u[i]*v[i]*u[j], j=1..n), i=1..n)", "=="),
]


@pytest.mark.parametrize(("left", "right", "relation"), PROVED)
def test_proofs_by_named_identities(left: str, right: str, relation: str) -> None:
    symbols = """symbols:
  J: {shape: [n, n], is: invertible}
  K: {shape: [n, n], is: invertible}
  Q: {shape: [n, n], is: orthogonal}
  d: {shape: n, is: probability}
  e: {shape: n, is: probability}
  h: {shape: n, is: one-hot}
"""
    text = PROBLEM.replace("symbols:\n", symbols) % (left, right, relation, "")
    (found,) = solve_problem(load_problem(text))
    assert found.status == "certified", found.message
    (result,) = found.results
    assert result.exact is True
    assert not any("numbers only" in str(x.words) for x in result.blocks if isinstance(x, Prose))


def test_what_is_not_proved_says_that_it_was_checked_in_numbers_only() -> None:
    claim = ("inv(S + u @ u.T)", "inv(S) - inv(S) @ u @ u.T @ inv(S)/(1 + u.T @ inv(S) @ u)")
    (result,) = answer(*claim).results
    assert result.exact is True
    assert any("checked in numbers only" in str(x.words) for x in result.blocks if isinstance(x, Prose))


RECURRENCE = """
symbols:
  x[t]: {shape: d}
  y[t]: {shape: n}
  h[0]: {shape: n}
  U: {shape: [n, d]}
  W: {shape: [n, n]}
  A: {shape: [n, n]}
steps: {t: 1..T}
model:
  - h[t] = tanh(U @ x[t] + W @ h[t-1])
  - E[t] = sum((h[t] - y[t])**2)
  - L = sum(E[t], t=1..T)
  - q[t] = A @ h[t-1]
  - r[t] = q[t].T @ h[t-1]
questions: [{id: only, ask: identity, left: '%s', right: '%s'}]
"""

AT_AN_OPEN_STEP = [
    ("h[t]", "tanh(U @ x[t] + W @ h[t-1])", True),
    ("jacobian(h[t], h[t-1])", "diag(1 - h[t]**2) @ W", True),
    ("jacobian(h[t], h[t-1])", "W @ diag(1 - h[t]**2)", False),
    ("grad(r[t], h[t-1])", "(A.T + A) @ h[t-1]", True),
    ("grad(r[t], h[t-1])", "q[t] + A.T @ h[t-1]", True),
    ("grad(r[t], h[t-1])", "2 * q[t]", False),
    ("L", "sum(E[t], t=1..T)", True),
    ("h[2]", "tanh(U @ x[2] + W @ tanh(U @ x[1] + W @ h[0]))", True),
    ("h[2]", "tanh(U @ x[2] + W @ tanh(U @ x[1] - W @ h[0]))", False),
]


@pytest.mark.parametrize(("left", "right", "holds"), AT_AN_OPEN_STEP)
def test_a_recurrence_is_written_out_as_far_as_the_claim_reaches(left: str, right: str, holds: bool) -> None:
    (found,) = solve_problem(load_problem(RECURRENCE % (left, right)))
    assert (found.message, [r.exact for r in found.results]) == ("", [holds])
    assert not any("numbers only" in str(x.words) for r in found.results for x in r.blocks if isinstance(x, Prose))


BERNOULLI = [
    ("Var(a*u/d, u ~ bernoulli(mean=d))", "a**2*(1 - d)/d"),
    ("E((u - E(u, u ~ bernoulli(d)))**2, u ~ bernoulli(d))", "d*(1 - d)"),
    ("E(E(t*u, u ~ bernoulli(t)), t ~ bernoulli(d))", "d"),
    ("E((c - a*u)**2, u ~ bernoulli(p=d))", "d*(c - a)**2 + (1 - d)*c**2"),
]


@pytest.mark.parametrize(("left", "right"), BERNOULLI)
def test_means_over_bernoulli_variables(left: str, right: str) -> None:
    text = f"""
symbols: {{a: {{}}, c: {{}}, d: {{is: probability}}}}
questions: [{{id: only, ask: identity, left: '{left}', right: '{right}'}}]
"""
    (found,) = solve_problem(load_problem(text))
    assert (found.message, [r.exact for r in found.results]) == ("", [True])
