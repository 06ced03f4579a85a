"""Derivatives, chains of them, limits, opaque scalars."""

from collections.abc import Iterable, Sequence

import sympy

from symgrad.tensor.build.constants import ONE, eye, is_zero, number_of, zeros
from symgrad.tensor.build.entries import build
from symgrad.tensor.build.relations import iverson, rel
from symgrad.tensor.nodes import Binder, Chain, Deriv, Expr, Limit, Opaque, Shape
from symgrad.tensor.shapes import ShapeError, describe, same_shape, show_shape


def opaque(name: str, args: Sequence[Expr], over: Sequence[Binder] = ()) -> Expr:
    """A scalar known only through its immediate partials."""
    return Opaque(name, tuple(args), tuple(over))


def deriv(of: Expr, wrt: Expr, kind: str = "total", held: Iterable[Expr] = ()) -> Expr:
    """∂of/∂wrt, unresolved: an expression whose value is defined by differentiating the model."""
    if of is wrt:
        return identity_tensor(of.shape)
    return Deriv(of, wrt, kind, of.shape + wrt.shape, frozenset(held))


def identity_tensor(shape: Shape) -> Expr:
    """∂x/∂x: 1, I, or the product of δ's."""
    if not shape:
        return ONE
    if len(shape) == 1:
        return eye(shape[0])
    names = [index_symbols(len(shape), "ij"[k]) for k in range(2)]
    binders = [Binder(s, 1, n) for group in names for s, n in zip(group, shape, strict=True)]
    conds = [rel("==", i, j) for i, j in zip(*names, strict=True)]
    return build(iverson(*conds), binders)


def index_symbols(n: int, letter: str) -> tuple[sympy.Symbol, ...]:
    """n index symbols: i for one, i1, i2, … for several."""
    names = [letter] if n == 1 else [f"{letter}{k + 1}" for k in range(n)]
    return tuple(sympy.Symbol(name, integer=True) for name in names)


def chain(args: Sequence[Expr], links: Sequence[int]) -> Expr:
    """∂y/∂u · ∂u/∂v · …: neighbours contracted over the node between them; links are those nodes' orders."""
    if len(args) == 1:
        return args[0]
    if any(is_zero(a) for a in args):
        shape = args[0].shape[: args[0].order - links[0]] + args[-1].shape[links[-1] :]
        return zeros(shape)
    for a, b, link in zip(args, args[1:], links, strict=False):
        left = a.shape[a.order - link :]
        right = b.shape[:link]
        if not same_shape(left, right):
            raise ShapeError(f"chain rule: {show_shape(left)} meets {show_shape(right)}")
    shape = args[0].shape[: args[0].order - links[0]] + args[-1].shape[links[-1] :]
    return Chain(tuple(args), tuple(links), shape)


def limit(arg: Expr, var: Expr, point: Expr, side: str = "") -> Expr:
    """lim arg as var → point, from one side or both."""
    if var.order or point.order:
        raise ShapeError(f"a limit is taken as a scalar goes to a number, not {describe(var)}")
    return arg if number_of(arg) is not None else Limit(arg, var, point, side, arg.shape)
