"""Which members of which families an expression reads, and over which ranges."""

from collections.abc import Iterable

from msgspec import Struct

from symgrad.codegen.intervals import Ranges, at_most, clip, extreme
from symgrad.tensor.integers import Int, difference, symbols_of
from symgrad.tensor.nodes import At, Build, Entry, Expr, Fold, Iverson, Mul, Rel, Var
from symgrad.tensor.system import Definition


class Access(Struct, frozen=True):
    """A named node, read for all indices in the ranges; ``guarded`` where relations left over say it is not for all.

    ``known`` are the ranges of open steps, which stand for one value each. ``sure`` says that it is read whatever
    the sizes are: no range around it can be empty. ``entries`` are the places, from 0, that are picked along the
    node's own axes, None where they are not picked by an index.
    """

    node: Var
    ranges: Ranges
    guarded: bool = False
    known: Ranges = ()
    sure: bool = False
    entries: tuple[Int | None, ...] = ()

    def span(self, axis: int) -> tuple[Int | None, Int | None]:
        """The least and the greatest index along an axis; None where the index is not affine."""
        sub = self.node.subs[axis]
        return extreme(sub, self.ranges, upper=False), extreme(sub, self.ranges, upper=True)


def accesses(body: Expr, ranges: Ranges, conds: tuple[Rel, ...] = (), known: Ranges = ()) -> list[Access]:
    """Every access in an expression, once for each way of being reached, in the order of first mention."""
    out: dict[Access, None] = {}
    seen: set[tuple[Expr, Ranges, bool]] = set()
    start, rest = clip(ranges, conds, known)
    stack: list[tuple[Expr, Ranges, bool]] = [(body, start, bool(rest))]
    while stack:
        item = stack.pop()
        if item in seen:
            continue
        seen.add(item)
        node, inside, guarded = item
        named, places = _picked(node)
        if named is not None:
            used = _relevant((*named.subs, *(x for x in places if x is not None)), inside)
            out[Access(named, used, guarded, known, not inside, places)] = None
            stack += [(c, inside, guarded) for c in reversed(node.children[1:])]
            continue
        if isinstance(node, Fold | Build):
            inside = (*inside, *node.binders)
        found = guards(node)
        if found:
            inside, left = clip(inside, found, known)
            guarded = guarded or bool(left)
        stack += [(c, inside, guarded) for c in reversed(node.children)]
    return list(out)


def _picked(node: Expr) -> tuple[Var | None, tuple[Int | None, ...]]:
    """The named node that an expression is, or is an entry of, and the places of the entry."""
    if isinstance(node, Var):
        return node, ()
    if isinstance(node, Entry) and isinstance(node.arg, Var):
        return node.arg, tuple(difference(i.index, 1) if isinstance(i, At) else None for i in node.items)
    return None, ()


def guards(node: Expr) -> tuple[Rel, ...]:
    """The relations under which a node's operands count."""
    if isinstance(node, Fold):
        return node.conds
    if isinstance(node, Mul):
        return tuple(c for a in node.args if isinstance(a, Iverson) for c in a.conds)
    return ()


def _relevant(places: Iterable[Int], ranges: Ranges) -> Ranges:
    """The ranges that places depend on, directly or through a bound."""
    needed = {s for place in places for s in symbols_of(place)}
    kept: list[int] = []
    for k in reversed(range(len(ranges))):
        x = ranges[k]
        if x.symbol in needed:
            kept.append(k)
            for end in (x.lo, x.hi):
                if not isinstance(end, int):
                    needed |= end.free_symbols
    return tuple(ranges[k] for k in reversed(kept))


def may_hit(a: Access, d: Definition) -> bool:
    """Whether an access may read what a definition makes."""
    if a.node.name != d.family or len(a.node.subs) != len(d.indices):
        return False
    own = {x.symbol: x for x in d.ranges}
    for axis, index in enumerate(d.indices):
        lo, hi = a.span(axis)
        x = own.get(index)
        first, last = (index, index) if x is None else (_end(x.lo, d, False), _end(x.hi, d, True))
        if hi is not None and first is not None and at_most(hi + 1, first, a.known):
            return False
        if lo is not None and last is not None and at_most(last + 1, lo, a.known):
            return False
    return True


def _end(value: Int, d: Definition, upper: bool) -> Int | None:
    return extreme(value, d.ranges, upper)
