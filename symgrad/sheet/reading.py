"""Expressions, shapes and ranges of one problem as math trees, in its names and its layout convention."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

import sympy
from msgspec import Struct
from msgspec.structs import replace

from symgrad.notation.integers import Piece, by, integer_piece
from symgrad.notation.layout import oriented
from symgrad.notation.names import Names
from symgrad.notation.precedence import RELATION
from symgrad.notation.read import read, read_as
from symgrad.notation.readers.leaves import number_piece
from symgrad.notation.statements import read_statement
from symgrad.notation.style import Layout, Style
from symgrad.notation.tree import Fenced, Grid, Ident, Infix, Number, Prefix, Script, Sym, Text, Tree, Verbatim
from symgrad.problem.model import Given, Problem, Question
from symgrad.sheet.document import Words
from symgrad.sheet.rows import PRINTED, Page
from symgrad.sheet.words import joined, with_formulas
from symgrad.tensor.integers import Int, difference, same, symbols_of
from symgrad.tensor.nodes import Binder, Compare, Expr, Rel, Shape
from symgrad.tensor.reindex import free_ints


class Reading(Struct, frozen=True):
    """How one problem is read: its names, the convention for derivatives, the declared ranges of its steps.

    ``page`` is what the lines that it is read for hold.
    """

    style: Style
    steps: Mapping[sympy.Symbol, Binder]
    page: Page = PRINTED

    @classmethod
    def of(cls, problem: Problem, layout: str | None = None, page: Page = PRINTED) -> "Reading":
        """The reading of a problem; ``layout`` stands above the problem's own convention."""
        defined = {d.family for d in problem.system.definitions}
        taken = {*problem.declarations, *problem.sizes, *defined, *(s.name for s in problem.steps)}
        chosen = cast(Layout, layout or problem.conventions.layout or "gradient")
        return cls(
            Style(Names(problem.latex, frozenset(taken)), layout=chosen, index_base=problem.conventions.index_base),
            problem.steps,
            page,
        )

    def answering(self, question: Question) -> "Reading":
        """The reading of a question, whose own convention stands above that of the sheet."""
        chosen = question.word("layout")
        return self if chosen is None else replace(self, style=replace(self.style, layout=cast(Layout, chosen)))

    def math(self, expr: Expr) -> Tree:
        """An expression by itself."""
        return read(expr, self.style)

    def side(self, expr: Expr, derivative: Expr) -> Tree:
        """A side of an equation for a derivative, turned as the layout writes that derivative."""
        return read_as(oriented(expr, derivative, self.style.layout), RELATION, self.style)

    def words(self, reason: Iterable["str | Expr | Tree"]) -> Words:
        """A sentence with expressions in it."""
        pieces: list[str | Tree] = []
        for piece in reason:
            match piece:
                case str():
                    pieces += with_formulas(piece)
                case Tree():
                    pieces.append(piece)
                case Compare():
                    pieces.append(self.statement(piece))
                case _:
                    pieces.append(self.math(piece))
        return joined(pieces)

    @property
    def index_base(self) -> int:
        """Where component indices begin."""
        return self.style.index_base

    def size(self, value: Int) -> Tree:
        """A size, step or index."""
        return self._size(value).tree

    def _size(self, value: Int) -> Piece:
        return integer_piece(value, lambda s: self.style.names.name(s.name), inline=True)

    def sizes(self, shape: Shape) -> Tree:
        """n × m, in words of a scalar."""
        return by([self._size(s) for s in shape]) if shape else Text("scalar")

    def space(self, shape: Shape, row: bool = False, over: str = "R") -> Tree:
        """The space ℝ, ℝⁿ, ℝⁿˣᵈ that a value lies in, or one of such integers, over ℤ."""
        numbers = Ident(over, "blackboard")
        axes = (1, *shape) if row and len(shape) == 1 else shape
        return Script(numbers, None, self.sizes(axes)) if axes else numbers

    def lies_in(self, value: Expr, derivative: Expr | None = None) -> Tree:
        """The space of a value, turned as the layout writes the derivative."""
        turned = value if derivative is None else oriented(value, derivative, self.style.layout)
        return self.space(turned.shape, turned.row)

    def ranges(self, ranges: Sequence[Binder], body: Iterable[Expr] = ()) -> tuple[Tree, ...]:
        """t = 1, …, T, or t < T where it is a declared range without its last step; a bound's own index comes first.

        An index that the body does not name is left out.
        """
        named = {s for x in body for s in free_ints(x)} or {x.symbol for x in ranges}
        return tuple(self._range(x) for x in _outer_first([x for x in ranges if x.symbol in named]))

    def _range(self, x: Binder) -> Tree:
        index = self.style.names.name(x.symbol.name)
        known = self.steps.get(x.symbol)
        if known is not None and not (isinstance(x.lo, int) and isinstance(x.hi, int)):
            first, last = difference(x.lo, known.lo), difference(known.hi, x.hi)
            if same(first, 0) and isinstance(last, int) and last == 1:
                return Infix((index, self.size(known.hi)), ("<",))
            if same(last, 0) and isinstance(first, int) and first == 1:
                return Infix((index, self.size(known.lo)), (">",))
        return Infix((index, self.span(x.lo, x.hi)), ("=",))

    def span(self, lo: Int, hi: Int) -> Tree:
        """1, …, T; the numbers themselves where there are at most three."""
        count = difference(hi, lo)
        if isinstance(count, int) and 0 <= count <= 2:
            items = [self.size(lo + k) for k in range(count + 1)]
        else:
            items = [self.size(lo), Sym("dots"), self.size(hi)]
        return items[0] if len(items) == 1 else Infix(tuple(items), ("comma",) * (len(items) - 1))

    def condition(self, condition: "Rel | Expr") -> Tree:
        """A condition on indices or on values."""
        if isinstance(condition, Rel):
            return Infix((self.size(condition.left), self.size(condition.right)), (condition.op,))
        return self.statement(condition)

    def statement(self, expr: Expr) -> Tree:
        """A condition, or several joined by and and or; anything else is read as an expression."""
        return read_statement(expr, self.style)

    def exact(self, value: Any) -> Tree:
        """An exact value: a number, an array of numbers, a SymPy expression, a truth value."""
        match value:
            case bool():
                return Text("true" if value else "false")
            case int() | Fraction():
                return number_piece(Fraction(value)).tree
            case float():
                number = Number(f"{abs(value):.6g}")
                return Prefix("minus", number) if value < 0 else number
            case Tree():
                return value
            case Expr():
                return self.math(value)
            case sympy.Integer() | sympy.Rational():
                return number_piece(Fraction(int(value.p), int(value.q))).tree
            case sympy.Basic():
                return Verbatim(sympy.latex(value), str(value))
            case list() | tuple():
                return self._array(value)
        return Text(str(value))

    def given(self, given: Given) -> Tree:
        """Given numbers as a number or an array."""
        nested: list[Any] = list(given.entries)
        for size in reversed(given.shape[1:]):
            nested = [nested[k : k + size] for k in range(0, len(nested), size)]
        return self.exact(nested if given.shape else nested[0])

    def _array(self, value: Sequence[Any]) -> Tree:
        rows = [v if isinstance(v, list | tuple) else [v] for v in value]
        if any(isinstance(x, list | tuple) for row in rows for x in row) or len({len(row) for row in rows}) > 1:
            slices = tuple(self.exact(v) for v in value)
            return Fenced(Infix(slices, ("comma",) * (len(slices) - 1)), "[", "]")
        return Grid(tuple(tuple(self.exact(x) for x in row) for row in rows))


def _outer_first(ranges: Sequence[Binder]) -> list[Binder]:
    """The ranges in their order, but t = 1, …, T before j = 1, …, t."""
    out: list[Binder] = []
    waiting = list(ranges)
    while waiting:
        open_ = {x.symbol for x in waiting}
        free = [x for x in waiting if not (symbols_of(x.lo) | symbols_of(x.hi)) & (open_ - {x.symbol})] or waiting
        out.append(free[0])
        waiting.remove(free[0])
    return out
