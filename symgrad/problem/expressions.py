"""From syntax trees to expression nodes; every complaint stands at the part of the text that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

from symgrad.errors import ProblemError
from symgrad.problem.calls import call
from symgrad.problem.conditions import compared
from symgrad.problem.indices import integer_of
from symgrad.problem.probability import own_value, variable_value
from symgrad.problem.products import OPERATIONS, raised
from symgrad.problem.scope import Scope, made
from symgrad.problem.subscripts import member, subscripted
from symgrad.source import Source
from symgrad.syntax.tree import (
    Approach,
    Binary,
    Call,
    Compare,
    Definition,
    Distributed,
    Given,
    Keyword,
    ListTree,
    Member,
    Name,
    Number,
    Span,
    Subscript,
    Transpose,
    Tree,
    Unary,
)
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Const, Expr

_MOST_BITS: Final = 4096
_TRANSPOSED: Final = Name("T", place=Source("", "").place())

_PRODUCTS: Final = frozenset({"@", "*", "/", *OPERATIONS})
_OPERATORS: Final[dict[str, Callable[[Expr, Expr], Expr]]] = {
    "+": b.add,
    "-": b.sub,
    "*": b.mul,
    "/": b.div,
    "@": b.matmul,
    "**": b.power,
    "^": raised,
}


def read(tree: Tree, scope: Scope) -> Expr:
    """The expression a tree stands for.

    Raises:
        ProblemError: a name is unknown, shapes do not fit, or something stands where it has no meaning.
        Undetermined: the shape of a name it mentions is not known yet.
        Broken: a name it mentions is defined wrongly.
    """
    match tree:
        case Number(value, _):
            return b.num(value)
        case Name():
            return _name(tree, scope)
        case Subscript():
            return subscripted(tree, scope)
        case Unary(op, operand):
            inner = scope.expr(operand)
            return inner if op == "+" else made(tree.place, b.neg, inner)
        case Transpose(operand):
            return made(tree.place, b.transpose, scope.expr(operand))
        case Binary():
            return _operations(tree, scope)
        case Compare():
            return compared(tree, scope)
        case Call():
            return call(tree, scope)
        case Member(base, part) if (base.id, part) in scope.results:
            return scope.results[base.id, part]
        case _:
            raise ProblemError(_misplaced(tree), tree.place)


def _name(tree: Name, scope: Scope) -> Expr:
    if tree.id in scope.local:
        return scope.local[tree.id]
    if tree.id in scope.bound:
        return b.count(scope.bound[tree.id])
    if tree.id in scope.names.families:
        return member(tree, scope.names.families[tree.id], (), scope)
    symbol = scope.index(tree.id)
    if symbol is not None:
        return b.count(symbol)
    if tree.id == "pi":
        return Const("pi")
    if tree.id in scope.names.densities:
        return own_value(tree, scope)
    if scope.names.kinds.get(tree.id, ("", None))[0] == "variable":
        return variable_value(tree.id, scope)
    if tree.id in scope.names.functions:
        raise ProblemError(f"{tree.id!r} is a function; give it arguments", tree.place)
    raise scope.unknown(tree)


def _operations(tree: Binary, scope: Scope) -> Expr:
    """A row of operations, `a + b + c`, which may be long, without recursion along it."""
    whole = integer_of(tree, scope)
    if whole is not None:
        return b.count(whole)
    row: list[Binary] = []
    left: Tree = tree
    while isinstance(left, Binary):
        row.append(left)
        left = left.left
    # A minus before a product is said of the product: −(x − m)ᵀ A is −((x − m)ᵀ A), and x − m stays as it is written.
    negative = isinstance(left, Unary) and left.op == "-" and row[-1].op in _PRODUCTS
    value = scope.expr(left.operand if isinstance(left, Unary) and negative else left)
    for node in reversed(row):
        if negative and node.op not in _PRODUCTS:
            value, negative = b.neg(value), False
        if node.op == "^" and node.right == _TRANSPOSED and value.order:
            value = made(node.place, b.transpose, value)
        else:
            value = _operation(node, value, scope.expr(node.right))
    return b.neg(value) if negative else value


def _operation(tree: Binary, left: Expr, right: Expr) -> Expr:
    if tree.op in OPERATIONS:
        return made(tree.place, OPERATIONS[tree.op], left, right)
    numbers = (b.number_of(left), b.number_of(right))
    if tree.op == "/" and numbers[1] == 0:
        raise ProblemError("division by zero", tree.place)
    if tree.op in ("**", "^"):
        _check_power(tree, *numbers)
    return made(tree.place, _OPERATORS[tree.op], left, right)


def _check_power(tree: Binary, base: Fraction | None, exponent: Fraction | None) -> None:
    if base is None or exponent is None:
        return
    if base == 0 and exponent < 0:
        raise ProblemError("division by zero", tree.place)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if exponent.denominator == 1 and bits * abs(exponent.numerator) > _MOST_BITS:
        raise ProblemError("this number is too large to be meant", tree.place)


def _misplaced(tree: Tree) -> str:
    match tree:
        case ListTree():
            return "a list cannot stand in an expression; write stack(a, b) for a tensor of its parts"
        case Span():
            return "a range cannot stand here"
        case Member(base, part):
            return f"{base.id}.{part} is the result of a question, and stands only in questions"
        case Given() | Distributed():
            return "a bar or ~ belongs among the arguments of a density or an expectation"
        case Keyword() | Definition() | Approach():
            return "this is no expression"
        case _:
            return f"{type(tree).__name__} cannot stand in an expression"
