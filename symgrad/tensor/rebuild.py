"""Rebuilding expression graphs by their constructors, so that the trivial folds again; each shared node once."""

from collections.abc import Callable
from functools import singledispatch

from symgrad.errors import InternalError
from symgrad.tensor import build as b
from symgrad.tensor.nodes import (
    Add,
    Apply,
    Build,
    Call,
    Chain,
    Compare,
    Concat,
    Density,
    Deriv,
    Entry,
    Expr,
    Fold,
    Integral,
    Law,
    Limit,
    MatMul,
    Mul,
    Opaque,
    Permute,
    Pick,
    Pow,
    Reduce,
    Stack,
    Transpose,
)
from symgrad.tensor.walk import postorder


@singledispatch
def rebuild(node: Expr, children: tuple[Expr, ...]) -> Expr:
    """The node with other operands, made by its constructor so that the trivial folds again."""
    if not node.children:
        return node
    raise InternalError(f"no way to rebuild {type(node).__name__}")


@rebuild.register
def _(node: Add, children: tuple[Expr, ...]) -> Expr:
    return b.add(*children)


@rebuild.register
def _(node: Mul, children: tuple[Expr, ...]) -> Expr:
    return b.mul(*children)


@rebuild.register
def _(node: Pow, children: tuple[Expr, ...]) -> Expr:
    return b.power(*children)


@rebuild.register
def _(node: Apply, children: tuple[Expr, ...]) -> Expr:
    return b.apply(node.fn, *children)


@rebuild.register
def _(node: Compare, children: tuple[Expr, ...]) -> Expr:
    return b.compare(node.op, *children)


@rebuild.register
def _(node: MatMul, children: tuple[Expr, ...]) -> Expr:
    return b.matmul(*children)


@rebuild.register
def _(node: Transpose, children: tuple[Expr, ...]) -> Expr:
    return b.transpose(*children)


@rebuild.register
def _(node: Permute, children: tuple[Expr, ...]) -> Expr:
    return b.permute(children[0], node.axes)


@rebuild.register
def _(node: Reduce, children: tuple[Expr, ...]) -> Expr:
    axis = None if len(node.axes) == node.arg.order else node.axes[0]
    return b.reduce(node.op, children[0], axis)


@rebuild.register
def _(node: Fold, children: tuple[Expr, ...]) -> Expr:
    return b.fold(node.op, children[0], node.binders, node.conds, node.descending)


@rebuild.register
def _(node: Build, children: tuple[Expr, ...]) -> Expr:
    return b.build(children[0], node.binders)


@rebuild.register
def _(node: Entry, children: tuple[Expr, ...]) -> Expr:
    picked = iter(children[1:])
    items = [Pick(next(picked)) if isinstance(i, Pick) else i for i in node.items]
    return b.entry(children[0], items, checked=False)


@rebuild.register
def _(node: Stack, children: tuple[Expr, ...]) -> Expr:
    return b.stack(*children)


@rebuild.register
def _(node: Concat, children: tuple[Expr, ...]) -> Expr:
    return b.concat(children, node.axis)


@rebuild.register
def _(node: Call, children: tuple[Expr, ...]) -> Expr:
    if node.fn in ("diag", "diagpart"):
        return b.diag(children[0])
    return Call(node.fn, children, node.params, node.shape)


@rebuild.register
def _(node: Opaque, children: tuple[Expr, ...]) -> Expr:
    return b.opaque(node.name, children, node.binders)


@rebuild.register
def _(node: Density, children: tuple[Expr, ...]) -> Expr:
    return Density(children[0], node.at, node.given)


@rebuild.register
def _(node: Law, children: tuple[Expr, ...]) -> Expr:
    return Law(node.name, children)


@rebuild.register
def _(node: Integral, children: tuple[Expr, ...]) -> Expr:
    return Integral(node.op, children, node.binders, node.shape)


@rebuild.register
def _(node: Deriv, children: tuple[Expr, ...]) -> Expr:
    return b.deriv(children[0], children[1], node.kind, node.held)


@rebuild.register
def _(node: Chain, children: tuple[Expr, ...]) -> Expr:
    return b.chain(children, node.links)


@rebuild.register
def _(node: Limit, children: tuple[Expr, ...]) -> Expr:
    arg, var, point = children
    return b.limit(arg, var, point, node.side)


def transform(root: Expr, rule: Callable[[Expr], Expr], into: Callable[[Expr], bool] | None = None) -> Expr:
    """The graph rebuilt from the leaves up, each rebuilt node passed through the rule once."""
    memo: dict[Expr, Expr] = {}
    for node in postorder(root, into=into):
        fresh = node
        if node.children and (into is None or into(node)):
            children = tuple(memo[c] for c in node.children)
            if children != node.children:
                fresh = rebuild(node, children)
        memo[node] = rule(fresh)
    return memo[root]
