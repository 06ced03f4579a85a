"""Optima of increasing functions of a linear form on the unit sphere, by the Cauchy–Schwarz inequality."""

from collections.abc import Sequence

import numpy as np

from symgrad.calculus.linear import depends
from symgrad.calculus.local import local_jacobian
from symgrad.derivation.optima.neighbourhood import check
from symgrad.derivation.optima.search import Search
from symgrad.derivation.scalar_algebra import increasing
from symgrad.derivation.steps import Block, Prose, Reason, Result
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.functions.construct import norm
from symgrad.tensor.nodes import Add, Apply, Compare, Expr, Var
from symgrad.tensor.stable import Array


def is_unit_sphere(constraint: Expr, h: Var) -> bool:
    """Whether a condition is ‖h‖ = 1, hᵀh = 1 or the square of the norm = 1, or ≤ 1."""
    if not isinstance(constraint, Compare) or constraint.op not in ("==", "<=") or b.number_of(constraint.right) != 1:
        return False
    length = norm(h)
    return constraint.left in (length, b.inner(h, h), b.power(length, b.num(2)), b.reduce("sum", b.mul(h, h)))


def solve(search: Search) -> Result:
    """The unit vector that makes g(c + uᵀh) largest or smallest, for an increasing g.

    Raises:
        QuestionError: the quantity is no increasing function of a linear form.
    """
    h = search.x
    outer, inner = _peeled(search.whole, h)
    u, rest = _linear(inner, h)
    form, length = b.inner(u, h), norm(u)
    top = length if search.maximum else b.neg(length)
    unit = b.mul(b.ONE if search.maximum else b.MINUS_ONE, b.power(length, b.MINUS_ONE), u)
    value = _rebuilt(outer, b.add(rest, top))
    search.blocks += _explained(outer, form, rest, h)
    _bounded(search, u)
    star = search.place(unit)
    line = search.work.certifier.line
    search.blocks.append(line(norm(star), b.ONE, reason=("it lies on the sphere",), rule="admissible"))
    best = search.value(star, value, (b.compare("==", b.inner(u, star), top),))
    search.blocks += _dependence(rest, star, best)
    checked = check(search.work.certifier.instances, search.of, {h: unit}, value, search.maximum, {h: _onto_sphere})
    return search.found(star, unit, value, checked)


def _onto_sphere(x: Array) -> Array:
    return np.asarray(x / np.linalg.norm(x, axis=-1, keepdims=True))


def _bounded(search: Search, u: Expr) -> None:
    """|uᵀh| ≤ ‖u‖ ‖h‖, and that the bound is reached where h may be."""
    h, line = search.x, search.work.certifier.line
    reason: Reason = ("Cauchy–Schwarz, with equality only for ", h, " along ", u)
    bound = b.mul(norm(u), norm(h))
    bound, relation = (bound, "<=") if search.maximum else (b.neg(bound), ">=")
    search.blocks.append(line(b.inner(u, h), bound, reason=reason, rule="Cauchy–Schwarz", relation=relation))
    (constraint,) = (c for c in search.work.question.conditions("subject_to") if isinstance(c, Compare))
    where = "In the ball" if constraint.op == "<=" else "On the sphere"
    allowed = b.compare(constraint.op, norm(h), b.ONE)
    extreme = "largest" if search.maximum else "smallest"
    search.blocks.append(Prose((where, ", where ", allowed, f", the bound is {extreme} and reached at")))


def _peeled(x: Expr, h: Var) -> tuple[list[str], Expr]:
    """The increasing functions around, the outermost first, and what stands inside them."""
    outer: list[str] = []
    while isinstance(x, Apply) and len(x.args) == 1 and increasing(x.fn):
        outer.append(x.fn)
        x = x.args[0]
    return outer, x


def _rebuilt(outer: Sequence[str], x: Expr) -> Expr:
    for fn in reversed(outer):
        x = b.apply(fn, x)
    return x


def _linear(x: Expr, h: Var) -> tuple[Expr, Expr]:
    """u and c with x = c + uᵀh.

    Raises:
        QuestionError: x is not linear in h.
    """
    probe = Var("f(h)", (), ())
    u = local_jacobian(x, probe, h)
    terms = x.args if isinstance(x, Add) else (x,)
    rest = [t for t in terms if not depends(t, h)]
    if depends(u, h) or h.order != 1:
        raise QuestionError("on the sphere, what is optimised must be an increasing function of a linear form")
    return u, b.add(*rest) if rest else b.ZERO


def _explained(outer: Sequence[str], form: Expr, rest: Expr, h: Var) -> list[Block]:
    words: list[str | Expr] = []
    if outer:
        names = " and ".join("σ" if fn == "sigmoid" else fn for fn in outer)
        verb = "increases" if len(outer) == 1 else "increase"
        whose = "its argument" if len(outer) == 1 else "the innermost argument"
        words.append(f"Since {names} {verb} strictly, only {whose} matters")
        if b.number_of(rest) is None:
            words += ["; of it, only ", form, " depends on ", h]
        return [Prose((*words, "."))]
    if b.number_of(rest) is None:
        return [Prose(("Only ", form, " depends on ", h, "."))]
    return []


def _dependence(rest: Expr, star: Var, top: Var) -> list[Block]:
    """What the place does not depend on although the value does."""
    if b.number_of(rest) is not None:
        return []
    return [Prose((star, " does not depend on ", rest, ", though the value ", top, " does."))]
