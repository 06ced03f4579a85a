"""The ways to a limit: continuity, functions that level off, the laws for scalars, entry by entry."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import sympy

from symgrad.calculus.numeric import Numbers
from symgrad.derivation import limit_laws, saturation
from symgrad.derivation.in_sympy import InSympy
from symgrad.derivation.simplification import simplified
from symgrad.derivation.steps import Block, Line, Prose, Reason, Result
from symgrad.derivation.valued import valued
from symgrad.derivation.workspace import Workspace
from symgrad.derivation.writing_out import put_in, readable
from symgrad.errors import CertificationError, InternalError, QuestionError
from symgrad.problem.model import Question
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Apply, Call, Const, Expr, Mul, Pow, Var
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder, variables

Way: TypeAlias = Callable[[Expr, Expr], "tuple[Expr, list[Block]] | None"]
NEAR = "the values near the limit point"
INFINITY = Const("inf")
MOST_ENTRIES = 12


@dataclass(frozen=True, slots=True)
class Approach:
    """A scalar that goes to a point: from below or above, or from both sides."""

    var: Var
    point: Expr
    side: str

    def of(self, expr: Expr) -> Expr:
        """lim expr."""
        return b.limit(expr, self.var, self.point, self.side)

    @property
    def infinite(self) -> bool:
        """Whether it grows without end."""
        return any(x is INFINITY for x in postorder(self.point))


@dataclass(slots=True)
class Search:
    """The ways to a limit, tried in order: nothing counts that the values near the point do not confirm."""

    work: Workspace
    at: Approach
    root: Expr

    def solve(self, question: Question, open_form: Expr) -> Result:
        left = self.at.of(self.root)
        blocks: list[Block] = []
        if open_form is not self.root:
            blocks.append(self._line(left, self.at.of(open_form), reason=_definitions(self.root, open_form)))
        for way in (self._continuous, self._cold_softmax, self._saturating, self._by_laws, self._by_entries):
            found = self._tried(way, left, open_form)
            if found is not None:
                value, more = found
                made = valued(question, left, value, self.work.system, [*blocks, *more], self.work)
                return made
        raise QuestionError("no limit was found there; is there one?", question.of.place)

    def _tried(self, way: Way, left: Expr, open_form: Expr) -> tuple[Expr, list[Block]] | None:
        before = len(self.work.certifier.checks)
        try:
            found = way(left, open_form)
        except (CertificationError, InternalError, NotImplementedError, ValueError, TypeError, KeyError):
            found = None
        if found is None:
            del self.work.certifier.checks[before:]
        return found

    def _line(self, left: Expr, *right: Expr, reason: Reason = (), boxed: bool = False) -> Line:
        sides = tuple(dict.fromkeys(r for r in right if r is not left))
        line = self.work.certifier.line(left, *sides, reason=reason, rule="limit", boxed=boxed)
        check = replace(line.check, kind=NEAR)
        self.work.certifier.checks[-1] = check
        return replace(line, check=check)

    # Ways

    def _continuous(self, left: Expr, f: Expr) -> tuple[Expr, list[Block]] | None:
        """lim f(x) = f(x₀) where everything in f is finite there; 1/x → 0 as x grows."""
        if self.at.infinite:
            at, values = _vanishing(f, self.at.var)
            if not values or not self._alone(f, values):
                return None
            reason: Reason = (next(iter(values)), " vanishes")
        else:
            at, values = f, {self.at.var: self.at.point}
            if not self._finite(f):
                return None
            reason = ("continuous at ", b.compare("==", self.at.var, self.at.point))
        raw = put_in(at, values) if readable(at, values) else at
        settled = replace_nodes(at, values)
        steps = simplified(settled)
        value = steps[-1][0] if steps else settled
        if self.at.var in variables(value):
            return None
        sides = [x for x in (raw, settled, *(x for x, _ in steps)) if x is not value and x is not at]
        more = reason
        for _, words in steps:
            more = (*more, "; ", *words) if words else more
        shown = sides if not self.at.infinite else sides[-1:]
        return value, [self._line(left, *shown, value, reason=more, boxed=True)]

    def _alone(self, f: Expr, values: Mapping[Expr, Expr]) -> bool:
        """Whether the variable stands nowhere else: 0 · ∞ is no limit law."""
        places: dict[Expr, Expr] = {x: Var(f"place {k}", (), x.shape) for k, x in enumerate(values)}
        return self.at.var not in variables(replace_nodes(f, places))

    def _finite(self, f: Expr) -> bool:
        """Whether every part of f has a finite value at the point."""
        for numbers in self.work.certifier.instances:
            point = numbers.value(self.at.point)
            key = (self.at.var.name, self.at.var.subs)
            there = Numbers(numbers.system, numbers.sizes, numbers.points, numbers.seed, {key: point})
            for x in postorder(f):
                if not isinstance(x, Const) and not np.isfinite(there.value(x)).all():
                    return False
        return True

    def _cold_softmax(self, left: Expr, f: Expr) -> tuple[Expr, list[Block]] | None:
        """softmax(z/τ) → the unit vector of the largest entry of z, as τ → 0 from above."""
        if b.number_of(self.at.point) != 0 or self.at.side != "+":
            return None
        cold = [x for x in postorder(f) if isinstance(x, Call) and x.fn == "softmax" and x.order == 1]
        values: dict[Expr, Expr] = {}
        blocks: list[Block] = []
        for x in cold:
            scores = b.mul(self.at.var, x.args[0])
            if self.at.var in variables(scores):
                return None
            values[x] = b.call("one_hot", (b.reduce("argmax", scores),), x.shape)
            blocks += list(self._explained(x, scores))
        if not values or not self._alone(f, values):
            return None
        value = replace_nodes(f, values)
        reason: Reason = ("only the largest entry is left",)
        return value, [*blocks, self._line(left, value, reason=reason, boxed=True)]

    def _saturating(self, left: Expr, f: Expr) -> tuple[Expr, list[Block]] | None:
        """σ(c x) → 1 and tanh(c x) → 1 for c > 0 as x grows, 0 and −1 for c < 0; the case c = 0 apart."""
        if not self.at.infinite:
            return None
        values: dict[Expr, Expr] = {}
        for x in postorder(f):
            if isinstance(x, Apply) and x.fn in saturation.ENDS:
                slope = b.div(x.args[0], self.at.var)
                if self.at.var not in variables(slope):
                    end = saturation.end(x.fn, slope if self.at.point is INFINITY else b.neg(slope))
                    if end is not None:
                        values[x] = end
        if not values or not self._alone(f, values):
            return None
        value = replace_nodes(f, values)
        reason = saturation.words([x for x in values if isinstance(x, Apply)], self.at.var)
        return value, [self._line(left, value, reason=reason, boxed=True)]

    def _explained(self, x: Call, scores: Expr) -> Iterator[Block]:
        i, k = b.index_symbols(1, "i")[0], b.index_symbols(1, "k")[0]
        size = x.shape[0]
        gap = b.sub(b.at(scores, k), b.at(scores, i))
        body = b.fold("sum", b.apply("exp", b.div(gap, self.at.var)), [b.binder(k, 1, size)])
        ranges = (b.binder(i, 1, size),)
        entry = b.at(x, i)
        yield self.work.certifier.line(
            entry, b.div(b.ONE, body), reason=("divide by the numerator",), rule="softmax", ranges=ranges
        )
        yield Prose(
            (
                "As ",
                self.at.var,
                " falls to 0, a term with ",
                b.compare("<", b.at(scores, k), b.at(scores, i)),
                " vanishes and one with ",
                b.compare(">", b.at(scores, k), b.at(scores, i)),
                " grows without end, so that the entry goes to 1 where ",
                b.at(scores, i),
                " is the only largest one, and to 0 where another is larger.",
            )
        )

    def _by_laws(self, left: Expr, f: Expr) -> tuple[Expr, list[Block]] | None:
        """A scalar: what SymPy's limit says, by the laws that lead there."""
        if f.order:
            return None
        reading = InSympy(_positive(self.work))
        laws = limit_laws.Laws(reading.scalar(f), reading.symbol(self.at.var), self._target(reading), self.at.side)
        value = reading.back(laws.value())
        blocks: list[Block] = []
        current = left
        last: Reason = ()
        for step in laws.steps():
            following = self.at.of(reading.back(step.expr))
            if following is current:
                continue
            if following is value:
                last = (step.words,)
                break
            line = self._maybe(left, following, step.words)
            if line is None:
                break
            blocks.append(line)
            current = following
        reason = last or (("no bound holds",) if INFINITY in postorder(value) else tuple(laws.last()))
        blocks.append(self._line(left, value, reason=reason, boxed=True))
        return value, blocks

    def _target(self, reading: InSympy) -> sympy.Expr:
        return reading.scalar(self.at.point)

    def _maybe(self, left: Expr, right: Expr, words: str) -> Line | None:
        try:
            return self._line(left, right, reason=(words,))
        except (CertificationError, QuestionError):
            return None

    def _by_entries(self, left: Expr, f: Expr) -> tuple[Expr, list[Block]] | None:
        """A small array: the limit of every entry."""
        if not f.order or not all(isinstance(n, int) for n in f.shape):
            return None
        sizes = [int(n) for n in f.shape if isinstance(n, int)]
        if np.prod(sizes) > MOST_ENTRIES:
            return None
        reading = InSympy(_positive(self.work))

        def entry(place: Sequence[int]) -> Expr:
            if len(place) < len(sizes):
                return b.stack(*(entry((*place, k)) for k in range(1, sizes[len(place)] + 1)))
            scalar = reading.scalar(b.at(f, *place))
            var = reading.symbol(self.at.var)
            return reading.back(limit_laws.Laws(scalar, var, self._target(reading), self.at.side).value())

        value = entry(())
        return value, [self._line(left, value, reason=("entry by entry",), boxed=True)]


def _definitions(root: Expr, open_form: Expr) -> Reason:
    names = [v for v in variables(root) if v not in variables(open_form)]
    if len(names) > 1 and len(variables(open_form)) and isinstance(root, Mul):
        return ("definitions; common factors cancel",)
    return ("definition",) if len(names) == 1 else ("definitions",)


def _positive(work: Workspace) -> set[str]:
    """The names that an assumption of the problem or question says are positive."""
    found: set[str] = set()
    for c in (*work.question.assume, *work.problem.assumptions):
        left, right = getattr(c, "left", None), getattr(c, "right", None)
        op = getattr(c, "op", "")
        if op == ">" and isinstance(left, Var) and isinstance(right, Expr) and b.is_zero(right):
            found.add(left.name)
        if op == "<" and isinstance(right, Var) and isinstance(left, Expr) and b.is_zero(left):
            found.add(right.name)
    return found


def _vanishing(f: Expr, var: Var) -> tuple[Expr, dict[Expr, Expr]]:
    """What goes to 0: powers of a growing variable with negative exponents, growing powers of a number below 1."""
    values: dict[Expr, Expr] = {}
    for x in postorder(f):
        if isinstance(x, Pow) and x.base is var:
            exponent = b.number_of(x.exponent)
            if exponent is not None and exponent < 0:
                values[x] = b.ZERO
        elif isinstance(x, Pow) and isinstance(x.base, Var) and "probability" in x.base.facts:
            slope = b.div(x.exponent, var)
            if saturation.sign(slope) == 1 and var not in variables(slope):
                values[x] = b.ZERO
    return f, values
