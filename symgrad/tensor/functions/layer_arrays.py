"""Values of convolutions and pooling: sliding windows over padded arrays with one leading batch axis."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from symgrad.tensor.nodes.algebra import Settings
from symgrad.tensor.shapes import ShapeError
from symgrad.tensor.stable import Array


def _settings(params: Settings, name: str, axes: int) -> tuple[int, ...]:
    return tuple(int(params[f"{name}{a}"]) for a in range(axes))


def _padded(x: Array, pads: Sequence[int], value: float = 0.0) -> Array:
    widths = [(0, 0)] * (x.ndim - len(pads)) + [(p, p) for p in pads]
    return np.pad(x, widths, constant_values=value)


def _windows(x: Array, kernel: Sequence[int], strides: Sequence[int], spreads: Sequence[int]) -> Array:
    """x[…, S r + D k] for every output place r and tap k: (…, *outputs, *kernel)."""
    axes = len(kernel)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, spreads, strict=True)]
    if any(r > n for r, n in zip(reach, x.shape[x.ndim - axes :], strict=True)):
        raise ShapeError(f"a window of {reach} does not fit into {list(x.shape[x.ndim - axes :])}")
    view = sliding_window_view(x, reach, axis=tuple(range(x.ndim - axes, x.ndim)))
    steps = (slice(None),) * (x.ndim - axes) + tuple(slice(None, None, s) for s in (*strides, *spreads))
    return np.asarray(view[steps])


def _operands(args: Sequence[Array], axes: int) -> tuple[Array, Array, Array]:
    """Input (batch, c, *sizes), filters (batch, o, i, *kernel), bias (batch, o or 1)."""
    x, w = args[0], args[1]
    x = x if x.ndim == axes + 2 else x[:, None]
    w = w if w.ndim == axes + 3 else w[:, None, None]
    bias = args[2].reshape((len(args[2]), -1)) if len(args) > 2 else np.zeros((1, 1))
    return x, w, bias


def _finished(value: Array, bias: Array, axes: int, shape: tuple[int, ...]) -> Array:
    whole = value + bias.reshape((*bias.shape, *(1,) * axes))
    return np.asarray(whole.reshape((len(whole), *shape)))


def convolution(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """Windows of the padded input against the filters of each group."""
    axes = sum(key.startswith("stride") for key in params)
    x, w, bias = _operands(args, axes)
    groups = int(params["groups"])
    strides, pads, spreads = (_settings(params, n, axes) for n in ("stride", "padding", "dilation"))
    views = _windows(_padded(x, pads), w.shape[3:], strides, spreads)
    views = views.reshape((len(x), groups, -1, *views.shape[2:]))
    filters = w.reshape((len(w), groups, -1, *w.shape[2:]))
    places, taps = "uv"[:axes], "kl"[:axes]
    found = np.einsum(f"ngc{places}{taps},ngoc{taps}->ngo{places}", views, filters, optimize=True)
    return _finished(found.reshape((len(found), -1, *found.shape[3:])), bias, axes, shape)


def _reached(
    tap: Sequence[int], outputs: Sequence[int], strides: Sequence[int], spreads: Sequence[int]
) -> tuple[Any, ...]:
    """The places of the padded input that all output places reach through one tap."""
    steps = zip(tap, outputs, strides, spreads, strict=True)
    return (..., *(slice(d * k, d * k + (n - 1) * s + 1, s) for k, n, s, d in steps))


def transposed(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """Every tap adds the input, weighted, at the places that it reaches; the padding is cut off."""
    axes = sum(key.startswith("stride") for key in params)
    x, w, bias = _operands(args, axes)
    groups = int(params["groups"])
    strides, pads, spreads, extra = (
        _settings(params, n, axes) for n in ("stride", "padding", "dilation", "output_padding")
    )
    views = x.reshape((len(x), groups, -1, *x.shape[2:]))
    filters = w.reshape((len(w), groups, -1, *w.shape[2:]))
    places, taps = "uv"[:axes], "kl"[:axes]
    terms = np.einsum(f"ngc{places},ngco{taps}->ngo{places}{taps}", views, filters, optimize=True)
    terms = terms.reshape((len(terms), -1, *terms.shape[3:]))
    sizes = zip(x.shape[2:], w.shape[3:], strides, spreads, extra, strict=True)
    full = [(n - 1) * s + d * (k - 1) + 1 + e for n, k, s, d, e in sizes]
    out = np.zeros((*terms.shape[:2], *full), dtype=terms.dtype)
    for tap in np.ndindex(*w.shape[3:]):
        out[_reached(tap, x.shape[2:], strides, spreads)] += terms[(..., *tap)]
    kept = tuple(slice(p, n - p) for n, p in zip(full, pads, strict=True))
    return _finished(out[(slice(None), slice(None), *kept)], bias, axes, shape)


def _pooled(args: Sequence[Array], params: Settings, fill: float) -> Array:
    axes = sum(key.startswith("stride") for key in params)
    names = ("kernel", "stride", "dilation")
    kernel, strides, spreads = (_settings(params, n, axes) for n in names)
    views = _windows(_padded(args[0], _settings(params, "padding", axes), fill), kernel, strides, spreads)
    return views.reshape((*views.shape[:-axes], -1))


def maximum(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """The entry of each window with the largest real part, the first of equals."""
    windows = _pooled(args, params, -np.inf)
    first = windows.real.argmax(axis=-1)[..., None]
    return np.asarray(np.take_along_axis(windows, first, axis=-1)[..., 0])


def unpooled(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """Every entry of a gradient added at the place that maximum() takes for it."""
    g, x = args
    axes = sum(key.startswith("stride") for key in params)
    kernel, strides, pads, spreads = (_settings(params, n, axes) for n in ("kernel", "stride", "padding", "dilation"))
    first = _pooled([x], params, -np.inf).real.argmax(axis=-1)
    out = _padded(np.zeros(x.shape, dtype=g.dtype), pads)
    for k, tap in enumerate(np.ndindex(*kernel)):
        out[_reached(tap, g.shape[-axes:], strides, spreads)] += np.where(first == k, g, 0)
    kept: tuple[Any, ...] = (..., *(slice(p, p + n) for p, n in zip(pads, shape[-axes:], strict=True)))
    return np.asarray(out[kept])


def average(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """The mean of each window."""
    return np.asarray(_pooled(args, params, 0.0).mean(axis=-1))
