"""Integers as affine forms Σ aₖ gₖ + b of what does not split further, of which signs are read off in plain numbers.

SymPy's assumptions prove the same of one expression in a thousand times the time; here they are asked once for each
generator gₖ, which is a symbol or a product, a power, a floor of some.
"""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from math import gcd
from typing import TypeAlias

import sympy
from msgspec import Struct

Number: TypeAlias = int | Fraction


class Affine(Struct, frozen=True):
    """The integer Σ terms[g] g + constant; no coefficient is 0."""

    terms: Mapping[sympy.Expr, Number]
    constant: Number

    def __sub__(self, other: "Affine | int") -> "Affine":
        if isinstance(other, int):
            return Affine(self.terms, self.constant - other)
        terms = dict(self.terms)
        for g, a in other.terms.items():
            terms[g] = terms.get(g, 0) - a
        return Affine({g: a for g, a in terms.items() if a}, self.constant - other.constant)

    def __neg__(self) -> "Affine":
        return Affine({g: -a for g, a in self.terms.items()}, -self.constant)

    @property
    def expr(self) -> sympy.Expr:
        """The form as a sum of SymPy."""
        return sympy.Add(*(_rational(a) * g for g, a in self.terms.items()), _rational(self.constant))

    def nonnegative(self) -> bool:
        """Whether the form is ≥ 0 for all values of its symbols; an affine form of symbols is, or it is not."""
        least = self.constant
        for g, a in self.terms.items():
            low = _least(g) if a > 0 else None
            if low is None:
                return not all(g.is_Symbol for g in self.terms) and _proved(self.expr)
            least += a * low
        return least >= 0

    def at_least_zero(self) -> bool | None:
        """Whether the form is ≥ 0 for all values of its symbols (True), for none (False), or neither is certain."""
        if self.nonnegative():
            return True
        return False if (-self - 1).nonnegative() else None

    def is_zero(self) -> bool | None:
        """Whether the form is 0 for all values of its symbols (True), for none (False), or neither is certain."""
        if not self.terms:
            return self.constant == 0
        divisor = gcd(*(a for a in self.terms.values() if isinstance(a, int)))
        whole = all(isinstance(a, int) for a in self.terms.values())
        if whole and self.constant % divisor:
            return False
        return False if (self - 1).nonnegative() or (-self - 1).nonnegative() else None


@lru_cache(maxsize=65536)
def affine(value: int | sympy.Expr) -> Affine:
    """An integer expression as an affine form."""
    if isinstance(value, int):
        return Affine({}, value)
    found = _collected(value)
    return found if all(g.is_Symbol for g in found.terms) else _collected(sympy.expand(value))


def _collected(value: sympy.Expr) -> Affine:
    terms: dict[sympy.Expr, Number] = {}
    constant: Number = 0
    for part in sympy.Add.make_args(value):
        factor, generator = part.as_coeff_Mul()
        if not factor.is_Rational:
            factor, generator = sympy.S.One, part
        if generator is sympy.S.One:
            constant += _number(factor)
        else:
            terms[generator] = terms.get(generator, 0) + _number(factor)
    return Affine({g: a for g, a in terms.items() if a}, constant)


def _number(value: sympy.Rational) -> Number:
    return int(value) if value.is_Integer else Fraction(int(value.p), int(value.q))


def _rational(value: Number) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)


@lru_cache(maxsize=65536)
def _least(generator: sympy.Expr) -> int | None:
    """A lower bound, the greatest where the generator is a symbol."""
    if generator.is_integer and generator.is_positive:
        return 1
    return 0 if generator.is_nonnegative else None


@lru_cache(maxsize=65536)
def _proved(value: sympy.Expr) -> bool:
    """Whether SymPy proves value ≥ 0 by the signs of its terms: with n = 1 + n′, n² − n is n′² + n′."""
    moved = {s: 1 + sympy.Dummy(s.name, integer=True, nonnegative=True) for s in value.free_symbols if s.is_positive}
    return bool(sympy.expand(value.xreplace(moved)).is_extended_nonnegative)
