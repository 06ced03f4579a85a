"""Limits, against limits by hand; every value is also compared with the function near the point by the solver."""

import json
from typing import Any

import numpy as np
import pytest

import symgrad

SYMBOLS = """
title: L
symbols:
  z: {shape: K}
  w: {shape: 2}
  y: {shape: K, is: one-hot}
  x: {}
  a: {is: positive}
  p: {is: probability}
  gamma: {is: positive}
  tau: {is: positive}
  beta: {is: probability}
  X: {shape: n}
model:
  - CE = -log(p)
  - FL = -(1 - p)**gamma * log(p)
  - q = softmax(z / tau)
  - e = cross_entropy(y, q)
questions:
"""


def asked(of: str, at: str, **more: Any) -> Any:
    question = json.dumps({"id": "q", "ask": "limit", "of": of, "at": at, **more})
    return symgrad.load(f"{SYMBOLS}  - {question}\n").solve()


def answer(of: str, at: str, **more: Any) -> dict[str, Any]:
    found = json.loads(asked(of, at, **more).text("json"))["questions"][0]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("of", "at", "latex"),
    [
        ("FL / CE", "p -> 0", "1"),
        ("FL / CE", "p -> 1", "0"),
        ("FL", "p -> 1", "0"),
        ("FL", "p -> 0", r"\infty"),
        ("q", "tau -> inf", r"\frac{1}{K} \mathbf{1}"),
        ("q", "tau -> 0+", r"\mathbf{e}_{\arg\max_i z_i}"),
        ("e", "tau -> inf", r"\log K"),
        ("sigmoid(a * x)", "x -> inf", "1"),
        ("sigmoid(a * x)", "x -> -inf", "0"),
        ("x * sigmoid(a * x)", "a -> inf", r"x \mathbf{1}[x > 0]"),
        ("x * sigmoid(x)", "x -> -inf", "0"),
        ("tanh(a * w)", "a -> inf", r"\operatorname{sign}(w)"),
        ("tau * log(tau)", "tau -> 0", "0"),
        ("sin(x) / x", "x -> 0", "1"),
        ("(1 - cos(x)) / x**2", "x -> 0", r"\frac{1}{2}"),
        ("(3*x**2 + 1) / (2*x**2 - x)", "x -> inf", r"\frac{3}{2}"),
        ("(1 + a/x)**x", "x -> inf", "e^{a}"),
        ("1 - beta**x", "x -> inf", "1"),
        ("log(tau)", "tau -> 0", r"-\infty"),
        ("(1 - 1/n)**n", "n -> inf", r"e^{-1}"),
        ("(x**2 - 1) / (x - 1)", "x -> 1", "2"),
        ("sum(beta**i, i=0..T)", "T -> inf", r"\frac{1}{1 - \beta}"),
        ("sum((1 - beta)*beta**i, i=0..T)", "T -> inf", "1"),
        ("sum(1/2**i, i=1..T)", "T -> inf", "1"),
        ("sum(i, i=1..T) / T**2", "T -> inf", r"\frac{1}{2}"),
    ],
)
def test_limits_by_hand(of: str, at: str, latex: str) -> None:
    found = answer(of, at)
    assert found["status"] == "certified", found["message"]
    result = found["results"][0]
    assert result["latex"].replace(r"\exp(a)", "e^{a}") == latex
    assert all(c["ok"] for c in result["checks"])


@pytest.mark.parametrize(
    ("of", "at", "reasons"),
    [
        ("FL / CE", "p -> 1", ["definitions; common factors cancel", None]),
        ("sin(x) / x", "x -> 0", [r"l'Hôpital: $0/0$", "put in the limit point"]),
        ("(3*x**2 + 1) / (2*x**2 - x)", "x -> inf", ["divide above and below by the highest power", None]),
        ("(1 + a/x)**x", "x -> inf", ["a power as $e$ to its logarithm", None]),
    ],
)
def test_each_step_names_its_law(of: str, at: str, reasons: list[str | None]) -> None:
    steps = answer(of, at)["results"][0]["steps"]
    assert len(steps) == len(reasons)
    assert all(r is None or s["reason"] == r for s, r in zip(steps, reasons, strict=True))


def test_the_exponent_must_be_positive() -> None:
    last = answer("FL / CE", "p -> 1")["results"][0]["steps"][-1]
    assert last["reason"] == r"continuous at $p = 1$; 0 to a positive power is 0, as $\gamma > 0$"


@pytest.mark.parametrize(
    ("of", "at", "message"),
    [
        ("sign(x)", "x -> 0", "there is no limit: it is -1 from below and 1 from above"),
        ("1/x", "x -> 0", "there is no limit: it is -inf from below and inf from above"),
        ("sin(x)", "x -> inf", "SymPy finds no limit there"),
        ("FL", "tau -> 0", "it does not depend on tau"),
        ("a * x", "inf", "say which variable goes there: a, x are free"),
        (
            "sum(1/i, i=1..T)",
            "T -> inf",
            "no closed form is known for a sum or product whose number of terms grows with T",
        ),
    ],
)
def test_what_has_no_limit(of: str, at: str, message: str) -> None:
    found = answer(of, at)
    assert (found["status"], found["message"]) == ("failed", message)


def test_other_symbols_may_be_fixed_and_the_value_computed() -> None:
    assert answer("(1 + a/x)**x", "x -> inf", set={"a": 0})["results"][0]["value"] == 1
    z = np.array([0.2, -1.0, 3.0])
    assert np.array_equal(asked("q", "tau -> 0+")["q"].results[0].evaluate(z=z), [0, 0, 1])


@pytest.mark.parametrize(
    ("of", "at", "text"),
    [
        ("log(1 + exp(a*x))/a", "a -> inf", "relu(x)"),
        ("softplus(a*x)/a - softplus(-a*x)/a", "a -> inf", "x"),
        ("(sigmoid(x + tau) - sigmoid(x))/tau", "tau -> 0", "sigmoid(x)*(1 - sigmoid(x))"),
        ("tau*logsumexp(z/tau)", "tau -> 0+", "max(z)"),
        ("logsumexp(a*z)/a", "a -> inf", "max(z)"),
        ("z.T @ softmax(a*z)", "a -> inf", "max(z)"),
        ("X.T @ X/(1 + a)", "a -> 0", "X.T @ X"),
        ("X/(norm(X) + a)", "a -> 0", "X/norm(X)"),
        ("X/(1 + a)", "a -> inf", "zeros(n)"),
        ("sum(abs(X)**a)**(1/a)", "a -> inf", "max(abs(X))"),
        ("log(sum(softmax(z)**a))/(1 - a)", "a -> 1", "-(softmax(z).T @ log(softmax(z)))"),
        ("where(abs(x) <= a, x**2/2, a*(abs(x) - a/2))", "a -> inf", "1/2*x**2"),
        ("where(abs(x) <= a, x**2/2, a*(abs(x) - a/2))/a", "a -> 0+", "abs(x)"),
        ("where(x > 0, x, a*(exp(x) - 1))", "x -> -inf", "-a"),
        ("where(x > 0, x, a*(exp(x) - 1))", "x -> 0", "0"),
        ("grad(where(x > 0, x, a*x), x)", "x -> 0-", "a"),
        ("grad(where(x > 0, x, a*x), x)", "x -> 0+", "1"),
        ("x/(sqrt(x**2) + tau)", "tau -> 0+", "sign(x)"),
        ("beta**k", "k -> inf", "0"),
        ("(1 - p)**gamma*log(p)", "gamma -> inf", "0"),
        ("beta*log(beta/p) + (1 - beta)*log((1 - beta)/(1 - p))", "p -> 1", "inf"),
        ("(x**a - 1)/a", "a -> 0", None),
    ],
)
def test_limits_of_arrays_and_by_cases(of: str, at: str, text: str | None) -> None:
    found = answer(of, at) if "k" not in at else whole_number(of, at)
    if text is None:
        assert found["status"] == "failed"
        return
    assert found["status"] == "certified", found["message"]
    assert found["results"][0]["text"] == text


def whole_number(of: str, at: str) -> dict[str, Any]:
    """With a symbol that is declared as a positive integer."""
    symbols = SYMBOLS.replace("symbols:\n", "symbols:\n  k: {is: [positive, integer]}\n")
    question = json.dumps({"id": "q", "ask": "limit", "of": of, "at": at})
    found = json.loads(symgrad.load(f"{symbols}  - {question}\n").solve().text("json"))["questions"][0]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("of", "at", "assume"),
    [
        ("exp(-x*tau)", "tau -> inf", "x > 0"),
        ("x**a", "a -> inf", "0 < x < 1"),
        ("(1 - tau*x)**a", "a -> inf", "abs(1 - tau*x) < 1"),
    ],
)
def test_what_is_assumed_decides(of: str, at: str, assume: str) -> None:
    assert answer(of, at, assume=[assume])["results"][0]["value"] == 0


def test_equal_entries_share_the_limit_of_a_softmax() -> None:
    symbols = SYMBOLS.replace("symbols:\n", "symbols:\n  u: {shape: 3, values: [3, 3, 2]}\n")
    question = json.dumps({"id": "q", "ask": "limit", "of": "softmax(u/tau)", "at": "tau -> 0+"})
    (result,) = symgrad.load(f"{symbols}  - {question}\n").solve()["q"].results
    assert result.value == ["1/2", "1/2", 0]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("x -> 0^+", "inf"),
        (r"x \to 0^+", "inf"),
        (r"x \rightarrow 0^{-}", "-inf"),
        (r"x \to \infty", "0"),
        (r"x\to-\infty", "0"),
        (r"\infty", "0"),
    ],
)
def test_where_it_goes_in_latex(at: str, expected: str) -> None:
    assert answer("1/x", at)["results"][0]["text"] == expected
