"""Where one number may lie: an interval, from its facts and from constraints on it alone."""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import sympy
from msgspec import Struct

from symgrad.tensor import build as b
from symgrad.tensor.nodes import Compare, Expr, Var
from symgrad.tensor.stable import Array

INSIDE = 1e-9
"""How far from an end that does not belong to it a point of the interval is taken."""
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Domain(Struct, frozen=True):
    """The interval from low to high, None where it has no end there; an end may belong to it or not."""

    low: Fraction | None = None
    high: Fraction | None = None
    with_low: bool = False
    with_high: bool = False

    @property
    def is_all(self) -> bool:
        """Whether it is the whole line."""
        return self.low is None and self.high is None

    @property
    def ends(self) -> tuple[Fraction, ...]:
        """The ends that belong to it."""
        found = ((self.low, self.with_low), (self.high, self.with_high))
        return tuple(end for end, belongs in found if end is not None and belongs)

    @property
    def open_ends(self) -> tuple[sympy.Expr, ...]:
        """The ends that do not belong to it, infinite ones among them."""
        low = -sympy.oo if self.low is None else sympy.Rational(self.low)
        high = sympy.oo if self.high is None else sympy.Rational(self.high)
        return tuple(x for x, belongs in ((low, self.with_low), (high, self.with_high)) if not belongs)

    @property
    def as_set(self) -> sympy.Interval:
        """The interval of real numbers."""
        low = -sympy.oo if self.low is None else sympy.Rational(self.low)
        high = sympy.oo if self.high is None else sympy.Rational(self.high)
        return sympy.Interval(low, high, not self.with_low, not self.with_high)

    def holds(self, x: Array) -> bool:
        """Whether all numbers lie in it."""
        above = self.low is None or bool((x >= float(self.low) if self.with_low else x > float(self.low)).all())
        below = self.high is None or bool((x <= float(self.high) if self.with_high else x < float(self.high)).all())
        return above and below and bool(np.isfinite(x).all())

    def onto(self, x: Array) -> Array:
        """Numbers folded back into it at its ends."""
        if self.low is not None and self.high is not None:
            low, width = float(self.low), float(self.high - self.low)
            turned = np.mod((x - low) / width, 2.0)
            inside = low + width * np.where(turned > 1, 2 - turned, turned)
            return np.clip(inside, low + INSIDE * (not self.with_low), low + width - INSIDE * (not self.with_high))
        if self.low is not None:
            return float(self.low) + np.maximum(np.abs(x - float(self.low)), INSIDE * (not self.with_low))
        if self.high is not None:
            return float(self.high) - np.maximum(np.abs(float(self.high) - x), INSIDE * (not self.with_high))
        return x

    def within(self, op: str, end: Fraction) -> "Domain":
        """The part of it in which x op end."""
        belongs = op.endswith("=")
        if op in (">", ">=") and (self.low is None or end > self.low or (end == self.low and not belongs)):
            return Domain(end, self.high, belongs, self.with_high)
        if op in ("<", "<=") and (self.high is None or end < self.high or (end == self.high and not belongs)):
            return Domain(self.low, end, self.with_low, belongs)
        return self


def limit_of(c: Expr, x: Var) -> tuple[str, Fraction] | None:
    """The sign and the number of a condition x >= 0 or 1 > x; None where it is another."""
    if not isinstance(c, Compare) or x.order or c.op not in _MIRRORED:
        return None
    for left, op, right in ((c.left, c.op, c.right), (c.right, _MIRRORED[c.op], c.left)):
        end = b.number_of(right)
        if isinstance(left, Var) and (left.name, left.subs) == (x.name, x.subs) and end is not None:
            return op, end
    return None


def domain_of(x: Var, conditions: Iterable[Expr]) -> Domain:
    """Where x may lie, by its facts and by the conditions that speak of it alone."""
    found = Domain()
    if "positive" in x.facts:
        found = found.within(">", Fraction(0))
    if "probability" in x.facts:
        found = found.within(">", Fraction(0)).within("<", Fraction(1))
    limits = [limit for c in conditions if (limit := limit_of(c, x)) is not None]
    for op, end in limits:
        found = found.within(op, end)
    return found
