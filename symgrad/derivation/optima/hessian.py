"""Certificates that a symmetric matrix is positive semidefinite: its quadratic form as a sum of squares."""

from collections.abc import Callable

import sympy

from symgrad.derivation.scalar_algebra import Algebra
from symgrad.derivation.steps import Reason
from symgrad.errors import InternalError
from symgrad.tensor import build as b
from symgrad.tensor.facts import ends
from symgrad.tensor.functions.construct import norm
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Add, Apply, Call, Compare, Const, Count, Expr, Eye, MatMul, Mul, Pow, Transpose, Var

Form = Callable[[Expr], Expr]
TWO = b.num(2)
_NEVER_NEGATIVE = frozenset({"exp", "sigmoid", "softplus", "relu", "abs", "sqrt"})
_SIGNED = frozenset({"positive", "probability", "one-hot", "density"})
_AT_MOST_ONE = frozenset({"probability", "one-hot"})


def certificate(h: Expr) -> Form | None:
    """v ↦ vᵀHv written so that it cannot be negative; None where no such form is known."""
    if not h.order:
        return (lambda v: b.mul(h, b.power(v, TWO))) if nonnegative(h) else None
    match h:
        case Eye():
            return lambda v: b.power(norm(v), TWO)
        case Call(fn="diag", args=(d,)) if nonnegative(d):
            return lambda v: b.reduce("sum", b.mul(d, v, v))
        case Var(facts=facts) if "positive-definite" in facts:
            return lambda v: b.matmul(b.transpose(v), h, v)
        case MatMul(args=args) if len(args) > 1 and args[0] is b.transpose(args[-1]):
            return _congruent(args)
        case Mul(args=args) if args[-1].order == 2 and all(a.order == 0 for a in args[:-1]):
            scale, inner = b.mul(*args[:-1]), certificate(args[-1])
            return (lambda v: b.mul(scale, inner(v))) if inner and nonnegative(scale) else None
        case Add(args=args):
            return _covariance(args) or _sum(args) or _multiple(args)
    return None


def _congruent(args: tuple[Expr, ...]) -> Form | None:
    """Aᵀ M A: the form of M at A v."""
    last = args[-1]
    if len(args) == 2:
        return lambda v: _square(b.matmul(last, v))
    inner = certificate(b.matmul(*args[1:-1]))
    return None if inner is None else lambda v: inner(b.matmul(last, v))


def _square(x: Expr) -> Expr:
    return b.power(norm(x) if x.order else x, TWO)


def _covariance(args: tuple[Expr, ...]) -> Form | None:
    """diag(p) − p pᵀ is the covariance matrix of a choice with probabilities p."""
    found = [a.args[0] for a in args if isinstance(a, Call) and a.fn == "diag"]
    if len(args) != 2 or len(found) != 1 or not _is_probability(found[0]):
        return None
    p = found[0]
    if b.neg(b.outer(p, p)) not in args:
        return None
    return lambda v: b.reduce("sum", b.mul(p, b.power(b.sub(v, b.inner(p, v)), TWO)))


def _is_probability(x: Expr) -> bool:
    return (isinstance(x, Call) and x.fn == "softmax") or (isinstance(x, Var) and bool(x.facts & _AT_MOST_ONE))


def _sum(args: tuple[Expr, ...]) -> Form | None:
    forms = [certificate(a) for a in args]
    if any(f is None for f in forms):
        return None
    return lambda v: b.add(*(f(v) for f in forms if f is not None))


def _multiple(args: tuple[Expr, ...]) -> Form | None:
    """Multiples of one matrix added up."""
    parts = [_weighted(a) for a in args]
    if len({m for _, m in parts}) > 1:
        return None
    scale = b.add(*(s for s, _ in parts))
    inner = certificate(parts[0][1])
    return (lambda v: b.mul(scale, inner(v))) if inner and nonnegative(scale) else None


def _weighted(x: Expr) -> tuple[Expr, Expr]:
    if isinstance(x, Mul) and x.args[-1].order == 2 and all(a.order == 0 for a in x.args[:-1]):
        return b.mul(*x.args[:-1]), x.args[-1]
    return b.ONE, x


def nonnegative(x: Expr) -> bool:
    """Whether no entry of x can be negative, as its form shows or SymPy can tell."""
    return _by_form(x) or (not x.row and _by_algebra(x))


def _by_algebra(x: Expr) -> bool:
    """Whether an entry of x is nonnegative for all real values of what it mentions."""
    indices = b.index_symbols(x.order, "i")
    try:
        formula = Algebra().to(component(x, indices))
        return bool(sympy.factor(sympy.simplify(formula)).is_nonnegative)
    except (InternalError, KeyError, NotImplementedError):
        return False


def _by_form(x: Expr) -> bool:
    value = b.number_of(x)
    if value is not None:
        return value >= 0
    match x:
        case Const() | Compare():
            return True
        case Count(value=count):
            return bool(count.is_nonnegative)
        case Apply(fn=fn):
            return fn in _NEVER_NEGATIVE
        case Var(facts=facts):
            return bool(facts & _SIGNED)
        case Call(fn=fn):
            return fn in ("softmax", "norm", "one_hot")
        case Pow(base=base, exponent=e):
            power = b.number_of(e)
            return _by_form(base) or (power is not None and power.denominator == 1 and power % 2 == 0)
        case Mul(args=args):
            return _product_is(args)
        case Transpose(arg=arg):
            return _by_form(arg)
        case MatMul(args=(left, right)) if not x.order:
            return left is b.transpose(right)
        case Add(args=args):
            return all(_by_form(a) for a in args) or _below_one(args)
    return False


def _product_is(args: tuple[Expr, ...]) -> bool:
    """Whether no factor can be negative."""
    return all(_by_form(a) for a in args)


def _below_one(args: tuple[Expr, ...]) -> bool:
    """1 − s with s at most 1."""
    if len(args) != 2:
        return False
    ones = [a for a in args if b.is_one(a)]
    others = [b.neg(a) for a in args if not b.is_one(a)]
    return len(ones) == 1 and _at_most_one(others[0])


def _at_most_one(x: Expr) -> bool:
    match x:
        case Apply(fn="sigmoid"):
            return True
        case Call(fn="softmax"):
            return True
        case Var(facts=facts):
            low, high = ends(facts)
            bounded = low is not None and high is not None and low >= -1 and high <= 1
            return bool(facts & _AT_MOST_ONE) or bounded
        case Pow(base=Apply(fn=fn), exponent=e):
            return fn in ("tanh", "sin", "cos", "sigmoid", "erf") and b.number_of(e) == 2
        case Pow(base=base, exponent=e):
            power = b.number_of(e)
            return power is not None and power >= 1 and _by_form(base) and _at_most_one(base)
    return False


def definite(h: Expr, maximum: bool) -> tuple[Reason, bool]:
    """Words on the sign of a Hessian that the sense of an optimum needs, and whether it is certain."""
    form = certificate(b.neg(h) if maximum else h)
    sign = "negative" if maximum else "positive"
    extreme = "maximum" if maximum else "minimum"
    return (f"is {sign} semidefinite, so the stationary point is a {extreme}.",), form is not None
