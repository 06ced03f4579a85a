"""Optima without constraints: where the derivative is zero, and the second-order condition."""

import math
from collections.abc import Sequence
from fractions import Fraction

import sympy

from symgrad.calculus.linear import depends
from symgrad.calculus.local import local_jacobian
from symgrad.calculus.rewrite import distribute
from symgrad.derivation.optima.hessian import definite
from symgrad.derivation.optima.neighbourhood import anywhere, check
from symgrad.derivation.optima.search import Search, begin, shortest
from symgrad.derivation.saturation import sign
from symgrad.derivation.scalar_algebra import Algebra, solutions
from symgrad.derivation.steps import Prose, Reason, Result
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.from_sympy import NoCounterpart
from symgrad.tensor.nodes import Add, Call, Expr, Eye, Mul, Var
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder, variables


def solve(problem: Problem, question: Question, x: Var, maximum: bool) -> Result:
    """The stationary point of a quantity, which is its optimum.

    Raises:
        QuestionError: the zero of the derivative is not known in closed form, or it is no optimum of that sense.
    """
    search = begin(problem, question, x, maximum)
    return _vector(search) if x.order else _scalar(search)


def _scalar(search: Search) -> Result:
    """Over one number: every real zero of the derivative is tried."""
    f, x, work = search.named(), search.x, search.work
    algebra = Algebra()
    unknown = algebra.symbol(x)
    formula = algebra.to(search.whole, x)
    slope = local_jacobian(search.whole, f, x)
    search.blocks.append(work.certifier.line(b.deriv(f, x), slope, rule="derivative"))
    linear = _where_linear(search, slope)
    if linear is not None:
        return linear
    tried: list[Expr] = []
    for root in solutions(sympy.diff(formula, unknown), unknown):
        try:
            at = algebra.back(root)
            tried.append(at)
            second = algebra.back(sympy.simplify(sympy.diff(formula, unknown, 2)))
            value = algebra.back(sympy.simplify(formula.subs(unknown, root)))
            checked = check(work.certifier.instances, search.of, x, at, value, search.maximum, anywhere)
        except (NoCounterpart, CertificationError, KeyError):
            continue
        work.certifier.compare(replace_nodes(slope, {x: at}), b.ZERO)
        zero, solved = b.compare("==", slope, b.ZERO), b.compare("==", x, at)
        search.blocks.append(work.certifier.line(zero, solved, reason=("stationary",), rule="root", relation="iff"))
        _second_derivative(search, slope, second, at)
        return search.result(at, value, checked)
    raise QuestionError(_none_of(search, tried))


def _none_of(search: Search, tried: Sequence[Expr]) -> str:
    """What is said where no stationary point is the optimum."""
    extreme = "maximum" if search.maximum else "minimum"
    if not tried:
        return f"no point is known in closed form at which the derivative is zero, and so no {extreme}"
    numbers = [b.number_of(x) for x in tried]
    known = [f"{describe_node(search.x)} = {n}" for n in numbers if n is not None]
    places = " and ".join(known) if len(known) == len(tried) else "one point" if len(tried) == 1 else "some points"
    return f"the derivative is zero at {places}, but that is no {extreme}"


def _where_linear(search: Search, slope: Expr) -> Result | None:
    """Where the derivative is a x + c with sums over arrays in a or c, which are no scalar algebra."""
    f, x, work = Var("derivative", (), ()), search.x, search.work
    if not any(n.order and x in variables(n) for n in postorder(search.whole)):
        return None
    rate = shortest(local_jacobian(distribute(slope), f, x))
    if x in variables(rate) or (sign(rate) or 1) == (1 if search.maximum else -1):
        return None
    start = shortest(distribute(replace_nodes(distribute(slope), {x: b.ZERO})))
    at = shortest(b.div(b.neg(start), rate))
    value = shortest(replace_nodes(search.whole, {x: at}))
    try:
        checked = check(work.certifier.instances, search.of, x, at, value, search.maximum, anywhere)
    except CertificationError:
        return None
    zero, solved = b.compare("==", slope, b.ZERO), b.compare("==", x, at)
    search.blocks.append(work.certifier.line(zero, solved, reason=("stationary",), rule="root", relation="iff"))
    _second_derivative(search, slope, rate, at)
    return search.result(at, value, checked)


def _second_derivative(search: Search, slope: Expr, second: Expr, at: Expr) -> None:
    name = Var("first derivative", (), ())
    search.work.define([Definition(name.name, (), slope)])
    search.work.certifier.differences(name, search.x, second)
    extreme = "maximum" if search.maximum else "minimum"
    there = replace_nodes(second, {search.x: at})
    words: Reason = ("The second derivative ", second, " is ")
    sign = "negative" if search.maximum else "positive"
    search.work.certifier.compare(there, b.ZERO, relation="<=" if search.maximum else ">=")
    value = b.number_of(there)
    ending: Reason = (f"{sign} there: a {extreme}.",) if value is None or value else (f"zero there, a {extreme}.",)
    search.blocks.append(Prose((*words, *ending)))


def _vector(search: Search) -> Result:
    """Over a vector: the gradient is linear, H x + c."""
    f, x, work = search.named(), search.x, search.work
    gradient = local_jacobian(search.whole, f, x)
    slope = Var("gradient", (), gradient.shape)
    search.blocks.append(work.certifier.line(b.deriv(f, x), gradient, rule="gradient"))
    hessian = local_jacobian(distribute(gradient), slope, x)
    if x.order != 1 or depends(hessian, x):
        raise QuestionError("over a vector, the gradient must be linear; this one is not")
    start = distribute(replace_nodes(distribute(gradient), {x: b.zeros(x.shape)}))
    scale = _scale(hessian)
    matrix, right = _scaled(hessian, 1 / scale), b.neg(_scaled(start, 1 / scale))
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
    value = replace_nodes(search.whole, {x: at})
    checked = check(work.certifier.instances, search.of, x, at, value, search.maximum, anywhere)
    return search.result(at, value, checked)


def _scale(x: Expr) -> Fraction:
    """The largest number that divides all terms of a sum."""
    numbers = [b.coefficient(t)[0] for t in (x.args if isinstance(x, Add) else (x,))]
    top = math.gcd(*(abs(c.numerator) for c in numbers))
    bottom = math.lcm(*(c.denominator for c in numbers))
    return Fraction(top, bottom) * (1 if numbers[0] > 0 else -1)


def _scaled(x: Expr, by: Fraction) -> Expr:
    """A multiple, term by term."""
    return b.add(*(b.mul(b.num(by), t) for t in (x.args if isinstance(x, Add) else (x,))))


def solved(matrix: Expr, right: Expr) -> Expr:
    """A⁻¹ b; b/c where A is c I."""
    factors = matrix.args if isinstance(matrix, Mul) else (matrix,)
    if any(isinstance(f, Eye) for f in factors) and all(isinstance(f, Eye) or not f.order for f in factors):
        return distribute(b.div(right, b.mul(*(f for f in factors if not f.order)))) if len(factors) > 1 else right
    return b.matmul(b.call("inv", (matrix,), matrix.shape), right)
