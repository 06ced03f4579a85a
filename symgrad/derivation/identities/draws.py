"""Inputs to try a claim at: small whole numbers first, which read well, then numbers of every size and shape."""

from collections.abc import Collection

import numpy as np

from symgrad.calculus.sampling import beyond, sample
from symgrad.tensor.facts import ends, ends_of
from symgrad.tensor.nodes import Var
from symgrad.tensor.stable import Array

_FREE_OF_FACTS = frozenset({"constant", "parameter"})
_LARGEST, _LEAST = 4.0, -3.0
"""The powers of ten between which sizes are drawn."""
_MODERATE = 1.0
"""The same for matrices, whose inverses and powers should keep their digits."""


def small(v: Var, shape: tuple[int, ...], turn: int, random: np.random.Generator) -> Array:
    """Small whole numbers where nothing is said of the input, hundredths or a fair draw elsewhere."""
    said = v.facts - _FREE_OF_FACTS
    if not said and turn % 4 == 3:
        return np.asarray(random.integers(-4, 5, size=shape) / 4.0)
    if not said:
        return random.integers(-1 - turn // 8, 3 + turn // 8, size=shape).astype(float)
    if said == {"positive"} and turn % 4 == 3:
        return np.asarray(random.integers(1, 9, size=shape) / 4.0)
    if said == {"positive"}:
        return random.integers(1, 4 + turn // 4, size=shape).astype(float)
    if said == {"density"}:
        weights = random.integers(1, 6, size=shape).astype(float)
        return np.asarray(weights / weights.sum())
    drawn = sample(v.facts, shape, 1, random)[0]
    if all(ends_of(f) != (None, None) or f in ("function", "probability", "positive") for f in said) and (
        not shape or "probability" not in said
    ):
        return np.asarray(np.round(drawn, 2))
    return np.asarray(drawn)


def wide(v: Var, shape: tuple[int, ...], points: int, random: np.random.Generator, moderate: bool) -> Array:
    """Values of the shape at a number of points, of sizes that differ by many powers of ten; what is said holds.

    ``moderate`` sizes differ less, so that an inverse keeps its digits.
    """
    facts = v.facts - _FREE_OF_FACTS
    full = (points, *shape)
    each = (points, *[1] * len(shape))
    if facts & {"density", "probability"}:
        return _on_the_simplex(facts, shape, points, random)
    least_end, most_end = ends(facts)
    if least_end is not None and most_end is not None:
        drawn = sample(facts, shape, points, random)
        low, high = float(least_end), float(most_end)
        margin = (high - low) * 10.0 ** random.uniform(-6, 0, size=full)
        near = np.where(random.random(full) < 0.5, low + margin, high - margin)
        return np.asarray(np.where(random.random(each) < 0.5, drawn, near))
    least, most = (-_MODERATE, _MODERATE) if moderate or len(shape) > 1 else (_LEAST, _LARGEST)
    scale = 10.0 ** random.uniform(least, most, size=each)
    kind = random.integers(0, 4, size=each)
    normal = random.normal(size=full)
    odd = np.where(kind == 2, normal**3, normal[..., :1])
    raw = np.where(kind == 0, normal, np.where(kind == 1, np.sign(normal), odd))
    return _with_facts(facts, np.asarray(raw * scale), scale, random)


def _with_facts(facts: Collection[str], x: Array, scale: Array, random: np.random.Generator) -> Array:
    shape = x.shape[1:]
    if "one-hot" in facts or "index" in facts or "orthogonal" in facts:
        return sample(facts, shape, len(x), random)
    if "integer" in facts:
        return np.asarray(np.ceil(np.abs(x)) + ("positive" in facts))
    if "positive-definite" in facts:
        return np.asarray(x @ np.swapaxes(x, -1, -2) + 0.1 * scale**2 * np.eye(shape[-1]))
    if "symmetric" in facts:
        x = x + np.swapaxes(x, -1, -2)
    if "diagonal" in facts and len(shape) == 2:
        x = x * np.eye(*shape)
    if "invertible" in facts:
        x = random.normal(size=x.shape) * scale
    low, high = ends(facts)
    if low is not None or high is not None:
        return beyond(low, high, np.abs(x))
    return np.asarray(np.abs(x) + 1e-9 * scale) if "positive" in facts else x


def _on_the_simplex(facts: Collection[str], shape: tuple[int, ...], points: int, random: np.random.Generator) -> Array:
    """Probabilities, many of them near 0 or 1."""
    full = (points, *shape)
    if not shape:
        near = 10.0 ** random.uniform(-6, -0.3, size=full)
        return np.asarray(np.where(random.random(full) < 0.5, near, 1 - near))
    spread = random.uniform(0.1, 4.0, size=(points, *[1] * len(shape)))
    raw = np.exp(random.normal(size=full) * spread)
    axes = tuple(range(1, raw.ndim)) if "density" in facts else -1
    return np.asarray(raw / raw.sum(axis=axes, keepdims=True))


def moved(v: Var, x: Array, random: np.random.Generator) -> Array:
    """Values near given ones, within what is said: added to where nothing is, multiplied where they are positive."""
    facts = v.facts - _FREE_OF_FACTS
    step = 10.0 ** random.uniform(-3, 0.5, size=(len(x), *[1] * (x.ndim - 1)))
    noise = random.normal(size=x.shape)
    if not facts:
        return np.asarray(x + step * noise * np.maximum(1.0, np.abs(x)))
    if facts == {"positive"}:
        return np.asarray(x * np.exp(step * noise))
    if facts == {"symmetric"}:
        return np.asarray(x + step * (noise + np.swapaxes(noise, -1, -2)) * np.maximum(1.0, np.abs(x).max()))
    if facts == {"probability"} and x.ndim == 1:
        logit = np.log(x) - np.log1p(-x) + step * noise
        return np.asarray(np.clip(1 / (1 + np.exp(-logit)), 1e-9, 1 - 1e-9))
    if facts <= {"probability", "density"} and x.ndim == 2:
        raw = x * np.exp(step * noise)
        return np.asarray(raw / raw.sum(axis=-1, keepdims=True))
    return x
