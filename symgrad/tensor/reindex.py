"""Step and index symbols of expressions: which are free, putting others in their place, ranges unfolded."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias
from weakref import WeakKeyDictionary

import sympy

from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, replace, symbols_of
from symgrad.tensor.nodes import (
    At,
    Binder,
    Build,
    Call,
    Count,
    Cut,
    Density,
    Deriv,
    Entry,
    Expr,
    Eye,
    Fold,
    Full,
    Integral,
    Item,
    Iverson,
    Literal,
    Opaque,
    Pick,
    Rel,
    Var,
)
from symgrad.tensor.rebuild import rebuild
from symgrad.tensor.walk import postorder

_Binding: TypeAlias = Fold | Build | Opaque | Integral
_BINDING = (Fold, Build, Opaque, Integral)
"""The kinds of nodes that bind indices."""


def free_ints(root: Expr) -> frozenset[sympy.Symbol]:
    """The size, step and index symbols that are free in an expression."""
    memo: dict[Expr, frozenset[sympy.Symbol]] = {}
    for node in postorder(root):
        found: frozenset[sympy.Symbol] = frozenset().union(*(memo[c] for c in node.children))
        found |= own_ints(node)
        if isinstance(node, _BINDING):
            for x in node.binders:
                found |= symbols_of(x.lo) | symbols_of(x.hi)
            found -= {x.symbol for x in node.binders}
        memo[node] = found
    return memo[root]


def own_ints(node: Expr) -> frozenset[sympy.Symbol]:
    """The symbols in what a node says beside its operands, its shape and its ranges: subscripts, places, conditions."""
    match node:
        case Var(subs=subs):
            return _symbols(subs)
        case Count(value=value):
            return symbols_of(value)
        case Iverson(conds=conds) | Fold(conds=conds):
            return _symbols([side for c in conds for side in (c.left, c.right)])
        case Entry(items=items):
            return frozenset(free_symbols_of_items(items))
        case Density(at=at):
            return _symbols([i for i in at if i is not None])
        case Call(params=params):
            return _symbols([v for _, v in params if isinstance(v, sympy.Expr)])
    return frozenset()


def _symbols(values: Iterable[Int]) -> frozenset[sympy.Symbol]:
    return frozenset().union(*(symbols_of(v) for v in values))


def reindex(root: Expr, mapping: Mapping[sympy.Symbol, Int]) -> Expr:
    """The expression with step and index symbols replaced; bound ones are left, and renamed on a clash."""
    mapping = {s: v for s, v in mapping.items() if v != s}
    if not mapping:
        return root
    if not root.children:
        return _reindex_plain(root, (), mapping)
    known = _reindexed.setdefault(root, {})
    key = tuple(mapping.items())
    found = known.get(key)
    if found is None:
        found = _reindex(root, mapping)
        if found is root:
            return root  # kept, it would keep itself
        known[key] = found
    return found


_reindexed: "WeakKeyDictionary[Expr, dict[tuple[tuple[sympy.Symbol, Int], ...], Expr]]" = WeakKeyDictionary()


def _reindex(root: Expr, mapping: Mapping[sympy.Symbol, Int]) -> Expr:
    memo: dict[Expr, Expr] = {}
    for node in postorder(root, into=lambda x: not isinstance(x, _BINDING)):
        if isinstance(node, _BINDING):
            memo[node] = _reindex_binder(node, mapping)
        else:
            memo[node] = _reindex_plain(node, tuple(memo[c] for c in node.children), mapping)
    return memo[root]


def _reindex_plain(node: Expr, children: tuple[Expr, ...], mapping: Mapping[sympy.Symbol, Int]) -> Expr:
    def sizes(shape: Iterable[Int]) -> tuple[Int, ...]:
        return tuple(replace(s, mapping) for s in shape)

    match node:
        case Var():
            return Var(node.name, sizes(node.subs), sizes(node.shape), node.facts)
        case Count():
            return b.count(replace(node.value, mapping))
        case Full():
            return b.full(node.value, sizes(node.shape))
        case Eye():
            return b.eye(replace(node.size, mapping))
        case Literal():
            return node
        case Iverson():
            return b.iverson(*(_reindex_rel(c, mapping) for c in node.conds))
        case Entry():
            picked = iter(children[1:])
            items = [_reindex_item(i, mapping, picked) for i in node.items]
            return b.entry(children[0], items, checked=False)
        case Call() if node.fn not in ("diag", "diagpart"):
            params = tuple((k, replace(v, mapping) if isinstance(v, sympy.Expr) else v) for k, v in node.params)
            return Call(node.fn, children, params, sizes(node.shape))
        case Density():
            return Density(children[0], tuple(i if i is None else replace(i, mapping) for i in node.at), node.given)
        case Deriv():
            held = frozenset(reindex(h, mapping) for h in node.held)
            return b.deriv(children[0], children[1], node.kind, held)
    return rebuild(node, children) if children != node.children else node


def _reindex_item(item: Item, mapping: Mapping[sympy.Symbol, Int], picked: Iterator[Expr]) -> Item:
    match item:
        case At(index=i):
            return At(replace(i, mapping))
        case Cut(lo=lo, hi=hi):
            return Cut(replace(lo, mapping), replace(hi, mapping))
    return Pick(next(picked))


def _reindex_rel(r: Rel, mapping: Mapping[sympy.Symbol, Int]) -> Rel:
    return b.rel(r.op, replace(r.left, mapping), replace(r.right, mapping))


def bound_in(node: Expr) -> frozenset[sympy.Symbol]:
    """The indices that a node itself binds."""
    return frozenset(x.symbol for x in node.binders)


def renamed_apart(node: Expr, taken: frozenset[sympy.Symbol]) -> Expr:
    """The same sum, product, tensor, loss or integral over indices that are not among the taken ones."""
    return _reindex_binder(node, {}, taken) if isinstance(node, _BINDING) else node


def _reindex_binder(
    node: _Binding, mapping: Mapping[sympy.Symbol, Int], apart: frozenset[sympy.Symbol] = frozenset()
) -> Expr:
    bound = {x.symbol for x in node.binders}
    inner = {s: v for s, v in mapping.items() if s not in bound}
    arriving = _symbols(inner.values()) | apart
    taken = set(arriving) | bound | set().union(*(free_ints(c) for c in node.children))
    renamed: dict[sympy.Symbol, Int] = {}
    fresh: list[Binder] = []
    for x in node.binders:
        symbol = x.symbol
        if symbol in arriving:
            symbol = fresh_symbol(symbol, taken)
            taken.add(symbol)
            renamed[x.symbol] = symbol
        fresh.append(Binder(symbol, replace(x.lo, {**inner, **renamed}), replace(x.hi, {**inner, **renamed})))
    inner.update(renamed)
    if isinstance(node, Opaque):
        return b.opaque(node.name, [reindex(a, inner) for a in node.args], fresh)
    if isinstance(node, Integral):
        shape = tuple(replace(s, inner) for s in node.shape)
        return Integral(node.op, tuple(reindex(a, inner) for a in node.args), tuple(fresh), shape)
    body = reindex(node.body, inner)
    if isinstance(node, Build):
        return b.build(body, fresh)
    conds = [_reindex_rel(c, inner) for c in node.conds]
    return b.fold(node.op, body, fresh, conds, node.descending)


_POOL = "kjilmpqrsuvabc"


def fresh_symbol(like: sympy.Symbol, taken: Iterable[sympy.Symbol]) -> sympy.Symbol:
    """An index symbol with a name a person would choose that is not taken."""
    names = {s.name for s in taken}
    for letter in (like.name, *_POOL):
        if letter not in names:
            return sympy.Symbol(letter, integer=True)
    n = 1
    while f"k{n}" in names:
        n += 1
    return sympy.Symbol(f"k{n}", integer=True)


def unfold(node: Fold, limit: int = 10_000) -> list[Expr] | None:
    """The terms of a fold with numeric ranges, in order; None where a range is symbolic."""
    terms: list[Expr] = [node.body]
    conds: list[tuple[Rel, ...]] = [node.conds]
    for x in node.binders:
        step_terms: list[Expr] = []
        step_conds: list[tuple[Rel, ...]] = []
        if not isinstance(x.lo, int) or not isinstance(x.hi, int):
            return None
        values = range(x.lo, x.hi + 1)
        if len(values) * len(terms) > limit:
            return None
        for term, guard in zip(terms, conds, strict=True):
            for v in reversed(values) if node.descending else values:
                step_terms.append(reindex(term, {x.symbol: v}))
                step_conds.append(tuple(_reindex_rel(c, {x.symbol: v}) for c in guard))
        terms, conds = step_terms, step_conds
    kept: list[Expr] = []
    for term, guard in zip(terms, conds, strict=True):
        known = [b.holds(c) for c in guard]
        if any(k is False for k in known):
            continue
        if any(k is None for k in known):
            return None
        kept.append(term)
    return kept


def free_symbols_of_items(items: Iterable[Item]) -> set[sympy.Symbol]:
    """The index symbols in a list of items."""
    out: set[sympy.Symbol] = set()
    for item in items:
        match item:
            case At(index=i):
                out |= symbols_of(i)
            case Cut(lo=lo, hi=hi):
                out |= symbols_of(lo) | symbols_of(hi)
    return out
