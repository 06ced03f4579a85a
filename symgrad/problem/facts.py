"""What may be said of what: a fact needs a shape, and given numbers must not deny it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import sympy
from msgspec import Struct

from symgrad.errors import ProblemError
from symgrad.problem.model import Given
from symgrad.problem.records import RawSymbol
from symgrad.tensor import build as b
from symgrad.tensor.integers import same
from symgrad.tensor.nodes import Shape
from symgrad.tensor.shapes import show_shape

Numbers = Sequence[Fraction]
LARGEST: Final = 12
"""Matrices with more rows are not multiplied out to test a fact."""


class Fact(Struct, frozen=True):
    """What a fact is said of, and whether it holds for numbers.

    Attributes:
        of: What it can be said of, in words.
        fits: Whether it can be said of something of a shape.
        number: Whether a scalar agrees with it.
        row: Whether the numbers along the last axis agree with it.
        matrix: Whether a square matrix of numbers agrees with it.
    """

    of: str
    fits: Callable[[Shape], bool]
    number: Callable[[Fraction], bool] = lambda x: True
    row: Callable[[Numbers], bool] | None = None
    matrix: Callable[[sympy.Matrix], bool] | None = None


def _square(shape: Shape) -> bool:
    return len(shape) == 2 and same(shape[0], shape[1])


def _of_all(holds: Callable[[Fraction], bool]) -> Fact:
    return Fact("anything", lambda shape: True, holds, lambda row: all(map(holds, row)))


def _of_square(holds: Callable[[sympy.Matrix], bool]) -> Fact:
    return Fact("a square matrix", _square, matrix=holds)


FACTS: Final = MappingProxyType(
    {
        "one-hot": Fact(
            "a vector, or a matrix by its rows",
            lambda shape: bool(shape),
            row=lambda row: sorted(row) == [0] * (len(row) - 1) + [1],
        ),
        "probability": Fact(
            "a number, a vector, or a matrix by its rows",
            lambda shape: True,
            lambda x: 0 < x < 1,
            lambda row: min(row) >= 0 and sum(row) == 1,
        ),
        "positive": _of_all(lambda x: x > 0),
        "integer": _of_all(lambda x: x.denominator == 1),
        "index": _of_all(lambda x: x.denominator == 1 and x >= 0),
        "symmetric": _of_square(lambda a: bool(a == a.T)),
        "diagonal": _of_square(lambda a: bool(a.is_diagonal())),
        "orthogonal": _of_square(lambda a: bool(a * a.T == sympy.eye(a.rows))),
        "invertible": _of_square(lambda a: a.det() != 0),
        "positive-definite": _of_square(lambda a: bool(a == a.T and a.is_positive_definite)),
    }
)
"""Facts that say something of the entries; the others say what role a symbol plays."""


def check_facts(symbol: RawSymbol, shape: Shape, values: Given | None) -> None:
    """Every fact of a symbol can be said of its shape, and holds for its numbers where they are given.

    Raises:
        ProblemError: one cannot, or does not.
    """
    for said in symbol.facts:
        fact = FACTS.get(said.text)
        if fact is None:
            continue
        if not fact.fits(shape):
            message = f"{said.text} is said of {fact.of}; {symbol.text} is {show_shape(shape)}"
            raise ProblemError(message, said.place())
        if values is not None and not _agrees(fact, shape, values):
            place = symbol.values.place if symbol.values is not None else said.place()
            raise ProblemError(f"{symbol.text} is said to be {said.text}, but these numbers are not", place)


def _agrees(fact: Fact, shape: Shape, values: Given) -> bool:
    """Whether exact numbers agree with a fact; others are taken at their word."""
    found = [b.number_of(x) for x in values.entries]
    numbers = [x for x in found if x is not None]
    if len(numbers) < len(found):
        return True
    if not shape:
        return all(fact.number(x) for x in numbers)
    if not values.shape:
        return True
    if fact.row is not None:
        return all(fact.row(row) for row in _parts(numbers, values.shape[-1]))
    size = values.shape[-1]
    if fact.matrix is None or size > LARGEST:
        return True
    exact = ([sympy.Rational(x.numerator, x.denominator) for x in part] for part in _parts(numbers, size * size))
    return all(fact.matrix(sympy.Matrix(size, size, part)) for part in exact)


def _parts(numbers: Numbers, length: int) -> Iterator[Numbers]:
    return (numbers[k : k + length] for k in range(0, len(numbers), length))
