"""Gradients of layers: entries with their ranges, the convolutions that they are, and the code that computes them."""

import numpy as np
import pytest

import symgrad
from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import CasesLine, Derivation, Line, lines
from symgrad.notation.plain import plain
from symgrad.notation.read import read
from symgrad.notation.style import Style
from symgrad.problem.elaborate import load_problem
from symgrad.tensor.nodes import Call, Expr
from symgrad.tensor.stable import Array
from symgrad.tensor.walk import postorder, variables

BANK = ("conv_sizes", "conv1d_index", "conv_by_hand", "conv_lowered", "transposed_conv", "layer_counts")


def text(x: Expr) -> str:
    return plain(read(x, Style()))


def derived(name: str) -> dict[str, Derivation]:
    problem = symgrad.load(name).problem
    return {d.id: d for d in solve_problem(problem)}


def said(d: Derivation) -> list[str]:
    return [" = ".join(map(text, (x.left, *x.right))) for r in d.results for x in lines(r.blocks)]


@pytest.mark.parametrize("name", BANK)
def test_the_bank_is_certified(name: str) -> None:
    found = derived(name)
    failed = {q: d.message for q, d in found.items() if d.status == "failed" and d.ask != "solve"}
    assert not failed


def exact(name: str) -> dict[str, object]:
    return {q: d.results[0].exact for q, d in derived(name).items() if d.results}


def test_sizes_and_counts() -> None:
    sizes = exact("conv_sizes")
    assert [sizes[q] for q in ("small", "padded", "oblong", "transposed_small")] == [[5, 2], [26, 28], [31, 30], [9]]
    counts = exact("layer_counts")
    expected = {
        "lenet_filter": 26, "lenet": 156, "lenet_size": [6, 28, 28], "strided": 85, "strided_size": [5, 15, 15],
        "wide": 100_352, "wide_multiplications": 2_508_800, "wide_additions": 2_507_200, "pointwise": 65_536,
        "pointwise_size": [128, 29, 29],
    }  # fmt: skip
    assert counts == expected
    assert exact("conv_by_hand")["value"] == [[1, 13, 20], [19, 99, 92], [26, 86, 64]]
    assert exact("conv1d_index")["by_weight_shape"] == [3, 1, 5, 3]
    assert exact("conv1d_index")["by_input_shape"] == [3, 7, 5]


def test_every_entry_by_hand_has_its_products() -> None:
    found = said(derived("conv_by_hand")["value"])
    assert "Y[2,2] = 4 · 6 + 2 · 7 + 5 · 10 + 11 = 99" in found
    assert "Y[1,1] = 1" in found
    assert sum(x.startswith("Y[") for x in found) == 9


def test_entries_of_a_strided_convolution() -> None:
    found = derived("conv1d_index")
    (by_input,) = [x for x in found["by_input"].results[0].blocks if isinstance(x, CasesLine)]
    (inside, condition), (outside, otherwise) = by_input.cases
    assert text(inside) == "W[1,c,k−2(r−1)]"
    assert text(outside) == "0"
    assert "".join(w if isinstance(w, str) else text(w) for w in condition) == "1 ≤ k − 2 (r − 1) ≤ 3"
    assert otherwise == ("otherwise",)
    assert said(found["loss_by_weight"])[-1] == "[∂l/∂W][1,c,:] = conv1d[dilation 2](x[:,c], ∂l/∂f)"
    assert said(found["loss_by_input"])[-1] == "[∂l/∂x][:,c] = convtranspose1d[stride 2](∂l/∂f, W[1,c,:])"


def test_gradients_are_layers_of_gradients() -> None:
    found = derived("conv_lowered")
    assert said(found["by_filter"])[-1] == "∂g/∂F = conv2d(X, ∂g/∂Z)"
    whole, full = said(found["by_input"])[-2:]
    assert whole == (
        "∂g/∂X = [∑ₖ₌₁³ ∑ₗ₌₁³ 𝟏[1 ≤ i − k + 1 ≤ H − 2, 1 ≤ j − l + 1 ≤ N − 2] [∂g/∂Z][i−k+1,j−l+1] Fₖₗ][i,j]"
        " = convtranspose2d(∂g/∂Z, F)"
    )
    assert full == "∂g/∂X = conv2d[padding 2](∂g/∂Z, R)"


SETTINGS = [
    "",
    ", stride=2",
    ", padding=2",
    ", dilation=2",
    ", stride=3, padding=1, dilation=2",
    ", stride=S, padding=P",
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(
    "shapes", ["X: {shape: [2, 7, 6]}\n  W: {shape: [3, 2, 3, 2]}", "X: {shape: [H, N]}\n  W: {shape: [K, K]}"]
)
def test_forms_of_a_layer_are_certified(settings: str, shapes: str) -> None:
    problem = load_problem(
        f"symbols:\n  {shapes}\nmodel:\n  - Y = conv2d(X, W{settings})\n  - l = loss(Y)\nquestions:\n"
        "  - {id: chain, ask: derivative, of: l, wrt: [W, X]}\n"
        "  - {id: back, ask: derivative, of: l, wrt: [W, X], form: backprop}\n"
        "  - {id: entry, ask: derivative, of: Y, wrt: [W, X], form: components}\n"
    )
    for d in solve_problem(problem):
        assert d.status == "certified", d.message
        for r in d.results:
            assert all(c.ok for c in r.checks)
    chain = solve_problem(problem, only=["chain"])[0]
    rules = [x.rule for r in chain.results for x in r.blocks if isinstance(x, Line)]
    assert "convolution" in rules
    layers = [x.fn for r in chain.results if r.value is not None for x in postorder(r.value) if isinstance(x, Call)]
    assert layers == ["conv_transpose2d"]


NETWORK = """
symbols:
  X: {shape: [2, 6, 5]}
  W: {shape: [4, 1, 2, 2]}
  b: {shape: 4}
  V: {shape: [4, 1, 3, 2]}
model:
  - Y = conv2d(X, W, stride=1, padding=[1, 0], groups=2, bias=b)
  - Z = tanh(Y)
  - M = maxpool2d(Z, [2, 2], stride=1, padding=1)
  - A = avgpool2d(M, 2)
  - U = conv_transpose2d(A, V, stride=2, groups=2, output_padding=1)
  - L = sum(U * U)
questions:
  - {id: g, ask: derivative, of: L, wrt: [W, X, b, V], form: backprop}
"""


def test_generated_code_of_a_network_agrees_with_differences() -> None:
    problem = load_problem(NETWORK)
    (d,) = solve_problem(problem)
    assert d.status == "certified", d.message
    rng = np.random.default_rng(3)
    shapes = {"X": (2, 6, 5), "W": (4, 1, 2, 2), "b": (4,), "V": (4, 1, 3, 2)}
    values = {k: rng.normal(size=s) for k, s in shapes.items()}
    results = {r.wrt: r for r in symgrad.load(NETWORK).solve()["g"].results}
    for name, value in values.items():
        gradient = results[name].evaluate(**values)
        direction = rng.normal(size=value.shape)
        ends = [forward({**values, name: value + t * direction}) for t in (1e-5, -1e-5)]
        assert np.sum(gradient * direction) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6)


def windows(x: Array, h: int, w: int, stride: int) -> Array:
    """Every h × w window of x [c, …]: (c, rows, columns, h, w)."""
    rows, columns = (x.shape[1] - h) // stride + 1, (x.shape[2] - w) // stride + 1
    found = [
        x[:, r * stride : r * stride + h, c * stride : c * stride + w] for r in range(rows) for c in range(columns)
    ]
    return np.stack(found, 1).reshape(x.shape[0], rows, columns, h, w)


def forward(v: dict[str, Array]) -> float:
    padded = windows(np.pad(v["X"], ((0, 0), (1, 1), (0, 0))), 2, 2, 1)
    y = np.stack([(padded[o // 2] * v["W"][o, 0]).sum((-2, -1)) + v["b"][o] for o in range(4)])
    ringed = np.pad(np.tanh(y), ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    a = windows(windows(ringed, 2, 2, 1).max((-2, -1)), 2, 2, 2).mean((-2, -1))
    u = np.zeros((2, (a.shape[1] - 1) * 2 + 4, (a.shape[2] - 1) * 2 + 3))
    for c, r, s in np.ndindex(a.shape):
        u[c // 2, 2 * r : 2 * r + 3, 2 * s : 2 * s + 2] += a[c, r, s] * v["V"][c, 0]
    return float((u * u).sum())


def test_a_gradient_that_is_a_product_has_a_name_before_it_passes_through_a_pool() -> None:
    (found,) = solve_problem(
        load_problem(
            "title: Pooled\nsymbols:\n  X: {shape: [2, 4, 4]}\n  W: {shape: [3, 8]}\n  V: {shape: [3, 3]}\n"
            "  y: {shape: 3}\nmodel:\n  - P = maxpool2d(X, 2)\n  - v = reshape(P, 8)\n  - h = relu(W @ v)\n  - L = y.T @ (V @ h)\n"
            "questions:\n  - {id: q, ask: derivative, of: L, wrt: X}\n"
        )
    )
    assert found.status == "certified"
    value = found.results[0].value
    assert value is not None
    assert {x.name for x in variables(value)} == {"δ", "X"}
    (layer,) = [x for x in said(found) if x.startswith("∂L/∂X = [") and x.endswith("maxunpool2d₂(δ, X)")]
    assert "𝟏[Xᵢⱼₖ = P_iqr]" in layer


LENET = """
symbols:
  x: {shape: [8, 8]}
  K: {shape: [2, 1, 3, 3]}
  c: {shape: 2}
  M: {shape: [3, 2, 2, 2]}
  W: {shape: [4, 3]}
  y: {shape: 4, is: one-hot}
model:
  - a = conv2d(x, K, bias=c)
  - h = relu(a)
  - p = maxpool2d(h, 2)
  - s = conv2d(p, M)
  - u = relu(s)
  - q = maxpool2d(u, 2)
  - L = cross_entropy(y, softmax(W @ vec(q)))
questions:
  - {id: chain, ask: derivative, of: L, wrt: [K, c]}
  - {id: back, ask: derivative, of: L, wrt: [K, c, M], form: backprop}
"""


def test_a_network_hands_its_gradient_back_from_layer_to_layer() -> None:
    """Each line has one layer, and the slope and the gradient behind it by name."""
    found = {d.id: d for d in solve_problem(load_problem(LENET))}
    assert {d.status for d in found.values()} == {"certified"}
    firsts = [x.split(" = [")[0] for x in said(found["back"])]
    assert [x for x in firsts if x.startswith("δ")] == [
        "δz = softmax(z) − y",
        "δq = reshape[3×1×1](Wᵀ δz)",
        "δu = maxunpool2d₂(δq, u)",
        "δs = δu ⊙ 𝟏[s > 0]",
        "δp = convtranspose2d(δs, M)",
        "δh = maxunpool2d₂(δp, h)",
        "δa = δh ⊙ 𝟏[a > 0]",
    ]
    filters = [x for x in said(found["back"]) if x.startswith("∂L/∂K")]
    assert filters == ["∂L/∂K = [∑[q=1..6] ∑ᵣ₌₁⁶ [δa]_iqr x[k+q−1,l+r−1]][i,j,k,l]"]
    named = [x for x in said(found["chain"]) if " = δ" in x]
    assert [x.split(" = ")[0] for x in named] == ["∂L/∂q", "∂L/∂s", "∂L/∂p", "∂L/∂a"]
