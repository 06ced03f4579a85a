"""The order of computing: what is read comes first, and definitions that read each other share a loop."""

from collections.abc import Sequence
from typing import TypeAlias

import sympy
from msgspec import Struct
from msgspec.structs import replace as changed

from symgrad.codegen.accesses import Access, may_hit
from symgrad.codegen.intervals import (
    Ranges,
    at_most,
    coefficient,
    extreme,
    fixed_value,
    largest,
    nonnegative,
    smallest,
)
from symgrad.codegen.model import Model, rename
from symgrad.errors import InternalError
from symgrad.tensor.integers import Int, difference
from symgrad.tensor.nodes import Binder
from symgrad.tensor.system import Definition


class Once(Struct, frozen=True):
    """A definition that does not read itself: all of its members at once."""

    definition: Definition


class Loop(Struct, frozen=True):
    """Definitions that read each other at earlier (descending: later) steps, one step after the other."""

    step: Binder
    descending: bool
    members: tuple[Definition, ...]
    body: "tuple[Once | Loop, ...]"


Plan: TypeAlias = tuple[Once | Loop, ...]


class _Edge(Struct, frozen=True):
    """The reader, what it reads, and through which access; both are places in a list of definitions."""

    reader: int
    read: int
    access: Access


def plan(model: Model) -> Plan:
    """The plan of a whole model.

    Raises:
        InternalError: definitions depend on each other within one step.
    """
    return _plan(model, list(model.definitions), _edges(model, model.definitions))


def _edges(model: Model, definitions: Sequence[Definition]) -> list[_Edge]:
    by_family: dict[str, list[int]] = {}
    for k, d in enumerate(definitions):
        by_family.setdefault(d.family, []).append(k)
    return [
        _Edge(k, j, a)
        for k, d in enumerate(definitions)
        for a in model.reads(d)
        for j in by_family.get(a.node.name, ())
        if may_hit(a, definitions[j])
    ]


def _plan(model: Model, definitions: list[Definition], edges: list[_Edge]) -> Plan:
    out: list[Once | Loop] = []
    for group in _components(len(definitions), edges):
        inner = [e for e in edges if e.reader in group and e.read in group]
        if not inner:
            out.append(Once(definitions[group[0]]))
        else:
            out.append(_loop(model, [definitions[k] for k in group], _renumber(inner, group)))
    return tuple(out)


def _renumber(edges: list[_Edge], group: list[int]) -> list[_Edge]:
    place = {k: n for n, k in enumerate(group)}
    return [_Edge(place[e.reader], place[e.read], e.access) for e in edges]


def _loop(model: Model, members: list[Definition], edges: list[_Edge]) -> Loop:
    for x in members[0].ranges:
        axes = _step_axes(members, edges, x.symbol)
        if axes is None:
            continue
        for descending in (False, True):
            strict = [_lag(e, members, axes, descending) for e in edges]
            if None in strict or not any(strict):
                continue
            fixed = [_with_step(d, axis, x.symbol) for d, axis in zip(members, axes, strict=True)]
            steps = [_range_of(d, x.symbol) for d in fixed]
            others = model.open
            step = Binder(x.symbol, smallest([s.lo for s in steps], others), largest([s.hi for s in steps], others))
            now = [e for e, s in zip(edges, strict, strict=True) if not s]
            return Loop(step, descending, tuple(fixed), _plan(model, fixed, now))
    names = ", ".join(dict.fromkeys(d.family for d in members))
    raise InternalError(f"{names}: these depend on each other within one step")


def _range_of(d: Definition, symbol: sympy.Symbol) -> Binder:
    return next(x for x in d.ranges if x.symbol == symbol)


def _with_step(d: Definition, axis: int, symbol: sympy.Symbol) -> Definition:
    own = d.indices[axis]
    assert isinstance(own, sympy.Symbol)
    if own == symbol:
        return d
    clash = {symbol: sympy.Symbol(f"{symbol.name}_", integer=True)} if symbol in d.indices else {}
    return rename(rename(d, clash), {own: symbol})


def _step_axes(members: list[Definition], edges: list[_Edge], first: sympy.Symbol) -> list[int] | None:
    """For each member the axis of the common step, found along the accesses from the first member."""
    axes: dict[int, int] = {0: members[0].indices.index(first)}
    grown = True
    while grown:
        grown = False
        for e in edges:
            if e.reader not in axes or e.read in axes:
                continue
            own = members[e.reader].indices[axes[e.reader]]
            assert isinstance(own, sympy.Symbol)
            ranged = {x.symbol for x in members[e.read].ranges}
            candidates = [k for k, index in enumerate(members[e.read].indices) if index in ranged]
            axis = next((k for moves in (_follows, _reaches) for k in candidates if moves(e.access, k, own)), None)
            if axis is not None:
                axes[e.read] = axis
                grown = True
    return [axes[k] for k in range(len(members))] if len(axes) == len(members) else None


def _follows(a: Access, axis: int, own: sympy.Symbol) -> bool:
    """Whether what is read moves along an axis with the reader's step."""
    return coefficient(a.node.subs[axis], own) == 1


def _reaches(a: Access, axis: int, own: sympy.Symbol) -> bool:
    """Whether what is read begins or ends along an axis at a place that moves with the reader's step: all of a past."""
    inner = _without(a.ranges, own)
    ends = (extreme(a.node.subs[axis], inner, upper) for upper in (True, False))
    return any(end is not None and coefficient(end, own) == 1 for end in ends)


def _lag(e: _Edge, members: list[Definition], axes: list[int], descending: bool) -> bool | None:
    """Whether an access reads an earlier step (True) or perhaps the same one (False); None: it may look ahead."""
    own = members[e.reader].indices[axes[e.reader]]
    assert isinstance(own, sympy.Symbol)
    gap = difference(own, e.access.node.subs[axes[e.read]])
    behind: Int = difference(0, gap) if descending else gap
    ranges = e.access.known + _without(e.access.ranges, own)
    if nonnegative(difference(behind, 1), ranges):
        return True
    return False if nonnegative(behind, ranges) else None


def _without(ranges: Ranges, symbol: sympy.Symbol) -> Ranges:
    return tuple(x for x in ranges if x.symbol != symbol)


def _components(n: int, edges: list[_Edge]) -> list[list[int]]:
    """Strongly connected components, what is read first, otherwise in the order of the definitions."""
    reads: list[set[int]] = [set() for _ in range(n)]
    for e in edges:
        reads[e.reader].add(e.read)
    group_of = _strong(n, reads)
    groups: dict[int, list[int]] = {}
    for k in range(n):
        groups.setdefault(group_of[k], []).append(k)
    needs = {g: {group_of[j] for k in ks for j in reads[k]} - {g} for g, ks in groups.items()}
    out: list[list[int]] = []
    done: set[int] = set()
    waiting = sorted(groups, key=lambda g: groups[g][0])
    while waiting:
        ready = next(g for g in waiting if needs[g] <= done)
        waiting.remove(ready)
        done.add(ready)
        out.append(groups[ready])
    return out


def _strong(n: int, reads: list[set[int]]) -> list[int]:
    """The component of each vertex (Kosaraju, iterative)."""
    order: list[int] = []
    seen: set[int] = set()
    for root in range(n):
        stack = [(root, False)]
        while stack:
            k, finished = stack.pop()
            if finished:
                order.append(k)
            elif k not in seen:
                seen.add(k)
                stack.append((k, True))
                stack += [(j, False) for j in reads[k] if j not in seen]
    readers: list[list[int]] = [[] for _ in range(n)]
    for k, after in enumerate(reads):
        for j in after:
            readers[j].append(k)
    group = [-1] * n
    for root in reversed(order):
        if group[root] >= 0:
            continue
        pending = [root]
        while pending:
            k = pending.pop()
            if group[k] < 0:
                group[k] = root
                pending += [j for j in readers[k] if group[j] < 0]
    return group


def tighten(model: Model) -> Model:
    """The model with each recurrence ended at the last step that anything reads."""
    definitions = list(model.definitions)
    for part in reversed(plan(model)):
        members = part.members if isinstance(part, Loop) else (part.definition,)
        outside = [a for d in definitions if not _is_member(d, members) for a in model.reads(d)] + model.output_reads()
        demands = [a for a in outside if any(may_hit(a, d) for d in members)]
        for symbol, cut_lo, cut_hi in _cuts(part):
            definitions = _shrink(model, definitions, members, symbol, demands, (cut_lo, cut_hi))
    return model.with_definitions(tuple(definitions))


def _cuts(part: Once | Loop) -> list[tuple[sympy.Symbol, bool, bool]]:
    if isinstance(part, Loop):
        return [(part.step.symbol, part.descending, not part.descending)]
    return [(x.symbol, True, True) for x in part.definition.ranges]


def _shrink(
    model: Model,
    definitions: list[Definition],
    members: Sequence[Definition],
    symbol: sympy.Symbol,
    demands: list[Access],
    ends: tuple[bool, bool],
) -> list[Definition]:
    bounds: list[tuple[Int | None, Int | None]] = []
    if any(a.guarded for a in demands):
        return definitions
    for a in demands:
        for d in members:
            if symbol in d.indices and may_hit(a, d):
                bounds.append(a.span(d.indices.index(symbol)))
    lows, highs = [lo for lo, _ in bounds], [hi for _, hi in bounds]
    lo = smallest([x for x in lows if x is not None], model.open) if ends[0] and lows and None not in lows else None
    hi = largest([x for x in highs if x is not None], model.open) if ends[1] and highs and None not in highs else None
    sure = all(a.sure for a in demands)
    lo, hi = (None if isinstance(end, sympy.Min | sympy.Max) else end for end in (lo, hi))
    return [
        _settled(changed(d, ranges=tuple(_tighter(x, symbol, lo, hi, model.open, sure) for x in d.ranges)))
        if _is_member(d, members)
        else d
        for d in definitions
    ]


def _settled(d: Definition) -> Definition:
    """The definition with an index whose range is a single one fixed."""
    values = {x.symbol: v for x in d.ranges if (v := fixed_value(x)) is not None}
    rest = changed(d, ranges=tuple(x for x in d.ranges if x.symbol not in values))
    return rename(rest, values)


def _is_member(d: Definition, members: Sequence[Definition]) -> bool:
    return any(d.family == m.family and d.indices == m.indices and d.body is m.body for m in members)


def _tighter(x: Binder, symbol: sympy.Symbol, lo: Int | None, hi: Int | None, known: Ranges, sure: bool) -> Binder:
    """The range up to what is read; ``sure`` says that it is read in any case, and so exists."""
    if x.symbol != symbol:
        return x
    if (
        lo is not None
        and not at_most(lo, x.lo, known)
        and (sure or at_most(x.lo, lo, known))
        and at_most(lo, x.hi + 1, known)
    ):
        x = Binder(symbol, lo, x.hi)
    if (
        hi is not None
        and not at_most(x.hi, hi, known)
        and (sure or at_most(hi, x.hi, known))
        and at_most(x.lo, hi + 1, known)
    ):
        x = Binder(symbol, x.lo, hi)
    return x
