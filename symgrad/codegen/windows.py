"""Entries at s r + d k + c for all r and k, two axes of indices over one of an array: its windows, as a view."""

from collections.abc import Iterable

import sympy
from msgspec import Struct

from symgrad.codegen.access import Item, Label, Place, Span
from symgrad.codegen.emit import located
from symgrad.codegen.intervals import at_most, coefficient
from symgrad.codegen.state import Scope, State
from symgrad.codegen.text import Code
from symgrad.tensor import build as b
from symgrad.tensor.functions.layer_sources import WINDOWS
from symgrad.tensor.integers import Int, difference, integer, replace, same, symbols_of
from symgrad.tensor.nodes import At, Binder, Entry, Expr, Mul, Rel, Var


class Window(Struct, frozen=True):
    """The places s r + d k − p of an axis, zeros beyond its ends; ``cut`` where the axis has more windows than r."""

    along: Binder
    tap: Binder
    stride: int
    dilation: int
    padding: int
    cut: bool


class View(Struct, frozen=True):
    """What becomes of each axis of an array: its windows, all of it along an index, or one place."""

    axes: tuple[Window | Binder | Int, ...]

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows, in the order of the axes."""
        return tuple(x for x in self.axes if isinstance(x, Window))


def view(node: Expr, scope: Scope) -> View | None:
    """How the entries of a named array are windows of it along the batch indices; None where they are not."""
    if not isinstance(node, Entry) or not isinstance(node.arg, Var) or node.order:
        return None
    ranges = {x.symbol: x for x in scope.batch}
    axes: list[Window | Binder | Int] = []
    used: list[sympy.Symbol] = []
    for item, size in zip(node.items, node.arg.shape, strict=True):
        if not isinstance(item, At):
            return None
        place = difference(item.index, 1)
        here = [s for s in ranges if s in symbols_of(place)]
        used += here
        axis = place if not here else _axis(place, size, [ranges[s] for s in here], scope)
        if axis is None:
            return None
        axes.append(axis)
    over = {s for x in scope.batch for e in (x.lo, x.hi) for s in symbols_of(e)}
    subs = {s for sub in node.arg.subs for s in symbols_of(sub)}
    if len(used) > len(set(used)) or set(used) & over or subs & ranges.keys():
        return None
    found = View(tuple(axes))
    return found if found.windows else None


def _axis(place: Int, size: Int, over: list[Binder], scope: Scope) -> Window | Binder | None:
    if len(over) == 1:
        (x,) = over
        whole = same(place, x.symbol - x.lo) and same(x.length, size)
        return x if whole else None
    if len(over) != 2:
        return None
    steps = {x.symbol: coefficient(place, x.symbol) for x in over}
    along, tap = sorted(over, key=lambda x: (isinstance(x.length, int), -(steps[x.symbol] or 0)))
    s, d = steps[along.symbol], steps[tap.symbol]
    if s is None or d is None or s < 1 or d < 1:
        return None
    first = integer(replace(place, {along.symbol: along.lo, tap.symbol: tap.lo}))
    last = integer(replace(place, {along.symbol: along.hi, tap.symbol: tap.hi}))
    if not isinstance(first, int) or first > 0 or not at_most(1, tap.length, scope.ranges):
        return None
    if not at_most(last, integer(size - 1 - first), scope.ranges):
        return None
    reach = d * (tap.length - 1) + 1
    count = integer(sympy.floor((size - 2 * first - reach) / sympy.Integer(s)) + 1)
    return Window(along, tap, s, d, -first, not same(count, along.length))


def windowed(node: Entry, state: State, scope: Scope) -> Code | None:
    """The source of entries that are windows."""
    found = view(node, scope)
    if found is None:
        return None
    assert isinstance(node.arg, Var)
    spans: list[Item] = [
        Span(0, n, n) if isinstance(x, Window | Binder) else Place(x, n)
        for x, n in zip(found.axes, node.arg.shape, strict=True)
    ]
    name, taken = located(node.arg, spans, state)
    labels: list[object] = [x for x in found.axes if isinstance(x, Window | Binder)]
    base = state.indexer(scope).take(name, taken, len(labels) - sum(isinstance(x, Span) for x in taken))
    text = base.text
    moved = sorted(range(len(labels)), key=lambda k: isinstance(labels[k], Window))
    if moved != list(range(len(labels))):
        text = f"{text}.T" if moved == [1, 0] else f"{text}.transpose({', '.join(map(str, moved))})"
    for source in WINDOWS:
        state.helper(source)
    settings = [_tuple(state.integer(w.tap.length) for w in found.windows)]
    for numbers in ("stride", "padding", "dilation"):
        settings.append(_tuple(str(getattr(w, numbers)) for w in found.windows))
    text = f"_windows({text}, {', '.join(settings)})"
    others: list[Label] = [x.symbol for x in labels if isinstance(x, Binder)]
    if any(w.cut for w in found.windows):
        parts = [":"] * len(others) + [f":{state.integer(w.along.length)}" if w.cut else ":" for w in found.windows]
        text += f"[{', '.join(parts)}]"
    order: list[Label] = [*others, *(w.along.symbol for w in found.windows), *(w.tap.symbol for w in found.windows)]
    return state.indexer(scope).ordered(text, order)


def _tuple(texts: Iterable[str]) -> str:
    items = list(texts)
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def not_implied(masks: Iterable[Rel], body: Expr, scope: Scope) -> list[Rel]:
    """The masks that say more of a product than that an entry lies in its array: beyond it, windows are zero."""
    gaps: list[Int] = []
    for a in body.args if isinstance(body, Mul) else (body,):
        found = view(a, scope)
        if found is not None and isinstance(a, Entry):
            for item, axis, size in zip(a.items, found.axes, a.arg.shape, strict=True):
                if isinstance(axis, Window) and isinstance(item, At):
                    gaps += [difference(item.index, 1), difference(size, item.index)]
    return [c for c in masks if (gap := b.slack(c)) is None or not any(same(gap, g) for g in gaps)]
