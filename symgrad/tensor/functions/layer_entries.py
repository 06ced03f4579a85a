"""Convolutions and pooling in index notation: affine relations between places, with their ranges as conditions.

Output place r and tap k read the input place S(r − 1) + D(k − 1) + 1 − P.
"""

from collections.abc import Sequence

import sympy

from symgrad.tensor import build as b
from symgrad.tensor.functions.entries import At, EntryOf, Fresh
from symgrad.tensor.functions.layers import AXES, has_channels, setting
from symgrad.tensor.integers import Int, difference, integer, lifted, same
from symgrad.tensor.nodes import Binder, Call, Expr, Rel


def read_place(r: Int, k: Int, stride: Int, padding: Int, dilation: Int) -> Int:
    """The place of the input that output place r reads through tap k."""
    return integer(sympy.expand(stride * (r - 1) + dilation * (k - 1) + 1 - padding))


def _inside(places: Sequence[Int], sizes: Sequence[Int], pads: Sequence[Int]) -> list[Rel]:
    """Where padding lets a place lie outside: 1 ≤ place ≤ size."""
    padded = [(p, n) for p, n, pad in zip(places, sizes, pads, strict=True) if not same(pad, 0)]
    return [c for p, n in padded for c in (b.rel("<=", 1, p), b.rel("<=", p, n))]


def _input_places(node: Call, at: Sequence[Int], taps: Sequence[Int]) -> list[Int]:
    names = ("stride", "padding", "dilation")
    return [read_place(*z) for z in zip(at, taps, *(setting(node, n) for n in names), strict=True)]


def _with_bias(node: Call, channel: Int, entry: EntryOf, value: Expr) -> Expr:
    if len(node.args) < 3:
        return value
    bias = node.args[2]
    return b.add(value, entry(bias, (channel,) if bias.order else ()))


def convolution(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """Σ_{c,k} w_{o,c,k} x_{c, S(r−1)+D(k−1)+1−P}, taps that fall on padding left out."""
    x, w = node.args[:2]
    axes = AXES[node.fn]
    output: Int = at[0] if len(at) > axes else 1
    places = at[len(at) - axes :]
    channel = [fresh()] if w.order > axes and not same(w.shape[1], 1) else []
    kernel = w.shape[w.order - axes :]
    taps = [_tap(k, fresh) for k in kernel]
    inner: Int = channel[0] if channel else 1
    read = _input_places(node, places, taps)
    sizes = x.shape[x.order - axes :]
    value = b.mul(
        b.iverson(*_inside(read, sizes, setting(node, "padding"))),
        entry(w, (*((output, inner) if w.order > axes else ()), *taps)),
        entry(x, (*((_grouped(node, output, inner),) if has_channels(x, axes) else ()), *read)),
    )
    ranges = [*(Binder(c, 1, w.shape[1]) for c in channel), *_over(taps, kernel)]
    return _with_bias(node, output, entry, b.fold("sum", value, ranges))


def _tap(size: Int, fresh: Fresh) -> Int:
    """A tap along one axis: the only one, or an index that runs over all of them."""
    return 1 if same(size, 1) else fresh()


def _over(taps: Sequence[Int], kernel: Sequence[Int]) -> list[Binder]:
    return [Binder(k, 1, n) for k, n in zip(taps, kernel, strict=True) if isinstance(k, sympy.Symbol)]


def _grouped(node: Call, output: Int, inner: Int) -> Int:
    """The channel of the input that an output reads as its inner-th: its group's channels come in one block."""
    groups: Int = node.param("groups")
    w = node.args[1]
    if same(groups, 1) or w.order == AXES[node.fn]:
        return inner
    return integer(_block(output, sympy.cancel(lifted(w.shape[0]) / groups)) * w.shape[1] + inner)


def _block(index: Int, size: Int) -> Int:
    """The block of a size, from 0, in which an index from 1 lies."""
    if isinstance(index, int) and integer(size) == size and isinstance(integer(size), int):
        return (index - 1) // int(size)
    return integer(sympy.floor((lifted(index) - 1) / size))


def transposed(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """Σ_{c,r,k} x_{c,r} w_{c,o,k} where u = S(r−1) + D(k−1) + 1 − P; the tap is settled by u and r where D = 1."""
    x, w = node.args[:2]
    axes = AXES[node.fn]
    output: Int = at[0] if len(at) > axes else 1
    target = at[len(at) - axes :]
    wide = has_channels(x, axes)
    channel, picked, own = _channels(node, output, fresh) if wide else ((), (), output)
    sizes, kernel = x.shape[x.order - axes :], w.shape[w.order - axes :]
    rows, taps, binders, conds = _reaching(node, target, sizes, kernel, fresh)
    binders = [*channel, *binders]
    leads = (picked[0] if picked else 1, own) if w.order > axes else ()
    value = b.mul(b.iverson(*conds), entry(x, (*picked, *rows)), entry(w, (*leads, *taps)))
    return _with_bias(node, output, entry, b.fold("sum", value, binders))


def _reaching(
    node: Call, target: Sequence[Int], outputs: Sequence[Int], kernel: Sequence[Int], fresh: Fresh
) -> tuple[list[Int], list[Int], list[Binder], list[Rel]]:
    """The output places whose windows hold a place of the input, the taps by which they do, and their conditions."""
    rows: list[Int] = []
    taps: list[Int] = []
    binders: list[Binder] = []
    conds: list[Rel] = []
    options = zip(*(setting(node, n) for n in ("stride", "padding", "dilation")), strict=True)
    for u, n, k, (s, p, d) in zip(target, outputs, kernel, options, strict=True):
        if same(s, 1):
            tap = _tap(k, fresh)
            r: Int = integer(sympy.expand(difference(u + p, d * (tap - 1))))
            binders += _over([tap], [k])
            conds += [b.rel("<=", 1, r), b.rel("<=", r, n)]
        else:
            r, tap, own = _strided(u, k, s, p, d, fresh)
            binders += [Binder(r, 1, n), *([] if same(d, 1) else _over([tap], [k]))]
            conds += own
        rows.append(r)
        taps.append(tap)
    return rows, taps, binders, conds


def _strided(
    u: Int, kernel: Int, stride: Int, padding: Int, dilation: Int, fresh: Fresh
) -> tuple[sympy.Symbol, Int, list[Rel]]:
    """An output place whose window may hold place u, the tap by which it does, and when."""
    r = fresh()
    if same(dilation, 1):
        tap: Int = integer(difference(u + padding, stride * (r - 1)))
        return r, tap, [b.rel("<=", 1, tap), b.rel("<=", tap, kernel)]
    tap = _tap(kernel, fresh)
    return r, tap, [b.rel("==", u, read_place(r, tap, stride, padding, dilation))]


def _channels(node: Call, output: Int, fresh: Fresh) -> tuple[tuple[Binder, ...], tuple[Int, ...], Int]:
    """The channels of the input that an output of a transposed convolution reads, and its place in its group."""
    x, w = node.args[:2]
    if same(x.shape[0], 1):
        return (), (1,), output
    groups: Int = node.param("groups")
    if same(groups, 1) or w.order == AXES[node.fn]:
        c = fresh()
        return (Binder(c, 1, x.shape[0]),), (c,), output
    per_group, each = w.shape[1], integer(sympy.cancel(lifted(x.shape[0]) / groups))
    block = _block(output, per_group)
    own = integer(difference(output, block * per_group))
    if same(each, 1):
        return (), (integer(block + 1),), own
    c = fresh()
    return (Binder(c, 1, each),), (integer(block * each + c),), own


def maximum(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """max_k x_{c, S(r−1)+D(k−1)+1−P} over the taps inside the input."""
    return _window(node, at, entry, fresh, "max")


def average(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """1/K Σ_k x_{c, S(r−1)+k−P}, padding counted as zeros."""
    count: Int = 1
    for k in setting(node, "kernel"):
        count = count * k
    return b.mul(b.power(b.count(count), b.MINUS_ONE), _window(node, at, entry, fresh, "sum"))


def _window(node: Call, at: At, entry: EntryOf, fresh: Fresh, op: str) -> Expr:
    (x,) = node.args
    axes = AXES[node.fn]
    taps = [fresh() for _ in range(axes)]
    read = _input_places(node, at[len(at) - axes :], taps)
    inside = _inside(read, x.shape[x.order - axes :], setting(node, "padding"))
    binders = [Binder(s, 1, n) for s, n in zip(taps, setting(node, "kernel"), strict=True)]
    value = entry(x, (*at[: len(at) - axes], *read))
    if op == "sum":
        return b.fold("sum", b.mul(b.iverson(*inside), value), binders)
    conds = [c for c in inside if b.holds(c) is not True]
    return b.fold(op, value, binders, conds)


def unpooled(node: Call, at: At, entry: EntryOf, fresh: Fresh) -> Expr:
    """Σ_r g_r over the windows r in which x at this place is the largest entry, none before it being as large."""
    g, x = node.args
    axes = AXES[node.fn]
    lead, target = at[: len(at) - axes], at[len(at) - axes :]
    rows, taps, binders, conds = _reaching(node, target, g.shape[len(lead) :], setting(node, "kernel"), fresh)
    pooled = Call(node.fn.replace("un", ""), (x,), node.params, g.shape)
    largest = b.at(pooled, *lead, *rows)
    earlier: list[Expr] = []
    for axis in range(axes):
        moving = [fresh() for _ in range(axis, axes)]
        ends = (integer(taps[axis] - 1), *setting(node, "kernel")[axis + 1 :])
        read = _input_places(node, rows, [*taps[:axis], *moving])
        other = b.compare("!=", entry(x, (*lead, *read)), largest)
        inside = [c for c in _inside(read, x.shape[len(lead) :], setting(node, "padding")) if b.holds(c) is not True]
        earlier.append(b.fold("prod", other, [Binder(s, 1, n) for s, n in zip(moving, ends, strict=True)], inside))
    value = b.mul(b.iverson(*conds), entry(g, (*lead, *rows)), b.compare("==", entry(x, at), largest), *earlier)
    return b.fold("sum", value, binders)
