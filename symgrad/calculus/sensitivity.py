"""One definition differentiated: what an adjoint of its value contributes to each named node that it reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy

from symgrad.calculus.pullback import fit, pullback
from symgrad.errors import InternalError
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, replace
from symgrad.tensor.nodes import At, Binder, Build, Expr, Fold, Opaque, Rel, Var
from symgrad.tensor.walk import free_ints, fresh_symbol, postorder, reindex


@dataclass(frozen=True, slots=True)
class Sensitivity:
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
            _collect(found, _through_binder(node, value, incoming, wanted))
        else:
            for child, part in zip(node.children, pullback(node, value, incoming), strict=True):
                if part is not None and child in live:
                    adjoint[child] = b.add(adjoint[child], part) if child in adjoint else part
    ranks = {x: k for k, x in enumerate(postorder(body))}
    return tuple(sorted(found.values(), key=lambda s: ranks.get(s.atom, 0)))


def _is_live(node: Expr, live: set[Expr], wanted: Callable[[Var], bool]) -> bool:
    if isinstance(node, Var):
        return wanted(node)
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
    node: Fold | Build | Opaque, ans: Expr, g: Expr, wanted: Callable[[Var], bool]
) -> list[Sensitivity]:
    if isinstance(node, Opaque):
        return [
            Sensitivity(a, b.mul(g, b.deriv(ans, a, "immediate")), node.over)
            for a in node.args
            if isinstance(a, Var) and wanted(a)
        ]
    if isinstance(node, Build):
        indices = [x.symbol for x in node.binders]
        inner = sensitivities(node.body, node.body, b.entry(g, [At(i) for i in indices]), wanted)
        return [Sensitivity(s.atom, s.value, (*node.binders, *s.binders), s.conds) for s in inner]
    weight, conds = _fold_weight(node, ans, g)
    inner = sensitivities(node.body, node.body, weight, wanted)
    return [Sensitivity(s.atom, s.value, (*node.binders, *s.binders), (*conds, *s.conds)) for s in inner]


def _fold_weight(node: Fold, ans: Expr, g: Expr) -> tuple[Expr, tuple[Rel, ...]]:
    """The adjoint of one term of a fold, at its own index."""
    if node.op == "sum":
        return fit(g, node.body), node.conds
    if len(node.binders) != 1:
        raise InternalError(f"a {node.op} over several ranges has no derivative rule")
    own = node.binders[0]
    other = fresh_symbol(own.symbol, free_ints(node) | {own.symbol})
    elsewhere = reindex(node.body, {own.symbol: other})
    conds = tuple(_swap(c, own, other) for c in node.conds)
    match node.op:
        case "prod":
            away = b.fold("prod", elsewhere, [Binder(other, own.lo, own.hi)], (*conds, b.rel("!=", other, own.symbol)))
            return b.mul(g, away), node.conds
        case "max" | "min":
            earlier = b.fold(
                "prod",
                b.compare("!=", elsewhere, ans),
                [Binder(other, own.lo, own.symbol - 1)],
                conds,
            )
            return b.mul(g, b.compare("==", node.body, ans), earlier), node.conds
        case "matprod":
            before = b.fold("matprod", elsewhere, [Binder(other, own.lo, own.symbol - 1)], conds, node.descending)
            after = b.fold("matprod", elsewhere, [Binder(other, own.symbol + 1, own.hi)], conds, node.descending)
            left, right = (after, before) if node.descending else (before, after)
            return b.matmul(b.transpose(left), g, b.transpose(right)), node.conds
    raise InternalError(f"no derivative rule for {node.op} over a range")


def _swap(c: Rel, own: Binder, other: sympy.Symbol) -> Rel:
    mapping: dict[sympy.Symbol, Int] = {own.symbol: other}
    return b.rel(c.op, replace(c.left, mapping), replace(c.right, mapping))
