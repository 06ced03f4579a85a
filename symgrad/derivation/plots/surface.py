"""A number over one variable, or over two: a curve for each value of the second, or the contour lines of a surface."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

import numpy as np
from msgspec.structs import replace

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.numbers import evaluation
from symgrad.derivation.plots.plotted import record
from symgrad.derivation.points import Point
from symgrad.derivation.reading_order import specialise
from symgrad.derivation.steps import Check, Curve, Plot, Result
from symgrad.errors import QuestionError
from symgrad.problem.model import Asked, Given, Problem, Question, Setting
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Expr, Num, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.stable import Array

POINTS: Final = 121
ROWS: Final = 41
_TOLERANCE: Final = 1e-9
_CHECKED: Final = (Fraction(1, 5), Fraction(1, 2), Fraction(4, 5))
_ENDS: Final[Mapping[str, tuple[Fraction, Fraction]]] = {
    "probability": (Fraction(1, 100), Fraction(99, 100)),
    "positive": (Fraction(1, 10), Fraction(5)),
}
_ANY: Final = (Fraction(-5), Fraction(5))
_SEVERAL: Final[Mapping[str, tuple[Fraction, ...]]] = {
    "probability": tuple(Fraction(k, 10) for k in (1, 3, 5, 7, 9)),
    "positive": tuple(Fraction(k, 2) for k in (1, 2, 4, 6, 10)),
}
_AROUND_ZERO: Final = tuple(Fraction(k) for k in (-2, -1, 0, 1, 2))


def drawn(problem: Problem, question: Question) -> Result:
    """The curves, or the surface.

    Raises:
        QuestionError: ``of`` is no number, a variable is no scalar that is given, or something else is left open.
    """
    over = question.several("over")
    if question.of.expr.order or not 1 <= len(over) <= 2:
        raise QuestionError("a plot is of a number over one variable or two", question.place)
    contours = question.word("form") == "contours"
    if contours and len(over) < 2:
        raise QuestionError("contour lines are over two variables", question.place)
    first, *second = (_variable(problem, a) for a in over)
    lo, hi = _ends(question, first)
    across = tuple(float(x) for x in _between(lo, hi, POINTS))
    rows = _rows(question, second[0], contours) if second else ({},)
    curves: list[Curve] = []
    errors: list[float] = []
    for k, fixed in enumerate(rows):
        heights = _heights(problem, question, {first: np.array(across), **_floats(fixed)})
        at = next((float(x) for x in fixed.values()), None)
        curves.append(Curve(across, tuple(float(y) for y in heights), at))
        if not contours or k in (0, ROWS // 2, ROWS - 1):
            errors += [_error(problem, question, {first: lo + part * (hi - lo), **fixed}) for part in _CHECKED]
    if not any(np.isfinite(y) for c in curves for y in c.y):
        raise QuestionError(f"{question.of.text} has no real value there", question.of.place)
    check = Check(f"agrees with exact values at {len(errors)} points", max(errors), len(errors))
    plot = Plot((first,), question.of.expr, second[0] if second else None, tuple(curves), contours)
    return Result(question.of.text, None, None, None, (), (plot,), (check,), extra=record(plot))


def _rows(question: Question, second: Var, contours: bool) -> Sequence[Mapping[Var, Fraction]]:
    """The values of the second variable."""
    values = _between(*_ends(question, second), ROWS) if contours else _values(question, second)
    return [{second: x} for x in values]


def _variable(problem: Problem, asked: Asked) -> Var:
    """A scalar that the problem gives."""
    given = {(d.name, d.pattern) for d in problem.leaves if not d.shape}
    if not isinstance(asked.expr, Var) or (asked.expr.name, asked.expr.subs) not in given:
        raise QuestionError(f"{asked.text} is no scalar that the problem gives", asked.place)
    return asked.expr


def _setting(question: Question, variable: Var) -> tuple[Fraction, ...]:
    for s in question.settings("values"):
        if s.target is variable:
            return tuple(_number(x, s) for x in s.value.entries)
    return ()


def _number(x: Expr, setting: Setting) -> Fraction:
    if not isinstance(x, Num):
        raise QuestionError(f"{setting.name} takes numbers", setting.place)
    return x.value


def _ends(question: Question, variable: Var) -> tuple[Fraction, Fraction]:
    said = _setting(question, variable)
    if not said:
        return next((ends for fact, ends in _ENDS.items() if fact in variable.facts), _ANY)
    if min(said) == max(said):
        raise QuestionError(f"{variable.name} needs two ends, [lo, hi]", question.place)
    return min(said), max(said)


def _values(question: Question, variable: Var) -> tuple[Fraction, ...]:
    usual = next((v for fact, v in _SEVERAL.items() if fact in variable.facts), _AROUND_ZERO)
    return _setting(question, variable) or usual


def _between(lo: Fraction, hi: Fraction, count: int) -> list[Fraction]:
    return [lo + (hi - lo) * Fraction(k, count - 1) for k in range(count)]


def _heights(problem: Problem, question: Question, at: Mapping[Var, Array]) -> Array:
    """The values at all points of a curve at once; where there is none, nothing is drawn."""
    point = Point.of(problem, question.settings("at"))
    system = specialise(problem.system, point.integers, point.definitions)
    given = {(v.name, v.subs): np.atleast_1d(x) for v, x in at.items()}
    numbers = Numbers.of(system, {}, points=POINTS, given=given)
    with np.errstate(all="ignore"):
        values = np.broadcast_to(numbers.value(reindex(question.of.expr, point.integers)), (POINTS,))
    return np.where(np.isfinite(values), values, np.nan)


def _floats(at: Mapping[Var, Fraction]) -> dict[Var, Array]:
    return {v: np.array(float(x)) for v, x in at.items()}


def _error(problem: Problem, question: Question, at: Mapping[Var, Fraction]) -> float:
    """How far the value at one point is from the exact one.

    Raises:
        QuestionError: something that the value depends on is left open.
    """
    drawn = float(_heights(problem, question, _floats(at))[0])
    settings = tuple(Setting(v.name, v, Given((), (b.num(x),)), v.name, question.place) for v, x in at.items())
    fields = {"of": question.of, "at": (*question.settings("at"), *settings)}
    try:
        (found,) = evaluation.solve(problem, replace(question, fields=fields))
    except QuestionError:
        if np.isfinite(drawn):
            raise
        return 0.0
    exact = float(found.number)
    error = abs(drawn - exact) / max(abs(exact), 1.0)
    if not error <= _TOLERANCE:
        raise QuestionError("a point of the curve disagrees with its exact value; this is a fault of symgrad")
    return error
