"""Questions of kind bound: how large a Jacobian can be, over one step of a recurrence and over many."""

from collections.abc import Sequence

import numpy as np
import sympy
from msgspec import Struct, field
from msgspec.structs import replace

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.differentiation.derivative import as_node
from symgrad.derivation.differentiation.paths import Paths
from symgrad.derivation.naming import Names
from symgrad.derivation.optima.between import copied_start, step_between
from symgrad.derivation.optima.matrix_norms import NORMS, SOFTMAX, SPELLINGS, MatrixNorm, is_softmax_jacobian
from symgrad.derivation.optima.norm_rules import Bounds, by_factors, unsigned
from symgrad.derivation.optima.vanishing import POINTS, explosion, meaning, scaled_up
from symgrad.derivation.steps import Block, Check, Code, Line, Reason, Result
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, integer
from symgrad.tensor.nodes import Add, Apply, Binder, Call, Expr, Reduce, Rel, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints, fresh_symbol, reindex
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder, variables


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """A bound of a norm of ∂of/∂wrt, the spectral one if none is named; when it vanishes, and whether it can explode.

    Raises:
        QuestionError: the norm is another, or ``of`` and ``wrt`` are no vectors that depend on one another.
    """
    kind = SPELLINGS.get(question.word("norm") or "")
    if kind is None:
        raise QuestionError(f"the norm is one of {', '.join(NORMS)}", question.place)
    return tuple(_one(problem, question, w.expr, w.text, kind) for w in question.wrt)


def _one(problem: Problem, question: Question, wrt: Expr, text: str, kind: str) -> Result:
    system, of = as_node(problem.system, question.of.expr, problem)
    problem = replace(problem, system=system)
    if not isinstance(of, Var) or not isinstance(wrt, Var) or of.order != 1 or wrt.order != 1:
        raise QuestionError("a bound is of the derivative of a vector by a vector", question.place)
    conds = tuple(c for c in (*question.where, *question.assume, *problem.assumptions) if isinstance(c, Rel))
    start = copied_start(system, of, wrt)
    if start is not None:
        return _from_copy(problem, question, of, wrt, start, text, kind, conds)
    work = workspace(problem, question, problem.system, [of, wrt], conds)
    names = Names(work)
    step = step_between(of, wrt)
    search = _Bound(work, names, of, wrt, text, conds, kind)
    return search.one_step() if step is None else search.many_steps(*step)


def _from_copy(
    problem: Problem, question: Question, of: Var, wrt: Var, start: Var, text: str, kind: str, conds: tuple[Rel, ...]
) -> Result:
    """The bound by the first state, which is wrt."""
    work = workspace(problem, question, problem.system, [of, wrt, start], conds)
    step = step_between(of, start)
    search = _Bound(work, Names(work), of, start, text, conds, kind)
    copy: Reason = (start, " is a copy of ", wrt)
    line = work.certifier.line(b.deriv(of, wrt), b.deriv(of, start), reason=copy, rule="copy")
    search.blocks.append(line)
    return search.one_step() if step is None else search.many_steps(*step)


class _Bound(Struct):
    work: Workspace
    names: Names
    of: Var
    wrt: Var
    text: str
    conds: tuple[Rel, ...]
    kind: str
    blocks: list[Block] = field(default_factory=list)
    beside: Reason = ()

    @property
    def norm(self) -> MatrixNorm:
        """The norm in which the Jacobian is bounded."""
        return NORMS[self.kind]

    # One step

    def one_step(self) -> Result:
        """‖∂of/∂wrt‖ by the norms of its factors, then by numbers."""
        formula, bounds = self._bounds(self.of, self.wrt)
        left = self.norm.of(b.deriv(self.of, self.wrt))
        self._chain(left, bounds, boxed=True)
        self.blocks += meaning(self.norm, bounds[-1], None)
        self.blocks += explosion(self.work, self.norm, self.of, self.wrt)
        return self._result(left, formula, bounds[-1])

    def _bounds(self, of: Var, wrt: Var) -> tuple[Expr, list[Expr]]:
        """The Jacobian as a formula, and bounds of its norm, each above the one before."""
        paths = Paths(self.work, self.names, of, wrt, "chain")
        value = paths.solve()
        if b.is_zero(value):
            raise QuestionError("the derivative is zero")
        self.blocks += paths.blocks
        line = self.work.certifier.line(b.deriv(of, wrt), value, reason=paths.reason, rule="Jacobian")
        said = any(isinstance(x, Line) and x.left is line.left and x.right[-1] is value for x in paths.blocks)
        if not said:
            self.blocks.append(line)
        self.blocks += self.names.take()
        formula = self._written_out(value)
        rules = Bounds(self.work.system)
        known = self._with_probabilities(formula)
        self.beside = SOFTMAX if any(is_softmax_jacobian(x) for x in postorder(known)) else ()
        factors = unsigned(by_factors(known, self.kind), rules)
        return formula, list(dict.fromkeys((factors, rules.numbers_for(factors))))

    def _with_probabilities(self, x: Expr) -> Expr:
        """The formula in which each node that is a softmax is known to be one."""
        mapping: dict[Expr, Expr] = {}
        for v in variables(x):
            body = self.work.system.body(v)
            if isinstance(body, Call) and body.fn == "softmax" and v.order == 1:
                mapping[v] = Var(v.name, v.subs, v.shape, v.facts | {"probability"})
        return replace_nodes(x, mapping)

    def _written_out(self, x: Expr) -> Expr:
        """The Jacobian with the names that the derivation gave written out."""
        given = {i.name.name for i in self.work.introduced}

        def rule(node: Expr) -> Expr:
            body = self.work.system.body(node) if isinstance(node, Var) and node.name in given else None
            return node if body is None else transform(body, rule)

        return transform(x, rule)

    def _chain(self, left: Expr, bounds: Sequence[Expr], boxed: bool, ranges: tuple[Binder, ...] = ()) -> None:
        rule = self.norm.total if isinstance(bounds[0], Add) else self.norm.product
        reasons: list[Reason] = [(*rule, *self.beside)]
        if len(bounds) > 1:
            reasons.append(self._why_numbers(bounds[0]))
        for k, (bound, reason) in enumerate(zip(bounds, reasons, strict=False)):
            last = boxed and k == len(bounds) - 1
            line = self.work.certifier.line(
                left, bound, reason=reason, rule="norm bound", relation="<=", boxed=last, ranges=ranges
            )
            self.blocks.append(line)

    def _why_numbers(self, bound: Expr) -> Reason:
        """The ranges that were used."""
        rules = Bounds(self.work.system)
        words: list[str | Expr] = []
        for x in postorder(bound):
            if isinstance(x, Reduce) and x.op == "max":
                inside = x.arg.args[0] if isinstance(x.arg, Apply) and x.arg.fn == "abs" else x.arg
                size = rules.size(inside)
                if size is not None:
                    words += ["; " if words else "", "the entries of ", inside, " are at most ", size]
        if not words:
            return ("by the ranges of the gates, c (1 − c) ≤ 1/4",)
        return tuple(w for w in words if w != "")

    # Many steps

    def many_steps(self, place: int, last: Int, first: Int) -> Result:
        """The chain of one-step Jacobians, and the product of their bounds."""
        work = self.work
        of, step = self._at_open_step(place, last)
        before = Var(of.name, (*of.subs[:place], integer(step - 1), *of.subs[place + 1 :]), of.shape, of.facts)
        formula, bounds = self._bounds(of, before)
        self._chain(self.norm.of(b.deriv(of, before)), bounds, boxed=False)
        taken = {s for x in (of, self.wrt, *bounds) for s in free_ints(x)}
        j = fresh_symbol(sympy.Symbol("j", integer=True), taken)
        binder = b.binder(j, first + 1, last)
        moved: dict[sympy.Symbol, Int] = {step: j}
        factor = b.deriv(reindex(of, moved), reindex(before, moved))
        product = b.fold("prod", factor, [binder], descending=True)
        whole = b.deriv(self.of, self.wrt)
        self._require_chain(whole, product, Rel("<=", difference(first, -2), last))
        chain: Reason = ("chain rule over the steps, later ones on the left",)
        self.blocks.append(work.certifier.line(whole, product, reason=chain, rule="chain rule"))
        norms = b.fold("prod", self.norm.of(factor), [binder])
        left = self.norm.of(whole)
        value = self._power(bounds[-1], moved, binder)
        reason: Reason = ("the norm of a product is at most the product of the norms",)
        self.blocks.append(work.certifier.line(left, norms, reason=reason, rule="product", relation="<="))
        each: Reason = ("the bound of one step, at every step",)
        self.blocks.append(work.certifier.line(left, value, reason=each, rule="bound", relation="<=", boxed=True))
        steps = b.count(difference(last, first))
        self.blocks += meaning(self.norm, bounds[-1], steps)
        self.blocks += explosion(self.work, self.norm, of, before)
        closed = b.fold("prod", reindex(formula, moved), [binder], descending=True)
        return self._result(left, closed, value)

    def _at_open_step(self, place: int, last: Int) -> tuple[Var, sympy.Symbol]:
        """The last state at an open step: itself, or where its step is a number, as the recurrence defines it."""
        of = self.of
        if isinstance(last, sympy.Symbol):
            return of, last
        hit = self.work.system.definition(of)
        step = hit[0].indices[place] if hit is not None else None
        if hit is None or not isinstance(step, sympy.Symbol):
            raise QuestionError("the Jacobians between the two have no formula in common; ask for one step")
        self.work.certifier.open([x for x in hit[0].ranges if x.symbol == step])
        return Var(of.name, (*of.subs[:place], step, *of.subs[place + 1 :]), of.shape, of.facts), step

    def _require_chain(self, whole: Expr, product: Expr, apart: Rel) -> None:
        """A state that later ones read past the next step, directly or through others, has no such product.

        One step apart the two are the same whatever the model is; two steps tell them from each other.
        """
        work = self.work
        far = workspace(work.problem, work.question, work.problem.system, [self.of, self.wrt], (*self.conds, apart))
        try:
            far.certifier.compare(whole, product)
        except CertificationError:
            name = self.of.name
            message = (
                f"the derivative over many steps is no product over single steps: {name} acts past the next {name}"
            )
            raise QuestionError(message, work.question.of.place) from None

    def _power(self, bound: Expr, moved: dict[sympy.Symbol, sympy.Symbol], binder: Binder) -> Expr:
        if not free_ints(bound) & set(moved):
            return b.power(bound, b.count(binder.length))
        return b.fold("prod", reindex(bound, dict(moved)), [binder])

    def _result(self, left: Expr, formula: Expr, value: Expr) -> Result:
        work = self.work
        drawn = self._drawn(left, value)
        norm = self.norm.of(formula)
        work.certifier.compare(left, norm)
        return Result(
            work.question.of.text,
            self.text,
            left,
            value,
            (),
            tuple(self.blocks),
            (*work.certifier.checks, drawn),
            extra={"norm": left, "bound": value},
            code=Code(work.problem.system, value, outputs=(("norm", norm), ("bound", value))),
        )

    def _drawn(self, left: Expr, value: Expr) -> Check:
        """At many more random points, with large parameters too, the norm is never above the bound."""
        worst, points = 0.0, 0
        for numbers in self.work.certifier.instances:
            for system in (self.work.system, scaled_up(self.work)):
                more = Numbers.of(system, numbers.sizes, POINTS, 99)
                norm, bound = more.value(left), more.value(value)
                ratio = float(np.max(norm / np.maximum(bound, 1e-300)))
                if ratio > 1 + 1e-9:
                    raise QuestionError("a norm above the bound was found; this is a fault of symgrad")
                worst, points = max(worst, ratio - 1), points + POINTS
        return Check(f"agrees: the norm is below the bound at {points} more random points", max(0.0, worst), points)
