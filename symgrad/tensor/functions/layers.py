"""Checked constructors of convolutions and pooling, in PyTorch's layouts and with its sizes.

A convolution is a correlation of an input [c, h, w] with filters [out, in/groups, kh, kw]; a transposed one has
filters [in, out/groups, kh, kw]. An argument without its channel axes is one channel, and the result of two such
has none either. Settings are one integer for all axes or one for each; they may be symbols.
"""

from collections.abc import Sequence
from typing import TypeAlias

import sympy

from symgrad.tensor import build as b
from symgrad.tensor.functions.construct import IntLike, as_integer
from symgrad.tensor.integers import Int, at_most, difference, integer, lifted, same
from symgrad.tensor.nodes import Call, Expr
from symgrad.tensor.shapes import ShapeError, describe, same_shape, show_shape

Setting: TypeAlias = IntLike | Sequence[IntLike]

AXES: dict[str, int] = {
    "conv1d": 1, "conv2d": 2, "conv_transpose1d": 1, "conv_transpose2d": 2,
    "maxpool1d": 1, "maxpool2d": 2, "avgpool1d": 1, "avgpool2d": 2, "maxunpool1d": 1, "maxunpool2d": 2,
}  # fmt: skip
"""The number of axes that each layer slides along."""


def setting(node: Call, name: str) -> tuple[Int, ...]:
    """A setting of a layer, one integer for each axis that it slides along."""
    return tuple(node.param(f"{name}{a}") for a in range(AXES[node.fn]))


def has_channels(x: Expr, axes: int) -> bool:
    """Whether an input of a layer has a channel axis."""
    return x.order == axes + 1


def output_size(size: Int, kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1) -> Int:
    """⌊(H + 2P − D(K − 1) − 1)/S⌋ + 1.

    Raises:
        ShapeError: the kernel is larger than the padded input for all values of the symbols.
    """
    padded, reach = integer(size + 2 * padding), integer(dilation * (kernel - 1) + 1)
    room = difference(padded, reach)
    if at_most(room, -1):
        spread = "" if dilation == 1 or same(dilation, 1) else f" (spread over {reach} by dilation {dilation})"
        around = f" {padded}" if same(padding, 0) else f" {padded} ({size} with {padding} on each side)"
        what = "input" if same(padding, 0) else "padded input"
        raise ShapeError(f"kernel {kernel}{spread} is larger than the {what}{around}: no output")
    if isinstance(room, int) and isinstance(stride, int):
        return room // stride + 1
    if same(stride, 1):
        return integer(difference(room, -1))
    return integer(sympy.floor(sympy.together(lifted(room) / stride)) + 1)


def transposed_size(size: Int, kernel: Int, stride: Int, padding: Int, dilation: Int, extra: Int) -> Int:
    """(H − 1)S − 2P + D(K − 1) + 1 + the output padding.

    Raises:
        ShapeError: nothing is left after the padding is cut off.
    """
    full = integer(sympy.expand((size - 1) * stride + dilation * (kernel - 1) + 1 + extra))
    kept = difference(full, 2 * padding)
    if at_most(kept, 0):
        raise ShapeError(f"padding {padding} cuts off all {full} places on both sides: no output")
    return kept


def _several(value: Setting, axes: int, what: str, least: int) -> tuple[Int, ...]:
    values = [as_integer(v, what) for v in ([value] * axes if not isinstance(value, Sequence) else value)]
    if len(values) != axes:
        raise ShapeError(f"{what} needs one number, or {axes} of them, not {len(values)}")
    for v in values:
        if at_most(v, least - 1):
            raise ShapeError(f"{what} must be at least {least}, not {v}")
    return tuple(values)


def _flat(**settings: tuple[Int, ...]) -> dict[str, Int]:
    return {f"{name}{axis}": v for name, values in settings.items() for axis, v in enumerate(values)}


def _input(x: Expr, name: str, axes: int) -> tuple[Int, tuple[Int, ...]]:
    """The number of channels, and the sizes of the axes that a layer slides along."""
    if x.row or x.order not in (axes, axes + 1):
        wanted = "[length] or [channels, length]" if axes == 1 else "[height, width] or [channels, height, width]"
        raise ShapeError(f"{name} takes an input {wanted}, not {describe(x)}")
    return (x.shape[0], x.shape[1:]) if has_channels(x, axes) else (1, x.shape)


def _filters(w: Expr, name: str, axes: int, layout: str) -> tuple[Int, Int, tuple[Int, ...]]:
    if w.row or w.order not in (axes, axes + 2):
        kernel = "k" if axes == 1 else "kh, kw"
        raise ShapeError(f"{name} takes filters [{layout}, {kernel}], or [{kernel}] for one channel, not {describe(w)}")
    return (w.shape[0], w.shape[1], w.shape[2:]) if w.order > axes else (1, 1, w.shape)


def _quotient(value: Int, groups: Int, what: str) -> Int:
    found = sympy.cancel(lifted(value) / groups)
    if found.is_integer is False:
        raise ShapeError(f"{value} {what} cannot be divided into {groups} groups")
    return integer(found)


def _biased(bias: Expr | None, outputs: Int, name: str) -> tuple[Expr, ...]:
    if bias is None:
        return ()
    if bias.order == 0 and same(outputs, 1):
        return (bias,)
    if bias.row or bias.order != 1 or not same(bias.shape[0], outputs):
        raise ShapeError(f"{name}: the bias must be {show_shape((outputs,))}, not {describe(bias)}")
    return (bias,)


def _convolution(
    name: str,
    x: Expr,
    w: Expr,
    bias: Expr | None,
    stride: Setting,
    padding: Setting,
    dilation: Setting,
    groups: IntLike,
) -> Expr:
    axes = AXES[name]
    channels, sizes = _input(x, name, axes)
    outputs, inner, kernel = _filters(w, name, axes, "out, in/groups")
    strides, pads = _several(stride, axes, "stride", 1), _several(padding, axes, "padding", 0)
    spreads, parts = _several(dilation, axes, "dilation", 1), _several(groups, 1, "groups", 1)[0]
    per_group = _quotient(channels, parts, "channels")
    _quotient(outputs, parts, "outputs")
    if not same(per_group, inner):
        each = "" if same(parts, 1) else f" in each of {parts} groups"
        raise ShapeError(f"{name}: filters for {inner} channels, but the input has {per_group}{each}")
    shape = tuple(output_size(*z) for z in zip(sizes, kernel, strides, pads, spreads, strict=True))
    lead = (outputs,) if has_channels(x, axes) or w.order > axes else ()
    params = _flat(stride=strides, padding=pads, dilation=spreads)
    return b.call(name, (x, w, *_biased(bias, outputs, name)), (*lead, *shape), groups=parts, **params)


def conv1d(
    x: Expr, w: Expr, *, bias: Expr | None = None, stride: Setting = 1, padding: Setting = 0, dilation: Setting = 1,
    groups: IntLike = 1,
) -> Expr:  # fmt: skip
    """y_or = b_o + Σ_ck w_ock x_{c, S(r−1) + D(k−1) + 1 − P}."""
    return _convolution("conv1d", x, w, bias, stride, padding, dilation, groups)


def conv2d(
    x: Expr, w: Expr, *, bias: Expr | None = None, stride: Setting = 1, padding: Setting = 0, dilation: Setting = 1,
    groups: IntLike = 1,
) -> Expr:  # fmt: skip
    """The same along two axes: x [c, h, w], filters [out, in/groups, kh, kw]."""
    return _convolution("conv2d", x, w, bias, stride, padding, dilation, groups)


def _transposed(
    name: str, x: Expr, w: Expr, bias: Expr | None, stride: Setting, padding: Setting, output_padding: Setting,
    groups: IntLike, dilation: Setting,
) -> Expr:  # fmt: skip
    axes = AXES[name]
    channels, sizes = _input(x, name, axes)
    inputs, per_group, kernel = _filters(w, name, axes, "in, out/groups")
    strides, pads = _several(stride, axes, "stride", 1), _several(padding, axes, "padding", 0)
    spreads, parts = _several(dilation, axes, "dilation", 1), _several(groups, 1, "groups", 1)[0]
    extra = _several(output_padding, axes, "output_padding", 0)
    _quotient(channels, parts, "channels")
    if not same(channels, inputs):
        raise ShapeError(f"{name}: filters for {inputs} channels, but the input has {channels}")
    for e, s, d in zip(extra, strides, spreads, strict=True):
        if at_most(s, e) and at_most(d, e):
            raise ShapeError(f"output_padding {e} must be smaller than the stride {s} or the dilation {d}")
    shape = tuple(transposed_size(*z) for z in zip(sizes, kernel, strides, pads, spreads, extra, strict=True))
    outputs = integer(per_group * parts)
    lead = (outputs,) if has_channels(x, axes) or w.order > axes else ()
    params = _flat(stride=strides, padding=pads, dilation=spreads, output_padding=extra)
    return b.call(name, (x, w, *_biased(bias, outputs, name)), (*lead, *shape), groups=parts, **params)


def conv_transpose1d(
    x: Expr, w: Expr, *, bias: Expr | None = None, stride: Setting = 1, padding: Setting = 0,
    output_padding: Setting = 0, groups: IntLike = 1, dilation: Setting = 1,
) -> Expr:  # fmt: skip
    """y_ou = b_o + Σ_crk x_cr w_cok [u = S(r−1) + D(k−1) + 1 − P], the adjoint of conv1d."""
    return _transposed("conv_transpose1d", x, w, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    x: Expr, w: Expr, *, bias: Expr | None = None, stride: Setting = 1, padding: Setting = 0,
    output_padding: Setting = 0, groups: IntLike = 1, dilation: Setting = 1,
) -> Expr:  # fmt: skip
    """The same along two axes: x [c, h, w], filters [in, out/groups, kh, kw]."""
    return _transposed("conv_transpose2d", x, w, bias, stride, padding, output_padding, groups, dilation)


def _pool(name: str, x: Expr, kernel: Setting, stride: Setting | None, padding: Setting, dilation: Setting = 1) -> Expr:
    axes = AXES[name]
    _, sizes = _input(x, name, axes)
    kernels = _several(kernel, axes, "kernel", 1)
    strides = kernels if stride is None else _several(stride, axes, "stride", 1)
    pads, spreads = _several(padding, axes, "padding", 0), _several(dilation, axes, "dilation", 1)
    for p, k in zip(pads, kernels, strict=True):
        if at_most(k + 1, 2 * p):
            raise ShapeError(f"{name}: padding {p} is more than half of the kernel {k}")
    shape = tuple(output_size(*z) for z in zip(sizes, kernels, strides, pads, spreads, strict=True))
    lead = x.shape[:1] if has_channels(x, axes) else ()
    params = _flat(kernel=kernels, stride=strides, padding=pads, dilation=spreads)
    return b.call(name, (x,), (*lead, *shape), **params)


def maxpool1d(
    x: Expr, kernel: Setting, stride: Setting | None = None, padding: Setting = 0, dilation: Setting = 1
) -> Expr:
    """The largest entry in each window; windows follow each other unless a stride is given."""
    return _pool("maxpool1d", x, kernel, stride, padding, dilation)


def maxpool2d(
    x: Expr, kernel: Setting, stride: Setting | None = None, padding: Setting = 0, dilation: Setting = 1
) -> Expr:
    """The largest entry in each kh × kw window of every channel."""
    return _pool("maxpool2d", x, kernel, stride, padding, dilation)


def avgpool1d(x: Expr, kernel: Setting, stride: Setting | None = None, padding: Setting = 0) -> Expr:
    """The mean of each window, padding counted as zeros."""
    return _pool("avgpool1d", x, kernel, stride, padding)


def avgpool2d(x: Expr, kernel: Setting, stride: Setting | None = None, padding: Setting = 0) -> Expr:
    """The mean of each kh × kw window of every channel, padding counted as zeros."""
    return _pool("avgpool2d", x, kernel, stride, padding)


def _unpool(
    name: str, g: Expr, x: Expr, kernel: Setting, stride: Setting | None, padding: Setting, dilation: Setting
) -> Expr:
    pooled = _pool(name.replace("un", ""), x, kernel, stride, padding, dilation)
    assert isinstance(pooled, Call)
    if g.row or not same_shape(g.shape, pooled.shape):
        raise ShapeError(f"{name}: the pooled input is {show_shape(pooled.shape)}, not {describe(g)}")
    return b.call(name, (g, x), x.shape, **dict(pooled.params))


def maxunpool1d(
    g: Expr, x: Expr, kernel: Setting, stride: Setting | None = None, padding: Setting = 0, dilation: Setting = 1
) -> Expr:
    """The adjoint of max pooling: each g_r is added at the first largest entry of window r of x."""
    return _unpool("maxunpool1d", g, x, kernel, stride, padding, dilation)


def maxunpool2d(
    g: Expr, x: Expr, kernel: Setting, stride: Setting | None = None, padding: Setting = 0, dilation: Setting = 1
) -> Expr:
    """The same over kh × kw windows of every channel."""
    return _unpool("maxunpool2d", g, x, kernel, stride, padding, dilation)
