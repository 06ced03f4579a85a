"""Generated gradients against NumPy written by hand."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from symgrad import pipeline
from symgrad.sheet.programs import numpy_module

SLACK = 1.25
SLACK_OF_MODELS = 1.3
ROUNDS = 60


def _shared(name: str) -> ModuleType:
    """A module of tests/codegen."""
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "codegen" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


def by_hand(**given: np.ndarray) -> dict[str, np.ndarray]:
    """Gradients of Σ cross_entropy(y, softmax(V h)) as one would write them."""
    x, y, h0, U, W, V = (given[name] for name in ("I", "y", "h0", "U", "W", "V"))
    T, n = len(x), len(h0)
    drive = x @ U.T
    h = np.empty((T + 1, n))
    h[0] = h0
    for t in range(T):
        h[t + 1] = np.tanh(drive[t] + W @ h[t])
    z = h[1:] @ V.T
    p = np.exp(z - z.max(axis=1, keepdims=True))
    dz = p / p.sum(axis=1, keepdims=True) - y
    from_loss = dz @ V
    slope = 1 - h[1:] ** 2
    da = np.empty((T, n))
    back = np.zeros(n)
    for t in reversed(range(T)):
        da[t] = slope[t] * (from_loss[t] + back)
        back = W.T @ da[t]
    return {"W": da.T @ h[:-1], "U": da.T @ x, "V": dz.T @ h[1:]}


def fastest(f: Callable[..., Any], arguments: Mapping[str, Any]) -> float:
    """The shortest of several runs, in seconds."""
    best = np.inf
    for _ in range(ROUNDS):
        start = time.perf_counter()
        f(**arguments)
        best = min(best, time.perf_counter() - start)
    return float(best)


def test_a_recurrent_network_is_as_fast_as_code_written_by_hand(capsys) -> None:  # type: ignore[no-untyped-def]
    systems, harness = _shared("numpy_systems"), _shared("numpy_harness")
    T, n, d, k = 50, 64, 32, 10
    rng = np.random.default_rng(0)
    shapes = {"I": (T, d), "h0": (n,), "U": (n, d), "W": (n, n), "V": (k, n)}
    arguments = {name: rng.standard_normal(shape) / 8 for name, shape in shapes.items()}
    arguments["y"] = np.eye(k)[rng.integers(k, size=T)]
    generated = harness.namespace(systems.rnn())["a1"]
    want, got = by_hand(**arguments), generated(**arguments)
    for name, value in want.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-10, atol=1e-12)
    ratios = [fastest(generated, arguments) / fastest(by_hand, arguments) for _ in range(5)]
    with capsys.disabled():
        print(f"\ngenerated / by hand, T = {T}, n = {n}: {min(ratios):.2f}")
    assert min(ratios) < SLACK


LSTM = """
title: LSTM
symbols:
  x[t]: {shape: d}
  W: {shape: [4*n, d]}
  U: {shape: [4*n, n]}
  b: {shape: [4*n]}
  h[0]: {shape: n}
  c[0]: {shape: n}
  v[t]: {shape: n}
steps: {t: 1..T}
model:
  - a[t] = W @ x[t] + U @ h[t-1] + b
  - i[t] = sigmoid(a[t][1..n])
  - f[t] = sigmoid(a[t][n+1..2*n])
  - o[t] = sigmoid(a[t][2*n+1..3*n])
  - g[t] = tanh(a[t][3*n+1..4*n])
  - c[t] = f[t] * c[t-1] + i[t] * g[t]
  - h[t] = o[t] * tanh(c[t])
  - L = sum(v[t].T @ h[t], t=1..T)
questions:
  - {id: q, ask: derivative, of: L, wrt: [W, U, b], form: backprop}
"""

GRU = """
title: GRU
symbols:
  x[t]: {shape: d}
  Wz: {shape: [n, d]}
  Wr: {shape: [n, d]}
  Wh: {shape: [n, d]}
  Uz: {shape: [n, n]}
  Ur: {shape: [n, n]}
  Uh: {shape: [n, n]}
  h[0]: {shape: n}
  v[t]: {shape: n}
steps: {t: 1..T}
model:
  - z[t] = sigmoid(Wz @ x[t] + Uz @ h[t-1])
  - r[t] = sigmoid(Wr @ x[t] + Ur @ h[t-1])
  - g[t] = tanh(Wh @ x[t] + Uh @ (r[t] * h[t-1]))
  - h[t] = (1 - z[t]) * h[t-1] + z[t] * g[t]
  - L = sum(v[t].T @ h[t], t=1..T)
questions:
  - {id: q, ask: derivative, of: L, wrt: [Wz, Wr, Wh, Uz, Ur, Uh], form: backprop}
"""

TRANSFORMER = """
title: Transformer block
symbols:
  X: {shape: [n, d]}
  Wq[a]: {shape: [d, k]}
  Wk[a]: {shape: [d, k]}
  Wv[a]: {shape: [d, k]}
  Wo: {shape: [H*k, d]}
  W1: {shape: [d, f]}
  W2: {shape: [f, d]}
  V: {shape: [n, d]}
steps: {a: 1..H}
model:
  - Q[a] = X @ Wq[a]
  - K[a] = X @ Wk[a]
  - U[a] = X @ Wv[a]
  - P[a] = softmax(Q[a] @ K[a].T / sqrt(k), axis=1)
  - O[a] = P[a] @ U[a]
  - R = X + concat(O[a], a=1..H, axis=1) @ Wo
  - G = relu(R @ W1) @ W2 + R
  - L = sum(V * G)
questions:
  - {id: q, ask: derivative, of: L, wrt: [X, Wo, W1, W2], form: backprop}
"""

CONVOLUTION = """
title: Convolution
symbols:
  X: {shape: [c, h, w]}
  K: {shape: [o, c, 3, 3]}
  b: {shape: o}
  V: {shape: [o, h, w]}
model:
  - Y = relu(conv2d(X, K, padding=1, bias=b))
  - L = sum(V * Y)
questions:
  - {id: q, ask: derivative, of: L, wrt: [X, K, b], form: backprop}
"""

T, N, D = 50, 64, 32
SHAPES: dict[str, tuple[str, dict[str, tuple[int, ...]]]] = {
    "lstm": (LSTM, {"x": (T, D), "W": (4 * N, D), "U": (4 * N, N), "b": (4 * N,), "h0": (N,), "c0": (N,), "v": (T, N)}),
    "gru": (
        GRU,
        {"x": (T, D), "h0": (N,), "v": (T, N)}
        | dict.fromkeys(("Wz", "Wr", "Wh"), (N, D))
        | dict.fromkeys(("Uz", "Ur", "Uh"), (N, N)),
    ),
    "transformer": (
        TRANSFORMER,
        {"X": (64, 64), "Wo": (64, 64), "W1": (64, 256), "W2": (256, 64), "V": (64, 64)}
        | dict.fromkeys(("Wq", "Wk", "Wv"), (4, 64, 16)),
    ),
    "convolution": (CONVOLUTION, {"X": (16, 32, 32), "K": (32, 16, 3, 3), "b": (32,), "V": (32, 32, 32)}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_other_models_are_nearly_as_fast(name: str, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    """In a process with one thread for matrix products, which on a busy machine wait for each other."""
    text, shapes = SHAPES[name]
    problem = pipeline.load(text)
    (tmp_path / "generated.py").write_text(numpy_module(problem, pipeline.derive(problem)), encoding="utf-8")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "arguments.npz", **{key: rng.standard_normal(shape) / 8 for key, shape in shapes.items()})
    command = [sys.executable, str(Path(__file__).with_name("by_hand.py")), name, str(tmp_path)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    with capsys.disabled():
        print(f"\ngenerated / by hand, {name}: {float(found.stdout):.2f}")
    assert float(found.stdout) < SLACK_OF_MODELS
