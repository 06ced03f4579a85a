"""Equations between plain numbers, with many digits: 64-bit numbers cannot tell σ(10001) from 1, or sin π from 0."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from fractions import Fraction
from typing import Any, Final

import mpmath

from symgrad.problem.texts import walk
from symgrad.syntax.tree import IMPLICIT, Binary, Call, Name, Number, Tree, Unary
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.shown import shown
from symgrad.verification.judging.verdicts import Counterexample, Judgement

_DIGITS: Final = 60
_MANY_DIGITS: Final = 5000
_SAME: Final = mpmath.mpf(10) ** -45
_ROUNDING: Final = 1e-14
_LARGEST_EXPONENT: Final = 10**9


def between_numbers(equation: Equation, taken: Container[str]) -> Judgement | None:
    """The verdict on an equation between numbers; None for anything else. ``taken`` are names with other meanings."""
    if any(name in taken for name in _NAMES):
        return None
    with mpmath.workdps(_DIGITS):
        left, right = value_of(equation.left), value_of(equation.right)
        if left is None or right is None or not (mpmath.isfinite(left) and mpmath.isfinite(right)):
            return None
        gap, scale = abs(left - right), max(abs(left), abs(right))
        if gap <= _SAME * max(scale, 1) and _agree(equation):
            return Judgement(w.RIGHT)
        written = shown(equation.right)
        if written is not None and (written.decimals or equation.rounded) and written.stands_for(float(left)):
            return Judgement(w.TO_PRECISION, f"right as far as the digits go: it is {mpmath.nstr(left, 8)}")
        if gap <= _ROUNDING * scale and (written is None or gap <= _SAME):
            return Judgement(w.TO_PRECISION, "the sides differ by less than a computer shows")
        example = Counterexample({}, (), float(left), float(right))
        reason = f"the left side is {mpmath.nstr(left, 6)}, but the right side is {mpmath.nstr(right, 6)}"
        return Judgement(w.WRONG, reason, counterexample=example)


def _agree(equation: Equation) -> bool:
    """Whether two sides agree with so many digits that a saturated function shows."""
    if not any(isinstance(x, Call) for side in (equation.left, equation.right) for x in walk(side)):
        return True
    with mpmath.workdps(_MANY_DIGITS):
        left, right = value_of(equation.left), value_of(equation.right)
        assert left is not None
        assert right is not None
        return bool(abs(left - right) <= mpmath.mpf(10) ** -(_MANY_DIGITS - 15) * max(abs(left), abs(right), 1))


def value_of(tree: Tree) -> Any | None:
    """The number that a tree without names is, in the precision that is set; None for any other tree."""
    with suppress(ZeroDivisionError, ValueError, OverflowError, TypeError):
        return _value(tree)
    return None


def is_constant(tree: Tree) -> bool:
    """Whether a tree is a number without names."""
    return value_of(tree) is not None


def _value(tree: Tree) -> Any | None:
    match tree:
        case Number(value, _):
            return _fraction(value)
        case Name(name):
            return _NAMES[name]() if name in _NAMES else None
        case Unary(op, operand):
            inner = _value(operand)
            return None if inner is None else -inner if op == "-" else inner
        case Binary(op, left, right) if op in _SIGNS:
            x, y = _value(left), _value(right)
            if x is None or y is None or (op in ("^", "**") and abs(y) > _LARGEST_EXPONENT):
                return None
            return _SIGNS[op](x, y)
        case Call(func, args, ()) if func.id in _FUNCTIONS:
            inside = [_value(x) for x in args]
            if None in inside or len(inside) != 1:
                return None
            found = _FUNCTIONS[func.id](*inside)
            return found if isinstance(found, mpmath.mpf) else None
    return None


def _fraction(value: Fraction) -> Any:
    return mpmath.mpf(value.numerator) / value.denominator


def _power(x: Any, y: Any) -> Any | None:
    found = x**y
    return found if isinstance(found, mpmath.mpf) else None


_NAMES: Final[Mapping[str, Callable[[], Any]]] = {"pi": lambda: +mpmath.pi, "e": lambda: +mpmath.e}
_SIGNS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    **dict.fromkeys(("*", "·", "×", IMPLICIT), lambda x, y: x * y),
    "/": lambda x, y: x / y,
    **dict.fromkeys(("^", "**"), _power),
}
_FUNCTIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sqrt": mpmath.sqrt,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "tanh": mpmath.tanh,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "sech": mpmath.sech,
    "erf": mpmath.erf,
    "abs": abs,
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "relu": lambda x: max(x, mpmath.mpf(0)),
}
"""Functions of one number, as in the table of scalar functions, with as many digits as are set."""
