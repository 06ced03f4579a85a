"""Densities and integrals in terms of the other nodes: sums over common points, and closed forms.

At finitely many common points a density is a table of probabilities, and every identity between integrals is one
between sums; so it is tested exactly. A normal variable takes the nodes of Gauss–Hermite quadrature instead, which
is exact for polynomials of degree below twice their number.
"""

import math
from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
import sympy

from symgrad.errors import InternalError, QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, index_symbol, size_symbol, symbols_of
from symgrad.tensor.laws import DIVERGENCES, LAWS, diagonal, log
from symgrad.tensor.nodes import (
    Add,
    Apply,
    At,
    Binder,
    Cut,
    Density,
    Expr,
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
    raise InternalError(f"{type(node).__name__} is no density and no integral")


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
        p, inside = q.args[1], expanded(f)  # a mean within f is over a z of its own, which is gone then
        hit, miss = (substituted(inside, z, value) for value in (b.ONE, b.ZERO))
        return b.add(b.mul(p, hit), b.mul(b.sub(b.ONE, p), miss))
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


def normalised(q: Expr, bound: Set[sympy.Symbol]) -> bool:
    """Whether q is a law, or a density of just the bound variables, so that its mass is 1."""
    if isinstance(q, Law):
        return True
    if not isinstance(q, Density):
        return False
    own = {s for k, i in enumerate(q.at) if i is not None and k not in q.given for s in symbols_of(i)}
    return own == bound
