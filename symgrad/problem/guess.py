"""The shape that the known operands of an expression imply, where others are not known yet."""

from __future__ import annotations

from symgrad.errors import ProblemError
from symgrad.problem.names import Broken, Undetermined
from symgrad.problem.scope import Scope
from symgrad.syntax.tree import Binary, Call, Transpose, Tree, Unary
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Shape
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.shapes import merge

_KEEP = frozenset({*SCALARS, "softmax"})
_SCALAR = frozenset({"cross_entropy", "norm", "trace", "det", "loss"})


def guessed_shape(tree: Tree, scope: Scope) -> Shape | None:
    """The shape by the operands that are known; None where they say nothing."""
    try:
        return scope.expr(tree).shape
    except Undetermined:
        pass
    except (Broken, ProblemError):
        return None
    match tree:
        case Unary(_, operand):
            return guessed_shape(operand, scope)
        case Transpose(operand):
            inner = guessed_shape(operand, scope)
            return None if inner is None else inner[::-1]
        case Binary("@", left, right):
            return _product(left, right, scope)
        case Binary(_, left, right):
            return _merged(guessed_shape(left, scope), guessed_shape(right, scope))
        case Call():
            return _of_call(tree, scope)
    return None


def _product(left: Tree, right: Tree, scope: Scope) -> Shape | None:
    """A matrix times something unknown is taken for a vector."""
    first, second = guessed_shape(left, scope), guessed_shape(right, scope)
    if first is None or len(first) != 2:
        return None
    return first[:1] if second is None or len(second) == 1 else (first[0], *second[1:])


def _merged(first: Shape | None, second: Shape | None) -> Shape | None:
    """The common shape; beside something unknown a scalar says nothing, since it fits everything."""
    if first is None or second is None:
        return (second if first is None else first) or None
    return merge(first, second)


def _of_call(tree: Call, scope: Scope) -> Shape | None:
    name = tree.func.id
    function = scope.names.functions.get(name)
    shapes = [guessed_shape(arg, scope) for arg in tree.args]
    if function is not None:
        known = [shape for shape in shapes if shape is not None]
        if len(known) < len(shapes) or len(shapes) != len(function.parameters) or name in scope.calling:
            return None
        local = {p: b.var(f"{p} of {name}", (), s) for p, s in zip(function.parameters, known, strict=True)}
        return guessed_shape(function.body, scope.inside(name, local))
    if name in _SCALAR:
        return ()
    if name not in _KEEP:
        return None
    result, *others = shapes or [None]
    for shape in others:
        result = _merged(result, shape)
    return result
