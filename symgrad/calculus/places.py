"""Nodes of a model at numeric sizes and steps: their keys, the entries that are meant, the numbers drawn for them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from symgrad.calculus.moving import Key
from symgrad.errors import InternalError
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.nodes import At, Cut, Entry, Expr, Opaque, Pick, Var
from symgrad.tensor.reindex import reindex


def key_of(node: Expr) -> Key:
    """The name and the numeric subscripts of a named node."""
    assert isinstance(node, Var)
    return node.name, node.subs


def at_numbers(expr: Expr, sizes: Mapping[sympy.Symbol, int]) -> Expr:
    """An expression with numbers for its sizes and indices."""
    return reindex(expr, sizes)


def node_and_places(wrt: Expr, sizes: Mapping[sympy.Symbol, int]) -> tuple[Var, tuple[Any, ...]]:
    """The named node that an expression is or is entries of, with the places of the entries."""
    if isinstance(wrt, Var):
        return wrt, ()
    if not isinstance(wrt, Entry) or not isinstance(wrt.arg, Var):
        raise InternalError("a derivative is taken by a named node or its entries")
    picks: list[Any] = []
    for item in wrt.items:
        match item:
            case At(index=i):
                picks.append(evaluate_int(i, sizes) - 1)
            case Cut(lo=lo, hi=hi):
                picks.append(slice(evaluate_int(lo, sizes) - 1, evaluate_int(hi, sizes)))
            case Pick():
                raise InternalError("a derivative by entries that data picks")
    return wrt.arg, tuple(picks)


def members(node: Opaque, sizes: Mapping[sympy.Symbol, int]) -> list[Expr]:
    """The arguments of an opaque loss, at every index of its ranges."""
    found = list(node.args)
    for x in node.binders:
        lo, hi = evaluate_int(x.lo, sizes), evaluate_int(x.hi, sizes)
        found = [reindex(a, {x.symbol: k}) for k in range(lo, hi + 1) for a in found]
    return found


def generator(seed: int, key: Key) -> np.random.Generator:
    """Random numbers that belong to a node."""
    name, subs = key
    words = [*name.encode(), 0, *(int(s) + 1_000 for s in subs if isinstance(s, int))]
    return np.random.default_rng([seed, *words])
