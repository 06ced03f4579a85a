"""Optima over one number: every zero of the derivative, every kink and every end is tried.

A point is the optimum of the whole domain, not of its surroundings alone, where the function is convex, where its
derivative is zero nowhere else, or where its values at all other such points and towards the ends are worse.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import sympy
from msgspec import Struct, field
from sympy.core.relational import Relational

from symgrad.calculus.local import local_jacobian
from symgrad.calculus.rewrite import distribute
from symgrad.derivation.curvature import AFFINE, CONCAVE, CONVEX, Curvature
from symgrad.derivation.optima.domain import Domain
from symgrad.derivation.optima.hessian import nonnegative
from symgrad.derivation.optima.neighbourhood import check
from symgrad.derivation.optima.search import Search, length, shortest
from symgrad.derivation.reasons import listed
from symgrad.derivation.scalar_algebra import Algebra, solutions
from symgrad.derivation.signs import sign
from symgrad.derivation.steps import Check, Prose, Reason, Result
from symgrad.errors import CertificationError, QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.from_sympy import NoCounterpart
from symgrad.tensor.nodes import Apply, Compare, Expr, Var
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder, variables

MOST_PIECES = 8
_KINKED = (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.Max, sympy.Min, sympy.Piecewise)


class Point(Struct, frozen=True):
    """A point at which an optimum may be: a zero of the derivative, or else a kink or an end; and the value there."""

    at: Expr
    value: Expr
    stationary: bool = True


def solve(search: Search, domain: Domain) -> Result:
    """The optimum over one number.

    Raises:
        QuestionError: no such point is known in closed form, or none of them is an optimum of that sense.
    """
    return _OneNumber(search, domain).solve()


class _OneNumber(Struct):
    search: Search
    domain: Domain
    algebra: Algebra = field(default_factory=Algebra)

    @property
    def extreme(self) -> str:
        """minimum or maximum."""
        return "maximum" if self.search.maximum else "minimum"

    @property
    def unknown(self) -> sympy.Symbol:
        """The variable as SymPy has it."""
        return self.algebra.symbol(self.search.x)

    def solve(self) -> Result:
        search, x = self.search, self.search.x
        f = search.named()
        formula = self.algebra.to(search.whole, x)
        slope = local_jacobian(search.whole, f, x)
        search.blocks.append(search.work.certifier.line(b.deriv(f, x), slope, rule="derivative"))
        linear = self._where_linear(slope)
        if linear is not None:
            return linear
        points = self._points()
        for point in points:
            try:
                checked = self._checked(point, points)
            except CertificationError:
                continue
            self._explained(point, points, slope, formula)
            return search.result(point.at, point.value, checked)
        raise QuestionError(self._unreached(formula) or self._none_of(points))

    # Points

    def _points(self) -> list[Point]:
        """The zeros of the derivative, the kinks and the ends that lie in the domain."""
        found: dict[Expr, Point] = {}
        instances = self.search.work.certifier.instances
        for piece, root, stationary in self._roots():
            try:
                at = self.algebra.back(root)
                inside = all(self.domain.holds(np.asarray(n.value(at))) for n in instances)
                if inside and at not in found:
                    found[at] = Point(at, self._value(piece, root, at), stationary)
            except (NoCounterpart, CertificationError, KeyError):
                continue
        return list(found.values())

    def _value(self, piece: Expr, root: sympy.Expr, at: Expr) -> Expr:
        """The value at a point: the shortest of what is written there, that simplified, and what SymPy makes of it."""
        formula = self.algebra.to(piece, self.search.x)
        by_sympy = self.algebra.back(sympy.simplify(formula.subs(self.unknown, root)))
        if not variables(by_sympy):
            return by_sympy
        written = replace_nodes(piece, {self.search.x: at})
        return min((written, shortest(written), by_sympy), key=length)

    def _roots(self) -> Iterator[tuple[Expr, sympy.Expr, bool]]:
        """Where an optimum may be, with a form of the function that holds there, and whether its derivative is zero."""
        unknown = self.unknown
        pieces, meetings = _pieces(self.search.whole)
        for piece in pieces:
            formula = self.algebra.to(piece, self.search.x)
            forms = [formula]
            if formula.has(*_KINKED):
                whole = sympy.piecewise_fold(formula.rewrite(sympy.Piecewise))
                parts = whole.args if isinstance(whole, sympy.Piecewise) else ()
                forms = [e for e, _ in parts] or [whole]
                for relation in {r for _, c in parts for r in c.atoms(Relational)}:
                    yield from ((piece, root, False) for root in _solved(relation.lhs - relation.rhs, unknown))
            for form in forms:
                yield from ((piece, root, True) for root in _solved(sympy.diff(form, unknown), unknown))
            for gap in meetings:
                equation = self.algebra.to(gap, self.search.x)
                yield from ((piece, root, False) for root in _solved(equation, unknown))
            yield from ((piece, sympy.Rational(end), False) for end in self.domain.ends)

    def _checked(self, point: Point, points: Sequence[Point]) -> Check:
        """The point against those round it, those far from it, and the other points at which an optimum may be."""
        search = self.search
        relation = ">=" if search.maximum else "<="
        for other in points:
            if other is not point:
                search.work.certifier.compare(point.value, other.value, relation=relation)
        onto = {} if self.domain.is_all else {search.x: self.domain.onto}
        instances = search.work.certifier.instances
        return check(instances, search.of, {search.x: point.at}, point.value, search.maximum, onto)

    def _unreached(self, formula: sympy.Expr) -> str:
        """What is said of a function of nothing else that has better values towards an end than anywhere."""
        if formula.free_symbols != {self.unknown} or formula.has(*_KINKED):
            return ""
        name, way = describe_node(self.search.x), sympy.Max if self.search.maximum else sympy.Min
        found: dict[sympy.Expr, sympy.Expr] = {}
        for end in self.domain.open_ends:
            try:
                found[end] = sympy.limit(formula, self.unknown, end, "-" if end == self.domain.open_ends[-1] else "+")
            except (NotImplementedError, ValueError, TypeError):
                return ""
        values = [x for x in found.values() if x.is_extended_real and x.is_comparable | x.is_infinite]
        if len(values) < len(found) or not values:
            return ""
        best = way(*values)
        end = next(e for e, x in found.items() if x == best)
        shown = {sympy.oo: "∞", -sympy.oo: "−∞"}
        goes = f"it goes to {shown.get(best, best)} as {name} goes to {shown.get(end, end)}"
        return f"there is no {self.extreme}: {goes}" + ("" if best.is_infinite else ", and nowhere is it so much")

    def _none_of(self, points: Sequence[Point]) -> str:
        """What is said where no point is the optimum."""
        if not points:
            return f"no point is known in closed form at which the derivative is zero, and so no {self.extreme}"
        numbers = [n for p in points if (n := b.number_of(p.at)) is not None]
        if len(points) > 1 and len(numbers) < len(points):
            names = ", ".join(v.name for v in variables(self.search.whole) if v is not self.search.x)
            return f"which of {len(points)} points is the {self.extreme} depends on {names}; assume more of them"
        known = [f"{describe_node(self.search.x)} = {n}" for n in sorted(numbers)]
        places = ", ".join(known[:-1]) + " and " * (len(known) > 1) + known[-1] if known else "one point"
        if any(not p.stationary for p in points):
            return f"an optimum could be at {places}, but that is no {self.extreme}"
        return f"the derivative is zero at {places}, but that is no {self.extreme}"

    # Lines

    def _explained(self, point: Point, points: Sequence[Point], slope: Expr, formula: sympy.Expr) -> None:
        """Why the point is the optimum."""
        search, x = self.search, self.search.x
        if not point.stationary:
            search.blocks.append(Prose(self._at_a_corner(point, points)))
            return
        smooth = not formula.has(*_KINKED)
        zeros = [p for p in points if p.stationary]
        if smooth:
            search.work.certifier.compare(replace_nodes(slope, {x: point.at}), b.ZERO)
            places: Expr = b.compare("==", x, zeros[0].at)
            for p in zeros[1:]:
                places = b.apply("max", places, b.compare("==", x, p.at))
            sides = b.compare("==", slope, b.ZERO), places
            search.blocks.append(
                search.work.certifier.line(*sides, reason=("stationary",), rule="root", relation="iff")
            )
        always = self._second_derivative(slope, self._second(formula), point, len(zeros) == 1) if smooth else False
        if not always and self._is_curved():
            shape = "concave" if search.maximum else "convex"
            search.blocks.append(Prose((f"It is {shape} in ", x, f", so that point is its {self.extreme}.")))
        elif not always and len(points) > 1:
            search.blocks.append(Prose(self._others(point, points)))

    def _second(self, formula: sympy.Expr) -> Expr:
        return self.algebra.back(sympy.simplify(sympy.diff(formula, self.unknown, 2)))

    def _is_curved(self) -> bool:
        """Whether the function is convex, or concave for a maximum, by the rules of composition."""
        wanted = CONCAVE if self.search.maximum else CONVEX
        return Curvature((self.search.x,)).of(self.search.whole) in (wanted, AFFINE)

    def _at_a_corner(self, point: Point, points: Sequence[Point]) -> Reason:
        x = self.search.x
        here = b.compare("==", x, point.at)
        words: Reason = ("The derivative jumps at ", here, f", which is the {self.extreme}")
        if b.number_of(point.at) in self.domain.ends:
            words = ("The end ", here, f" is the {self.extreme}")
            if not any(p.stationary for p in points):
                words = (
                    "The derivative is zero nowhere where ",
                    x,
                    " may be: the end ",
                    here,
                    f" is the {self.extreme}",
                )
        if self._is_curved():
            shape = "concave" if self.search.maximum else "convex"
            return (*words, f", since the function is {shape}.")
        others = [p for p in points if p is not point]
        return (*words, *(("; ", *self._values(others)) if others else ()), ".")

    def _values(self, points: Sequence[Point]) -> Reason:
        """at x = 0 the value is 1."""
        for p in points:
            self.search.work.certifier.compare(replace_nodes(self.search.whole, {self.search.x: p.at}), p.value)
        found = [("at ", b.compare("==", self.search.x, p.at), " the value is ", p.value) for p in points]
        return listed(found)

    def _others(self, point: Point, points: Sequence[Point]) -> Reason:
        """The values at the other points, and towards the ends where SymPy knows them."""
        others = [p for p in points if p is not point]
        equal = [p for p in others if p.value is point.value]
        worse = [p for p in others if p not in equal]
        words: Reason = ()
        if equal:
            places = [b.compare("==", self.search.x, p.at) for p in equal]
            words = ("The same value is reached at ", *listed(places), ". ")
        if worse:
            verb = "less" if self.search.maximum else "more"
            words = (*words, f"It is {verb} elsewhere: ", *self._values(worse), ".")
        return words

    def _second_derivative(self, slope: Expr, second: Expr, point: Point, alone: bool) -> bool:
        """The second-order condition; whether it holds everywhere, so that the point is the optimum for certain."""
        search = self.search
        name = Var(f"first derivative by {search.x.name}", (), ())
        search.work.define([Definition(name.name, (), slope)])
        search.work.certifier.differences(name, search.x, second)
        there = replace_nodes(second, {search.x: point.at})
        search.work.certifier.compare(there, b.ZERO, relation="<=" if search.maximum else ">=")
        value = b.number_of(there)
        signed = "negative" if search.maximum else "positive"
        words: Reason = ("The second derivative ", second, " is ")
        ending = f"{signed} there: a {self.extreme}" if value is None or value else f"zero there, a {self.extreme}"
        always = nonnegative(b.neg(second) if search.maximum else second)
        if always and (value is None or value):
            ending = f"never {'positive' if search.maximum else 'negative'}: the {self.extreme}"
        elif alone:
            ending += ", and the derivative is zero nowhere else"
        search.blocks.append(Prose((*words, f"{ending}.")))
        return always

    # Sums over arrays

    def _where_linear(self, slope: Expr) -> Result | None:
        """Where the derivative is a x + c with sums over arrays in a or c, which are no scalar algebra."""
        search, x = self.search, self.search.x
        if not self.domain.is_all or not any(n.order and x in variables(n) for n in postorder(search.whole)):
            return None
        f = Var("derivative", (), ())
        rate = shortest(local_jacobian(distribute(slope), f, x))
        if x in variables(rate) or (sign(rate) or 1) == (1 if search.maximum else -1):
            return None
        start = shortest(distribute(replace_nodes(distribute(slope), {x: b.ZERO})))
        at = shortest(b.div(b.neg(start), rate))
        point = Point(at, shortest(replace_nodes(search.whole, {x: at})))
        try:
            checked = self._checked(point, [point])
        except CertificationError:
            return None
        zero, solved = b.compare("==", slope, b.ZERO), b.compare("==", x, at)
        reason: Reason = ("stationary",)
        search.blocks.append(search.work.certifier.line(zero, solved, reason=reason, rule="root", relation="iff"))
        self._second_derivative(slope, rate, point, alone=False)
        return search.result(at, point.value, checked)


def _pieces(whole: Expr) -> tuple[list[Expr], list[Expr]]:
    """The forms that a function takes by its cases, and what is zero where one case ends: where(c, a, b)."""
    pieces, gaps = [whole], list[Expr]()
    for n in postorder(whole):
        if isinstance(n, Apply) and n.fn == "where" and isinstance(n.args[0], Compare) and not n.order:
            pieces = [replace_nodes(p, {n: branch}) for p in pieces for branch in n.args[1:]]
            gaps.append(b.sub(n.args[0].left, n.args[0].right))
    return pieces[:MOST_PIECES], gaps


def _solved(equation: sympy.Expr, unknown: sympy.Symbol) -> list[sympy.Expr]:
    try:
        return solutions(equation, unknown)
    except NotImplementedError:
        return []
