"""Identities of logarithms, densities and expectations as named rewrites, each of which holds wherever it applies.

Applied in order they bring an expression into a sum of numbers times expectations of logarithms of densities, in which
like terms are collected; two expressions with the same sum are equal.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction

import sympy
from msgspec import Struct

from symgrad.calculus.rewrite import multiply_out
from symgrad.derivation.points import at_places
from symgrad.derivation.reasons import listed
from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor import laws
from symgrad.tensor import probability as pr
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import (
    Add,
    Apply,
    Build,
    Const,
    Density,
    Expr,
    Full,
    Integral,
    Law,
    MatMul,
    Mul,
    Num,
    Pow,
    Transpose,
    Var,
)
from symgrad.tensor.rebuild import rebuild, transform
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.system import System, spread
from symgrad.tensor.walk import postorder, variables


class Rule(Struct, frozen=True):
    """A rewrite, and why it holds."""

    name: str
    reason: Reason
    apply: Callable[[Expr], Expr]


def definitions(system: System, stays: Callable[[Var], bool] = lambda v: False, multiplied: bool = True) -> Rule:
    """Quantities of the model replaced by what defines them, all the way down; nodes that ``stays`` names stay.

    The result is multiplied out unless it is to be left as it is written.
    At open steps a recurrence has no lowest one: a state that is met in the formula of another stays too.
    """
    known: dict[Var, Expr] = {}
    begun: list[str] = []

    def rule(x: Expr) -> Expr:
        if isinstance(x, Density) and isinstance(x.table, Build | Full):
            return at_places(x.table, x.at)
        if not isinstance(x, Var):
            return x
        if x.name in begun and any(symbols_of(s) for s in x.subs):
            return x
        if x not in known:
            body = None if stays(x) else system.body(x)
            begun.append(x.name)
            known[x] = x if body is None else transform(body if not x.subs else spread(body), rule)
            begun.pop()
        return known[x]

    def apply(x: Expr) -> Expr:
        found = transform(x, rule)
        return multiply_out(found) if multiplied and found is not x else found

    return Rule("definition", ("definition",), apply)


def mentioned(expr: Expr, system: System) -> Reason:
    """Of what the definitions are put in."""
    names = [v for v in dict.fromkeys(variables(expr)) if system.body(v) is not None]
    return ("definition of ", *listed(names))


# Divergences and densities


def _divergence(x: Expr) -> Expr:
    if isinstance(x, Integral) and x.op == "divergence":
        q, p = x.args
        if not isinstance(q, Law):
            return pr.expectation(laws.log(b.div(q, p)), q, x.binders)
    return x


def _closed(x: Expr) -> Expr:
    if isinstance(x, Integral) and x.op == "divergence" and all(isinstance(a, Law) for a in x.args):
        return pr.meaning(x, {})
    return x


def _variance(x: Expr) -> Expr:
    if isinstance(x, Integral) and x.op == "variance" and not x.order:
        f, q = x.args
        mean = pr.expectation(f, q, x.binders)
        return b.sub(pr.expectation(b.mul(f, f), q, x.binders), b.mul(mean, mean))
    return x


def _conditional(x: Expr) -> Expr:
    """p(z | x) = p(x, z)/p(x), where it is not what an expectation is taken over."""
    memo: dict[Expr, Expr] = {}
    for node in postorder(x):
        if isinstance(node, Integral) and node.op in ("expectation", "variance"):
            memo[node] = Integral(node.op, (memo[node.args[0]], *node.args[1:]), node.binders, node.shape)
        elif isinstance(node, Density) and node.given:
            below = tuple(i if k in node.given else None for k, i in enumerate(node.at))
            memo[node] = b.div(Density(node.table, node.at), Density(node.table, below))
        else:
            memo[node] = rebuild(node, tuple(memo[c] for c in node.children)) if node.children else node
    return memo[x]


def _marginal(x: Expr) -> Expr:
    """∫ p(x, z) dz = p(x) and ∫ q(z) dz = 1."""
    if not isinstance(x, Integral) or x.op != "integral":
        return x
    (f,) = x.args
    bound = {y.symbol for y in x.binders}
    if isinstance(f, Density) and bound <= {i for k, i in enumerate(f.at) if k not in f.given}:
        left = tuple(None if i in bound else i for i in f.at)
        if all(i is None for k, i in enumerate(left) if k not in f.given):
            return b.ONE
        return Density(f.table, left, f.given)
    return x


# Logarithms


def _fractions(x: Expr) -> Expr:
    """Arguments of logarithms over one denominator."""
    if isinstance(x, Apply) and x.fn == "log" and not x.order and _has_sum_of_fractions(x.args[0]):
        return laws.log(over_one_denominator(x.args[0]))
    return x


def _has_sum_of_fractions(x: Expr) -> bool:
    sums = [n for n in postorder(x) if isinstance(n, Add)]
    return any(isinstance(n, Pow) and b.number_of(n.exponent) == -1 for s in sums for n in postorder(s))


def over_one_denominator(x: Expr) -> Expr:
    """A scalar rational expression as one quotient of products, by polynomial arithmetic over what it mentions."""
    atoms: dict[sympy.Symbol, Expr] = {}
    names: dict[Expr, sympy.Symbol] = {}

    def to(node: Expr) -> sympy.Expr:
        match node:
            case Num(value=v):
                return sympy.Rational(v.numerator, v.denominator)
            case Add(args=args):
                return sympy.Add(*(to(a) for a in args))
            case Mul(args=args):
                return sympy.Mul(*(to(a) for a in args))
            case Pow(base=base, exponent=Num(value=e)) if e.denominator == 1:
                return to(base) ** int(e)
        if node not in names:
            names[node] = sympy.Symbol(f"a{len(names):03}")
            atoms[names[node]] = node
        return names[node]

    return _back(sympy.factor(sympy.together(to(x))), atoms)


def _back(x: sympy.Expr, atoms: dict[sympy.Symbol, Expr]) -> Expr:
    match x:
        case sympy.Symbol():
            return atoms[x]
        case sympy.Rational():
            return b.num(Fraction(int(x.p), int(x.q)))
        case sympy.Add():
            ordered = sorted(x.args, key=lambda t: (t.could_extract_minus_sign(), str(t)))
            return b.add(*(_back(a, atoms) for a in ordered))
        case sympy.Mul():
            return b.mul(*(_back(a, atoms) for a in x.args))
    return b.power(_back(x.args[0], atoms), b.num(int(x.args[1])))


def _logs(x: Expr) -> Expr:
    """log ab = log a + log b, log a/b = log a − log b, log aⁿ = n log a, log eᵃ = a, log 4 = 2 log 2."""
    if not isinstance(x, Apply) or x.fn != "log" or x.order:
        return x
    return b.add(*_log_terms(x.args[0]))


def _log_terms(x: Expr) -> list[Expr]:
    match x:
        case Mul(args=args):
            return [t for a in args for t in _log_terms(a)]
        case Pow(base=base, exponent=e) if not base.order:
            return [b.mul(e, t) for t in _log_terms(base)]
        case Apply(fn="exp", args=(a,)):
            return [a]
        case Const(name="e"):
            return [b.ONE]
        case Num(value=v) if v > 0:
            factors = {**sympy.factorint(v.numerator)}
            for prime, n in sympy.factorint(v.denominator).items():
                factors[prime] = factors.get(prime, 0) - n
            return [b.mul(b.num(int(n)), laws.log(b.num(int(p)))) for p, n in factors.items() if p != 1]
    return [laws.log(x)]


# Expectations


def _linear(x: Expr) -> Expr:
    """E[Σ c f] = Σ c E[f], E[c] = c."""
    if not isinstance(x, Integral) or x.op not in ("expectation", "integral") or x.order:
        return x
    bound = {y.symbol for y in x.binders}
    total: list[Expr] = []
    for term in terms_of(multiply_out(x.args[0])):
        factors = term.args if isinstance(term, Mul) else (term,)
        outside = [f for f in factors if not free_ints(f) & bound]
        inside = [f for f in factors if free_ints(f) & bound]
        whole = Integral(x.op, (b.mul(*inside) if inside else b.ONE, *x.args[1:]), x.binders, ())
        if not inside and x.op == "expectation" and pr.normalised(x.args[1], bound):
            total.append(b.mul(*outside))
        else:
            total.append(b.mul(*outside, whole))
    return b.add(*total) if total else b.ZERO


def _moments(x: Expr) -> Expr:
    """E[z] = μ, E[z²] = μ² + σ², and so on, for a normal z."""
    if not isinstance(x, Integral) or x.op != "expectation" or x.order or not isinstance(x.args[1], Law):
        return x
    f, law = x.args
    assert isinstance(law, Law)
    z, *parameters = law.args
    degree = 1 if f is z else b.number_of(f.exponent) if isinstance(f, Pow) and f.base is z else None
    if degree is None or z.order or law.name != "normal" or degree not in (1, 2, 3, 4):
        return x
    mean, cov = parameters
    moments = [b.ONE, mean]
    for n in range(2, int(degree) + 1):
        moments.append(b.add(b.mul(mean, moments[-1]), b.mul(b.num(n - 1), cov, moments[-2])))
    return multiply_out(moments[int(degree)])


def terms_of(x: Expr) -> Sequence[Expr]:
    """The terms of a sum."""
    return x.args if isinstance(x, Add) else (x,)


def everywhere(rule: Callable[[Expr], Expr]) -> Callable[[Expr], Expr]:
    """A rewrite at every node, from the leaves up."""
    return lambda root: transform(root, rule)


RULES: tuple[Rule, ...] = (
    Rule("definition of KL", ("definition of KL",), everywhere(_divergence)),
    Rule("closed form", ("KL of two normal densities",), everywhere(_closed)),
    Rule("definition of the variance", ("Var f = E f² − (E f)²",), everywhere(_variance)),
    Rule("conditional density", ("Bayes: a conditional density is the joint one over the marginal",), _conditional),
    Rule("fractions", ("one denominator inside the logarithm",), everywhere(_fractions)),
    Rule("logarithm", ("the logarithm of a product is a sum",), everywhere(_logs)),
    Rule("linearity", ("linearity; what does not depend on the variable comes out",), everywhere(_linear)),
    Rule("marginalisation", ("marginalisation; a density integrates to 1",), everywhere(_marginal)),
    Rule("moments", ("moments of a normal variable",), everywhere(_moments)),
    Rule("like terms", ("multiplied out, like terms collected",), lambda x: multiply_out(multiply_out(x))),
)


def canonical(x: Expr, system: System) -> Expr:
    """The end of all rules."""
    for rule in (definitions(system), *RULES):
        x = rule.apply(x)
    return x


def closed_form(x: Expr) -> Expr:
    """Means over normal variables by their moments, over Bernoulli variables as sums, divergences by their formulas.

    An expression with a mean over a normal variable for which no formula is known stays as it is.
    """
    if not any(isinstance(n, Law) for n in postorder(x)):
        return x
    found = x
    for rule in (*RULES, *RULES):
        found = rule.apply(found)
    means = [n for n in postorder(found) if isinstance(n, Integral) and n.op in ("expectation", "variance")]
    if any(isinstance(a, Law) and a.name == "normal" for n in means for a in n.args):
        return x
    return pr.expanded(found)


def as_terms(x: Expr) -> dict[Expr, Fraction]:
    """A sum as numbers by term, the order of the terms and of the factors forgotten."""
    out: dict[Expr, Fraction] = {}
    for term in terms_of(x):
        c, rest = b.coefficient(term)
        key = _sorted(rest)
        out[key] = out.get(key, Fraction(0)) + c
    return {k: c for k, c in out.items() if c}


def _sorted(x: Expr) -> Expr:
    """The same with the terms and factors of all its scalars in one order."""

    def rule(node: Expr) -> Expr:
        if isinstance(node, Add) and len({a.shape for a in node.args}) == 1:
            return b.add(*sorted(node.args, key=repr))
        if isinstance(node, Mul) and all(a.order == 0 for a in node.args):
            return b.mul(*sorted(node.args, key=repr))
        if isinstance(node, MatMul) and not node.order and len(node.args) == 2 and isinstance(node.args[0], Transpose):
            left, right = sorted((node.args[0].arg, node.args[1]), key=repr)
            return b.inner(left, right)
        return node

    return transform(x, rule)


def same_terms(a: Expr, c: Expr) -> bool:
    """Whether two sums have the same terms."""
    return as_terms(a) == as_terms(c)
