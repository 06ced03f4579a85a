"""Ways to the limit of a scalar: continuity, functions that level off, SymPy's limit by its laws, l'Hôpital."""

import numpy as np
import sympy

from symgrad.calculus.local import local_jacobian
from symgrad.calculus.numeric import Numbers
from symgrad.derivation import saturation
from symgrad.derivation.assuming import conditions
from symgrad.derivation.in_sympy import InSympy
from symgrad.derivation.limits import laws as limit_laws
from symgrad.derivation.limits.search import INFINITY, Found, Search
from symgrad.derivation.signs import probable, sign
from symgrad.derivation.simplification import simplified
from symgrad.derivation.steps import Block, Line, Prose, Reason
from symgrad.derivation.writing_out import put_in, readable
from symgrad.errors import CertificationError, QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Apply, Compare, Const, Expr, Mul, Pow, Var
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder, variables

_STEPS = frozenset({"sign", "floor", "ceil", "indicator"})


def continuous(search: Search, left: Expr, f: Expr) -> Found | None:
    """lim f(x) = f(x₀) where everything in f is finite there; 1/x → 0 as x grows."""
    if search.at.infinite:
        values = _vanishing(search, f)
        if not values or not search.alone(f, values):
            return None
        reason: Reason = (next(iter(values)), " vanishes")
    else:
        values = {search.at.var: search.at.point}
        if _jumps(search, f) or not _finite(search, f):
            return None
        reason = ("continuous at ", b.compare("==", search.at.var, search.at.point))
    raw = put_in(f, values) if readable(f, values) else f
    settled = replace_nodes(f, values)
    steps = simplified(settled)
    value = steps[-1][0] if steps else settled
    if search.at.var in variables(value):
        return None
    sides = [x for x in (raw, settled, *(x for x, _ in steps)) if x is not value and x is not f]
    more = reason
    for _, words in steps:
        more = (*more, "; ", *words) if words else more
    shown = sides if not search.at.infinite else sides[-1:]
    return value, [search.line(left, *shown, value, reason=more, boxed=True)]


def saturating(search: Search, left: Expr, f: Expr) -> Found | None:
    """σ(c x) → 1 and tanh(c x) → 1 for c > 0 as x grows, 0 and −1 for c < 0; the case c = 0 apart."""
    if not search.at.infinite:
        return None
    values: dict[Expr, Expr] = {}
    for x in postorder(f):
        if isinstance(x, Apply) and x.fn in saturation.ENDS:
            slope = b.div(x.args[0], search.at.var)
            if search.at.var not in variables(slope):
                end = saturation.end(x.fn, slope if search.at.point is INFINITY else b.neg(slope))
                if end is not None:
                    values[x] = end
    if not values or not search.alone(f, values):
        return None
    value = replace_nodes(f, values)
    reason = saturation.words([x for x in values if isinstance(x, Apply)], search.at.var)
    return value, [search.line(left, value, reason=reason, boxed=True)]


def by_laws(search: Search, left: Expr, f: Expr) -> Found | None:
    """A scalar: what SymPy's limit says, by the laws that lead there."""
    if f.order:
        return None
    reading = InSympy()
    laws = _laws(search, reading, f)
    value = reading.back(laws.value())
    blocks: list[Block] = []
    current = left
    last: Reason = ()
    for step in laws.steps():
        following = search.at.of(reading.back(step.expr))
        if following is current:
            continue
        if following is value:
            last = (step.words,)
            break
        line = _maybe(search, left, following, step.words)
        if line is None:
            break
        blocks.append(line)
        current = following
    reason = last or (("no bound holds",) if INFINITY in postorder(value) else tuple(laws.last()))
    blocks.append(search.line(left, value, reason=reason, boxed=True))
    return value, blocks


def by_slopes(search: Search, left: Expr, f: Expr) -> Found | None:
    """0/0 with functions of arrays above or below: the quotient of the derivatives (l'Hôpital)."""
    if f.order or not isinstance(f, Mul) or search.at.infinite:
        return None
    below = [
        a for a in f.args if isinstance(a, Pow) and b.number_of(a.exponent) == -1 and search.at.var in variables(a)
    ]
    above = b.mul(*(a for a in f.args if a not in below))
    bottom = b.mul(*(a.base for a in below if isinstance(a, Pow)))
    if not below or any(not b.is_zero(search.part(x) or b.ONE) for x in (above, bottom)):
        return None
    whole = [Var("the value", (), ()), search.at.var]
    slopes = [local_jacobian(x, whole[0], search.at.var) for x in (above, bottom)]
    slopes = [replace_nodes(d, {whole[0]: x}) for d, x in zip(slopes, (above, bottom), strict=True)]
    following = b.div(*slopes)
    found = search.first(search.at.of(following), following)
    if found is None:
        return None
    first = search.line(left, search.at.of(following), reason=("l'Hôpital: 0/0",))
    kinks = [x for x in postorder(found[0]) if isinstance(x, Compare) and not x.order]
    excepted: Reason = tuple(w for c in kinks for w in (", ", b.compare("!=", c.left, c.right)))[1:]
    return found[0], [first, *found[1], *([Prose(("This is for ", *excepted, "."))] if excepted else [])]


def by_odds(search: Search, left: Expr, f: Expr) -> Found | None:
    """With 1/(1 + u) for each probability, so that 1 minus it is known to be positive."""
    given = [v for v in variables(f) if "probability" in v.facts and not v.order and v is not search.at.var]
    if not given or f.order:
        return None
    odds = {v: Var(f"odds of {v.name}", v.subs, (), frozenset({"positive"})) for v in given}
    values: dict[Expr, Expr] = {v: b.div(b.ONE, b.add(b.ONE, u)) for v, u in odds.items()}
    reading = InSympy()
    laws = _laws(search, reading, replace_nodes(f, values))
    back = reading.back(sympy.simplify(laws.value()))
    undone: dict[Expr, Expr] = {u: b.div(b.sub(b.ONE, v), v) for v, u in odds.items()}
    value = replace_nodes(back, undone)
    return value, [search.line(left, value, boxed=True)]


def _jumps(search: Search, f: Expr) -> bool:
    """Whether something that depends on the variable may jump."""
    steps = (x for x in postorder(f) if isinstance(x, Compare) or (isinstance(x, Apply) and x.fn in _STEPS))
    return any(search.at.var in variables(x) for x in steps)


def _below_one(search: Search, x: Expr) -> bool:
    """Whether 0 < x < 1 or |x| < 1, by what is known of the parts or by an assumption."""
    assumed = [
        b.sub(c.right, c.left) if c.op in ("<", "<=") else b.sub(c.left, c.right)
        for c in conditions(search.work.problem, search.work.question)
        if c.op in ("<", ">")
    ]
    if isinstance(x, Var) and "probability" in x.facts:
        return True
    if b.sub(b.ONE, b.apply("abs", x)) in assumed:
        return True
    rest = b.sub(b.ONE, x)
    return all(y in assumed or sign(y) > 0 or probable(y) for y in (x, rest))


def _finite(search: Search, f: Expr) -> bool:
    """Whether every part of f has a finite value at the point."""
    for numbers in search.work.certifier.instances:
        point = numbers.value(search.at.point)
        key = (search.at.var.name, search.at.var.subs)
        there = Numbers(numbers.system, numbers.sizes, numbers.points, numbers.seed, {key: point})
        for x in postorder(f):
            if not isinstance(x, Const) and not np.isfinite(there.value(x)).all():
                return False
    return True


def _laws(search: Search, reading: InSympy, f: Expr) -> limit_laws.Laws:
    return limit_laws.Laws(reading.scalar(f), reading.symbol(search.at.var), _target(search, reading), search.at.side)


def _target(search: Search, reading: InSympy) -> sympy.Expr:
    return reading.scalar(search.at.point)


def _maybe(search: Search, left: Expr, right: Expr, words: str) -> Line | None:
    try:
        return search.line(left, right, reason=(words,))
    except (CertificationError, QuestionError):
        return None


def _vanishing(search: Search, f: Expr) -> dict[Expr, Expr]:
    """What goes to 0: powers of a growing variable with negative exponents, growing powers of a number below 1."""
    var = search.at.var
    values: dict[Expr, Expr] = {}
    for x in postorder(f):
        if isinstance(x, Pow) and x.base is var:
            exponent = b.number_of(x.exponent)
            if exponent is not None and exponent < 0:
                values[x] = b.ZERO
        elif isinstance(x, Pow) and var not in variables(x.base) and _below_one(search, x.base):
            slope = local_jacobian(x.exponent, Var("the exponent", (), ()), var)
            if sign(slope) == 1 and var not in variables(slope):
                values[x] = b.ZERO
    return values
