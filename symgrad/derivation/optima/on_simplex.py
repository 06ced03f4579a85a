"""Optima over vectors with sum 1, by a multiplier."""

import numpy as np
import sympy

from symgrad.calculus.local import local_jacobian
from symgrad.calculus.pullback import sum_entries
from symgrad.derivation.identities.integral_rules import RULES
from symgrad.derivation.optima.neighbourhood import check
from symgrad.derivation.optima.search import Search
from symgrad.derivation.scalar_algebra import Algebra, solutions
from symgrad.derivation.steps import Prose, Reason, Result
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.functions.construct import softmax
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Apply, Binder, Build, Compare, Entry, Expr, Reduce, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.stable import Array
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder

PLACE = sympy.Symbol("i", integer=True)


def is_whole(constraint: Expr, p: Var) -> bool:
    """Whether a condition is sum(p) = 1."""
    return (
        p.order == 1
        and isinstance(constraint, Compare)
        and constraint.left is b.reduce("sum", p)
        and b.number_of(constraint.right) == 1
    )


def solve(search: Search) -> Result:
    """The optimum over vectors with sum 1 of a sum that has one term for each entry, by a multiplier.

    Stationary for f − λ (Σ p − 1): one equation for each entry, then the constraint for λ.

    Raises:
        QuestionError: no solution is known.
    """
    work, p = search.work, search.x
    f = search.named()
    slope = component(local_jacobian(search.whole, f, p), (PLACE,))
    entry, multiplier = b.at(p, PLACE), Var(work.fresh("λ", "ν"), (), ())
    algebra = Algebra()
    unknown, weight = algebra.symbol(entry), algebra.symbol(multiplier)
    formula = algebra.to(slope, entry)
    ranges = (Binder(PLACE, 1, p.shape[0]),)
    work.certifier.open(ranges)
    equation = work.certifier.line(b.deriv(f, entry), slope, rule="slope", ranges=ranges)
    for root in solutions(formula - weight, unknown):
        at = _from_sum(search, algebra, root, weight)
        if at is None:
            continue
        at = _tidy(at)
        value = _evaluated(replace_nodes(search.whole, {p: at}))
        checked = check(work.certifier.instances, search.of, {p: at}, value, search.maximum, {p: normalised})
        words: Reason = ("With a multiplier ", multiplier, " for the constraint, this is ", multiplier)
        search.blocks += [equation, Prose((*words, " at every ", b.count(PLACE), ":"))]
        sides = b.compare("==", slope, multiplier), b.compare("==", entry, algebra.back(root))
        search.blocks.append(work.certifier.line(*sides, rule="multiplier", relation="iff", ranges=ranges))
        curve = algebra.back(sympy.diff(formula, unknown))
        relation, shape = ("<", "concave: a maximum") if search.maximum else (">", "convex: a minimum")
        search.blocks.append(
            work.certifier.line(
                curve,
                b.ZERO,
                reason=(f"second derivative; strictly {shape}",),
                rule="second order",
                relation=relation,
                ranges=ranges,
            )
        )
        search.blocks.append(Prose(("The entries add to 1, which settles ", multiplier, ".")))
        return search.result(at, value, checked)
    raise QuestionError("no solution on the simplex is known")


def _from_sum(search: Search, algebra: Algebra, root: sympy.Expr, weight: sympy.Symbol) -> Expr | None:
    """The vector that the entries make once the constraint settles the multiplier."""
    own = [s for s in root.free_symbols if s != weight]
    if not own:
        return b.mul(b.power(b.count(search.x.shape[0]), b.MINUS_ONE), b.ones(search.x.shape))
    varying = [s for s, n in ((s, n) for n, s in algebra.known.items()) if s in own and PLACE in free_ints(n)]
    if not varying:
        return None
    for reference in (0, 1):
        share = sympy.simplify(root / root.subs(dict.fromkeys(varying, reference)))
        if share.is_finite is not False and weight not in share.free_symbols and not share.has(sympy.nan):
            return _normalised(search, algebra.back(share.as_coeff_Mul()[1]))
    return None


def _normalised(search: Search, share: Expr) -> Expr:
    """Shares over their sum: a softmax where they are exponentials."""
    if isinstance(share, Apply) and share.fn == "exp":
        rows: dict[Expr, Expr] = {n: n.arg for n in postorder(share) if isinstance(n, Entry) and n.arg.order == 1}
        scores = replace_nodes(share.args[0], rows)
        if PLACE not in free_ints(scores) and scores.order == 1:
            return softmax(scores)
    parts = b.build(share, [Binder(PLACE, 1, search.x.shape[0])])
    return b.div(parts, b.reduce("sum", parts))


def _evaluated(x: Expr) -> Expr:
    """The expression with sums of equal terms taken, and logarithms of fractions as differences."""

    def rule(node: Expr) -> Expr:
        if isinstance(node, Reduce) and node.op == "sum" and node.arg.order == 1 and not node.order:
            each = component(node.arg, (PLACE,))
            if PLACE not in free_ints(each):
                return b.mul(b.count(node.arg.shape[0]), each)
        return node

    summed = transform(x, rule)
    return x if summed is x else next(r for r in RULES if r.name == "logarithm").apply(summed)


def _tidy(at: Expr) -> Expr:
    """A vector that is built from the entries of a named one is that one; probabilities add to 1 already."""

    def rule(x: Expr) -> Expr:
        if isinstance(x, Build) and isinstance(x.body, Entry) and isinstance(x.body.arg, Var) and x.order == 1:
            return x.body.arg
        return sum_entries(x.arg) if isinstance(x, Reduce) and x.op == "sum" and isinstance(x.arg, Var) else x

    return transform(at, rule)


def normalised(x: Array) -> Array:
    """Positive entries with sum 1."""
    positive = np.abs(x) + 1e-9
    return np.asarray(positive / positive.sum(axis=-1, keepdims=True))
