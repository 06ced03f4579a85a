"""Optima over an unknown function that enters an integral point by point: the integrand is optimised at every point."""

import numpy as np
import sympy
from msgspec import Struct

from symgrad.derivation.identities.integral_rules import RULES, definitions, mentioned, terms_of
from symgrad.derivation.optima.neighbourhood import check
from symgrad.derivation.scalar_algebra import Algebra, solutions
from symgrad.derivation.steps import Block, Code, Prose, Result
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor import probability as pr
from symgrad.tensor.facts import ends, ends_of
from symgrad.tensor.from_sympy import NoCounterpart
from symgrad.tensor.nodes import Binder, Density, Expr, Integral, Law, Mul, Var
from symgrad.tensor.stable import Array
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder

_LETTERS = ("a", "b", "c", "k", "r", "s")


def solve(problem: Problem, question: Question, target: Density, maximum: bool) -> Result:
    """The function D that makes a sum of integrals of D(x) largest or smallest.

    Raises:
        QuestionError: the functional is no sum of integrals over the function's own variables, or the equation at a
            point has no solution that is known.
    """
    work = workspace(problem, question, problem.system, [question.of.expr])
    return _Pointwise(work, target, maximum).solve()


class _Pointwise(Struct):
    work: Workspace
    target: Density
    maximum: bool
    slope: Expr = b.ZERO

    def solve(self) -> Result:
        work, of = self.work, self.work.question.of.expr
        blocks: list[Block] = []
        whole = definitions(work.system).apply(of)
        if whole is not of:
            blocks.append(work.certifier.line(of, whole, reason=mentioned(of, work.system), rule="definition"))
        joined, binders = self._one_integral(whole)
        if joined is not whole:
            reason = ("expectations as integrals, in one",)
            blocks.append(work.certifier.line(of, joined, reason=reason, rule="one integral"))
        integrand = next(x for x in postorder(joined) if isinstance(x, Integral) and self._mentions(x)).args[0]
        where = ("For every ", pr.random_variable(binders[0].symbol.name), " the integrand contains ", self.target)
        extreme = "largest" if self.maximum else "smallest"
        words = (
            *where,
            " at this point alone, so the integral is ",
            extreme,
            " where the integrand is, point by point.",
        )
        blocks.append(Prose(words))
        best = self._at_a_point(integrand, blocks)
        return self._result(of, whole, best, binders, blocks)

    def _mentions(self, x: Expr) -> bool:
        return any(n is self.target for n in postorder(x))

    def _one_integral(self, whole: Expr) -> tuple[Expr, tuple[Binder, ...]]:
        """The functional with everything that contains the function under one integral."""
        for rule in RULES:
            if rule.name in ("definition of KL", "definition of the variance"):
                whole = rule.apply(whole)
        inside: list[Expr] = []
        outside: list[Expr] = []
        binders: tuple[Binder, ...] = ()
        for term in terms_of(whole):
            factors = term.args if isinstance(term, Mul) else (term,)
            hits = [f for f in factors if self._mentions(f)]
            if not hits:
                outside.append(term)
                continue
            core = hits[0]
            own = {i for i in self.target.at if isinstance(i, sympy.Symbol)}
            if len(hits) > 1 or not isinstance(core, Integral) or {x.symbol for x in core.binders} != own:
                raise QuestionError("the functional is no sum of integrals over the function's variables")
            weights = [f for f in factors if f is not core]
            density = [core.args[1]] if core.op == "expectation" else []
            if core.op == "variance" or any(isinstance(d, Law) for d in density):
                raise QuestionError("a function is optimised under integrals and expectations over densities")
            binders = core.binders
            inside.append(b.mul(*weights, *density, core.args[0]))
        if not inside:
            raise QuestionError("the quantity does not depend on the function")
        return b.add(pr.integral(b.add(*inside), binders), *outside), binders

    def _at_a_point(self, integrand: Expr, blocks: list[Block]) -> Expr:
        """The best value at one point, as an expression of the densities there."""
        work = self.work
        names: dict[Expr, Expr] = {}
        y = Var(work.fresh("y", "v", "d"), (), (), _facts(self.target))
        names[self.target] = y
        letters = (x for x in _LETTERS if work.fresh(x) == x)
        for node in postorder(integrand, into=lambda x: not isinstance(x, Density)):
            if isinstance(node, Density) and node not in names:
                names[node] = Var(next(letters), (), (), frozenset({"positive"}))
        phi = Var(work.fresh("φ", "g"), (), ())
        body = replace_nodes(integrand, names)
        words: list[str | Expr] = ["Write "]
        pairs = list(names.items())
        for k, (node, name) in enumerate(pairs):
            words += [" and " if k == len(pairs) - 1 else ", "] if k else []
            words += [name, " for ", node]
        blocks.append(Prose((*words, "; the integrand is")))
        blocks.append(work.introduce(phi, body))
        algebra = Algebra()
        unknown = algebra.symbol(y)
        formula = algebra.to(body, y)
        slope = self.slope = algebra.back(sympy.diff(formula, unknown))
        blocks.append(work.certifier.line(b.deriv(phi, y), slope, rule="derivative"))
        stationary = self._root(algebra, formula, unknown, y)
        zero = b.compare("==", slope, b.ZERO)
        work.certifier.compare(replace_nodes(slope, {y: stationary}), b.ZERO)
        solved = b.compare("==", y, stationary)
        blocks.append(work.certifier.line(zero, solved, reason=("the slope is zero",), rule="root", relation="iff"))
        second = algebra.back(sympy.diff(formula, unknown, 2))
        self._curved(y, second, blocks)
        return replace_nodes(stationary, {v: k for k, v in names.items()})

    def _curved(self, y: Var, second: Expr, blocks: list[Block]) -> None:
        """The second-order condition at every value of the function."""
        work = self.work
        slope = Var("slope at a point", (), ())
        work.define([Definition(slope.name, (), self.slope)])
        work.certifier.differences(slope, y, second)
        relation = "<" if self.maximum else ">"
        shape = "concave" if self.maximum else "convex"
        extreme = "maximum" if self.maximum else "minimum"
        reason = (f"strictly {shape}: the only stationary point is the {extreme}",)
        blocks.append(work.certifier.line(second, b.ZERO, reason=reason, rule="second order", relation=relation))

    def _root(self, algebra: Algebra, formula: sympy.Expr, unknown: sympy.Symbol, y: Var) -> Expr:
        for root in solutions(sympy.diff(formula, unknown), unknown):
            try:
                found = algebra.back(root)
            except NoCounterpart:
                continue
            if _admissible(self.work, found, y):
                return found
        raise QuestionError("no solution of the equation at a point is known")

    def _result(self, of: Expr, whole: Expr, best: Expr, binders: tuple[Binder, ...], blocks: list[Block]) -> Result:
        work, target = self.work, self.target
        table = target.table
        assert isinstance(table, Var)
        star = Var(work.starred(table.name), (), table.shape, table.facts)
        array = b.build(best, [Binder(x.symbol, 1, n) for x, n in zip(binders, table.shape, strict=True)])
        work.define([Definition(star.name, (), array)])
        here = Density(star, target.at)
        work.certifier.open(binders)
        blocks.append(work.certifier.line(here, best, rule="optimum", boxed=True))
        value = replace_nodes(whole, {target: best})
        value = next(r for r in RULES if r.name == "fractions").apply(value)
        name = of.name if isinstance(of, Var) else "V"
        top = Var(work.starred(name), (), ())
        work.define([Definition(top.name, (), replace_nodes(whole, {target: here}))])
        blocks.append(work.certifier.line(top, value, rule="value", boxed=True, reason=("the value there",)))
        low, high = _range(table)

        def onto(x: Array) -> Array:
            return np.clip(x, low + 1e-6, high - 1e-6)

        checked = check(work.certifier.instances, of, {table: array}, value, self.maximum, {table: onto})
        return Result(
            work.question.of.text,
            None,
            here,
            best,
            (),
            tuple(blocks),
            (*work.certifier.checks, checked),
            extra={"at": best, "value": value},
            code=Code(work.problem.system, value, outputs=(("at", array), ("value", value))),
        )


def _facts(target: Density) -> frozenset[str]:
    assert isinstance(target.table, Var)
    return frozenset(f for f in target.table.facts if any(end is not None for end in ends_of(f)))


def _range(table: Var) -> tuple[float, float]:
    low, high = ends(table.facts)
    return (-np.inf if low is None else float(low), np.inf if high is None else float(high))


def _admissible(work: Workspace, value: Expr, y: Var) -> bool:
    """Whether a value lies in the range of the unknown at all random points."""
    low, high = _range(y)
    found = [np.asarray(n.value(value)) for n in work.certifier.instances]
    return all(np.isfinite(v).all() and bool((v >= low).all()) and bool((v <= high).all()) for v in found)
