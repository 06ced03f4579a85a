"""Sums whose guard ties an index of the result to a summed one, j = s r + a − p: added up, one tap a after the other.

So are the adjoints of convolutions and of pooling. Over all j and r, with zeros where no tap is, such a sum would take
as many products as there are pairs of places.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import sympy
from msgspec import Struct

from symgrad.codegen.access import Place, Span, spread
from symgrad.codegen.binders import apart, solved, tied
from symgrad.codegen.emit import lengths, tensor, value
from symgrad.codegen.integers_text import number_source
from symgrad.codegen.intervals import Ranges, at_most, coefficient, largest, smallest
from symgrad.codegen.state import NotVectorisable, Scope, State, free_ints
from symgrad.codegen.text import PRODUCT, Code
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, integer, replace, symbols_of
from symgrad.tensor.nodes import At, Binder, Build, Count, Cut, Entry, Expr, Fold, Iverson, Mul, Rel, Var
from symgrad.tensor.reindex import fresh_symbol, reindex
from symgrad.tensor.walk import postorder


class Tap(Struct, frozen=True):
    """An index of the result at ``stride`` · r + tap + ``shift``, for taps 0..count − 1.

    Attributes:
        result: The result's index, with its range.
        summed: The index of the sum that it is tied to, which is r or the tap.
        along: r, with its range.
        stride: How far apart the places are that one tap reaches.
        shift: What is added to both.
        tap: The tap's symbol.
        count: The number of taps.
        base: The index of the first row of the array that is added to.
        last: The index of its last row.
        summed_at: The summed index by r and the tap.
    """

    result: Binder
    summed: sympy.Symbol
    along: Binder
    stride: int
    shift: Int
    tap: sympy.Symbol
    count: Int
    base: Int
    last: Int
    summed_at: Int

    @property
    def index(self) -> Int:
        """The result's index."""
        return integer(sympy.expand(self.stride * self.along.symbol + self.tap + self.shift))

    @property
    def places(self) -> dict[sympy.Symbol, Int]:
        """The two indices by r and the tap."""
        return {self.result.symbol: self.index, self.summed: self.summed_at}

    @property
    def taps(self) -> Binder:
        """The range of the taps."""
        return Binder(self.tap, 0, integer(sympy.expand(self.count - 1)))

    @property
    def rows(self) -> Int:
        """The number of rows of the array that is added to."""
        return integer(sympy.expand(self.last - self.base + 1))


def scattered(node: Build, state: State, scope: Scope) -> Code:
    """The array of a tensor given by entries, summed tap by tap.

    Raises:
        NotVectorisable: its entries are no such sum.
    """
    binders, body, _ = apart(node.binders, node.body, (), scope)
    scale, inner = b.coefficient(body)
    if not isinstance(inner, Fold) or inner.op != "sum":
        raise NotVectorisable
    inside = scope.over(*binders)
    summed, term, conds = solved(*apart(inner.binders, inner.body, inner.conds, inside), inside)
    taps, rest = _taps(binders, summed, conds, term, scope)
    ends = {s for x in (*binders, *summed) for e in (x.lo, x.hi) for s in symbols_of(e)}
    if not taps or ends & {s for t in taps for s in (t.result.symbol, t.summed)}:
        raise NotVectorisable
    by_result = {t.result.symbol: t for t in taps}
    places = {s: place for t in taps for s, place in t.places.items()}
    rest = tuple(b.rel(c.op, replace(c.left, places), replace(c.right, places)) for c in rest)
    left = tuple(x for x in summed if x.symbol not in {t.summed for t in taps})
    term = _kept(reindex(term, places), taps, (*binders, *summed), state, scope)
    term = b.fold("sum", term, left, rest) if left else b.mul(b.iverson(*rest), term) if rest else term
    axes = tuple(by_result[x.symbol].along if x.symbol in by_result else x for x in binders)
    role = "padded" if any(t.rows != t.result.length for t in taps) else "" if scale == 1 else "sum"
    label = f"{scope.label}_{role}" if role else scope.label
    label = label if label not in state.names.taken else f"{scope.label}_part"
    places_of = tuple(by_result.get(x.symbol, x) for x in binders)
    name = _added_up(b.build(term, axes), places_of, node, state.names.fresh(label), state, scope)
    if scale == 1:
        return name
    number, level = number_source(scale)
    text = f"{number if level > PRODUCT else f'({number})'} * {name.text}"
    return Code(text, PRODUCT, name.batch, name.order)


def _taps(
    results: Ranges, summed: Ranges, conds: Sequence[Rel], term: Expr, scope: Scope
) -> tuple[list[Tap], tuple[Rel, ...]]:
    """The pairs of indices that conditions tie, each index in one of them, and the other conditions."""
    taps: list[Tap] = []
    rest = tuple(conds)
    taken = {x.symbol for x in (*scope.ranges, *results, *summed)} | free_ints(term)
    for x in results:
        for y in summed:
            ends = [(c, e) for c in rest if (e := tied(c, x.symbol, y.symbol)) is not None]
            strides = {stride for _, (stride, _, _) in ends}
            lower = next((e for _, (_, up, e) in ends if not up), None)
            upper = next((e for _, (_, up, e) in ends if up), None)
            if len(ends) != 2 or len(strides) != 1 or lower is None or upper is None:
                continue
            if any(y.symbol == t.summed for t in taps):
                continue
            fresh = fresh_symbol(sympy.Symbol("a", integer=True), taken)
            taken.add(fresh)
            taps.append(_tap(x, y, strides.pop(), (lower, upper), fresh, term, scope))
            rest = tuple(c for c in rest if c not in [met for met, _ in ends])
            break
    return taps, rest


def _tap(
    x: Binder, y: Binder, stride: int, ends: tuple[Int, Int], fresh: sympy.Symbol, term: Expr, scope: Scope
) -> Tap:
    """A tap whose places all have a row, in an array with rows beyond the result's if need be, or else none at all.

    At stride 1 the sum may be over the taps themselves; it is taken as what has a range of numbers.
    """
    lower, upper = ends
    count = integer(sympy.expand(difference(upper, lower) + 1))
    if stride == 1 and isinstance(y.length, int) and not isinstance(count, int):
        along, count, shift = Binder(fresh, 0, integer(count - 1)), y.length, integer(y.lo + lower)
        tap, summed_at = y.symbol, integer(y.symbol + y.lo)
    else:
        along, shift, tap, summed_at = y, lower, fresh, y.symbol
    first = integer(sympy.expand(stride * along.lo + shift))
    last = integer(sympy.expand(stride * along.hi + shift + count - 1))
    base, end = x.lo, x.hi
    if not (at_most(x.lo, first, scope.ranges) and at_most(last, x.hi, scope.ranges)):
        if _only_by_tap(term, x.symbol, y.symbol, stride):
            base, end = smallest((x.lo, first), scope.ranges), largest((x.hi, last), scope.ranges)
        else:
            known = (*scope.ranges, Binder(tap, 0, integer(count - 1)))
            lo = integer(sympy.ceiling((difference(x.lo, shift) - tap) / sympy.Integer(stride)))
            hi = integer(sympy.floor((difference(x.hi, shift) - tap) / sympy.Integer(stride)))
            along = Binder(along.symbol, largest((along.lo, lo), known), smallest((along.hi, hi), known))
    return Tap(x, y.symbol, along, stride, shift, tap, count, base, end, summed_at)


def _only_by_tap(term: Expr, result: sympy.Symbol, summed: sympy.Symbol, stride: int) -> bool:
    """Whether the result's index is named only as j − s r, that is by the tap."""
    for place in _places(term):
        slope = coefficient(place, result)
        if slope is None or (slope and coefficient(place, summed) != -stride * slope):
            return False
    return True


def _places(term: Expr) -> Iterator[Int]:
    """The integers that an expression names."""
    for x in postorder(term):
        match x:
            case Var():
                yield from x.subs
            case Count():
                yield x.value
            case Entry():
                for item in x.items:
                    match item:
                        case At(index):
                            yield index
                        case Cut(lo, hi):
                            yield from (lo, hi)
            case Iverson() | Fold():
                yield from (side for c in x.conds for side in (c.left, c.right))
        if isinstance(x, Fold | Build):
            yield from (end for y in x.binders for end in (y.lo, y.hi))


def _kept(term: Expr, taps: Sequence[Tap], ranges: Ranges, state: State, scope: Scope) -> Expr:
    """The term with the factors that no tap changes as one, computed once before."""
    moving = {t.tap for t in taps}
    cut = {s for t in taps for end in (t.along.lo, t.along.hi) for s in symbols_of(end)}
    if not isinstance(term, Mul) or cut & moving or any(a.order or isinstance(a, Iverson) for a in term.args):
        return term
    still = [a for a in term.args if not free_ints(a) & moving]
    if len(still) < 2:
        return term
    part = b.mul(*still)
    moved = {t.along.symbol: t.along for t in taps}
    ranged = {**{x.symbol: x for x in ranges}, **moved}
    own = scope.over(*(x for s, x in ranged.items() if s in free_ints(part)))
    state.remember(part, own, state.bind(value(part, state, own), f"{scope.label}_part"))
    return Mul((part, *(a for a in term.args if a not in still)), term.shape)


def _added_up(term: Expr, axes: Sequence[Tap | Binder], node: Build, name: str, state: State, scope: Scope) -> Code:
    """The statements that add the terms of every tap to the rows they belong to, and the name of the rows wanted."""
    taps = [t for t in axes if isinstance(t, Tap)]
    outer = tuple(x for x in scope.batch if x.symbol in free_ints(node))
    own = node.shape[len(axes) :]
    rows = [x.rows if isinstance(x, Tap) else x.length for x in axes]
    symbols = tuple(x.symbol for x in outer)
    state.line(f"{name} = np.zeros({state.shape((*lengths(symbols, scope), *rows, *own))})")
    with ExitStack() as loops:
        for t in taps:
            loops.enter_context(state.block(f"for {state.symbol(t.tap)[0]} in range({state.integer(t.count)})"))
        inner = scope.at(*(t.taps for t in taps))
        code = spread(tensor(term, state, inner), symbols)
        places = [Place(difference(x.symbol, x.lo), x.length) for x in outer]
        places += [
            Place(difference(x.index, x.base), n) if isinstance(x, Tap) else Place(difference(x.symbol, x.lo), n)
            for x, n in zip(axes, rows, strict=True)
        ]
        own_ranges = (x.along if isinstance(x, Tap) else x for x in axes)
        target = state.indexer(inner.over(*own_ranges)).take(name, places, len(own))
        state.line(f"{target.text} += {code.text}")
    return _rows_wanted(name, axes, rows, outer, node, state, scope)


def _rows_wanted(
    name: str, axes: Sequence[Tap | Binder], rows: Sequence[Int], outer: Ranges, node: Build, state: State, scope: Scope
) -> Code:
    """The array without the rows beyond the result's."""
    spans = [Span(0, x.length, x.length) for x in outer]
    for x, n in zip(axes, rows, strict=True):
        start = difference(x.result.lo, x.base) if isinstance(x, Tap) else 0
        count = x.result.length if isinstance(x, Tap) else n
        spans.append(Span(start, integer(sympy.expand(start + count)), n))
    made = state.indexer(scope).take(name, spans, node.order - len(axes))
    return Code(made.text, made.level, tuple(x.symbol for x in outer), node.order)
