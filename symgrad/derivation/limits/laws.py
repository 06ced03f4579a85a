"""The limit of a scalar expression: its value by SymPy, and the laws that a person would use on the way.

A quotient of two things that both vanish or both grow is differentiated above and below (l'Hôpital); a product of
something that vanishes with something that grows becomes such a quotient; a power whose base goes to 1 becomes e to
the limit of its logarithm; a quotient of polynomials at infinity is divided by its highest power.
"""

from collections.abc import Iterator, Sequence

import sympy
from msgspec import Struct

from symgrad.errors import QuestionError

MOST_STEPS = 3


class Step(Struct, frozen=True):
    """An expression with the same limit, and the law that says so."""

    expr: sympy.Expr
    words: str


class Laws(Struct, frozen=True):
    """The limit of ``f`` as ``x`` goes to ``point`` from a side ("" for both)."""

    f: sympy.Expr
    x: sympy.Symbol
    point: sympy.Expr
    side: str

    def value(self) -> sympy.Expr:
        """The limit.

        Raises:
            QuestionError: the two sides differ, or SymPy finds none.
        """
        return self._limit(self.f)

    def _limit(self, f: sympy.Expr) -> sympy.Expr:
        if self.point.is_infinite:
            return _known(sympy.limit(f, self.x, self.point))
        sides = self.side or "+-"
        found = [_known(sympy.limit(f, self.x, self.point, s)) for s in sides]
        if len(found) > 1 and found[0] != found[1] and sympy.simplify(found[0] - found[1]) != 0:
            above, below = (str(v).replace("oo", "inf") for v in found)
            raise QuestionError(f"there is no limit: it is {below} from below and {above} from above")
        return found[0]

    def steps(self) -> Iterator[Step]:
        """Expressions with the same limit, each simpler to take the limit of than the one before."""
        current = self.f
        for _ in range(MOST_STEPS):
            following = self._step(current)
            if following is None or following.expr == current:
                return
            yield following
            current = following.expr

    def last(self) -> Sequence[str]:
        """Why the last expression has the limit it has."""
        *_, current = (self.f, *(s.expr for s in self.steps()))
        if self.point.is_infinite or not current.subs(self.x, self.point).is_finite:
            return ()
        return ("put in the limit point",)

    def _step(self, f: sympy.Expr) -> Step | None:
        if isinstance(f, sympy.Pow) and self.x in f.exp.free_symbols and self._limit(f.base) == 1:
            return Step(sympy.exp(f.exp * sympy.log(f.base)), "a power as e to its logarithm")
        if self.point.is_infinite and f.is_rational_function(self.x):
            return self._highest_power(f)
        top, bottom = _fraction(f, self.x)
        if bottom == 1:
            return self._product(f)
        above, below = self._limit(top), self._limit(bottom)
        if not (above == below == 0 or (above.is_infinite and below.is_infinite)):
            return None
        kind = "0/0" if above == 0 else "∞/∞"
        quotient = _shorter(top.diff(self.x) / bottom.diff(self.x))
        return Step(quotient, f"l'Hôpital: {kind}")

    def _product(self, f: sympy.Expr) -> Step | None:
        """0 · ∞ with a logarithm: the logarithm over the reciprocal of the rest."""
        if not isinstance(f, sympy.Mul):
            return None
        growing = [a for a in f.args if isinstance(a, sympy.log) and self._limit(a).is_infinite]
        if len(growing) != 1:
            return None
        rest = sympy.Mul(*(a for a in f.args if a is not growing[0]))
        if self._limit(rest) != 0:
            return None
        quotient = _shorter(growing[0].diff(self.x) / (1 / rest).diff(self.x))
        return Step(quotient, "0 · ∞: the logarithm over the reciprocal of the rest, then l'Hôpital")

    def _highest_power(self, f: sympy.Expr) -> Step | None:
        top, bottom = sympy.fraction(sympy.together(f))
        if self.x not in bottom.free_symbols or self.x not in top.free_symbols:
            return None
        power = self.x ** sympy.degree(bottom, self.x)
        above, below = (sum(sympy.expand(p / power).as_ordered_terms()) for p in (top, bottom))
        divided = sympy.Mul(above, sympy.Pow(below, -1, evaluate=False), evaluate=False)
        return Step(divided, "divide above and below by the highest power") if below.has(self.x) else None


def _fraction(f: sympy.Expr, x: sympy.Symbol) -> tuple[sympy.Expr, sympy.Expr]:
    """Above and below the line, with what does not depend on x above."""
    top, bottom = sympy.fraction(sympy.together(f))
    return (top, bottom) if x in bottom.free_symbols else (f, sympy.Integer(1))


def _shorter(f: sympy.Expr) -> sympy.Expr:
    cancelled = sympy.cancel(sympy.together(f))
    return min((cancelled, sympy.powsimp(cancelled), sympy.powsimp(f)), key=lambda g: g.count_ops())


def _known(found: sympy.Expr) -> sympy.Expr:
    if found.has(sympy.Limit, sympy.AccumBounds, sympy.nan, sympy.zoo):
        raise QuestionError("SymPy finds no limit there")
    return found
