"""Index ranges and relations between integers."""

import sympy

from symgrad.tensor.affine import affine
from symgrad.tensor.build.constants import ONE, ZERO
from symgrad.tensor.integers import Int, difference, integer
from symgrad.tensor.nodes import Binder, Expr, Iverson, Rel


def binder(symbol: sympy.Symbol, lo: Int, hi: Int) -> Binder:
    """A bound index over lo..hi."""
    return Binder(symbol, integer(lo), integer(hi))


def rel(op: str, left: Int, right: Int) -> Rel:
    """A relation of integers."""
    return Rel(op, integer(left), integer(right))


def holds(r: Rel) -> bool | None:
    """Whether a relation holds for all values of its symbols, for none (False), or cannot be told (None)."""
    gap = affine(r.right) - affine(r.left)
    match r.op:
        case "==":
            return gap.is_zero()
        case "!=":
            known = gap.is_zero()
            return None if known is None else not known
        case "<=":
            return gap.at_least_zero()
        case ">=":
            return (-gap).at_least_zero()
        case "<":
            return (gap - 1).at_least_zero()
        case _:
            return (-gap - 1).at_least_zero()


def slack(r: Rel) -> Int | None:
    """What is ≥ 0 exactly where an inequality of integers holds; None for == and !=."""
    match r.op:
        case "<=":
            return difference(r.right, r.left)
        case "<":
            return difference(difference(r.right, r.left), 1)
        case ">=":
            return difference(r.left, r.right)
        case ">":
            return difference(difference(r.left, r.right), 1)
    return None


def iverson(*conds: Rel) -> Expr:
    """1 where all relations hold, else 0."""
    left = []
    for c in conds:
        known = holds(c)
        if known is False:
            return ZERO
        if known is None and c not in left:
            left.append(c)
    return Iverson(tuple(left)) if left else ONE


def delta(i: Int, j: Int) -> Expr:
    """Kronecker's δ."""
    return iverson(rel("==", i, j))
