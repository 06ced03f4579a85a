"""Exact numbers: SymPy's as expressions of the model, as plain numbers, as floats."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import sympy

from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.from_sympy import NoCounterpart, from_sympy
from symgrad.tensor.nodes import Expr, Shape

MOST_OPERATIONS = 60
"""A value with more operations than that is carried on as a decimal number of 30 digits."""
DIGITS = 30


def settled(value: sympy.Expr, name: str = "the value") -> sympy.Expr:
    """The number in lowest terms where it is rational: tanh(log 2) is 3/5.

    Raises:
        QuestionError: it is no finite real number.
    """
    if value.is_Rational:
        return value
    if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo) or value.is_real is False:
        raise QuestionError(f"{name} is not a finite real number there")
    if not value.has(sympy.Float):
        if value.count_ops() > MOST_OPERATIONS:
            return value.evalf(DIGITS)
        for other in (value.rewrite(sympy.exp), sympy.expand(value)):
            if other.is_Rational:
                return other
        return value
    return value.evalf(DIGITS)


def entries(value: Any) -> Iterator[sympy.Expr]:
    """The numbers of a nested list, row by row."""
    if isinstance(value, list):
        for item in value:
            yield from entries(item)
    else:
        yield value


def mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    """The nested list with the function applied to each number."""
    return [mapped(item, function) for item in value] if isinstance(value, list) else function(value)


def is_exact(value: Any) -> bool:
    """Whether no number of a nested list is a decimal."""
    return not any(x.has(sympy.Float) for x in entries(value))


def is_rational(value: Any) -> bool:
    """Whether all numbers of a nested list are rational."""
    return all(x.is_Rational for x in entries(value))


def plain(value: Any) -> Any:
    """Integers as ints, fractions as Fractions, anything else as SymPy holds it."""

    def one(x: sympy.Expr) -> Any:
        if x.is_Integer:
            return int(x)
        return Fraction(int(x.p), int(x.q)) if x.is_Rational else x

    return mapped(value, one)


def floats(value: Any) -> Any:
    """Each number of a nested list to double precision."""
    return mapped(value, lambda x: float(x.evalf(DIGITS)))


def shape_of(value: Any) -> Shape:
    """The lengths of a nested list."""
    return (len(value), *shape_of(value[0])) if isinstance(value, list) and value else ()


def expression(value: Any) -> Expr:
    """A number, or a nested list of them, as an expression."""
    shape = shape_of(value)
    if is_rational(value):
        return b.literal([Fraction(int(x.p), int(x.q)) for x in entries(value)], shape)
    if any(x.is_Float for x in entries(value)):
        return b.literal([float(x) for x in entries(value)], shape)
    return b.stack(*(expression(item) for item in value)) if shape else number(value)


def number(x: sympy.Expr) -> Expr:
    """A SymPy number as a scalar expression.

    Raises:
        QuestionError: it is made of something that has no name here.
    """
    return from_sympy(x, _unnamed, _in_order)


def _unnamed(x: sympy.Symbol) -> Expr:
    raise NoCounterpart(f"no way to write {x}")


def _in_order(x: sympy.Expr) -> Sequence[sympy.Expr]:
    terms: Sequence[sympy.Expr] = x.as_ordered_terms() if isinstance(x, sympy.Add) else x.args
    return terms
