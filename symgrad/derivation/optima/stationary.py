"""Optima over a vector without constraints: where the gradient is zero, and the second-order condition."""

import math
from fractions import Fraction

from symgrad.calculus.linear import depends
from symgrad.calculus.local import local_jacobian
from symgrad.calculus.rewrite import distribute
from symgrad.derivation.optima.hessian import definite
from symgrad.derivation.optima.neighbourhood import check
from symgrad.derivation.optima.search import Search, length, shortest
from symgrad.derivation.steps import Prose, Result
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Add, Call, Count, Expr, Eye, Mul, Pow, Var
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder


def solve(search: Search) -> Result:
    """The zero of a gradient that is linear, H x + c, where H has the sign that the sense needs.

    Raises:
        QuestionError: the gradient is not linear, or the sign of the Hessian is not known.
    """
    f, x, work = search.named(), search.x, search.work
    gradient = local_jacobian(search.whole, f, x)
    slope = Var("gradient", (), gradient.shape)
    search.blocks.append(work.certifier.line(b.deriv(f, x), gradient, rule="gradient"))
    hessian = local_jacobian(distribute(gradient), slope, x)
    if x.order != 1 or depends(hessian, x):
        raise QuestionError("over a vector, the gradient must be linear; this one is not")
    start = distribute(replace_nodes(distribute(gradient), {x: b.zeros(x.shape)}))
    inverse = b.div(b.ONE, _scale(hessian))
    matrix, right = _scaled(hessian, inverse), b.neg(_scaled(start, inverse))
    at = solved(matrix, right)
    work.certifier.compare(replace_nodes(gradient, {x: at}), b.zeros(x.shape))
    sides = b.compare("==", gradient, b.zeros(x.shape)), b.compare("==", b.matmul(matrix, x), right)
    search.blocks.append(work.certifier.line(*sides, reason=("stationary",), rule="root", relation="iff"))
    words, certain = definite(hessian, search.maximum)
    if not certain:
        raise QuestionError("the sign of the Hessian is not known")
    search.blocks.append(Prose(("The Hessian ", hessian, " ", *words)))
    if any(isinstance(n, Call) and n.fn == "inv" for n in postorder(at)):
        search.blocks.append(Prose(("Where ", matrix, " is invertible, it is at one point only:")))
    half = b.mul(b.num(Fraction(1, 2)), b.inner(start, at))
    at_zero = replace_nodes(search.whole, {x: b.zeros(x.shape)})
    value = min((shortest(v) for v in (replace_nodes(search.whole, {x: at}), b.add(at_zero, half))), key=length)
    checked = check(work.certifier.instances, search.of, {x: at}, value, search.maximum, {})
    return search.result(at, value, checked)


def _scale(x: Expr) -> Expr:
    """The largest number that divides all terms of a sum, times the sizes by which all of them are multiplied."""
    parts = [b.coefficient(t) for t in (x.args if isinstance(x, Add) else (x,))]
    numbers = [c for c, _ in parts]
    top = math.gcd(*(abs(c.numerator) for c in numbers))
    bottom = math.lcm(*(c.denominator for c in numbers))
    factors = [rest.args if isinstance(rest, Mul) else (rest,) for _, rest in parts]
    sizes = [f for f in factors[0] if _is_size(f) and all(f in others for others in factors)]
    return b.mul(b.num(Fraction(top, bottom) * (1 if numbers[0] > 0 else -1)), *sizes)


def _is_size(x: Expr) -> bool:
    return isinstance(x.base if isinstance(x, Pow) else x, Count)


def _scaled(x: Expr, by: Expr) -> Expr:
    """A multiple, term by term."""
    return b.add(*(b.mul(by, t) for t in (x.args if isinstance(x, Add) else (x,))))


def solved(matrix: Expr, right: Expr) -> Expr:
    """A⁻¹ b; b/c where A is c I."""
    factors = matrix.args if isinstance(matrix, Mul) else (matrix,)
    if any(isinstance(f, Eye) for f in factors) and all(isinstance(f, Eye) or not f.order for f in factors):
        return distribute(b.div(right, b.mul(*(f for f in factors if not f.order)))) if len(factors) > 1 else right
    return b.matmul(b.call("inv", (matrix,), matrix.shape), right)
