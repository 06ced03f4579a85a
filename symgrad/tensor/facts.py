"""Facts that bound the values of a symbol: among its other facts they stand as `between 0 and 1`, `from 1`, `to -2`."""

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

Number: TypeAlias = int | Fraction

Ends: TypeAlias = tuple[Fraction | None, Fraction | None]
"""The least and the greatest value, where they are known; whether they are taken is not said."""


def between(low: Number, high: Number) -> str:
    """The fact that low ≤ x ≤ high."""
    return f"between {low} and {high}"


def at_least(low: Number) -> str:
    """The fact that low ≤ x."""
    return f"from {low}"


def at_most(high: Number) -> str:
    """The fact that x ≤ high."""
    return f"to {high}"


@lru_cache(maxsize=1024)
def ends_of(fact: str) -> Ends:
    """The ends that one fact gives."""
    match fact.split():
        case ["between", low, "and", high]:
            return Fraction(low), Fraction(high)
        case ["from", low]:
            return Fraction(low), None
        case ["to", high]:
            return None, Fraction(high)
    return None, None


def ends(facts: Iterable[str]) -> Ends:
    """The ends that facts give together."""
    lows, highs = zip((None, None), *map(ends_of, facts), strict=True)
    known_lows, known_highs = ([x for x in side if x is not None] for side in (lows, highs))
    return max(known_lows, default=None), min(known_highs, default=None)
