"""Comparisons: of integers they are relations of indices, of anything else expressions of 0 and 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symgrad.errors import ProblemError
from symgrad.problem.indices import integer_of
from symgrad.problem.scope import Scope, made
from symgrad.syntax.tree import Compare, Tree
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Expr, Rel


def links(tree: Compare) -> Iterator[tuple[str, Tree, Tree]]:
    """The single comparisons of a chain: `1 <= s < t` has two."""
    yield from zip(tree.ops, tree.operands, tree.operands[1:], strict=False)


def condition(tree: Tree, scope: Scope) -> tuple[Rel | Expr, ...]:
    """The comparisons of a condition, all of which must hold.

    Raises:
        ProblemError: it is no comparison.
    """
    if not isinstance(tree, Compare):
        raise ProblemError("a condition is needed here, such as j != c", tree.place)
    return tuple(_link(op, left, right, scope, tree) for op, left, right in links(tree))


def conditions(trees: Sequence[Tree], scope: Scope) -> tuple[tuple[Rel, ...], tuple[Expr, ...]]:
    """The relations of indices among conditions, and those that depend on data."""
    found = [c for tree in trees for c in condition(tree, scope)]
    return tuple(c for c in found if isinstance(c, Rel)), tuple(c for c in found if isinstance(c, Expr))


def compared(tree: Compare, scope: Scope) -> Expr:
    """A comparison as a number, 1 where it holds; a chain is the product of its links."""
    found = condition(tree, scope)
    return made(tree.place, b.mul, *(b.iverson(c) if isinstance(c, Rel) else c for c in found))


def _link(op: str, left: Tree, right: Tree, scope: Scope, tree: Compare) -> Rel | Expr:
    first = integer_of(left, scope)
    second = None if first is None else integer_of(right, scope)
    if first is not None and second is not None:
        return b.rel(op, first, second)
    return made(tree.place, b.compare, op, scope.expr(left), scope.expr(right))
