"""Back from SymPy: its numbers, sums, products, powers and functions as nodes."""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Final, TypeAlias

import sympy
from sympy.core.function import Application

from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Const, Expr
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.sympy_reading import CONSTANTS

Leaf: TypeAlias = Callable[[sympy.Symbol], Expr]
Order: TypeAlias = Callable[[sympy.Expr], Iterable[sympy.Expr]]


class NoCounterpart(QuestionError):
    """A SymPy expression is made of something that has no name among the nodes."""


@cache
def functions() -> Mapping[type, str]:
    """SymPy's functions that are a row of the table by themselves, and not a formula of several."""
    found: dict[type, str] = {}
    for row in SCALARS.values():
        arguments = sympy.symbols(f"x:{row.arity}", real=True)
        value = row.sympy(*arguments)
        if isinstance(value, Application) and set(value.args) == set(arguments):
            found[value.func] = row.name
    return MappingProxyType(found)


_NAMES: Final = MappingProxyType({value: name for name, value in CONSTANTS.items()})


def number(x: sympy.Expr) -> Expr:
    """A rational number, exactly."""
    return b.num(Fraction(int(x.p), int(x.q)))


def from_sympy(x: sympy.Expr, leaf: Leaf, order: Order) -> Expr:
    """The scalar node of a SymPy expression.

    Args:
        x: the expression.
        leaf: the node of a symbol.
        order: the operands of a sum or a product as they are to stand.

    Raises:
        NoCounterpart: it has a function without a name here.
    """

    def back(part: sympy.Expr) -> Expr:
        return from_sympy(part, leaf, order)

    if x.is_Rational:
        return number(x)
    if x.is_Float:
        return b.literal([float(x)], ())
    if x in _NAMES:
        return Const(_NAMES[x])
    if x == -sympy.oo:
        return b.neg(Const("inf"))
    match x:
        case sympy.Symbol():
            return leaf(x)
        case sympy.Add():
            return b.add(*map(back, order(x)))
        case sympy.Mul():
            return b.mul(*map(back, order(x)))
        case sympy.Pow(args=(base, exponent)):
            return b.apply("sqrt", back(base)) if exponent == sympy.S.Half else b.power(back(base), back(exponent))
    name = functions().get(x.func)
    if name is None:
        raise NoCounterpart(f"no way to write {x}")
    first, *rest = map(back, x.args)
    for other in rest:
        first = b.apply(name, first, other)
    return first if rest else b.apply(name, first)
