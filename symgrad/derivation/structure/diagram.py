"""Questions of kind diagram: the named nodes as a graph, at one step and unrolled along a recurrence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

import sympy
from msgspec import Struct

from symgrad.calculus.dependency import Lags, lags, reach
from symgrad.calculus.trace import bound_symbols, symbols_in
from symgrad.derivation.reading_order import members
from symgrad.derivation.steps import Check, Result
from symgrad.derivation.workspace import workspace
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor.integers import Int, at_most, difference, replace, same, symbols_of
from symgrad.tensor.nodes import Apply, Binder, Call, Expr, Fold, MatMul, Mul, Opaque, Var
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import variables

MOST_STEPS: Final = 12
MOST_MEMBERS: Final = 12
MOST_NODES: Final = 600
_FIRST: Final = 3
DOTS: Final = "…"


class Node(Struct, frozen=True):
    """A node of the graph.

    Attributes:
        var: The named node.
        kind: parameter, input, boundary, state, node or loss.
        op: What computes it, in a word.
        step: Where it stands along the recurrence; None where it does not.
    """

    var: Var
    kind: str
    op: str
    step: Int | None

    def record(self) -> dict[str, Any]:
        """The node as an answer for machines has it."""
        shape = [s if isinstance(s, int) else str(s) for s in self.var.shape]
        step = self.step if self.step is None or isinstance(self.step, int) else str(self.step)
        return {"id": self.var, "kind": self.kind, "op": self.op, "shape": shape, "step": step}


class Edge(Struct, frozen=True):
    """``source`` is read by ``target``: forward within a step, recurrent from the next one, skip from further off."""

    source: Var
    target: Var
    kind: str

    def record(self) -> dict[str, Any]:
        """The edge as an answer for machines has it."""
        return {"from": self.source, "to": self.target, "kind": self.kind}


class Graph(Struct, frozen=True):
    """Nodes and edges; ``steps`` are the columns of an unrolled recurrence, with None where steps are left out."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    steps: tuple[Int | None, ...] = ()


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """The graph behind ``of``: unrolled where the model is a recurrence, and then one step of it, too.

    Raises:
        QuestionError: nothing defines it, or the graph is too large to be drawn.
    """
    roots = members(*(a.expr for a in question.several("of")))
    whole, cell = graphs(problem.system, roots)
    if not whole.edges:
        raise QuestionError(f"{question.of.text} is given; there is no graph behind it", question.of.place)
    extra: dict[str, Any] = {"nodes": [n.record() for n in whole.nodes], "edges": [e.record() for e in whole.edges]}
    if whole.steps:
        extra["unrolled"] = [DOTS if s is None else s if isinstance(s, int) else str(s) for s in whole.steps]
    if cell is not None:
        extra["cell"] = {"nodes": [n.record() for n in cell.nodes], "edges": [e.record() for e in cell.edges]}
    text = ", ".join(a.text for a in question.several("of"))
    return (Result(text, None, None, None, (), (), _checks(problem, question, roots), extra=extra),)


def _checks(problem: Problem, question: Question, roots: Sequence[Var]) -> tuple[Check, ...]:
    """Every node compared with what the arrows into it say that it is computed from."""
    work = workspace(problem, question, problem.system, roots)
    table = lags(problem.system)
    families = set().union(*(reach(r.name, table.reads) for r in roots))
    return tuple(
        work.certifier.compare(d.target, d.body, ranges=d.ranges)
        for d in problem.system.definitions
        if d.family in families
    )


def graphs(system: System, roots: Sequence[Var]) -> tuple[Graph, Graph | None]:
    """The graph behind the roots, and that of one step where the model is a recurrence."""
    table = lags(system)
    families = set().union(*(reach(r.name, table.reads) for r in roots)) if roots else set()
    time = _time(system, families, table)
    if time is None:
        return _Builder(system, table, families, None, ()).graph(roots), None
    steps = _shown(system, time, roots, table)
    whole = _Builder(system, table, families, time, steps).graph(roots)
    return whole, _Builder(system, table, families, time, (time,)).cell()


def _time(system: System, families: set[str], table: Lags) -> sympy.Symbol | None:
    """The step along which a family reads itself at another step, directly or through others."""
    for d in system.definitions:
        if d.family not in families or not any(
            d.family in reach(f, table.reads) for f in table.reads.get(d.family, ())
        ):
            continue
        for symbol, k in table.position.get(d.family, {}).items():
            if any(_gap(v, d, symbol, k, table) for v in variables(d.body)):
                return symbol
    return None


def _gap(v: Var, d: Definition, symbol: sympy.Symbol, k: int, table: Lags) -> bool:
    place = table.position.get(v.name, {}).get(symbol)
    if place is None or place >= len(v.subs) or k >= len(d.indices):
        return False
    return not same(v.subs[place], d.indices[k])


def _shown(system: System, time: sympy.Symbol, roots: Iterable[Var], table: Lags) -> tuple[Int | None, ...]:
    """The steps that are drawn; None stands for those that are left out."""
    known = system.steps.get(time) or next(x for d in system.definitions for x in d.ranges if x.symbol == time)
    lo, hi = known.lo, known.hi
    for r in roots:
        place = table.position.get(r.name, {}).get(time)
        if place is not None and isinstance(r.subs[place], int):
            hi = r.subs[place]
    if isinstance(lo, int) and isinstance(hi, int):
        if hi - lo < MOST_STEPS:
            return tuple(range(lo, hi + 1))
        return (*range(lo, lo + MOST_STEPS - 2), None, hi)
    if not isinstance(lo, int):
        return (lo, None, hi)
    return (*range(lo, lo + _FIRST), None, hi)


class _Builder(Struct):
    system: System
    table: Lags
    families: set[str]
    time: sympy.Symbol | None
    steps: tuple[Int | None, ...]

    def graph(self, roots: Sequence[Var]) -> Graph:
        """All nodes at the steps shown, and those that have no step."""
        found: dict[Var, None] = {}
        for r in roots:
            if self.step(r) is None:
                found[r] = None
        for d in self.system.definitions:
            if d.family in self.families:
                found |= dict.fromkeys(self.instances(d))
        return self.closed(found)

    def cell(self) -> Graph:
        """The nodes of one open step."""
        found: dict[Var, None] = {}
        for d in self.system.definitions:
            if d.family in self.families and self.time in d.indices:
                found |= dict.fromkeys(self.instances(d))
        return self.closed(found)

    def instances(self, d: Definition) -> Iterator[Var]:
        """The members that a definition makes at the steps shown."""
        spans = {x.symbol: x for x in d.ranges}
        for step in [s for s in self.steps if s is not None] if self.time in spans else [None]:
            at: dict[sympy.Symbol, Int] = {} if step is None or self.time is None else {self.time: step}
            choices = [
                _members_of(spans[index], at) if index in spans and index not in at else (replace(index, at),)
                for index in d.indices
            ]
            for subs in product(*choices):
                values = {i: s for i, s in zip(d.indices, subs, strict=True) if isinstance(i, sympy.Symbol)}
                var = Var(d.family, tuple(subs), tuple(replace(n, values) for n in d.body.shape), d.facts)
                hit = self.system.definition(var)
                if hit is not None and hit[0] is d and self.shows(self.step(var)):
                    yield var

    def closed(self, defined: dict[Var, None]) -> Graph:
        """The graph of defined nodes with everything that they read."""
        if len(defined) > MOST_NODES:
            raise QuestionError(f"the graph has more than {MOST_NODES} nodes; ask for fewer steps")
        nodes: dict[Var, None] = {}
        edges: list[Edge] = []
        for var in defined:
            body = self.system.body(var)
            loose = set() if body is None else bound_symbols(body) | self.open_indices(var)
            for v in members(body) if body is not None else ():
                for source in self.sources(v, var, loose):
                    nodes.setdefault(source)
                    edges.append(Edge(source, var, self.kind_of_edge(source, var)))
            nodes.setdefault(var)
        kept = dict.fromkeys(edges)
        across = {e.source.name for e in kept if e.kind in ("recurrent", "skip")}
        return Graph(
            tuple(self.node(v, v in defined, across, kept) for v in nodes),
            tuple(kept),
            self.steps if self.time not in self.steps else (),
        )

    def sources(self, v: Var, reader: Var, loose: set[sympy.Symbol]) -> Iterator[Var]:
        """The nodes that are meant: a member under an open index is each of its family, or each at a step shown."""
        place = self.table.position.get(v.name, {}).get(self.time) if self.time is not None else None
        moving = {k for k, s in enumerate(v.subs) if symbols_of(s) & loose}
        if moving - {place} and place not in moving and self.system.family(v.name):
            yield from (
                u
                for d in self.system.family(v.name)
                for u in self.instances(d)
                if all(same(s, v.subs[k]) for k, s in enumerate(u.subs) if k not in moving)
            )
            return
        if place is None or self.step(reader) is not None or not symbols_of(v.subs[place]):
            yield v
            return
        shown = [s for s in self.steps if s is not None]
        if any(same(v.subs[place], s) for s in shown):
            yield v
            return
        for s in shown:
            yield Var(v.name, (*v.subs[:place], s, *v.subs[place + 1 :]), v.shape, v.facts)

    def step(self, v: Var) -> Int | None:
        """Where a node stands along the recurrence."""
        place = self.table.position.get(v.name, {}).get(self.time) if self.time is not None else None
        return v.subs[place] if place is not None and place < len(v.subs) else None

    def open_indices(self, v: Var) -> set[sympy.Symbol]:
        """The symbols in the subscripts of a node that do not say where it stands along the recurrence."""
        step = self.step(v)
        return symbols_in(v) - (set() if step is None else symbols_of(step))

    def shows(self, step: Int | None) -> bool:
        return step is None or any(s is not None and same(s, step) for s in self.steps)

    def kind_of_edge(self, source: Var, target: Var) -> str:
        a, b = self.step(source), self.step(target)
        if a is None or b is None or same(a, b):
            return "forward"
        gap = difference(b, a)
        return "recurrent" if isinstance(gap, int) and abs(gap) == 1 else "skip"

    def node(self, v: Var, defined: bool, across: set[str], edges: Iterable[Edge]) -> Node:
        body = self.system.body(v) if defined else None
        step = self.step(v)
        if body is None:
            kind = "boundary" if v.name in across or not self.shows(step) else "input"
            if step is None and self.time is not None:
                kind = "parameter"
        elif v.name in across:
            kind = "state"
        else:
            scalar = v.order == 0 and all(e.target.order == 0 for e in edges if e.source is v)
            kind = "loss" if scalar else "node"
        return Node(v, kind, "" if body is None else _operation(body), step)


def _members_of(span: Binder, at: Mapping[sympy.Symbol, Int]) -> Sequence[Int]:
    lo, hi = replace(span.lo, at), replace(span.hi, at)
    if isinstance(lo, int) and isinstance(hi, int) and at_most(hi - lo, MOST_MEMBERS - 1):
        return range(lo, hi + 1)
    return (span.symbol,)


def _operation(body: Expr) -> str:
    """What is done last, in a word."""
    match body:
        case Apply(fn=name) | Call(fn=name):
            return name
        case Fold(op=name):
            return name
        case MatMul():
            return "product"
        case Mul():
            return "entrywise product"
        case Opaque():
            return "loss"
    return type(body).__name__.lower() if not isinstance(body, Var) else "copy"
