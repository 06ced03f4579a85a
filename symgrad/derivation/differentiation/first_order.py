"""One state s of first order in closed form: every use of x at a step k reaches the loss at a step t ≥ k.

∂L/∂x = ∂⁺L/∂x + Σ_t Σ_{k≤t} (∂⁺L/∂s_t) (∏_{j=t}^{k+1} J_j) (∂⁺s_k/∂x) with J_j = ∂s_j/∂s_{j−1}; ∂⁺ holds the states.
A state that reads the step after it is the same in the other direction: k ≥ t, and J_j = ∂s_j/∂s_{j+1} with J_t first.
"""

from collections.abc import Iterable

import sympy
from msgspec import Struct, field

from symgrad.calculus.cancel import outside_sums
from symgrad.calculus.dependency import lags, reach, reads
from symgrad.calculus.rewrite import collect, factor, softmax_jacobian
from symgrad.calculus.trace import OpenPaths, symbols_in, trace
from symgrad.derivation.differentiation.paths import Paths
from symgrad.derivation.differentiation.state import State, gaps, readings
from symgrad.derivation.naming import Names
from symgrad.derivation.steps import Block, Reason
from symgrad.derivation.workspace import Workspace
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, integer, symbols_of
from symgrad.tensor.nodes import Add, Binder, Expr, Opaque, Var
from symgrad.tensor.reindex import fresh_symbol, reindex
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import variables

STEP_BY_STEP: Reason = ("one factor a step, the latest on the left",)
STEP_BACK: Reason = ("one factor a step, the earliest on the left",)


class Use(Struct, frozen=True):
    """A step at which x acts on the state directly, with the ranges that the sum over such steps has."""

    step: Int
    over: tuple[Binder, ...] = ()


class FirstOrder(Struct):
    """∂of/∂wrt through one state that each step reads from the step before, or from the one after."""

    work: Workspace
    names: Names
    state: State
    of: Var
    wrt: Var
    taken: set[sympy.Symbol]
    blocks: list[Block] = field(default_factory=list)
    shown: set[tuple[Expr, ...]] = field(default_factory=set)
    top: Int = 0
    running: Binder | None = None

    def solve(self) -> Expr:
        """The value; the lines are in ``blocks``.

        Raises:
            OpenPaths: the loss reads the state at several steps of its own, or wrt is read at several.
            QuestionError: the result has more than two axes.
        """
        if self.of.order + self.wrt.order > 2:
            raise QuestionError(
                f"{describe_node(self.wrt)} acts at every earlier step too, and their sum of products fits no matrix; "
                f"hold {self.state.family} at the step before, for one step alone"
            )
        self._find_top()
        self.taken |= symbols_of(self.top) | symbols_of(self.state.step.hi) | symbols_in(self.wrt)
        uses = self._uses()
        steps = {s for u in uses for s in symbols_of(u.step)}
        j = fresh_symbol(sympy.Symbol("j", integer=True), self.taken | steps)
        own_step = () if self.state.step.symbol in symbols_of(self.top) else (self.state.step,)
        within = (x for u in uses for x in (*u.over, self._between(j, u.step, self.top)))
        self.work.certifier.open(dict.fromkeys((*own_step, *within)))
        own = self._beside()
        self._open_sum(uses, own)
        local = self._local(uses, j)
        start = self._start()
        terms = [self._term(u, self._product(local, j, u.step), start) for u in uses]
        if own is not None:
            terms.insert(0, own.solve())
            self._keep(own)
        self.blocks += self.names.take()
        return outside_sums(b.add(*terms))

    # Along the recurrence

    @property
    def _lag(self) -> int:
        """By how many steps the state lies behind the one it reads: 1, or −1 where that is the step after."""
        return self.state.reach[0]

    def _between(self, j: sympy.Symbol, first: Int, last: Int) -> Binder:
        """The steps from one to another along the recurrence, as a range that rises."""
        return Binder(j, first, last) if self._lag > 0 else Binder(j, last, first)

    @property
    def _ends(self) -> tuple[Int, Int]:
        """The first and last step along the recurrence."""
        lo, hi = self.state.step.lo, self.state.step.hi
        return (lo, hi) if self._lag > 0 else (hi, lo)

    def _before(self, step: Int) -> Int:
        """The step that a state reads."""
        return integer(step - self._lag)

    # Where the loss reads the state, and where wrt acts on it

    def _find_top(self) -> None:
        """The step at which ``of`` reads the state; a running one where it reads all of them."""
        if self.of.name == self.state.family:
            self.top = self.of.subs[self.state.place]
            return
        single, all_read = readings(self.work.system, self.of, self.state.family)
        steps = {v.subs[self.state.place] for v in single}
        if all_read and not steps:
            step = self.state.step
            open_too = step.symbol in symbols_in(self.wrt)
            t = fresh_symbol(step.symbol, self.taken | {step.symbol}) if open_too else step.symbol
            self.top, self.running = t, Binder(t, step.lo, step.hi)
        elif len(steps) == 1 and not all_read:
            self.top = steps.pop()
        else:
            raise OpenPaths(f"the loss reads {self.state.family} along several paths; ask for form backprop")

    def _uses(self) -> list[Use]:
        """The uses of wrt: by the state at every step or at one, by what begins the recurrence; or wrt is a state."""
        if self.wrt.name == self.state.family:
            return [self._use(self.wrt.subs[self.state.place])]
        found = []
        alone = self._acts_at()
        if alone is not None:
            found.append(self._use(alone))
        elif self._acts_on(self.state.at(self.state.step.symbol)):
            k = fresh_symbol(sympy.Symbol("k", integer=True), self.taken)
            found.append(self._use(k, self._between(k, self._ends[0], self.top)))
        for d in self.work.system.family(self.state.family):
            if not d.ranges and self._acts_on(d.target):
                found.append(self._use(d.indices[self.state.place]))
        return found

    def _use(self, step: Int, *over: Binder) -> Use:
        if self.running is None:
            return Use(step, over)
        first, last = self._ends
        start = first if over or step == self._before(first) else step
        return Use(step, (self._between(self.running.symbol, start, last), *over))

    def _acts_at(self) -> Int | None:
        """The step at which wrt acts, where it is the member of a family that is read at its own step alone."""
        table = lags(self.work.system)
        place = table.position.get(self.wrt.name, {}).get(self.state.step.symbol)
        if place is None or place >= len(self.wrt.subs):
            return None
        for r in reads(self.work.system):
            if r.node.name == self.wrt.name and set(gaps(r.reader, r.node, table.position)) - {0}:
                raise OpenPaths(f"{self.wrt.name} is read at several steps; ask for form backprop")
        return self.wrt.subs[place]

    def _acts_on(self, node: Var) -> bool:
        return self.wrt in trace(self.work.system, node, [self.wrt], [self.state.all]).targets

    def _beside(self) -> Paths | None:
        """∂⁺of/∂wrt, where wrt acts on ``of`` beside the state too."""
        if self.state.family in (self.of.name, self.wrt.name) or not self._acts_on(self.of):
            return None
        return self._paths(self.of, self.wrt, self.state.all)

    # The sum, nothing resolved

    def _open_sum(self, uses: list[Use], own: Paths | None) -> None:
        """∂of/∂wrt = ∂⁺of/∂wrt + Σ ∂⁺of/∂s_t ∂s_t/∂s_k ∂⁺s_k/∂wrt."""
        terms: list[Expr] = [] if own is None else [b.deriv(self.of, self.wrt, "immediate", [self.state.all])]
        for u in uses:
            term = self._links(self.state.at(u.step))
            terms.append(b.fold("sum", term, u.over) if u.over else term)
        left, right = b.deriv(self.of, self.wrt), b.add(*terms)
        if right is not left:
            self._say(left, right, self._why_sum(uses, own is not None), "chain rule")

    def _links(self, s_k: Var) -> Expr:
        s_top = self.state.at(self.top)
        factors: list[Expr] = [] if self.of is s_top else [self._first(s_top)]
        links = [] if self.of is s_top else [s_top.order]
        factors.append(b.deriv(s_top, s_k))
        if s_k is not self.wrt:
            factors.append(b.deriv(s_k, self.wrt, "immediate", [self.state.all]))
            links.append(s_k.order)
        return b.chain(factors, links) if links else factors[0]

    def _first(self, s_top: Var) -> Expr:
        """∂of/∂s_top; with the other states held where ``of`` reads all of them."""
        if self.running is None:
            return b.deriv(self.of, s_top)
        return b.deriv(self.of, s_top, "immediate", [] if self._given() else [self.state.all])

    def _given(self) -> bool:
        """Whether the loss is an opaque one of the states themselves: its partials by them are given."""
        body = self.work.system.body(self.of)
        if self.running is None or not isinstance(body, Opaque):
            return False
        table = lags(self.work.system)
        return all(
            v.name == self.state.family or self.state.family not in reach(v.name, table.reads) for v in variables(body)
        )

    def _why_sum(self, uses: list[Use], own: bool) -> Reason:
        if self.wrt.name == self.state.family:
            return ("chain rule; the loss reads the states from ", self.wrt, " on") if self.running else ("chain rule",)
        beside: Reason = (" acts on ", self.of, " itself and") if own else (" acts",)
        if not any(isinstance(u.step, sympy.Symbol) and u.step in {x.symbol for x in u.over} for u in uses):
            return ("chain rule; ", self.wrt, " acts on ", self.state.at(uses[0].step), " only")
        return ("chain rule; ", self.wrt, *beside, " at every step, ∂⁺: at this step only")

    # Its factors

    def _local(self, uses: list[Use], j: sympy.Symbol) -> Expr:
        """The Jacobian of one step, after ∂s_top/∂s_k as the product of them."""
        s_top, step = self.state.at(self.top), self.state.step
        use = uses[0]
        jacobian = b.deriv(self.state.at(j), self.state.at(self._before(j)))
        why = STEP_BY_STEP if self._lag > 0 else STEP_BACK
        self._say(b.deriv(s_top, self.state.at(use.step)), self._product(jacobian, j, use.step), why,
                  "product of Jacobians", use.over)  # fmt: skip
        paths = self._paths(self.state.at(step.symbol), self.state.at(self._before(step.symbol)))
        local = paths.solve()
        self.blocks += paths.blocks
        named = self.names.name(local, paths.of, ("J", "G", "M")) if isinstance(local, Add) and local.order else local
        self._say(b.deriv(paths.of, paths.wrt), local, paths.reason, "chain rule", (step,), named)
        self.blocks += self.names.take()
        return reindex(named, {step.symbol: j})

    def _product(self, factor: Expr, j: sympy.Symbol, k: Int) -> Expr:
        """∏_{j=top}^{k+1} of a factor at step j; of a state that reads the step after it, ∏_{j=top}^{k−1}."""
        steps = self._between(j, integer(k + self._lag), self.top)
        return b.fold("matprod", factor, [steps], descending=self._lag > 0)

    def _start(self) -> Expr:
        """∂⁺of/∂s_top written out."""
        s_top = self.state.at(self.top)
        if self.of is s_top:
            return b.ONE
        if self._given():
            return self._first(s_top)
        paths = self._paths(self.of, s_top, *([self.state.all] if self.running else []), form="chain")
        value = paths.solve()
        self._keep(paths)
        ranges = () if self.running is None else (self.running,)
        self._say(self._first(s_top), value, paths.reason, "chain rule", ranges)
        self.blocks += self.names.take()
        return value

    def _term(self, use: Use, product: Expr, start: Expr) -> Expr:
        """What one use contributes, its sums included."""
        s_k = self.state.at(use.step)
        before = self.state.at(self._before(use.step))
        if self.of.order:
            each = b.matmul(start, product)
            each = each if s_k is self.wrt else b.matmul(each, self._paths(s_k, self.wrt, before).solve())
        else:
            each = b.matmul(b.transpose(product), start) if s_k.order == 1 else b.mul(product, start)
            each = each if s_k is self.wrt else self._passed_on(each, s_k, before)
        return b.fold("sum", each, use.over) if use.over else each

    def _passed_on(self, adjoint: Expr, s_k: Var, before: Var) -> Expr:
        """(∂⁺s_k/∂wrt)ᵀ times an adjoint of s_k."""
        g = Var(self.work.fresh("g", "v", "q"), (), s_k.shape)
        scalar = Var(self.work.fresh("y", "r"), (), ())
        self.work.define([Definition(scalar.name, (), b.inner(g, s_k) if s_k.order == 1 else b.mul(g, s_k))])
        passed = softmax_jacobian(collect(factor(self._paths(scalar, self.wrt, before).solve())))
        return replace_nodes(passed, {g: adjoint})

    def _paths(self, of: Var, wrt: Var, *held: Var, form: str = "plain") -> Paths:
        return Paths(self.work, self.names, of, wrt, form, held=frozenset(held), shown=self.shown)

    def _keep(self, paths: Paths) -> None:
        self.blocks += [*paths.blocks, *self.names.take()]

    def _say(
        self,
        left: Expr,
        right: Expr,
        reason: Reason,
        rule: str,
        ranges: Iterable[Binder] = (),
        name: Expr | None = None,
    ) -> None:
        if right is left:
            return
        sides = dict.fromkeys((right, name or right))
        self.blocks.append(self.work.certifier.line(left, *sides, reason=reason, rule=rule, ranges=tuple(ranges)))
