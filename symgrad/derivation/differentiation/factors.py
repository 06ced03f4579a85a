"""The first line of a chain: a derivative as a product of local factors, nothing resolved yet."""

import sympy
from msgspec import Struct

from symgrad.calculus.dependency import lags, reach
from symgrad.calculus.trace import Trace
from symgrad.derivation.reasons import paths_add
from symgrad.derivation.steps import Line, Reason
from symgrad.derivation.workspace import Workspace
from symgrad.tensor import build as b
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import Binder, Expr, Var
from symgrad.tensor.reindex import fresh_symbol
from symgrad.tensor.walk import variables


class LocalFactors(Struct, frozen=True):
    """∂of/∂wrt through the nodes that wrt acts on directly, its *users*: Σ over them of ∂of/∂u ∂⁺u/∂wrt."""

    work: Workspace
    graph: Trace
    wrt: Var
    leave: frozenset[Var]

    def line(self, users: list[Var]) -> Line | None:
        """The line; None where the product would have one factor.

        Args:
            users: the nodes through which wrt acts, the last first.
        """
        if users == [self.graph.of] or not users:
            return None
        top = self._gate(users)
        family = {u.name for u in users}
        if len(users) > 1 and len(family) == 1 and (running := self._running(users)) is not None:
            node, binder = running
            twice = any(self._acts_twice(u) for u in users)
            right = b.fold("sum", self._links(top, node, twice), [binder])
        else:
            right = b.add(*(self.graph.spread_over(self._links(top, u), u, self.wrt) for u in users))
        left = self.graph.derivative(self.wrt)
        return self.work.certifier.line(left, right, reason=self._reason(users), rule="chain rule")

    def _reason(self, users: list[Var]) -> Reason:
        if len({u.name for u in users}) > 1:
            return paths_add(self.wrt, [self.graph.member(u, self.wrt) for u in users])
        if len(users) > 1:
            alone = ", ∂⁺: at this step only" if any(self._acts_twice(u) for u in users) else ""
            return ("chain rule; ", self.wrt, f" acts at every step{alone}")
        return ("chain rule; ", self.wrt, " acts only through ", self.graph.member(users[0], self.wrt))

    def _acts_twice(self, user: Var) -> bool:
        """Whether wrt reaches a node that names it along another path too, so that ∂⁺ and ∂ differ."""
        return any(v is not self.wrt for v in self.graph.reads.get(user, ()))

    def last(self, user: Var, twice: bool | None = None) -> Expr:
        """∂user/∂wrt; ∂⁺ where wrt reaches the user along another path too."""
        twice = self._acts_twice(user) if twice is None else twice
        kind = "immediate" if user not in self.leave and twice else "total"
        held = self.graph.held if kind == "total" and self._holds_matter(user) else frozenset()
        return b.deriv(user, self.wrt, kind, held)

    def _links(self, top: Var | None, user: Var, twice: bool | None = None) -> Expr:
        of = self.graph.of
        factors: list[Expr] = []
        links: list[int] = []
        if top is not None and top is not user and top is not of:
            factors = [self.graph.derivative(top), b.deriv(top, user, "total", self.graph.held)]
            links = [top.order, user.order]
        elif user is not of:
            factors, links = [self.graph.derivative(user)], [user.order]
        if factors and self.graph.bodies.get(user) is self.wrt:
            return b.chain(factors, links[:-1])  # Of a copy the factor is I.
        return b.chain([*factors, self.last(user, twice)], links)

    def _holds_matter(self, user: Var) -> bool:
        """Whether a held node may lie between wrt and a node through which wrt acts."""
        behind = reach(user.name, lags(self.work.system).reads)
        held = variables(*self.graph.held)
        return user in self.graph.bodies and any(v.name in behind for v in held)

    def _gate(self, users: list[Var]) -> Var | None:
        """The node among the users that every path from the others to ``of`` passes, if there is one.

        A running node is none: each of its members is a path of its own.
        """
        if len(users) < 2 or users[0] in self.graph.running:
            return None
        last = users[0]
        reached = {self.graph.of}
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
        k = fresh_symbol(sympy.Symbol("k", integer=True), [*taken, *self._open()])
        return Var(users[0].name, (k,), users[0].shape, users[0].facts), Binder(k, steps[0], steps[-1])

    def _open(self) -> list[sympy.Symbol]:
        return [s for v in (self.graph.of, self.wrt) for sub in v.subs for s in symbols_of(sub)]
