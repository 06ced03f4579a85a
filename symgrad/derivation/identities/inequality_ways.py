"""Ways to an inequality of numbers: squares, definite forms, a convex difference at its minimum, those with names."""

from collections.abc import Callable, Sequence
from typing import Final, TypeGuard

import sympy
from msgspec import Struct

from symgrad.derivation.curvature import AFFINE, CONVEX, Curvature
from symgrad.derivation.identities.rules import chain
from symgrad.derivation.scalar_algebra import Algebra, solutions
from symgrad.derivation.signs import never_negative
from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor.from_sympy import NoCounterpart
from symgrad.tensor.functions.construct import logsumexp, norm
from symgrad.tensor.nodes import Add, Apply, Expr, Mul, Pow, Reduce, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.walk import postorder, variables


class Shown(Struct, frozen=True):
    """Why a difference is never negative: other ways to write it, each with the reason, and the last words."""

    forms: tuple[tuple[Expr, Reason], ...]
    words: Reason


def shown(small: Expr, large: Expr) -> Shown | None:
    """Why small ≤ large; None where no way is known."""
    difference = b.sub(large, small)
    for way in (_by_name, _by_sign, _by_squares, _by_convexity):
        found = way(difference)
        if found is not None:
            return found
    return None


def _by_sign(difference: Expr) -> Shown | None:
    return Shown((), ("squares and definite forms are never negative",)) if never_negative(difference) else None


def _by_squares(difference: Expr) -> Shown | None:
    """A polynomial of numbers, functions of them among them, as a multiple of a square."""
    if difference.order:
        return None
    algebra = Algebra()
    try:
        factored = sympy.factor(algebra.to(difference, Var("nothing", (), ())))
        form = algebra.back(factored)
    except (NoCounterpart, KeyError, sympy.PolynomialError):
        return None
    return Shown(((form, ("the difference, factored",)),), ("a square",)) if factored.is_nonnegative else None


def _by_convexity(difference: Expr) -> Shown | None:
    """A convex function of one number, whose least value is not negative."""
    names = variables(difference)
    if difference.order or len(names) != 1 or names[0].order:
        return None
    (x,) = names
    if Curvature((x,)).of(difference) not in (AFFINE, CONVEX):
        return None
    algebra = Algebra()
    unknown = algebra.symbol(x)
    formula = algebra.to(difference, x)
    for root in solutions(sympy.diff(formula, unknown), unknown):
        least = sympy.simplify(formula.subs(unknown, root))
        if root.is_number and root.is_real and least.is_nonnegative:
            at, value = algebra.back(root), algebra.back(least)
            words: Reason = ("the difference is convex in ", x, " and least where its derivative is zero, at ")
            return Shown((), (*words, b.compare("==", x, at), ", where it is ", value))
    return None


# By name

_Match = Callable[[Expr], bool]


def _by_name(difference: Expr) -> Shown | None:
    forms = [(x, r) for x, r in chain(transform(difference, _quotients)) if x is not difference]
    for known in (difference, *(x for x, _ in forms)):
        for match, words in _NAMED:
            if match(known):
                reached = [x for x, _ in forms]
                used = forms[: reached.index(known) + 1] if known in reached else []
                return Shown(tuple((x, r or ("the difference",)) for x, r in used), (words,))
    return None


def _quotients(x: Expr) -> Expr:
    """log (a/b) = log a − log b."""
    if isinstance(x, Apply) and x.fn == "log" and isinstance(x.args[0], Mul):
        parts = [(f.base, -1) if _is_reciprocal(f) else (f, 1) for f in x.args[0].args]
        if all(never_negative(f) for f, _ in parts):
            return b.add(*(b.mul(b.num(s), b.apply("log", f)) for f, s in parts))
    return x


def _is_reciprocal(x: Expr) -> TypeGuard[Pow]:
    return isinstance(x, Pow) and b.number_of(x.exponent) == -1


def _distributions(x: Expr) -> list[Var]:
    return [v for v in variables(x) if "probability" in v.facts and v.order == 1]


def _entropy_of(p: Expr, q: Expr) -> Expr:
    return b.reduce("sum", b.mul(p, b.apply("log", q)))


def _gibbs(x: Expr) -> bool:
    """Σ p log p − Σ p log q."""
    known = _distributions(x)
    pairs = ((p, q) for p in known for q in known if p is not q)
    return any(_same_terms(x, (_entropy_of(p, p), b.neg(_entropy_of(p, q)))) for p, q in pairs)


def _entropy(x: Expr) -> bool:
    """log n + Σ p log p."""
    return any(_same_terms(x, (b.apply("log", b.count(p.shape[0])), _entropy_of(p, p))) for p in _distributions(x))


def _vectors(x: Expr) -> list[Var]:
    return [v for v in variables(x) if v.order == 1]


def _above_largest(x: Expr) -> bool:
    """log Σ exp z − max z, and max z + log n − log Σ exp z."""
    for z in _vectors(x):
        top, total = b.reduce("max", z), logsumexp(z)
        if _same_terms(x, (total, b.neg(top))):
            return True
        if _same_terms(x, (top, b.apply("log", b.count(z.shape[0])), b.neg(total))):
            return True
    return False


def _norms(x: Expr) -> bool:
    """‖x‖₁ − ‖x‖, √n ‖x‖ − ‖x‖₁ and ‖x‖ − ‖x‖_∞."""
    for v in _vectors(x):
        one, two, most = b.reduce("sum", b.apply("abs", v)), norm(v), b.reduce("max", b.apply("abs", v))
        wide = b.mul(b.apply("sqrt", b.count(v.shape[0])), two)
        if any(_same_terms(x, pair) for pair in ((one, b.neg(two)), (wide, b.neg(one)), (two, b.neg(most)))):
            return True
    return False


def _jensen(x: Expr) -> bool:
    """The mean of f(z) minus f of the mean of z, for a convex f."""
    for t in postorder(x):
        if isinstance(t, Reduce) and t.op == "sum" and not t.order and t.arg.order == 1:
            inside = t.arg
            if isinstance(inside, Pow) and b.number_of(inside.exponent) == 2:
                other: Expr = b.power(_mean(inside.base), b.num(2))
            elif isinstance(inside, Apply) and inside.fn in ("exp", "softplus", "relu", "abs"):
                other = b.apply(inside.fn, _mean(inside.args[0]))
            else:
                continue
            if _same_terms(x, (_mean(inside), b.neg(other))):
                return True
    return False


def _mean(x: Expr) -> Expr:
    return b.mul(b.power(b.count(x.shape[0]), b.MINUS_ONE), b.reduce("sum", x))


def _same_terms(x: Expr, terms: Sequence[Expr]) -> bool:
    return isinstance(x, Add) and set(x.args) == set(terms)


_NAMED: Final[Sequence[tuple[_Match, str]]] = (
    (_gibbs, "Gibbs' inequality: a divergence between distributions is never negative"),
    (_entropy, "no distribution has more entropy than the uniform one"),
    (_above_largest, "the largest term is at most the sum, which is at most n times that term"),
    (_norms, "the norms of a vector against each other"),
    (_jensen, "Jensen's inequality: the function is convex"),
)
