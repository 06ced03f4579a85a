"""Sets of solutions by SymPy, each solution and each end put in exactly before it counts."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from symgrad.errors import CertificationError, QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Expr

MOST_TRIED = 20_000
MOST_MEMBERS = 60
Back = Callable[[sympy.Expr], Expr]


def real_set(conditions: Sequence[Any], x: sympy.Symbol) -> sympy.Set:
    """All numbers for which every condition holds.

    Raises:
        QuestionError: SymPy does not find all of them.
    """
    domain: sympy.Set = sympy.S.Reals
    if x.is_integer:
        domain = sympy.S.Integers
    found = domain
    for c in conditions:
        plain = sympy.Symbol("x", real=True)
        solved = sympy.solveset(c.xreplace({x: plain}), plain, sympy.S.Reals)
        if solved.has(sympy.ConditionSet, sympy.ImageSet, sympy.Complement):
            raise QuestionError("SymPy does not find all solutions")
        found = found.intersect(solved.replace(sympy.atanh, _atanh))
    if x.is_positive:
        found = found.intersect(sympy.Interval.open(0, sympy.oo))
    if found.has(sympy.ConditionSet, sympy.ImageSet) or isinstance(found, sympy.Intersection):
        raise QuestionError("SymPy does not find all solutions")
    return _members(found)


def _atanh(a: sympy.Expr) -> sympy.Expr:
    """artanh a = ½ log((1 + a)/(1 − a)), which has a name here."""
    return sympy.log((1 + a) / (1 - a)) / 2


def _members(found: sympy.Set) -> sympy.Set:
    """A short range of integers as its members."""
    if isinstance(found, sympy.Range) and found.is_finite_set and len(found) <= MOST_MEMBERS:
        return sympy.FiniteSet(*found)
    return found


def statement(found: sympy.Set, x: Expr, back: Back) -> Expr:
    """x ∈ the set, as comparisons.

    Raises:
        QuestionError: it is no finite union of points and intervals.
    """
    if found is sympy.S.EmptySet:
        return b.ZERO
    if found in (sympy.S.Reals, sympy.S.Integers):
        return b.ONE
    parts = found.args if isinstance(found, sympy.Union) else (found,)
    choices = [c for p in sorted(parts, key=_start) for c in _part(p, x, back)]
    out = choices[0]
    for c in choices[1:]:
        out = b.apply("max", out, c)
    return out


def _start(part: sympy.Set) -> float:
    return float(sympy.N(min(part) if isinstance(part, sympy.FiniteSet) else part.inf))


def _part(part: sympy.Set, x: Expr, back: Back) -> Iterator[Expr]:
    if isinstance(part, sympy.FiniteSet):
        for v in sorted(part, key=lambda v: float(sympy.N(v))):
            yield b.compare("==", x, back(v))
        return
    if isinstance(part, sympy.Range) and part.step in (1, -1):
        part = sympy.Interval(part.inf, part.sup)
    if not isinstance(part, sympy.Interval):
        raise QuestionError("the solutions are no points and intervals")
    low = b.compare("<" if part.left_open else "<=", back(part.start), x) if part.start.is_finite else None
    high = b.compare("<" if part.right_open else "<=", x, back(part.end)) if part.end.is_finite else None
    if low is not None and high is not None:
        yield b.mul(low, high)
    elif low is not None:
        yield b.compare(">" if part.left_open else ">=", x, back(part.start))
    elif high is not None:
        yield high


def in_text(found: sympy.Set, name: str) -> str:
    """The set in the problem language: 52 <= x < 55."""
    parts = found.args if isinstance(found, sympy.Union) else (found,)
    return " or ".join(_text(p, name) for p in sorted(parts, key=_start)) if found is not sympy.S.EmptySet else "never"


def _text(part: sympy.Set, name: str) -> str:
    if isinstance(part, sympy.FiniteSet):
        return " or ".join(f"{name} == {_spelled(v)}" for v in sorted(part, key=lambda v: float(sympy.N(v))))
    left = "<" if getattr(part, "left_open", False) else "<="
    right = "<" if getattr(part, "right_open", False) else "<="
    if not part.inf.is_finite:
        return f"{name} {right} {_spelled(part.sup)}" if part.sup.is_finite else "always"
    if not part.sup.is_finite:
        return f"{name} {'>' if left == '<' else '>='} {_spelled(part.inf)}"
    return f"{_spelled(part.inf)} {left} {name} {right} {_spelled(part.sup)}"


class _Spelling(StrPrinter):  # type: ignore[misc]  # SymPy has no types
    """Numbers in the problem language, which has no letter for Euler's number in a text."""

    def _print_Exp1(self, expr: sympy.Expr) -> str:
        return "exp(1)"


def _spelled(x: sympy.Expr) -> str:
    return str(_Spelling().doprint(x))


# Verification


def confirm(conditions: Sequence[Any], x: sympy.Symbol, found: sympy.Set) -> int:
    """The points at which membership and the conditions were compared exactly: ends, and numbers beside them.

    Raises:
        CertificationError: they differ at one.
    """
    tried = 0
    for value in dict.fromkeys(_probes(found, x)):
        if x.is_positive and not value > 0:
            continue
        holds = all(_holds(c, {x: value}) for c in conditions)
        if holds != bool(found.contains(value)):
            raise CertificationError(f"the conditions {'hold' if holds else 'fail'} at {value}; a fault of symgrad")
        tried += 1
    return tried


def _probes(found: sympy.Set, x: sympy.Symbol) -> Iterator[sympy.Expr]:
    edges = [e for p in (found.args if isinstance(found, sympy.Union) else (found,)) for e in ends(p)]
    steps: list[sympy.Rational] = [sympy.Integer(k) for k in range(-3, 4)]
    if not x.is_integer:
        steps += [sympy.Rational(s, 1000) for s in (-1, 1)]
    for e, s in itertools.product([*edges, sympy.Integer(0)], steps):
        if not x.is_integer or (e + s).is_integer:
            yield e + s


def ends(part: sympy.Set) -> list[sympy.Expr]:
    if isinstance(part, sympy.FiniteSet):
        return list(part)
    if part in (sympy.S.EmptySet, sympy.S.Reals, sympy.S.Integers):
        return []
    return [e for e in (part.inf, part.sup) if e.is_finite]


def _holds(condition: Any, values: Mapping[sympy.Symbol, sympy.Expr]) -> bool:
    """Whether a condition holds; where a side is no real number, such as 1/0, it does not."""
    sides = [side.subs(values) for side in (condition.lhs, condition.rhs)]
    if any(x.is_finite is False or x is sympy.nan or x.is_real is False for x in sides):
        return False
    put = condition.subs(values)
    if put in (sympy.true, sympy.false):
        return bool(put)
    gap = sympy.simplify(put.lhs - put.rhs)
    truth = type(put)(gap, 0)
    if truth not in (sympy.true, sympy.false):
        raise CertificationError(f"no way to tell whether {put} holds")
    return bool(truth)


# Several unknowns


def system(conditions: Sequence[Any], unknowns: Sequence[sympy.Symbol]) -> list[tuple[sympy.Expr, ...]]:
    """All solutions of several conditions, in order, each put in exactly.

    Raises:
        QuestionError: they are not finitely many, or not all are found.
    """
    if all(u.is_integer for u in unknowns):
        return _enumerated(conditions, unknowns)
    equations = [c.lhs - c.rhs for c in conditions if isinstance(c, sympy.Eq)]
    others = [c for c in conditions if not isinstance(c, sympy.Eq)]
    plain = {u: sympy.Symbol(f"u{k}", real=True) for k, u in enumerate(unknowns)}
    replaced = [e.xreplace(plain) for e in equations]
    if not all(e.is_polynomial(*plain.values()) for e in replaced):
        raise QuestionError("several unknowns need equations between polynomials, or integers in given ranges")
    found = sympy.nonlinsolve(replaced, list(plain.values()))
    if not isinstance(found, sympy.FiniteSet) and found is not sympy.S.EmptySet:
        raise QuestionError("there are not finitely many solutions")
    out = []
    for values in found:
        if any(v.free_symbols & set(plain.values()) for v in values):
            raise QuestionError("there are not finitely many solutions: some unknowns stay free")
        put = dict(zip(unknowns, values, strict=True))
        real = all(v.is_real is not False for v in values)
        fits = all(not u.is_positive or v.is_positive is not False for u, v in put.items())
        if real and fits and all(_holds(c, put) for c in others):
            if not all(_holds(c, put) for c in conditions):
                raise CertificationError("a solution does not satisfy the equations; a fault of symgrad")
            out.append(tuple(values))
    return sorted(out, key=lambda row: tuple(float(sympy.N(v)) for v in row if v.is_number))


def _enumerated(conditions: Sequence[Any], unknowns: Sequence[sympy.Symbol]) -> list[tuple[sympy.Expr, ...]]:
    """Every combination of integers in the ranges that the conditions state."""
    ranges = [_range(conditions, u) for u in unknowns]
    count = 1
    for r in ranges:
        count *= len(r)
    if count > MOST_TRIED:
        raise QuestionError(f"{count} combinations are too many to try; narrow the ranges")
    out = []
    for values in itertools.product(*ranges):
        put = {u: sympy.Integer(v) for u, v in zip(unknowns, values, strict=True)}
        if all(c.subs(put) == sympy.true for c in conditions):
            out.append(tuple(put.values()))
    return out


def _range(conditions: Sequence[Any], u: sympy.Symbol) -> range:
    low = 1 if u.is_positive else None
    high = None
    for c in conditions:
        if c.free_symbols != {u} or isinstance(c, sympy.Ne):
            continue
        solved = c.as_set() if not c.has(sympy.floor) else None
        if solved is None:
            continue
        if solved.inf.is_finite:
            edge = int(sympy.ceiling(solved.inf))
            low = edge if low is None else max(low, edge)
        if solved.sup.is_finite:
            edge = int(sympy.floor(solved.sup))
            high = edge if high is None else min(high, edge)
    if low is None or high is None:
        raise QuestionError(f"say between which numbers {u} lies, such as 1 <= {u} <= 9")
    return range(low, high + 1)


def fraction(value: sympy.Expr) -> Fraction | None:
    """The rational number, or None."""
    return Fraction(int(value.p), int(value.q)) if value.is_Rational else None
