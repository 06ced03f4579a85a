"""Entries pushed inwards through sums and products, and products with unit vectors that pick them."""

from collections.abc import Sequence

from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, same
from symgrad.tensor.nodes import (
    Add,
    At,
    Call,
    Concat,
    Cut,
    Deriv,
    Entry,
    Expr,
    Eye,
    Item,
    MatMul,
    Mul,
    Num,
    Stack,
    Transpose,
)
from symgrad.tensor.rebuild import transform
from symgrad.tensor.walk import postorder


def _plain(x: Expr) -> bool:
    return not isinstance(x, Deriv)


def take_entries(root: Expr) -> Expr:
    """Entries pushed inwards: (A + B)_i = A_i + B_i, (s v)_i = s v_i, e_iᵀ v = v_i, e_iᵀ e_j = δ_ij."""
    return transform(root, _take, into=_plain)


def _take(x: Expr) -> Expr:
    if isinstance(x, Entry) and all(isinstance(i, At | Cut) for i in x.items):
        return _entry(x.arg, x.items)
    if isinstance(x, MatMul):
        return _unit_products(x)
    return x


def _entry(arg: Expr, items: Sequence[Item]) -> Expr:
    """arg[items], pushed inwards as far as it goes."""
    match arg:
        case Add(args=args):
            return b.add(*(_entry(a, items) if a.order else a for a in args))
        case Mul(args=args) if all(a.order in (0, arg.order) for a in args):
            return b.mul(*(_entry(a, items) if a.order else a for a in args))
        case Call(fn="one_hot", args=(index,)) if len(items) == 1 and isinstance(items[0], At):
            if isinstance(index, Num):
                return b.delta(int(index.value), items[0].index)
        case Call(fn="diag", args=(v,)) if isinstance(items[0], At) and isinstance(items[1], Cut):
            unit = b.call("one_hot", (b.count(items[0].index),), v.shape)
            return b.mul(b.at(v, items[0].index), unit) if _whole(items[1], v) else b.entry(arg, items)
        case MatMul(args=args) if arg.order == 2 and _whole(items[1], arg, 1) and args[0].order == 1:
            first, rest = _entry(args[0], items[:1]), b.matmul(*args[1:])
            return b.matmul(first, rest) if first.order else b.mul(first, b.transpose(rest))
        case Concat(args=args, axis=0) if isinstance(items[0], Cut):
            start: Int = 0
            for part in args:
                if same(items[0].lo, start + 1) and same(items[0].hi, start + part.shape[0]):
                    return _entry(part, [Cut(1, part.shape[0]), *items[1:]])
                start = start + part.shape[0]
        case Stack(args=args) if isinstance(items[0], At) and isinstance(items[0].index, int):
            return b.entry(args[items[0].index - 1], items[1:])
    return b.entry(arg, items)


def _whole(item: Item, x: Expr, axis: int = 0) -> bool:
    return isinstance(item, Cut) and same(item.lo, 1) and same(item.hi, x.shape[axis])


def _unit_products(x: MatMul) -> Expr:
    args = list(x.args)
    for k in range(len(args) - 1):
        left, right = args[k], args[k + 1]
        if isinstance(left, Transpose) and (cut := _selector(left.arg)) is not None:
            chosen = _entry(right, [cut, *(Cut(1, n) for n in right.shape[1:])])
            return b.matmul(*args[:k], chosen, *args[k + 2 :])
        if (cut := _selector(right)) is not None and (left.order == 2 or left.row):
            chosen = _entry(left, [*(Cut(1, n) for n in left.shape[:-1]), cut])
            return b.matmul(*args[:k], chosen, *args[k + 2 :])
        if isinstance(left, Transpose) and _is_unit(left.arg) and right.order == 1 and not right.row:
            place = left.arg.children[0]
            return b.matmul(*args[:k], _scalar_entry(right, place), *args[k + 2 :])
        if isinstance(left, Transpose) and left.arg.order == 1 and _is_unit(right):
            place = right.children[0]
            return b.matmul(*args[:k], _scalar_entry(left.arg, place), *args[k + 2 :])
    return x


def _selector(x: Expr) -> Cut | None:
    """The places lo..hi where [0; I; 0] puts what it multiplies; None for other matrices."""
    if not isinstance(x, Concat) or x.axis or x.order != 2:
        return None
    found: Cut | None = None
    start: Int = 0
    for part in x.args:
        stop = start + part.shape[0]
        if isinstance(part, Eye) and found is None:
            found = Cut(start + 1, stop)
        elif not b.is_zero(part):
            return None
        start = stop
    return found


def _is_unit(x: Expr) -> bool:
    return isinstance(x, Call) and x.fn == "one_hot" and isinstance(x.args[0], Num)


def _scalar_entry(v: Expr, place: Expr) -> Expr:
    assert isinstance(place, Num)
    return _entry(v, [At(int(place.value))])


def has_units(root: Expr) -> bool:
    """Whether unit vectors with known places occur."""
    return any(_is_unit(x) for x in postorder(root, into=_plain))
