"""Convolutions and pooling as SciPy computes them: a reference that shares nothing with the loops."""

from collections.abc import Sequence

import numpy as np
from layer_reference import Settings, pairs
from scipy import ndimage, signal

from symgrad.tensor.stable import Array


def _spread(x: Array, by: Sequence[int]) -> Array:
    """The channels with by − 1 zeros between neighbours along each axis."""
    sizes = [(n - 1) * d + 1 for n, d in zip(x.shape[1:], by, strict=True)]
    out = np.zeros((x.shape[0], *sizes))
    out[(slice(None), *(slice(None, None, d) for d in by))] = x
    return out


def convolution(x: Array, w: Array, bias: Array | None, s: Settings) -> Array:
    """``signal.correlate`` of the padded channels with the dilated filters, every stride-th place of it."""
    axes = x.ndim - 1
    stride, padding, dilation = (pairs(s.get(k, v), axes) for k, v in (("stride", 1), ("padding", 0), ("dilation", 1)))
    groups = s.get("groups", 1)
    padded = np.pad(x, [(0, 0), *((p, p) for p in padding)])
    each, per_group = x.shape[0] // groups, w.shape[0] // groups
    places = tuple(slice(None, None, t) for t in stride)
    rows = []
    for o, filters in enumerate(w):
        channels = padded[o // per_group * each :][:each]
        whole = sum(signal.correlate(c, f, "valid") for c, f in zip(channels, _spread(filters, dilation), strict=True))
        rows.append(np.asarray(whole)[places] + (0.0 if bias is None else bias[o]))
    return np.stack(rows)


def transposed(x: Array, w: Array, bias: Array | None, s: Settings) -> Array:
    """``signal.convolve`` of the channels, zeros between their entries, with the dilated filters; padding cuts off."""
    axes = x.ndim - 1
    names = (("stride", 1), ("padding", 0), ("dilation", 1), ("output_padding", 0))
    stride, padding, dilation, extra = (pairs(s.get(k, v), axes) for k, v in names)
    groups = s.get("groups", 1)
    each, spread = x.shape[0] // groups, _spread(x, stride)
    outputs: list[Array] = []
    for g in range(groups):
        for o in range(w.shape[1]):
            own = range(g * each, (g + 1) * each)
            whole = sum(signal.convolve(spread[c], _spread(w[c, o][None], dilation)[0], "full") for c in own)
            wide = np.pad(np.asarray(whole), [(0, e) for e in extra])
            outputs.append(wide[tuple(slice(p, n - p) for p, n in zip(padding, wide.shape, strict=True))])
    found = np.stack(outputs)
    return found if bias is None else found + bias.reshape((-1, *(1,) * axes))


def pooling(x: Array, kernel: Sequence[int], s: Settings, op: str) -> Array:
    """``ndimage`` filters whose window begins at a place, at every stride-th place where it fits."""
    axes = x.ndim - 1
    padding, stride = pairs(s.get("padding", 0), axes), pairs(s.get("stride") or tuple(kernel), axes)
    padded = np.pad(x, [(0, 0), *((p, p) for p in padding)], constant_values=-np.inf if op == "max" else 0.0)
    origin = tuple(-(k // 2) for k in kernel)
    places = tuple(slice(0, n - k + 1, t) for n, k, t in zip(padded.shape[1:], kernel, stride, strict=True))
    rows = []
    for c in padded:
        if op == "max":
            whole = ndimage.maximum_filter(c, tuple(kernel), mode="constant", cval=-np.inf, origin=origin)
        else:
            whole = ndimage.correlate(c, np.full(tuple(kernel), 1 / np.prod(kernel)), mode="constant", origin=origin)
        rows.append(whole[places])
    return np.stack(rows)
