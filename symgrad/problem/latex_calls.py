"""What only LaTeX writes: σ′(x), matrices by rows, and I, 1 and e_i, whose size the surroundings give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from symgrad.errors import ProblemError
from symgrad.problem.indices import size_of
from symgrad.problem.scope import Scope, made
from symgrad.syntax.tree import Call, ListTree
from symgrad.tensor import build as b
from symgrad.tensor.functions import FUNCTIONS
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Expr
from symgrad.tensor.scalars import HALF, SCALARS, TWO


def derived(tree: Call, scope: Scope) -> Expr:
    """f′(x), f″(x) of a scalar function of the table, entry by entry."""
    name = tree.func.id.rstrip("'")
    row = SCALARS.get(name)
    if row is None or row.arity != 1 or len(tree.args) != 1 or tree.keywords:
        raise ProblemError(f"the derivative of {name} is not known here", tree.func.place)
    if len(tree.func.id) - len(name) > 1:
        raise ProblemError("a second derivative by primes is not read", tree.func.place)
    x = scope.expr(tree.args[0])
    return made(tree.place, _slope, name, x)


def _slope(name: str, x: Expr) -> Expr:
    value = b.apply(name, x)
    (slope,) = SCALARS[name].derivative([x], value)
    return b.mul(slope, b.ones(x.shape)) if x.order and not slope.order else slope


def matrix(tree: Call, scope: Scope) -> Expr:
    """Rows of entries, or of blocks."""
    rows = [[scope.expr(cell) for cell in row.items] for row in tree.args if isinstance(row, ListTree)]
    if all(cell.order == 0 for row in rows for cell in row):
        if len(rows[0]) == 1:
            return made(tree.place, b.stack, *(row[0] for row in rows))
        if len(rows) == 1:
            return made(tree.place, lambda: b.transpose(b.stack(*rows[0])))
        return made(tree.place, lambda: b.stack(*(b.stack(*row) for row in rows)))
    return made(tree.place, _blocks, rows)


def _blocks(rows: list[list[Expr]]) -> Expr:
    if all(cell.row for row in rows for cell in row) and all(len(row) == 1 for row in rows):
        return b.stack(*(b.transpose(row[0]) for row in rows))
    across = [row[0] if len(row) == 1 else b.concat(row, 1 if row[0].order == 2 else 0) for row in rows]
    return across[0] if len(across) == 1 else b.concat(across, 0)


def _size(tree: Call, scope: Scope) -> Int:
    if scope.unsized is None:
        what = {"identity": "I", "ones": "1", "one_hot": "the unit vector"}[tree.func.id]
        raise ProblemError(f"the size of {what} does not follow here", tree.place)
    return scope.unsized


def identity(tree: Call, scope: Scope) -> Expr:
    """I, or I_n."""
    return b.eye(size_of(tree.args[0], scope) if tree.args else _size(tree, scope))


def ones(tree: Call, scope: Scope) -> Expr:
    """The vector of ones, 1 or 1_n."""
    return b.ones((size_of(tree.args[0], scope) if tree.args else _size(tree, scope),))


def unit_vector(tree: Call, scope: Scope) -> Expr:
    """e_i."""
    place = b.add(scope.expr(tree.args[0]), b.num(1 - scope.names.index_base))
    return made(tree.place, FUNCTIONS["one_hot"].construct, place, _size(tree, scope))


def _hyperbolic(combine: Callable[[Expr, Expr], Expr]) -> Callable[[Call, Scope], Expr]:
    def handler(tree: Call, scope: Scope) -> Expr:
        if len(tree.args) != 1 or tree.keywords:
            raise ProblemError(f"{tree.func.id} takes 1 argument", tree.place)
        x = scope.expr(tree.args[0])
        return combine(b.apply("exp", x), b.apply("exp", b.neg(x)))

    return handler


def tangent(tree: Call, scope: Scope) -> Expr:
    """tan x."""
    x = scope.expr(tree.args[0])
    return b.div(b.apply("sin", x), b.apply("cos", x))


LATEX_CALLS: Final[Mapping[str, Callable[[Call, Scope], Expr]]] = MappingProxyType(
    {
        "matrix": matrix,
        "identity": identity,
        "ones": ones,
        "sinh": _hyperbolic(lambda up, down: b.mul(HALF, b.sub(up, down))),
        "cosh": _hyperbolic(lambda up, down: b.mul(HALF, b.add(up, down))),
        "sech": _hyperbolic(lambda up, down: b.div(TWO, b.add(up, down))),
        "coth": _hyperbolic(lambda up, down: b.div(b.add(up, down), b.sub(up, down))),
        "tan": tangent,
        **{f"{name}{primes}": derived for name in SCALARS for primes in ("'", "''")},
    }
)
