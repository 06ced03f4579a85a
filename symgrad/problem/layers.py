"""Calls of convolutions and pooling: operands, and settings that are one integer or one for each axis."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from symgrad.errors import ProblemError
from symgrad.problem.indices import size_of
from symgrad.problem.ranges import only, split
from symgrad.problem.scope import Scope, made
from symgrad.syntax.tree import Call, ListTree, Tree
from symgrad.tensor.functions import FUNCTIONS
from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Expr

_TENSORS = ("g", "x", "w", "bias")


def layer(tree: Call, scope: Scope) -> Expr:
    """What a call of a layer builds: `conv2d(x, W, stride=2, padding=[1, 0], bias=b)`, `maxpool2d(x, 2)`.

    Raises:
        ProblemError: an operand or a setting is missing, unknown, or does not fit.
    """
    name = tree.func.id
    construct = FUNCTIONS[name].construct
    parameters = inspect.signature(construct).parameters
    ranges, settings = split(tree)
    if ranges:
        raise ProblemError(f"{name} takes no range", ranges[0].place)
    only(tree, settings, [p for p in parameters if p not in ("g", "x", "w")])
    order = [p.name for p in parameters.values() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    needed = [p.name for p in parameters.values() if p.default is inspect.Parameter.empty]
    if len(tree.args) > len(order) or any(p not in settings for p in needed[len(tree.args) :]):
        takes = " and ".join({"g": "a gradient", "x": "an input", "w": "filters"}.get(p, f"a {p} size") for p in needed)
        hint = ", then settings such as stride=2" if len(tree.args) > len(order) else ""
        raise ProblemError(f"{name} takes {takes}{hint}", tree.place)
    given = dict(zip(order, tree.args, strict=False))
    twice = next((p for p in settings if p in given), None)
    if twice is not None:
        raise ProblemError(f"{twice} is given twice", tree.place)
    named = {p: _argument(p, value, name, scope) for p, value in {**given, **settings}.items()}
    return made(tree.place, construct, **named)


def _argument(parameter: str, tree: Tree, name: str, scope: Scope) -> Expr | Int | Sequence[Int]:
    if parameter in _TENSORS:
        return scope.expr(tree)
    if not isinstance(tree, ListTree):
        return size_of(tree, scope)
    values = [size_of(item, scope) for item in tree.items]
    if len(values) != AXES[name]:
        raise ProblemError(
            f"{name} slides along {_many(AXES[name])}; {parameter} has {len(values)} numbers", tree.place
        )
    return values


def _many(axes: int) -> str:
    return "1 axis" if axes == 1 else f"{axes} axes"
