"""The order in which a chain is gone through: from what is differentiated back to what it is differentiated by."""

from symgrad.calculus.trace import Trace
from symgrad.tensor.nodes import Var
from symgrad.tensor.system import System


def backward(graph: Trace, system: System) -> tuple[Var, ...]:
    """The nodes of a trace, each after its readers; of those that are ready the latest, then the author's first."""
    rank = {d.family: k for k, d in reversed(list(enumerate(system.definitions)))}
    waiting = {v: len(graph.readers(v)) for v in graph.order}
    out: list[Var] = []
    ready = [v for v, n in waiting.items() if n == 0]
    while ready:
        ready.sort(
            key=lambda v: (-v.subs[-1] if v.subs and isinstance(v.subs[-1], int) else 0, rank.get(v.name, len(rank)))
        )
        node = ready.pop(0)
        out.append(node)
        for v in graph.reads[node]:
            waiting[v] -= 1
            if waiting[v] == 0:
                ready.append(v)
    return tuple(out)


def ways_down(graph: Trace, node: Var, wrt: Var) -> int:
    """The number of paths from a node down to wrt: how often its derivative stands in the result."""
    ways = {wrt: 1}
    for v in graph.order:
        if v is not wrt and v in graph.bodies:
            ways[v] = sum(ways.get(u, 0) for u in graph.reads[v])
    return ways.get(node, 0)
