"""Calls: one table from names to what they build; a function the problem defines itself goes first."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, TypeAlias

from symgrad.errors import ProblemError, near
from symgrad.problem.folds import concatenated, extreme, mean, prod, stacked, total
from symgrad.problem.latex_calls import LATEX_CALLS, unit_vector
from symgrad.problem.layers import layer
from symgrad.problem.names import Broken
from symgrad.problem.probability import PROBABILITY, unknown_value
from symgrad.problem.ranges import bind, only, split
from symgrad.problem.scope import Scope, made
from symgrad.syntax.tree import Call, Compare, ListTree, Name, Tree
from symgrad.tensor import build as b
from symgrad.tensor.functions import FUNCTIONS
from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.integers import index_symbol
from symgrad.tensor.nodes import At, Entry, Expr, Transpose, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.scalars import SCALARS

Handler: TypeAlias = Callable[[Call, Scope], Expr]


def call(tree: Call, scope: Scope) -> Expr:
    """What a call builds.

    Raises:
        ProblemError: there is no such function, or its arguments do not fit.
    """
    name = tree.func.id
    names = scope.names
    if name in names.functions:
        return _user_function(tree, scope)
    if name in names.broken:
        raise Broken(name)
    if name in names.densities:
        return unknown_value(tree, scope)
    handler = CALLS.get(name)
    if handler is not None:
        return handler(tree, scope)
    if name in names.values() or name in scope.bound or name in scope.local:
        message = f"{name!r} is not a function; for a product write * or @, for a member or an entry {name}[...]"
        raise ProblemError(message, tree.func.place)
    known = [*CALLS, *names.functions, *names.densities]
    raise ProblemError(f"there is no function {name!r}", tree.func.place, near(name, known))


def arguments(tree: Call, scope: Scope, count: int | None = None) -> list[Expr]:
    """The arguments of a call, or the first of them; a list stands for its parts."""
    parts = [part for arg in tree.args[:count] for part in (arg.items if isinstance(arg, ListTree) else (arg,))]
    return [scope.expr(part) for part in parts]


def _user_function(tree: Call, scope: Scope) -> Expr:
    function = scope.names.functions[tree.func.id]
    if function.name in scope.calling:
        raise ProblemError(f"{function.name!r} is defined by itself", function.place)
    only(tree, dict.fromkeys((k.name.id for k in tree.keywords), tree), ())
    expected = len(function.parameters)
    if len(tree.args) != expected:
        signature = f"{function.name}({', '.join(function.parameters)})"
        message = f"{signature} takes {_many(expected)}, not {len(tree.args)}"
        raise ProblemError(message, tree.place)
    # An index of the caller is no index of the body: in g(A[j, :]) with g(u) = sum(u[j], j=1..n) they are two.
    apart = {s: index_symbol(f"{s.name} outside {len(scope.calling)}") for s in scope.bound.values()}
    args = [reindex(scope.expr(arg), apart) for arg in tree.args]
    local = dict(zip(function.parameters, args, strict=True))
    try:
        value = scope.inside(function.name, local).expr(function.body)
        return made(tree.place, reindex, value, {fresh: s for s, fresh in apart.items()})
    except ProblemError as error:
        inner = error.diagnostics[0]
        raise ProblemError(f"{inner.message} (in {function.name})", tree.place, inner.suggestion) from None


def _many(count: int) -> str:
    return f"{count} argument{'s' * (count != 1)}"


def _scalar(tree: Call, scope: Scope) -> Expr:
    """A function of the scalar table, entry by entry."""
    row = SCALARS[tree.func.id]
    only(tree, split(tree)[1], ())
    if tree.keywords:
        raise ProblemError(f"{row.name} takes no range", tree.keywords[0].place)
    if len(tree.args) != row.arity:
        raise ProblemError(f"{row.name} takes {_many(row.arity)}, not {len(tree.args)}", tree.place)
    args = [scope.expr(arg) for arg in tree.args]
    at_zero = scope.names.relu_at_zero
    if row.convention and at_zero:
        args.append(b.num(at_zero))
    return made(tree.place, b.apply, row.name, *args)


def _indicator(tree: Call, scope: Scope) -> Expr:
    if len(tree.args) != 1 or tree.keywords or not isinstance(tree.args[0], Compare):
        raise ProblemError("indicator takes one condition, such as x > 0", tree.place)
    return scope.expr(tree.args[0])


def _tensor(tree: Call, scope: Scope) -> Expr:
    """A function of the whole-tensor table."""
    name = tree.func.id
    construct = FUNCTIONS[name].construct
    ranges, settings = split(tree)
    parameters = inspect.signature(construct).parameters
    keywords = [p.name for p in parameters.values() if p.default is not inspect.Parameter.empty]
    only(tree, settings, keywords)
    if ranges:
        raise ProblemError(f"{name} takes no range", ranges[0].place)
    order = tree.args[1:] if name == "norm" and len(tree.args) == 2 else ()
    args: list[object] = [*arguments(tree, scope, len(tree.args) - len(order))]
    args += [_setting("ord", x, scope) for x in order]
    named = {key: _setting(key, value, scope) for key, value in settings.items()}
    needed = [p.name for p in parameters.values() if p.default is inspect.Parameter.empty]
    variadic = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters.values())
    fixed = len(needed) - variadic
    if len(args) < fixed or (len(args) + len(named) > len(parameters) and not variadic):
        what = _many(fixed) + (f" and {', '.join(keywords)}" if keywords else "")
        raise ProblemError(f"{name} takes {what}, not {len(args)}", tree.place)
    if set(named) & set(list(parameters)[: len(args)]):
        raise ProblemError(f"{', '.join(named)} is given twice", tree.place)
    return made(tree.place, _with_base, name, construct, args, named, scope)


def _one_hot(tree: Call, scope: Scope) -> Expr:
    """`one_hot(i, n)`; in LaTeX e_i, whose size follows from what is round it."""
    return unit_vector(tree, scope) if len(tree.args) == 1 and not tree.keywords else _tensor(tree, scope)


def _with_base(
    name: str,
    construct: Callable[..., Expr],
    args: list[object],
    named: Mapping[str, object],
    scope: Scope,
) -> Expr:
    """Places count from 1 within, from the problem's base without."""
    shift = b.num(1 - scope.names.index_base)
    if name == "one_hot" and isinstance(args[0], Expr):
        args = [b.add(args[0], shift), *args[1:]]
    made_here = construct(*args, **named)
    return b.sub(made_here, shift) if name == "argmax" else made_here


def _setting(key: str, tree: Tree, scope: Scope) -> object:
    if key == "ord" and isinstance(tree, Name) and tree.id in ("inf", "fro") and scope.index(tree.id) is None:
        return tree.id
    return scope.expr(tree)


def _loss(tree: Call, scope: Scope) -> Expr:
    """An opaque scalar, known by its immediate partials; it bears the name that is defined by it."""
    if scope.target is None:
        raise ProblemError("loss(...) stands alone on the right side of a definition", tree.place)
    ranges, settings = split(tree)
    only(tree, settings, ())
    bound = bind(ranges, (), scope)
    if not tree.args:
        raise ProblemError("loss takes the quantities that the loss depends on", tree.place)
    args = [bound.scope.expr(arg) for arg in tree.args]
    for arg, part in zip(args, tree.args, strict=True):
        if not isinstance(_column(arg), Var | Entry):
            raise ProblemError("an argument of loss is a named quantity; define it first", part.place)
    return b.opaque(scope.target, [_column(arg) for arg in args], bound.binders)


def _derivative(tree: Call, scope: Scope, of_scalar: bool) -> Expr:
    """`grad(f, x)` of a scalar, `jacobian(y, x)` of anything; LaTeX's ∂⁺ is `kind=immediate`."""
    name = tree.func.id
    settings = {k.name.id: k.value for k in tree.keywords}
    if len(tree.args) != 2 or not settings.keys() <= {"kind", "held"}:
        raise ProblemError(f"{name} takes what is differentiated, and by what", tree.place)
    of, wrt = (_column(scope.expr(arg)) for arg in tree.args)
    if of_scalar and of.order:
        raise ProblemError("grad is of a scalar; write jacobian(y, x)", tree.args[0].place)
    if not is_variable(wrt):
        raise ProblemError("what one differentiates by is a symbol, a quantity, or an entry of one", tree.args[1].place)
    beside = settings.get("held")
    held = [_column(scope.expr(x)) for x in (beside.items if isinstance(beside, ListTree) else ())]
    return made(tree.place, b.deriv, of, wrt, "immediate" if "kind" in settings else "total", held)


def is_variable(x: Expr) -> bool:
    """Whether one can differentiate by it: a named node or one entry of it."""
    if isinstance(x, Entry):
        return isinstance(x.arg, Var) and all(isinstance(item, At) for item in x.items)
    return isinstance(x, Var)


def _column(x: Expr) -> Expr:
    return x.arg if isinstance(x, Transpose) and isinstance(x.arg, Var) and x.order == 1 else x


CALLS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        **dict.fromkeys(SCALARS, _scalar),
        **dict.fromkeys(FUNCTIONS, _tensor),
        **dict.fromkeys(AXES, layer),
        "indicator": _indicator,
        "sum": total,
        "prod": prod,
        "mean": mean,
        "max": extreme,
        "min": extreme,
        "concat": concatenated,
        "stack": stacked,
        "loss": _loss,
        "grad": partial(_derivative, of_scalar=True),
        "jacobian": partial(_derivative, of_scalar=False),
        **PROBABILITY,
        **LATEX_CALLS,
        "one_hot": _one_hot,
    }
)
