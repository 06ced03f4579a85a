"""Convexity by the second derivative: the Hessian as a sum of squares, or its principal minors."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import sympy
from msgspec import Struct, field

from symgrad.calculus.linear import depends
from symgrad.calculus.local import local_jacobian
from symgrad.derivation.curvature import AFFINE, Curvature
from symgrad.derivation.optima.hessian import Form, certificate, nonnegative
from symgrad.derivation.scalar_algebra import Algebra
from symgrad.derivation.steps import Block, Check, Prose, Reason
from symgrad.derivation.workspace import Workspace
from symgrad.errors import CertificationError, QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.from_sympy import NoCounterpart
from symgrad.tensor.functions.construct import det
from symgrad.tensor.nodes import Apply, Call, Expr, Var
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder

EIGENVALUE = -1e-9
MOST_VARIABLES = 3
_NAMED = {"softmax": ("p", "π"), "sigmoid": ("s", "σ_1", "r"), "tanh": ("τ", "h")}


class Proof(Struct, frozen=True):
    """The lines of a proof and its check in numbers; ``said`` where the last of them says what was to be shown."""

    blocks: Sequence[Block]
    check: Check
    said: bool = False


def prove(work: Workspace, over: Sequence[Var], of: Expr, whole: Expr) -> Proof:
    """That ``of`` is convex in one number or vector, or in several numbers together.

    Args:
        work: the workspace, which keeps the names that the proof introduces.
        over: the variables.
        of: the quantity.
        whole: what it is, written out.

    Raises:
        QuestionError: the Hessian proves nothing.
    """
    if len(over) > MOST_VARIABLES:
        raise QuestionError(f"a Hessian by more than {MOST_VARIABLES} numbers is not tried")
    blocks: list[Block] = []
    f = of if isinstance(of, Var) else Var(work.fresh("f", "g", "q"), (), ())
    if f is not of:
        blocks.append(work.introduce(f, of))
    return (
        _Several(work, over, blocks).proved(f, whole) if len(over) > 1 else _One(work, over[0], blocks).proved(f, whole)
    )


class _One(Struct):
    """Over one number or vector x."""

    work: Workspace
    x: Var
    blocks: list[Block] = field(default_factory=list)

    def proved(self, f: Var, whole: Expr) -> Proof:
        """The gradient, the Hessian, and why the Hessian has no negative eigenvalue."""
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
        return Proof(self.blocks, _eigenvalues(work, hessian))

    def _along_one_direction(self, whole: Expr) -> tuple[Expr, Expr] | None:
        """Gradient φ′(a) u and Hessian φ″(a) u uᵀ of φ(a) with a = uᵀx + c; None where it is no such function."""
        if self.x.order != 1:
            return None
        curvature = Curvature((self.x,))
        curvature.of(whole)
        name = Var(self.work.fresh("a", "s", "k"), (), ())
        for form in reversed([n for n, curve in curvature.known.items() if curve == AFFINE and not n.order]):
            inside = replace_nodes(whole, {form: name})
            found = None if depends(inside, self.x) else self._along(form, name, inside)
            if found is not None:
                self.blocks.append(self.work.introduce(name, form))
                return found
        return None

    def _along(self, form: Expr, name: Var, inside: Expr) -> tuple[Expr, Expr] | None:
        u = local_jacobian(form, Var("form", (), ()), self.x)
        algebra = Algebra()
        unknown = algebra.symbol(name)
        formula = algebra.to(inside, name)
        try:
            first, second = (self._short(algebra, sympy.diff(formula, unknown, k), name) for k in (1, 2))
        except NoCounterpart:
            return None
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


class _Several(Struct):
    """Over several numbers together, by the principal minors of the Hessian.

    A symmetric matrix is positive semidefinite just where no principal minor is negative.
    """

    work: Workspace
    over: Sequence[Var]
    blocks: list[Block] = field(default_factory=list)

    def proved(self, f: Var, whole: Expr) -> Proof:
        """The gradient, the Hessian by its entries, and its principal minors."""
        work, over = self.work, self.over
        rows: list[list[Expr]] = []
        for x in over:
            gradient = local_jacobian(whole, f, x)
            self.blocks.append(work.certifier.line(b.deriv(f, x), gradient, rule="gradient"))
            slope = Var(f"derivative by {x.name}", (), ())
            work.define([Definition(slope.name, (), gradient)])
            rows.append([replace_nodes(local_jacobian(gradient, slope, y), {slope: gradient}) for y in over])
            for y, entry in zip(over, rows[-1], strict=True):
                work.certifier.differences(slope, y, entry)
        hessian = _matrix(rows)
        name = Var(work.fresh("H", "Q"), (), hessian.shape)
        self.blocks.append(work.introduce(name, hessian, reason=("Hessian",)))
        for size in range(1, len(over) + 1):
            for chosen in combinations(range(len(over)), size):
                self._minor([[rows[i][j] for j in chosen] for i in chosen], name)
        words: Reason = ("No principal minor of ", name, " is negative, so it is positive semidefinite.")
        self.blocks.append(Prose(words))
        return Proof(self.blocks, _eigenvalues(work, hessian))

    def _minor(self, rows: Sequence[Sequence[Expr]], whole: Expr) -> None:
        """A principal minor and its sign."""
        line = self.work.certifier.line
        minor = rows[0][0] if len(rows) == 1 else det(whole if len(rows) == len(self.over) else _matrix(rows))
        if len(rows) > 1 or not nonnegative(minor):
            value = self._factored(rows)
            self.blocks.append(line(minor, value, rule="minor"))
            if b.number_of(value) is not None:
                return
        self.blocks.append(line(minor, b.ZERO, rule="sign", relation=">="))

    def _factored(self, rows: Sequence[Sequence[Expr]]) -> Expr:
        """A determinant in the form that shows its sign."""
        algebra = Algebra()
        formula = sympy.factor(sympy.simplify(sympy.Matrix([[algebra.to(x) for x in row] for row in rows]).det()))
        try:
            value = algebra.back(formula)
        except (NoCounterpart, KeyError):
            raise QuestionError("a principal minor has no form that is known") from None
        if not (formula.is_nonnegative or nonnegative(value)):
            raise QuestionError("the sign of a principal minor is not known")
        return value


def _matrix(rows: Sequence[Sequence[Expr]]) -> Expr:
    return b.stack(*(b.stack(*row) for row in rows))


def _eigenvalues(work: Workspace, hessian: Expr) -> Check:
    worst, points = 0.0, 0
    for numbers in work.certifier.instances:
        value = numbers.value(hessian)
        matrices = value if hessian.order else value.reshape(-1, 1, 1)
        lowest = float(np.linalg.eigvalsh((matrices + np.swapaxes(matrices, -1, -2)) / 2).min())
        if lowest < EIGENVALUE * max(1.0, float(np.abs(value).max())):
            raise CertificationError("the Hessian has a negative eigenvalue; this is a fault of symgrad")
        worst, points = max(worst, -lowest), max(points, numbers.points)
    kind = "agrees: no eigenvalue of the Hessian is negative"
    return Check(kind, max(worst, 0.0), points, len(work.certifier.instances))
