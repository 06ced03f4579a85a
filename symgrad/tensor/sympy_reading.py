"""A scalar expression in index notation as a SymPy expression, term by term; one generator for each node kind."""

import itertools
from collections.abc import Callable, Generator, Mapping, Sequence
from fractions import Fraction
from functools import singledispatch
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import sympy
from msgspec import Struct

from symgrad.errors import InternalError, QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.comparisons import IN_SYMPY
from symgrad.tensor.dependence import dependence
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import (
    Add,
    Apply,
    At,
    Call,
    Compare,
    Const,
    Count,
    Entry,
    Expr,
    Fold,
    Iverson,
    Literal,
    Mul,
    Num,
    Pick,
    Pow,
    Reduce,
    Rel,
    Var,
)
from symgrad.tensor.scalars import SCALARS

Lookup: TypeAlias = Callable[[Var, tuple[int, ...]], Any]
Row: TypeAlias = tuple[tuple[sympy.Symbol, int], ...]

CONSTANTS: Final[Mapping[str, sympy.Expr]] = MappingProxyType({"pi": sympy.pi, "e": sympy.E, "inf": sympy.oo})


class Asked(Struct, frozen=True):
    """A scalar expression in index notation, with the values of its free index symbols."""

    node: Expr
    row: Row


Reading: TypeAlias = Generator[Asked, sympy.Expr, sympy.Expr]


def exact(value: Any) -> sympy.Expr:
    """A number as SymPy holds it: fractions as rationals."""
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    return sympy.sympify(value, strict=True)


def _ask(node: Expr, values: Mapping[sympy.Symbol, int]) -> Asked:
    wanted = dependence(node).symbols
    return Asked(node, tuple((s, v) for s, v in values.items() if s in wanted))


@singledispatch
def read(node: Expr, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    """A scalar node in index notation as a SymPy expression."""
    raise InternalError(f"{type(node).__name__} has no entrywise reading")


@read.register
def _num(node: Num, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    yield from ()
    return exact(node.value)


@read.register
def _literal(node: Literal, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    yield from ()
    return exact(node.values[0])


@read.register
def _count(node: Count, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    yield from ()
    return node.value.xreplace({s: sympy.Integer(v) for s, v in values.items()})


@read.register
def _const(node: Const, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    yield from ()
    return CONSTANTS[node.name]


@read.register
def _var(node: Var, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    yield from ()
    return exact(lookup(_concrete(node, values), ()))


def _concrete(node: Var, values: Mapping[sympy.Symbol, int]) -> Var:
    return Var(node.name, tuple(evaluate_int(s, values) for s in node.subs), node.shape, node.facts)


@read.register
def _iverson(node: Iverson, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    yield from ()
    return sympy.Integer(_hold(node.conds, values))


def _hold(conds: Sequence[Rel], values: Mapping[sympy.Symbol, int]) -> bool:
    return all(b.holds(b.rel(c.op, evaluate_int(c.left, values), evaluate_int(c.right, values))) for c in conds)


@read.register
def _add(node: Add, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    terms = []
    for x in node.args:
        terms.append((yield _ask(x, values)))
    return sympy.Add(*terms)


@read.register
def _mul(node: Mul, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    guards = [x for x in node.args if isinstance(x, Iverson)]
    if not all(_hold(g.conds, values) for g in guards):
        return sympy.Integer(0)
    factors = []
    infinite_log = False
    for x in node.args:
        if not isinstance(x, Iverson):
            factors.append((yield _ask(x, values)))
            infinite_log |= isinstance(x, Apply) and x.fn == "log" and factors[-1].is_finite is False
    if infinite_log and any(f.is_zero for f in factors):
        return sympy.Integer(0)  # 0 · log 0 = 0, as in a cross-entropy
    return sympy.Mul(*factors)


@read.register
def _pow(node: Pow, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    base = yield _ask(node.base, values)
    return sympy.Pow(base, (yield _ask(node.exponent, values)))


@read.register
def _apply(node: Apply, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    if node.fn == "where" and isinstance(node.args[0], Iverson):
        chosen = node.args[1] if _hold(node.args[0].conds, values) else node.args[2]
        return (yield _ask(chosen, values))
    args = []
    for x in node.args:
        args.append((yield _ask(x, values)))
    return SCALARS[node.fn].sympy(*args)


@read.register
def _compare(node: Compare, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    left = yield _ask(node.left, values)
    right = yield _ask(node.right, values)
    truth = IN_SYMPY[node.op](left, right)
    if truth in (True, False):
        return sympy.Integer(bool(truth))
    return sympy.Piecewise((1, truth), (0, True))


_COMBINE: Mapping[str, Callable[..., sympy.Expr]] = {
    "sum": sympy.Add,
    "prod": sympy.Mul,
    "max": sympy.Max,
    "min": sympy.Min,
}


@read.register
def _fold(node: Fold, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    rows = [values]
    for x in node.binders:
        rows = [
            {**row, x.symbol: k} for row in rows for k in range(evaluate_int(x.lo, row), evaluate_int(x.hi, row) + 1)
        ]
    terms = []
    for row in rows:
        if _hold(node.conds, row):
            terms.append((yield _ask(node.body, row)))
    return _COMBINE[node.op](*terms)


@read.register
def _entry(node: Entry, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    indices: list[int] = []
    for item in node.items:
        if isinstance(item, At):
            indices.append(evaluate_int(item.index, values))
        elif isinstance(item, Pick):
            indices.append(int((yield _ask(item.index, values))))
    sizes = [evaluate_int(n, values) for n in node.arg.shape]
    for k, n in zip(indices, sizes, strict=True):
        if not 1 <= k <= n:
            raise QuestionError(f"index {k} is outside 1..{n}")
    if isinstance(node.arg, Var):
        return exact(lookup(_concrete(node.arg, values), tuple(indices)))
    if isinstance(node.arg, Literal):
        place = 0
        for k, n in zip(indices, sizes, strict=True):
            place = place * n + k - 1
        return exact(node.arg.values[place])
    if isinstance(node.arg, Call) and node.arg.fn == "inv":
        matrix = yield from _matrix(node.arg.args[0], values)
        return matrix.inv()[indices[0] - 1, indices[1] - 1]
    if isinstance(node.arg, Fold) and node.arg.op == "matprod":
        product = yield from _matrix_product(node.arg, values)
        return product[indices[0] - 1, indices[1] - 1]
    if isinstance(node.arg, Reduce):
        return (yield from _argmax(node.arg, tuple(indices), values))
    raise InternalError(f"{type(node.arg).__name__} has no entrywise reading")


@read.register
def _call(node: Call, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    if node.fn not in ("det", "spectral_norm"):
        raise InternalError(f"{node.fn} has no entrywise reading")
    matrix = yield from _matrix(node.args[0], values)
    if node.fn == "det":
        return matrix.det()
    smaller = matrix.T * matrix if matrix.cols <= matrix.rows else matrix * matrix.T
    eigenvalues = smaller.eigenvals(multiple=True)
    return sympy.sqrt(sympy.Max(*(sympy.re(sympy.N(v, 30)) if v.has(sympy.I) else v for v in eigenvalues)))


@read.register
def _reduce(node: Reduce, values: dict[sympy.Symbol, int], lookup: Lookup) -> Reading:
    return (yield from _argmax(node, (), values))


def _argmax(node: Reduce, at: tuple[int, ...], values: dict[sympy.Symbol, int]) -> Reading:
    sizes = [evaluate_int(n, values) for n in node.arg.shape]
    found = []
    for running in itertools.product(*(range(1, sizes[a] + 1) for a in node.axes)):
        moved, kept = iter(running), iter(at)
        place = tuple(next(moved) if a in node.axes else next(kept) for a in range(len(sizes)))
        found.append((yield _ask(component(node.arg, place), values)))
    best = 0
    for k, value in enumerate(found):
        larger = sympy.Gt(value, found[best])
        if larger not in (True, False):
            raise QuestionError("argmax of entries whose order is not known")
        best = k if larger else best
    return sympy.Integer(best + 1)


def _matrix(x: Expr, values: dict[sympy.Symbol, int]) -> Generator[Asked, sympy.Expr, sympy.Matrix]:
    rows, columns = (evaluate_int(n, values) for n in x.shape)
    entries = []
    for i, j in itertools.product(range(1, rows + 1), range(1, columns + 1)):
        entries.append((yield _ask(component(x, (i, j)), values)))
    return sympy.Matrix(rows, columns, entries)


def _matrix_product(node: Fold, values: dict[sympy.Symbol, int]) -> Generator[Asked, sympy.Expr, sympy.Matrix]:
    (x,) = node.binders
    steps = range(evaluate_int(x.lo, values), evaluate_int(x.hi, values) + 1)
    product = sympy.eye(evaluate_int(node.shape[0], values))
    for k in reversed(steps) if node.descending else steps:
        row = {**values, x.symbol: k}
        if _hold(node.conds, row):
            product = product * (yield from _matrix(node.body, row))
    return product
