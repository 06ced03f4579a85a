"""Numbers, tensors of one number, identities, named nodes."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias

from symgrad.tensor.integers import Int, integer
from symgrad.tensor.nodes import Count, Expr, Eye, Full, Literal, MatMul, Num, Shape, Transpose, Var

Number: TypeAlias = int | Fraction

ZERO = Num(Fraction(0))

ONE = Num(Fraction(1))

MINUS_ONE = Num(Fraction(-1))


def num(value: Number) -> Num:
    """An exact number."""
    return Num(Fraction(value))


def count(value: Int) -> Expr:
    """A size, step or index used as a number."""
    value = integer(value)
    if isinstance(value, int):
        return num(value)
    if value.is_Rational:
        return num(Fraction(int(value.p), int(value.q)))
    return Count(value)


def var(name: str, subs: Iterable[Int] = (), shape: Shape = (), facts: Iterable[str] = ()) -> Var:
    """A named node; its facts are those of its declaration."""
    return Var(name, tuple(integer(s) for s in subs), tuple(integer(s) for s in shape), frozenset(facts))


def full(value: Number, shape: Shape, row: bool = False) -> Expr:
    """A tensor of one number, a row where asked; a plain number where the shape is ()."""
    if not shape:
        return num(value)
    filled = Full(Fraction(value), shape)
    return Transpose(filled, shape) if row else filled


def zeros(shape: Shape, row: bool = False) -> Expr:
    """The zero tensor."""
    return full(0, shape, row)


def ones(shape: Shape, row: bool = False) -> Expr:
    """The tensor of ones."""
    return full(1, shape, row)


def zeros_like(x: Expr) -> Expr:
    """Zero in the shape of x, a row where x is one."""
    return zeros(x.shape, x.row)


def eye(size: Int) -> Expr:
    """The identity matrix."""
    return Eye(integer(size))


def literal(values: Sequence[Fraction | float], shape: Shape) -> Expr:
    """An array of numbers, row by row."""
    return Literal(tuple(values), shape) if shape else _number(values[0])


def _number(value: Fraction | float) -> Expr:
    return num(value) if isinstance(value, Fraction) else Literal((value,), ())


def number_of(x: Expr) -> Fraction | None:
    """The number that fills x, or None."""
    if isinstance(x, Num | Full):
        return x.value
    if isinstance(x, Transpose):
        return number_of(x.arg)
    return None


def is_zero(x: Expr) -> bool:
    """Whether x is the zero tensor as it stands."""
    return number_of(x) == 0


def is_one(x: Expr) -> bool:
    """Whether every entry of x is 1 as it stands; 1 1ᵀ is such a matrix."""
    if isinstance(x, MatMul) and len(x.args) == 2 and all(f.order == 1 for f in x.args):
        return x.order == 2 and all(map(is_one, x.args))
    return number_of(x) == 1
