"""Random values for the inputs of a model, each within what its declaration says."""

import math
from collections.abc import Collection
from fractions import Fraction
from typing import Final

import numpy as np

from symgrad.tensor.facts import ends
from symgrad.tensor.stable import Array

FEW: Final = 4
"""Sums of so many random terms saturate nothing yet; longer ones need smaller terms."""


def _shrink(shape: tuple[int, ...]) -> float:
    """What keeps a product with an array of a shape of the order of 1, however long the sums in it are."""
    if len(shape) < 2:
        return 1.0
    longest = max(shape[0], math.prod(shape[1:]))
    return min(1.0, math.sqrt(FEW / max(1, longest)))


def beyond(low: Fraction | None, high: Fraction | None, away: Array) -> Array:
    """Values that lie so far above their one end, or below it."""
    return np.asarray(float(low) + away if low is not None else float(high or 0) - away)


def sample(facts: Collection[str], shape: tuple[int, ...], points: int, random: np.random.Generator) -> Array:
    """Values of the shape at a number of points, (points, *shape)."""
    full = (points, *shape)
    if "one-hot" in facts and shape:
        return np.eye(shape[-1])[random.integers(0, shape[-1], size=full[:-1])]
    if "density" in facts:
        weights = np.exp(random.normal(scale=0.7, size=full))
        return np.asarray(weights / weights.reshape(points, -1).sum(axis=1).reshape(points, *[1] * len(shape)))
    low, high = ends(facts)
    if low is not None and high is not None:
        margin = 0.05 * float(high - low)
        return random.uniform(float(low) + margin, float(high) - margin, size=full)
    if "index" in facts:
        first = 0 if low == 0 else 1
        return random.integers(first, first + 2, size=full).astype(float)
    if low is not None or high is not None:
        away = np.exp(random.normal(scale=0.8, size=full))
        return beyond(low, high, away)
    if "probability" in facts:
        if not shape:
            return random.uniform(0.1, 0.9, size=full)
        raw = np.exp(random.normal(size=full))
        return np.asarray(raw / raw.sum(axis=-1, keepdims=True))
    if "integer" in facts:
        return random.integers(1, 6, size=full).astype(float)
    value = random.normal(scale=0.8 * _shrink(shape), size=full)
    if "positive-definite" in facts:
        return np.asarray(value @ np.swapaxes(value, -1, -2) + np.eye(shape[-1]))
    if "symmetric" in facts:
        value = value + np.swapaxes(value, -1, -2)
    if "orthogonal" in facts:
        value = np.linalg.qr(value)[0]
    if "diagonal" in facts and len(shape) == 2:
        value = value * np.eye(*shape)
    if "invertible" in facts:
        value = value + 2 * np.eye(shape[-1])
    if "positive" in facts:
        value = np.exp(value)
    return np.asarray(value)
