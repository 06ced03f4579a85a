"""Given numbers: nested lists of numbers, fractions and expressions without names."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.errors import ProblemError
from symgrad.problem.model import Given
from symgrad.problem.scope import Scope
from symgrad.problem.texts import read_expression
from symgrad.problem.yaml_tree import RawList, RawNode, RawScalar
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Expr, Shape
from symgrad.tensor.shapes import ShapeError, same_shape, show_shape


def given(node: RawNode, scope: Scope, arrays: bool = False) -> Given:
    """The numbers of a node, row by row; with ``arrays`` also one expression for all of them.

    Raises:
        ProblemError: rows differ in length, or something in it is no scalar.
    """
    match node:
        case RawList(items):
            parts = [given(item, scope) for item in items]
            if any(part.shape != parts[0].shape for part in parts):
                raise ProblemError("the rows differ in length", node.place)
            if not parts:
                raise ProblemError("this list is empty", node.place)
            return Given((len(parts), *parts[0].shape), tuple(e for part in parts for e in part.entries))
        case RawScalar():
            value = scope.expr(read_expression(node.source, scope.names.vocabulary))
            if value.order and not arrays:
                raise ProblemError("a number is needed here", node.place)
            return Given((), (value,))
        case _:
            raise ProblemError("a number or a nested list of numbers is needed here", node.place)


def array(values: Given) -> Expr:
    """Given numbers as an expression: exact where they are rational."""
    exact = [b.number_of(entry) for entry in values.entries]
    rational = [value for value in exact if value is not None]
    if len(rational) == len(exact):
        return b.literal(rational, values.shape)
    return _nested(values.entries, values.shape)


def _nested(entries: Sequence[Expr], shape: Shape) -> Expr:
    if not shape:
        return entries[0]
    length = len(entries) // int(shape[0])
    rows = [entries[at : at + length] for at in range(0, len(entries), length)]
    return b.stack(*(_nested(row, shape[1:]) for row in rows))


def filled(values: Given, shape: Shape) -> Expr:
    """One number in every entry of a shape, or the array that is given whole.

    Raises:
        ShapeError: it has another shape.
    """
    if values.whole is not None:
        if not same_shape(values.whole.shape, shape):
            raise ShapeError(f"{show_shape(shape)} is needed; {show_shape(values.whole.shape)} is given")
        return values.whole
    number = b.number_of(values.entries[0])
    return b.full(number, shape) if number is not None else b.mul(values.entries[0], b.ones(shape))


def part(values: Given, at: int) -> Given:
    """The numbers at one place of the first axis, counted from 0."""
    length = len(values.entries) // values.shape[0]
    return Given(values.shape[1:], values.entries[at * length : (at + 1) * length])
