"""Scalar factors that cancel, and signs that read well: identities applied after the chain rule."""

from symgrad.calculus.rewrite import MOST_TERMS, size
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Add, Apply, Deriv, Expr, Mul, Num, Pow
from symgrad.tensor.rebuild import transform
from symgrad.tensor.walk import postorder


def settled(root: Expr) -> Expr:
    """What is left when scalar factors cancel, terms that are alike are added up and signs are put in order."""
    return signs(over_one_denominator(alike(cancel(root))))


def _plain(x: Expr) -> bool:
    return not isinstance(x, Deriv)


def cancel(root: Expr) -> Expr:
    """Sums over denominators multiplied out, entry by entry, where they cancel: (a/p − b/q) p q = a q − b p."""
    return transform(root, lambda x: _cancel(x) if isinstance(x, Mul) else x, into=_plain)


def _cancel(x: Expr) -> Expr:
    x = _signed(x)
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
    first: dict[frozenset[Expr], Expr] = {}
    terms: list[Expr] = []
    for t in x.args:
        number, rest = b.coefficient(t)
        key = frozenset(rest.args) if isinstance(rest, Mul) else frozenset([rest])
        terms.append(b.mul(b.num(number), first.setdefault(key, rest)))
    return b.add(*terms) if len(first) < len(terms) else x


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
            return _added_first(x)
        if isinstance(x, Mul) and b.coefficient(x)[0] < 0:
            for k, f in enumerate(x.args):
                if isinstance(f, Add) and (b.coefficient(f.args[0])[0] < 0 or _takes_one_away(f)):
                    return b.mul(b.MINUS_ONE, *x.args[:k], _added_first(b.neg(f)), *x.args[k + 1 :])
        return x

    return transform(root, rule, into=_plain)


def _added_first(x: Expr) -> Expr:
    """−a + b as b − a, for numbers and vectors."""
    if not isinstance(x, Add) or not _falls(x) or x.order > 1:
        return x
    return Add(tuple(sorted(x.args, key=lambda t: b.coefficient(t)[0] < 0)), x.shape, x.is_row)


def _takes_one_away(x: Add) -> bool:
    return any(isinstance(t, Num) and t.value < 0 for t in x.args)


def _falls(x: Add) -> bool:
    """Whether a sum begins with what is taken away, though something is added."""
    negative = [b.coefficient(t)[0] < 0 for t in x.args]
    return negative[0] and not all(negative)
