"""Form sum-of-products: a recurrence at a symbolic step in closed form, immediate partials ∂⁺ marked.

For one state s of first order, ∂s_t/∂s_k = J_t J_{t−1} … J_{k+1} with J_j = ∂s_j/∂s_{j−1}, so that
∂E_t/∂W = Σ_{k≤t} (∂E_t/∂s_t) (∏_{j=t}^{k+1} J_j) (∂⁺s_k/∂W), where ∂⁺ holds the earlier states.
"""

from dataclasses import dataclass

import sympy

from symgrad.calculus.adjoint import backward_order
from symgrad.calculus.dependency import components, lags, reach, reads
from symgrad.calculus.ranges import Bounds, meet
from symgrad.calculus.recast import ends_at
from symgrad.calculus.trace import OpenPaths
from symgrad.derivation.naming import Names
from symgrad.derivation.paths import Paths
from symgrad.derivation.steps import Block, Line, Prose
from symgrad.derivation.workspace import Workspace, names_in_use, workspace
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, integer, replace, symbols_of
from symgrad.tensor.nodes import ANY, Binder, Expr, Opaque, Rel, Var
from symgrad.tensor.reindex import fresh_symbol, reindex
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import variables


@dataclass(frozen=True, slots=True)
class State:
    """A family that later steps read: its definition, the step it runs over, and how far back it is read."""

    definition: Definition
    step: Binder
    reach: tuple[int, ...]

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
            gaps = [
                gap
                for r in reads(system)
                if r.node.name == family and r.reader.family in inside
                for gap in _gaps(r.reader, r.node, table.position)
            ]
            late = sorted({g for g in gaps if g != 0}, key=str)
            ranged = [(d, x) for d in system.family(family) for x in d.ranges if x.symbol in system.steps]
            if late and ranged:
                known = tuple(g for g in late if isinstance(g, int))
                found.append(State(*ranged[0], known if len(known) == len(late) else ()))
    return found


def _gaps(reader: Definition, node: Var, position: dict[str, dict[sympy.Symbol, int]]) -> list[Int]:
    out: list[Int] = []
    for step, k in position.get(node.name, {}).items():
        own = position.get(reader.family, {}).get(step)
        if own is not None and k < len(node.subs):
            out.append(difference(reader.indices[own], node.subs[k]))
    return out


@dataclass(slots=True)
class ClosedForm:
    """One derivative ∂of/∂wrt of a model with a recurrence, at open steps."""

    problem: Problem
    question: Question
    system: System
    of: Var
    wrt: Var
    conds: tuple[Rel, ...] = ()

    def solve(self) -> tuple[Workspace, Expr, list[Block]]:
        """The workspace, the value and the lines.

        Raises:
            QuestionError: the recurrence has no closed form of this kind.
        """
        used = [sympy.Symbol(n, integer=True) for n in names_in_use(self.problem, self.system)]
        system = ends_at(self.system, self.of, lambda _: fresh_symbol(sympy.Symbol("k", integer=True), used))
        work = workspace(self.problem, self.question, system, [self.of, self.wrt], self.conds)
        found = states(system, self.of.name, self.wrt.name)
        if len(found) == 1 and found[0].reach == (1,) and found[0].definition.family == self.of.name == self.wrt.name:
            return self._product(work, found[0], used)
        if any(s.definition.family == self.wrt.name for s in found):
            return self._by_next_steps(work, next(s for s in found if s.definition.family == self.wrt.name), found)
        if not found:
            return self._plain(work)
        if len(found) > 1 or found[0].reach != (1,):
            raise OpenPaths(
                "no closed sum of products: several states, or a state read more than one step later; "
                "ask for form backprop, which gives the recursion"
            )
        return self._first_order(work, found[0], used)

    def _plain(self, work: Workspace) -> tuple[Workspace, Expr, list[Block]]:
        paths = Paths(work, Names(work), self.of, self.wrt, "chain")
        value = paths.solve()
        return work, value, paths.blocks

    def _product(self, work: Workspace, state: State, used: list[sympy.Symbol]) -> tuple[Workspace, Expr, list[Block]]:
        """∂s_t/∂s_k as the product of the Jacobians between them."""
        (place,) = [s for s, p in zip(self.of.subs, state.definition.indices, strict=True) if p == state.step.symbol]
        (start,) = [s for s, p in zip(self.wrt.subs, state.definition.indices, strict=True) if p == state.step.symbol]
        j = fresh_symbol(sympy.Symbol("j", integer=True), [*used, *symbols_of(place), *symbols_of(start)])
        span = [Binder(j, integer(start + 1), place)]
        product = b.fold("matprod", b.deriv(state.at(j), state.at(j - 1)), span, descending=True)
        names = Names(work)
        blocks: list[Block] = [
            work.certifier.line(
                b.deriv(self.of, self.wrt),
                product,
                reason=("one factor a step, the latest on the left",),
                rule="product of Jacobians",
            )
        ]
        step = state.step.symbol
        paths = self._within(work, names, state.at(step), state.at(step - 1), set())
        local = paths.solve()
        blocks += self._running(work, paths, local, state)
        return work, b.fold("matprod", reindex(local, {step: j}), span, descending=True), blocks

    # One state of first order

    def _first_order(
        self, work: Workspace, state: State, used: list[sympy.Symbol]
    ) -> tuple[Workspace, Expr, list[Block]]:
        lo, hi = state.step.lo, state.step.hi
        top, direct = self._where_read(work.system, state)
        taken = [*used, *symbols_of(hi), *(symbols_of(top) if not isinstance(top, int) else ())]
        alone = self._acts_at(work.system, state)
        k: Int = fresh_symbol(sympy.Symbol("k", integer=True), taken) if alone is None else alone
        j = fresh_symbol(sympy.Symbol("j", integer=True), [*taken, *symbols_of(k)])
        names = Names(work)
        blocks: list[Block] = []
        outer = () if not direct else (direct if alone is None else Binder(direct.symbol, alone, direct.hi),)
        ranges = (*outer, Binder(k, lo, top)) if alone is None and isinstance(k, sympy.Symbol) else outer
        work.certifier.open((*ranges, Binder(j, k, top)))
        s_top, s_k = state.at(top), state.at(k)
        if self.of.order + self.wrt.order > 2:
            raise QuestionError("a closed form with more than two axes; ask for form components at given steps")
        jacobian = b.deriv(state.at(j), state.at(j - 1))
        product = b.fold("matprod", jacobian, [Binder(j, k + 1, top)], descending=True)
        immediate = b.deriv(s_k, self.wrt, "immediate", [state.all])
        first = b.deriv(self.of, s_top, "immediate") if direct else b.deriv(self.of, s_top)
        lead = [] if self.of is s_top else [first]
        term = b.chain([*lead, b.deriv(s_top, s_k), immediate], [s_top.order, s_k.order][-len(lead) - 1 :])
        left = b.deriv(self.of, self.wrt)
        open_sum = b.fold("sum", term, ranges) if ranges else term
        everywhere = (self.wrt, " acts at every step, ∂⁺: at this step only")
        here_only = (self.wrt, " acts on ", s_k, " only")
        blocks.append(
            work.certifier.line(
                left,
                open_sum,
                reason=("chain rule; ", *(everywhere if alone is None else here_only)),
                rule="chain rule",
            )
        )
        blocks.append(
            work.certifier.line(
                b.deriv(s_top, s_k),
                product,
                reason=("one factor a step, the latest on the left",),
                rule="product of Jacobians",
                ranges=ranges,
            )
        )
        step_paths = self._within(work, names, state.at(state.step.symbol), state.at(state.step.symbol - 1), set())
        local = step_paths.solve()
        blocks += self._running(work, step_paths, local, state)
        start: Expr = b.ONE if self.of is s_top else first
        if not direct and self.of is not s_top:
            upper = Paths(work, names, self.of, s_top, "chain")
            start = upper.solve()
            blocks += upper.blocks
            blocks.append(
                work.certifier.line(b.deriv(self.of, s_top), start, reason=_reason_of(upper), rule="chain rule")
            )
            blocks += names.take()
        # The adjoint of s_k, and what wrt receives from it.
        here = {state.step.symbol: j}
        factor = reindex(local, here)
        resolved = b.fold("matprod", factor, [Binder(j, k + 1, top)], descending=True)
        if self.of.order:
            held = frozenset({state.at(integer(k - 1))})
            each = b.matmul(start, resolved, Paths(work, names, s_k, self.wrt, "plain", held=held).solve())
        else:
            g = b.matmul(b.transpose(resolved), start) if s_top.order == 1 else b.mul(resolved, start)
            share = self._share(work, names, state, k)
            each = replace_nodes(share[0], {share[1]: g})
        blocks += names.take()
        return work, b.fold("sum", each, ranges) if ranges else each, blocks

    def _acts_at(self, system: System, state: State) -> Int | None:
        """The step at which wrt acts, where it is the member of a family that is read at its own step alone."""
        place = lags(system).position.get(self.wrt.name, {}).get(state.step.symbol)
        if place is None or place >= len(self.wrt.subs):
            return None
        for r in reads(system):
            if r.node.name == self.wrt.name and set(_gaps(r.reader, r.node, lags(system).position)) - {0}:
                raise OpenPaths(f"{self.wrt.name} is read at several steps; ask for form backprop")
        return self.wrt.subs[place]

    def _where_read(self, system: System, state: State) -> tuple[Int, Binder | None]:
        """The step at which ``of`` reads the state, or the range of steps when a loss reads all of them."""
        body = system.body(self.of)
        family = state.definition.family
        node = self.of
        if node.name == family:
            places = zip(node.subs, state.definition.indices, strict=True)
            return next(s for s, p in places if p == state.step.symbol), None
        seen: set[Var] = set()
        while body is not None and node not in seen:
            seen.add(node)
            if isinstance(body, Opaque) and body.over and any(v.name == family for v in variables(body)):
                x = body.over[0]
                return x.symbol, x
            hits = [v for v in variables(body) if v.name == family]
            if hits:
                return hits[0].subs[0], None
            ahead = [v for v in variables(body) if family in reach(v.name, lags(system).reads)]
            if len(ahead) != 1:
                break
            node = ahead[0]
            body = system.body(node)
        raise OpenPaths(f"the loss reads {family} along several paths; ask for form backprop")

    def _within(self, work: Workspace, names: Names, of: Var, wrt: Var, held: set[Expr]) -> Paths:
        return Paths(work, names, of, wrt, "plain", held=frozenset(held))

    def _running(self, work: Workspace, paths: Paths, local: Expr, state: State) -> list[Block]:
        ranges = (state.step,)
        line = work.certifier.line(
            b.deriv(paths.of, paths.wrt), local, reason=_reason_of(paths), rule="chain rule", ranges=ranges
        )
        return [*paths.blocks, line, *paths.names.take()]

    def _share(self, work: Workspace, names: Names, state: State, k: Int) -> tuple[Expr, Var]:
        """(∂⁺s_k/∂W)ᵀ g for a symbol g."""
        s_k = state.at(k)
        g = Var(self._symbol(work), (), s_k.shape)
        scalar = Var(work.fresh("y", "r"), (), ())
        ranged = Definition(scalar.name, (), b.inner(g, s_k) if s_k.order == 1 else b.mul(g, s_k))
        work.define([ranged])
        paths = Paths(work, names, scalar, self.wrt, "plain", held=frozenset({state.at(integer(k - 1))}))
        return paths.solve(), g

    def _symbol(self, work: Workspace) -> str:
        return work.fresh("g", "v", "q")

    # The state itself

    def _by_next_steps(self, work: Workspace, state: State, found: list[State]) -> tuple[Workspace, Expr, list[Block]]:
        """∂of/∂s_T = ∂⁺of/∂s_T + Σ over the steps that read s_T of ∂of/∂s_t ∂⁺s_t/∂s_T."""
        place = next(s for s, p in zip(self.wrt.subs, state.definition.indices, strict=True) if p == state.step.symbol)
        known = Bounds().under(self.conds).within(work.system.steps.values())
        terms: list[Expr] = []
        steps: set[tuple[Int, Int]] = set()
        running = fresh_symbol(state.step.symbol, symbols_of(place))
        for r in reads(work.system):
            if r.node.name != state.definition.family or all(x.symbol != state.step.symbol for x in r.reader.ranges):
                continue
            rename: dict[sympy.Symbol, Int] = {state.step.symbol: running}
            unknowns = [Binder(x.symbol, x.lo, x.hi) for x in r.reader.ranges if x.symbol != state.step.symbol]
            own = next(x for x in r.reader.ranges if x.symbol == state.step.symbol)
            unknowns.append(Binder(running, own.lo, own.hi))
            subs = [replace(s, rename) for s in r.node.subs]
            match = meet(subs, self.wrt.subs, unknowns, (), known)
            if match is None:
                continue
            left = [x for x in match.binders if x.symbol == running]
            if left:
                steps.add((left[0].lo, left[0].hi))
            else:
                at = match.values[running]
                if difference(at, place) != 0:
                    steps.add((at, at))
        others = [s for s in found if s is not state]
        if others:
            raise OpenPaths("several states carry the recurrence; ask for form backprop")
        body = work.system.body(self.of)
        if isinstance(body, Opaque):
            terms.append(b.deriv(self.of, self.wrt, "immediate"))
        for lo, hi in sorted(steps, key=str):
            node = state.at(running if lo != hi else lo)
            term = b.chain([b.deriv(self.of, node), b.deriv(node, self.wrt, "immediate", [state.all])], [node.order])
            terms.append(term if lo == hi else b.fold("sum", term, [Binder(running, lo, hi)]))
        value = b.add(*terms) if terms else b.zeros(self.wrt.shape)
        note = Prose(("∂⁺ is the immediate partial: the states in between are held.",))
        return work, value, [note]


def _reason_of(paths: Paths) -> tuple[str | Expr, ...]:
    lines = [x for x in paths.blocks if isinstance(x, Line)]
    return lines[-1].reason if lines else ("chain rule",)
