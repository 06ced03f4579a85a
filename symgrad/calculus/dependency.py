"""Who reads whom: families, their lags along the steps, and the part of a model between two nodes."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import sympy

from symgrad.calculus.ranges import Bounds
from symgrad.errors import QuestionError
from symgrad.tensor.build import holds, rel
from symgrad.tensor.integers import difference, symbols_of
from symgrad.tensor.nodes import Build, Expr, Fold, Var
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.system import Definition, System, spread
from symgrad.tensor.walk import postorder, variables


class OpenPaths(QuestionError):
    """Which nodes lie between two others depends on an open step or range, so that their paths cannot be listed."""


MOST_NODES = 20_000
MOST_OPEN = 200
"""Nodes at open steps: more of them means that the recurrence goes back without an end."""


@dataclass(frozen=True, slots=True)
class Read:
    """A definition reads a node: family[subs] in the body of the definition."""

    reader: Definition
    node: Var


def reads(system: System) -> tuple[Read, ...]:
    """Every (definition, named node it reads), in order."""
    return tuple(Read(d, v) for d in system.definitions for v in variables(d.body))


@dataclass(slots=True)
class Lags:
    """How far back or ahead along each step a family looks, itself and through what it reads.

    ``sign[family]`` holds -1 if it may read earlier steps, 1 if later ones, None if a read cannot be told.
    ``position[family][step]`` is the subscript that carries the step.
    """

    position: dict[str, dict[sympy.Symbol, int]] = field(default_factory=dict)
    sign: dict[str, set[int | None]] = field(default_factory=dict)
    readers: dict[str, set[str]] = field(default_factory=dict)
    reads: dict[str, set[str]] = field(default_factory=dict)


def lags(system: System) -> Lags:
    """The lags of every family of a system."""
    return _lags(system.definitions, tuple(system.steps))


@lru_cache(maxsize=64)
def _lags(definitions: tuple[Definition, ...], stepping: tuple[sympy.Symbol, ...]) -> Lags:
    out = Lags()
    reads = [Read(d, v) for d in definitions for v in variables(d.body)]
    for d in definitions:
        ranged = {x.symbol for x in d.ranges} | set(stepping)
        for k, index in enumerate(d.indices):
            for s in symbols_of(index) & ranged:
                out.position.setdefault(d.family, {}).setdefault(s, k)
    defined = {d.family for d in definitions}
    for r in reads:
        if r.node.name in defined:
            continue
        steps = set(out.position.get(r.reader.family, {}))
        for k, sub in enumerate(r.node.subs):
            for s in (x for x in symbols_of(sub) & steps if isinstance(difference(sub, x), int)):
                out.position.setdefault(r.node.name, {}).setdefault(s, k)
    direct: dict[str, set[int | None]] = {}
    for r in reads:
        out.reads.setdefault(r.reader.family, set()).add(r.node.name)
        out.readers.setdefault(r.node.name, set()).add(r.reader.family)
        direct.setdefault(r.reader.family, set()).update(_signs(r, out))
    for family in {d.family for d in definitions}:
        out.sign[family] = set().union(*(direct.get(f, set()) for f in reach(family, out.reads)))
    return out


def _signs(r: Read, table: Lags) -> set[int | None]:
    found: set[int | None] = set()
    for step, k in table.position.get(r.node.name, {}).items():
        own = table.position.get(r.reader.family, {}).get(step)
        if own is None or k >= len(r.node.subs):
            continue
        gap = difference(r.node.subs[k], r.reader.indices[own])
        known = Bounds().within(r.reader.ranges).within([x for n in _ranged(r.reader.body) for x in n.binders])
        if isinstance(gap, int):
            found.add(0 if gap == 0 else (1 if gap > 0 else -1))
        elif known.nonnegative(difference(0, gap)):
            found.add(-1)
        else:
            found.add(1 if known.nonnegative(gap) else None)
    return found - {0}


def _ranged(body: Expr) -> Iterator[Fold | Build]:
    """The sums, products and tensors over index ranges in a definition's body."""
    return (n for n in postorder(body) if isinstance(n, Fold | Build))


def reach(start: str, edges: dict[str, set[str]]) -> set[str]:
    """The names reachable from one, itself included."""
    seen = {start}
    stack = [start]
    while stack:
        for after in edges.get(stack.pop(), ()):
            if after not in seen:
                seen.add(after)
                stack.append(after)
    return seen


def components(names: Iterable[str], edges: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components, what is read before its readers (Tarjan, iterative)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    on: set[str] = set()
    stack: list[str] = []
    out: list[list[str]] = []
    for root in names:
        if root in index:
            continue
        work: list[tuple[str, list[str]]] = [(root, sorted(edges.get(root, ())))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while work:
            node, rest = work[-1]
            if rest:
                after = rest.pop(0)
                if after not in index:
                    index[after] = low[after] = len(index)
                    stack.append(after)
                    on.add(after)
                    work.append((after, sorted(edges.get(after, ()))))
                elif after in on:
                    low[node] = min(low[node], index[after])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == index[node]:
                group: list[str] = []
                while True:
                    top = stack.pop()
                    on.discard(top)
                    group.append(top)
                    if top == node:
                        break
                out.append(sorted(group))
    return out


@dataclass(frozen=True, slots=True)
class Trace:
    """The part of a model between a node and what it is differentiated by.

    ``order`` has what is read before its readers, ``of`` last; ``bodies`` are their definitions, sums over steps
    written out; ``targets`` are the nodes it was asked about that were reached.
    """

    of: Var
    order: tuple[Var, ...]
    bodies: dict[Var, Expr]
    targets: tuple[Var, ...]

    def readers(self, node: Var) -> tuple[Var, ...]:
        """The nodes of the trace whose bodies name this one, in order."""
        return tuple(v for v in self.order if v in self.bodies and node in variables(self.bodies[v]))


def trace(system: System, of: Var, wrt: Collection[Var], held: Collection[Expr] = ()) -> Trace:
    """The nodes on paths from ``wrt`` to ``of``; nodes in ``held`` are not looked into.

    Raises:
        OpenPaths: the paths have no end at an open step, or a member that is read may or may not be the one asked for.
    """
    table = lags(system)
    useful = set().union(*(reach(w.name, table.readers) for w in wrt)) if wrt else set()
    stop = set(wrt) | {h for h in held if isinstance(h, Var)}
    bodies: dict[Var, Expr] = {}
    order: list[Var] = []
    state: dict[Var, int] = {}
    stack: list[Var] = [of]
    endless = 0
    while stack:
        node = stack[-1]
        if state.get(node) == 2:
            stack.pop()
            continue
        if state.get(node) == 1:
            state[node] = 2
            order.append(node)
            stack.pop()
            continue
        state[node] = 1
        endless += any(not isinstance(s, int) for s in node.subs)
        if len(state) > MOST_NODES or endless > MOST_OPEN:
            raise OpenPaths("the recurrence has no end at an open step; ask for form sum-of-products or backprop")
        if node in stop and node is not of:
            continue
        unsure = next((w for w in wrt if _may_be(node, w)), None)
        if unsure is not None:
            which = f"whether {describe_node(node)} is {describe_node(unsure)} depends on the steps"
            raise OpenPaths(f"{which}; give them numbers, or ask for form backprop of a scalar")
        body = system.body(node)
        if body is None:
            continue
        body = spread(body)
        if any(v.name in useful for v in _open_members(body)):
            which = f"{describe_node(node)} runs over a range without a numeric end"
            raise OpenPaths(f"{which}; give it one, or ask for form backprop of a scalar")
        bodies[node] = body
        for v in reversed(variables(body)):
            if v.name in useful and state.get(v) is None and _may_reach(v, wrt, table):
                stack.append(v)
    alive = _between(order, bodies, set(wrt))
    kept = tuple(v for v in order if v in alive or v is of)
    return Trace(of, kept, {v: bodies[v] for v in kept if v in bodies}, tuple(w for w in wrt if w in alive))


def _open_members(body: Expr) -> Iterator[Var]:
    """The members of families that a body reads over a range without a numeric end."""
    for x in _ranged(body):
        bound = {binder.symbol for binder in x.binders}
        yield from (v for v in variables(x.body) if any(symbols_of(s) & bound for s in v.subs))


def _may_be(node: Var, other: Var) -> bool:
    """Whether two members of a family are the same for some values of the steps, and others for others."""
    if node is other or node.name != other.name:
        return False
    return all(holds(rel("==", x, y)) is not False for x, y in zip(node.subs, other.subs, strict=True))


def _between(order: list[Var], bodies: dict[Var, Expr], wrt: set[Var]) -> set[Var]:
    alive: set[Var] = set()
    for v in order:
        if v in wrt or (v in bodies and any(u in alive for u in variables(bodies[v]))):
            alive.add(v)
    return alive


def _may_reach(node: Var, wrt: Collection[Var], table: Lags) -> bool:
    return any(_reaches(node, w, table) for w in wrt)


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
