"""Index ranges and relations between integers."""

import sympy

from symgrad.tensor.build.constants import ONE, ZERO
from symgrad.tensor.integers import Int, at_most, difference, integer
from symgrad.tensor.nodes import Binder, Expr, Iverson, Rel


def binder(symbol: sympy.Symbol, lo: Int, hi: Int) -> Binder:
    """A bound index over lo..hi."""
    return Binder(symbol, integer(lo), integer(hi))


def rel(op: str, left: Int, right: Int) -> Rel:
    """A relation of integers."""
    return Rel(op, integer(left), integer(right))


def holds(r: Rel) -> bool | None:
    """Whether a relation holds for all values of its symbols, for none (False), or cannot be told (None)."""
    gap = difference(r.right, r.left)
    if isinstance(gap, int):
        return {"==": gap == 0, "!=": gap != 0, "<": gap > 0, "<=": gap >= 0, ">": gap < 0, ">=": gap <= 0}[r.op]
    match r.op:
        case "==":
            return False if gap.is_nonzero else None
        case "!=":
            return True if gap.is_nonzero else None
        case "<=":
            return at_most(r.left, r.right)
        case ">=":
            return at_most(r.right, r.left)
        case "<":
            return at_most(r.left + 1, r.right)
        case _:
            return at_most(r.right + 1, r.left)


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
