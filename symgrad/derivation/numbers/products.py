"""The entries of a convolution in numbers, each with its products: 5·2 + 1·3 = 13; padding is left out."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from symgrad.derivation import exact
from symgrad.tensor import build as b
from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Add, At, Call, Entry, Expr, Fold, Mul, Var
from symgrad.tensor.reindex import unfold
from symgrad.tensor.shapes import total

MOST_ENTRIES = 16


def is_shown(body: Expr) -> bool:
    """Whether a body is a convolution with few enough entries to be written out."""
    if not isinstance(body, Call) or body.fn not in AXES or "pool" in body.fn:
        return False
    size = total(body.shape)
    return isinstance(size, int) and size <= MOST_ENTRIES and all(isinstance(a, Var) for a in body.args)


def entry_products(node: Var, body: Expr, values: Mapping[Var, Any]) -> Iterator[tuple[Expr, Expr]]:
    """Every entry of the node with the sum of products of numbers that it is."""
    for place in itertools.product(*(range(1, int(n) + 1) for n in body.shape)):
        lowered = component(body, place)
        parts = lowered.args if isinstance(lowered, Add) else (lowered,)
        terms = [t for p in parts for t in (unfold(p) or [] if isinstance(p, Fold) else [p])]
        shown = [_product(t, values) for t in terms if not b.is_zero(t)]
        if len(shown) > 1:
            yield b.at(node, *place), Add(tuple(shown), ())
        elif shown:
            yield b.at(node, *place), shown[0]


def _product(term: Expr, values: Mapping[Var, Any]) -> Expr:
    factors = [_number(f, values) for f in (term.args if isinstance(term, Mul) else (term,))]
    kept = [f for f in factors if not b.is_one(f)]
    return Mul(tuple(kept), ()) if len(kept) > 1 else kept[0] if kept else b.ONE


def _number(x: Expr, values: Mapping[Var, Any]) -> Expr:
    if isinstance(x, Entry) and isinstance(x.arg, Var) and x.arg in values:
        found = values[x.arg]
        for item in x.items:
            assert isinstance(item, At)
            assert isinstance(item.index, int)
            found = found[item.index - 1]
        return exact.number(found)
    return exact.number(values[x]) if isinstance(x, Var) and x in values else x
