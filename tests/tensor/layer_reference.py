"""Convolutions and pooling by explicit loops, one product at a time, and as PyTorch computes them."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.tensor.stable import Array

Settings = Mapping[str, Any]


def pairs(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    return (value,) * axes if isinstance(value, int) else tuple(value)


def _options(s: Settings, axes: int, *names: str) -> list[tuple[int, ...]]:
    defaults = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0}
    return [pairs(s.get(n, defaults[n]), axes) for n in names]


def conv(x: Array, w: Array, bias: Array | None, s: Settings) -> Array:
    """Correlation of x [c, …] with w [o, c/g, …]."""
    axes = x.ndim - 1
    stride, padding, dilation = _options(s, axes, "stride", "padding", "dilation")
    groups = s.get("groups", 1)
    kernel, sizes = w.shape[2:], x.shape[1:]
    options = zip(sizes, kernel, stride, padding, dilation, strict=True)
    out = [(n + 2 * p - d * (k - 1) - 1) // t + 1 for n, k, t, p, d in options]
    y = np.zeros((w.shape[0], *out))
    per_group, each = w.shape[0] // groups, x.shape[0] // groups
    for place in itertools.product(*map(range, y.shape)):
        o, rest = place[0], place[1:]
        y[place] = 0.0 if bias is None else bias[o]
        for c, *taps in itertools.product(range(each), *map(range, kernel)):
            at = [t * r + d * k - p for r, k, t, p, d in zip(rest, taps, stride, padding, dilation, strict=True)]
            if all(0 <= a < n for a, n in zip(at, sizes, strict=True)):
                y[place] += w[(o, c, *taps)] * x[(o // per_group * each + c, *at)]
    return y


def conv_transpose(x: Array, w: Array, bias: Array | None, s: Settings) -> Array:
    """x [c, …] spread by w [c, o/g, …]."""
    axes = x.ndim - 1
    stride, padding, dilation, extra = _options(s, axes, "stride", "padding", "dilation", "output_padding")
    groups = s.get("groups", 1)
    kernel, sizes = w.shape[2:], x.shape[1:]
    options = list(zip(sizes, kernel, stride, padding, dilation, extra, strict=True))
    out = [(n - 1) * t - 2 * p + d * (k - 1) + e + 1 for n, k, t, p, d, e in options]
    y = np.zeros((w.shape[1] * groups, *out))
    if bias is not None:
        y += bias.reshape((-1, *(1,) * axes))
    each = x.shape[0] // groups
    for place in itertools.product(*map(range, x.shape)):
        for o, *taps in itertools.product(range(w.shape[1]), *map(range, kernel)):
            at = [t * r + d * k - p for r, k, (_, _, t, p, d, _) in zip(place[1:], taps, options, strict=True)]
            if all(0 <= a < n for a, n in zip(at, out, strict=True)):
                y[(place[0] // each * w.shape[1] + o, *at)] += x[place] * w[(place[0], o, *taps)]
    return y


def pool(x: Array, kernel: Sequence[int], s: Settings, reduce: Callable[[Sequence[float], int], float]) -> Array:
    """Every window of x [c, …]; reduce takes the entries inside and the size of the window."""
    axes = x.ndim - 1
    stride = pairs(s.get("stride", tuple(kernel)), axes)
    padding, dilation = _options(s, axes, "padding", "dilation")
    options = list(zip(x.shape[1:], kernel, stride, padding, dilation, strict=True))
    y = np.zeros((x.shape[0], *((n + 2 * p - d * (k - 1) - 1) // t + 1 for n, k, t, p, d in options)))
    for place in itertools.product(*map(range, y.shape)):
        found = []
        for taps in itertools.product(*map(range, kernel)):
            at = [t * r + d * k - p for r, k, (_, _, t, p, d) in zip(place[1:], taps, options, strict=True)]
            if all(0 <= a < n for a, (n, *_) in zip(at, options, strict=True)):
                found.append(float(x[(place[0], *at)]))
        y[place] = reduce(found, int(np.prod(kernel)))
    return y
