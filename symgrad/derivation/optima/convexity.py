"""Questions of kind convexity: the Hessian as a sum of squares, or two points whose midpoint lies too high."""

from collections.abc import Sequence

import numpy as np
import sympy
from msgspec import Struct, field

from symgrad.calculus.linear import depends
from symgrad.calculus.local import local_jacobian
from symgrad.calculus.numeric import Numbers
from symgrad.derivation.assuming import Imposed
from symgrad.derivation.curvature import AFFINE, CONSTANT, CONVEX, Curvature, kinked
from symgrad.derivation.identities import counterexample as refuting
from symgrad.derivation.identities.integral_rules import definitions, mentioned
from symgrad.derivation.optima.chords import Chord, Search
from symgrad.derivation.optima.hessian import Form, certificate
from symgrad.derivation.scalar_algebra import Algebra
from symgrad.derivation.steps import Block, Check, Introduced, Prose, Reason, Result
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.from_sympy import NoCounterpart
from symgrad.tensor.integers import replace
from symgrad.tensor.nodes import Apply, Call, Expr, MatMul, Var
from symgrad.tensor.stable import Array
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder

EIGENVALUE = -1e-9
_NAMED = {"softmax": ("p", "π"), "sigmoid": ("s", "σ_1", "r"), "tanh": ("τ", "h")}


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """Whether ``of`` is convex in each of ``over``.

    Raises:
        QuestionError: ``of`` is no scalar, or neither a proof nor a counterexample was found.
    """
    of = question.of.expr
    if of.order:
        raise QuestionError("convexity is of a scalar", question.of.place)
    results = []
    for x in question.several("over"):
        if not isinstance(x.expr, Var):
            raise QuestionError("'over' names symbols of the problem", x.place)
        results.append(_Convexity(workspace(problem, question, problem.system, [of, x.expr]), x.expr, x.text).solve())
    return tuple(results)


class _Convexity(Struct):
    work: Workspace
    x: Var
    text: str
    blocks: list[Block] = field(default_factory=list)

    def solve(self) -> Result:
        work, of = self.work, self.work.question.of.expr
        whole = definitions(work.system).apply(of)
        if not depends(whole, self.x):
            raise QuestionError("the quantity does not depend on the variable")
        example = self._counterexample(of)
        if example is not None:
            return self._refuted(of, example)
        if whole is not of:
            self.blocks.append(work.certifier.line(of, whole, reason=mentioned(of, work.system), rule="definition"))
        if self.x.order > 1 or kinked(whole, self.x):
            return self._composed(of, whole)
        begun = len(self.blocks), len(work.introduced)
        try:
            return self._proved(of, self._named(of), whole)
        except QuestionError:
            del self.blocks[begun[0] :], work.introduced[begun[1] :]
            return self._composed(of, whole)

    def _named(self, of: Expr) -> Var:
        if isinstance(of, Var):
            return of
        name = Var(self.work.fresh("f", "g", "q"), (), ())
        self.blocks.append(self.work.introduce(name, of))
        return name

    # A proof

    def _composed(self, of: Expr, whole: Expr) -> Result:
        """By the rules of composition, part by part."""
        curvature = Curvature(self.x)
        curve = curvature.of(whole)
        if curve not in (CONSTANT, AFFINE, CONVEX):
            raise QuestionError("no counterexample was found, but neither the Hessian nor composition proves it")
        for part, found, reason in curvature.said:
            self.blocks.append(Prose((part, f" is {found}: ", *reason, ".")))
        if curve == AFFINE:
            self.blocks.append(Prose((whole, " is affine in ", self.x, ", and an affine function is convex.")))
        else:
            self.blocks.append(Prose((of, " is convex in ", self.x, ".")))
        return self._result(True, None, self.blocks, [self._chords(of)])

    def _chords(self, of: Expr) -> Check:
        """The value halfway against the mean of the values at the ends, at the random points."""
        worst, points = 0.0, 0
        for numbers in self.work.certifier.instances:
            first = numbers.value(self.x)
            second = np.roll(first, 1, axis=0)
            low, high, middle = (self._heights(numbers, p, of) for p in (first, second, (first + second) / 2))
            worst = max(worst, float(((middle - (low + high) / 2) / np.maximum(1.0, np.abs(middle))).max()))
            points = max(points, numbers.points)
        if worst > -EIGENVALUE:
            raise CertificationError("a chord lies below the graph; this is a fault of symgrad")
        kind = "agrees: no chord tried lies below the graph"
        return Check(kind, max(worst, 0.0), points, len(self.work.certifier.instances))

    def _heights(self, numbers: Numbers, at: Array, of: Expr) -> Array:
        key = (self.x.name, tuple(replace(s, numbers.sizes) for s in self.x.subs))
        there = Numbers(numbers.system, numbers.sizes, numbers.points, numbers.seed, {**numbers.given, key: at})
        return there.value(of)

    def _proved(self, of: Expr, f: Var, whole: Expr) -> Result:
        work, x = self.work, self.x
        found = self._along_one_direction(whole)
        gradient = self._with_names(local_jacobian(whole, f, x)) if found is None else found[0]
        self.blocks.append(work.certifier.line(b.deriv(f, x), gradient, rule="gradient"))
        slope = Var("gradient of the quantity", (), gradient.shape)
        work.define([Definition(slope.name, (), gradient)])
        hessian = self._with_names(self._second(self._plain(gradient), slope)) if found is None else found[1]
        work.certifier.differences(slope, x, hessian)
        form = certificate(hessian) or certificate(self._plain(hessian))
        if form is None and not x.order:
            form = self._by_sympy(whole)
        if form is None:
            raise QuestionError("no proof by the Hessian is known")
        if x.order:
            self._squares(hessian, form)
        else:
            self.blocks.append(Prose(("The second derivative is ", hessian, ".")))
            reason: Reason = ("so it is convex",)
            self.blocks.append(work.certifier.line(hessian, b.ZERO, reason=reason, rule="sign", relation=">="))
        words: Reason = (of, " is convex in ", x, ".")
        return self._result(True, None, [*self.blocks, Prose(words)], [self._eigenvalues(hessian)])

    def _along_one_direction(self, whole: Expr) -> tuple[Expr, Expr] | None:
        """Gradient φ′(a) u and Hessian φ″(a) u uᵀ of φ(a) with a = uᵀx; None where it is no such function."""
        forms = [n for n in postorder(whole) if isinstance(n, MatMul) and not n.order and depends(n, self.x)]
        if self.x.order != 1 or len(set(forms)) != 1:
            return None
        u = local_jacobian(forms[0], Var("form", (), ()), self.x)
        name = Var(self.work.fresh("a", "s", "k"), (), ())
        inside = replace_nodes(whole, {forms[0]: name})
        if depends(u, self.x) or depends(inside, self.x):
            return None
        algebra = Algebra()
        unknown = algebra.symbol(name)
        formula = algebra.to(inside, name)
        try:
            first, second = (self._short(algebra, sympy.diff(formula, unknown, k), name) for k in (1, 2))
        except NoCounterpart:
            return None
        self.blocks.append(self.work.introduce(name, forms[0]))
        return b.mul(first, u), b.mul(second, b.outer(u, u))

    def _short(self, algebra: Algebra, formula: sympy.Expr, a: Var) -> Expr:
        """A derivative by the sigmoid where that is what it is."""
        sigmoid = b.apply("sigmoid", a)
        rest = sympy.simplify(formula - algebra.to(sigmoid, a))
        if algebra.symbol(a) not in rest.free_symbols:
            return b.add(sigmoid, algebra.back(rest))
        slope = b.mul(sigmoid, b.sub(b.ONE, sigmoid))
        if sympy.simplify(formula - algebra.to(slope, a)) == 0:
            return slope
        return algebra.back(sympy.factor(sympy.simplify(formula)))

    def _second(self, gradient: Expr, slope: Var) -> Expr:
        return replace_nodes(local_jacobian(gradient, slope, self.x), {slope: gradient})

    def _squares(self, hessian: Expr, form: Form) -> None:
        """vᵀHv as a sum of squares."""
        work = self.work
        name = Var(work.fresh("H", "Q"), (), hessian.shape)
        shown = work.introduce(name, hessian, reason=("Hessian",))
        v = Var(work.fresh("v", "z", "d"), (), self.x.shape)
        squares = form(v)
        self.blocks.append(shown)
        quadratic = b.matmul(b.transpose(v), name, v)
        self.blocks.append(Prose(("For every vector ", v, ":")))
        self.blocks.append(work.certifier.line(quadratic, squares, reason=("a sum of squares",), rule="squares"))
        reason: Reason = ("positive semidefinite",)
        self.blocks.append(work.certifier.line(quadratic, b.ZERO, reason=reason, rule="sign", relation=">="))

    def _with_names(self, x: Expr) -> Expr:
        """The expression with the softmax, the sigmoid and the like in it named."""
        found = [n for n in postorder(x) if isinstance(n, Call | Apply) and n.fn in _NAMED and n.order == self.x.order]
        for node in dict.fromkeys(found):
            known = next((i.name for i in self.work.introduced if i.body is node), None)
            if known is None:
                facts = frozenset({"probability"} if isinstance(node, Call) and node.order == 1 else set())
                known = Var(self.work.fresh(*_NAMED[node.fn]), (), node.shape, facts)
                self.blocks.append(self.work.introduce(known, node))
            x = replace_nodes(x, {node: known})
        return x

    def _plain(self, x: Expr) -> Expr:
        """The expression with those names written out."""
        return replace_nodes(x, {i.name: i.body for i in self.work.introduced})

    def _by_sympy(self, whole: Expr) -> Form | None:
        """A second derivative that SymPy knows to be nonnegative."""
        algebra = Algebra()
        unknown = algebra.symbol(self.x)
        second = sympy.factor(sympy.simplify(sympy.diff(algebra.to(whole, self.x), unknown, 2)))
        try:
            algebra.back(second)
        except (NoCounterpart, KeyError):
            return None
        return (lambda v: v) if second.is_nonnegative else None

    def _eigenvalues(self, hessian: Expr) -> Check:
        worst, points = 0.0, 0
        for numbers in self.work.certifier.instances:
            value = numbers.value(hessian)
            matrices = value if self.x.order else value.reshape(-1, 1, 1)
            lowest = float(np.linalg.eigvalsh((matrices + np.swapaxes(matrices, -1, -2)) / 2).min())
            if lowest < EIGENVALUE * max(1.0, float(np.abs(value).max())):
                raise CertificationError("the Hessian has a negative eigenvalue; this is a fault of symgrad")
            worst, points = max(worst, -lowest), max(points, numbers.points)
        sizes = len(self.work.certifier.instances)
        return Check("agrees: no eigenvalue of the Hessian is negative", max(worst, 0.0), points, sizes)

    # A counterexample

    def _counterexample(self, of: Expr) -> Chord | None:
        """Two points such that the value halfway is above the mean of the values."""
        work = self.work
        sizes = {s: min(n, 2) for s, n in work.certifier.instances[0].sizes.items()}
        return Search(work.system, of, self.x, sizes, Imposed.of(work.problem, work.question)).found()

    def _refuted(self, of: Expr, found: Chord) -> Result:
        work, x = self.work, self.x
        names = [work.fresh(n, n + "_0") for n in ("a", "b")]
        ends = [Var(n, (), x.shape, x.facts) for n in names]
        blocks: list[Block] = [Prose((of, " is not convex in ", x, ": between two points it rises above the chord."))]
        for v, value in found.given.items():
            blocks.append(Introduced(v, _literal(value)))
        for end, value in zip(ends, found.points, strict=False):
            blocks.append(Introduced(end, _literal(value)))
        rows = zip((*ends, b.mul(b.div(b.ONE, b.num(2)), b.add(*ends))), found.points, found.values, strict=True)
        for where, point, height in rows:
            system = work.system.extended([Definition(v.name, v.subs, _literal(a)) for v, a in found.given.items()])
            system = system.extended([Definition(x.name, x.subs, _literal(point))])
            work.certifier = type(work.certifier).of(system, [found.sizes], points=1)
            shown = _literal(np.asarray(height))
            reason: Reason = ("at ", x, " = ", where)
            blocks.append(work.certifier.line(of, shown, reason=reason, rule="evaluation"))
        mean = (found.values[0] + found.values[1]) / 2
        ending = ("The mean of the first two is ", _literal(np.asarray(mean)), ", which is less than ")
        blocks.append(Prose((*ending, _literal(np.asarray(found.values[2])), ".")))
        example = {
            **{v.name: refuting.plain(a) for v, a in found.given.items()},
            names[0]: refuting.plain(found.points[0]),
            names[1]: refuting.plain(found.points[1]),
            "values": [refuting.exact(v) for v in found.values],
        }
        return self._result(False, example, blocks, [])

    def _result(self, convex: bool, example: object, blocks: Sequence[Block], checks: Sequence[Check]) -> Result:
        question = self.work.question
        return Result(
            question.of.text,
            self.text,
            None,
            None,
            (),
            tuple(blocks),
            (*self.work.certifier.checks, *checks),
            exact=convex,
            extra={"convex": convex, "counterexample": example},
        )


def _literal(x: Array) -> Expr:
    return b.literal(refuting.literal_values(x), tuple(np.shape(x)))
