"""Optima without constraints, or on the simplex: where the derivative is zero, and the second-order condition."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import sympy

from symgrad.calculus.linear import depends
from symgrad.calculus.local import local_jacobian
from symgrad.calculus.pullback import sum_entries
from symgrad.calculus.rewrite import distribute
from symgrad.derivation.certify import Certifier
from symgrad.derivation.hessian import definite
from symgrad.derivation.integral_rules import RULES, definitions, mentioned
from symgrad.derivation.neighbourhood import anywhere, check
from symgrad.derivation.scalar_algebra import Algebra, NotScalarAlgebra, solutions
from symgrad.derivation.steps import Block, Check, Code, Prose, Reason, Result
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Add, Binder, Build, Compare, Entry, Expr, Reduce, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.stable import Array
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition

PLACE = sympy.Symbol("i", integer=True)


def solve(problem: Problem, question: Question, x: Var, maximum: bool) -> Result:
    """The stationary point of a quantity, which is its optimum.

    Raises:
        QuestionError: the zero of the derivative is not known in closed form, or it is no optimum of that sense.
    """
    search = _search(problem, question, x, maximum)
    return search.vector() if x.order else search.scalar()


def on_simplex(problem: Problem, question: Question, p: Var, constraint: Expr, maximum: bool) -> Result:
    """The optimum over vectors with sum 1 of a sum that has one term for each entry, by a multiplier.

    Raises:
        QuestionError: the constraint is another, or no solution is known.
    """
    if (
        p.order != 1
        or not isinstance(constraint, Compare)
        or constraint.left is not b.reduce("sum", p)
        or b.number_of(constraint.right) != 1
    ):
        raise QuestionError("known constraints are ‖h‖ = 1 and sum(p) = 1", question.place)
    search = _search(problem, question, p, maximum)
    return search.with_multiplier()


def _search(problem: Problem, question: Question, x: Var, maximum: bool) -> "_Search":
    work = workspace(problem, question, problem.system, [question.of.expr, x])
    of = question.of.expr
    whole = definitions(work.system).apply(of)
    if not depends(whole, x):
        raise QuestionError("the quantity does not depend on the variable", question.place)
    if x.order:
        work.certifier = Certifier.of(problem.system, [_slender(n.sizes, x) for n in work.certifier.instances])
    search = _Search(work, x, maximum, of, whole)
    if whole is not of:
        reason = mentioned(of, work.system)
        search.blocks.append(work.certifier.line(of, whole, reason=reason, rule="definition"))
    return search


def _slender(sizes: Mapping[sympy.Symbol, int], x: Var) -> dict[sympy.Symbol, int]:
    """Sizes at which a matrix that acts on x has more rows than columns."""
    own = {s for n in x.shape for s in symbols_of(n)}
    return {s: min(n, 3) if s in own else n + 2 if s.is_positive else n for s, n in sizes.items()}


@dataclass(slots=True)
class _Search:
    """``whole`` is what is optimised, written out."""

    work: Workspace
    x: Var
    maximum: bool
    of: Expr
    whole: Expr
    blocks: list[Block] = field(default_factory=list)

    def named(self) -> Var:
        """What is optimised, by a name."""
        if isinstance(self.of, Var):
            return self.of
        name = Var(self.work.fresh("f", "g", "q"), (), ())
        self.blocks.append(self.work.introduce(name, self.of))
        return name

    def scalar(self) -> Result:
        """Over one number: every real zero of the derivative is tried."""
        f, x, work = self.named(), self.x, self.work
        algebra = Algebra()
        unknown = algebra.symbol(x)
        formula = algebra.to(self.whole, x)
        slope = local_jacobian(self.whole, f, x)
        self.blocks.append(work.certifier.line(b.deriv(f, x), slope, rule="derivative"))
        for root in solutions(sympy.diff(formula, unknown), unknown):
            try:
                at = algebra.back(root)
                second = algebra.back(sympy.simplify(sympy.diff(formula, unknown, 2)))
                value = algebra.back(sympy.simplify(formula.subs(unknown, root)))
                checked = check(work.certifier.instances, self.of, x, at, value, self.maximum, anywhere)
            except (NotScalarAlgebra, CertificationError, KeyError):
                continue
            work.certifier.compare(replace_nodes(slope, {x: at}), b.ZERO)
            zero, solved = b.compare("==", slope, b.ZERO), b.compare("==", x, at)
            self.blocks.append(work.certifier.line(zero, solved, reason=("stationary",), rule="root", relation="iff"))
            self._second_derivative(slope, second, at)
            return self.result(at, value, checked)
        raise QuestionError("no stationary point that is an optimum is known in closed form")

    def _second_derivative(self, slope: Expr, second: Expr, at: Expr) -> None:
        name = Var("first derivative", (), ())
        self.work.define([Definition(name.name, (), slope)])
        self.work.certifier.differences(name, self.x, second)
        extreme = "maximum" if self.maximum else "minimum"
        there = replace_nodes(second, {self.x: at})
        words: Reason = ("The second derivative ", second, " is ")
        sign = "negative" if self.maximum else "positive"
        self.work.certifier.compare(there, b.ZERO, relation="<=" if self.maximum else ">=")
        value = b.number_of(there)
        ending: Reason = (f"{sign} there: a {extreme}.",) if value is None or value else (f"zero there, a {extreme}.",)
        self.blocks.append(Prose((*words, *ending)))

    def vector(self) -> Result:
        """Over a vector: the gradient is linear, H x + c."""
        f, x, work = self.named(), self.x, self.work
        gradient = local_jacobian(self.whole, f, x)
        slope = Var("gradient", (), gradient.shape)
        self.blocks.append(work.certifier.line(b.deriv(f, x), gradient, rule="gradient"))
        hessian = local_jacobian(distribute(gradient), slope, x)
        if x.order != 1 or depends(hessian, x):
            raise QuestionError("over a vector, the gradient must be linear; this one is not")
        start = distribute(replace_nodes(distribute(gradient), {x: b.zeros(x.shape)}))
        scale = _scale(hessian)
        matrix, right = _scaled(hessian, 1 / scale), b.neg(_scaled(start, 1 / scale))
        at = b.matmul(b.call("inv", (matrix,), (x.shape[0], x.shape[0])), right)
        work.certifier.compare(replace_nodes(gradient, {x: at}), b.zeros(x.shape))
        sides = b.compare("==", gradient, b.zeros(x.shape)), b.compare("==", b.matmul(matrix, x), right)
        self.blocks.append(work.certifier.line(*sides, reason=("stationary",), rule="root", relation="iff"))
        words, certain = definite(hessian, self.maximum)
        if not certain:
            raise QuestionError("the sign of the Hessian is not known")
        self.blocks.append(Prose(("The Hessian ", hessian, " ", *words)))
        self.blocks.append(Prose(("Where ", matrix, " is invertible, it is at one point only:")))
        value = replace_nodes(self.whole, {x: at})
        checked = check(work.certifier.instances, self.of, x, at, value, self.maximum, anywhere)
        return self.result(at, value, checked)

    def with_multiplier(self) -> Result:
        """Stationary for f − λ (Σ p − 1): one equation for each entry, then the constraint for λ."""
        work, p = self.work, self.x
        f = self.named()
        slope = component(local_jacobian(self.whole, f, p), (PLACE,))
        entry, multiplier = b.at(p, PLACE), Var(work.fresh("λ", "ν"), (), ())
        algebra = Algebra()
        unknown, weight = algebra.symbol(entry), algebra.symbol(multiplier)
        formula = algebra.to(slope, entry)
        ranges = (Binder(PLACE, 1, p.shape[0]),)
        work.certifier.open(ranges)
        equation = work.certifier.line(b.deriv(f, entry), slope, rule="slope", ranges=ranges)
        for root in solutions(formula - weight, unknown):
            at = self._from_sum(algebra, root, weight)
            if at is None:
                continue
            at = _tidy(at)
            value = _evaluated(replace_nodes(self.whole, {p: at}))
            checked = check(work.certifier.instances, self.of, p, at, value, self.maximum, normalised)
            words: Reason = ("With a multiplier ", multiplier, " for the constraint, this is ", multiplier)
            self.blocks += [equation, Prose((*words, " at every ", b.count(PLACE), ":"))]
            sides = b.compare("==", slope, multiplier), b.compare("==", entry, algebra.back(root))
            self.blocks.append(work.certifier.line(*sides, rule="multiplier", relation="iff", ranges=ranges))
            curve = algebra.back(sympy.diff(formula, unknown))
            relation, shape = ("<", "concave: a maximum") if self.maximum else (">", "convex: a minimum")
            self.blocks.append(
                work.certifier.line(
                    curve,
                    b.ZERO,
                    reason=(f"second derivative; strictly {shape}",),
                    rule="second order",
                    relation=relation,
                    ranges=ranges,
                )
            )
            self.blocks.append(Prose(("The entries add to 1, which settles ", multiplier, ".")))
            return self.result(at, value, checked)
        raise QuestionError("no solution on the simplex is known")

    def _from_sum(self, algebra: Algebra, root: sympy.Expr, weight: sympy.Symbol) -> Expr | None:
        """The vector that the entries make once the constraint settles the multiplier."""
        own = [s for s in root.free_symbols if s != weight]
        if not own:
            return b.mul(b.power(b.count(self.x.shape[0]), b.MINUS_ONE), b.ones(self.x.shape))
        shares = sympy.simplify(root * weight)
        if weight in shares.free_symbols:
            return None
        shares = shares.as_coeff_Mul()[1]
        parts = b.build(algebra.back(shares), [Binder(PLACE, 1, self.x.shape[0])])
        return b.div(parts, b.reduce("sum", parts))

    def result(self, at: Expr, value: Expr, checked: Check) -> Result:
        """The place and the value, boxed."""
        work, x = self.work, self.x
        star = Var(work.starred(x.name), (), x.shape)
        work.define([Definition(star.name, (), at)])
        self.blocks.append(work.certifier.line(star, at, rule="optimum", boxed=True))
        f = self.of.name if isinstance(self.of, Var) else "f"
        top = Var(work.starred(f), (), ())
        work.define([Definition(top.name, (), replace_nodes(self.whole, {x: star}))])
        if replace_nodes(self.whole, {x: star}) is not value:
            self.blocks.append(work.certifier.line(top, value, reason=("the value there",), rule="value", boxed=True))
        return Result(
            work.question.of.text,
            None,
            star,
            at,
            at.shape,
            tuple(self.blocks),
            (*work.certifier.checks, checked),
            extra={"at": at, "value": value},
            code=Code(work.problem.system, value, outputs=(("at", at), ("value", value))),
        )


def _scale(x: Expr) -> Fraction:
    """The largest number that divides all terms of a sum."""
    numbers = [b.coefficient(t)[0] for t in (x.args if isinstance(x, Add) else (x,))]
    top = math.gcd(*(abs(c.numerator) for c in numbers))
    bottom = math.lcm(*(c.denominator for c in numbers))
    return Fraction(top, bottom) * (1 if numbers[0] > 0 else -1)


def _scaled(x: Expr, by: Fraction) -> Expr:
    """A multiple, term by term."""
    return b.add(*(b.mul(b.num(by), t) for t in (x.args if isinstance(x, Add) else (x,))))


def _evaluated(x: Expr) -> Expr:
    """The expression with sums of equal terms taken, and logarithms of fractions as differences."""

    def rule(node: Expr) -> Expr:
        if isinstance(node, Reduce) and node.op == "sum" and node.arg.order == 1 and not node.order:
            each = component(node.arg, (PLACE,))
            if PLACE not in free_ints(each):
                return b.mul(b.count(node.arg.shape[0]), each)
        return node

    summed = transform(x, rule)
    return x if summed is x else next(r for r in RULES if r.name == "logarithm").apply(summed)


def _tidy(at: Expr) -> Expr:
    """A vector that is built from the entries of a named one is that one; probabilities add to 1 already."""

    def rule(x: Expr) -> Expr:
        if isinstance(x, Build) and isinstance(x.body, Entry) and isinstance(x.body.arg, Var) and x.order == 1:
            return x.body.arg
        return sum_entries(x.arg) if isinstance(x, Reduce) and x.op == "sum" and isinstance(x.arg, Var) else x

    return transform(at, rule)


def normalised(x: Array) -> Array:
    """Positive entries with sum 1."""
    positive = np.abs(x) + 1e-9
    return np.asarray(positive / positive.sum(axis=-1, keepdims=True))
