"""Scalar functions on arrays, without overflow, real or complex with a tiny imaginary part.

The imaginary part carries a derivative (complex step: Im f(x + ih)/h = f′(x) + O(h²)), so order and kinks are
decided by the real part and nothing is ever conjugated. The source texts are the same functions for generated
modules, on real arrays only.
"""

import math
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_real_erf = np.vectorize(math.erf, otypes=[np.float64])


def tanh(x: Array) -> Array:
    """tanh x."""
    return np.asarray(np.tanh(x))


def exp(x: Array) -> Array:
    """eˣ."""
    return np.asarray(np.exp(x))


def log(x: Array) -> Array:
    """ln x."""
    return np.asarray(np.log(x))


def sqrt(x: Array) -> Array:
    """√x."""
    return np.asarray(np.sqrt(x))


def sin(x: Array) -> Array:
    """sin x."""
    return np.asarray(np.sin(x))


def cos(x: Array) -> Array:
    """cos x."""
    return np.asarray(np.cos(x))


def sigmoid(x: Array) -> Array:
    """1/(1 + e⁻ˣ), from e^(−|x|), which cannot overflow."""
    right = x.real >= 0
    small = np.exp(np.where(right, -x, x))
    return np.asarray(np.where(right, 1.0, small) / (1.0 + small))


def relu(x: Array, at_zero: Array | None = None) -> Array:
    """max(x, 0); the derivative at 0 does not touch the value, only a complex step from there."""
    below = np.zeros_like(x)
    if at_zero is not None and np.iscomplexobj(x):
        below = np.where(x.real == 0, at_zero * x, below)
    return np.where(x.real > 0, x, below)


def absolute(x: Array) -> Array:
    """|x| by the sign of the real part."""
    return np.where(x.real < 0, -x, x)


def sign(x: Array) -> Array:
    """−1, 0 or 1."""
    return np.asarray(np.sign(x.real))


def softplus(x: Array) -> Array:
    """log(1 + eˣ) = max(x, 0) + log(1 + e^(−|x|))."""
    return np.asarray(relu(x) + np.log1p(np.exp(-absolute(x))))


def erf(x: Array) -> Array:
    """erf(a + ib) = erf a + ib · 2/√π · e^(−a²), exact to O(b²)."""
    value = np.asarray(_real_erf(x.real))
    if not np.iscomplexobj(x):
        return value
    slope = 2.0 / math.sqrt(math.pi) * np.exp(-x.real * x.real)
    return np.asarray(value + 1j * x.imag * slope)


def gelu(x: Array) -> Array:
    """x Φ(x)."""
    return np.asarray(0.5 * x * (1.0 + erf(x / math.sqrt(2.0))))


def silu(x: Array) -> Array:
    """x σ(x)."""
    return np.asarray(x * sigmoid(x))


def floor(x: Array) -> Array:
    """⌊x⌋."""
    return np.asarray(np.floor(x.real))


def ceil(x: Array) -> Array:
    """⌈x⌉."""
    return np.asarray(np.ceil(x.real))


def maximum(a: Array, b: Array) -> Array:
    """The larger by real part; a where they tie."""
    return np.where(a.real >= b.real, a, b)


def minimum(a: Array, b: Array) -> Array:
    """The smaller by real part; a where they tie."""
    return np.where(a.real <= b.real, a, b)


def where(condition: Array, a: Array, b: Array) -> Array:
    """a where the condition is not 0, b elsewhere."""
    return np.where(condition.real != 0, a, b)


SIGMOID = '''\
def _sigmoid(x):
    """1 / (1 + exp(-x)) without overflow."""
    return 1.0 / (1.0 + np.exp(np.minimum(-x, 709.0)))
'''

SILU = '''\
def _silu(x):
    """x * sigmoid(x)."""
    return x * _sigmoid(x)
'''

ERF = '''\
def _erf(x):
    """The error function, entry by entry."""
    x = np.asarray(x, dtype=float)
    return np.array([math.erf(v) for v in x.ravel().tolist()]).reshape(x.shape)
'''

GELU = '''\
def _gelu(x):
    """x times the normal distribution function."""
    return 0.5 * x * (1.0 + _erf(x / math.sqrt(2.0)))
'''
