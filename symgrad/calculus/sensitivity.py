"""One definition differentiated: what an adjoint of its value contributes to each named node that it reads."""

from collections.abc import Callable, Sequence, Set

import sympy
from msgspec import Struct

from symgrad.calculus.in_matrices import in_matrices
from symgrad.calculus.layer_adjoints import input_adjoint
from symgrad.calculus.pullback import CALLS, Contribution, fit, pullback
from symgrad.errors import InternalError
from symgrad.tensor import build as b
from symgrad.tensor.deltas import contract_deltas
from symgrad.tensor.dependence import dependence
from symgrad.tensor.integers import Int, replace, same, symbols_of
from symgrad.tensor.lower import component
from symgrad.tensor.lowering_rules import fresh_indices
from symgrad.tensor.nodes import At, Binder, Build, Call, Compare, Count, Expr, Fold, Iverson, Opaque, Rel, Var
from symgrad.tensor.probability import expanded
from symgrad.tensor.reindex import free_ints, fresh_symbol, reindex
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder, variables


class Sensitivity(Struct, frozen=True):
    """The adjoint ``value`` that arrives at a node, summed over the binders where the conditions hold."""

    atom: Var
    value: Expr
    binders: tuple[Binder, ...] = ()
    conds: tuple[Rel, ...] = ()


def sensitivities(
    body: Expr, ans: Expr, g: Expr, wanted: Callable[[Var], bool] = lambda _: True
) -> tuple[Sensitivity, ...]:
    """The adjoints that g, the adjoint of body, sends to the named nodes in it, in the order of first mention.

    Args:
        body: what a node is defined as.
        ans: the node itself, so that rules may use its value by name.
        g: its adjoint, of its shape.
        wanted: which named nodes matter; the rest of the graph is not visited.
    """
    body = in_matrices(expanded(body))
    outside = free_ints(body)
    order = postorder(body, into=lambda x: not isinstance(x, Fold | Build | Opaque))
    live: set[Expr] = set()
    for node in order:
        if _is_live(node, live, wanted):
            live.add(node)
    adjoint: dict[Expr, Expr] = {body: g}
    found: dict[tuple[Expr, tuple[Binder, ...], tuple[Rel, ...]], Sensitivity] = {}
    for node in reversed(order):
        if node not in live or node not in adjoint:
            continue
        incoming = adjoint[node]
        value = ans if node is body else node
        if isinstance(node, Var):
            _collect(found, [Sensitivity(node, incoming)])
        elif isinstance(node, Fold | Build | Opaque):
            _collect(found, _through_binder(node, value, incoming, wanted, outside))
        else:
            for child, part in zip(node.children, _contributions(node, value, incoming, live), strict=True):
                if part is not None and child in live:
                    adjoint[child] = b.add(adjoint[child], part) if child in adjoint else part
    ranks = {x: k for k, x in enumerate(postorder(body))}
    return tuple(sorted(found.values(), key=lambda s: ranks.get(s.atom, 0)))


def _contributions(node: Expr, ans: Expr, g: Expr, live: Set[Expr]) -> tuple[Contribution, ...]:
    if not isinstance(node, Call) or node.fn in CALLS:
        return pullback(node, ans, g)
    first, *others = node.args
    layer = input_adjoint(node, g) if first in live and first not in others else None
    if layer is None or any(x in live for x in others):
        parts = by_entries(node, ans, g)
        return parts if layer is None else (layer, *parts[1:])
    return (layer, *(None for _ in others))


def by_entries(node: Call, ans: Expr, g: Expr) -> tuple[Contribution, ...]:
    """Σ_i g_i ∂y_i/∂x_j from the index notation of y, for a function without a rule of its own."""
    outside = frozenset(s.name for x in (g, node) for s in dependence(x).symbols)
    outside |= {v.name for v in variables(g, node)}
    names, _ = fresh_indices(node.order, outside)
    rows = tuple(1 if same(n, 1) else s for s, n in zip(names, node.shape, strict=True))
    stands = tuple(Var(f"operand {k}", (), x.shape) for k, x in enumerate(node.args))
    operands: dict[Expr, Expr] = dict(zip(stands, node.args, strict=True))
    entry = component(Call(node.fn, stands, node.params, node.shape), rows)
    value = b.at(ans, *rows) if isinstance(ans, Var) and rows else entry
    own = [Binder(s, 1, n) for s, n in zip(names, node.shape, strict=True) if not same(n, 1)]
    found = sensitivities(entry, value, b.at(g, *rows) if rows else g)
    out: list[Contribution] = []
    for x in stands:
        parts = [b.fold("sum", s.value, (*own, *s.binders), s.conds) for s in found if s.atom is x]
        columns, _ = fresh_indices(x.order, outside)
        places = [Binder(c, 1, n) for c, n in zip(columns, x.shape, strict=True)]
        contracted = [contract_deltas(component(p, columns), places) for p in parts]
        named = component(replace_nodes(b.add(*contracted), operands), ()) if parts else None
        out.append(None if named is None else b.build(contract_deltas(named, places), places))
    return tuple(out)


def _is_live(node: Expr, live: set[Expr], wanted: Callable[[Var], bool]) -> bool:
    if isinstance(node, Var):
        return wanted(node)
    if isinstance(node, Fold) and isinstance(node.body, Compare):
        return False
    if isinstance(node, Fold | Build | Opaque):
        return any(isinstance(x, Var) and wanted(x) for x in postorder(node))
    return any(c in live for c in node.children)


def _collect(
    found: dict[tuple[Expr, tuple[Binder, ...], tuple[Rel, ...]], Sensitivity], more: Sequence[Sensitivity]
) -> None:
    for s in more:
        key = (s.atom, s.binders, s.conds)
        old = found.get(key)
        value = s.value if old is None else b.add(old.value, s.value)
        found[key] = Sensitivity(s.atom, value, s.binders, s.conds)


def _through_binder(
    node: Fold | Build | Opaque, ans: Expr, g: Expr, wanted: Callable[[Var], bool], outside: Set[sympy.Symbol]
) -> list[Sensitivity]:
    if isinstance(node, Opaque):
        return [
            Sensitivity(a, b.mul(g, b.deriv(ans, a, "immediate")), node.binders)
            for a in node.args
            if isinstance(a, Var) and wanted(a)
        ]
    node = _apart(node, free_ints(g) | outside)
    if isinstance(node, Build):
        indices = [x.symbol for x in node.binders]
        inner = sensitivities(node.body, node.body, b.entry(g, [At(i) for i in indices]), wanted)
        return [gathered(Sensitivity(s.atom, s.value, (*node.binders, *s.binders), s.conds)) for s in inner]
    weight, conds = _fold_weight(node, ans, g)
    inner = sensitivities(node.body, node.body, weight, wanted)
    return [gathered(Sensitivity(s.atom, s.value, (*node.binders, *s.binders), (*conds, *s.conds))) for s in inner]


def gathered(s: Sensitivity) -> Sensitivity:
    """Σ_j c_j e_j as the tensor with the entries c_j, where every entry has one formula and the index picks no node."""
    steps = frozenset().union(*(symbols_of(i) for v in variables(s.value) for i in v.subs))
    own = [x for x in s.binders if x.symbol not in steps]
    placed = _places(s.value)
    if not s.atom.order or not placed & {x.symbol for x in own} or placed & steps:
        return s
    columns, _ = fresh_indices(s.atom.order, frozenset(x.name for x in dependence(s.value).symbols))
    places = [Binder(c, 1, n) for c, n in zip(columns, s.atom.shape, strict=True)]
    inside = [c for c in s.conds if (symbols_of(c.left) | symbols_of(c.right)) & {x.symbol for x in own}]
    entry = contract_deltas(component(b.fold("sum", s.value, own, inside), columns), places)
    if any(isinstance(x, Iverson) for x in postorder(entry)):
        return s
    value = in_matrices(b.build(entry, places))
    kept = tuple(x for x in s.binders if x not in own)
    return Sensitivity(s.atom, value, kept, tuple(c for c in s.conds if c not in inside))


def _places(x: Expr) -> frozenset[sympy.Symbol]:
    """The indices at which unit vectors have their 1, and those that conditions compare."""
    units = (y.args[0] for y in postorder(x) if isinstance(y, Call) and y.fn == "one_hot")
    conds = (c for y in postorder(x) if isinstance(y, Iverson) for c in y.conds)
    found = [free_ints(u) for u in units if isinstance(u, Count)]
    return frozenset().union(*found, *(symbols_of(c.left) | symbols_of(c.right) for c in conds))


def _apart(node: Fold | Build, free: Set[sympy.Symbol]) -> Fold | Build:
    """The node with those bound indices renamed that are free in the adjoint or elsewhere in the definition."""
    moved: dict[sympy.Symbol, Int] = {}
    taken = set(free) | set(free_ints(node.body)) | {x.symbol for x in node.binders}
    own = []
    for x in node.binders:
        symbol = x.symbol
        if symbol in free:
            symbol = fresh_symbol(symbol, taken)
            taken.add(symbol)
        own.append(Binder(symbol, replace(x.lo, moved), replace(x.hi, moved)))
        if symbol != x.symbol:
            moved[x.symbol] = symbol
    if not moved:
        return node
    body = reindex(node.body, moved)
    if isinstance(node, Build):
        return Build(body, tuple(own), node.shape)
    conds = tuple(b.rel(c.op, replace(c.left, moved), replace(c.right, moved)) for c in node.conds)
    return Fold(node.op, body, tuple(own), conds, node.shape, node.descending)


def _fold_weight(node: Fold, ans: Expr, g: Expr) -> tuple[Expr, tuple[Rel, ...]]:
    """The adjoint of one term of a fold, at its own index."""
    if node.op == "sum":
        return fit(g, node.body), node.conds
    if node.op in ("max", "min"):
        return b.mul(g, b.compare("==", node.body, ans), *_earlier(node, ans)), node.conds
    if node.op == "prod":
        return b.mul(g, *_others(node)), node.conds
    if node.op != "matprod":
        raise InternalError(f"no derivative rule for {node.op} over a range")
    if len(node.binders) != 1:
        raise InternalError("a product of matrices over several ranges has no derivative rule")
    own = node.binders[0]
    other = fresh_symbol(own.symbol, free_ints(node) | {own.symbol})
    elsewhere = reindex(node.body, {own.symbol: other})
    conds = tuple(_swap(c, own, other) for c in node.conds)
    before = b.fold("matprod", elsewhere, [Binder(other, own.lo, own.symbol - 1)], conds, node.descending)
    after = b.fold("matprod", elsewhere, [Binder(other, own.symbol + 1, own.hi)], conds, node.descending)
    left, right = (after, before) if node.descending else (before, after)
    return b.matmul(b.transpose(left), g, b.transpose(right)), node.conds


def _others(node: Fold) -> list[Expr]:
    """∏ of all terms but one's own: for each index of those that differ there, the indices before being the same."""
    factors = []
    for k, own in enumerate(node.binders):
        body, (first, *rest), conds = _renamed_from(node, k)
        inner = {x.symbol for x in rest}
        within = [c for c in conds if (symbols_of(c.left) | symbols_of(c.right)) & inner]
        outside = [c for c in conds if c not in within]
        whole = b.fold("prod", body, rest, within) if rest else body
        factors.append(b.fold("prod", whole, [first], (*outside, b.rel("!=", first.symbol, own.symbol))))
    return factors


def _earlier(node: Fold, ans: Expr) -> list[Expr]:
    """1 where no earlier term is the extreme one: ties go to the first, the last index running fastest."""
    factors = []
    for k, own in enumerate(node.binders):
        body, (first, *rest), conds = _renamed_from(node, k)
        before = Binder(first.symbol, first.lo, own.symbol - 1)
        factors.append(b.fold("prod", b.compare("!=", body, ans), [before, *rest], conds))
    return factors


def _renamed_from(node: Fold, k: int) -> tuple[Expr, list[Binder], tuple[Rel, ...]]:
    """The body, the ranges and the conditions with the indices from the k-th on renamed, those before as they are."""
    taken = set(free_ints(node)) | {x.symbol for x in node.binders}
    moved: dict[sympy.Symbol, Int] = {}
    running = []
    for x in node.binders[k:]:
        symbol = fresh_symbol(x.symbol, taken)
        taken.add(symbol)
        running.append(Binder(symbol, replace(x.lo, moved), replace(x.hi, moved)))
        moved[x.symbol] = symbol
    conds = tuple(b.rel(c.op, replace(c.left, moved), replace(c.right, moved)) for c in node.conds)
    return reindex(node.body, moved), running, conds


def _swap(c: Rel, own: Binder, other: sympy.Symbol) -> Rel:
    mapping: dict[sympy.Symbol, Int] = {own.symbol: other}
    return b.rel(c.op, replace(c.left, mapping), replace(c.right, mapping))
