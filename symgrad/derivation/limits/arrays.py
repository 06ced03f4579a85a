"""Ways to the limit of an array, or of a scalar of arrays: the largest entry, the factors, the entries."""

from collections.abc import Iterator, Sequence

import numpy as np

from symgrad.derivation.in_sympy import InSympy
from symgrad.derivation.limits import laws as limit_laws
from symgrad.derivation.limits import leading_terms
from symgrad.derivation.limits.search import INFINITY, Found, Search
from symgrad.derivation.simplification import simplified
from symgrad.derivation.steps import Block, Prose, Reason
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Call, Expr, Literal, Var
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder, variables

MOST_ENTRIES = 12


def leading(search: Search, left: Expr, f: Expr) -> Found | None:
    """log Σ exp(βzᵢ)/β → max z, and other means of which the largest entry is left."""
    values, reason = leading_terms.leading(f, search.at.var, search.at.point, search.at.side)
    if not values or not search.alone(f, values):
        return None
    value = replace_nodes(f, values)
    return value, [search.line(left, value, reason=reason, boxed=True)]


def cold_softmax(search: Search, left: Expr, f: Expr) -> Found | None:
    """softmax(z/τ) → the unit vector of the largest entry of z, as τ → 0 from above or 1/τ grows."""
    values: dict[Expr, Expr] = {}
    blocks: list[Block] = []
    for x, scores, scale in leading_terms.largest_entries(f, search.at.var, search.at.point, search.at.side):
        values[x] = b.call("one_hot", (b.reduce("argmax", scores),), x.shape)
        blocks += list(_explained(search, x, scores, scale))
    if not values or not search.alone(f, values):
        return None
    settled = replace_nodes(f, values)
    value = ([settled] + [x for x, _ in simplified(settled)])[-1]
    reason: Reason = ("only the largest entry is left",)
    return value, [*blocks, search.line(left, value, reason=reason, boxed=True)]


def by_parts(search: Search, left: Expr, f: Expr) -> Found | None:
    """An array, or a scalar of arrays: the numbers in it by themselves, and the rest is continuous in them."""
    parts = [x for x in _scalars(f, search.at.var) if x is not f and x is not search.at.var]
    values: dict[Expr, Expr] = {}
    for x in parts:
        value = search.part(x)
        if value is None or INFINITY in postorder(value):
            return None
        values[x] = value
    if not values or not search.alone(f, values):
        return None
    settled = replace_nodes(f, values)
    value = ([settled] + [x for x, _ in simplified(settled)])[-1]
    return value, [search.line(left, value, reason=("each factor by itself",), boxed=True)]


def by_entries(search: Search, left: Expr, f: Expr) -> Found | None:
    """A small array: the limit of every entry."""
    if not f.order or not all(isinstance(n, int) for n in f.shape):
        return None
    sizes = [int(n) for n in f.shape if isinstance(n, int)]
    if np.prod(sizes) > MOST_ENTRIES:
        return None
    f = replace_nodes(f, {v: x for v in variables(f) if isinstance(x := search.work.system.body(v), Literal)})
    reading = InSympy()

    def entry(place: Sequence[int]) -> Expr:
        if len(place) < len(sizes):
            return b.stack(*(entry((*place, k)) for k in range(1, sizes[len(place)] + 1)))
        scalar = reading.scalar(b.at(f, *place))
        var = reading.symbol(search.at.var)
        return reading.back(limit_laws.Laws(scalar, var, reading.scalar(search.at.point), search.at.side).value())

    value = entry(())
    return value, [search.line(left, value, reason=("entry by entry",), boxed=True)]


def _explained(search: Search, x: Call, scores: Expr, scale: Expr) -> Iterator[Block]:
    i, k = b.index_symbols(1, "i")[0], b.index_symbols(1, "k")[0]
    size = x.shape[0]
    gap = b.sub(b.at(scores, k), b.at(scores, i))
    body = b.fold("sum", b.apply("exp", b.mul(scale, gap)), [b.binder(k, 1, size)])
    ranges = (b.binder(i, 1, size),)
    entry = b.at(x, i)
    yield search.work.certifier.line(
        entry, b.div(b.ONE, body), reason=("divide by the numerator",), rule="softmax", ranges=ranges
    )
    yield Prose(
        (
            "As ",
            search.at.var,
            " goes there, a term with ",
            b.compare("<", b.at(scores, k), b.at(scores, i)),
            " vanishes and one with ",
            b.compare(">", b.at(scores, k), b.at(scores, i)),
            " grows without end, so that the entry goes to 1 where ",
            b.at(scores, i),
            " is the only largest one, and to 0 where another is larger.",
        )
    )


def _scalars(f: Expr, var: Var) -> list[Expr]:
    """The largest scalars in an expression that depend on the variable and on no array otherwise than as a whole."""
    found: list[Expr] = []
    inside: set[Expr] = set()
    for x in reversed(postorder(f)):
        if x in inside or var not in variables(x):
            inside.update(x.children if x in inside else ())
            continue
        if not x.order and x is not f:
            found.append(x)
            inside.update(x.children)
    return found
