"""NumPy code of models whose families and arrays grow from step to step."""

from functools import cache
from typing import Any

import generated_code
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symgrad import pipeline
from symgrad.derivation.steps import Derivation
from symgrad.problem.model import Problem

PREFIX_ATTENTION = """
title: Attention to what came before
symbols:
  x[t]: {shape: d}
  v[t]: {shape: n}
  Q: {shape: [m, d]}
  K: {shape: [m, d]}
  u: {shape: n}
steps: {t: 1..T}
model:
  - q[t] = Q @ x[t]
  - k[t] = K @ x[t]
  - s[t, j] = q[t].T @ k[j] / sqrt(m), j=1..t
  - a[t] = softmax(stack(s[t, j], j=1..t))
  - c[t] = sum(a[t][j] * v[j], j=1..t)
  - E[t] = u.T @ tanh(c[t])
  - L = sum(E[t], t=1..T)
questions:
  - {id: weights, ask: derivative, of: L, wrt: [Q, K, u], form: backprop}
  - {id: at_a_step, ask: derivative, of: "E[t]", wrt: K, form: sum-of-products}
  - {id: weights_of_attention, ask: derivative, of: "a[t]", wrt: "x[t]"}
  - {id: values, ask: derivative, of: L, wrt: "v[t]"}
"""

MEMORY = """
title: A state that reads all states before it
symbols:
  x[t]: {shape: d}
  W: {shape: [n, d]}
  U: {shape: [n, n]}
  h[0]: {shape: n}
  g: {shape: n}
steps: {t: 1..T}
model:
  - a[t] = softmax(stack(g.T @ h[j], j=0..t-1))
  - m[t] = sum(a[t][j+1] * h[j], j=0..t-1)
  - h[t] = tanh(W @ x[t] + U @ m[t])
  - L = loss(h[t], t=1..T)
questions:
  - {id: weights, ask: derivative, of: L, wrt: [W, U, g], form: backprop}
  - {id: state, ask: derivative, of: L, wrt: "h[s]", where: "1 <= s <= T", form: sum-of-products}
"""

TRIANGLES = """
title: Prefix sums and products, and triangles of numbers
symbols:
  x[t]: {shape: n}
  b: {shape: n}
  w[i, j]: {}
steps: {t: 1..T, i: 1..K, j: 1..K}
model:
  - p[t] = sum(x[j], j=1..t)
  - r[t] = prod(b.T @ x[j], j=1..t)
  - c[t] = logsumexp(stack(b.T @ p[j], j=1..t))
  - L = sum(c[t] * r[t], t=1..T)
  - half = sum(w[i, j] ** 2 * w[j, i], i=1..K, j=1..i)
  - z[i, j] = w[i, j] * b.T @ b, j=1..i
  - y[i] = max(stack(z[i, j], j=1..i))
  - Y = sum(y[i], i=1..K)
questions:
  - {id: prefixes, ask: derivative, of: L, wrt: [b], form: backprop}
  - {id: terms, ask: derivative, of: L, wrt: "x[t]"}
  - {id: triangle, ask: derivative, of: half, wrt: "w[i, j]"}
  - {id: largest, ask: derivative, of: Y, wrt: b}
"""

GROWING = {"prefix attention": PREFIX_ATTENTION, "memory": MEMORY, "triangles": TRIANGLES}
QUESTIONS = [(name, q.id) for name, text in GROWING.items() for q in pipeline.load(text).questions]


@cache
def solved(name: str) -> tuple[Problem, dict[str, Derivation], dict[str, Any]]:
    problem = pipeline.load(GROWING[name])
    derivations = pipeline.derive(problem)
    return problem, {d.id: d for d in derivations}, generated_code.namespace(problem, derivations)


@pytest.mark.parametrize(("name", "question"), QUESTIONS)
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_growing_arrays_agree_with_differences(name: str, question: str, data: st.DataObject) -> None:
    problem, derivations, space = solved(name)
    generated_code.agrees(problem, derivations[question], space, data)
