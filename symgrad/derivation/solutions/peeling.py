"""Inequalities for an unknown, solved from the outside in: subtract, divide, take the rounding off, until it is alone.

⌊u⌋ = n means n ≤ u < n + 1; ⌈u⌉ = n means n − 1 < u ≤ n.
"""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor.comparisons import MIRRORED
from symgrad.tensor.nodes import Add, Apply, Expr, Mul, Pow, Var
from symgrad.tensor.walk import variables


class Between(Struct, frozen=True):
    """low ≤ middle ≤ high, each end strict or not, or absent; equal ends make an equation."""

    middle: Expr
    low: Fraction | None = None
    high: Fraction | None = None
    low_strict: bool = False
    high_strict: bool = False

    @classmethod
    def of(cls, op: str, left: Expr, right: Expr, unknown: Var) -> "Between | None":
        """A comparison with a number on one side."""
        if unknown not in variables(left):
            op, left, right = MIRRORED[op], right, left
        value = b.number_of(right)
        if value is None or op == "!=" or unknown not in variables(left):
            return None
        if op == "==":
            return cls(left, value, value)
        if op in ("<", "<="):
            return cls(left, None, value, high_strict=op == "<")
        return cls(left, value, None, low_strict=op == ">")

    @property
    def equation(self) -> bool:
        """Whether both ends are the same number."""
        return self.low is not None and self.low == self.high

    @property
    def empty(self) -> bool:
        """Whether no number lies between the ends."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_strict or self.high_strict))

    @property
    def statement(self) -> Expr:
        """The condition as an expression of 0 and 1."""
        if self.empty:
            return b.ZERO
        if self.equation:
            assert self.low is not None
            return b.compare("==", self.middle, b.num(self.low))
        if self.low is None:
            assert self.high is not None
            return b.compare("<" if self.high_strict else "<=", self.middle, b.num(self.high))
        if self.high is None:
            return b.compare(">" if self.low_strict else ">=", self.middle, b.num(self.low))
        lower = b.compare("<" if self.low_strict else "<=", b.num(self.low), self.middle)
        return b.mul(lower, b.compare("<" if self.high_strict else "<=", self.middle, b.num(self.high)))

    def peeled(self, unknown: Var) -> "Iterator[tuple[Between, Reason]]":
        """The same condition with one operation less at a time, and what was done."""
        current = self
        while current.middle is not unknown and not current.empty:
            following = current._step(unknown)
            if following is None:
                return
            yield following
            current = following[0]

    def _step(self, unknown: Var) -> "tuple[Between, Reason] | None":
        match self.middle:
            case Add(args=args):
                return self._without_constant([a for a in args if unknown not in variables(a)], args)
            case Mul():
                factor, rest = b.coefficient(self.middle)
                return None if factor == 1 else self._divided(factor, rest)
            case Pow(base=Var(facts=facts) as inner, exponent=e) if "positive" in facts and b.number_of(e) == -1:
                return self._inverted(inner)
            case Apply(fn="floor", args=(inner,)):
                return self._floor(inner)
            case Apply(fn="ceil", args=(inner,)):
                return self._ceiling(inner)
        return None

    def _without_constant(self, constants: list[Expr], args: tuple[Expr, ...]) -> "tuple[Between, Reason] | None":
        values = [b.number_of(c) for c in constants]
        number = sum((v for v in values if v is not None), Fraction(0))
        if not constants or any(v is None for v in values):
            return None
        rest = b.add(*(a for a in args if a not in constants))
        words = ("add ", b.num(-number)) if number < 0 else ("subtract ", b.num(number))
        return self._mapped(rest, lambda v: v - number), words

    def _divided(self, factor: Fraction, rest: Expr) -> "tuple[Between, Reason]":
        words = ("multiply by ", b.num(1 / factor)) if abs(factor) < 1 else ("divide by ", b.num(factor))
        made = self._mapped(rest, lambda v: v / factor)
        if factor > 0:
            return made, words
        turned = Between(rest, made.high, made.low, self.high_strict, self.low_strict)
        return turned, words if self.equation else (*words, "; the signs turn round")

    def _inverted(self, inner: Expr) -> "tuple[Between, Reason]":
        """1/u between the ends, for a positive u."""
        words = ("take reciprocals",) if self.equation else ("take reciprocals; the signs turn round",)
        if self.high is not None and self.high <= 0:
            return Between(inner, Fraction(1), Fraction(0)), ("it is positive",)
        low = None if self.high is None else 1 / self.high
        high = None if self.low is None or self.low <= 0 else 1 / self.low
        return Between(inner, low, high, self.high_strict, self.low_strict), words

    def _mapped(self, middle: Expr, change: Callable[[Fraction], Fraction]) -> "Between":
        low = None if self.low is None else change(self.low)
        high = None if self.high is None else change(self.high)
        return replace(self, middle=middle, low=low, high=high)

    def _floor(self, inner: Expr) -> "tuple[Between, Reason]":
        low, high = self._whole_ends()
        if low is not None and high is not None and low > high:
            return Between(inner, Fraction(1), Fraction(0)), ("⌊u⌋ is an integer",)
        made = Between(inner, low, None if high is None else high + 1, False, True)
        return made, ("⌊u⌋ = n means n ≤ u < n + 1",)

    def _ceiling(self, inner: Expr) -> "tuple[Between, Reason]":
        low, high = self._whole_ends()
        if low is not None and high is not None and low > high:
            return Between(inner, Fraction(1), Fraction(0)), ("⌈u⌉ is an integer",)
        made = Between(inner, None if low is None else low - 1, high, True, False)
        return made, ("⌈u⌉ = n means n − 1 < u ≤ n",)

    def _whole_ends(self) -> tuple[Fraction | None, Fraction | None]:
        """The smallest and the largest integer between the ends."""
        low = high = None
        if self.low is not None:
            low = Fraction(math.floor(self.low) + 1 if self.low_strict else math.ceil(self.low))
        if self.high is not None:
            high = Fraction(math.ceil(self.high) - 1 if self.high_strict else math.floor(self.high))
        return low, high

    def integers(self, most: int) -> list[int] | None:
        """The integers between the ends, where there are both and not too many."""
        if self.empty:
            return []
        low, high = self._whole_ends()
        if low is None or high is None or high - low >= most:
            return None
        return list(range(int(low), int(high) + 1))
