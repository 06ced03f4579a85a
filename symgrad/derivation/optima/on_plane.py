"""Optima of quadratic forms on a hyperplane gᵀx = c, by a multiplier."""

import numpy as np

from symgrad.calculus.linear import depends
from symgrad.calculus.local import local_jacobian
from symgrad.calculus.rewrite import distribute
from symgrad.derivation.optima.hessian import definite
from symgrad.derivation.optima.neighbourhood import check
from symgrad.derivation.optima.search import Search
from symgrad.derivation.optima.stationary import solved
from symgrad.derivation.steps import Prose, Result
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Compare, Expr, Var
from symgrad.tensor.stable import Array
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition


def normal_of(constraint: Expr, x: Var) -> tuple[Expr, Expr] | None:
    """g and c of a condition gᵀx = c; None where it is another."""
    if not isinstance(constraint, Compare) or constraint.op != "==" or constraint.order or x.order != 1:
        return None
    gap = b.sub(constraint.left, constraint.right)
    g = local_jacobian(gap, Var("gap", (), ()), x)
    if not depends(gap, x) or depends(g, x):
        return None
    return g, b.neg(distribute(replace_nodes(distribute(gap), {x: b.zeros(x.shape)})))


def solve(search: Search, plane: tuple[Expr, Expr]) -> Result:
    """The optimum of a quadratic form: H x = r + λ g, with the λ for which gᵀx = c.

    Raises:
        QuestionError: the gradient is not linear, or the sign of the Hessian is not known.
    """
    g, c = plane
    x = search.x
    f, work = search.named(), search.work
    gradient = local_jacobian(search.whole, f, x)
    hessian = local_jacobian(distribute(gradient), Var("gradient", (), gradient.shape), x)
    if depends(hessian, x):
        raise QuestionError("on a hyperplane, the gradient must be linear; this one is not")
    words, certain = definite(hessian, search.maximum)
    if not certain:
        raise QuestionError("the sign of the Hessian is not known")
    start = distribute(replace_nodes(distribute(gradient), {x: b.zeros(x.shape)}))
    free, along = solved(hessian, b.neg(start)), solved(hessian, g)
    multiplier = Var(work.fresh("λ", "ν"), (), ())
    weight = b.div(b.sub(c, b.inner(g, free)), b.inner(g, along))
    work.define([Definition(multiplier.name, (), weight)])
    at = b.add(free, b.mul(weight, along))
    there = b.add(free, b.mul(multiplier, along))
    search.blocks.append(work.certifier.line(b.deriv(f, x), gradient, rule="gradient"))
    along_normal = b.mul(multiplier, g)
    search.blocks.append(
        Prose(("With a multiplier ", multiplier, " for the constraint, the gradient is ", along_normal, ":"))
    )
    sides = b.compare("==", gradient, along_normal), b.compare("==", x, there)
    search.blocks.append(work.certifier.line(*sides, reason=("stationary",), rule="root", relation="iff"))
    search.blocks.append(work.certifier.line(multiplier, weight, reason=("from the constraint",), rule="multiplier"))
    search.blocks.append(Prose(("The Hessian ", hessian, " ", *words)))
    constraint = next(k for k in work.question.conditions("subject_to") if isinstance(k, Compare))
    work.certifier.compare(replace_nodes(constraint.left, {x: at}), replace_nodes(constraint.right, {x: at}))
    value = replace_nodes(search.whole, {x: at})
    checks = []
    for numbers in work.certifier.instances:
        direction, level = numbers.value(g), numbers.value(c)

        def onto(y: Array, direction: Array = direction, level: Array = level) -> Array:
            gap = (y * direction).sum(axis=-1) - level
            return np.asarray(y - (gap / (direction * direction).sum(axis=-1))[:, None] * direction)

        checks.append(check([numbers], search.of, {x: at}, value, search.maximum, {x: onto}))
    return search.result(at, value, max(checks, key=lambda k: k.max_rel_error))
