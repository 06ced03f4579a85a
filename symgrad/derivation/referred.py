"""Results of other questions as expressions: `first.at` is where an optimum is, `first.value` how much."""

import sympy

from symgrad.derivation import exact
from symgrad.derivation.steps import Derivation, Introduced, Result
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import variables

MOST_NAMES = 50
"""Names that are put in one after the other, before it is given up."""


def result(problem: Problem, derivation: Derivation, part: str) -> Expr:
    """The value of a question over the symbols of the problem; with ``part`` "at" the point of an optimum.

    Raises:
        QuestionError: it has none, or several.
    """
    name = derivation.id
    if derivation.status == "failed":
        raise QuestionError(f"{name}.{part} is needed, but {name} has no answer: {derivation.message}")
    if len(derivation.results) != 1:
        raise QuestionError(f"{name} has {len(derivation.results)} results, and {name}.{part} names one")
    (only,) = derivation.results
    found = only.extra.get(part) if part in ("at", "value") and "at" in only.extra else None
    if part == "at" and found is None:
        raise QuestionError(f"{name} has a value, but no point: {name}.at is of an optimum")
    if found is None:
        found = _value(only)
    if not isinstance(found, Expr):
        raise QuestionError(f"the result of {name} is no value that could stand in an expression")
    return _over_the_problem(problem, only, found, name)


def _value(only: Result) -> Expr | None:
    if only.value is not None:
        return only.value
    number = only.exact
    plain = number is not None and not isinstance(number, bool | list | tuple | str)
    return exact.number(sympy.sympify(number, strict=True)) if plain else None


def _over_the_problem(problem: Problem, only: Result, value: Expr, name: str) -> Expr:
    """The value with what its derivation named written out."""
    bodies: dict[Expr, Expr] = {x.name: x.body for x in (*only.where, *only.blocks) if isinstance(x, Introduced)}
    for _ in range(MOST_NAMES):
        known: dict[Expr, Expr] = {v: bodies[v] for v in variables(value) if v in bodies}
        if not known:
            break
        value = replace_nodes(value, known)
    mapping: dict[Expr, Expr] = {
        v: Var(v.name, v.subs, v.shape, problem.facts[v.name]) for v in variables(value) if v.name in problem.facts
    }
    value = replace_nodes(value, mapping)
    foreign = [v.name for v in variables(value) if v.name not in problem.facts and not problem.system.mentions(v.name)]
    if foreign:
        raise QuestionError(f"the result of {name} is written over names of its own: {', '.join(foreign)}")
    return value
