"""Questions of kind optimum: where a quantity is largest or smallest, how much it is there, and why."""

from collections.abc import Callable, Sequence

from symgrad.derivation.assuming import conditions
from symgrad.derivation.optima import functional, on_plane, on_simplex, on_sphere, one_number, stationary
from symgrad.derivation.optima.domain import domain_of, limit_of
from symgrad.derivation.optima.in_turn import InTurn
from symgrad.derivation.optima.search import Search, begin
from symgrad.derivation.steps import Result
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor.nodes import Density, Expr, Var
from symgrad.tensor.walk import variables

Method = Callable[[Search], Result]


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """The optimum of ``of`` over the variables, subject to the constraints.

    Raises:
        QuestionError: ``of`` is no scalar, or no method is known for this problem.
    """
    of, over = question.of, question.several("over")
    if of.expr.order:
        raise QuestionError("an optimum is of a scalar", of.place)
    maximum = (question.word("sense") or "min").startswith("max")
    constraints = [c for c in question.conditions("subject_to") if isinstance(c, Expr)]
    if len(over) == 1 and isinstance(over[0].expr, Density) and not constraints:
        return (functional.solve(problem, question, over[0].expr, maximum),)
    nodes = [x.expr for x in over if isinstance(x.expr, Var)]
    if len(nodes) < len(over):
        raise QuestionError("'over' names symbols or quantities, or an unknown function such as D(x)", over[0].place)
    if len(nodes) > 1:
        return (_over_several(problem, question, nodes, constraints, maximum),)
    return (_over_one(problem, question, nodes[0], constraints, maximum),)


def _over_one(problem: Problem, question: Question, x: Var, constraints: Sequence[Expr], maximum: bool) -> Result:
    """Where what x is not in keeps its name, or else with everything written out."""
    method = _method(problem, question, x, constraints)
    search = begin(problem, question, [x], maximum, keep=True)
    kept = search.whole
    try:
        return method(search)
    except (QuestionError, CertificationError):
        search = begin(problem, question, [x], maximum)
        if search.whole is kept:
            raise
    return method(search)


def _over_several(
    problem: Problem, question: Question, over: Sequence[Var], constraints: Sequence[Expr], maximum: bool
) -> Result:
    """Over one after the other; every constraint is on one of them."""
    own = {x: [c for c in constraints if x in variables(c)] for x in over}
    if any(sum(c in found for found in own.values()) != 1 for c in constraints):
        raise QuestionError("with several variables, a constraint is on one of them", question.place)
    known = conditions(problem, question)
    return InTurn(
        problem,
        question,
        maximum,
        lambda x: _method(problem, question, x, own[x]),
        lambda x: domain_of(x, [*own[x], *known]),
    ).solve(over)


def _method(problem: Problem, question: Question, x: Var, constraints: Sequence[Expr]) -> Method:
    """The way to an optimum over x under the constraints.

    Raises:
        QuestionError: none is known.
    """
    if not x.order and all(limit_of(c, x) for c in constraints):
        domain = domain_of(x, [*constraints, *conditions(problem, question)])
        return lambda search: one_number.solve(search, domain)
    if not constraints and "probability" in x.facts and x.order == 1:
        return on_simplex.solve
    if not constraints:
        return stationary.solve
    if len(constraints) == 1:
        if on_sphere.is_unit_sphere(constraints[0], x):
            return on_sphere.solve
        if on_simplex.is_whole(constraints[0], x):
            return on_simplex.solve
        plane = on_plane.normal_of(constraints[0], x)
        if plane is not None:
            return lambda search: on_plane.solve(search, plane)
    raise QuestionError("known constraints are ‖h‖ = 1, sum(p) = 1 and gᵀx = c", question.place)
