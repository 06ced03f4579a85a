"""Arithmetic and scalar functions entry by entry: like terms and equal factors are collected where the first stands."""

import math
from fractions import Fraction

import sympy

from symgrad.tensor.build.constants import MINUS_ONE, ONE, count, full, is_one, is_zero, num, number_of, ones, zeros
from symgrad.tensor.nodes import Add, Apply, Compare, Count, Expr, Full, Iverson, Mul, Num, Pow
from symgrad.tensor.shapes import broadcast, same_shape


def coefficient(x: Expr) -> tuple[Fraction, Expr]:
    """x as a number times the rest."""
    if isinstance(x, Mul) and isinstance(x.args[0], Num):
        return x.args[0].value, mul(*x.args[1:])
    if isinstance(x, Num):
        return x.value, ONE
    return Fraction(1), x


def add(*args: Expr) -> Expr:
    """a + b + …, entry by entry; like terms are collected where the first of them stands."""
    if len(args) == 1:
        return args[0]
    shape, row = broadcast(args, "sum")
    terms: dict[Expr, Fraction] = {}
    for a in args:
        for t in a.args if isinstance(a, Add) else (a,):
            c, rest = coefficient(t)
            terms[rest] = terms.get(rest, Fraction(0)) + c
    kept = [mul(num(c), rest) if c != 1 else rest for rest, c in terms.items() if c != 0 and not is_zero(rest)]
    if not kept:
        return zeros(shape, row)
    if len(kept) == 1 and same_shape(kept[0].shape, shape):
        return kept[0]
    if not same_shape(broadcast(kept, "sum")[0], shape):
        kept.append(zeros(shape, row))
    return Add(tuple(kept), shape, row)


def neg(x: Expr) -> Expr:
    """−x."""
    if isinstance(x, Add):
        return add(*(neg(t) for t in x.args))
    return mul(MINUS_ONE, x)


def sub(a: Expr, b: Expr) -> Expr:
    """a − b."""
    return add(a, neg(b))


def _power_parts(x: Expr) -> tuple[Expr, Fraction]:
    if isinstance(x, Pow) and isinstance(x.exponent, Num):
        return x.base, x.exponent.value
    return x, Fraction(1)


def mul(*args: Expr) -> Expr:
    """a ⊙ b ⊙ …, entry by entry; numbers come first, equal factors become powers."""
    if len(args) == 1:
        return args[0]
    shape, row = broadcast(args, "product entry by entry")
    number = Fraction(1)
    powers: dict[Expr, Fraction] = {}
    for a in args:
        for f in a.args if isinstance(a, Mul) else (a,):
            value = number_of(f)
            if value is not None:
                number *= value
                continue
            base, exponent = _power_parts(f)
            powers[base] = powers.get(base, Fraction(0)) + exponent
    if number == 0:
        return zeros(shape, row)
    for base in [x for x in powers if isinstance(x, Count) and powers[x] == -1]:
        number, rest = _cancelled(number, base)
        if rest is not base:
            del powers[base]
            powers[rest] = powers.get(rest, Fraction(0)) - (0 if rest is ONE else 1)
    factors = [power(base, num(e)) if e != 1 else base for base, e in powers.items() if e != 0]
    varied = [f for f in factors if not is_one(f)]
    if len(varied) < len(factors) and varied and same_shape(broadcast(varied, "product")[0], shape):
        factors = varied
    kept_shape = broadcast(factors, "product entry by entry")[0] if factors else ()
    if not same_shape(kept_shape, shape):
        factors.append(ones(shape, row))
    if len(factors) == 1:
        if number == 1:
            return factors[0]
        if isinstance(factors[0], Num | Full):
            return full(number * factors[0].value, shape)
    if not factors:
        return num(number)
    if number != 1:
        if len(factors) == 1 and isinstance(factors[0], Add):
            return (
                add(*(mul(num(number), t) for t in factors[0].args))
                if number == -1
                else Mul((num(number), factors[0]), shape, row)
            )
        factors.insert(0, num(number))
    return Mul(tuple(factors), shape, row)


def _cancelled(number: Fraction, size: Count) -> tuple[Fraction, Expr]:
    """A number over a size, without the integer that both hold: 2/(2m) = 1/m."""
    own = size.value.as_coeff_Mul()[0]
    common = math.gcd(number.numerator, int(own)) if own.is_Integer else 1
    return (number, size) if common == 1 else (number / common, count(sympy.expand(size.value / common)))


def power(base: Expr, exponent: Expr) -> Expr:
    """base ** exponent, entry by entry."""
    shape, _ = broadcast((base, exponent), "power")
    e = number_of(exponent)
    if e == 0:
        return ones(shape)
    if e == 1 and same_shape(base.shape, shape):
        return base
    b = number_of(base)
    if b is not None and e is not None and e.denominator == 1 and (b != 0 or e > 0):
        return full(b ** int(e), shape)
    if b == 1:
        return ones(shape)
    if isinstance(base, Iverson) and e is not None and e > 0 and not shape:
        return base
    if isinstance(base, Pow) and e is not None and exponent.order == 0:
        inner = number_of(base.exponent)
        if inner is not None and inner.denominator == 1 and e.denominator == 1:
            return power(base.base, num(inner * e))
    if isinstance(base, Mul) and e == -1 and all(f.order == 0 for f in base.args):
        return mul(*(power(f, exponent) for f in base.args))
    if isinstance(base, Mul) and e == -1 and any(_power_parts(f)[1] < 0 for f in base.args):
        inverse = mul(*(power(f, exponent) for f in base.args))
        if same_shape(inverse.shape, shape):
            return inverse
    return Pow(base, exponent, shape)


def div(a: Expr, b: Expr) -> Expr:
    """a / b, entry by entry."""
    return mul(a, power(b, MINUS_ONE))


def apply(fn: str, *args: Expr) -> Expr:
    """A scalar function entry by entry."""
    shape, row = broadcast(args, fn)
    if fn == "where":
        condition, yes, no = args
        chosen = yes if yes is no or (isinstance(condition, Num) and condition.value) else no
        if (yes is no or isinstance(condition, Num)) and same_shape(chosen.shape, shape):
            return chosen
    return Apply(fn, args, shape, row)


def compare(op: str, left: Expr, right: Expr) -> Expr:
    """1 where the comparison holds, else 0."""
    shape, _ = broadcast((left, right), f"comparison {op}")
    return Compare(op, left, right, shape)
