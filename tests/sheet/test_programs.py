"""NumPy code where arrays grow from step to step, windows slide over them, and matrices come in batches."""

import tracemalloc
from functools import cache
from typing import Any

import generated_code
import numpy as np
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

IMAGES = """
title: Windows that slide over images
symbols:
  X: {shape: [c, h, w]}
  K: {shape: [o, c, 3, 3]}
  b: {shape: o}
  U: {shape: [o, q, 2, 2]}
model:
  - Y = conv2d(X, K, stride=2, padding=1, bias=b)
  - Z = tanh(Y)
  - M = maxpool2d(Z, 2)
  - A = avgpool2d(Z, 2, stride=1)
  - G = conv_transpose2d(Z, U, stride=2, output_padding=1)
  - L = sum(M ** 2) + sum(A ** 2) + sum(G ** 2)
questions:
  - {id: filters, ask: derivative, of: L, wrt: [X, K, b, U], form: backprop}
  - {id: averages, ask: derivative, of: "sum(A ** 2)", wrt: Z}
  - {id: maxima, ask: derivative, of: "sum(M ** 2)", wrt: Z}
"""

SEQUENCES = """
title: Windows that slide over a sequence, by components
symbols:
  x: {shape: [N, c]}
  W: {shape: [o, c, q]}
  s: {shape: N}
  g: {shape: p}
model:
  - f[r, j] = sum(x[k + 2*(r-1), i] * W[j, i, k], i=1..c, k=1..q)
  - L = sum(tanh(f))
  - r = conv1d(s, g, dilation=2)
  - R = sum(r ** 2)
questions:
  - {id: components, ask: derivative, of: L, wrt: [x, W]}
  - {id: dilated, ask: derivative, of: R, wrt: [s, g]}
"""

HEADS = """
title: Self-attention with heads
symbols:
  X: {shape: [n, d]}
  Q[a]: {shape: [d, k]}
  K[a]: {shape: [d, k]}
  V[a]: {shape: [d, k]}
  O: {shape: [H*k, d]}
steps: {a: 1..H}
model:
  - P[a] = softmax(X @ Q[a] @ (X @ K[a]).T / sqrt(k), axis=1)
  - M[a] = P[a] @ X @ V[a]
  - Y = X + concat(M[a], a=1..H, axis=1) @ O
  - N = (Y - reshape(mean(Y, axis=1), [n, 1])) / 2
  - L = sum(tanh(N))
questions:
  - {id: weights, ask: derivative, of: L, wrt: [X, "Q[a]", "K[a]", "V[a]", O], form: backprop}
"""

MODELS = {
    "prefix attention": PREFIX_ATTENTION,
    "memory": MEMORY,
    "triangles": TRIANGLES,
    "images": IMAGES,
    "sequences": SEQUENCES,
    "heads": HEADS,
}
QUESTIONS = [(name, q.id) for name, text in MODELS.items() for q in pipeline.load(text).questions]


@cache
def solved(name: str) -> tuple[Problem, dict[str, Derivation], dict[str, Any]]:
    problem = pipeline.load(MODELS[name])
    derivations = pipeline.derive(problem)
    return problem, {d.id: d for d in derivations}, generated_code.namespace(problem, derivations)


@pytest.mark.parametrize(("name", "question"), QUESTIONS)
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_it_agrees_with_differences(name: str, question: str, data: st.DataObject) -> None:
    problem, derivations, space = solved(name)
    generated_code.agrees(problem, derivations[question], space, data)


def test_no_array_of_all_pairs_of_places_is_made() -> None:
    """The gradients of a convolution of an image take room for its windows, and not for every pair of its places."""
    *_, space = solved("images")
    rng = np.random.default_rng(0)
    shapes = {"X": (3, 64, 64), "K": (8, 3, 3, 3), "b": (8,), "U": (8, 2, 2, 2)}
    tracemalloc.start()
    found = space["filters"](**{name: rng.standard_normal(shape) for name, shape in shapes.items()})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {name: value.shape for name, value in found.items()} == shapes
    assert peak < 50 * 8 * 8 * 32 * 32
