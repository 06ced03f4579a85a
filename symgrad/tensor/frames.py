"""Frames: lists of values of bound indices, so that a body is evaluated for all of them at once.

A frame with K rows gives every bound symbol a column of K integers. An array evaluated in it has the shape
(batch or 1, K or 1, *shape of the node).
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import sympy

from symgrad.errors import InternalError
from symgrad.tensor.comparisons import HOLDS
from symgrad.tensor.integers import Int, evaluate_int, symbols_of
from symgrad.tensor.nodes import Binder, Rel
from symgrad.tensor.stable import Array

Symbols: TypeAlias = frozenset[sympy.Symbol]


def compare(op: str, left: Array, right: Array) -> Array:
    """The truth of left op right, entry by entry, on real parts."""
    return np.asarray(HOLDS[op](left.real, right.real))


_MOST_KEYS = 1 << 62


class Frame:
    """K rows of values of bound symbols, over fixed values of the other symbols."""

    __slots__ = ("_cache", "_ints", "_projections", "columns", "count", "fixed")

    def __init__(
        self,
        columns: Mapping[sympy.Symbol, Array],
        count: int,
        fixed: Mapping[sympy.Symbol, int],
        cache: "dict[tuple[object, ...], Frame]",
    ) -> None:
        self.columns = columns
        self.count = count
        self.fixed = fixed
        self._cache = cache
        self._ints: dict[sympy.Symbol, Any] = {**fixed, **columns}
        self._projections: dict[Symbols, tuple[Frame, Array | None]] = {}

    @classmethod
    def root(cls, fixed: Mapping[sympy.Symbol, int]) -> "Frame":
        """The frame of one row without bound symbols."""
        cache: dict[tuple[object, ...], Frame] = {}
        made = cls({}, 1, fixed, cache)
        cache[()] = made
        return made

    def _with(self, columns: Mapping[sympy.Symbol, Array], count: int) -> "Frame":
        """The one frame with these columns, so that a value is stored once whoever asks."""
        names = tuple(columns)
        key = (names, count, *(columns[s].tobytes() for s in names)) if names else ()
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = Frame(columns, count, self.fixed, self._cache)
        return found

    def project(self, wanted: Symbols) -> tuple["Frame", Array | None]:
        """The distinct rows of the wanted symbols, and each row's place there (None: unchanged or one)."""
        relevant = wanted.intersection(self.columns)
        if len(relevant) == len(self.columns):
            return self, None
        if relevant not in self._projections:
            self._projections[relevant] = self._project(relevant)
        return self._projections[relevant]

    def _project(self, relevant: Symbols) -> tuple["Frame", Array | None]:
        names = [s for s in self.columns if s in relevant]
        if not names:
            return self._with({}, 1), None
        rows, places = distinct([self.columns[s] for s in names])
        return self._with(dict(zip(names, rows, strict=True)), len(rows[0])), places

    def rows(self, chosen: Array) -> "Frame":
        """The frame of some of the rows, given as places or as a mask."""
        columns = {s: np.ascontiguousarray(c[chosen]) for s, c in self.columns.items()}
        count = int(chosen.sum()) if chosen.dtype == bool else len(chosen)
        return self._with(columns, count) if columns else self

    def row(self, k: int) -> dict[sympy.Symbol, int]:
        """The values of the bound symbols in one row."""
        return {s: int(c[k]) for s, c in self.columns.items()}

    def extended(self, binders: Sequence[Binder], conds: Sequence[Rel]) -> tuple["Frame", Array] | None:
        """All values of more bound symbols where the conditions hold, and for each row the one it came from.

        Rows stay in the order of the ranges, the last index fastest. None where there are none.
        """
        frame, owner = self, np.arange(self.count)
        for x in binders:
            lo, hi = (np.broadcast_to(np.asarray(frame.ints(v)), (frame.count,)) for v in (x.lo, x.hi))
            lengths = np.maximum(hi - lo + 1, 0)
            source = np.repeat(np.arange(frame.count), lengths)
            if not len(source):
                return None
            starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
            values = lo[source] + (np.arange(len(source)) - starts)
            columns = {s: c[source] for s, c in frame.columns.items() if s != x.symbol}
            frame = self._with({**columns, x.symbol: values}, len(source))
            owner = owner[source]
        if conds:
            kept = frame.truth(conds)
            if not kept.any():
                return None
            if not kept.all():
                frame, owner = frame.rows(kept), owner[kept]
        return frame, owner

    def ints(self, value: Int) -> int | Array:
        """The value of an integer expression: one int, or an int for each row.

        Raises:
            InternalError: a symbol has no value.
        """
        if isinstance(value, int):
            return value
        symbols = symbols_of(value)
        missing = symbols - self._ints.keys()
        if missing:
            raise InternalError(f"no value for {', '.join(sorted(s.name for s in missing))} in {value}")
        bound = symbols & self.columns.keys()
        if not bound:
            return evaluate_int(value, self.fixed)
        if _is_vectorised(value):
            return np.asarray(evaluate_int(value, self._ints))
        rows = ({**self.fixed, **self.row(k)} for k in range(self.count))
        return np.array([evaluate_int(value, row) for row in rows])

    def column(self, value: Int) -> Array:
        """The value of an integer expression in every row."""
        return np.broadcast_to(np.asarray(self.ints(value)), (self.count,))

    def one(self, value: Int) -> int:
        """The value of an integer expression that is the same in all rows.

        Raises:
            InternalError: it differs from row to row.
        """
        found = self.ints(value)
        if isinstance(found, int):
            return found
        if (found != found[0]).any():
            raise InternalError(f"{value} differs from index to index where one size is needed")
        return int(found[0])

    def shape(self, shape: Sequence[Int]) -> tuple[int, ...]:
        """A shape as numbers."""
        return tuple(self.one(s) for s in shape)

    def truth(self, conds: Sequence[Rel]) -> Array:
        """Whether all relations hold, for each row."""
        result = np.ones(self.count, dtype=bool)
        for c in conds:
            result &= compare(c.op, self.column(c.left), self.column(c.right))
        return result


def distinct(columns: Sequence[Array]) -> tuple[list[Array], Array]:
    """The distinct rows of some columns of integers, in ascending order, and the place of each row among them.

    A row is one number in mixed radix, so that it is counted, or sorted, as a number.
    """
    lows = [int(c.min()) for c in columns]
    spans = [int(c.max()) - low + 1 for c, low in zip(columns, lows, strict=True)]
    total = math.prod(spans)
    if total > _MOST_KEYS:
        table, places = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        return [np.ascontiguousarray(c) for c in table.T], np.asarray(places).reshape(-1)
    keys = np.zeros(len(columns[0]), dtype=np.int64)
    for c, low, span in zip(columns, lows, spans, strict=True):
        keys = keys * span + (c - low)
    if total <= 8 * len(keys):
        there = np.zeros(total, dtype=bool)
        there[keys] = True
        found, places = np.flatnonzero(there), (np.cumsum(there) - 1)[keys]
    else:
        found, places = np.unique(keys, return_inverse=True)
    digits = np.unravel_index(found, spans)
    return [d + low for d, low in zip(digits, lows, strict=True)], np.asarray(places).reshape(-1)


@lru_cache(maxsize=65536)
def _is_vectorised(value: sympy.Expr) -> bool:
    """Whether an integer expression is made of operations that mean the same for numbers and for arrays of them."""
    if isinstance(value, sympy.Symbol) or value.is_Integer:
        return True
    if isinstance(value, sympy.floor):
        parts = sympy.fraction(sympy.together(value.args[0]))
        return all(part.is_integer and _is_vectorised(part) for part in parts)
    return isinstance(value, sympy.Add | sympy.Mul | sympy.Mod) and all(_is_vectorised(a) for a in value.args)
