"""Questions of kind solve: all values of the unknowns for which the conditions hold."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sympy
from msgspec import Struct, field
from msgspec.structs import replace

from symgrad.calculus.numeric import Numbers
from symgrad.derivation import exact
from symgrad.derivation.certify import Certifier
from symgrad.derivation.in_sympy import InSympy
from symgrad.derivation.reasons import listed
from symgrad.derivation.solutions import in_terms, solution_sets
from symgrad.derivation.solutions.conditions import Condition, Settled, condition, settled, unknown, with_fractions
from symgrad.derivation.solutions.peeling import Between
from symgrad.derivation.steps import Block, Check, Code, Line, Prose, Reason, Result
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import Expr, Rel, Var
from symgrad.tensor.system import System
from symgrad.tensor.walk import variables

MOST_LISTED = 60
EXACT = "agrees when every solution and every end is put in exactly"


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """All solutions: a list where they are finitely many, else intervals.

    Raises:
        QuestionError: other symbols are left open, or not all solutions can be found.
    """
    asked = [a.expr for a in question.several("for")]
    reading = InSympy()
    unknowns = [unknown(x, reading) for x in asked]
    if not unknowns:
        raise QuestionError("say what is to be solved for", question.place)
    known = [v for v, _ in unknowns]
    fixed = settled(problem, question.where, [v.name for v in known])
    others = _parameters(fixed, reading, known)
    conditions = [condition(problem, c, reading, [*known, *others], fixed) for c in fixed.rest]
    others = [v for v in dict.fromkeys(v for c in conditions for v in variables(c.left, c.right)) if v not in known]
    if not conditions:
        raise QuestionError(f"no condition speaks of {known[0].name}", question.place)
    result = _solved(question, reading, unknowns, conditions, others)
    if told := fixed.statements:
        result = replace(result, blocks=(Prose(("With ", *listed(told), ":")), *result.blocks))
    return (result,)


def _parameters(fixed: Settled, reading: InSympy, known: Sequence[Var]) -> list[Var]:
    """The sizes that conditions on sizes mention beside the unknowns."""
    names = {v.name for v in known}
    ends = [end for c in fixed.rest if isinstance(c, Rel) for end in (c.left, c.right)]
    free = {s for end in ends for s in symbols_of(end) - fixed.sizes.keys() if s.name not in names}
    return [unknown(b.count(s), reading)[0] for s in sorted(free, key=str)]


def _solved(
    question: Question,
    reading: InSympy,
    unknowns: Sequence[tuple[Var, sympy.Symbol]],
    conditions: Sequence[Condition],
    others: Sequence[Var],
) -> Result:
    """In numbers where nothing else is in the conditions, else in terms of it."""
    known = [v for v, _ in unknowns]
    alone = len(known) == len(conditions) == 1
    found = in_terms.solved(conditions[0], known[0], reading) if alone and others else None
    if found is not None:
        return found
    if others:
        names = ", ".join(sorted(v.name for v in others))
        raise QuestionError(f"{names} has no value: solve for it as well, or give it one", question.place)
    run = _Run(question, reading, known, [s for _, s in unknowns], conditions)
    return run.one() if len(known) == 1 else run.several()


Shown = list[tuple[Expr, Reason]]


class _Run(Struct):
    """The solution of one question."""

    question: Question
    reading: InSympy
    unknowns: Sequence[Var]
    symbols: Sequence[sympy.Symbol]
    conditions: Sequence[Condition]
    checks: list[Check] = field(default_factory=list)

    # One unknown

    def one(self) -> Result:
        x, symbol = self.unknowns[0], self.symbols[0]
        relations = [c.relation for c in self.conditions]
        ways = [self._peeled(c) for c in self.conditions]
        found = self._set(relations, symbol, ways)
        tried = solution_sets.confirm(relations, symbol, found)
        final = solution_sets.statement(found, x, self.reading.back)
        certifier = self._certifier([self._test_values(found, symbol)])
        lines: list[Block] = []
        for c, (shown, _) in zip(self.conditions, ways, strict=True):
            steps = list(shown) if shown is not None else list(self._factored(c))
            if len(self.conditions) == 1 and steps and steps[-1][0] is final:
                steps[-1:] = []
            lines += [self._line(certifier, c.statement, s, why) for s, why in steps]
        lines.append(self._boxed(certifier, final, self._last_reason(ways, found, symbol)))
        self.checks.append(Check(EXACT, 0.0, tried))
        return self._result(found, final, lines, x.name)

    def _peeled(self, c: Condition) -> tuple[Shown | None, Between | None]:
        """The condition peeled until the unknown is alone; None where SymPy has to solve it."""
        x = self.unknowns[0]
        start = Between.of(c.op, c.left, c.right, x)
        if start is None:
            return None, None
        steps = list(start.peeled(x))
        end = steps[-1][0] if steps else start
        if end.middle is not x and not end.empty:
            return None, None
        return [(s.statement, why) for s, why in steps], end

    def _set(
        self, relations: Sequence[Any], x: sympy.Symbol, ways: Sequence[tuple[Shown | None, Between | None]]
    ) -> sympy.Set:
        ends = [end for _, end in ways if end is not None]
        if len(ends) < len(ways):
            return solution_sets.real_set(relations, x)
        found: sympy.Set = sympy.S.Reals
        for end in ends:
            found = found.intersect(_interval(end))
        if x.is_positive:
            found = found.intersect(sympy.Interval.open(0, sympy.oo))
        if x.is_integer:
            found = _integers_in(found)
        return found

    def _factored(self, c: Condition) -> Iterator[tuple[Expr, Reason]]:
        """A polynomial condition by its factors."""
        gap = c.relation.lhs - c.relation.rhs
        factors = sympy.factor(gap)
        if gap.is_polynomial() and isinstance(factors, sympy.Mul | sympy.Pow) and factors != sympy.expand(gap):
            yield b.compare(c.op, self.reading.back(factors), b.ZERO), ("factor the difference",)

    def _last_reason(
        self, ways: Sequence[tuple[Shown | None, Between | None]], found: sympy.Set, x: sympy.Symbol
    ) -> Reason:
        words: list[str | Expr] = []
        if len(ways) == 1 and ways[0][0]:
            steps = ways[0][0]
            words = list(steps[-1][1]) if not x.is_integer else []
        if x.is_integer:
            kind = "a positive integer" if x.is_positive else "an integer"
            words = [self.unknowns[0], f" is {kind}"]
        elif x.is_positive:
            words += ["; " if words else "", self.unknowns[0], " is positive"]
        elif any(shown is None for shown, _ in ways) and not words:
            several = isinstance(found, sympy.Interval | sympy.Union)
            everywhere = all((c.relation.lhs - c.relation.rhs).is_polynomial(x) for c in self.conditions)
            places = "at the zeros" if everywhere else "at zeros and where a side is undefined"
            words = [f"the sign changes only {places}"] if several else ["over the real numbers"]
        return tuple(w for w in words if w != "")

    def _test_values(self, found: sympy.Set, x: sympy.Symbol) -> list[float]:
        """Numbers round the ends of the set, away from where rounding decides."""
        parts = found.args if isinstance(found, sympy.Union) else (found,)
        ends = [float(sympy.N(e)) for p in parts for e in solution_sets.ends(p)] or [0.0]
        if x.is_integer:
            around = {float(round(e) + k) for e in ends for k in range(-6, 7)}
        else:
            around = {e + s for e in ends for s in (-3.0, -1.1, -0.01, 0.01, 0.9, 2.7)}
        return sorted(v for v in around if not x.is_positive or v > 0)

    # Several unknowns

    def several(self) -> Result:
        relations = [c.relation for c in self.conditions]
        rows = solution_sets.system(relations, self.symbols)
        choices = [
            b.mul(*(b.compare("==", u, self.reading.back(v)) for u, v in zip(self.unknowns, row, strict=True)))
            for row in rows
        ]
        final: Expr = choices[0] if choices else b.ZERO
        for c in choices[1:]:
            final = b.apply("max", final, c)
        random = np.random.default_rng(0)
        columns = [
            [float(v) for v in (random.integers(1, 9, 24) if s.is_integer else random.normal(size=24) + 1.5)]
            for s in self.symbols
        ]
        certifier = self._certifier(columns)
        whole = b.mul(*(c.statement for c in self.conditions)) if len(self.conditions) > 1 else self._only()
        steps = list(self._eliminated())
        every = all(s.is_integer for s in self.symbols)
        reason: Reason = ("every combination in the ranges was tried",) if every else ()
        if steps and steps[-1][0] is final:
            reason = steps.pop()[1]
        lines: list[Block] = [self._line(certifier, whole, s, why) for s, why in steps]
        lines.append(self._boxed(certifier, final, reason, whole))
        self.checks.append(Check(EXACT, 0.0, len(rows)))
        values = [[_number(v) for v in row] for row in rows]
        named = [", ".join(f"{u.name} == {v}" for u, v in zip(self.unknowns, row, strict=True)) for row in rows]
        return self._made(final, lines, values, [list(r) for r in rows], {"text": " or ".join(named) or "never"})

    def _only(self) -> Expr:
        return self.conditions[0].statement

    def _eliminated(self) -> Iterator[tuple[Expr, Reason]]:
        """Equations between polynomials, the unknowns eliminated one after the other (a Gröbner basis)."""
        gaps = [c.relation.lhs - c.relation.rhs for c in self.conditions if c.op == "=="]
        if len(gaps) < len(self.conditions) or not all(g.is_polynomial(*self.symbols) for g in gaps):
            return
        basis = sympy.groebner(gaps, *self.symbols, order="lex").exprs
        facts = [self._equation(g) for g in basis if not g.is_number]
        if facts:
            yield b.mul(*facts) if len(facts) > 1 else facts[0], ("eliminate one unknown after the other",)

    def _equation(self, gap: sympy.Expr) -> Expr:
        """gap = 0 with the numbers on the right."""
        constant, rest = gap.as_independent(*self.symbols, as_Add=True)
        return b.compare("==", self.reading.back(rest), self.reading.back(-constant))

    # Lines

    def _certifier(self, columns: Sequence[Sequence[float]]) -> Certifier:
        length = max(len(c) for c in columns)
        given = {(u.name, u.subs): np.resize(np.array(c), length) for u, c in zip(self.unknowns, columns, strict=True)}
        return Certifier([Numbers.of(System(()), {}, length, 0, given)])

    def _line(self, certifier: Certifier, left: Expr, right: Expr, why: Reason) -> Line:
        return self._stated(certifier, left, right, why, "equivalence", False)

    def _stated(self, certifier: Certifier, left: Expr, right: Expr, why: Reason, rule: str, boxed: bool) -> Line:
        sides = [with_fractions(x) for x in (left, right)]
        line = certifier.line(*sides, reason=why, rule=rule, relation="iff", boxed=boxed)
        points = line.check.points
        words = f"agrees at {points} values in and beside the solution set"
        check = Check(words, line.check.max_rel_error, points)
        self.checks.append(check)
        return replace(line, check=check)

    def _boxed(self, certifier: Certifier, final: Expr, why: Reason, whole: Expr | None = None) -> Line:
        left = whole if whole is not None else self._whole()
        return self._stated(certifier, left, final, why, "solution", True)

    def _whole(self) -> Expr:
        statements = [c.statement for c in self.conditions]
        return b.mul(*statements) if len(statements) > 1 else statements[0]

    # Results

    def _result(self, found: sympy.Set, final: Expr, lines: list[Block], name: str) -> Result:
        text = solution_sets.in_text(found, name)
        if isinstance(found, sympy.FiniteSet) or found is sympy.S.EmptySet:
            values = sorted(found, key=lambda v: float(sympy.N(v)))
            return self._made(final, lines, [_number(v) for v in values], list(values), {"text": text})
        return self._made(final, lines, None, None, {"value": text, "text": text})

    def _made(
        self, final: Expr, lines: list[Block], values: Any, numbers: Any, extra: dict[str, Any] | None = None
    ) -> Result:
        code = None
        if numbers:
            code = Code(System(()), exact.expression(numbers))
        return Result(
            ", ".join(u.name for u in self.unknowns),
            None,
            None,
            final,
            (),
            tuple(lines),
            tuple(self.checks),
            exact=values,
            extra=extra or {},
            code=code,
        )


def _number(value: sympy.Expr) -> Any:
    number = solution_sets.fraction(value)
    if number is None:
        return value
    return int(number) if number.denominator == 1 else number


def _interval(end: Between) -> sympy.Set:
    if end.empty:
        return sympy.S.EmptySet
    low = -sympy.oo if end.low is None else sympy.Rational(end.low.numerator, end.low.denominator)
    high = sympy.oo if end.high is None else sympy.Rational(end.high.numerator, end.high.denominator)
    return sympy.Interval(low, high, end.low_strict, end.high_strict)


def _integers_in(found: sympy.Set) -> sympy.Set:
    """The integers of an interval: its members where they are few, else between whole ends."""
    if not isinstance(found, sympy.Interval):
        return found.intersect(sympy.S.Integers)
    low = _whole(found.start, found.left_open, 1)
    high = _whole(found.end, found.right_open, -1)
    if low.is_finite and high.is_finite and high - low < MOST_LISTED:
        return sympy.FiniteSet(*range(int(low), int(high) + 1))
    return sympy.Range(low, high + 1)


def _whole(end: sympy.Expr, is_open: bool, step: int) -> sympy.Expr:
    """The first integer inside an end."""
    if not end.is_finite:
        return end
    if end.is_integer:
        return end + step if is_open else end
    return sympy.ceiling(end) if step > 0 else sympy.floor(end)
