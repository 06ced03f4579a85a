"""Updates: every rule against arithmetic by hand, what is kept from the forward pass, and wrong settings."""

from collections.abc import Mapping

import numpy as np
import pytest

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Derivation, Prose, Result, lines
from symgrad.notation.source import source
from symgrad.problem.elaborate import load_problem
from symgrad.tensor.stable import Array

BLOCK = """
title: A residual block
symbols:
  x: {shape: n}
  v: {shape: n}
  H: {shape: [n, n]}
  y: {shape: n}
model:
  - x_1 = x
  - x_2 = H @ x_1
  - x_3 = x_2 + v
  - x_4 = relu(x_3)
  - out = x + x_4
  - L = sum((out - y)**2)/2
questions:
  - {id: q1, ask: update, %s}
"""
SCALAR = """
title: One number
symbols:
  w: {}
model:
  - L = w**2
questions:
  - {id: q1, ask: update, loss: L, wrt: w, %s}
"""
RNN = """
title: A recurrent network
symbols:
  I[t]: {shape: d}
  y[t]: {shape: m, is: one-hot}
  h[0]: 0
  U: {shape: [n, d]}
  W: {shape: [n, n]}
  V: {shape: [m, n]}
steps: {t: 1..T}
model:
  - h[t] = tanh(U @ I[t] + W @ h[t-1])
  - z[t] = V @ h[t]
  - yhat[t] = softmax(z[t])
  - E[t] = cross_entropy(y[t], yhat[t])
  - L = sum(E[t], t=1..T)
questions:
  - {id: q1, ask: update, %s}
"""


def solved(problem: str, fields: str) -> Derivation:
    """The derivation of the only question."""
    (derivation,) = solve_problem(load_problem(problem % fields))
    assert derivation.status == "certified", derivation.message
    return derivation


def computed(result: Result, given: Mapping[str, float]) -> float:
    """The new value of the scalar problem at given numbers."""
    assert result.code is not None
    numbers = Numbers.of(
        result.code.system, {}, points=1, given={(name, ()): np.array([x]) for name, x in given.items()}
    )
    return float(numbers.value(result.code.value)[0])


def shown(derivation: Derivation) -> list[str]:
    """The lines of the rule as text."""
    found = [x for r in derivation.results for x in lines(r.blocks) if x.rule == "update"]
    return [" = ".join(source(side) for side in (x.left, *x.right)) for x in found]


def kept(derivation: Derivation) -> str:
    """The last sentence."""
    last = derivation.results[-1].blocks[-1]
    assert isinstance(last, Prose)
    return "".join(w if isinstance(w, str) else source(w) for w in last.words)


# At w = 3 the gradient of w² is 6.
BY_HAND = [
    ("rule: sgd, rate: 0.1", {}, 3 - 0.1 * 6),
    ("rate: 1/2", {}, 0.0),
    ("rule: sgd, rate: 0.1, with: {weight_decay: 0.5}", {}, 3 - 0.1 * (6 + 1.5)),
    ("rule: momentum, rate: 0.1, with: {momentum: 0.9}", {"v": 2.0}, 3 - 0.1 * (1.8 + 6)),
    ("rule: momentum, rate: 0.1, with: {momentum: 0.9}, state: zero", {}, 3 - 0.1 * 6),
    ("rule: nesterov, rate: 0.1, with: {momentum: 0.9}", {"v": 2.0}, 3 - 0.1 * (6 + 0.9 * (1.8 + 6))),
    ("rule: adam, rate: 0.1, with: {beta1: 0.9, beta2: 0.999, eps: 0.5}, state: zero", {}, 3 - 0.1 * 6 / 6.5),
    (
        "rule: adam, rate: 0.1, with: {beta1: 0.5, beta2: 0.5, eps: 0, step: 2}",
        {"m": 4.0, "s": 4.0},
        3 - 0.1 * (5 / 0.75) / (20 / 0.75) ** 0.5,
    ),
    (
        "rule: adamw, rate: 0.1, with: {beta1: 0.9, beta2: 0.999, eps: 0.5, weight_decay: 0.2}, state: zero",
        {},
        3 * (1 - 0.02) - 0.1 * 6 / 6.5,
    ),
    ("rule: momentum, rate: eta, with: {momentum: mu}", {"v": 2.0, "eta": 0.1, "mu": 0.9}, 3 - 0.1 * (1.8 + 6)),
]


@pytest.mark.parametrize(("fields", "given", "expected"), BY_HAND)
def test_one_step_by_hand(fields: str, given: dict[str, float], expected: float) -> None:
    (result,) = solved(SCALAR, fields).results
    assert computed(result, {"w": 3.0, **given}) == pytest.approx(expected, rel=1e-12, abs=1e-12)


LINES = [
    ("loss: L, wrt: H, rule: sgd, rate: eta", ["H__new = H - eta*jacobian(L, H) = H - eta*(δx_2 @ x_1.T)"]),
    (
        "loss: L, wrt: H, rule: momentum, rate: eta, with: {mu: 0.9}",
        ["g = jacobian(L, H) = δx_2 @ x_1.T", "u__new = 0.9*u + g", "H__new = H - eta*u__new"],
    ),
    (
        "loss: L, wrt: v, rule: adamw",
        [
            "g = jacobian(L, v) = δx_3",
            "m__new = beta_1*m + (1 - beta_1)*g",
            "s__new = beta_2*s + (1 - beta_2)*g*g",
            "mhat = m__new/(1 - beta_1**k)",
            "shat = s__new/(1 - beta_2**k)",
            "v__new = v - eta*lambda*v - eta*mhat/(sqrt(shat) + epsilon)",
        ],
    ),
]


@pytest.mark.parametrize(("fields", "expected"), LINES)
def test_the_rule_line_by_line(fields: str, expected: list[str]) -> None:
    found = [x.replace("grad(", "jacobian(").replace("g**2", "g*g") for x in shown(solved(BLOCK, fields))]
    assert found == expected


KEPT = [
    (
        BLOCK,
        "loss: L, wrt: [H, v], rate: eta",
        "Kept from the forward pass: out for the difference out - y; x_3 for its sign; x_1 for the outer product.",
    ),
    (
        BLOCK,
        "loss: L, wrt: v, rate: eta",
        "Kept from the forward pass: out for the difference out - y; x_3 for its sign.",
    ),
    (
        RNN,
        "loss: L, wrt: [W, V], rate: 0.1",
        "Kept from the forward pass: yhat[t] for the difference yhat[t] - y[t]; h[t] for the slope of tanh and for "
        "the outer product; h[t-1] for the outer product.",
    ),
    (
        SCALAR.replace("loss: L, wrt: w, ", ""),
        "loss: L, wrt: w, rate: 0.1",
        "No value of the forward pass has to be kept: the gradient reads inputs and parameters only.",
    ),
]


@pytest.mark.parametrize(("problem", "fields", "expected"), KEPT)
def test_what_is_kept(problem: str, fields: str, expected: str) -> None:
    assert kept(solved(problem, fields)) == expected


def test_the_new_weights_of_a_block_by_numpy() -> None:
    (result,) = solved(BLOCK, "loss: L, wrt: H, rate: 1/10").results
    assert result.code is not None
    random = np.random.default_rng(3)
    h, x, v, y = (random.normal(size=s) for s in ((3, 3), 3, 3, 3))
    given: dict[tuple[str, tuple[()]], Array] = {(k, ()): a[None] for k, a in {"H": h, "x": x, "v": v, "y": y}.items()}
    n = next(s for s in result.shape)
    found = Numbers.of(result.code.system, {n: 3}, points=1, given=given).value(result.code.value)[0]  # type: ignore[dict-item]
    pre = h @ x + v
    expected = h - 0.1 * np.outer((x + np.maximum(pre, 0) - y) * (pre > 0), x)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_a_decoder_that_begins_where_an_encoder_ends() -> None:
    text = """
title: Sequence to sequence
symbols: {"x[t]": {shape: d}, "h[0]": 0, A: {shape: [n, d]}, B: {shape: [n, n]}, P: {shape: [m, n]}, D: {shape: [m, m]}}
steps: {t: 1..3, s: 1..2}
model:
  - h[t] = tanh(A @ x[t] + B @ h[t-1])
  - g[0] = P @ h[3]
  - g[s] = tanh(D @ g[s-1])
  - L = sum(sum(g[s]**2), s=1..2)
questions:
  - {id: q1, ask: update, %s}
"""
    assert solved(text, "loss: L, wrt: P, rate: eta").status == "certified"


def test_a_loss_without_a_name_and_one_entry() -> None:
    derivation = solved(BLOCK, 'loss: "sum(x_4)", wrt: "H[1, 2]", rate: eta')
    assert derivation.results[0].shape == ()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("loss: x_4, wrt: H", "the loss is a scalar"),
        ("loss: L, wrt: H, rate: x", "the rate is a scalar"),
        (
            "loss: L, wrt: H, with: {weight_dcay: 0.1}",
            "'weight_dcay' is no setting of this rule; there are rate, lr, weight_decay, decay, lambda, lambda_",
        ),
        ("loss: L, wrt: H, with: {lr: [1]}", "'lr' is a number or the name of one"),
    ],
)
def test_wrong_settings(fields: str, message: str) -> None:
    (derivation,) = solve_problem(load_problem(BLOCK % fields))
    assert (derivation.status, derivation.message) == ("failed", message)
