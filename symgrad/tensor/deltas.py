"""Contraction of Kronecker's δ: Σ_i δ_ia f(i) = f(a), with the range of i kept as a condition where it can fail."""

from collections.abc import Iterable, Sequence

import sympy

from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, integer, replace, symbols_of
from symgrad.tensor.lowering_rules import product
from symgrad.tensor.nodes import Add, Binder, Build, Expr, Fold, Iverson, Mul, Num, Rel
from symgrad.tensor.ranges import Ranges, certain
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import reindex


def contract_deltas(expr: Expr, within: Iterable[Binder] = ()) -> Expr:
    """The expression with every sum over a δ taken, and conditions that are certain left out.

    A δ is any equation that is linear in a summed index with coefficient ±1, such as i = s·r + k − p.
    ``within`` holds the ranges of the free indices, outer ones first.
    """
    return _contract(expr, {x.symbol: x for x in within})


def _contract(expr: Expr, ranges: Ranges) -> Expr:
    def rule(node: Expr) -> Expr:
        match node:
            case Fold() | Build():
                inner = {s: x for s, x in ranges.items() if s not in {y.symbol for y in node.binders}}
                inner.update((x.symbol, x) for x in node.binders)
                body = _contract(node.body, inner)
                if isinstance(node, Build):
                    return b.build(body, node.binders)
                if node.op == "sum":
                    return _sum(body, node.binders, node.conds, ranges)
                return b.fold(node.op, body, node.binders, node.conds, node.descending)
            case Iverson(conds=conds):
                return _condition(conds, ranges)
            case Mul(args=args):
                return product(args)
        return node

    return transform(expr, rule, into=lambda x: not isinstance(x, Fold | Build))


def _condition(conds: Iterable[Rel], ranges: Ranges) -> Expr:
    left = []
    for c in conds:
        known = certain(c, ranges)
        if known is False:
            return b.ZERO
        if known is None:
            left.append(c)
    return b.iverson(*left)


def _sum(body: Expr, binders: Sequence[Binder], conds: Sequence[Rel], ranges: Ranges) -> Expr:
    """Σ of a body whose own sums are contracted already."""
    if b.is_zero(body):
        return body
    bound = {x.symbol for x in binders}
    terms = _terms(body, bound)
    if len(terms) > 1:
        return b.add(*(_sum(t, binders, conds, ranges) for t in terms))
    factors = list(terms[0].args if isinstance(terms[0], Mul) else terms)
    given = [c for f in factors if isinstance(f, Iverson) for c in f.conds]
    rest = [f for f in factors if not isinstance(f, Iverson)]
    everything = [*given, *conds]
    for c in everything:
        solved = _solve(c, binders)
        if solved is not None:
            others = [d for d in everything if d is not c]
            return _substituted(solved, rest, binders, others, ranges)
    outside = [c for c in given if not (symbols_of(c.left) | symbols_of(c.right)) & bound]
    inside = [c for c in given if c not in outside]
    inner = {**ranges, **{x.symbol: x for x in binders}}
    kept = [c for c in conds if certain(c, inner) is not True]
    guard = _condition(inside, inner)
    if not binders:
        return product([_condition(outside, ranges), guard, *rest])
    numbers = [f for f in rest if isinstance(f, Num)]
    total = b.fold("sum", product([guard, *(f for f in rest if not isinstance(f, Num))]), binders, kept)
    return product([_condition(outside, ranges), *numbers, total])


def _terms(body: Expr, bound: set[sympy.Symbol]) -> list[Expr]:
    """The body as terms, multiplied out where a δ in a factor can be contracted."""
    if isinstance(body, Add) and any(_has_delta(t, bound) for t in body.args):
        return list(body.args)
    if isinstance(body, Mul):
        for k, f in enumerate(body.args):
            if isinstance(f, Add) and any(_has_delta(t, bound) for t in f.args):
                before, after = body.args[:k], body.args[k + 1 :]
                return [product([*before, t, *after]) for t in f.args]
    return [body]


def _has_delta(term: Expr, bound: set[sympy.Symbol]) -> bool:
    factors = term.args if isinstance(term, Mul) else (term,)
    return any(
        c.op == "==" and (symbols_of(c.left) | symbols_of(c.right)) & bound
        for f in factors
        if isinstance(f, Iverson)
        for c in f.conds
    )


def _solve(c: Rel, binders: Sequence[Binder]) -> tuple[Binder, Int] | None:
    """A summed index that an equation settles, with its value."""
    if c.op != "==":
        return None
    gap = difference(c.left, c.right)
    for x in binders:
        if x.symbol not in symbols_of(gap):
            continue
        slope = sympy.expand(gap).coeff(x.symbol, 1)
        if slope not in (1, -1):
            continue
        value = integer(sympy.expand(x.symbol - slope * gap))
        later = symbols_of(value) & {y.symbol for y in binders}
        moving = any(y.symbol in later and x.symbol in symbols_of(y.lo) | symbols_of(y.hi) for y in binders)
        if x.symbol not in symbols_of(value) and not moving:
            return x, value
    return None


def _substituted(
    solved: tuple[Binder, Int],
    rest: Sequence[Expr],
    binders: Sequence[Binder],
    conds: Sequence[Rel],
    ranges: Ranges,
) -> Expr:
    """Σ over the other indices of the rest at the settled value, where that value is in range."""
    x, value = solved
    mapping = {x.symbol: value}

    def moved(c: Rel) -> Rel:
        return Rel(c.op, replace(c.left, mapping), replace(c.right, mapping))

    others = [Binder(y.symbol, replace(y.lo, mapping), replace(y.hi, mapping)) for y in binders if y is not x]
    in_range = (Rel("<=", x.lo, value), Rel("<=", value, x.hi))
    inner = {**ranges, **{y.symbol: y for y in others}}
    guard = _condition([*(moved(c) for c in conds), *in_range], inner)
    body = product([guard, *(reindex(f, mapping) for f in rest)])
    return _sum(body, others, (), ranges)
