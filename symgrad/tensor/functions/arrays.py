"""Values of the whole-tensor functions: arrays with one leading batch axis, real or complex-step.

Each takes (operands, settings, shape of the value without the batch axis). ``SOURCES`` are the same functions
as source for generated modules, on single real arrays.
"""

from collections.abc import Sequence

import numpy as np

from symgrad.tensor.nodes.algebra import Settings
from symgrad.tensor.stable import Array


def softmax(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """exp(x − max x) over its sum."""
    (x,) = args
    axis = params["axis"] + 1
    powers = np.exp(x - x.real.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def logsumexp(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """max x + log Σ exp(x − max x)."""
    (x,) = args
    axis = params["axis"]
    axes = tuple(range(1, x.ndim)) if axis is None else (axis + 1,)
    top = x.real.max(axis=axes, keepdims=True)
    return np.asarray(np.log(np.exp(x - top).sum(axis=axes)) + top.reshape((len(x), *shape)))


def cross_entropy(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """−Σ y log p, where 0 · log 0 = 0."""
    y, p = args
    terms = np.where(y == 0, 0.0, y * np.log(p))
    return np.asarray(-terms.sum(axis=tuple(range(1, terms.ndim))))


def spectral_norm(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """The largest singular value; a tiny imaginary part E adds uᵀEv, with u and v its singular vectors."""
    (a,) = args
    known = np.isfinite(a).all(axis=(1, 2))
    if not known.all():
        found = np.full(len(a), np.nan, a.dtype)
        found[known] = spectral_norm([a[known]], params, shape)
        return found
    u, values, vt = np.linalg.svd(a.real)
    largest = np.asarray(values[..., 0])
    if not np.iscomplexobj(a):
        return largest
    return np.asarray(largest + 1j * np.einsum("...i,...ij,...j->...", u[..., 0], a.imag, vt[..., 0, :]))


def column_norm(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """max_j Σ_i |A_ij|."""
    return _largest_sum(args[0], 1)


def row_norm(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """max_i Σ_j |A_ij|."""
    return _largest_sum(args[0], 2)


def _largest_sum(x: Array, axis: int) -> Array:
    """The largest sum of absolute values along an axis, by its real part."""
    sums = (x * np.sign(x.real)).sum(axis=axis)
    largest = np.argmax(sums.real, axis=-1)
    return np.asarray(np.take_along_axis(sums, largest[:, None], axis=-1)[:, 0])


def norm(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """√Σ x²."""
    (x,) = args
    return np.asarray(np.sqrt((x * x).sum(axis=tuple(range(1, x.ndim)))))


def trace(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """Σ_k A_kk."""
    return np.asarray(np.trace(args[0], axis1=1, axis2=2))


def det(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """det A."""
    return np.asarray(np.linalg.det(args[0]))


def inv(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """A⁻¹."""
    try:
        return np.asarray(np.linalg.inv(args[0]))
    except np.linalg.LinAlgError:
        regular = np.abs(np.linalg.det(args[0])) > 0
        found = np.full(args[0].shape, np.nan, args[0].dtype)
        found[regular] = np.linalg.inv(args[0][regular])
        return found


def diag(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """The matrix with v on its diagonal."""
    (v,) = args
    return np.asarray(v[:, :, None] * np.eye(v.shape[1]))


def diagpart(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """The diagonal as a vector."""
    return np.asarray(np.diagonal(args[0], axis1=1, axis2=2))


def kron(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """Blocks A_ij B."""
    x, y = args
    product = np.einsum("ni,nk->nik" if x.ndim == 2 else "nij,nkl->nikjl", x, y)
    return np.asarray(product.reshape((len(x), *shape)))


def reshape(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """The entries row by row in another shape."""
    return np.asarray(args[0].reshape((len(args[0]), *shape)))


def one_hot(args: Sequence[Array], params: Settings, shape: tuple[int, ...]) -> Array:
    """1 at the index, counted from 1."""
    places = np.arange(1, shape[-1] + 1)
    return np.asarray((np.rint(args[0].real)[..., None] == places).astype(np.float64))


SOURCES: dict[str, str] = {
    "softmax": '''\
def _softmax(x, axis):
    """exp(x) over its sum along an axis, without overflow."""
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)
''',
    "logsumexp": '''\
def _logsumexp(x, axis):
    """log(sum(exp(x))) along an axis, without overflow."""
    top = np.max(x, axis=axis, keepdims=True)
    return np.squeeze(top, axis=axis) + np.log(np.sum(np.exp(x - top), axis=axis))
''',
    "cross_entropy": '''\
def _cross_entropy(y, p):
    """-sum(y * log(p)), where y = 0 contributes nothing."""
    return -np.sum(np.where(y == 0, 0.0, y * np.log(np.where(y == 0, 1.0, p))))
''',
    "one_hot": '''\
def _one_hot(index, n):
    """1 at the index, counted from 1, and 0 elsewhere."""
    return (np.asarray(index)[..., None] == np.arange(1, n + 1)).astype(float)
''',
}
