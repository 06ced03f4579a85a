"""Form sum-of-products: a recurrence at a symbolic step in closed form, immediate partials ∂⁺ marked.

For one state s of first order, ∂s_t/∂s_k = J_t J_{t−1} … J_{k+1} with J_j = ∂s_j/∂s_{j−1}, so that
∂E_t/∂W = Σ_{k≤t} (∂E_t/∂s_t) (∏_{j=t}^{k+1} J_j) (∂⁺s_k/∂W), where ∂⁺ holds the earlier states.
"""

from collections.abc import Sequence

import sympy
from msgspec import Struct

from symgrad.calculus.dependency import ranged, reads
from symgrad.calculus.ranges import Bounds, meet
from symgrad.calculus.recast import ends_at
from symgrad.calculus.trace import OpenPaths
from symgrad.derivation.differentiation.first_order import FirstOrder
from symgrad.derivation.differentiation.paths import Paths
from symgrad.derivation.differentiation.state import State, states
from symgrad.derivation.naming import Names
from symgrad.derivation.reasons import PUT_IN
from symgrad.derivation.steps import Block, Prose, Reason
from symgrad.derivation.workspace import Workspace, names_in_use, workspace
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, replace, symbols_of
from symgrad.tensor.nodes import Binder, Expr, Opaque, Rel, Var
from symgrad.tensor.reindex import free_ints, fresh_symbol
from symgrad.tensor.system import System


def ended(problem: Problem, system: System, of: Var, *others: Expr) -> tuple[list[sympy.Symbol], System]:
    """The names in use as symbols, those in other expressions too, and the model ended at the step of a node."""
    used = [sympy.Symbol(n, integer=True) for n in names_in_use(problem, system)]
    used += [s for x in others for s in free_ints(x)]
    return used, ends_at(system, of, lambda _: fresh_symbol(sympy.Symbol("k", integer=True), used))


def carried_by_one(found: Sequence[State]) -> State | None:
    """The one state that each step reads from the step before, or each from the one after, where there is no other."""
    return found[0] if len(found) == 1 and found[0].reach in ((1,), (-1,)) else None


class ClosedForm(Struct):
    """One derivative ∂of/∂wrt of a model with a recurrence, at open steps."""

    problem: Problem
    question: Question
    system: System
    of: Var
    wrt: Var
    conds: tuple[Rel, ...] = ()
    reason: Reason = PUT_IN

    def solve(self) -> tuple[Workspace, Expr, list[Block]]:
        """The workspace, the value and the lines.

        Raises:
            QuestionError: the recurrence has no closed form of this kind.
        """
        used, system = ended(self.problem, self.system, self.of)
        work = workspace(self.problem, self.question, system, [self.of, self.wrt], self.conds)
        found = states(system, self.of.name, self.wrt.name)
        if (state := carried_by_one(found)) is not None:
            form = FirstOrder(work, Names(work), state, self.of, self.wrt, set(used))
            value = form.solve()
            return work, value, form.blocks
        if any(s.definition.family == self.wrt.name for s in found):
            return self._by_next_steps(work, next(s for s in found if s.definition.family == self.wrt.name), found)
        if not found:
            return self._plain(work)
        raise OpenPaths(
            "no closed sum of products: several states, or a state read more than one step later; "
            "ask for form backprop, which gives the recursion"
        )

    def _plain(self, work: Workspace, *held: Var) -> tuple[Workspace, Expr, list[Block]]:
        """Along the paths at one step, the states in ``held`` given."""
        names = Names(work)
        paths = Paths(work, names, self.of, self.wrt, "chain", held=frozenset(held))
        value = paths.solve()
        self.reason = paths.reason
        return work, value, [*paths.blocks, *names.take(value)]

    # The state itself

    def _by_next_steps(self, work: Workspace, state: State, found: list[State]) -> tuple[Workspace, Expr, list[Block]]:
        """∂of/∂s_T = ∂⁺of/∂s_T + Σ over the steps that read s_T of ∂of/∂s_t ∂⁺s_t/∂s_T."""
        self.reason = ("chain rule; the later steps that read ", self.wrt)
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
            bound = {s for sub in r.node.subs for s in symbols_of(sub)} - {x.symbol for x in r.reader.ranges}
            unknowns += [x for n in ranged(r.reader.body) for x in n.binders if x.symbol in bound]
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
        alone = {(lo, hi) for lo, hi in steps if lo == hi and any(_within(lo, x) for x in steps - {(lo, hi)})}
        spans = sorted(steps - alone, key=str)
        if not terms and len(spans) == 1 and spans[0][0] == spans[0][1] and state.at(spans[0][0]) is self.of:
            return self._plain(work, state.all)
        for lo, hi in spans:
            node = state.at(running if lo != hi else lo)
            term = b.chain([b.deriv(self.of, node), b.deriv(node, self.wrt, "immediate", [state.all])], [node.order])
            terms.append(term if lo == hi else b.fold("sum", term, [Binder(running, lo, hi)]))
        value = b.add(*terms) if terms else b.zeros(self.wrt.shape)
        note = Prose(("∂⁺ is the immediate partial: the states in between are held.",))
        return work, value, [note]


def _within(step: Int, span: tuple[Int, Int]) -> bool:
    """Whether a step that exists lies in a span, whose end may also be the last step of all: t + 1 ≤ min(T, t + 3)."""
    lo, hi = span
    ends = hi.args if isinstance(hi, sympy.Min) else (hi,)
    after = [difference(step, lo), *(difference(end, step) for end in ends)]
    return isinstance(after[0], int) and after[0] >= 0 and any(isinstance(d, int) and d >= 0 for d in after[1:])
