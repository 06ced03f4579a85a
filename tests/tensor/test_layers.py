"""Convolutions and pooling: values, index notation, sizes and derivatives against loops, SciPy and PyTorch."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_reference import conv, conv_transpose, pairs, pool

from symgrad.calculus.layer_adjoints import input_adjoint
from symgrad.calculus.layer_sums import in_entries
from symgrad.calculus.local import adjoint_part
from symgrad.calculus.sensitivity import by_entries
from symgrad.tensor import build as b
from symgrad.tensor.evaluate import Env, evaluate, evaluate_all
from symgrad.tensor.functions import FUNCTIONS, layer_arrays, layers, values_of
from symgrad.tensor.integers import evaluate_int, size_symbol
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Call, Var
from symgrad.tensor.shapes import ShapeError
from symgrad.tensor.stable import Array

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]
try:
    import scipy_reference
except ImportError:
    scipy_reference = None  # type: ignore[assignment]

CASES: Mapping[str, tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "plain": ("conv2d", (2, 4, 5), (3, 2, 2, 3), {}),
    "stride larger than kernel": ("conv2d", (1, 7, 8), (2, 1, 2, 2), {"stride": 3}),
    "padding larger than kernel": ("conv2d", (1, 3, 2), (1, 1, 2, 2), {"padding": 3}),
    "one entry out": ("conv2d", (2, 3, 4), (2, 2, 3, 4), {"stride": 5}),
    "dilation": ("conv2d", (2, 6, 7), (1, 2, 2, 3), {"dilation": [3, 2]}),
    "stride and dilation": ("conv2d", (1, 8, 9), (2, 1, 3, 2), {"stride": 2, "dilation": [3, 4], "padding": [2, 0]}),
    "groups": ("conv2d", (4, 4, 3), (6, 2, 2, 2), {"groups": 2, "padding": 1, "bias": True}),
    "depthwise": ("conv2d", (3, 4, 4), (6, 1, 3, 2), {"groups": 3, "bias": True}),
    "one axis": ("conv1d", (3, 9), (2, 3, 4), {"stride": 2, "padding": 2, "bias": True}),
    "one axis, groups": ("conv1d", (4, 6), (2, 2, 2), {"groups": 2, "dilation": 2}),
    "transposed": ("conv_transpose2d", (2, 3, 2), (2, 3, 3, 2), {"stride": 2, "padding": 1, "bias": True}),
    "transposed, dilated": ("conv_transpose2d", (1, 3, 2), (1, 2, 2, 3), {"stride": 2, "dilation": [2, 3]}),
    "transposed groups": ("conv_transpose2d", (4, 2, 3), (4, 3, 2, 2), {"groups": 2, "stride": 3, "output_padding": 2}),
    "transposed, depthwise": ("conv_transpose1d", (3, 4), (3, 2, 3), {"groups": 3, "stride": 2, "output_padding": 1}),
    "max": ("maxpool2d", (2, 5, 4), (2, 3), {"stride": 1}),
    "max, padded": ("maxpool2d", (2, 5, 6), (3, 2), {"padding": 1, "dilation": [1, 2]}),
    "max of one axis": ("maxpool1d", (2, 7), (3,), {"stride": 2, "padding": 1}),
    "mean": ("avgpool2d", (2, 5, 4), (2, 2), {"padding": 1}),
    "mean of one axis": ("avgpool1d", (2, 7), (3,), {"stride": 2}),
}  # fmt: skip


def model(case: tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]) -> tuple[Call, tuple[Var, ...]]:
    """The layer over variables x, w and b."""
    name, shape, kernel, options = case
    x = b.var("x", shape=shape)
    if "pool" in name:
        made = FUNCTIONS[name].construct(x, list(kernel), **options)
        leaves: tuple[Var, ...] = (x,)
    else:
        w = b.var("w", shape=kernel)
        outputs = kernel[1] * options.get("groups", 1) if "transpose" in name else kernel[0]
        bias = b.var("b", shape=(outputs,)) if options.get("bias") else None
        rest = {k: v for k, v in options.items() if k != "bias"}
        made = FUNCTIONS[name].construct(x, w, bias=bias, **rest)
        leaves = (x, w) if bias is None else (x, w, bias)
    assert isinstance(made, Call)
    return made, leaves


def by_loops(case: tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]], values: list[Array]) -> Array:
    name, _, kernel, options = case
    if name.startswith("maxpool"):
        return pool(values[0], kernel, options, lambda found, _: max(found))
    if name.startswith("avgpool"):
        return pool(values[0], kernel, options, lambda found, count: sum(found) / count)
    reference = conv_transpose if "transpose" in name else conv
    return reference(values[0], values[1], values[2] if len(values) > 2 else None, options)


def by_torch(
    module: ModuleType, case: tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]], values: list[Any]
) -> Any:
    name, shape, kernel, options = case
    function = module.nn.functional
    rest = {k: pairs(v, len(shape) - 1) if k != "groups" else v for k, v in options.items() if k != "bias"}
    x = values[0][None]
    if "pool" in name:
        return getattr(function, name[:3] + "_" + name[3:])(x, kernel, **rest)[0]
    return getattr(function, name)(x, values[1], values[2] if len(values) > 2 else None, **rest)[0]


def arrays(leaves: tuple[Var, ...], seed: int = 0) -> dict[Var, Array]:
    rng = np.random.default_rng(seed)
    return {v: rng.normal(size=tuple(int(n) for n in v.shape)) for v in leaves}


def environment(values: Mapping[Var, Array]) -> Env:
    return Env.of({v: x[None] for v, x in values.items()})


def check(case: tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]) -> None:
    """Value, every entry, source and gradients of one layer."""
    node, leaves = model(case)
    values = arrays(leaves)
    expected = by_loops(case, [values[v] for v in leaves])
    assert node.shape == expected.shape
    np.testing.assert_allclose(evaluate(node, environment(values))[0], expected, rtol=1e-12, atol=1e-12)
    places = list(np.ndindex(expected.shape))
    found = evaluate_all([component(node, tuple(p + 1 for p in at)) for at in places], environment(values))
    np.testing.assert_allclose([x[0] for x in found], [expected[at] for at in places], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(from_source(node, [values[v] for v in leaves]), expected, rtol=1e-12, atol=1e-12)
    g = b.var("g", shape=node.shape)
    seed = np.random.default_rng(1).normal(size=expected.shape)
    for leaf in leaves:
        gradient = evaluate(adjoint_part(node, b.var("y", shape=node.shape), g, leaf), environment(
            {**values, g: seed, b.var("y", shape=node.shape): expected}))[0]  # fmt: skip
        h = 1e-6
        for at in np.ndindex(values[leaf].shape):
            step = np.zeros(values[leaf].shape)
            step[at] = h
            ends = [by_loops(case, [values[v] + t * step if v is leaf else values[v] for v in leaves]) for t in (1, -1)]
            slope = float((seed * (ends[0] - ends[1])).sum() / (2 * h))
            assert np.broadcast_to(gradient, step.shape)[at] == pytest.approx(slope, abs=1e-7)


def from_source(node: Call, values: list[Array]) -> Array:
    row = values_of(node)
    space: dict[str, Any] = {"np": np, **{f"a{k}": x for k, x in enumerate(values)}}
    for helper in row.helpers:
        exec(helper, space)
    names = [f"a{k}" for k in range(len(values))]
    return np.asarray(eval(row.code.format(*names, operands=", ".join(names), **dict(node.params)), space))


@pytest.mark.parametrize("name", CASES)
def test_a_layer_is_what_loops_say(name: str) -> None:
    check(CASES[name])


@pytest.mark.skipif(torch is None, reason="PyTorch is in the extra `reference`; the loops above check the same")
@pytest.mark.parametrize("name", CASES)
def test_loops_are_what_pytorch_says(name: str) -> None:
    node, leaves = model(CASES[name])
    values = arrays(leaves)
    tensors = [torch.tensor(values[v], requires_grad=True) for v in leaves]
    y = by_torch(torch, CASES[name], tensors)
    np.testing.assert_allclose(by_loops(CASES[name], [values[v] for v in leaves]), y.detach().numpy(), atol=1e-12)
    seed = np.random.default_rng(1).normal(size=y.shape)
    y.backward(torch.tensor(seed))
    g, ans = b.var("g", shape=node.shape), b.var("y", shape=node.shape)
    env = environment({**values, g: seed, ans: y.detach().numpy()})
    for leaf, tensor in zip(leaves, tensors, strict=True):
        gradient = evaluate(adjoint_part(node, ans, g, leaf), env)[0]
        np.testing.assert_allclose(np.broadcast_to(gradient, tensor.shape), tensor.grad.numpy(), atol=1e-12)


small = st.integers(1, 3)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]:
    """Convolutions of any settings, outputs of size 1 and padding beyond the kernel among them."""
    axes, groups = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    name = draw(st.sampled_from(["conv", "conv_transpose"])) + f"{axes}d"
    inner, outer = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    sizes, kernel = draw(st.tuples(*[st.integers(1, 5)] * axes)), draw(st.tuples(*[small] * axes))
    options: dict[str, Any] = {
        "stride": list(draw(st.tuples(*[small] * axes))),
        "padding": list(draw(st.tuples(*[st.integers(0, 4)] * axes))),
        "dilation": list(draw(st.tuples(*[small] * axes))),
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    filters = (groups * inner, outer, *kernel) if "transpose" in name else (groups * outer, inner, *kernel)
    return name, (groups * inner, *sizes), filters, options


def has_output(case: tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]) -> bool:
    """Whether every axis of the output has a place; a layer without one is refused with the reason."""
    name, shape, filters, options = case
    rows = zip(shape[1:], filters[2:], *(options[n] for n in ("stride", "padding", "dilation")), strict=True)
    if "transpose" in name:
        expected = all((n - 1) * s - 2 * p + d * (k - 1) + 1 > 0 for n, k, s, p, d in rows)
    else:
        expected = all(n + 2 * p >= d * (k - 1) + 1 for n, k, s, p, d in rows)
    if not expected:
        with pytest.raises(ShapeError, match="no output"):
            model(case)
    return expected


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith("mean")])
@pytest.mark.parametrize("named", [False, True], ids=["", "with its value named"])
def test_the_adjoint_of_a_layer_is_a_layer(name: str, named: bool) -> None:
    """The layer, its sums and its source are the adjoint by index notation, which differences have judged."""
    node, leaves = model(CASES[name])
    y, g = b.var("y", shape=node.shape), b.var("g", shape=node.shape)
    values = arrays((*leaves, g))
    env = environment({**values, y: evaluate(node, environment(values))[0]})
    layer = input_adjoint(node, g)
    assert layer is not None
    expected = evaluate(by_entries(node, y, g)[0], env)[0]
    np.testing.assert_allclose(evaluate(layer, env)[0], expected, atol=1e-12)
    sums = in_entries(layer, {node: y} if named else {})
    assert sums is not None
    np.testing.assert_allclose(evaluate(sums, env)[0], expected, atol=1e-12)
    if isinstance(layer, Call):
        np.testing.assert_allclose(from_source(layer, [values[v] for v in layer.args]), expected, atol=1e-12)


@given(convolutions())
@settings(max_examples=60, deadline=None)
def test_any_convolution_is_what_loops_say(case: tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]) -> None:
    assume(has_output(case))
    check(case)


Case = tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]
needs_scipy = pytest.mark.skipif(scipy_reference is None, reason="SciPy is in the extra `test`")


def by_scipy(case: Case, values: list[Array]) -> Array:
    name, _, kernel, options = case
    if "pool" in name:
        return scipy_reference.pooling(values[0], kernel, options, name[:3])
    reference = scipy_reference.transposed if "transpose" in name else scipy_reference.convolution
    return reference(values[0], values[1], values[2] if len(values) > 2 else None, options)


@needs_scipy
@pytest.mark.parametrize("name", [n for n in CASES if "dilation" not in CASES[n][3] or "pool" not in CASES[n][0]])
def test_a_layer_is_what_scipy_says(name: str) -> None:
    node, leaves = model(CASES[name])
    values = arrays(leaves)
    expected = by_scipy(CASES[name], [values[v] for v in leaves])
    np.testing.assert_allclose(evaluate(node, environment(values))[0], expected, atol=1e-12)


@needs_scipy
@given(convolutions())
@settings(max_examples=60, deadline=None)
def test_any_convolution_is_what_scipy_says(case: Case) -> None:
    """The value; the gradients by ⟨g, L(w) x⟩, which is linear in x and in w apart."""
    assume(has_output(case))
    node, leaves = model(case)
    values = arrays(leaves)
    expected = by_scipy(case, [values[v] for v in leaves])
    assert node.shape == expected.shape
    np.testing.assert_allclose(evaluate(node, environment(values))[0], expected, atol=1e-12)
    g, y = b.var("g", shape=node.shape), b.var("y", shape=node.shape)
    seed = np.random.default_rng(1).normal(size=expected.shape)
    env = environment({**values, g: seed, y: expected})
    for leaf in leaves[:2]:
        direction = np.random.default_rng(2).normal(size=values[leaf].shape)
        moved = by_scipy(case, [values[v] + (direction if v is leaf else 0) for v in leaves])
        gradient = evaluate(adjoint_part(node, y, g, leaf), env)[0]
        slope = float((seed * (moved - expected)).sum())
        assert float((np.broadcast_to(gradient, direction.shape) * direction).sum()) == pytest.approx(slope, abs=1e-9)


@needs_scipy
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_pooling_is_what_scipy_says(data: st.DataObject) -> None:
    op, axes = data.draw(st.sampled_from(["max", "avg"])), data.draw(st.integers(1, 2))
    kernel = data.draw(st.tuples(*[small] * axes))
    sizes = tuple(k + data.draw(st.integers(0, 4)) for k in kernel)
    options: dict[str, Any] = {
        "stride": list(data.draw(st.tuples(*[st.integers(1, 4)] * axes))),
        "padding": [data.draw(st.integers(0, k // 2)) for k in kernel],
    }
    case = (f"{op}pool{axes}d", (2, *sizes), kernel, options)
    node, leaves = model(case)
    values = arrays(leaves)
    expected = by_scipy(case, [values[leaves[0]]])
    assert node.shape == expected.shape
    np.testing.assert_allclose(evaluate(node, environment(values))[0], expected, atol=1e-12)


@needs_scipy
@given(convolutions())
@settings(max_examples=40, deadline=None)
def test_symbolic_sizes_are_those_of_scipy(case: Case) -> None:
    assume(has_output(case))
    name, shape, filters, options = case
    symbols = [size_symbol(f"n{k}") for k in range(len(shape) - 1)]
    rest = {k: v for k, v in options.items() if k != "bias"}
    node = FUNCTIONS[name].construct(b.var("x", shape=(shape[0], *symbols)), b.var("w", shape=filters), **rest)
    _, leaves = model((name, shape, filters, rest))
    expected = by_scipy((name, shape, filters, rest), list(arrays(leaves).values()))
    env = dict(zip(symbols, shape[1:], strict=True))
    assert tuple(evaluate_int(n, env) for n in node.shape) == expected.shape


# Shapes and refusals

H, W, K, S, P, D, F, C = (size_symbol(n) for n in "HWKSPDFC")


def test_sizes_stay_symbols() -> None:
    x, w = b.var("x", shape=(C, H, W)), b.var("w", shape=(F, C, K, K))
    node = layers.conv2d(x, w, stride=S, padding=P, dilation=D)
    for h, k, s, p, d in [(21, 4, 4, 0, 1), (78, 5, 3, 2, 1), (9, 3, 2, 1, 3), (5, 5, 1, 4, 2)]:
        env = {H: h, W: 40, K: k, S: s, P: p, D: d, F: 7, C: 2}
        assert evaluate_int(node.shape[1], env) == (h + 2 * p - d * (k - 1) - 1) // s + 1
    assert node.shape[0] is F
    back = layers.conv_transpose2d(x, b.var("v", shape=(C, F, K, K)), stride=S, padding=P)
    assert [evaluate_int(n, {H: 3, W: 7, K: 5, S: 2, P: 1, F: 4}) for n in back.shape] == [4, 7, 15]


def test_arguments_without_channels_are_one_channel() -> None:
    image, filters = b.var("x", shape=(4, 5)), b.var("w", shape=(2, 2))
    many = b.var("v", shape=(3, 1, 2, 2))
    assert layers.conv2d(image, filters).shape == (3, 4)
    assert layers.conv2d(image, many).shape == (3, 3, 4)
    assert layers.conv_transpose2d(image, filters, stride=2).shape == (8, 10)
    assert layers.maxpool2d(image, 2).shape == (2, 2)
    values = arrays((b.var("x", shape=(4, 5)), filters, many))
    found = evaluate(layers.conv2d(image, filters), environment(values))[0]
    expected = conv(values[image][None], values[filters][None, None], None, {})[0]
    np.testing.assert_allclose(found, expected)
    node = layers.conv2d(image, filters)
    assert isinstance(node, Call)
    np.testing.assert_allclose(from_source(node, [values[image], values[filters]]), expected)
    wide = layers.conv2d(image, many)
    assert isinstance(wide, Call)
    np.testing.assert_allclose(from_source(wide, [values[image], values[many]]),
                               conv(values[image][None], values[many], None, {}))  # fmt: skip


def test_ties_of_max_go_to_the_first() -> None:
    x, g = b.var("x", shape=(2, 2)), b.var("g", shape=(1, 1))
    node, y = layers.maxpool2d(x, 2), b.var("y", shape=(1, 1))
    for picture in ([[1.0, 1.0], [1.0, 1.0]], [[0.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]):
        env = environment({x: np.array(picture), g: np.ones((1, 1)), y: np.array([[1.0]])})
        flat = np.zeros(4)
        flat[int(np.argmax(picture))] = 1
        np.testing.assert_array_equal(evaluate(adjoint_part(node, y, g, x), env)[0].ravel(), flat)


X, Q = b.var("x", shape=(2, 4, 4)), b.var("w", shape=(3, 2, 5, 2))
REFUSED: Mapping[str, tuple[Any, str]] = {
    "a kernel larger than the input": (
        lambda: layers.conv2d(X, Q),
        "kernel 5 is larger than the input 4: no output",
    ),
    "a kernel larger than the padded input": (
        lambda: layers.conv2d(X, b.var("w", shape=(3, 2, 7, 2)), padding=1),
        "kernel 7 is larger than the padded input 6 (4 with 1 on each side): no output",
    ),
    "a dilated kernel": (
        lambda: layers.conv2d(X, b.var("w", shape=(3, 2, 2, 2)), dilation=4),
        "kernel 2 (spread over 5 by dilation 4) is larger than the input 4: no output",
    ),
    "nothing left": (
        lambda: layers.conv_transpose1d(b.var("x", shape=(2,)), b.var("w", shape=(2,)), padding=2),
        "padding 2 cuts off all 3 places on both sides: no output",
    ),
    "channels": (
        lambda: layers.conv2d(X, b.var("w", shape=(3, 5, 2, 2))),
        "conv2d: filters for 5 channels, but the input has 2",
    ),
    "channels in groups": (
        lambda: layers.conv2d(X, b.var("w", shape=(2, 2, 2, 2)), groups=2),
        "conv2d: filters for 2 channels, but the input has 1 in each of 2 groups",
    ),
    "groups": (
        lambda: layers.conv2d(X, b.var("w", shape=(3, 2, 2, 2)), groups=3),
        "2 channels cannot be divided into 3 groups",
    ),
    "bias": (
        lambda: layers.conv2d(X, b.var("w", shape=(3, 2, 2, 2)), bias=b.var("b", shape=(2,))),
        "conv2d: the bias must be a vector of size 3, not a vector of size 2",
    ),
    "an input with too many axes": (
        lambda: layers.conv1d(X, b.var("w", shape=(3, 2, 2))),
        "conv1d takes an input [length] or [channels, length], not 2 × 4 × 4",
    ),
    "filters with too few axes": (
        lambda: layers.conv2d(X, b.var("w", shape=(3, 2, 2))),
        "conv2d takes filters [out, in/groups, kh, kw], or [kh, kw] for one channel, not 3 × 2 × 2",
    ),
    "stride 0": (lambda: layers.maxpool2d(X, 2, stride=0), "stride must be at least 1, not 0"),
    "too many strides": (
        lambda: layers.conv2d(X, b.var("w", shape=(3, 2, 2, 2)), stride=[1, 2, 3]),
        "stride needs one number, or 2 of them, not 3",
    ),
    "output padding": (
        lambda: layers.conv_transpose2d(X, b.var("w", shape=(2, 3, 2, 2)), output_padding=1),
        "output_padding 1 must be smaller than the stride 1 or the dilation 1",
    ),
    "pooling on padding alone": (
        lambda: layers.maxpool2d(X, 2, padding=2),
        "maxpool2d: padding 2 is more than half of the kernel 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_is_wrong(name: str) -> None:
    make, message = REFUSED[name]
    with pytest.raises(ShapeError) as caught:
        make()
    assert str(caught.value) == message


def test_a_window_larger_than_its_array_is_an_error_of_shapes() -> None:
    options = {"stride0": 1, "padding0": 0, "dilation0": 1, "groups": 1}
    with pytest.raises(ShapeError, match=r"a window of \[3\] does not fit into \[2\]"):
        layer_arrays.convolution([np.ones((1, 1, 2)), np.ones((1, 1, 1, 3))], options, (1, 0))
