"""Densities and integrals in terms of the other nodes: sums over common points, and closed forms.

At finitely many common points a density is a table of probabilities, and every identity between integrals is one
between sums; so it is tested exactly. A normal variable takes the nodes of Gauss–Hermite quadrature instead, which
is exact for polynomials of degree below twice their number.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
import sympy

from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, index_symbol, size_symbol
from symgrad.tensor.nodes import (
    Add,
    Apply,
    At,
    Binder,
    Call,
    Const,
    Cut,
    Density,
    Expr,
    Eye,
    Full,
    Integral,
    Law,
    Literal,
    Mul,
    Num,
    Pow,
    Reduce,
    Shape,
    Var,
)
from symgrad.tensor.rebuild import rebuild, transform
from symgrad.tensor.reindex import free_ints, fresh_symbol, reindex
from symgrad.tensor.walk import postorder

RANDOM = "random"
"""The fact of a named node that is the value of a random variable; its subscript is a place among the points."""
HALF = b.div(b.ONE, b.num(2))
HERMITE = 32
MOST_IN_SPACE = 12
LEAST_IN_SPACE = 4
MOST_POINTS = 20_000


# Constructors


def variable(name: str) -> sympy.Symbol:
    """The place of a random variable among the common points."""
    return index_symbol(name)


def points(name: str) -> sympy.Symbol:
    """The number of common points of a random variable."""
    return size_symbol(f"N_{name}")


def random_variable(name: str, shape: Shape = ()) -> Var:
    """The value of a random variable."""
    return Var(name, (variable(name),), shape, frozenset({RANDOM}))


def integral(body: Expr, binders: Sequence[Binder]) -> Expr:
    """∫ f dz."""
    return Integral("integral", (body,), tuple(binders), body.shape)


def expectation(body: Expr, density: Expr, binders: Sequence[Binder]) -> Expr:
    """E_q[f]."""
    return Integral("expectation", (body, density), tuple(binders), body.shape)


def variance(body: Expr, density: Expr, binders: Sequence[Binder]) -> Expr:
    """Var_q[f], entry by entry."""
    return Integral("variance", (body, density), tuple(binders), body.shape)


def divergence(q: Expr, p: Expr, binders: Sequence[Binder]) -> Expr:
    """KL(q‖p) = E_q[log q − log p]."""
    return Integral("divergence", (q, p), tuple(binders), ())


def log(x: Expr) -> Expr:
    """The logarithm; of 1, zero."""
    return b.ZERO if b.number_of(x) == 1 and not x.order else b.zeros(x.shape) if b.is_one(x) else b.apply("log", x)


# What they stand for


_expanded: "WeakKeyDictionary[Expr, Expr]" = WeakKeyDictionary()


def expanded(expr: Expr) -> Expr:
    """The expression with its densities and integrals written as entries, sums and closed forms."""
    found = _expanded.get(expr)
    if found is None:
        found = expr
        while any(isinstance(x, Density | Law | Integral) for x in postorder(found)):
            found = _outermost(found)
        found = expr if found is expr else transform(found, _eased)
        _expanded[expr] = found
    return found


def _eased(x: Expr) -> Expr:
    """A number before a sum moved into it, and log s² = 2 log s for positive s, so that derivatives come out short."""
    match x:
        case Mul(args=(Num() as number, Reduce(op="sum", arg=Add(args=terms)) as total)) if not total.order:
            return b.reduce("sum", b.add(*(b.mul(number, t) for t in terms)))
        case Apply(fn="log", args=(Pow(base=Var(facts=facts) as base, exponent=Num() as e),)) if "positive" in facts:
            return b.mul(e, b.apply("log", base))
    return x


def _outermost(root: Expr) -> Expr:
    memo: dict[Expr, Expr] = {}
    kinds = (Density, Law, Integral)
    for x in postorder(root, into=lambda n: not isinstance(n, kinds)):
        if isinstance(x, kinds):
            memo[x] = meaning(x, {})
        elif x.children:
            memo[x] = rebuild(x, tuple(memo[c] for c in x.children))
        else:
            memo[x] = x
    return memo[root]


def meaning(node: Expr, lengths: Mapping[sympy.Symbol, int]) -> Expr:
    """What one node stands for, in terms of its operands.

    Args:
        node: a density, a law or an integral.
        lengths: sizes that are numbers already.

    Raises:
        QuestionError: an integral over a normal vector of symbolic size, other than a divergence.
    """
    match node:
        case Density():
            return _density(node)
        case Law():
            return LAWS[node.name](*node.args)
        case Integral(op="integral", args=(f,), binders=binders):
            return b.fold("sum", f, binders)
        case Integral(op="divergence", args=(Law() as q, Law() as p)) if q.name == p.name:
            return DIVERGENCES[q.name](q, p)
        case Integral(op="divergence", args=(q, p), binders=binders):
            return _mean(b.sub(log(q), log(p)), q, binders, lengths)
        case Integral(op="variance", args=(f, q), binders=binders):
            around = b.sub(f, expectation(f, q, binders))
            return expectation(b.mul(around, around), q, binders)
        case Integral(args=(f, q), binders=binders):
            return _mean(f, q, binders, lengths)
    raise AssertionError(node)


def _density(node: Density) -> Expr:
    joint = _summed(node.table, node.at)
    if not node.given:
        return joint
    return b.div(joint, _summed(node.table, tuple(i if k in node.given else None for k, i in enumerate(node.at))))


def _summed(table: Expr, at: Sequence[Int | None]) -> Expr:
    """An entry of the table, summed over the axes without a place."""
    taken = set().union(*(free_ints(b.count(i)) for i in at if i is not None))
    binders: list[Binder] = []
    items: list[At] = []
    for place, size in zip(at, table.shape, strict=True):
        if place is None:
            symbol = fresh_symbol(sympy.Symbol("i", integer=True), taken)
            taken.add(symbol)
            binders.append(Binder(symbol, 1, size))
            place = symbol
        items.append(At(place))
    entry = b.entry(table, items, checked=False)
    return b.fold("sum", entry, binders) if binders else entry


def _mean(f: Expr, q: Expr, binders: Sequence[Binder], lengths: Mapping[sympy.Symbol, int]) -> Expr:
    if isinstance(q, Law):
        return _mean_of_law(f, q, binders[0], lengths)
    return b.fold("sum", b.mul(q, f), binders)


def _mean_of_law(f: Expr, q: Law, own: Binder, lengths: Mapping[sympy.Symbol, int]) -> Expr:
    z = q.args[0]
    if q.name == "bernoulli":
        value: Expr = b.sub(b.count(own.symbol), b.ONE)
        both = b.mul(substituted(q, z, value), substituted(f, z, value))
        return b.fold("sum", expanded(both), [Binder(own.symbol, 1, 2)])
    _, mean, cov = q.args
    if z.order:
        return _mean_in_space(f, q, own, lengths)
    nodes, weights = hermite(HERMITE)
    place = At(own.symbol)
    xi = b.entry(Literal(nodes, (HERMITE,)), [place])
    w = b.entry(Literal(weights, (HERMITE,)), [place])
    value = b.add(mean, b.mul(b.apply("sqrt", cov), xi))
    return b.fold("sum", b.mul(w, substituted(f, z, value)), [Binder(own.symbol, 1, HERMITE)])


def _mean_in_space(f: Expr, q: Law, own: Binder, lengths: Mapping[sympy.Symbol, int]) -> Expr:
    """The mean over a normal vector with diagonal covariance, on the product of one quadrature for each entry."""
    sizes: dict[sympy.Symbol, Int] = {s: n for s, n in lengths.items() if s != own.symbol}
    f = reindex(f, sizes)
    z, mean, cov = (reindex(a, sizes) for a in q.args)
    n = z.shape[0]
    variances = diagonal(cov)
    if not isinstance(n, int) or variances is None or LEAST_IN_SPACE**n > MOST_POINTS:
        raise QuestionError(
            "an expectation over a normal vector is evaluated where its covariance is diagonal and its size small"
        )
    each = max(k for k in range(LEAST_IN_SPACE, MOST_IN_SPACE + 1) if k**n <= MOST_POINTS)
    nodes, weights = (np.array(x) for x in hermite(each))
    grid = np.stack(np.meshgrid(*[nodes] * n, indexing="ij"), -1).reshape(-1, n)
    heights = np.prod(np.stack(np.meshgrid(*[weights] * n, indexing="ij"), -1), -1).reshape(-1)
    count = len(grid)
    xi = b.entry(Literal(tuple(map(float, grid.ravel())), (count, n)), [At(own.symbol), Cut(1, n)])
    w = b.entry(Literal(tuple(map(float, heights)), (count,)), [At(own.symbol)])
    value = b.add(mean, b.mul(b.apply("sqrt", variances), xi))
    return b.fold("sum", b.mul(w, substituted(f, z, value)), [Binder(own.symbol, 1, count)])


def substituted(root: Expr, z: Expr, value: Expr) -> Expr:
    """The expression with the value of a random variable put in for it."""
    return transform(root, lambda x: value if x is z else x)


@lru_cache(maxsize=8)
def hermite(count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Nodes and weights of E[f(ξ)] for a standard normal ξ."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return tuple(map(float, nodes)), tuple(float(w) / math.sqrt(2 * math.pi) for w in weights)


# Named densities


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


LAWS: Mapping[str, Callable[..., Expr]] = {"normal": _normal, "bernoulli": _bernoulli}


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


DIVERGENCES: Mapping[str, Callable[[Law, Law], Expr]] = {
    "normal": _normal_divergence,
    "bernoulli": _bernoulli_divergence,
}


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
