"""The states of a recurrence: families that later steps read, and where a node is computed from them."""

import sympy
from msgspec import Struct

from symgrad.calculus.adjoint import backward_order
from symgrad.calculus.dependency import components, lags, reach, reads
from symgrad.calculus.trace import bound_symbols, symbols_in
from symgrad.tensor.integers import Int, difference
from symgrad.tensor.nodes import ANY, Binder, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import Definition, System, spread
from symgrad.tensor.walk import variables


class State(Struct, frozen=True):
    """A family that later steps read: its definition, the step it runs over, and how far back it is read."""

    definition: Definition
    step: Binder
    reach: tuple[int, ...]

    @property
    def family(self) -> str:
        """Its name."""
        return self.definition.family

    @property
    def place(self) -> int:
        """Which subscript carries the step."""
        return self.definition.indices.index(self.step.symbol)

    @property
    def all(self) -> Var:
        """Every member of the state, as what an immediate partial holds."""
        return self.at(ANY)

    def at(self, place: Int) -> Var:
        """The state at a step."""
        node = reindex(self.definition.target, {self.step.symbol: place})
        assert isinstance(node, Var)
        return node


def states(system: System, of: str, wrt: str) -> list[State]:
    """The families between two nodes that carry something from step to step."""
    table = lags(system)
    between = reach(of, table.reads) & reach(wrt, table.readers)
    found: list[State] = []
    for group in components(backward_order(system), table.reads):
        inside = set(group) & between
        for family in sorted(inside):
            apart = [
                gap
                for r in reads(system)
                if r.node.name == family and r.reader.family in inside
                for gap in gaps(r.reader, r.node, table.position)
            ]
            late = sorted({g for g in apart if g != 0}, key=str)
            ranged = [(d, x) for d in system.family(family) for x in d.ranges if x.symbol in system.steps]
            if late and ranged:
                known = tuple(g for g in late if isinstance(g, int))
                found.append(State(*ranged[0], known if len(known) == len(late) else ()))
    return found


def gaps(reader: Definition, node: Var, position: dict[str, dict[sympy.Symbol, int]]) -> list[Int]:
    """By how many steps a node that a definition reads lies before it, along each step that both have."""
    out: list[Int] = []
    for step, k in position.get(node.name, {}).items():
        own = position.get(reader.family, {}).get(step)
        if own is not None and k < len(node.subs):
            out.append(difference(reader.indices[own], node.subs[k]))
    return out


def readings(system: System, of: Var, family: str) -> tuple[set[Var], bool]:
    """What a node reads of a family without passing through it: single members, and whether sums pick some."""
    table = lags(system)
    single: set[Var] = set()
    running = False
    seen: set[Var] = set()
    waiting: list[tuple[Var, frozenset[sympy.Symbol]]] = [(of, frozenset())]
    while waiting:
        node, loose = waiting.pop()
        body = system.body(node)
        if body is None or node in seen:
            continue
        seen.add(node)
        body = spread(body)
        bound = bound_symbols(body) | loose
        for v in variables(body):
            picked = frozenset(symbols_in(v) & bound)
            if v.name == family:
                running = running or bool(picked)
                single |= set() if picked else {v}
            elif family in reach(v.name, table.reads):
                waiting.append((v, picked))
    return single, running
