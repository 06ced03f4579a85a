"""Who reads whom: families, and their lags along the steps."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import sympy
from msgspec import Struct, field

from symgrad.calculus.ranges import Bounds
from symgrad.tensor.affine import affine
from symgrad.tensor.integers import difference, symbols_of
from symgrad.tensor.nodes import Build, Expr, Fold, Var
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder, variables


class Read(Struct, frozen=True):
    """A definition reads a node: family[subs] in the body of the definition."""

    reader: Definition
    node: Var


def reads(system: System) -> tuple[Read, ...]:
    """Every (definition, named node it reads), in order."""
    return tuple(Read(d, v) for d in system.definitions for v in variables(d.body))


class Lags(Struct):
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
        known = Bounds().within(r.reader.ranges).within([x for n in ranged(r.reader.body) for x in n.binders])
        if isinstance(gap, int):
            found.add(0 if gap == 0 else (1 if gap > 0 else -1))
        elif known.nonnegative(-affine(gap)):
            found.add(-1)
        else:
            found.add(1 if known.nonnegative(affine(gap)) else None)
    return found - {0}


def ranged(body: Expr) -> Iterator[Fold | Build]:
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
