"""Whole programs: equal to the evaluator, to finite differences of models written by hand, and readable."""

import ast
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy_harness as harness
import numpy_models as models
import numpy_systems as systems
import pytest
from numpy_systems import T, d, k, m, n, t

from symgrad.codegen import Leaf, Program, function_source, module
from symgrad.tensor import build as b
from symgrad.tensor.system import System

WRITTEN_OUT = (systems.rnn, systems.lstm, systems.attention, systems.feed_forward)
PROGRAMS: tuple[Callable[[], Program], ...] = (*WRITTEN_OUT, *models.MODELS)
SIZES = ((3, 2, 4, 2), (2, 4, 3, 1), (1, 3, 2, 3))


@pytest.mark.parametrize("steps", [1, 2, 3, 6])
@pytest.mark.parametrize("make", PROGRAMS)
def test_a_program_agrees_with_the_evaluator(make: Callable[[], Program], steps: int) -> None:
    made = make()
    for seed, (rows, inputs, classes, depth) in enumerate(SIZES):
        sizes = {T: steps, n: rows, d: inputs, k: classes, m: depth}
        if made.integers:
            sizes[t] = max(1, steps - 1)
        harness.check(made, sizes, seed)


Arrays = Mapping[str, Any]


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum()


def rnn_loss(a: Arrays) -> float:
    h, total = a["h0"], 0.0
    for x, y in zip(a["I"], a["y"], strict=True):
        h = np.tanh(a["U"] @ x + a["W"] @ h)
        total -= float(y @ np.log(softmax(a["V"] @ h)))
    return total


def rnn_loss_at(a: Arrays) -> float:
    h = a["h0"]
    for x in a["I"][: a["t"]]:
        h = np.tanh(a["U"] @ x + a["W"] @ h)
    return -float(a["y"][a["t"] - 1] @ np.log(softmax(a["V"] @ h)))


def lstm_loss(a: Arrays) -> float:
    h, c, total = a["h0"], a["c0"], 0.0
    for x, v in zip(a["x"], a["v"], strict=True):
        pre = {g: a[f"U{g}"] @ x + a[f"W{g}"] @ h + a[f"b{g}"] for g in "ifog"}
        i, f, o = (1 / (1 + np.exp(-pre[g])) for g in "ifo")
        c = f * c + i * np.tanh(pre["g"])
        h = o * np.tanh(c)
        total += float(v @ h)
    return total


def attention_loss(a: Arrays) -> float:
    past, total = list(a["h_before"]), 0.0
    for x in a["x"]:
        last = [past[-1], past[-2]]
        p = softmax(np.array([a["u"] @ np.tanh(Q @ h) for Q, h in zip(a["Q"], last, strict=True)]))
        past.append(np.tanh(a["U"] @ x + a["W"] @ (p[0] * last[0] + p[1] * last[1])))
        total += float(a["v"] @ past[-1])
    return total


def layers_loss(a: Arrays) -> float:
    h = np.maximum(a["W1"] @ a["x"] + a["b1"], 0)
    return -float(a["y"] @ np.log(softmax(a["W2"] @ h + a["b2"])))


def second_order_loss(a: Arrays) -> float:
    before, h, total = a["h_m1"], a["h0"], 0.0
    for x in a["x"]:
        before, h = h, np.tanh(a["U"] @ x + a["W"] @ h + a["A"] @ before)
        total += float(a["v"] @ h)
    return total


def two_ways_loss(a: Arrays) -> float:
    h, ahead = a["h0"], []
    for x in a["x"]:
        h = np.tanh(a["U"] @ x + a["W"] @ h)
        ahead.append(h)
    g, total = a["g_end"], 0.0
    for x, h in zip(a["x"][::-1], ahead[::-1], strict=True):
        g = 1 / (1 + np.exp(-(a["A"] @ x + a["B"] @ g)))
        total += float(a["v"] @ (h * g))
    return total


def convolution_loss(a: Arrays) -> float:
    x, w = a["x"], a["w"]
    out = [[np.sum(x[2 * r : 2 * r + 3].T * w[j]) for r in range(len(x) // 2)] for j in range(len(w))]
    return float((np.maximum(out, 0) ** 2).sum())


BY_HAND: dict[Callable[[], Program], Callable[[Arrays], float]] = {
    systems.rnn: rnn_loss,
    systems.lstm: lstm_loss,
    systems.attention: attention_loss,
    systems.feed_forward: layers_loss,
    models.plain_rnn: rnn_loss,
    models.at_one_step: rnn_loss_at,
    models.second_order: second_order_loss,
    models.two_ways: two_ways_loss,
    models.convolution: convolution_loss,
}


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("make", BY_HAND)
def test_a_gradient_agrees_with_central_differences(make: Callable[[], Program], steps: int) -> None:
    made = make()
    sizes = {T: steps, n: 3, d: 2, k: 4, m: 2, t: max(1, steps - 1)}
    arguments = harness.draw(made, sizes, np.random.default_rng(steps))
    if "y" in arguments:
        arguments["y"] = np.abs(arguments["y"]) / np.abs(arguments["y"]).sum(axis=-1, keepdims=True)
    gradients = harness.run(made, arguments)
    for name, got in gradients.items():
        want = differences(BY_HAND[make], arguments, name)
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-8)


def differences(loss: Callable[[Arrays], float], arguments: Arrays, name: str, step: float = 1e-5) -> np.ndarray:
    """Central differences of a loss by every entry of one argument."""
    x = arguments[name]
    out = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * step
            ends.append(loss({**arguments, name: moved}))
        out[place] = (ends[0] - ends[1]) / (2 * step)
    return out


RNN_SOURCE = '''\
def a1(*, I, y, h0, U, W, V):
    """dL/dW, dL/dU and dL/dV of an RNN.

    Args:
        I: (T, d), rows t = 1..T
        y: (T, k), rows t = 1..T
        h0: (n,)
        U: (n, d)
        W: (n, n)
        V: (k, n)

    Returns:
        A dict: W (n, n), U (n, d), V (k, n).
    """
    I = np.asarray(I, dtype=float)
    y = np.asarray(y, dtype=float)
    h0 = np.asarray(h0, dtype=float)
    U = np.asarray(U, dtype=float)
    W = np.asarray(W, dtype=float)
    V = np.asarray(V, dtype=float)
    T = I.shape[0]
    n = h0.shape[0]
    a_in = I @ U.T

    # Forward through the steps.
    h = np.zeros((T + 1, n))
    h[0] = h0
    for t in range(1, T + 1):
        h[t] = np.tanh(a_in[t - 1] + W @ h[t - 1])

    z = h[1:] @ V.T
    yhat = _softmax(z, -1)
    dz = yhat - y
    dh_in = dz @ V
    da_scale = 1 - h[1:] ** 2

    # Backward through the steps.
    # Rows beyond the last step stay zero.
    da = np.zeros((T + 1, n))
    for t in range(T, 0, -1):
        da[t - 1] = da_scale[t - 1] * (dh_in[t - 1] + W.T @ da[t])

    dW = da[:-1].T @ h[:-1]
    dU = da[:-1].T @ I
    dV = dz.T @ h[1:]
    return {"W": dW, "U": dU, "V": dV}
'''


def test_backpropagation_through_time_reads_as_one_would_write_it() -> None:
    assert function_source(systems.rnn()) == RNN_SOURCE


@pytest.fixture(scope="module")
def everything() -> str:
    return module([make() for make in PROGRAMS], "Gradients of many models")


def test_a_module_imports_numpy_alone_and_each_helper_stands_once(everything: str) -> None:
    tree = ast.parse(everything)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["import numpy as np"]
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert len(names) == len(set(names))
    assert {name for name in names if name.startswith("_")} == {"_softmax", "_sigmoid", "_one_hot", "_windows"}


def test_arguments_are_keywords(everything: str) -> None:
    functions = [x for x in ast.parse(everything).body if isinstance(x, ast.FunctionDef) and x.name[0] != "_"]
    assert all(not x.args.args and x.args.kwonlyargs for x in functions)


def test_error_functions_need_the_standard_library_too() -> None:
    x = b.var("x", shape=(n,))
    text = module([Program("f", System(()), b.apply("gelu", x), (Leaf("x", x),))], "An activation")
    assert text.startswith('"""An activation."""\n\nimport math\n\nimport numpy as np\n\n\ndef _erf(x):')


@pytest.mark.skipif(shutil.which("ruff") is None, reason="ruff is not installed")
def test_a_linter_finds_nothing(everything: str, tmp_path: Path) -> None:
    path = tmp_path / "generated.py"
    path.write_text(everything, encoding="utf-8")
    select = ["ruff", "check", "--isolated", "--select", "E,F,W,I,B,SIM", "--ignore", "E741", str(path)]
    found = subprocess.run(select, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@pytest.mark.skipif(shutil.which("ruff") is None, reason="ruff is not installed")
@pytest.mark.parametrize("make", [p for p in PROGRAMS if p is not models.pooled])
def test_a_formatter_changes_nothing(make: Callable[[], Program], tmp_path: Path) -> None:
    path = tmp_path / "generated.py"
    path.write_text(module([make()], "Generated"), encoding="utf-8")
    command = ["ruff", "format", "--isolated", "--diff", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
