"""Inequalities that are known by name, and differences that cannot be negative."""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

import sympy

from symgrad.derivation.identities.integral_rules import RULES, as_terms, canonical, definitions
from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor import laws
from symgrad.tensor import probability as pr
from symgrad.tensor.nodes import Add, Apply, Call, Density, Expr, Integral, MatMul, Mul, Pow, Transpose
from symgrad.tensor.system import System
from symgrad.tensor.walk import postorder

_CURVES = {"log": -1, "sqrt": -1, "exp": 1, "softplus": 1, "relu": 1, "abs": 1}
"""−1 for concave functions, 1 for convex ones."""
_MOST_CANDIDATES = 24


def known_inequality(small: Expr, large: Expr) -> Reason | None:
    """Why small ≤ large, where it is Jensen's, Cauchy and Schwarz's, the triangle inequality or submultiplicativity."""
    if _jensen(small, large):
        return ("Jensen's inequality",)
    if isinstance(large, Mul) and all(_is_norm(f) for f in large.args) and len(large.args) == 2:
        parts = {f.children[0] for f in large.args}
        inside = small.args[0] if isinstance(small, Apply) and small.fn == "abs" else small
        if isinstance(inside, MatMul) and not inside.order and len(inside.args) == 2:
            row, column = inside.args
            if isinstance(row, Transpose) and {row.arg, column} == parts:
                return ("the Cauchy–Schwarz inequality",)
        if _is_norm(small) and isinstance(small.children[0], MatMul) and set(small.children[0].args) == parts:
            return ("the Frobenius norm is submultiplicative",)
    squared = isinstance(small, Pow) and b.number_of(small.exponent) == 2
    if squared and isinstance(large, Mul) and _squares(small.children[0], large.args):
        return ("the Cauchy–Schwarz inequality",)
    if _is_norm(small) and isinstance(large, Add) and all(_is_norm(t) for t in large.args):
        inside = small.children[0]
        if isinstance(inside, Add) and {_unsigned(t) for t in inside.args} == {t.children[0] for t in large.args}:
            return ("the triangle inequality",)
    return None


def known_identity(left: Expr, right: Expr) -> Reason | None:
    """Why left = right, where it is a theorem on determinants."""
    match left:
        case Call(fn="det", args=(MatMul(args=args),)):
            if right is b.mul(*(Call("det", (a,), (), ()) for a in args)):
                return ("The determinant of a product is the product of the determinants.",)
        case Call(fn="det", args=(Transpose(arg=arg),)) if right is Call("det", (arg,), (), ()):
            return ("A matrix and its transpose have the same determinant.",)
    return None


def _is_norm(x: Expr) -> bool:
    return isinstance(x, Call) and x.fn == "norm"


def _squares(product: Expr, factors: Sequence[Expr]) -> bool:
    """Whether the factors are uᵀu and vᵀv for the product uᵀv."""
    if not isinstance(product, MatMul) or product.order or len(product.args) != 2:
        return False
    row, v = product.args
    return isinstance(row, Transpose) and set(factors) == {b.inner(row.arg, row.arg), b.inner(v, v)}


def _unsigned(x: Expr) -> Expr:
    c, rest = b.coefficient(x)
    return rest if c == -1 else x


def _jensen(small: Expr, large: Expr) -> bool:
    """f(E[X]) ≤ E[f(X)] for convex f, the other way round for concave f."""
    for outer, mean, curve in ((small, large, 1), (large, small, -1)):
        if not isinstance(mean, Integral) or mean.op != "expectation":
            continue
        inside = mean.args[0]
        if isinstance(inside, Apply) and _CURVES.get(inside.fn) == curve:
            average = Integral("expectation", (inside.args[0], *mean.args[1:]), mean.binders, ())
            if outer is b.apply(inside.fn, average):
                return True
        if curve == 1 and isinstance(inside, Pow) and b.number_of(inside.exponent) == 2:
            average = Integral("expectation", (inside.base, *mean.args[1:]), mean.binders, ())
            if outer is b.power(average, b.num(2)):
                return True
    return False


def nonnegative(difference: Expr, system: System) -> tuple[Expr, Reason] | None:
    """The difference as something that cannot be negative: divergences with positive weights, or a square."""
    wanted = as_terms(canonical(difference, system))
    found = _as_divergences(difference, wanted, system)
    if found is not None:
        return found, ("a Kullback–Leibler divergence is never negative, by Jensen's inequality",)
    return None


def _as_divergences(difference: Expr, wanted: dict[Expr, Fraction], system: System) -> Expr | None:
    candidates = [(k, as_terms(canonical(k, system))) for k in itertools.islice(_candidates(difference, system), 60)]
    candidates = [(k, t) for k, t in candidates if t and set(t) <= set(wanted) | _cancelling(candidates)]
    for k, t in candidates:
        weight = _multiple(wanted, t)
        if weight is not None and weight > 0:
            return b.mul(b.num(weight), k)
    for (k1, t1), (k2, t2) in itertools.combinations(candidates[:_MOST_CANDIDATES], 2):
        weights = _two(wanted, t1, t2)
        if weights is not None and min(weights) > 0:
            return b.add(b.mul(b.num(weights[0]), k1), b.mul(b.num(weights[1]), k2))
    return None


def _cancelling(candidates: Sequence[tuple[Expr, dict[Expr, Fraction]]]) -> set[Expr]:
    """Terms that occur in several candidates, and may cancel between them."""
    seen: dict[Expr, int] = {}
    for _, t in candidates:
        for x in t:
            seen[x] = seen.get(x, 0) + 1
    return {x for x, n in seen.items() if n > 1}


def _multiple(wanted: dict[Expr, Fraction], t: dict[Expr, Fraction]) -> Fraction | None:
    if not wanted or set(wanted) != set(t):
        return None
    ratios = {wanted[x] / t[x] for x in t}
    return ratios.pop() if len(ratios) == 1 else None


def _two(
    wanted: dict[Expr, Fraction], t1: dict[Expr, Fraction], t2: dict[Expr, Fraction]
) -> tuple[Fraction, Fraction] | None:
    """The weights with w₁ t₁ + w₂ t₂ = wanted."""
    a, c = sympy.symbols("a c")
    keys = {*wanted, *t1, *t2}
    equations = [_rational(t1.get(k)) * a + _rational(t2.get(k)) * c - _rational(wanted.get(k)) for k in keys]
    solved = sympy.linsolve(equations, a, c)
    for pair in solved:
        if all(x.is_Rational for x in pair):
            first, second = (Fraction(int(x.p), int(x.q)) for x in pair)
            return first, second
    return None


def _rational(value: Fraction | None) -> sympy.Rational:
    return sympy.Rational(0) if value is None else sympy.Rational(value.numerator, value.denominator)


def _candidates(x: Expr, system: System) -> Iterator[Expr]:
    """Divergences between the densities that an expression mentions, their conditionals and their mixtures."""
    whole = _written_out(x, system)
    integrals = [n for n in postorder(whole) if isinstance(n, Integral) and n.op in ("expectation", "divergence")]
    averages = dict.fromkeys((n.args[1] if n.op == "expectation" else n.args[0], n.binders) for n in integrals)
    for q, binders in averages:
        bound = {y.symbol for y in binders}
        own = list(dict.fromkeys(n for n in postorder(whole) if isinstance(n, Density)))
        others: dict[Expr, None] = {}
        for d in own:
            places = [k for k, i in enumerate(d.at) if i is not None]
            if {d.at[k] for k in places} & bound:
                left = frozenset(k for k in places if d.at[k] not in bound)
                others[Density(d.table, d.at, left)] = None
                if left:
                    only = tuple(i if i in bound else None for i in d.at)
                    others[Density(d.table, only)] = None
        plain = [o for o in others if isinstance(o, Density) and not o.given]
        mixtures = [b.mul(laws.HALF, b.add(m, n)) for m, n in itertools.combinations(plain, 2)]
        for p in (*others, *mixtures):
            if p is not q:
                yield pr.divergence(q, p, binders)


def _written_out(x: Expr, system: System) -> Expr:
    """The expression with the quantities of the model written out, and conditional densities as quotients."""
    conditional = next(r for r in RULES if r.name == "conditional density")
    return conditional.apply(definitions(system).apply(x))
