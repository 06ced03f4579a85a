"""What a derivation is made of: certified lines, names introduced on the way, prose, results and their checks."""

from collections.abc import Callable
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import sympy
from msgspec import Struct, field
from msgspec.structs import replace

from symgrad.problem.model import Question
from symgrad.tensor.build import count
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Binder, Count, Expr, Num, Shape, Var
from symgrad.tensor.system import System

Reason: TypeAlias = tuple["str | Expr", ...]
"""Words with expressions set among them."""


class Check(Struct, frozen=True):
    """How one claim was tested: ``kind`` says against what, the error is relative to the largest entry."""

    kind: str
    max_rel_error: float
    points: int
    sizes: int = 1
    ok: bool = True


class Line(Struct, frozen=True):
    """left = right[0] = right[1] = …, true for every index in ``ranges``; made by ``Certifier.line`` alone.

    A line with another ``relation`` states that one between its sides: "<=", "<", or "iff" between conditions, which
    are expressions of 0 and 1. ``boxed`` marks a result.
    """

    left: Expr
    right: tuple[Expr, ...]
    reason: Reason
    rule: str
    check: Check
    ranges: tuple[Binder, ...] = ()
    boxed: bool = False
    substeps: tuple["Block", ...] = ()
    relation: str = "="


class Introduced(Struct, frozen=True):
    """A name given to an expression on the way: name = body, for every index in the ranges."""

    name: Var
    body: Expr
    reason: Reason = ()


class Prose(Struct, frozen=True):
    """A sentence of the derivation."""

    words: Reason


Cell: TypeAlias = "str | Expr | Reason"


class Table(Struct, frozen=True):
    """Rows of cells: words, numbers or expressions, or words with expressions among them."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class CasesLine(Struct, frozen=True):
    """left = value where condition, for each case; each case was evaluated where its condition holds."""

    left: Expr
    cases: tuple[tuple[Expr, Reason], ...]
    reason: Reason
    check: Check


class Curve(Struct, frozen=True):
    """Points of a curve, or of a row of a surface.

    Attributes:
        at: The value of what differs from curve to curve.
        bound: Whether it is one that the other curve of that value stays below.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    at: float | None = None
    bound: bool = False


class Plot(Struct, frozen=True):
    """Curves over one axis, or a surface over two.

    Attributes:
        across: What the horizontal axis shows.
        of: What the curves show, or the contour lines.
        by: What differs from curve to curve, or the vertical axis under contour lines.
        contours: Whether the curves are the rows of a surface.
        logarithmic: Whether the vertical axis is logarithmic.
    """

    across: Reason
    of: Expr
    by: Expr | None
    curves: tuple[Curve, ...]
    contours: bool = False
    logarithmic: bool = False


Block: TypeAlias = Line | Introduced | Prose | Table | CasesLine | Plot


class Code(Struct, frozen=True):
    """What computes a result in numbers: definitions, forward and backward alike, and the value over them.

    ``outputs`` are several values by key, such as "at" and "value" of an optimum; they stand in place of the value.
    """

    system: System
    value: Expr
    integers: tuple[sympy.Symbol, ...] = ()
    outputs: tuple[tuple[str, Expr], ...] = ()


class DeferredCode:
    """Code that is worked out when it is first looked at: most sheets never ask for it."""

    def __init__(self, make: Callable[[], Code]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Code:
        return self._make()

    @property
    def system(self) -> System:
        """The definitions, forward and backward alike."""
        return self._made.system

    @property
    def value(self) -> Expr:
        """The value over the definitions."""
        return self._made.value

    @property
    def integers(self) -> tuple[sympy.Symbol, ...]:
        """The integers that a caller gives."""
        return self._made.integers

    @property
    def outputs(self) -> tuple[tuple[str, Expr], ...]:
        """Several values by key, in place of the value."""
        return self._made.outputs


class Result(Struct, frozen=True):
    """One answer: what was asked, its value in symbols, its shape, and how it was checked.

    ``exact`` is the value where it is a number, an array of numbers, a truth value; None otherwise. ``inexact`` is a
    number near by where no exact one is known. ``where`` are the introduced names that the value still contains.
    """

    of: str
    wrt: str | None
    left: Expr | None
    value: Expr | None
    shape: Shape
    blocks: tuple[Block, ...]
    checks: tuple[Check, ...]
    where: tuple[Introduced, ...] = ()
    exact: Any = None
    inexact: Any = None
    extra: dict[str, Any] = field(default_factory=dict)
    code: Code | DeferredCode | None = None

    @property
    def number(self) -> Any:
        """The exact value, or the number near by; None where there is neither."""
        return self.inexact if self.exact is None else self.exact

    @property
    def stated(self) -> bool:
        """Whether there is a value, in numbers or in symbols."""
        return self.number is not None or self.value is not None


class Derivation(Struct, frozen=True):
    """The answer to one question.

    ``status`` is certified, unchecked (prose of the author) or failed (with the message). ``question`` is what was
    answered, the results of other questions in their places.
    """

    id: str
    ask: str
    status: str
    prompt: str
    message: str = ""
    results: tuple[Result, ...] = ()
    note: str = ""
    hint: str = ""
    points: Fraction | None = None
    text: str = ""
    question: Question | None = None


def mapped(block: Block, change: Callable[[Expr], Expr]) -> Block:
    """A block with every expression changed, the changed one being known to be as true."""

    def words(reason: Reason) -> Reason:
        return _mapped_words(reason, change)

    def cell(x: Cell) -> Cell:
        return change(x) if isinstance(x, Expr) else x if isinstance(x, str) else words(x)

    match block:
        case Line():
            return replace(
                block,
                left=change(block.left),
                right=tuple(change(x) for x in block.right),
                reason=words(block.reason),
                ranges=tuple(_mapped_range(x, change) for x in block.ranges),
            )
        case Introduced():
            return introduced(block, change)
        case Prose():
            return Prose(words(block.words))
        case CasesLine():
            cases = tuple((change(value), words(where)) for value, where in block.cases)
            return CasesLine(change(block.left), cases, words(block.reason), block.check)
        case Table():
            return Table(block.header, tuple(tuple(cell(x) for x in row) for row in block.rows))
        case Plot(by=by):
            return replace(
                block, across=words(block.across), of=change(block.of), by=None if by is None else change(by)
            )


def introduced(named: Introduced, change: Callable[[Expr], Expr]) -> Introduced:
    """A name with every expression changed."""
    name = change(named.name)
    assert isinstance(name, Var)
    return Introduced(name, change(named.body), _mapped_words(named.reason, change))


def _mapped_words(reason: Reason, change: Callable[[Expr], Expr]) -> Reason:
    return tuple(change(w) if isinstance(w, Expr) else w for w in reason)


def _mapped_range(x: Binder, change: Callable[[Expr], Expr]) -> Binder:
    return Binder(x.symbol, _mapped_int(x.lo, change), _mapped_int(x.hi, change))


def _mapped_int(value: Int, change: Callable[[Expr], Expr]) -> Int:
    found = change(count(value))
    if isinstance(found, Num):
        return int(found.value)
    assert isinstance(found, Count)
    return found.value


def lines(blocks: tuple[Block, ...]) -> tuple[Line, ...]:
    """The lines among blocks, substeps included."""
    found: list[Line] = []
    for x in blocks:
        if isinstance(x, Line):
            found += [x, *lines(x.substeps)]
    return tuple(found)
