"""Form backprop: δ_v = ∂L/∂v for every node, each from the nodes that read it, the last first."""

from collections.abc import Callable, Sequence

import sympy
from msgspec.structs import replace

from symgrad.calculus.adjoint import Equation, Term, adjoint_equations
from symgrad.calculus.cancel import may_cancel, settled
from symgrad.calculus.dependency import lags, reach
from symgrad.calculus.ends import open_ends
from symgrad.calculus.in_matrices import in_matrices
from symgrad.calculus.layer_sums import in_entries
from symgrad.calculus.pullback import divides
from symgrad.calculus.recast import argument_to_name, ends_at, name_preactivations
from symgrad.calculus.rewrite import dummies_apart, size
from symgrad.calculus.stacking import one_stack
from symgrad.derivation.at_ends import at_ends
from symgrad.derivation.differentiation.guards import DELTA, between, beyond, delta, holds_at, in_order, unguarded
from symgrad.derivation.differentiation.matrix_lines import matrix_line
from symgrad.derivation.reasons import paths_add, why
from symgrad.derivation.steps import Block, Introduced, Line, Prose, Reason, Result
from symgrad.derivation.workspace import Workspace, first_free, names_in_use, workspace
from symgrad.errors import QuestionError
from symgrad.problem.model import Asked, Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, size_symbol
from symgrad.tensor.nodes import Add, Apply, Binder, Call, Concat, Deriv, Expr, Fold, MatMul, Num, Opaque, Shape, Var
from symgrad.tensor.reindex import free_ints, fresh_symbol, reindex
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder, variables


def recast(problem: Problem, system: System, of: Var) -> tuple[System, tuple[Definition, ...]]:
    """The model that a backward pass from ``of`` runs over, and the pre-activations that it names."""
    return with_preactivations(problem, _ended(problem, system, of), of)


def _ended(problem: Problem, system: System, of: Var) -> System:
    used = names_in_use(problem, system)

    def fresh_step(step: sympy.Symbol) -> sympy.Symbol:
        return fresh_symbol(sympy.Symbol("k", integer=True), [sympy.Symbol(n, integer=True) for n in used])

    return ends_at(system, of, fresh_step)


def with_preactivations(
    problem: Problem, system: System, of: Var, chosen: Callable[[Expr], bool] | None = None
) -> tuple[System, tuple[Definition, ...]]:
    """The model with the arguments of the nonlinearities below ``of`` named: a for one, a_f, a_i, … for several.

    The argument of a softmax is z, or z_p, …. ``chosen`` tells of a definition whether it is looked at; all are where
    it is left out.
    """
    used = names_in_use(problem, system)
    read = reach(of.name, lags(system).reads)
    if chosen is not None:
        read &= {d.family for d in system.definitions if chosen(d.body)}
    others = System(tuple(d for d in system.definitions if d.family != of.name))
    bent = [d.body for d in others.definitions if d.family in read and argument_to_name(d.body) is not None]
    several = sum(isinstance(x, Apply) for x in bent) > 1

    def fresh(family: str, logits: bool) -> str:
        wishes = [f"z_{family}"] if logits else [f"a_{family}", f"s_{family}", f"pre_{family}"]
        short = ["z"] if logits else [] if several else ["a", "s"]
        name = first_free([*short, *wishes], used)
        used.add(name)
        return name

    return name_preactivations(system, read, fresh)


def solve(problem: Problem, question: Question, system: System, of: Expr, wrt: Sequence[Asked]) -> list[Result]:
    """The backward pass, shared by all ``wrt``; one result for each.

    Raises:
        QuestionError: ``of`` is not a named scalar.
    """
    if not isinstance(of, Var) or of.order:
        raise QuestionError("form backprop needs one named scalar, such as a loss; define it in the model")
    targets = [w.expr for w in wrt]
    opened = open_ends(system, [of, *targets], names_in_use(problem, system))
    if opened is None:
        return _solve(problem, question, system, of, wrt, targets)
    start = opened.open(of)
    assert isinstance(start, Var)
    found = _solve(problem, question, opened.system, start, wrt, [opened.open(x) for x in targets])
    return [at_ends(r, opened) for r in found]


def _solve(
    problem: Problem, question: Question, system: System, of: Var, wrt: Sequence[Asked], targets: Sequence[Expr]
) -> list[Result]:
    asked, own = of, _apart(problem, system, of)
    if own is not None:
        of, system = own.target, _ended(problem, system, of).extended([own])
    model, named = recast(problem, system, of)
    work = workspace(problem, question, model, [asked, *targets])
    shared = _Pass(work, of, [x for x in targets if isinstance(x, Var)], asked)
    blocks = shared.explained([Introduced(d.target, d.body, ("pre-activation",)) for d in named])
    if own is not None:
        blocks.insert(0, Introduced(own.target, own.body))
    results: list[Result] = []
    for w, target in zip(wrt, targets, strict=True):
        value, reason = shared.answer(target)
        left = b.deriv(asked, target)
        start = len(work.certifier.checks) if results else 0
        stated = shared.boxes.get(target)
        sides = shared.with_entries([value], boxed=True)
        line = stated or work.certifier.line(left, *sides, reason=reason, rule="sum over uses", boxed=True)
        if ranges := _open_ranges(model, asked, target):
            work.certifier.compare(left, value, ranges=ranges)
        work.certifier.differences(asked, target, value)
        shown = () if results else tuple(blocks)
        checks = (*((line.check,) if stated and results else ()), *work.certifier.checks[start:])
        results.append(
            Result(question.of.text, w.text, left, value, value.shape, (*shown, *_unless(line, shown)), checks)
        )
    return results


def _unless(line: Line, shown: Sequence[Block]) -> tuple[Block, ...]:
    """The line, unless it is shown already."""
    return () if line in shown else (line,)


def _open_ranges(system: System, of: Var, wrt: Expr) -> tuple[Binder, ...]:
    """The ranges of the steps that are open in ``wrt`` alone: the result holds at every one of them."""
    mine, others = free_ints(wrt), free_ints(of)
    return tuple(x for s, x in system.steps.items() if s in mine and s not in others)


def _apart(problem: Problem, system: System, of: Var) -> Definition | None:
    """A scalar state has a name apart from its family, whose other members act on it."""
    if not of.subs or not lags(system).sign.get(of.name, set()) - {0}:
        return None
    used = names_in_use(problem, system)
    return Definition(next(n for n in ("y", "s", "r", "y_1") if n not in used), (), of)


class _Pass:
    """One backward pass: the equations of every node, and what is short enough to be written out in place."""

    def __init__(self, work: Workspace, of: Var, wrt: list[Var], named: Var) -> None:
        self.work = work
        self.of = of
        self.named = named
        self.inline: dict[Var, Expr] = {of: b.ONE}
        self.equations: dict[Var, Equation] = {}
        self.blocks: list[Block] = []
        self.boxes: dict[Expr, Line] = {}
        self.wanted = set(wrt)
        self.known: set[str] = set()
        self.stated: dict[Expr, Expr] = {}
        self.bodies: dict[Expr, Var] = {d.body: d.target for d in work.system.definitions if not d.ranges}
        for equation in map(self._whole, adjoint_equations(work.system, of, wrt, self.name)):
            self.equations[equation.node] = equation
            if equation.beside or (equation.node in self.wanted and work.system.body(equation.node) is None):
                continue
            value = equation.total
            if is_short(value):
                self.inline[equation.node] = value
            self._state(equation)

    def _whole(self, equation: Equation) -> Equation:
        """A given partial of the loss is the whole derivative by a node that acts on nothing else."""
        if len(equation.terms) != 1 or not isinstance(self.work.system.body(self.of), Opaque):
            return equation
        (term,) = equation.terms
        partial, total = (b.deriv(self.of, equation.node, kind) for kind in ("immediate", "total"))
        return replace(equation, terms=(replace(term, value=replace_nodes(term.value, {partial: total})),))

    def name(self, node: Var) -> Expr:
        """δ of a node: what it is where that is short, else its name."""
        if node in self.inline:
            return self.inline[node]
        self._know(node)
        return delta(node)

    def explained(self, named: Sequence[Introduced]) -> list[Block]:
        """The lines after what δ stands for and the names that they use; what follows the last result is set apart."""
        shape = (size_symbol("n"),)
        node = Var(self.work.fresh("v", "q", "u", "w"), (), shape)
        adjoint = Deriv(self.named, node, "total", shape)
        notation = (delta(node), " stands for ", adjoint, ", for every node ", node, ".")
        lines = list(self.blocks)
        last = max((k for k, x in enumerate(lines) if x in self.boxes.values()), default=-1) + 1
        if self.wanted <= set(self.boxes) and last < len(lines):
            lines.insert(last, Prose(("Handed on along the recurrence:",)))
        used = {v.name for v in self.equations}
        named_here = [x for x in named if x.name.name in used]
        return [*([Prose(notation)] if self.blocks else []), *named_here, *self._read_in_matrices(), *lines]

    def _read_in_matrices(self) -> list[Block]:
        """The definitions of the nodes on the way that are sums over indices, in matrix notation."""
        readers = dict.fromkeys(t.reader for e in self.equations.values() for t in e.terms)
        found: list[Block] = []
        for d in self.work.system.definitions:
            if d.target in readers:
                line = matrix_line(self.work, d.target, d.body, d.ranges)
                found += [] if line is None else [line]
        return found

    def _know(self, node: Var) -> None:
        """δ is defined by differentiating the model, so that every equation is checked against the model."""
        if node.name in self.known:
            return
        self.known.add(node.name)
        indices = tuple(sympy.Symbol(f"_{k}", integer=True) for k in range(len(node.subs)))
        target = Var(node.name, indices, node.shape, node.facts)
        ranges = tuple(Binder(s, -(10**6), 10**6) for s in indices)
        self.work.define([Definition(DELTA + node.name, indices, b.deriv(self.of, target), ranges)])

    def _state(self, equation: Equation) -> None:
        node = equation.node
        if equation.total is b.ONE:
            return
        self._know(node)
        fixed = {
            r.right if r.left == x.symbol else r.left
            for t in equation.terms
            for r in t.guard
            for x in equation.ranges
            if r.op == "==" and x.symbol in (r.left, r.right)
        }
        places = in_order(fixed, equation.ranges[0]) if len(equation.ranges) == 1 else []
        if places:
            self._state_piecewise(equation, places)
            return
        self.blocks += self._boundaries(equation)
        sides = self._sides(unguarded(equation, self.work.system, self.bodies))
        self.stated[delta(node)] = sides[-1]
        boxed = node in self.wanted
        sides = self.with_entries(sides, boxed)
        whole = [b.deriv(self.named, node), delta(node), *sides] if boxed else [delta(node), *sides]
        reason = self._why(list(equation.terms), node, {}, sides[-1])
        line = self.work.certifier.line(*whole, reason=reason, rule="backprop", ranges=equation.ranges, boxed=boxed)
        self.blocks.append(line)
        if boxed:
            self.boxes[node] = line

    def with_entries(self, sides: list[Expr], boxed: bool) -> list[Expr]:
        """Sides of which the last is a layer's result: in index notation besides, before what is boxed."""
        written = in_entries(sides[-1], self.bodies)
        if written is None:
            return sides
        return [*sides[:-1], written, sides[-1]] if boxed else [*sides, written]

    def _sides(self, value: Expr) -> list[Expr]:
        """A value, and what is left of it where an adjoint cancels against it: δp p (1 − p) = p − y."""
        adjoints = [v for v in variables(value) if v in self.stated]
        if len(adjoints) != 1:
            return [value]
        (adjoint,) = adjoints
        own = adjoint.name.removeprefix(DELTA)
        if not any(v.name == own and may_cancel(self.stated[adjoint], v) for v in variables(value)):
            return [value]
        left = settled(replace_nodes(value, {adjoint: self.stated[adjoint]}))
        return [value, left] if size(left) <= size(value) else [value]

    def _state_piecewise(self, equation: Equation, places: list[Int]) -> None:
        x = equation.ranges[0]
        for place in places:
            here = {x.symbol: place}
            terms = [t for t in equation.terms if holds_at(t, here) is not False]
            value = settled(b.add(*(reindex(t.value, here) for t in terms)))
            node = reindex(equation.node, here)
            assert isinstance(node, Var)
            reason = self._why(terms, node, here)
            self.blocks.append(self.work.certifier.line(delta(node), value, reason=reason, rule="backprop"))
        rest = [t for t in equation.terms if all(r.op != "==" for r in t.guard)]
        if not rest:
            return
        value = dummies_apart(settled(b.add(*(t.value for t in rest))))
        for ranges in between(x, places):
            reason = self._why(rest, equation.node, {})
            line = self.work.certifier.line(
                delta(equation.node), value, reason=reason, rule="backprop", ranges=(ranges,)
            )
            self.blocks.append(line)

    def _boundaries(self, equation: Equation) -> list[Block]:
        """δ of the readers that would lie beyond an end of the steps is zero."""
        found: dict[Var, str] = {}
        for term in equation.terms:
            for r in term.guard:
                end = beyond(term, r, equation, self.work.system)
                if end is None:
                    continue
                reader, after = end
                if isinstance(term.value, Fold):
                    return [Prose(("Terms of steps beyond the last are absent.",))]
                self._know(reader)
                found[reader] = "nothing follows the last step" if after else "nothing comes before the first step"
        alike: dict[tuple[str, Shape], list[Expr]] = {}
        for reader, words in found.items():
            alike.setdefault((words, reader.shape), []).append(delta(reader))
        return [
            self.work.certifier.line(
                *names, b.zeros(shape), reason=(words,), rule="end", ranges=self._over(names, equation)
            )
            for (words, shape), names in alike.items()
        ]

    def _over(self, names: list[Expr], equation: Equation) -> tuple[Binder, ...]:
        """The ranges of an equation's indices that stand open in names."""
        open_here = set().union(*(free_ints(x) for x in names))
        return tuple(x for x in equation.ranges if x.symbol in open_here)

    def _why(self, terms: list[Term], node: Var, here: dict[sympy.Symbol, Int], value: Expr | None = None) -> Reason:
        readers = list(dict.fromkeys(reindex(t.reader, here) for t in terms))
        named = [r for r in readers if isinstance(r, Var)]
        if len(named) > 1:
            return paths_add(node, named, "each fills its block" if isinstance(value, Concat) else "the paths add")
        body = self.work.system.body(named[0])
        if body is None:
            return ()
        body = in_matrices(body)
        if isinstance(body, Call) and body.fn == "softmax" and divides(self.inline.get(named[0], b.ONE), named[0]):
            return ("softmax with cross-entropy",)
        return why(named[0], body, node)

    def answer(self, wrt: Expr) -> tuple[Expr, Reason]:
        """∂of/∂wrt from the equations, with its reason."""
        if not isinstance(wrt, Var):
            raise QuestionError("form backprop differentiates by named nodes")
        for node, equation in self.equations.items():
            if node is wrt:
                value = unguarded(equation, self.work.system, self.bodies)
                return value, self._why(list(equation.terms), node, {}, value)
        for node, equation in self.equations.items():
            if node.name == wrt.name and len(node.subs) == len(wrt.subs):
                here = {p: s for p, s in zip(node.subs, wrt.subs, strict=True) if isinstance(p, sympy.Symbol)}
                if reindex(node, here) is wrt:
                    terms = [t for t in equation.terms if holds_at(t, here) is not False]
                    return one_stack(b.add(*(reindex(t.value, here) for t in terms))), self._why(terms, wrt, here)
        return b.zeros(wrt.shape), ("it does not act on the loss",)


def is_short(value: Expr) -> bool:
    """Whether an adjoint is short enough to stand in place of its name."""
    if isinstance(value, Num):
        return True
    kinds = (Add, MatMul, Fold)
    nodes = postorder(value, into=lambda x: not isinstance(x, Deriv))
    leaves = [x for x in nodes if isinstance(x, Var | Deriv)]
    own = any(v.name.startswith(DELTA) for v in variables(value))
    return len(leaves) <= 2 and not own and not any(isinstance(x, kinds) for x in nodes)
