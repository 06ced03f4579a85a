"""Σ, ∏, max, min and matrix products of arrays along an axis; order is decided by real parts."""

from collections.abc import Callable, Mapping

import numpy as np

from symgrad.tensor.stable import Array

IDENTITY: Mapping[str, float] = {"sum": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf}


def along(op: str, x: Array, axis: int) -> Array:
    """One of sum, prod, max, min along an axis, which disappears; ties go to the first."""
    if op == "sum":
        return np.asarray(x.sum(axis=axis))
    if op == "prod":
        return np.asarray(x.prod(axis=axis))
    best = x.real.argmax(axis=axis) if op == "max" else x.real.argmin(axis=axis)
    return np.take_along_axis(x, np.expand_dims(best, axis), axis=axis).squeeze(axis)


def place_of_largest(x: Array) -> Array:
    """The place of the first largest entry along the last axis, counted from 1."""
    return np.asarray(x.real.argmax(axis=-1) + 1.0)


def matrix_product(x: Array, descending: bool) -> Array:
    """The product of the matrices along axis 2, the first on the left, or the last where descending."""
    steps = range(x.shape[2])
    product: Array | None = None
    for k in reversed(steps) if descending else steps:
        product = x[:, :, k] if product is None else np.matmul(product, x[:, :, k])
    if product is None:
        return np.broadcast_to(np.eye(x.shape[-1]), (*x.shape[:2], *x.shape[3:]))
    return product


def segments(terms: Array, owner: Array, count: int, reduce: Callable[[Array], Array]) -> Array:
    """Runs of rows with the same owner, each reduced along axis 2 of (batch, owners, run, …).

    ``owner`` ascends; an owner without rows gets the reduction of none, which is the identity.
    """
    lengths = np.bincount(owner, minlength=count)
    if (lengths == lengths[0]).all():
        return reduce(terms.reshape((len(terms), count, int(lengths[0]), *terms.shape[2:])))
    ends = np.cumsum(lengths)
    parts = [reduce(terms[:, None, e - n : e]) for e, n in zip(ends, lengths, strict=True)]
    return np.concatenate(parts, axis=1)
