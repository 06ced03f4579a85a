"""A gradient given by sums over places, said again as a convolution: strides become dilations, filters are flipped.

Every statement is a certified line between the gradient and a layer of the table.
"""

from collections.abc import Sequence

import sympy

from symgrad.calculus.layer_adjoints import input_adjoint
from symgrad.derivation.reading_order import statements
from symgrad.derivation.steps import Block, Reason
from symgrad.derivation.workspace import Workspace
from symgrad.tensor import build as b
from symgrad.tensor.functions.layers import (
    AXES,
    conv1d,
    conv2d,
    conv_transpose1d,
    has_channels,
    setting,
)
from symgrad.tensor.integers import Int, at_most, difference, integer, same, symbols_of
from symgrad.tensor.nodes import At, Binder, Call, Cut, Deriv, Entry, Expr, Fold, Item, Iverson, Mul, Var
from symgrad.tensor.shapes import ShapeError, same_shape

FORWARD = {1: conv1d, 2: conv2d}


def layer_lines(work: Workspace, of: Expr, wrt: Expr, value: Expr) -> list[Block]:
    """∂of/∂wrt as a layer applied to ∂of/∂y, for y = conv(x, w) with wrt = x or w; nothing that ``value`` says."""
    if not isinstance(of, Var) or of.order or not isinstance(wrt, Var):
        return []
    found = _layers(work, of, wrt)
    if len(found) != 1:
        return []
    y, body = found[0]
    g = b.deriv(of, y)
    if body.args[0] is wrt and body.args[1] is not wrt:
        return _by_input(work, of, wrt, body, g, value)
    if body.args[1] is wrt and body.args[0] is not wrt:
        return _by_filters(work, of, wrt, body, g)
    return []


def _layers(work: Workspace, of: Var, wrt: Var) -> list[tuple[Var, Call]]:
    """The layers without groups through which a node acts; none where it acts in another way, too."""
    out: list[tuple[Var, Call]] = []
    for s in statements(work.problem.system, [of]):
        if wrt not in _leaves(s.body):
            continue
        layer = isinstance(s.body, Call) and s.body.fn in ("conv1d", "conv2d") and not s.node.subs
        if not layer or not isinstance(s.body, Call) or not same(s.body.param("groups"), 1):
            return []
        out.append((s.node, s.body))
    return out


def _leaves(body: Expr) -> tuple[Expr, ...]:
    if isinstance(body, Var):
        return (body,)
    return tuple(v for c in body.children for v in _leaves(c))


def _by_input(work: Workspace, of: Var, x: Var, body: Call, g: Expr, value: Expr) -> list[Block]:
    """∂ℓ/∂x = the transposed convolution of ∂ℓ/∂y; with stride 1 a correlation with flipped filters."""
    back = input_adjoint(body, g)
    if back is None:
        return []
    reason: Reason = ("the transposed convolution of the gradient above, with the same filters",)
    if any(not same(s, 1) for s in setting(body, "stride")):
        reason = ("the transposed convolution: zeros between the entries of ", g, ", then the flipped filters")
    lines: list[Block] = []
    if not (isinstance(value, Call) and isinstance(back, Call) and value.fn == back.fn):
        lines.append(work.certifier.line(b.deriv(of, x), back, reason=reason, rule="transposed convolution"))
    return [*lines, *_flipped(work, of, x, body, g)]


def _flipped(work: Workspace, of: Var, x: Var, body: Call, g: Expr) -> list[Block]:
    """For stride 1 and one channel: the correlation of ∂ℓ/∂y, padded all round, with the filter turned by 180°."""
    axes = AXES[body.fn]
    w = body.args[1]
    plain = w.order == axes and not has_channels(x, axes)
    steps = [v for n in ("stride", "dilation") for v in setting(body, n)]
    around = [difference(k - 1, p) for k, p in zip(w.shape, setting(body, "padding"), strict=False)]
    if not plain or not all(same(s, 1) for s in steps) or any(at_most(0, a) is not True for a in around):
        return []
    symbols = b.index_symbols(axes, "i") if axes == 1 else tuple(sympy.Symbol(c, integer=True) for c in "ij")
    entry = b.at(w, *(difference(k + 1, i) for k, i in zip(w.shape, symbols, strict=True)))
    flip = b.build(entry, [Binder(i, 1, k) for i, k in zip(symbols, w.shape, strict=True)])
    name = Var(work.fresh("R", "Q", "F_r"), (), w.shape)
    shown = work.introduce(name, flip, reason=("the filter turned by 180°",))
    full = FORWARD[axes](g, name, padding=tuple(around))
    reason: Reason = ("full correlation with the flipped filter",)
    return [shown, work.certifier.line(b.deriv(of, x), full, reason=reason, rule="full correlation")]


def _by_filters(work: Workspace, of: Var, w: Var, body: Call, g: Expr) -> list[Block]:
    """∂ℓ/∂w for each pair of channels: x correlated with ∂ℓ/∂y, whose dilation is the stride of the forward pass."""
    axes = AXES[body.fn]
    x = body.args[0]
    stride, padding, dilation = (setting(body, n) for n in ("stride", "padding", "dilation"))
    taken = {*work.problem.sizes, *work.problem.declarations, *(s.name for s in work.problem.steps)}
    letters = [c for c in ("o", "c", "i", "j", "k", "m") if c not in taken]
    pair = [sympy.Symbol(c, integer=True) for c in letters[:2]]
    output, channel = pair
    picture = b.entry(x, [At(channel)]) if has_channels(x, axes) else x
    above = b.entry(g, [At(output)]) if g.order > axes else g
    try:
        whole = FORWARD[axes](picture, above, stride=dilation, padding=padding, dilation=stride)
    except ShapeError:
        return []
    kernel = w.shape[w.order - axes :]
    value = b.entry(whole, [Cut(1, k) for k in kernel], checked=False)
    deep = w.order > axes
    left = b.entry(b.deriv(of, w), [At(output), At(channel)]) if deep else b.deriv(of, w)
    ranges = tuple(Binder(s, 1, n) for s, n in zip(pair, w.shape[:2], strict=True)) if deep else ()
    reason: Reason = ("a convolution of ", x, " with ", g)
    if any(not same(s, 1) for s in stride):
        reason = (*reason, "; the stride of the forward pass is its dilation")
    return [work.certifier.line(left, value, reason=reason, rule="convolution", ranges=ranges)]


# Sums over one index


def sum_lines(work: Workspace, wrt: Entry, value: Expr) -> list[Block]:
    """Σ_r g_r a[k + s(r−1)] as a convolution in k; k is an index of the entry that the derivative is taken by."""
    if not isinstance(value, Fold) or value.op != "sum" or len(value.binders) != 1 or not same(value.binders[0].lo, 1):
        return []
    (r,) = value.binders
    factors = value.body.args if isinstance(value.body, Mul) else (value.body,)
    entries = [f for f in factors if isinstance(f, Entry)]
    if len(entries) != 2 or any(not isinstance(f, Entry | Iverson) for f in factors):
        return []
    above = next((f for f in entries if f.items == (At(r.symbol),)), None)
    other = next((f for f in entries if f is not above), None)
    if above is None or other is None or not all(isinstance(i, At) for i in other.items):
        return []
    for axis, item in enumerate(wrt.items):
        if isinstance(item, At) and isinstance(item.index, sympy.Symbol):
            found = _along(work, wrt, axis, item.index, r, above.arg, other)
            if found:
                return found
    return []


def _along(
    work: Workspace, wrt: Entry, axis: int, k: sympy.Symbol, r: Binder, above: Expr, other: Entry
) -> list[Block]:
    moving = [n for n, i in enumerate(other.items) if isinstance(i, At) and r.symbol in symbols_of(i.index)]
    if len(moving) != 1 or any(
        isinstance(i, At) and k in symbols_of(i.index) for n, i in enumerate(other.items) if n != moving[0]
    ):
        return []
    at = other.items[moving[0]]
    assert isinstance(at, At)
    place = sympy.expand(at.index)
    step = integer(place.coeff(r.symbol))
    if place.coeff(k) != 1 or not same(place.xreplace({k: sympy.S.One, r.symbol: sympy.S.One}), 1):
        return []
    items: list[Item] = list(other.items)
    items[moving[0]] = Cut(1, other.arg.shape[moving[0]])
    fibre = b.entry(other.arg, items)
    picked: list[Item] = list(wrt.items)
    picked[axis] = Cut(1, wrt.arg.shape[axis])
    return _as_layer(work, wrt, picked, fibre, above, step)


def _as_layer(work: Workspace, wrt: Entry, picked: Sequence[Item], fibre: Expr, above: Expr, step: Int) -> list[Block]:
    if not isinstance(step, int) or step == 0 or not isinstance(above, Deriv):
        return []
    length = wrt.arg.shape[next(n for n, i in enumerate(picked) if isinstance(i, Cut))]
    try:
        layer = conv1d(fibre, above, dilation=step) if step > 0 else conv_transpose1d(above, fibre, stride=-step)
    except ShapeError:
        return []
    if not same_shape(layer.shape, (length,)):
        return []
    reason: Reason = ("a convolution of ", fibre.children[0], " with ", above)
    if step > 1:
        reason = (*reason, f" and dilation {step}: the stride of the forward pass")
    elif step < 0:
        zeros = f"{-step - 1} zero{'s' * (step != -2)} between the entries of " if step < -1 else ""
        reason = ("a transposed convolution: ", zeros, above, ", the filter flipped") if zeros else (
            "a full convolution with the flipped filter",)  # fmt: skip
    from_whole = b.entry(b.deriv(above.of, wrt.arg), picked)
    return [work.certifier.line(from_whole, layer, reason=reason, rule="convolution")]
