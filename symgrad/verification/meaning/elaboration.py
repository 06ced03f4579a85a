"""What is read as a problem reads it: the namespace of a problem, expectations, divergences, densities."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any

import sympy

from symgrad.errors import ProblemError, SymgradError
from symgrad.problem.collect import collect
from symgrad.problem.conditions import condition
from symgrad.problem.declarations import read_declarations, read_steps
from symgrad.problem.definitions import infer_shapes, read_heads, settle_facts
from symgrad.problem.expressions import read
from symgrad.problem.model import Problem
from symgrad.problem.names import Broken, Names, Undetermined
from symgrad.problem.scope import Scope
from symgrad.syntax.tree import Approach, Call, Compare, Distributed, Given, Name, Tree
from symgrad.tensor import build as b
from symgrad.tensor.integers import index_symbol
from symgrad.tensor.nodes import Compare as Comparison
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.reindex import free_ints
from symgrad.verification.errors import Unclear
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.letters import places
from symgrad.verification.meaning.values import Value


def names_of(problem: Problem) -> Names:
    """The namespace of a problem, with the shapes of its families, in whose words an answer is read."""
    document = problem.document
    collected = collect(document)
    scope = Scope(collected.names, read)
    read_steps(document, scope)
    read_declarations(collected.declared, collected.heads, scope)
    defined = read_heads(collected.heads, scope)
    infer_shapes(defined, collected.names)
    settle_facts(defined, collected.names)
    for family in collected.names.families.values():
        orders = {len(member.shape) for member in family.members if member.shape is not None}
        if len(orders) == 1:
            collected.names.vocabulary.orders.setdefault(family.name, orders.pop())
    return collected.names


def elaborated(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """The value of what is read as a problem reads it: expectations, divergences, densities."""
    bound = {name: index_symbol(name) for name in ints}
    expr = _read(m, tree, bound)
    value = m.world.numbers.value(expr, {symbol: ints[name] for name, symbol in bound.items()})
    return v.tensor(value)


def conditions_in(tree: Compare, names: Names) -> tuple[Comparison, ...]:
    """The comparisons of quantities of a problem in a condition.

    Raises:
        Unclear: it compares something else.
    """
    try:
        found = condition(_as_declared(tree, names), Scope(names, read))
    except (ProblemError, Undetermined, Broken) as error:
        raise Unclear(error.message if isinstance(error, ProblemError) else str(error)) from None
    comparisons = tuple(c for c in found if isinstance(c, Comparison))
    if len(comparisons) < len(found):
        raise Unclear("it compares integers")
    return comparisons


def expression(tree: Tree, names: Names) -> Expr:
    """An expression of a problem's quantities as the problem would read it.

    Raises:
        Unclear: it cannot be read so.
    """
    return _expression(tree, names, {})


def limit(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """The value of a limit."""
    match tree.args:
        case (body, Approach(var, target, side)) if not ints:
            inside, moving, point = (_read(m, x, {}) for x in (body, var, target))
            if not isinstance(moving, Var):
                raise Unclear("a limit is taken by a named quantity")
            for way in (side,) if side else ("", "-", "+"):
                with suppress(SymgradError):
                    return v.tensor(m.world.numbers.value(b.limit(inside, moving, point, way)))
            raise Unclear("it is no real number near the limit point")
    raise Unclear("this limit is not read")


def at_places(m: Interpretation, node: Expr, ints: Ints) -> Value | None:
    """The value of a quantity that depends on the places of densities, ELBO at x; None for any other."""
    body = m.world.numbers.system.body(node) if m.names.densities and isinstance(node, Var) else None
    if body is None:
        return None
    open_places = {s: s.name for s in free_ints(body) if s.name in places(m.names)}
    if not open_places or not set(open_places.values()) <= set(ints):
        return None
    return v.tensor(m.world.numbers.value(body, {s: ints[name] for s, name in open_places.items()}))


def _read(m: Interpretation, tree: Tree, bound: Mapping[str, sympy.Symbol]) -> Expr:
    return _expression(tree, m.names, bound)


def _expression(tree: Tree, names: Names, bound: Mapping[str, sympy.Symbol]) -> Expr:
    try:
        return read(_as_declared(tree, names), Scope(names, read, dict(bound)))
    except (ProblemError, Undetermined, Broken) as error:
        raise Unclear(error.message if isinstance(error, ProblemError) else str(error)) from None


def _as_declared(tree: Tree, names: Names) -> Tree:
    """The tree with densities as the problem has them: E_q[…] over the argument of q, and q(z | x) as q(z)."""
    match tree:
        case Call(Name("E"), (body, Name(law) as density), _) if law in names.densities:
            arguments = names.densities[law].arguments
            if len(arguments) == 1:
                place = Name(arguments[0], place=density.place)
                tree = tree.replaced(args=(body, Distributed(place, density, place=density.place)))
        case Call(Name("E"), (body, Call(Name(law) as density, (given,), _)), _) if law in names.densities:
            over = given.left if isinstance(given, Given) else (given,)
            if len(over) == 1:
                tree = tree.replaced(args=(body, Distributed(over[0], density, place=density.place)))
        case Call(Name(law), (Given(left, _),), _) if law in names.densities:
            if names.densities[law].arguments == tuple(x.id for x in left if isinstance(x, Name)):
                tree = tree.replaced(args=left)
    changed = {f.name: _mapped(getattr(tree, f.name), names) for f in fields(tree) if f.name not in ("place", "func")}
    return tree.replaced(**changed)


def _mapped(value: Any, names: Names) -> Any:
    if isinstance(value, Tree):
        return _as_declared(value, names)
    return tuple(_mapped(x, names) for x in value) if isinstance(value, tuple) else value
