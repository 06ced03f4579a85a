"""Functions of one number in two pieces: whether they meet without a jump, and with slopes that do not fall."""

import sympy

from symgrad.derivation.scalar_algebra import Algebra
from symgrad.derivation.signs import never_negative
from symgrad.tensor.comparisons import HOLDS
from symgrad.tensor.nodes import Apply, Compare, Expr, Var
from symgrad.tensor.walk import variables

_NEAR = sympy.Rational(1, 10**6)


def meet(n: Apply, x: Var) -> tuple[Expr, ...] | None:
    """The points at which the pieces of where(condition, a, b) meet, slopes never falling there; None where unsure."""
    cond, first, other = n.args
    if not isinstance(cond, Compare) or x.order or n.order or any(v.order for v in variables(n)):
        return None
    algebra = Algebra()
    u = algebra.symbol(x)
    left, right, a, c = (algebra.to(e, x) for e in (cond.left, cond.right, first, other))
    points = sympy.solve(left - right, u)
    if cond.op in ("==", "!=") or not points:
        return None
    holds = HOLDS[cond.op](left, right)
    for p in points:
        if u in p.free_symbols or sympy.simplify((a - c).subs(u, p)) != 0:
            return None
        rise = sympy.simplify((sympy.diff(a, u) - sympy.diff(c, u)).subs(u, p))
        if rise != 0 and not never_negative(algebra.back(rise if _starts(holds, u, p) else -rise)):
            return None
    return tuple(algebra.back(p) for p in points)


def _starts(holds: sympy.Expr, u: sympy.Symbol, p: sympy.Expr) -> bool:
    """Whether the condition holds to the right of a point."""
    numbers = {s: sympy.Rational(k + 2, 2) for k, s in enumerate(sorted(holds.free_symbols - {u}, key=str))}
    return bool(holds.subs(u, p + _NEAR).subs(numbers))
