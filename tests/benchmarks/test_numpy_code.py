"""Generated backpropagation through time against NumPy written by hand with rolled loops."""

import importlib.util
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

SLACK = 1.25
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
