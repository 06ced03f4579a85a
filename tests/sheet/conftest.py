"""One solved problem for all tests of the sheet."""

import pytest

import symgrad
from symgrad.api import SolvedSheet

RNN = r"""
title: Layers & 50% of_it
about: |
  A *small* network, see [the notes](https://example.org/a_b#c).

  - with $h_0$ given,
  - and `code_`.
author: A. Author
symbols:
  I[t]: {shape: d, about: the input at step t}
  y[t]: {shape: k, is: one-hot}
  h[0]: {shape: n}
  W: {shape: [n, n]}
  U: {shape: [n, d]}
  V: {shape: [k, n]}
steps: {t: 1..2}
model:
  - h[t] = tanh(U @ I[t] + W @ h[t-1])
  - z[t] = V @ h[t]
  - yhat[t] = softmax(z[t])
  - E[t] = cross_entropy(y[t], yhat[t])
  - L = sum(E[t], t=1..2)
questions:
  - {id: e2, ask: derivative, of: "E[2]", wrt: [W, V], points: 2, hint: "See $h_1$.", note: "*Done.*"}
  - {id: whole, ask: derivative, of: L, wrt: W, form: factored}
  - {id: jac, ask: derivative, of: "h[t]", wrt: "h[t-1]", prompt: "What is $\\partial h_t / \\partial h_{t-1}$?"}
  - {id: graph, ask: diagram, of: "I[1]"}
"""


@pytest.fixture(scope="session")
def solved() -> SolvedSheet:
    return symgrad.load(RNN).solve()
