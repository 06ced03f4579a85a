"""Integer arithmetic on sizes, steps and indices, as it is written in shapes, subscripts and ranges."""

from __future__ import annotations

import sympy

from symgrad.errors import ProblemError
from symgrad.problem.names import Broken
from symgrad.problem.scope import Scope
from symgrad.syntax.tree import Binary, Call, Name, Number, Tree, Unary
from symgrad.tensor.integers import Int, integer
from symgrad.tensor.nodes import Count, Num

_MOST_BITS = 4096
_LARGEST_POWER = 8
_LARGEST = 10**15
_ROUNDING = {"floor": sympy.floor, "ceil": sympy.ceiling}
_EXTREMES = {"max": sympy.Max, "min": sympy.Min}


def integer_of(tree: Tree, scope: Scope) -> Int | None:
    """The integer a tree stands for; None where it is no arithmetic on integers, or a fraction may come out."""
    value = _rational(tree, scope)
    return integer(value) if value is not None and value.is_integer else None


def size_of(tree: Tree, scope: Scope) -> Int:
    """The integer that a size, a step or an end of a range is.

    `n/2` is taken for an integer, as its author does.

    Raises:
        ProblemError: a name is unknown, or it is no integer.
    """
    value = _rational(tree, scope)
    if value is None:
        _explain(tree, scope)
        raise ProblemError("an integer is needed here: a number, a size, a step, or arithmetic on them", tree.place)
    if value.is_integer is False or (not value.is_finite and value.is_number):
        raise ProblemError(f"an integer is needed here, not {value}", tree.place)
    if value.is_number and abs(value) > _LARGEST:
        raise ProblemError("this number is too large to be a size or a step", tree.place)
    return integer(value)


def _explain(tree: Tree, scope: Scope) -> None:
    """Raise for the first unknown name."""
    match tree:
        case Name() if tree.id in scope.names.broken:
            raise Broken(tree.id)
        case Name():
            if scope.index(tree.id) is None and tree.id not in scope.names.families and tree.id not in scope.local:
                raise scope.unknown(tree)
        case Unary(_, operand):
            _explain(operand, scope)
        case Binary(_, left, right):
            _explain(left, scope)
            _explain(right, scope)
        case Call(_, args, _):
            for arg in args:
                _explain(arg, scope)


def _rational(tree: Tree, scope: Scope) -> sympy.Expr | None:
    match tree:
        case Number(value, _):
            return sympy.Rational(value.numerator, value.denominator)
        case Name(name):
            return scope.index(name)
        case Unary(op, operand):
            inner = _rational(operand, scope)
            return inner if inner is None or op == "+" else -inner
        case Binary(op, left, right):
            first = _rational(left, scope)
            second = None if first is None else _rational(right, scope)
            return None if first is None or second is None else _combined(op, first, second)
        case Call():
            return _called(tree, scope)
        case _:
            return None


def _combined(op: str, left: sympy.Expr, right: sympy.Expr) -> sympy.Expr | None:
    match op:
        case "+":
            return sympy.expand(left + right)
        case "-":
            return sympy.expand(left - right)
        case "*" | "implicit" | "·" | "×":
            return sympy.expand(left * right)
        case "/" if not right.is_zero:
            return left / right
        case "**" | "^" if left.is_Integer and right.is_Integer:
            small = 0 <= int(right) * int(left).bit_length() <= _MOST_BITS
            return left**right if small else None
        case "**" | "^" if right.is_Integer and 0 <= int(right) <= _LARGEST_POWER:
            return left**right
        case "**" | "^" if left.is_Integer and right.is_integer and right.is_nonnegative and not right.is_number:
            return left**right
        case _:
            return None


def _called(tree: Call, scope: Scope) -> sympy.Expr | None:
    name = tree.func.id
    if name in scope.names.functions:
        return None
    if name in _ROUNDING or name in _EXTREMES:
        args = [_rational(arg, scope) for arg in tree.args]
        known = [arg for arg in args if arg is not None]
        if tree.keywords or not known or len(known) < len(args):
            return None
        if name in _EXTREMES:
            return _EXTREMES[name](*known) if len(known) > 1 else None
        return _ROUNDING[name](sympy.together(known[0])) if len(known) == 1 else None
    if name == "size":
        match scope.expr(tree):
            case Count(value=value):
                return value
            case Num(value=number):
                return sympy.Rational(number.numerator, number.denominator)
    return None
