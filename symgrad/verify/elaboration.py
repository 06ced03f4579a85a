"""What is read as a problem reads it: the namespace of a problem, expectations, divergences, densities."""

from __future__ import annotations

from symgrad.errors import ProblemError
from symgrad.problem.collect import collect
from symgrad.problem.declarations import read_declarations, read_steps
from symgrad.problem.definitions import infer_shapes, read_heads, settle_facts
from symgrad.problem.expressions import read
from symgrad.problem.model import Problem
from symgrad.problem.names import Broken, Names, Undetermined
from symgrad.problem.scope import Scope
from symgrad.syntax.tree import Call
from symgrad.tensor.integers import index_symbol
from symgrad.verify import values as v
from symgrad.verify.errors import Unclear
from symgrad.verify.interpretation import Interpretation, Ints
from symgrad.verify.values import Value


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
    try:
        expr = read(tree, Scope(m.names, read, bound))
    except (ProblemError, Undetermined, Broken) as error:
        raise Unclear(error.message if isinstance(error, ProblemError) else str(error)) from None
    value = m.world.numbers.value(expr, {symbol: ints[name] for name, symbol in bound.items()})
    return v.tensor(value)
