"""Backpropagation over many steps: against CasADi, which builds and prints the same gradient, and against itself."""

from collections.abc import Callable

import pytest

from symgrad import pipeline

MOST_OF_CASADI = 10.0
MOST_OF_A_TENTH = 12.0
CHARACTERS_A_STEP = 150

RNN = """
title: RNN
symbols: {"x[t]": {shape: d}, "y[t]": {shape: k, is: one-hot}, "h[0]": {shape: n},
  U: {shape: [n, d]}, W: {shape: [n, n]}, V: {shape: [k, n]}}
steps: {t: 1..%d}
model: ["h[t] = tanh(U @ x[t] + W @ h[t-1])", "p[t] = softmax(V @ h[t])", "E[t] = cross_entropy(y[t], p[t])",
  "L = sum(E[t], t=1..%d)"]
questions: [{id: a, ask: derivative, of: L, wrt: W, form: backprop}]
"""
LSTM = """
title: LSTM
symbols: {"x[t]": {shape: d}, "y[t]": {shape: n}, "h[0]": {shape: n}, "c[0]": {shape: n},
  W_i: {shape: [n, d]}, W_f: {shape: [n, d]}, W_o: {shape: [n, d]}, W_u: {shape: [n, d]},
  U_i: {shape: [n, n]}, U_f: {shape: [n, n]}, U_o: {shape: [n, n]}, U_u: {shape: [n, n]}}
steps: {t: 1..%d}
model: ["i[t] = sigmoid(W_i @ x[t] + U_i @ h[t-1])", "f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1])",
  "o[t] = sigmoid(W_o @ x[t] + U_o @ h[t-1])", "u[t] = tanh(W_u @ x[t] + U_u @ h[t-1])",
  "c[t] = f[t] * c[t-1] + i[t] * u[t]", "h[t] = o[t] * tanh(c[t])", "L = sum((h[t] - y[t]).T @ (h[t] - y[t]), t=1..%d)"]
questions: [{id: a, ask: derivative, of: L, wrt: [U_i, U_f, U_o, U_u], form: backprop}]
"""


def printed(text: str, steps: int) -> str:
    """The sheet of a model over a number of steps."""
    problem = pipeline.load(text % (steps, steps))
    derivations = pipeline.derive(problem)
    assert [d.status for d in derivations] == ["certified"]
    return str(pipeline.printed([(problem, derivations)], "tex"))


def casadi_rnn(steps: int, n: int = 4, d: int = 3, k: int = 3) -> str:
    """∂L/∂W of the RNN as CasADi's matrix graph, printed."""
    ca = pytest.importorskip("casadi", reason="CasADi is the peer of this benchmark: pip install symgrad[bench]")
    U, W, V, h = (ca.MX.sym(*x) for x in (("U", n, d), ("W", n, n), ("V", k, n), ("h0", n)))
    loss = 0
    for t in range(1, steps + 1):
        h = ca.tanh(U @ ca.MX.sym(f"x{t}", d) + W @ h)
        e = ca.exp(V @ h)
        loss -= ca.dot(ca.MX.sym(f"y{t}", k), ca.log(e / ca.sum1(e)))
    return str(ca.gradient(loss, W))


def casadi_lstm(steps: int, n: int = 4, d: int = 3) -> str:
    """∂L/∂U of all four gates of the LSTM, printed."""
    ca = pytest.importorskip("casadi", reason="CasADi is the peer of this benchmark: pip install symgrad[bench]")
    W = [ca.MX.sym(f"W{g}", n, d) for g in "ifou"]
    U = [ca.MX.sym(f"U{g}", n, n) for g in "ifou"]
    h, c, loss = ca.MX.sym("h0", n), ca.MX.sym("c0", n), 0
    for t in range(1, steps + 1):
        x = ca.MX.sym(f"x{t}", d)
        i, f, o, u = (w @ x + r @ h for w, r in zip(W, U, strict=True))
        i, f, o = (1 / (1 + ca.exp(-z)) for z in (i, f, o))
        c = f * c + i * ca.tanh(u)
        h = o * ca.tanh(c)
        loss += ca.sumsqr(h - ca.MX.sym(f"y{t}", n))
    return str([ca.gradient(loss, r) for r in U])


@pytest.mark.parametrize(("name", "text", "peer"), [("RNN", RNN, casadi_rnn), ("LSTM", LSTM, casadi_lstm)])
def test_a_hundred_steps_take_at_most_ten_times_casadi(
    name: str, text: str, peer: Callable[[int], str], compare: Callable[..., float]
) -> None:
    peer(100)
    printed(text, 100)
    ratio = compare(f"{name}, 100 steps / CasADi", lambda: printed(text, 100), lambda: peer(100))
    assert ratio < MOST_OF_CASADI


@pytest.mark.parametrize(("name", "text"), [("RNN", RNN), ("LSTM", LSTM)])
def test_a_thousand_steps_cost_what_they_are_worth(name: str, text: str, compare: Callable[..., float]) -> None:
    long, short = printed(text, 1000), printed(text, 100)
    assert len(long) - len(short) < 900 * CHARACTERS_A_STEP
    ratio = compare(f"{name}, 1000 / 100 steps", lambda: printed(text, 1000), lambda: printed(text, 100), rounds=3)
    assert ratio < MOST_OF_A_TENTH
