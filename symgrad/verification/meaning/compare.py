"""Whether two values agree: entry by entry, relative to the largest entry at the same point."""

from enum import Enum, auto

import numpy as np
from msgspec import Struct

from symgrad.tensor.stable import Array
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.values import Value

TOLERANCE = 1e-7
_FIRST_LOOK = 1e-5
_SMALLEST = 1e-9
_NOISE = 1e-14
"""What rounding leaves of terms of ordinary size that cancel at random points."""


class Outcome(Enum):
    """How a value compares with the true one."""

    SAME = auto()
    TURNED = auto()
    VALUES = auto()
    SHAPE = auto()


class Gap(Struct, frozen=True):
    """Where two values differ most: the point, the entry (counted from 1), and both numbers there."""

    point: int
    entry: tuple[int, ...]
    expected: float
    given: float


class Comparison(Struct, frozen=True):
    """The outcome, with the largest gap where the values differ; ``partly``: at some points one side has no value."""

    outcome: Outcome
    gap: Gap | None = None
    partly: bool = False


def compared(truth: Value, given: Value) -> Comparison:
    """How a given value compares with the true one: the same, the same transposed, other values, another shape."""
    given, truth = _fitted(given, truth), _fitted(truth, given)
    if given.shape == truth.shape:
        gap = largest_gap(truth.data, given.data)
        if gap is None:
            return Comparison(
                Outcome.TURNED if _lies(truth, given) else Outcome.SAME, None, bool(np.isnan(given.data.real).any())
            )
        if truth.order < 2 or not _turns(truth, given):
            return Comparison(Outcome.VALUES, gap)
        return Comparison(Outcome.TURNED)
    if _turns(truth, given):
        return Comparison(Outcome.TURNED)
    return Comparison(Outcome.SHAPE)


def agrees(truth: Value, given: Value) -> bool:
    """Whether ``compared`` finds them the same; it costs less, since nobody asks how they differ."""
    given, truth = _fitted(given, truth), _fitted(truth, given)
    return given.shape == truth.shape and not _lies(truth, given) and largest_gap(truth.data, given.data) is None


def plausible(truth: Value, given: Value) -> tuple[Array, Array]:
    """Which rows of a value may agree with the true one at a point, and which have no value there.

    A first look, with more tolerance than ``compared`` has.
    """
    given, truth = _fitted(given, truth), _fitted(truth, given)
    if given.shape != truth.shape or _lies(truth, given):
        none = np.zeros(len(given.data), dtype=bool)
        return none, none
    right, other = truth.data.real.reshape(1, -1), given.data.real.reshape(len(given.data), -1)
    apart, scale = np.abs(other - right), np.maximum(np.abs(right), np.abs(other)).max(axis=1, initial=_SMALLEST)
    hits = ~(apart.max(axis=1, initial=0.0) > _FIRST_LOOK * scale)
    undefined = np.isnan(other).any(axis=1) | ~np.isfinite(right).all()
    return hits & ~undefined, undefined


def _lies(truth: Value, given: Value) -> bool:
    """Whether one is a row where the other is a column."""
    return truth.order == 1 and truth.row != given.row and not given.formal


def _fitted(x: Value, other: Value) -> Value:
    """A multiple of the identity, or zero, in the shape of the other side."""
    if x.order == 0 and other.order == 2 and x.eye and other.shape[0] == other.shape[1]:
        return v.eye(x, other.shape[0])
    if x.order == 0 and x.exact == 0 and other.order:
        return Value(np.zeros((1, *other.shape)), other.out)
    return x


def difference(truth: Value, given: Value) -> Gap | None:
    """Where two values of one shape differ most; None where they agree, or have not the same shape."""
    return largest_gap(truth.data, given.data) if truth.shape == given.shape else None


def _turns(truth: Value, given: Value) -> bool:
    turned = v.transposed(truth)
    return turned.order > 1 and turned.shape == given.shape and largest_gap(turned.data, given.data) is None


def largest_gap(truth: Array, given: Array, tolerance: float = TOLERANCE) -> Gap | None:
    """Where the values differ most, beyond the tolerance; None where they agree at every point.

    Points at which the true value is not finite, or the given one has no value, say nothing.
    """
    truth, given = np.broadcast_arrays(truth.real, given.real)
    points = len(truth)
    flat, other = truth.reshape(points, -1), given.reshape(points, -1)
    if not flat.size:
        return None
    known = np.isfinite(flat).all(axis=1)
    defined = known & ~np.isnan(other).any(axis=1)
    known = defined if defined.any() else known
    if not known.any():
        same = (flat == other) | (np.isnan(flat) & np.isnan(other))
        return (
            None
            if same.all()
            else _gap(truth, given, int(np.argmin(same.all(axis=1))), int(np.argmin(same.all(axis=0))))
        )
    noise = _NOISE if points > 1 else 0.0
    scale = np.maximum(np.abs(flat).max(axis=1), np.abs(np.where(np.isfinite(other), other, 0.0)).max(axis=1))
    apart = np.abs(flat - other)
    apart = np.where(apart <= noise, 0.0, apart / np.maximum(scale, _SMALLEST)[:, None])
    apart = np.where(known[:, None], np.where(np.isfinite(apart), apart, np.inf), 0.0)
    worst = int(np.argmax(apart))
    if apart.flat[worst] <= tolerance:
        return None
    return _gap(truth, given, *divmod(worst, flat.shape[1]))


def _gap(truth: Array, given: Array, point: int, place: int) -> Gap:
    entry = tuple(int(k) + 1 for k in np.unravel_index(place, truth.shape[1:])) if truth.ndim > 1 else ()
    return Gap(
        point,
        entry,
        float(truth[point].reshape(-1)[place]),
        float(given[point].reshape(-1)[place]),
    )


def informative(x: Value) -> bool:
    """Whether a value could tell a right line from a wrong one: it is finite somewhere, or infinite everywhere."""
    return bool(np.isfinite(x.data.real).any() or np.isinf(x.data.real).all())
