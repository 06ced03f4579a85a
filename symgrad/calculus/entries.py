"""Entries pushed inwards through sums and products, and products with unit vectors that pick them."""

from collections.abc import Sequence

from msgspec import Struct

from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, integer, replace, same
from symgrad.tensor.nodes import (
    Add,
    At,
    Binder,
    Call,
    Concat,
    Count,
    Cut,
    Deriv,
    Entry,
    Expr,
    Eye,
    Fold,
    Item,
    MatMul,
    Mul,
    Num,
    Stack,
    Transpose,
)
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints, fresh_symbol, reindex
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
            if isinstance(index, Num | Count):
                return b.delta(_place(arg), items[0].index)
        case Call(fn="diag", args=(v,)) if isinstance(items[0], At) and isinstance(items[1], Cut):
            unit = b.call("one_hot", (b.count(items[0].index),), v.shape)
            return b.mul(b.at(v, items[0].index), unit) if _whole(items[1], v) else b.entry(arg, items)
        case MatMul(args=args) if arg.order == 2 and _whole(items[1], arg, 1) and args[0].order == 1:
            first, rest = _entry(args[0], items[:1]), b.matmul(*args[1:])
            return b.matmul(first, rest) if first.order else b.mul(first, b.transpose(rest))
        case MatMul(args=(Call(fn="diag", args=(v,)), *rest)) if arg.order == 1 and isinstance(items[0], At):
            return b.mul(_entry(v, items), _entry(b.matmul(*rest), items))
        case MatMul(args=(*front, last)) if last.order == 2 and _whole(items[0], arg) and isinstance(items[1], Cut):
            return b.matmul(*front, _entry(last, [Cut(1, last.shape[0]), items[1]]))
        case Fold() if len(items) == 1 and isinstance(items[0], At) and (placed := _placed(arg)) is not None:
            return placed.at(items[0].index)
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
            return b.matmul(*args[:k], _scalar_entry(right, left.arg), *args[k + 2 :])
        if isinstance(left, Transpose) and left.arg.order == 1 and _is_unit(right):
            return b.matmul(*args[:k], _scalar_entry(left.arg, right), *args[k + 2 :])
        if isinstance(left, Transpose) and left.arg.order == 1 and (placed := _placed(right)) is not None:
            return b.matmul(*args[:k], placed.times(left.arg), *args[k + 2 :])
        if (columns := _columns(left)) is not None and right.order == 1 and not right.row:
            return b.matmul(*args[:k], columns.times(right), *args[k + 2 :])
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
    return isinstance(x, Call) and x.fn == "one_hot" and isinstance(x.args[0], Num | Count)


def _place(unit: Expr) -> Int:
    place = unit.children[0]
    assert isinstance(place, Num | Count)
    return int(place.value) if isinstance(place, Num) else place.value


class _Columns(Struct, frozen=True):
    """A matrix by its columns, Σ_k c_k e_{p(k)}ᵀ, where the places p(k) are all there are."""

    column: Expr
    binder: Binder
    place: Int

    def times(self, v: Expr) -> Expr:
        """The column at the place of a unit vector; Σ_k v_{p(k)} c_k for any other vector; term by term for a sum."""
        if isinstance(v, Add) and all(t.order for t in v.args):
            return b.add(*(self.times(t) for t in v.args))
        scalars, tensor = b.scalar_factors(v)
        if scalars:
            return b.mul(*scalars, self.times(tensor))
        if _is_unit(v):
            k = integer(_place(v) - (self.place - self.binder.symbol))
            return reindex(self.column, {self.binder.symbol: k})
        own = self.binder.symbol
        apart = {own: fresh_symbol(own, free_ints(v) | free_ints(self.column)) if own in free_ints(v) else own}
        term = b.mul(_entry(v, [At(replace(self.place, apart))]), reindex(self.column, apart))
        return b.fold("sum", term, [Binder(apart[own], self.binder.lo, self.binder.hi)])


def _columns(x: Expr) -> _Columns | None:
    """The columns of a matrix that is a sum over its unit vectors; None for any other."""
    if not isinstance(x, Fold) or x.op != "sum" or x.conds or len(x.binders) != 1 or not isinstance(x.body, MatMul):
        return None
    (own,), *front, last = x.binders, *x.body.args
    if not isinstance(last, Transpose) or not _is_unit(last.arg):
        return None
    return _Columns(b.matmul(*front), own, _place(last.arg)) if _runs_through(last.arg, own, x.shape[1]) else None


class _Placed(Struct, frozen=True):
    """A vector by its entries, Σ_k c_k e_{p(k)}, where the places p(k) are all there are."""

    entry: Expr
    binder: Binder
    place: Int

    def at(self, index: Int) -> Expr:
        """The entry at a place."""
        k = integer(index - (self.place - self.binder.symbol))
        return reindex(self.entry, {self.binder.symbol: k})

    def times(self, v: Expr) -> Expr:
        """Σ_k v_{p(k)} c_k, the inner product with another vector."""
        own = self.binder.symbol
        apart = {own: fresh_symbol(own, free_ints(v) | free_ints(self.entry)) if own in free_ints(v) else own}
        term = b.mul(_entry(v, [At(replace(self.place, apart))]), reindex(self.entry, apart))
        return b.fold("sum", term, [Binder(apart[own], self.binder.lo, self.binder.hi)])


def _placed(x: Expr) -> _Placed | None:
    """The entries of a vector that is a sum over its unit vectors; None for any other."""
    if not isinstance(x, Fold) or x.op != "sum" or x.conds or len(x.binders) != 1 or not isinstance(x.body, Mul):
        return None
    (own,), units = x.binders, [f for f in x.body.args if _is_unit(f)]
    others = [f for f in x.body.args if f not in units]
    if len(units) != 1 or any(f.order for f in others) or not _runs_through(units[0], own, x.shape[0]):
        return None
    return _Placed(b.mul(*others), own, _place(units[0]))


def _runs_through(unit: Expr, over: Binder, size: Int) -> bool:
    """Whether unit vectors over a range are all there are, in their order."""
    place = _place(unit)
    first, last = (replace(place, {over.symbol: end}) for end in (over.lo, over.hi))
    return same(first, 1) and same(last, size) and isinstance(difference(place, over.symbol), int)


def _scalar_entry(v: Expr, unit: Expr) -> Expr:
    return _entry(v, [At(_place(unit))])


def has_units(root: Expr) -> bool:
    """Whether unit vectors with known places occur."""
    return any(_is_unit(x) for x in postorder(root, into=_plain))
