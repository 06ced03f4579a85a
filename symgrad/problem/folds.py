"""Sums, products, extremes, stacks and concatenations: over axes, arguments, or ranges with conditions."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.errors import ProblemError
from symgrad.problem.components import component_range
from symgrad.problem.conditions import conditions
from symgrad.problem.ranges import Ranges, bind, only, span_ends, split
from symgrad.problem.scope import Scope, made
from symgrad.syntax.tree import Call, Keyword, Span, Tree
from symgrad.tensor import build as b
from symgrad.tensor.functions import FUNCTIONS
from symgrad.tensor.functions.construct import as_integer
from symgrad.tensor.functions.construct import reshape as reshaped
from symgrad.tensor.integers import Int, index_symbol, integer
from symgrad.tensor.nodes import Binder, Expr
from symgrad.tensor.reindex import reindex


def total(tree: Call, scope: Scope) -> Expr:
    """`sum(x)`, `sum(x, axis=1)`, `sum(x[i], i=1..n, i != c)`."""
    ranges, settings = split(tree)
    if not ranges:
        return _along_axes(tree, settings, scope)
    body, bound = _under(tree, ranges, settings, scope)
    masked = made(tree.place, b.mul, body, *bound.data) if bound.data else body
    return made(tree.place, b.fold, "sum", masked, bound.binders, bound.relations)


def prod(tree: Call, scope: Scope) -> Expr:
    """`prod(x)`, or over a range; matrices stand in the order of the range."""
    ranges, settings = split(tree)
    if not ranges:
        return _along_axes(tree, settings, scope)
    body, bound = _under(tree, ranges, settings, scope)
    if body.order == 2 and (len(ranges) > 1 or bound.data):
        raise ProblemError("a product of matrices has one range, and conditions on its index only", tree.place)
    for mask in bound.data:
        body = made(tree.place, b.apply, "where", mask, body, b.ONE)
    backwards = body.order == 2 and bound.backwards[0]
    return made(tree.place, b.fold, "prod", body, bound.binders, bound.relations, backwards)


def mean(tree: Call, scope: Scope) -> Expr:
    """`mean(x)`, `mean(x, axis=0)`, or over a range without conditions."""
    ranges, settings = split(tree)
    if not ranges:
        return _along_axes(tree, settings, scope)
    body, bound = _under(tree, ranges, settings, scope)
    if bound.relations or bound.data:
        raise ProblemError("a mean under conditions is sum(...) / sum(1, ...)", tree.place)
    value = made(tree.place, b.fold, "sum", body, bound.binders)
    for binder in bound.binders:
        value = b.div(value, b.count(binder.length))
    return value


def extreme(tree: Call, scope: Scope) -> Expr:
    """`max(a, b)` entry by entry, `max(x)` of all entries, `max(x, axis=0)`, or over a range."""
    op = tree.func.id
    ranges, settings = split(tree)
    if ranges:
        body, bound = _under(tree, ranges, settings, scope)
        if bound.data:
            raise ProblemError(f"the conditions of {op} are relations of indices", tree.place)
        return made(tree.place, b.fold, op, body, bound.binders, bound.relations)
    if settings or len(tree.args) < 2:
        return _along_axes(tree, settings, scope)
    args = [scope.expr(arg) for arg in tree.args]
    value = args[0]
    for arg in args[1:]:
        value = made(tree.place, b.apply, op, value, arg)
    return value


def stacked(tree: Call, scope: Scope) -> Expr:
    """`stack(a, b)`, or `stack(w[i], i=0..k)`: along a new first axis."""
    ranges, settings = split(tree)
    only(tree, settings, ())
    if not ranges:
        return made(tree.place, b.stack, *_parts(tree, scope))
    body, bound = _under(tree, ranges, settings, scope)
    _no_conditions(tree, bound)
    return made(tree.place, built, body, bound.binders)


def concatenated(tree: Call, scope: Scope) -> Expr:
    """`concat(a, b, axis=0)`, or `concat(w[i], i=1..k)`: one after the other along an axis."""
    ranges, settings = split(tree)
    only(tree, settings, ("axis",))
    axis = _axis(settings.get("axis"), scope)
    if not ranges:
        return made(tree.place, b.concat, _parts(tree, scope), axis)
    without = {key: value for key, value in settings.items() if key != "axis"}
    body, bound = _under(tree, ranges, without, scope)
    _no_conditions(tree, bound)
    if len(bound.binders) > 1:
        raise ProblemError("concat over a range has one index", tree.place)
    return made(tree.place, _joined, body, bound.binders[0], axis)


def _joined(body: Expr, binder: Binder, axis: int) -> Expr:
    """The members of a range one after the other: stacked, the new axis brought before the joined one."""
    joined = b.concat([body], axis)
    axis %= max(joined.order, 1)
    table = built(body, [binder])
    if axis:
        order = [*range(1, axis + 1), 0, *range(axis + 1, table.order)]
        table = b.permute(table, order)
    shape: list[Int] = list(body.shape)
    shape[axis] = integer(shape[axis] * binder.length)
    return reshaped(table, *shape)


def built(body: Expr, binders: Sequence[Binder]) -> Expr:
    """The tensor of a body over ranges, counted from 1 whatever the ranges begin with."""
    shifted = {x.symbol: integer(x.symbol + x.lo - 1) for x in binders if x.lo != 1}
    return b.build(reindex(body, shifted), [Binder(x.symbol, 1, x.length) for x in binders])


def _under(tree: Call, ranges: Sequence[Keyword], settings: dict[str, Tree], scope: Scope) -> tuple[Expr, Ranges]:
    """The one expression of a call, under its ranges; what follows it are conditions."""
    if "axis" in settings:
        raise ProblemError("an axis and a range do not go together", tree.place)
    only(tree, settings, ())
    if not tree.args:
        raise ProblemError(f"{tree.func.id} needs an expression before its ranges", tree.place)
    if any(isinstance(k.value, Span) and k.value.lo is None for k in ranges):
        return _as_far_as_it_goes(tree, ranges, scope)
    bound = bind(ranges, tree.args[1:], scope)
    return bound.scope.expr(tree.args[0]), bound


def _as_far_as_it_goes(tree: Call, ranges: Sequence[Keyword], scope: Scope) -> tuple[Expr, Ranges]:
    """`\\sum_j x_j`: a step runs through its range, another index as far as every entry is inside."""
    symbols = {k.name.id: index_symbol(k.name.id) for k in ranges}
    inner = scope.binding(symbols)
    body = inner.expr(tree.args[0])
    binders: list[Binder] = []
    for keyword in ranges:
        symbol = symbols[keyword.name.id]
        ends = keyword.value
        if isinstance(ends, Span) and ends.lo is not None:
            binders.append(Binder(symbol, *span_ends(ends, inner)))
        elif symbol in scope.names.steps:
            binders.append(scope.names.steps[symbol])
        else:
            binders.append(component_range(keyword.name, symbol, body, binders, scope.names.index_base))
    relations, data = conditions(tree.args[1:], inner)
    return body, Ranges(inner, tuple(binders), (False,) * len(binders), relations, data)


def _along_axes(tree: Call, settings: dict[str, Tree], scope: Scope) -> Expr:
    name = tree.func.id
    only(tree, settings, ("axis",))
    if not 1 <= len(tree.args) <= 2 or (len(tree.args) == 2 and settings):
        hint = f"; a range is written {name}(expression, i=1..n)" if name in ("sum", "prod") else ""
        raise ProblemError(f"{name} takes one argument and axis{hint}", tree.place)
    x = scope.expr(tree.args[0])
    axis = settings.get("axis", tree.args[1] if len(tree.args) == 2 else None)
    construct = FUNCTIONS[name].construct
    return made(tree.place, construct, x, None if axis is None else scope.expr(axis))


def _parts(tree: Call, scope: Scope) -> list[Expr]:
    if not tree.args:
        raise ProblemError(f"{tree.func.id} needs at least one argument", tree.place)
    return [scope.expr(arg) for arg in tree.args]


def _no_conditions(tree: Call, bound: Ranges) -> None:
    if bound.relations or bound.data:
        raise ProblemError(f"{tree.func.id} takes a range without conditions", tree.place)


def _axis(tree: Tree | None, scope: Scope) -> int:
    if tree is None:
        return 0
    axis = made(tree.place, as_integer, scope.expr(tree), "the axis of concat")
    if isinstance(axis, int):
        return axis
    raise ProblemError("the axis of concat is a number", tree.place)
