"""The whole-tensor functions in index notation: one entry as a scalar expression of entries of the operands.

Each takes (node, indices, entry of an expression at indices, maker of unused index symbols).
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import sympy

from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, integer, lifted
from symgrad.tensor.nodes import Binder, Call, Count, Expr, Num

At: TypeAlias = tuple[Int, ...]
EntryOf: TypeAlias = Callable[[Expr, At], Expr]
Fresh: TypeAlias = Callable[[], sympy.Symbol]


def _summed(sizes: Sequence[Int], fresh: Fresh, body: Callable[[tuple[sympy.Symbol, ...]], Expr]) -> Expr:
    symbols = tuple(fresh() for _ in sizes)
    return b.fold("sum", body(symbols), [Binder(s, 1, n) for s, n in zip(symbols, sizes, strict=True)])


def softmax(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """exp(x_i)/Σ_k exp(x_k)."""
    (x,) = node.args
    axis: int = node.param("axis")
    below = _summed(
        [x.shape[axis]],
        fresh,
        lambda k: b.apply("exp", entry(x, (*at[:axis], k[0], *at[axis + 1 :]))),
    )
    return b.div(b.apply("exp", entry(x, at)), below)


def logsumexp(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """log Σ_k exp(x_k)."""
    (x,) = node.args
    axis: int | None = node.param("axis")
    if axis is None:
        return b.apply("log", _summed(x.shape, fresh, lambda k: b.apply("exp", entry(x, k))))
    chosen = axis
    inside = _summed([x.shape[chosen]], fresh, lambda k: b.apply("exp", entry(x, (*at[:chosen], k[0], *at[chosen:]))))
    return b.apply("log", inside)


def cross_entropy(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """−Σ_k y_k log p_k."""
    y, p = node.args
    if not y.order:
        return b.neg(b.mul(entry(y, ()), b.apply("log", entry(p, ()))))
    return b.neg(_summed(y.shape, fresh, lambda k: b.mul(entry(y, k), b.apply("log", entry(p, k)))))


def norm(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """√Σ_k x_k²."""
    (x,) = node.args
    return b.apply("sqrt", _summed(x.shape, fresh, lambda k: b.power(entry(x, k), b.num(2))))


def column_norm(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """max_j Σ_i |A_ij|."""
    return _largest_sum(node, entry, fresh, 0)


def row_norm(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """max_i Σ_j |A_ij|."""
    return _largest_sum(node, entry, fresh, 1)


def _largest_sum(node: Call, entry: EntryOf, fresh: Fresh, axis: int) -> Expr:
    """The largest of the sums of absolute values along an axis."""
    (x,) = node.args
    i, j = fresh(), fresh()
    place = (i, j) if axis == 0 else (j, i)
    each = b.fold("sum", b.apply("abs", entry(x, place)), [b.binder(i, 1, x.shape[axis])])
    return b.fold("max", each, [b.binder(j, 1, x.shape[1 - axis])])


def trace(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """Σ_k A_kk."""
    (x,) = node.args
    return _summed(x.shape[:1], fresh, lambda k: entry(x, (k[0], k[0])))


def diag(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """δ_ij v_i."""
    return b.mul(b.delta(at[0], at[1]), entry(node.args[0], at[:1]))


def diagpart(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """A_ii."""
    return entry(node.args[0], (at[0], at[0]))


def kron(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """A at the block, times B at the place within the block."""
    x, y = node.args
    blocks, places = zip(*(_split(i, n) for i, n in zip(at, y.shape, strict=True)), strict=True)
    return b.mul(entry(x, tuple(blocks)), entry(y, tuple(places)))


def reshape(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """The entry at the same place, counted row by row."""
    (x,) = node.args
    place: Int = 0
    for i, n in zip(at, node.shape, strict=True):
        place = integer(place * n + (i - 1))
    indices: list[Int] = []
    for n in reversed(x.shape[1:]):
        place, index = _split(integer(place + 1), n)
        place = integer(place - 1)
        indices.append(index)
    first = [integer(place + 1)] if x.order else []
    return entry(x, (*first, *reversed(indices)))


def one_hot(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """1 where the last index is the chosen one."""
    chosen = entry(node.args[0], at[:-1])
    if isinstance(chosen, Num) and chosen.value.denominator == 1:
        return b.delta(at[-1], int(chosen.value))
    if isinstance(chosen, Count):
        return b.delta(at[-1], chosen.value)
    return b.compare("==", chosen, b.count(at[-1]))


def _split(index: Int, size: Int) -> tuple[Int, Int]:
    """A place counted from 1 as (block, place in the block), both from 1."""
    if size == 1:
        return index, 1
    if isinstance(index, int) and isinstance(size, int):
        return (index - 1) // size + 1, (index - 1) % size + 1
    zero_based = lifted(index) - 1
    return integer(sympy.floor(zero_based / size) + 1), integer(sympy.Mod(zero_based, size) + 1)
