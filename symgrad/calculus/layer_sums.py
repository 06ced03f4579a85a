"""A layer's adjoint in index notation: the sums that a transposed convolution, or an unpooling, stands for."""

from collections.abc import Mapping
from math import prod
from typing import Final

from symgrad.calculus.sensitivity import by_entries
from symgrad.tensor import build as b
from symgrad.tensor.deltas import contract_deltas
from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.integers import difference
from symgrad.tensor.lower import component
from symgrad.tensor.lowering_rules import fresh_indices
from symgrad.tensor.nodes import Binder, Call, Entry, Expr, Fold, Var
from symgrad.tensor.walk import postorder, variables

MOST_TERMS: Final = 1 << 21
"""Terms of all entries together up to which a layer is written out: every one of them is evaluated."""


def in_entries(x: Expr, named: Mapping[Expr, Var]) -> Expr | None:
    """A layer's result in index notation, [Σ_qr …]_ij; None of what is no layer, or has too many terms to be checked.

    Args:
        x: the expression.
        named: the definitions of named nodes, among them the pooling whose largest entries an unpooling asks for.
    """
    layer = x.arg if isinstance(x, Entry) else x
    if not isinstance(layer, Call) or layer.fn not in AXES:
        return None
    found = _unpooled(layer, named) or _written_out(x)
    return found if _terms(found) <= MOST_TERMS else None


def _unpooled(layer: Call, named: Mapping[Expr, Var]) -> Expr | None:
    """Σ_r g_r [x_i = y_r] … with the name y of what was pooled."""
    if "unpool" not in layer.fn:
        return None
    g, x = layer.args
    pooling = Call(layer.fn.replace("un", ""), (x,), layer.params, g.shape)
    return by_entries(pooling, named[pooling], g)[0] if pooling in named else None


def _written_out(x: Expr) -> Expr:
    indices, _ = fresh_indices(x.order, frozenset(v.name for v in variables(x)))
    ranges = [Binder(i, 1, n) for i, n in zip(indices, x.shape, strict=True)]
    return b.build(contract_deltas(component(x, indices), ranges), ranges)


def _terms(x: Expr) -> int:
    """How many terms all entries have that are summed over numeric ranges; a symbolic one counts as 1."""
    folds = (y for y in postorder(x) if isinstance(y, Fold) and y.op == "sum")
    lengths = (difference(z.hi, z.lo) for y in folds for z in y.binders)
    return prod(n + 1 for n in lengths if isinstance(n, int)) * prod(n for n in x.shape if isinstance(n, int))
