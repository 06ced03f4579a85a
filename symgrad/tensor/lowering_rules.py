"""Index notation of leaves, of what acts entry by entry, and of products; one generator for each node kind.

A rule asks for entries of operands (``Place``) and receives them as scalar expressions.
"""

from collections.abc import Generator, Sequence
from functools import singledispatch
from typing import TypeAlias

import sympy
from msgspec import Struct

from symgrad.tensor import build as b
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import (
    Add,
    Apply,
    At,
    Binder,
    Chain,
    Compare,
    Expr,
    Eye,
    Full,
    Iverson,
    Literal,
    MatMul,
    Mul,
    Permute,
    Pow,
    Reduce,
    Transpose,
)

Indices: TypeAlias = tuple[Int, ...]
Names: TypeAlias = frozenset[str]

_POOL = "ijklmpqrsuvab"


class Place(Struct, frozen=True):
    """One entry that is asked for: the expression, its indices, and the names that are taken around it."""

    node: Expr
    at: Indices
    taken: Names


Lowering: TypeAlias = Generator[Place, Expr, Expr]


def fresh_index(taken: Names) -> sympy.Symbol:
    """The first index symbol of i, j, k, … whose name is not taken."""
    rounds = ("", *(str(n) for n in range(1, len(taken) + 2)))
    name = next(letter + r for r in rounds for letter in _POOL if letter + r not in taken)
    return sympy.Symbol(name, integer=True)


def fresh_indices(count: int, taken: Names) -> tuple[tuple[sympy.Symbol, ...], Names]:
    """Several index symbols, and the names that are taken with them."""
    made: list[sympy.Symbol] = []
    for _ in range(count):
        made.append(fresh_index(taken))
        taken |= {made[-1].name}
    return tuple(made), taken


def product(factors: Sequence[Expr]) -> Expr:
    """A product in which all conditions stand together: δ² = δ."""
    flat = [f for x in factors for f in (x.args if isinstance(x, Mul) else (x,))]
    guards = [f for f in flat if isinstance(f, Iverson)]
    if len(guards) < 2:
        return b.mul(*factors)
    joint = b.iverson(*(c for g in guards for c in g.conds))
    return b.mul(joint, *(f for f in flat if not isinstance(f, Iverson)))


@singledispatch
def lower(node: Expr, at: Indices, taken: Names) -> Lowering:
    """An entry of a node in index notation; a node without a rule is a leaf of it."""
    yield from ()
    return b.entry(node, [At(i) for i in at], checked=False) if at else node


@lower.register
def _full(node: Full, at: Indices, taken: Names) -> Lowering:
    yield from ()
    return b.num(node.value)


@lower.register
def _eye(node: Eye, at: Indices, taken: Names) -> Lowering:
    yield from ()
    return b.delta(*at)


@lower.register
def _literal(node: Literal, at: Indices, taken: Names) -> Lowering:
    yield from ()
    if not all(isinstance(i, int) for i in (*at, *node.shape)):
        return b.entry(node, [At(i) for i in at])
    place = 0
    for i, size in zip(at, node.shape, strict=True):
        place = place * int(size) + int(i) - 1
    return b.literal([node.values[place]], ())


# Entry by entry


def _operands(node: Expr, at: Indices, taken: Names) -> Generator[Place, Expr, list[Expr]]:
    found = []
    for x in node.children:
        own = at[len(at) - x.order :]
        sizes = node.shape[len(at) - x.order :]
        indices = tuple(1 if s == 1 and n != 1 else i for i, s, n in zip(own, x.shape, sizes, strict=True))
        found.append((yield Place(x, indices, taken)))
    return found


@lower.register
def _add(node: Add, at: Indices, taken: Names) -> Lowering:
    return b.add(*(yield from _operands(node, at, taken)))


@lower.register
def _mul(node: Mul, at: Indices, taken: Names) -> Lowering:
    return product((yield from _operands(node, at, taken)))


@lower.register
def _pow(node: Pow, at: Indices, taken: Names) -> Lowering:
    base, exponent = yield from _operands(node, at, taken)
    return b.power(base, exponent)


@lower.register
def _apply(node: Apply, at: Indices, taken: Names) -> Lowering:
    return b.apply(node.fn, *(yield from _operands(node, at, taken)))


@lower.register
def _compare(node: Compare, at: Indices, taken: Names) -> Lowering:
    left, right = yield from _operands(node, at, taken)
    return b.compare(node.op, left, right)


# Products and axes


def sum_over(body: Expr, symbols: Sequence[sympy.Symbol], sizes: Sequence[Int]) -> Expr:
    """Σ of the body over 1..size of every symbol."""
    binders = [Binder(s, 1, n) for s, n in zip(symbols, sizes, strict=True)]
    return b.fold("sum", body, binders) if binders else body


@lower.register
def _matmul(node: MatMul, at: Indices, taken: Names) -> Lowering:
    args = node.args
    links = [y.shape[0] if y.order == 2 or not y.row else 1 for y in args[1:]]
    summed = [n for n in links if n != 1]
    symbols, taken = fresh_indices(len(summed), taken)
    names = iter(symbols)
    between: list[Int] = [next(names) if n != 1 else 1 for n in links]
    ends = list(at)
    left: Int = ends.pop(0) if not args[0].row else 1
    right: Int = ends.pop(0) if ends else 1
    tops, bottoms = [left, *between], [*between, right]
    factors = []
    for x, top, bottom in zip(args, tops, bottoms, strict=True):
        own = (top, bottom) if x.order == 2 else (bottom,) if x.row else (top,)
        factors.append((yield Place(x, own, taken)))
    return sum_over(product(factors), symbols, summed)


@lower.register
def _transpose(node: Transpose, at: Indices, taken: Names) -> Lowering:
    return (yield Place(node.arg, at[::-1], taken))


@lower.register
def _permute(node: Permute, at: Indices, taken: Names) -> Lowering:
    indices = tuple(at[node.axes.index(a)] for a in range(len(at)))
    return (yield Place(node.arg, indices, taken))


@lower.register
def _chain(node: Chain, at: Indices, taken: Names) -> Lowering:
    head = node.args[0].order - node.links[0]
    shared = at[:head]
    symbols: list[sympy.Symbol] = []
    sizes: list[Int] = []
    places: list[tuple[Expr, Indices]] = []
    for x, link in zip(node.args, node.links, strict=False):
        made, taken = fresh_indices(link, taken)
        symbols += made
        sizes += x.shape[x.order - link :]
        places.append((x, (*shared, *made)))
        shared = made
    places.append((node.args[-1], (*shared, *at[head:])))
    factors = []
    for x, indices in places:
        factors.append((yield Place(x, indices, taken)))
    return sum_over(product(factors), symbols, sizes)


@lower.register
def _reduce(node: Reduce, at: Indices, taken: Names) -> Lowering:
    if node.op == "argmax":
        return b.entry(node, [At(i) for i in at]) if at else node
    symbols, taken = fresh_indices(len(node.axes), taken)
    names, kept = iter(symbols), iter(at)
    indices = tuple(next(names) if a in node.axes else next(kept) for a in range(node.arg.order))
    body = yield Place(node.arg, indices, taken)
    sizes = [node.arg.shape[a] for a in node.axes]
    return b.fold(node.op, body, [Binder(s, 1, n) for s, n in zip(symbols, sizes, strict=True)])
