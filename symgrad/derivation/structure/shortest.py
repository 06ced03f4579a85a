"""The shortest path by which one node acts on another, through the definitions of a model."""

from collections.abc import Mapping, Sequence

import sympy
from msgspec import Struct

from symgrad.calculus.dependency import lags, reach
from symgrad.calculus.trace import trace
from symgrad.derivation.reading_order import members, specialise
from symgrad.errors import QuestionError
from symgrad.tensor.integers import Int, difference, symbols_of
from symgrad.tensor.nodes import Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import System, spread

MOST_NODES = 5_000
FEWEST_STEPS = 3


class Endless(QuestionError):
    """A recurrence was followed from an open step, and nothing was found on the way."""


class OpenPath(Struct, frozen=True):
    """on → first → ⋯ → ends, with as many steps between as there are between two open ones.

    ``ends`` are ``of`` and what it reads: the state before it, or, where that is another node, that and what it reads.
    """

    on: Var
    first: Var
    ends: tuple[Var, ...]


def shortest_path(system: System, of: Var, on: Var) -> tuple[Var, ...] | None:
    """The nodes from ``on`` to ``of``, each read by the next, as few as possible; None where there is no path.

    Raises:
        Endless: a recurrence at an open step has no end, and nothing was found on the way.
    """
    system = _with_ends(system, [of, on])
    table = lags(system)
    if of is not on and on.name not in reach(of.name, table.reads):
        return None
    try:
        if of is not on and not trace(system, of, [on]).targets:
            return None
    except QuestionError:
        pass  # Whether an endless recurrence meets the node is left to the search.
    useful = reach(on.name, table.readers)
    reader: dict[Var, Var | None] = {of: None}
    layer = [of]
    while layer:
        if on in reader:
            return _back(on, reader)
        following: list[Var] = []
        for node in layer:
            body = system.body(node)
            for v in () if body is None else members(spread(body)):
                if v not in reader and v.name in useful:
                    reader[v] = node
                    following.append(v)
        if len(reader) > MOST_NODES:
            raise Endless("the recurrence has no end at an open step; ask at a step that is a number")
        layer = following
    return None


def _with_ends(system: System, nodes: Sequence[Var]) -> System:
    """The system with a few steps in place of symbolically many, where no step is left open."""
    subs = [s for v in nodes for s in v.subs]
    if any(not isinstance(s, int) for s in subs):
        return system
    last = max([FEWEST_STEPS, *(s for s in subs if isinstance(s, int))])
    ends = {s for x in system.steps.values() for s in symbols_of(x.lo) | symbols_of(x.hi)} - set(system.steps)
    return specialise(system, dict.fromkeys(ends, last))


def _back(on: Var, reader: dict[Var, Var | None]) -> tuple[Var, ...]:
    path = [on]
    while (after := reader[path[-1]]) is not None:
        path.append(after)
    return tuple(path)


def open_path(
    system: System, of: Var, on: Var, instances: Sequence[Mapping[sympy.Symbol, int]], conditions: bool
) -> OpenPath | None:
    """The path between nodes at open steps, as it is at every one of a few choices of them; None if there never is one.

    Raises:
        QuestionError: there is one at some choices only, or it depends on steps of which no condition says anything.
    """
    unsaid = not (conditions or _is_first(system, of, on))
    paths = [_at_numbers(system, of, on, integers) for integers in instances]
    if unsaid or len({p is None for p in paths}) > 1:
        raise QuestionError("whether it depends is decided by the steps; say where they lie, such as 1 <= s < t")
    if paths[0] is None:
        return None
    path = max((p for p in paths if p is not None), key=len)
    count = 2 if len(path) > 1 and path[-2].name == of.name else 3
    if len(path) <= count:
        raise QuestionError("the steps lie too near to one another at every point tried")
    return OpenPath(on, _beside(path[1], path[0], on), tuple(_beside(v, path[-1], of) for v in path[-count:]))


def _at_numbers(system: System, of: Var, on: Var, integers: Mapping[sympy.Symbol, int]) -> tuple[Var, ...] | None:
    start, end = reindex(of, integers), reindex(on, integers)
    assert isinstance(start, Var)
    assert isinstance(end, Var)
    return shortest_path(specialise(system, integers), start, end)


def _is_first(system: System, of: Var, on: Var) -> bool:
    """Whether ``on`` lies at or before the beginning of what the other node runs over, at whatever step that is."""
    starts = [x.lo for d in system.family(of.name) for x in d.ranges]
    open_steps = frozenset().union(*(symbols_of(s) for s in on.subs if not isinstance(s, int)))
    tied = open_steps <= frozenset().union(*(symbols_of(s) for s in of.subs if not isinstance(s, int)))
    return tied and all(isinstance(lo, int) and s <= lo for s in on.subs if isinstance(s, int) for lo in starts)


def _beside(node: Var, number: Var, symbol: Var) -> Var:
    """A node as far from an open step as it is from a number in its place."""
    if len(node.subs) != 1 or len(symbol.subs) != 1:
        return node
    gap = difference(node.subs[0], number.subs[0])
    step: Int = symbol.subs[0] + gap
    return Var(node.name, (step,), node.shape, node.facts)
