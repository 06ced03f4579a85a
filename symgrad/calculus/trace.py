"""The part of a model between two nodes: member by member where a range is short, a family as one running node else."""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeGuard

import sympy
from msgspec import Struct, field

from symgrad.calculus.adjoint import shared_by
from symgrad.calculus.dependency import Lags, lags, reach
from symgrad.calculus.ranges import Bounds
from symgrad.calculus.sensitivity import Sensitivity
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, integer, replace, same, symbols_of
from symgrad.tensor.nodes import ANY, Binder, Expr, Var
from symgrad.tensor.reindex import fresh_symbol
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.system import Definition, System, spread
from symgrad.tensor.walk import postorder, variables


class OpenPaths(QuestionError):
    """Which nodes lie between two others depends on an open step, so that their paths cannot be listed."""


MOST_NODES = 20_000
MOST_OPEN = 200
"""Nodes at open steps: more of them means that the recurrence goes back without an end."""

MOST_LAGS = 8
"""Members of a family at open steps between two that are asked about."""


class Trace(Struct, frozen=True):
    """The part of a model between a node and what it is differentiated by.

    ``order`` has what is read before its readers, ``of`` last; ``bodies`` are their definitions, short sums over steps
    written out; ``targets`` are the nodes it was asked about that were reached. A node that a sum over a symbolic range
    picks stands for all of them, p_i for i = 1, …, N: it is ``running`` over that range.
    """

    of: Var
    order: tuple[Var, ...]
    bodies: dict[Var, Expr]
    targets: tuple[Var, ...]
    reads: Mapping[Var, tuple[Var, ...]] = field(default_factory=dict)
    running: Mapping[Var, tuple[Binder, ...]] = field(default_factory=dict)
    known: Bounds = field(default_factory=Bounds)
    held: frozenset[Expr] = frozenset()
    families: Mapping[str, Collection[str]] = field(default_factory=dict)

    def derivative(self, node: Var) -> Expr:
        """∂of/∂node, unresolved: ∂⁺ where every member of a family is held that the node acts on."""
        all_held = {h for h in self.held if _whole_family(h)}
        if not all_held:
            return b.deriv(self.of, node, "total", self.held)
        met = {h for h in all_held if h.name in self.families.get(node.name, ())}
        held = (self.held - all_held) | met
        return b.deriv(self.of, node, "immediate" if met else "total", held)

    def readers(self, node: Var) -> tuple[Var, ...]:
        """The nodes of the trace whose bodies name this one, in order."""
        return tuple(v for v in self.order if node in self.reads.get(v, ()))

    def ranges(self, *nodes: Var) -> tuple[Binder, ...]:
        """The ranges over which nodes run, each once."""
        return tuple(dict.fromkeys(x for v in nodes for x in self.running.get(v, ())))

    def plain(self, reader: Var, node: Var) -> bool:
        """Whether a reader names a node itself, not a member of its family that a bound index picks."""
        body = self.bodies[reader]
        named = {v for v in variables(body) if v.name == node.name}
        return named == {node} and not bound_symbols(body) & symbols_in(node)

    def member(self, reader: Var, node: Var) -> Var:
        """The member of a running reader that names a node at its own indices; any other reader as it is."""
        body = self.bodies.get(reader)
        named = {v.subs for v in variables(body) if v.name == node.name} if body is not None else set()
        beside = reader in self.running and named == {reader.subs} and not symbols_in(node) & symbols_in(reader)
        return Var(reader.name, node.subs, reader.shape, reader.facts) if beside else reader

    def over(self, value: Expr, reader: Var, node: Var) -> Expr:
        """Σ of what a reader passes to a node, over the members that the reader stands for and the node does not."""
        left = [x for x in self.running.get(reader, ()) if x.symbol not in symbols_in(node)]
        return b.fold("sum", value, left) if left else value

    def spread_over(self, value: Expr, reader: Var, node: Var) -> Expr:
        """A product through a reader, at the member of its family that names the node, or over all that do."""
        body = self.bodies.get(reader)
        if reader not in self.running or body is None or self.plain(reader, node) or bound_symbols(body):
            return self.over(value, reader, node)
        return self.met([Sensitivity(v, value) for v in variables(body) if v.name == node.name], reader, node)

    def met(self, found: Iterable[Sensitivity], reader: Var, node: Var) -> Expr:
        """What arrives at a node from the members of its family that a reader names."""
        d = Definition(reader.name, reader.subs, self.bodies[reader], self.running.get(reader, ()))
        known = self.known.within(self.running.get(node, ()))
        terms = [t.guarded for s in found for t in shared_by(s, d, node, known)]
        return b.add(*terms) if terms else b.zeros(node.shape)


def trace(system: System, of: Var, wrt: Collection[Var], held: Collection[Expr] = ()) -> Trace:
    """The nodes on paths from ``wrt`` to ``of``; nodes in ``held`` are not looked into.

    Raises:
        OpenPaths: the paths have no end at an open step, or a member that is read may or may not be the one asked for.
    """
    return _Tracer(system, of, tuple(wrt), held).trace()


class _Tracer:
    """The search from a node down to what it is differentiated by."""

    def __init__(self, system: System, of: Var, wrt: tuple[Var, ...], held: Collection[Expr]) -> None:
        self.system = system
        self.of = of
        self.wrt = wrt
        self.table = lags(system)
        self.useful = set().union(*(reach(w.name, self.table.readers) for w in wrt)) if wrt else set()
        self.held = frozenset(held)
        self.stop = set(wrt) | {h for h in held if isinstance(h, Var)}
        self.closed = {h.name for h in held if _whole_family(h)}
        self.unsure = [v for v in self.stop if not _whole_family(v)]
        self.fixed = {s for v in (of, *wrt, *held) if isinstance(v, Var) for s in symbols_in(v)} - {ANY}
        self.bodies: dict[Var, Expr] = {}
        self.reads: dict[Var, tuple[Var, ...]] = {}
        self.running: dict[Var, tuple[Binder, ...]] = {}
        self.runners: dict[sympy.Symbol, sympy.Symbol] = {}

    def trace(self) -> Trace:
        order: list[Var] = []
        begun: set[Var] = set()
        done: set[Var] = set()
        stack: list[Var] = [self.of]
        endless = 0
        while stack:
            node = stack[-1]
            if node in begun:
                if node not in done:
                    done.add(node)
                    order.append(node)
                stack.pop()
                continue
            begun.add(node)
            endless += any(not isinstance(s, int) for s in node.subs)
            if len(begun) > MOST_NODES or endless > MOST_OPEN:
                raise _endless()
            for v in reversed(self._below(node)):
                if v in begun and v not in done:
                    raise _endless()
                if v not in begun:
                    stack.append(v)
        alive = self._alive(order)
        kept = tuple(v for v in order if v in alive or v is self.of)
        known = Bounds().within(self.system.steps.values())
        return Trace(
            self.of,
            kept,
            {v: self.bodies[v] for v in kept if v in self.bodies},
            tuple(w for w in self.wrt if w in alive),
            {v: tuple(u for u in self.reads.get(v, ()) if u in alive) for v in kept},
            {v: self.running[v] for v in kept if v in self.running},
            known,
            self.held,
            {v.name: reach(v.name, self.table.readers) for v in kept} if self.closed else {},
        )

    def _below(self, node: Var) -> list[Var]:
        """The nodes that a node's definition names and that may lead on to ``wrt``."""
        if node in self.stop and node is not self.of:
            return []
        unsure = next((w for w in self.unsure if _may_be(node, w)), None)
        if unsure is not None:
            which = f"whether {describe_node(node)} is {describe_node(unsure)} depends on the steps"
            raise OpenPaths(f"{which}; give them numbers, or ask for form backprop of a scalar")
        body = self.system.body(node)
        if body is None:
            return []
        body = spread(body)
        self.bodies[node] = body
        loose = {x.symbol: x for x in (*bound_ranges(body), *self.running.get(node, ()))}
        found: dict[Var, None] = {}
        for v in variables(body):
            if v.name in self.useful:
                found.update(dict.fromkeys(u for u in self._standing(v, loose) if self._may_reach(u)))
        self.reads[node] = tuple(u for u in found if not self._stood_for(u, found))
        return list(self.reads[node])

    def _stood_for(self, node: Var, beside: Iterable[Var]) -> bool:
        """Whether a member of a family is among those that a running node beside it stands for."""
        hit = None if node in self.running or node in self.stop else self.system.definition(node)
        ranges = () if hit is None else hit[0].ranges
        return bool(ranges) and any(
            u.name == node.name and {x.lo for x in self.running.get(u, ())} <= {x.lo for x in ranges}
            for u in beside
            if u in self.running
        )

    def _standing(self, v: Var, loose: Mapping[sympy.Symbol, Binder]) -> list[Var]:
        """The node itself; where bound indices pick it, the nodes that stand for its whole family."""
        moving = [k for k, s in enumerate(v.subs) if symbols_of(s) & loose.keys()]
        if v.name in self.closed:
            return [w for w in self.wrt if w is v or (moving and w.name == v.name and len(w.subs) == len(v.subs))]
        if not moving:
            return [v]
        asked = [w for w in self.wrt if w.name == v.name and len(w.subs) == len(v.subs)]
        if asked and any(v.name in reach(f, self.table.reads) for f in self.table.reads.get(v.name, ())):
            between = [self._until(w, v, moving, loose) for w in asked]
            if all(x is not None for x in between):
                return list(dict.fromkeys(u for x in between if x is not None for u in x))
            which = f"{describe_node(v)} runs over a range without a numeric end"
            raise OpenPaths(f"{which}; give it one, or ask for form backprop of a scalar")
        return asked or [u for d in self.system.family(v.name) if (u := self._member(d, v, moving)) is not None]

    def _until(self, w: Var, v: Var, moving: list[int], loose: Mapping[sympy.Symbol, Binder]) -> tuple[Var, ...] | None:
        """The members h_{t−i} from the first one that i picks to the one asked about; None where they are not few."""
        symbols = {s for k in moving for s in symbols_of(v.subs[k]) & loose.keys()}
        if len(moving) != 1 or len(symbols) != 1:
            return None
        (place,), (symbol,) = moving, symbols
        first = replace(v.subs[place], {symbol: loose[symbol].lo})
        apart, turn = (
            difference(first, w.subs[place]),
            difference(replace(v.subs[place], {symbol: symbol + 1}), v.subs[place]),
        )
        if any(not same(a, c) for k, (a, c) in enumerate(zip(v.subs, w.subs, strict=True)) if k != place):
            return None
        if not isinstance(apart, int) or turn not in (1, -1) or not isinstance(turn, int):
            return None
        count = -apart * turn
        nearest = Var(v.name, (*v.subs[:place], first, *v.subs[place + 1 :]), v.shape, v.facts)
        if count > MOST_LAGS or (count < 0 and _reaches(nearest, w, self.table)):
            return None
        steps = (integer(first + k * turn) for k in range(count + 1))
        return tuple(Var(v.name, (*v.subs[:place], s, *v.subs[place + 1 :]), v.shape, v.facts) for s in steps)

    def _member(self, d: Definition, v: Var, moving: list[int]) -> Var | None:
        """The node of a definition at its own indices in the places that move, at v's in the others."""
        if len(d.indices) != len(v.subs):
            return None
        own = {x.symbol: x for x in d.ranges}
        mapping: dict[sympy.Symbol, Int] = {}
        for k, (pattern, sub) in enumerate(zip(d.indices, v.subs, strict=True)):
            if isinstance(pattern, sympy.Symbol) and pattern in own:
                mapping[pattern] = self._runner(pattern) if k in moving else sub
            elif k not in moving and not same(pattern, sub):
                return None
        node = Var(v.name, tuple(replace(i, mapping) for i in d.indices), v.shape, v.facts)
        ranges = (
            Binder(s, replace(x.lo, mapping), replace(x.hi, mapping))
            for x in d.ranges
            if isinstance(s := mapping.get(x.symbol), sympy.Symbol) and d.indices.index(x.symbol) in moving
        )
        self.running[node] = tuple(ranges)
        return node

    def _runner(self, step: sympy.Symbol) -> sympy.Symbol:
        """The index of running nodes over the range of a step: another for each step, and none that is asked about."""
        if step not in self.runners:
            others = {r for own, r in self.runners.items() if own != step}
            self.runners[step] = fresh_symbol(step, self.fixed | others)
        return self.runners[step]

    def _alive(self, order: list[Var]) -> set[Var]:
        alive: set[Var] = set()
        for v in order:
            if v in self.wrt or any(u in alive for u in self.reads.get(v, ())):
                alive.add(v)
        return alive

    def _may_reach(self, node: Var) -> bool:
        return node in self.running or any(_reaches(node, w, self.table) for w in self.wrt)


def _whole_family(h: Expr) -> TypeGuard[Var]:
    return isinstance(h, Var) and ANY in h.subs


def _endless() -> OpenPaths:
    return OpenPaths("the recurrence has no end at an open step; ask for form sum-of-products or backprop")


def _may_be(node: Var, other: Var) -> bool:
    """Whether two members of a family are the same for some values of the steps, and others for others."""
    if node is other or node.name != other.name:
        return False
    return all(b.holds(b.rel("==", x, y)) is not False for x, y in zip(node.subs, other.subs, strict=True))


def bound_symbols(body: Expr) -> set[sympy.Symbol]:
    """The indices that sums, tensors by entries and losses in an expression bind."""
    return {x.symbol for x in bound_ranges(body)}


def bound_ranges(body: Expr) -> tuple[Binder, ...]:
    """The ranges of the indices that an expression binds."""
    found: dict[Binder, None] = {}
    for x in postorder(body):
        found |= dict.fromkeys(x.binders)
    return tuple(found)


def symbols_in(node: Var) -> set[sympy.Symbol]:
    """The symbols in the subscripts of a node."""
    return {s for sub in node.subs for s in symbols_of(sub)}


def _reaches(node: Var, target: Var, table: Lags) -> bool:
    if node == target:
        return True
    signs = table.sign.get(node.name, set())
    for step, k in table.position.get(node.name, {}).items():
        j = table.position.get(target.name, {}).get(step)
        if j is None or j >= len(target.subs) or k >= len(node.subs):
            continue
        gap = difference(node.subs[k], target.subs[j])
        if not isinstance(gap, int) or None in signs:
            continue
        if (gap < 0 and 1 not in signs) or (gap > 0 and -1 not in signs):
            return False
    return node.name in {target.name} or target.name in reach(node.name, table.reads)
