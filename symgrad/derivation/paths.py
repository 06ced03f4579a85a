"""Forms chain, expanded and factored: the paths from a node to what it is differentiated by, multiplied and added."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import sympy

from symgrad.calculus.cancel import alike, cancel, signs
from symgrad.calculus.dependency import Trace, trace
from symgrad.calculus.local import adjoint_part, local_jacobian
from symgrad.calculus.pullback import divides
from symgrad.calculus.rewrite import (
    as_diagonal,
    collect,
    common_scalars,
    distribute,
    factor,
    fold_definitions,
    has_units,
    merge_diagonals,
    multiply_out,
    size,
    take_entries,
)
from symgrad.derivation.naming import Names
from symgrad.derivation.reasons import paths_add, why
from symgrad.derivation.steps import Block, Line, Reason
from symgrad.derivation.workspace import Workspace
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Add, Binder, Build, Call, Deriv, Expr, Fold, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints, fresh_symbol
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import System
from symgrad.tensor.walk import postorder, variables

MOST_NAMES: Final = 20_000
"""Names in the longest line that is still written."""


@dataclass(slots=True)
class Edge:
    """One reader's share of a derivative: with the reader's own derivative unresolved, and written out."""

    reader: Var
    unresolved: Expr
    value: Expr


@dataclass(slots=True)
class Paths:
    """One derivative ∂of/∂wrt through the definitions of a model, the readers first.

    ``known[v]`` is ∂of/∂v as far as it is written out; ``leave`` are nodes whose own derivative by ``wrt`` is
    not resolved; ``adjoints`` are families whose adjoints get a name. ``reason`` says why the last step holds.
    """

    work: Workspace
    names: Names
    of: Var
    wrt: Var
    form: str
    leave: frozenset[Var] = frozenset()
    held: frozenset[Expr] = frozenset()
    blocks: list[Block] = field(default_factory=list)
    known: dict[Var, Expr] = field(default_factory=dict)
    adjoints: frozenset[str] = frozenset()
    reason: Reason = ("chain rule",)
    graph: Trace = field(init=False)
    backward: tuple[Var, ...] = ()
    shown: set[tuple[Expr, ...]] = field(default_factory=set)
    bodies: dict[Var, Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = trace(self.work.system, self.of, [self.wrt], self.held)
        self.backward = backward(self.graph, self.work.system)
        self.bodies = dict(self.graph.bodies)

    def solve(self) -> Expr:
        """The derivative in the form asked for; the lines on the way are in ``blocks``."""
        if self.wrt not in self.graph.order:
            return b.zeros(self.of.shape + self.wrt.shape)
        self.known[self.of] = b.identity_tensor(self.of.shape)
        first = self._chain_line()
        if first is not None:
            self.blocks.append(first)
        for node in self.backward:
            if node is self.of or node is self.wrt or node in self._below_leave():
                continue
            self._node(node)
        return self._finish(self._edges(self.wrt))

    # Nodes on the way

    def _below_leave(self) -> set[Var]:
        """Nodes that act on ``of`` only through nodes that are left unresolved."""
        if not self.leave:
            return set()
        seen = {self.of}
        for node in reversed(self.graph.order):
            if any(r in seen and r not in self.leave for r in self.graph.readers(node)):
                seen.add(node)
        return set(self.graph.order) - seen

    def _node(self, node: Var) -> None:
        edges = self._edges(node)
        if not edges:
            return
        total = self._simplify(b.add(*(e.value for e in edges)))
        self._refuse_endless(total)
        left = self._deriv(node)
        right: list[Expr] = []
        open_sum = b.add(*(e.unresolved for e in edges))
        if len(edges) > 1 and open_sum is not total:
            right.append(open_sum)
        right.append(total)
        named = self._named(node, total, edges)
        if named is not total:
            right.append(named)
        self.known[node] = named
        if total is not b.ONE:
            self._say(left, right, self._reason(node, edges))

    def _named(self, node: Var, value: Expr, edges: list[Edge]) -> Expr:
        """The value by a name, where it would be copied into several lines or is a difference that recurs."""
        body = self.bodies.get(edges[0].reader)
        if isinstance(body, Call) and body.fn == "softmax" and len(edges) == 1 and _is_difference(value):
            known = value in self.names.made
            return self.names.error(node, value) if known or self._ways_down(node) > 1 else value
        if node.name in self.adjoints or (not self.of.order and _by_entries(value)):
            return self.names.adjoint(self.of, node)
        return value

    def _ways_down(self, node: Var) -> int:
        """The number of paths from a node down to wrt: how often its derivative stands in the result."""
        ways = {self.wrt: 1}
        for v in self.graph.order:
            if v is not self.wrt and v in self.bodies:
                ways[v] = sum(ways.get(u, 0) for u in variables(self.bodies[v]))
        return ways.get(node, 0)

    def _say(self, left: Expr, right: Sequence[Expr], reason: Reason) -> None:
        if all(r is left for r in right):
            return
        if (left, *right) in self.shown:
            return
        self.shown.add((left, *right))
        line = self.work.certifier.line(left, *right, reason=reason, rule="chain rule")
        self.blocks.append(line)
        self.blocks += self.names.take()

    def _deriv(self, node: Var) -> Expr:
        return b.deriv(self.of, node, "total", self.held)

    # One reader's share

    def _edges(self, node: Var) -> list[Edge]:
        readers = [r for r in self.backward if r in self.known and self._reads(r, node)]
        if node.subs:
            readers.sort(key=lambda r: len(r.subs) != len(node.subs) or r.subs != node.subs)
        return [self._edge(r, node) for r in readers]

    def _reads(self, reader: Var, node: Var) -> bool:
        return reader in self.bodies and reader not in self.leave and node in variables(self.bodies[reader])

    def _edge(self, reader: Var, node: Var) -> Edge:
        body, known = self.bodies[reader], self.known[reader]
        unresolved = b.ONE if reader is self.of and not self.of.order else self._deriv(reader)
        if self.of.order == 0:
            return Edge(reader, self._share(body, reader, node, unresolved), self._share(body, reader, node, known))
        jacobian = self._tidy(local_jacobian(body, reader, node), reader)
        if reader is self.of:
            return Edge(reader, jacobian, jacobian)
        return Edge(reader, _compose(unresolved, jacobian, reader), _compose(known, jacobian, reader))

    def _share(self, body: Expr, reader: Var, node: Var, g: Expr) -> Expr:
        """(∂⁺reader/∂node)ᵀ g, products entry by entry as diagonal matrices."""
        picked = isinstance(g, Deriv) and self._is_pick(body)
        if divides(g, reader) or reader.order != 1 or picked or _captures(body, g):
            return self._tidy(self._given(adjoint_part(body, reader, g, node), reader, node), reader)
        stand_in = b.var("∂", (), reader.shape)
        part = as_diagonal(
            adjoint_part(body, reader, stand_in, node), stand_in, lambda w: self.names.diagonal(reader, w)
        )
        return self._tidy(replace_nodes(self._given(part, reader, node), {stand_in: g}), reader)

    def _given(self, part: Expr, reader: Var, node: Var) -> Expr:
        """A given partial of a loss that a node reaches in no other way is its whole derivative."""
        if self.graph.readers(node) != (reader,):
            return part
        partial = b.deriv(reader, node, "immediate")
        return replace_nodes(part, {partial: b.deriv(reader, node, "total", self.held)})

    def _is_pick(self, body: Expr) -> bool:
        return isinstance(body, Call) and body.fn == "softmax"

    def _tidy(self, x: Expr, reader: Var) -> Expr:
        def rule(y: Expr) -> Expr:
            return self.names.diagonal(reader, y.args[0]) if isinstance(y, Call) and y.fn == "diag" else y

        return transform(x, rule, into=lambda y: not isinstance(y, Deriv))

    # The first line, and the last

    def _chain_line(self) -> Line | None:
        """∂of/∂wrt as a sum over the nodes through which wrt acts, nothing resolved yet."""
        users = [u for u in self.backward if self._is_user(u)]
        if self.form in ("factored", "plain") or users == [self.of] or not users:
            return None
        top = self._gate(users)
        family = {u.name for u in users}
        if len(users) > 1 and len(family) == 1 and (running := self._running(users)) is not None:
            node, binder = running
            term = self._links(top, node)
            right = b.fold("sum", term, [binder])
        else:
            right = b.add(*(self._links(top, u) for u in users))
        reason: Reason = ("chain rule",)
        if len(users) > 1:
            reason = ("chain rule; ", self.wrt, " acts at every step, ∂⁺: at this step only")
            if len(family) > 1:
                reason = paths_add(self.wrt, users)
        return self.work.certifier.line(self._deriv(self.wrt), right, reason=reason, rule="chain rule")

    def _is_user(self, node: Var) -> bool:
        """Whether wrt acts through a node directly, or through one that is left unresolved."""
        if node in self._below_leave():
            return False
        return node in self.leave or self._reads(node, self.wrt)

    def _acts_twice(self, user: Var) -> bool:
        """Whether wrt reaches a node that names it along another path too, so that ∂⁺ and ∂ differ."""
        if isinstance(user.subs[-1] if user.subs else None, sympy.Symbol) and user not in self.bodies:
            return True
        read = variables(self.bodies[user]) if user in self.bodies else ()
        return any(v in self.graph.order and v is not self.wrt for v in read)

    def _links(self, top: Var | None, user: Var) -> Expr:
        factors: list[Expr] = []
        if top is not None and top is not user and top is not self.of:
            factors = [self._deriv(top), b.deriv(top, user, "total", self.held)]
            links = [top.order, user.order]
        elif user is not self.of:
            factors, links = [self._deriv(user)], [user.order]
        else:
            links = []
        kind = "immediate" if user not in self.leave and self._acts_twice(user) else "total"
        held = self.held if kind == "total" and self._holds_matter(user) else frozenset()
        return b.chain([*factors, b.deriv(user, self.wrt, kind, held)], links)

    def _holds_matter(self, user: Var) -> bool:
        """Whether a held node lies between wrt and a node that names wrt."""
        return user in self.bodies and any(v in self.held for v in variables(self.bodies[user]))

    def _gate(self, users: list[Var]) -> Var | None:
        """The node among the users that every path from the others to ``of`` passes, if there is one."""
        if len(users) < 2:
            return None
        last = users[0]
        reached = {self.of}
        for node in reversed(self.graph.order):
            if node is not last and any(r in reached for r in self.graph.readers(node)):
                reached.add(node)
        return last if all(u is last or u not in reached for u in users) else None

    def _running(self, users: list[Var]) -> tuple[Var, Binder] | None:
        """Users at consecutive steps as one running node."""
        places = [u.subs for u in users]
        if any(len(p) != 1 or not isinstance(p[0], int) for p in places):
            return None
        steps = sorted(p[0] for p in places if isinstance(p[0], int))
        if steps != list(range(steps[0], steps[0] + len(steps))):
            return None
        taken = {
            sympy.Symbol(str(n), integer=True) for n in (*self.work.problem.sizes, *self.work.problem.declarations)
        }
        k = fresh_symbol(sympy.Symbol("k", integer=True), taken)
        return Var(users[0].name, (k,), users[0].shape, users[0].facts), Binder(k, steps[0], steps[-1])

    def _finish(self, edges: list[Edge]) -> Expr:
        parts = [e.value for e in edges]
        for left in self.graph.order:
            if left in self.leave and left in self.known:
                parts.append(_compose(self.known[left], b.deriv(left, self.wrt, "total", self.held), left))
        if edges:
            self.reason = self._reason(self.wrt, edges)
        value = self._simplify(b.add(*parts)) if parts else b.zeros(self.of.shape + self.wrt.shape)
        self._refuse_endless(value)
        unresolved = [e.unresolved for e in edges]
        if len(edges) > 1 and not self.leave:
            open_sum = b.add(*unresolved)
            if open_sum is not value:
                self._say(self._deriv(self.wrt), [open_sum], self._reason(self.wrt, edges))
        final = value
        if self.form == "expanded":
            final = merge_diagonals(distribute(value))
        elif self.form == "factored":
            final = min((factor(value), factor(distribute(value))), key=size)
        elif self.form == "chain":
            final = factor(value) if self.of.order else value
        return final

    def _refuse_endless(self, value: Expr) -> None:
        if (names := size(value)) > MOST_NAMES:
            other = "backprop" if self.form == "factored" else "backprop or factored"
            raise QuestionError(f"it would be a line of {names:,} names, which nobody reads; ask for form {other}")

    def _simplify(self, x: Expr) -> Expr:
        bodies: dict[Expr, Var] = {body: v for v, body in self.bodies.items() if not isinstance(body, Var)}
        for _ in range(4):
            if has_units(x):
                x = common_scalars(multiply_out(take_entries(distribute(x))))
            fresh = signs(alike(cancel(fold_definitions(collect(take_entries(x)), bodies))))
            if fresh is x:
                return x
            x = fresh
        return x

    def _reason(self, node: Var, edges: list[Edge]) -> Reason:
        readers = [e.reader for e in edges]
        if len(readers) > 1:
            return paths_add(node, readers)
        reader = readers[0]
        body = self.bodies[reader]
        if isinstance(body, Call) and body.fn == "softmax" and divides(self.known[reader], reader):
            return ("softmax with cross-entropy",)
        return why(reader, body, node)


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
        for v in dict.fromkeys(variables(graph.bodies[node])) if node in graph.bodies else ():
            if v in waiting:
                waiting[v] -= 1
                if waiting[v] == 0:
                    ready.append(v)
    return tuple(out)


def _compose(outer: Expr, inner: Expr, through: Var) -> Expr:
    """∂of/∂u · ∂u/∂v: a matrix product where the orders allow it, a contraction elsewhere."""
    if through.order == 0:
        return b.outer(outer, inner) if outer.order == inner.order == 1 else b.mul(outer, inner)
    if through.order == 1 and outer.order == 2 and inner.order <= 2:
        return b.matmul(outer, inner)
    if through.order == 1 and outer.order == 1 and inner.order == 2:
        return b.matmul(b.transpose(inner), outer)
    if through.order == 1 and outer.order == 1 and inner.order == 1:
        return b.inner(outer, inner)
    return b.chain([outer, inner], [through.order])


def _captures(body: Expr, g: Expr) -> bool:
    """Whether an index that is free in an adjoint is bound in the body that it passes through."""
    bound = {x.symbol for node in postorder(body) if isinstance(node, Build | Fold) for x in node.binders}
    return bool(bound & free_ints(g))


def _by_entries(x: Expr) -> bool:
    """Whether a value is given by sums for its entries, which no later line should repeat."""
    return any(isinstance(y, Build) for y in postorder(x)) and any(isinstance(y, Fold) for y in postorder(x))


def _is_difference(x: Expr) -> bool:
    return isinstance(x, Add) and len(x.args) == 2 and all(len(list(variables(t))) == 1 for t in x.args)
