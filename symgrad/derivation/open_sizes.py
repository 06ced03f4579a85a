"""Large sizes that are numbers, treated as if they were symbols: what holds for every n holds for 784.

A derivative is certified by moving every entry of what it is taken by, which no machine does for a matrix of
300 × 784; it is derived and certified at small sizes, and then put at the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import sympy
from msgspec import Struct
from msgspec.structs import replace

from symgrad.derivation.steps import Code, DeferredCode, Result, introduced, mapped
from symgrad.errors import ProblemError
from symgrad.problem.elaborate import elaborate
from symgrad.problem.model import Problem
from symgrad.problem.records import RawSymbol
from symgrad.source import Source
from symgrad.tensor.integers import Int, size_symbol
from symgrad.tensor.integers import replace as put
from symgrad.tensor.nodes import Binder, Expr, Rel
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import Definition, System

MOST_ENTRIES: Final = 400
"""Where no declared symbol has more, its numbers are certified as they are."""

LARGE: Final = 5
"""The smallest number that is opened; a smaller one may mean something, such as two classes."""


class Opened(Struct, frozen=True):
    """A problem with its large sizes as symbols, and the numbers that they stand for."""

    problem: Problem
    values: Mapping[sympy.Symbol, int]

    def closed(self, result: Result) -> Result:
        """A result for all sizes, put at the numbers of the problem."""
        return replace(
            result,
            left=None if result.left is None else self.at(result.left),
            value=None if result.value is None else self.at(result.value),
            shape=tuple(put(s, self.values) for s in result.shape),
            blocks=tuple(mapped(x, self.at) for x in result.blocks),
            where=tuple(introduced(x, self.at) for x in result.where),
            code=None if result.code is None else self._later(result.code),
        )

    def at(self, expr: Expr) -> Expr:
        """The expression at the numbers."""
        return reindex(expr, self.values)

    def _later(self, code: Code | DeferredCode) -> DeferredCode:
        return DeferredCode(lambda: self._code(code))

    def _code(self, code: Code | DeferredCode) -> Code:
        definitions = tuple(self._definition(d) for d in code.system.definitions)
        steps = {s: self._range(x) for s, x in code.system.steps.items()}
        outputs = tuple((key, self.at(x)) for key, x in code.outputs)
        integers = tuple(s for s in code.integers if s not in self.values)
        return Code(System(definitions, steps), self.at(code.value), integers, outputs)

    def _definition(self, d: Definition) -> Definition:
        return Definition(
            d.family,
            tuple(put(i, self.values) for i in d.indices),
            self.at(d.body),
            tuple(self._range(x) for x in d.ranges),
            tuple(Rel(c.op, put(c.left, self.values), put(c.right, self.values)) for c in d.conds),
            d.facts,
        )

    def _range(self, x: Binder) -> Binder:
        return Binder(x.symbol, put(x.lo, self.values), put(x.hi, self.values))


def open_sizes(problem: Problem) -> Opened | None:
    """The problem with symbols for its large sizes; None where it has none, or holds for just these sizes."""
    if all(_entries(d.shape) <= MOST_ENTRIES for group in problem.declarations.values() for d in group):
        return None
    taken = problem.document.source.text
    names = {n: next(f"n{n}{'_' * k}" for k in range(1, 9) if f"n{n}{'_' * k}" not in taken) for n in _large(problem)}
    symbols = tuple(_with_names(s, names) for s in problem.document.symbols)
    try:
        opened = elaborate(replace(problem.document, symbols=symbols))
    except ProblemError:
        return None
    return Opened(opened, {size_symbol(name): n for n, name in names.items()})


def _entries(shape: tuple[Int, ...]) -> int:
    """How many entries a shape has, symbols counted as one."""
    return math.prod(s for s in shape if isinstance(s, int))


def _large(problem: Problem) -> list[int]:
    written = (number(x) for s in problem.document.symbols for x in s.shape or ())
    return sorted({n for n in written if n is not None and n >= LARGE})


def number(size: Source) -> int | None:
    """The size that is written, where it is a plain number."""
    text = size.text.strip()
    return int(text) if text.isdecimal() else None


def _with_names(symbol: RawSymbol, names: Mapping[int, str]) -> RawSymbol:
    if symbol.shape is None:
        return symbol
    found = [(x, names.get(number(x) or 0)) for x in symbol.shape]
    return replace(symbol, shape=tuple(x if name is None else Source(x.name, name) for x, name in found))
