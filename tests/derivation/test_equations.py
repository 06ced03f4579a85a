"""Equations: the defining lines in reading order, as they stand and at given values."""

import pytest

from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import lines
from symgrad.notation.source import source
from symgrad.problem.elaborate import load_problem

RNN = """
title: A recurrent network
symbols:
  I[t]: {shape: d}
  y[t]: {shape: m, is: one-hot}
  h[0]: 0
  U: {shape: [n, d]}
  W: {shape: [n, n]}
  V: {shape: [m, n]}
  c: {values: 2}
steps: {t: 1..T}
model:
  - h[t] = tanh(U @ I[t] + W @ h[t-1])
  - z[t] = c*V @ h[t]
  - E[t] = cross_entropy(y[t], softmax(z[t]))
  - L = sum(E[t], t=1..T)
questions:
  - {id: q1, ask: equations, %s}
"""
MEMORY = """
title: Skips over several steps
symbols:
  x[t]: {shape: d}
  U: {shape: [n, d]}
  Q[i]: {shape: [n, n]}
  gamma: {}
steps: {t: 1..T, i: 1..k}
model:
  - q[i, t] = Q[i] @ h[t-i]
  - h[t] = tanh(U @ x[t] + gamma*sum(q[i, t], i=1..k))
questions:
  - {id: q1, ask: equations, %s}
"""
H = "tanh(U @ I[{0}] + W @ h[{1}])"
CASES = [
    (
        RNN,
        "of: L",
        [
            "h[0] = zeros(n)",
            "h[t] = " + H.format("t", "t-1") + ", t=1..T",
            "z[t] = c*(V @ h[t]), t=1..T",
            "E[t] = cross_entropy(y[t], softmax(z[t])), t=1..T",
            "L = sum(E[t], t=1..T)",
        ],
    ),
    (
        RNN,
        'of: L, set: ["T = 2"]',
        [
            "h[0] = zeros(n)",
            "h[1] = " + H.format(1, 0),
            "z[1] = c*(V @ h[1])",
            "E[1] = cross_entropy(y[1], softmax(z[1]))",
            "h[2] = " + H.format(2, 1),
            "z[2] = c*(V @ h[2])",
            "E[2] = cross_entropy(y[2], softmax(z[2]))",
            "L = E[1] + E[2]",
        ],
    ),
    (RNN, 'of: "h[2]"', ["h[0] = zeros(n)", "h[1] = " + H.format(1, 0), "h[2] = " + H.format(2, 1)]),
    (
        MEMORY,
        'of: "h[t]"',
        [
            "q[i, t] = Q[i] @ h[t-i], i=1..k, t=1..T",
            "h[t] = tanh(U @ x[t] + gamma*sum(q[i, t], i=1..k)), t=1..T",
        ],
    ),
    (
        MEMORY,
        'of: "h[t]", set: ["k = 2"]',
        [
            "q[1, t] = Q[1] @ h[t-1], t=1..T",
            "q[2, t] = Q[2] @ h[t-2], t=1..T",
            "h[t] = tanh(U @ x[t] + gamma*(q[1, t] + q[2, t])), t=1..T",
        ],
    ),
    (
        MEMORY,
        'of: "h[t]", set: ["k = 1", "gamma = 0"]',
        ["h[t] = tanh(U @ x[t]), t=1..T"],
    ),
    (
        MEMORY,
        'of: "h[t]", set: {gamma: 1, k: 1}',
        ["q[1, t] = Q[1] @ h[t-1], t=1..T", "h[t] = tanh(U @ x[t] + q[1, t]), t=1..T"],
    ),
]


@pytest.mark.parametrize(("problem", "fields", "expected"), CASES)
def test_the_system_written_out(problem: str, fields: str, expected: list[str]) -> None:
    (derivation,) = solve_problem(load_problem(problem % fields))
    assert derivation.status == "certified", derivation.message
    found = []
    for line in lines(derivation.results[0].blocks):
        ranges = "".join(f", {x.symbol}={x.lo}..{x.hi}" for x in line.ranges)
        found.append(f"{source(line.left)} = {source(line.right[0])}{ranges}")
    assert found == expected


def test_several_quantities_share_their_lines() -> None:
    (derivation,) = solve_problem(load_problem(RNN % 'of: ["z[t]", L]'))
    first, second = derivation.results
    assert [source(x.left) for x in lines(first.blocks)] == ["h[0]", "h[t]", "z[t]"]
    assert [source(x.left) for x in lines(second.blocks)] == ["E[t]", "L"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("of: U", "U is given; nothing defines it"),
        ('of: L, set: ["T = 1/2"]', "T is a size or an index; T = 1/2 gives it no integer"),
    ],
)
def test_what_cannot_be_written_out(fields: str, message: str) -> None:
    (derivation,) = solve_problem(load_problem(RNN % fields))
    assert (derivation.status, derivation.message) == ("failed", message)
