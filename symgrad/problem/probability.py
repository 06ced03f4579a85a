"""Densities, unknown functions and integrals: p(z | x), normal(z, mean=, cov=), E(f, z ~ q), KL, integral(f, x)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from symgrad.errors import ProblemError, near
from symgrad.problem.names import Family, Unknown
from symgrad.problem.ranges import only, split
from symgrad.problem.scope import Scope, made
from symgrad.syntax.tree import Call, Distributed, Given, ListTree, Name, Tree
from symgrad.tensor import laws
from symgrad.tensor import probability as pr
from symgrad.tensor.facts import between
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Binder, Density, Expr, Law, Var
from symgrad.tensor.shapes import ShapeError, same_shape


def table(unknown: Unknown) -> Var:
    """The values of a density or an unknown function at the common points, one axis for each argument."""
    return Var(unknown.name, (), tuple(pr.points(a) for a in unknown.arguments), facts(unknown))


def facts(unknown: Unknown) -> frozenset[str]:
    """What is known of the values: their kind, and the range they lie in."""
    if unknown.range is None:
        return frozenset({unknown.kind})
    return frozenset({unknown.kind, between(*unknown.range)})


def unknown_value(tree: Call, scope: Scope) -> Expr:
    """p(x, z), p(z), p(z | x) or D(x): by the names of the arguments.

    Raises:
        ProblemError: an argument is no variable of it, or stands there twice.
    """
    unknown = scope.names.densities[tree.func.id]
    if tree.keywords:
        raise ProblemError(f"{unknown.name} takes no settings", tree.keywords[0].place)
    left, right = _sides(tree)
    if right and unknown.kind != "density":
        raise ProblemError("only a density is conditional", tree.place)
    places: list[Int | None] = [None] * len(unknown.arguments)
    for part in (*left, *right):
        axis = _axis(part, unknown)
        if places[axis] is not None:
            raise ProblemError(f"{unknown.arguments[axis]!r} stands there twice", part.place)
        places[axis] = pr.variable(unknown.arguments[axis])
    missing = [a for a, i in zip(unknown.arguments, places, strict=True) if i is None]
    if missing and unknown.kind != "density":
        raise ProblemError(f"{unknown.name} needs {', '.join(missing)} too", tree.place)
    return Density(table(unknown), tuple(places), frozenset(_axis(part, unknown) for part in right))


def own_value(name: Name, scope: Scope) -> Expr:
    """A density or an unknown function by its name alone: its value at its own arguments."""
    unknown = scope.names.densities[name.id]
    return Density(table(unknown), tuple(pr.variable(a) for a in unknown.arguments))


def _sides(tree: Call) -> tuple[tuple[Tree, ...], tuple[Tree, ...]]:
    if len(tree.args) == 1 and isinstance(tree.args[0], Given):
        return tree.args[0].left, tree.args[0].right
    return tree.args, ()


def _axis(part: Tree, unknown: Unknown) -> int:
    if isinstance(part, Name) and part.id in unknown.arguments:
        return unknown.arguments.index(part.id)
    signature = f"{unknown.name}({', '.join(unknown.arguments)})"
    suggestion = near(part.id, unknown.arguments) if isinstance(part, Name) else None
    raise ProblemError(f"{signature} is taken at its own variables", part.place, suggestion)


# Variables


def variable_value(name: str, scope: Scope) -> Var:
    """The value of a random variable, of its declared shape; a scalar where none is declared."""
    family: Family | None = scope.names.families.get(name)
    shape = next((m.shape for m in family.members if m.shape is not None), ()) if family is not None else ()
    return pr.random_variable(name, shape)


def _inside(names: Sequence[str], scope: Scope) -> Scope:
    """The scope in which variables are random."""
    values = {name: variable_value(name, scope) for name in names}
    return replace(scope, local={**scope.local, **values})


def _binders(names: Sequence[str]) -> tuple[Binder, ...]:
    return tuple(Binder(pr.variable(n), 1, pr.points(n)) for n in names)


# Integrals


def _averaged(make: Callable[[Expr, Expr, Sequence[Binder]], Expr]) -> Callable[[Call, Scope], Expr]:
    def handler(tree: Call, scope: Scope) -> Expr:
        only(tree, split(tree)[1], ())
        if len(tree.args) != 2 or not isinstance(tree.args[1], Distributed):
            message = f"{tree.func.id} takes an expression and a distribution: {tree.func.id}(f(z), z ~ q)"
            raise ProblemError(message, tree.place)
        over = tree.args[1]
        names = _variables(over.var)
        inner = _inside(names, scope)
        density = _distribution(over.density, names, inner)
        body = inner.expr(tree.args[0])
        return made(tree.place, make, body, density, _binders(names))

    return handler


def _variables(tree: Tree) -> list[str]:
    parts = tree.items if isinstance(tree, ListTree) else (tree,)
    if not all(isinstance(p, Name) for p in parts):
        raise ProblemError("a variable is needed here: z ~ q", tree.place)
    return [p.id for p in parts if isinstance(p, Name)]


def _distribution(tree: Tree, names: Sequence[str], scope: Scope) -> Expr:
    """What the variables are distributed by: q, p(z | x), normal(mean=, cov=)."""
    if isinstance(tree, Call) and tree.func.id in _LAWS:
        return _law(tree, scope, names)
    if isinstance(tree, Name) and tree.id in scope.names.densities:
        unknown = scope.names.densities[tree.id]
        if set(names) - set(unknown.arguments):
            raise ProblemError(f"{tree.id} is a density of {', '.join(unknown.arguments)}", tree.place)
        return own_value(tree, scope) if len(names) == len(unknown.arguments) else _marginal(unknown, names)
    return scope.expr(tree)


def _marginal(unknown: Unknown, names: Sequence[str]) -> Expr:
    return Density(table(unknown), tuple(pr.variable(a) if a in names else None for a in unknown.arguments))


def divergence(tree: Call, scope: Scope) -> Expr:
    """KL(q, p) over the variables on the left of q's bar."""
    only(tree, split(tree)[1], ())
    if len(tree.args) != 2:
        raise ProblemError("KL takes two densities", tree.place)
    names = _own_variables(tree.args[0], scope) or _own_variables(tree.args[1], scope)
    if not names:
        raise ProblemError("KL takes two densities of one variable, KL(q(z), p(z | x))", tree.place)
    inner = _inside(names, scope)
    q, p = (_distribution(arg, names, inner) for arg in tree.args)
    return made(tree.place, pr.divergence, q, p, _binders(names))


def _own_variables(tree: Tree, scope: Scope) -> list[str]:
    """The variables of a density as it is written."""
    match tree:
        case Name(id=name) if name in scope.names.densities:
            return list(scope.names.densities[name].arguments)
        case Call(func=func) if func.id in _LAWS:
            return [tree.args[0].id] if tree.args and isinstance(tree.args[0], Name) else []
        case Call(func=func) if func.id in scope.names.densities or func.id in scope.names.functions:
            return [p.id for p in _sides(tree)[0] if isinstance(p, Name)]
    return []


def integral(tree: Call, scope: Scope) -> Expr:
    """integral(f, x) or integral(f, x, y)."""
    only(tree, split(tree)[1], ())
    if len(tree.args) < 2:
        raise ProblemError("integral takes an expression and its variables: integral(p(x), x)", tree.place)
    names = [n for part in tree.args[1:] for n in _variables(part)]
    body = _inside(names, scope).expr(tree.args[0])
    return made(tree.place, pr.integral, body, _binders(names))


# Named densities


def _law(tree: Call, scope: Scope, names: Sequence[str] = ()) -> Expr:
    """normal(z, mean=, cov=) and bernoulli(x, p); behind ~ the point may be left out."""
    name = tree.func.id
    settings = split(tree)[1]
    parameters = _LAWS[name]
    also = {other: p for p, other in _ALSO.items() if p in parameters}
    only(tree, settings, (*parameters, *also))
    args = list(tree.args)
    point: Expr
    if len(args) + len(settings) == len(parameters) and len(names) == 1:
        point = variable_value(names[0], scope)
    elif args:
        point = scope.expr(args.pop(0))
    else:
        raise ProblemError(f"{name} takes a point, then {', '.join(parameters)}", tree.place)
    given = dict(zip(parameters, (scope.expr(a) for a in args), strict=False))
    for key, value in settings.items():
        parameter = also.get(key, key)
        if parameter in given:
            raise ProblemError(f"{key} is given twice", tree.place)
        given[parameter] = scope.expr(value)
    missing = [p for p in parameters if p not in given]
    if missing or len(args) > len(parameters):
        raise ProblemError(f"{name} takes a point, then {', '.join(parameters)}", tree.place)
    return made(tree.place, _MAKERS[name], point, *(given[p] for p in parameters))


def _normal(z: Expr, mean: Expr, cov: Expr) -> Expr:
    mean, cov = laws.mean_of(mean, z), laws.covariance(cov, z)
    if not same_shape(mean.shape, z.shape):
        raise ShapeError(f"normal: the mean has {mean.order} axes and the variable {z.order}, or their sizes differ")
    if z.order > 1 or not same_shape(cov.shape, z.shape * 2):
        raise ShapeError("normal: cov is the variance of a scalar, the n × n covariance matrix of a vector of size n")
    return Law("normal", (z, mean, cov))


def _bernoulli(x: Expr, p: Expr) -> Expr:
    if x.order or p.order:
        raise ShapeError("bernoulli is of a scalar with a scalar probability")
    return Law("bernoulli", (x, p))


_LAWS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"normal": ("mean", "cov"), "bernoulli": ("p",)})
_ALSO: Final[Mapping[str, str]] = MappingProxyType({"p": "mean"})
"""What a parameter is called as well: the mean of a Bernoulli variable is its probability."""
_MAKERS: Final[Mapping[str, Callable[..., Expr]]] = MappingProxyType({"normal": _normal, "bernoulli": _bernoulli})

PROBABILITY: Final[Mapping[str, Callable[[Call, Scope], Expr]]] = MappingProxyType(
    {
        "E": _averaged(pr.expectation),
        "Var": _averaged(pr.variance),
        "KL": divergence,
        "integral": integral,
        "normal": _law,
        "bernoulli": _law,
    }
)
