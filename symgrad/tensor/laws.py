"""Named densities: the normal law and Bernoulli's, their logarithms, and their divergences in closed form."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from symgrad.tensor import build as b
from symgrad.tensor.nodes import Call, Const, Expr, Eye, Full, Law, Mul

HALF: Final = b.div(b.ONE, b.num(2))


def log(x: Expr) -> Expr:
    """The logarithm; of 1, zero."""
    return b.ZERO if b.number_of(x) == 1 and not x.order else b.zeros(x.shape) if b.is_one(x) else b.apply("log", x)


def diagonal(cov: Expr) -> Expr | None:
    """The variances of a diagonal covariance matrix; None for any other."""
    match cov:
        case Call(fn="diag", args=(v,)):
            return v
        case Eye(size=n):
            return b.ones((n,))
        case Mul(args=args) if isinstance(args[-1], Eye) and all(a.order == 0 for a in args[:-1]):
            return b.mul(*args[:-1], b.ones((args[-1].size,)))
        case Mul(args=args) if all(a.order == 0 for a in args[:-1]):
            inner = diagonal(args[-1])
            return None if inner is None else b.mul(*args[:-1], inner)
    return None


def _normal(z: Expr, mean: Expr, cov: Expr) -> Expr:
    away = b.sub(z, mean)
    if not z.order:
        height = b.apply("sqrt", b.mul(b.num(2), Const("pi"), cov))
        return b.div(b.apply("exp", b.mul(b.num(-1), HALF, b.div(b.power(away, b.num(2)), cov))), height)
    n = z.shape[0]
    inverse = Call("inv", (cov,), (), (n, n))
    square = b.matmul(b.transpose(away), inverse, away)
    volume = b.mul(b.power(b.mul(b.num(2), Const("pi")), b.count(n)), Call("det", (cov,), (), ()))
    return b.div(b.apply("exp", b.mul(b.num(-1), HALF, square)), b.apply("sqrt", volume))


def log_law(law: Law) -> Expr:
    """The logarithm of a named density, without the exponential that would underflow far away from the mean."""
    if law.name != "normal":
        return log(law)
    z, mean, cov = law.args
    away = b.sub(z, mean)
    if not z.order:
        return b.mul(b.neg(HALF), b.add(b.div(b.power(away, b.num(2)), cov), log(b.mul(b.num(2), Const("pi"), cov))))
    n = z.shape[0]
    square = b.matmul(b.transpose(away), Call("inv", (cov,), (), (n, n)), away)
    volume = b.add(b.mul(b.count(n), log(b.mul(b.num(2), Const("pi")))), log(Call("det", (cov,), (), ())))
    return b.mul(b.neg(HALF), b.add(square, volume))


def _bernoulli(x: Expr, p: Expr) -> Expr:
    return b.mul(b.power(p, x), b.power(b.sub(b.ONE, p), b.sub(b.ONE, x)))


LAWS: Final[Mapping[str, Callable[..., Expr]]] = MappingProxyType({"normal": _normal, "bernoulli": _bernoulli})
"""The density at a point, by the name of the law."""


def _normal_divergence(q: Law, p: Law) -> Expr:
    """½ (tr(C_p⁻¹ C_q) + (m_p − m_q)ᵀ C_p⁻¹ (m_p − m_q) − n + log det C_p − log det C_q)."""
    _, m_q, c_q = q.args
    z, m_p, c_p = p.args
    away = b.sub(m_q, m_p)
    if not z.order:
        return b.mul(HALF, _terms(c_q, c_p, away, b.ONE))
    v_q, v_p = diagonal(c_q), diagonal(c_p)
    if v_q is not None and v_p is not None:
        return b.mul(HALF, b.reduce("sum", _terms(v_q, v_p, away, b.ONE)))
    n = z.shape[0]
    inverse = c_p if isinstance(c_p, Eye) else Call("inv", (c_p,), (), (n, n))
    spread = Call("trace", (b.matmul(inverse, c_q),), (), ())
    square = b.matmul(b.transpose(away), inverse, away)
    volumes = [log(b.ONE if isinstance(c, Eye) else Call("det", (c,), (), ())) for c in (c_p, c_q)]
    return b.mul(HALF, b.add(spread, square, b.neg(b.count(n)), volumes[0], b.neg(volumes[1])))


def _terms(v_q: Expr, v_p: Expr, away: Expr, one: Expr) -> Expr:
    """(v_q + away²)/v_p − 1 + log v_p − log v_q, entry by entry."""
    square = b.mul(away, away)
    scaled = (b.add(square, v_q),) if b.is_one(v_p) else (b.div(square, v_p), b.div(v_q, v_p))
    return b.add(*scaled, b.neg(one), log(v_p), b.neg(log(v_q)))


def _bernoulli_divergence(q: Law, p: Law) -> Expr:
    """a log(a/b) + (1 − a) log((1 − a)/(1 − b))."""
    a, c = q.args[1], p.args[1]
    other = b.sub(b.ONE, a)
    return b.add(b.mul(a, log(b.div(a, c))), b.mul(other, log(b.div(other, b.sub(b.ONE, c)))))


DIVERGENCES: Final[Mapping[str, Callable[[Law, Law], Expr]]] = MappingProxyType(
    {"normal": _normal_divergence, "bernoulli": _bernoulli_divergence}
)
"""KL(q‖p) of two densities of one law."""


def covariance(value: Expr, z: Expr) -> Expr:
    """A covariance as given: a matrix, or one number for all variances."""
    if z.order and not value.order:
        return b.mul(value, b.eye(z.shape[0]))
    return value


def mean_of(value: Expr, z: Expr) -> Expr:
    """A mean as given: a vector, or one number for all entries."""
    if z.order and not value.order:
        number = b.number_of(value)
        return Full(number, z.shape) if number is not None else b.mul(value, b.ones(z.shape))
    return value
