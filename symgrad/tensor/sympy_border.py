"""The border to SymPy: an expression entry by entry, at explicit indices, as exact SymPy numbers or expressions.

This is the independent reading of an expression: it goes through index notation, one term at a time, and
shares neither arrays nor matrix products with ``symgrad.tensor.evaluate``. It is also how values stay exact.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symgrad.errors import InternalError
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import (
    Expr,
    Var,
)
from symgrad.tensor.reindex import reindex
from symgrad.tensor.sympy_reading import Asked, Lookup, read
from symgrad.tensor.trampoline import solve


def to_sympy(expr: Expr, sizes: Mapping[sympy.Symbol, int], lookup: Lookup) -> Any:
    """An expression at numeric sizes: a SymPy scalar, an explicit Matrix, or an array from 3 axes on.

    ``lookup`` gives the entry of a named node at indices counted from 1 (none for a scalar): a number, or
    anything SymPy can hold. A vector is a column, a row stays a row.

    Raises:
        InternalError: a node without an entrywise reading, such as an unresolved derivative.
    """
    entries, shape = _entries(expr, sizes, lookup)
    if not shape:
        return entries[0]
    if len(shape) == 1:
        return sympy.ImmutableDenseMatrix(*((1, shape[0]) if expr.row else (shape[0], 1)), entries)
    if len(shape) == 2:
        return sympy.ImmutableDenseMatrix(*shape, entries)
    return sympy.ImmutableDenseNDimArray(entries, shape)


def exact_evaluate(expr: Expr, sizes: Mapping[sympy.Symbol, int], values: Mapping[Var, Any]) -> Any:
    """The exact value: a SymPy expression for a scalar, nested lists of them for a tensor.

    ``values`` gives numbers (nested sequences of ints, Fractions or SymPy numbers) by name and subscripts.
    """
    table = {(v.name, v.subs): x for v, x in values.items()}

    def lookup(node: Var, indices: tuple[int, ...]) -> Any:
        if (node.name, node.subs) not in table:
            raise InternalError(f"no value for {node.name}{list(node.subs) or ''}")
        found = table[node.name, node.subs]
        for i in indices:
            found = found[i - 1]
        return found

    entries, shape = _entries(expr, sizes, lookup)
    return _nested(entries, shape)


def _nested(entries: Sequence[Any], shape: Sequence[int]) -> Any:
    if not shape:
        return entries[0]
    step = len(entries) // shape[0] if shape[0] else 0
    return [_nested(entries[k * step : (k + 1) * step], shape[1:]) for k in range(shape[0])]


def _entries(expr: Expr, sizes: Mapping[sympy.Symbol, int], lookup: Lookup) -> tuple[list[sympy.Expr], tuple[int, ...]]:
    sized = reindex(expr, dict(sizes))
    shape = tuple(evaluate_int(s, sizes) for s in sized.shape)
    memo: dict[Asked, sympy.Expr] = {}
    found = []
    for indices in itertools.product(*(range(1, n + 1) for n in shape)):
        asked = Asked(component(sized, indices), ())
        found.append(solve(asked, lambda a: read(a.node, dict(a.row), lookup), memo))
    return found, shape
