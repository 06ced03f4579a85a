"""Scalar factors that cancel, and signs that read well: identities applied after the chain rule."""

import sympy

from symgrad.calculus.rewrite import MOST_TERMS, size
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Add, Apply, Deriv, Expr, Eye, Fold, MatMul, Mul, Num, Pow, Reduce, Transpose
from symgrad.tensor.rebuild import rebuild, transform
from symgrad.tensor.reindex import free_ints, reindex
from symgrad.tensor.walk import postorder


def settled(root: Expr) -> Expr:
    """What is left when scalar factors cancel, terms that are alike are added up and signs are put in order."""
    return signs(over_one_denominator(alike(cancel(outside_sums(squared_roots(root))))))


def _plain(x: Expr) -> bool:
    return not isinstance(x, Deriv)


def cancel(root: Expr) -> Expr:
    """Sums over denominators multiplied out, entry by entry, where they cancel: (a/p − b/q) p q = a q − b p."""
    return transform(root, lambda x: _cancel(x) if isinstance(x, Mul) else x, into=_plain)


def _cancel(x: Expr) -> Expr:
    x = _logistic(_signed(x))
    if not isinstance(x, Mul):
        return x
    by_entries = all(f.order in (0, x.order) and f.row == x.row for f in x.args if f.order)
    scalars = [f for f in x.args if f.order == 0]
    factors = next((fs for fs in (scalars, x.args if by_entries else ()) if any(_is_quotients(f) for f in fs)), None)
    if factors is None:
        return x
    short = b.mul(alike(_expanded(b.mul(*factors))), *(f for f in x.args if f not in factors))
    return short if size(short) < size(x) else x


def _is_quotients(x: Expr) -> bool:
    return isinstance(x, Add) and any(_denominators(t) for t in x.args)


def _signed(x: Expr) -> Expr:
    """sign(u) u = |u|, entry by entry."""
    factors = list(x.args) if isinstance(x, Mul) else []
    for s in factors:
        if isinstance(s, Apply) and s.fn == "sign" and s.args[0] in factors:
            rest = list(factors)
            rest[rest.index(s)] = b.apply("abs", s.args[0])
            rest.remove(s.args[0])
            return _signed(b.mul(*rest))
    return x


def _logistic(x: Expr) -> Expr:
    """e^u / (1 + e^u) = 1 / (1 + e^{−u}), entry by entry."""
    factors = list(x.args) if isinstance(x, Mul) else []
    for f in factors:
        below = b.power(b.add(b.ONE, f), b.MINUS_ONE) if isinstance(f, Apply) and f.fn == "exp" else None
        if below is not None and isinstance(f, Apply) and below in factors:
            turned = b.power(b.add(b.ONE, b.apply("exp", b.neg(f.args[0]))), b.MINUS_ONE)
            return b.mul(*(turned if y is below else y for y in factors if y is not f))
    return x


def may_cancel(g: Expr, p: Expr) -> bool:
    """Whether a sum in a product has terms with p in their denominators, as the slope of a cross-entropy has."""
    sums = [f for f in (g.args if isinstance(g, Mul) else (g,)) if isinstance(f, Add)]
    return any(p in postorder(d) for f in sums for t in f.args for d in _denominators(t))


def _denominators(t: Expr) -> list[Expr]:
    factors = t.args if isinstance(t, Mul) else (t,)
    return [f for f in factors if isinstance(f, Pow) and (b.number_of(f.exponent) or 0) < 0]


def _expanded(x: Expr) -> Expr:
    """A product of scalars multiplied out over its sums, those with denominators first, so that factors cancel."""
    factors = x.args if isinstance(x, Mul) else (x,)
    sums = [f for f in factors if isinstance(f, Add) and len(f.args) * len(factors) <= MOST_TERMS]
    if not sums:
        return x
    chosen = next((f for f in sums if any(_denominators(t) for t in f.args)), sums[0])
    rest = [f for f in factors if f is not chosen]
    return b.add(*(_expanded(b.mul(t, *rest)) for t in chosen.args))


def alike(root: Expr) -> Expr:
    """Terms that differ in the order of their factors added up: a b + c − b a = c."""
    return transform(root, lambda x: _alike(x) if isinstance(x, Add) else x, into=_plain)


def _alike(x: Add) -> Expr:
    first: dict[object, Expr] = {}
    terms: list[Expr] = []
    for t in x.args:
        number, rest = b.coefficient(t)
        turned = _turned(rest)
        if turned is not None and _sorted(rest) not in first and _sorted(turned) in first:
            number, rest = -number, turned
        terms.append(b.mul(b.num(number), first.setdefault(_sorted(rest), rest)))
    return b.add(*terms) if len(first) < len(terms) else x


def _sorted(x: Expr) -> object:
    """What is the same for products whose factors, or sums whose terms, differ in order or by the name of the index."""
    if isinstance(x, Fold) and isinstance(x.body, Add) and not x.conds:
        own = {y.symbol: sympy.Symbol(f"index {k}", integer=True) for k, y in enumerate(x.binders)}
        terms = frozenset(reindex(t, own) for t in x.body.args)
        return x.op, tuple((y.lo, y.hi) for y in x.binders), terms
    if isinstance(x, Reduce) and isinstance(x.arg, Add):
        return x.op, x.axes, frozenset(x.arg.args)
    return frozenset(x.args) if isinstance(x, Mul) else frozenset([x])


def _turned(x: Expr) -> Expr | None:
    """The sum with the opposite sign, Σ (b − a) for Σ (a − b)."""
    match x:
        case Fold(op="sum", body=Add(args=terms)) | Reduce(op="sum", arg=Add(args=terms)):
            return rebuild(x, (b.add(*(b.neg(t) for t in terms)),))
    return None


def squared_roots(root: Expr) -> Expr:
    """(√u)² = u."""

    def rule(x: Expr) -> Expr:
        match x:
            case Pow(base=Apply(fn="sqrt", args=(u,)), exponent=Num(value=n)) if n.denominator == 1 and n % 2 == 0:
                return b.power(u, b.num(n / 2))
        return x

    return transform(root, rule, into=_plain)


def outside_sums(root: Expr) -> Expr:
    """Scalar factors that do not vary taken out of sums: Σ_t (−a b_t) = −a Σ_t b_t."""
    return transform(root, lambda x: _outside(x) if isinstance(x, Fold) else x, into=_plain)


def _outside(x: Fold) -> Expr:
    if x.op != "sum" or not isinstance(x.body, Mul):
        return x
    own = {y.symbol for y in x.binders}
    scalars = [f for f in x.body.args if not f.order and not free_ints(f) & own]
    if not scalars or len(scalars) == len(x.body.args):
        return x
    return b.mul(*scalars, b.fold("sum", b.mul(*(f for f in x.body.args if f not in scalars)), x.binders, x.conds))


def over_one_denominator(root: Expr) -> Expr:
    """a/n − b/n = (a − b)/n, where all terms of a sum have the same denominators."""
    return transform(root, lambda x: _over_one(x) if isinstance(x, Add) else x, into=_plain)


def _over_one(x: Add) -> Expr:
    shared = _denominators(x.args[0])
    shared = [d for d in shared if d.order == 0 and all(d in _denominators(t) for t in x.args)]
    if not shared or any(t.order != x.order for t in x.args):
        return x
    away = [b.power(d, b.MINUS_ONE) for d in shared]
    rest = b.add(*(b.mul(*away, t) for t in x.args))
    return b.mul(*shared, rest) if x.order else b.mul(rest, *shared)


def signs(root: Expr) -> Expr:
    """−(−1 + y) a = (1 − y) a, and −a + b = b − a for numbers and vectors."""

    def rule(x: Expr) -> Expr:
        if isinstance(x, Add):
            return _as_row(_added_first(x))
        if isinstance(x, Mul) and b.coefficient(x)[0] < 0:
            if isinstance(x.args[-1], MatMul) and (turned := _turned_factor(x.args[-1])) is not None:
                return b.mul(b.MINUS_ONE, *x.args[:-1], turned)
            for k, f in enumerate(x.args):
                if isinstance(f, Add) and (b.coefficient(f.args[0])[0] < 0 or _takes_one_away(f)):
                    return b.mul(b.MINUS_ONE, *x.args[:k], _added_first(b.neg(f)), *x.args[k + 1 :])
        return x

    return transform(root, rule, into=_plain)


def _turned_factor(x: MatMul) -> Expr | None:
    """(b − a) … with its first factor turned, where it is opposite to another: −(b − a)(a − b)ᵀ = (a − b)(a − b)ᵀ."""
    first = x.args[0]
    if not isinstance(first, Add):
        return None
    opposite = {frozenset(b.neg(t) for t in first.args)}
    others = [f.arg if isinstance(f, Transpose) else f for f in x.args[1:]]
    match = next((f for f in others if isinstance(f, Add) and frozenset(f.args) in opposite), None)
    return None if match is None else b.matmul(match, *x.args[1:])


def _added_first(x: Expr) -> Expr:
    """−a + b as b − a, for numbers and vectors; −I + A as A − I."""
    if isinstance(x, Add) and len(x.args) == 2 and isinstance(x.args[0], Transpose) and x.args[0].arg is x.args[1]:
        return Add(x.args[::-1], x.shape, x.is_row)  # S + Sᵀ
    if not isinstance(x, Add) or not _falls(x) or (x.order > 1 and not isinstance(b.coefficient(x.args[0])[1], Eye)):
        return x
    return Add(tuple(sorted(x.args, key=lambda t: b.coefficient(t)[0] < 0)), x.shape, x.is_row)


def _as_row(x: Expr) -> Expr:
    """(a − b)ᵀ for aᵀ − bᵀ."""
    if not isinstance(x, Add) or not x.row or any(not t.row for t in x.args):
        return x
    return Transpose(b.add(*(b.transpose(t) for t in x.args)), x.shape)


def _takes_one_away(x: Add) -> bool:
    return any(isinstance(t, Num) and t.value < 0 for t in x.args)


def _falls(x: Add) -> bool:
    """Whether a sum begins with what is taken away, though something is added."""
    negative = [b.coefficient(t)[0] < 0 for t in x.args]
    return negative[0] and not all(negative)
