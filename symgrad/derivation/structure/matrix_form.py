"""Questions of kind matrix_form: a linear map y = M x as an explicit matrix, both sides flattened row by row."""

import itertools
from typing import Any

from symgrad.calculus.local import adjoint_part
from symgrad.derivation import exact
from symgrad.derivation.reading_order import statements
from symgrad.derivation.steps import Block, Code, Prose, Result
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.deltas import contract_deltas
from symgrad.tensor.functions.construct import vec
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Expr, Fold, Literal, Num, Stack, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import unfold
from symgrad.tensor.shapes import total
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.sympy_border import exact_evaluate
from symgrad.tensor.system import System
from symgrad.tensor.walk import variables

MOST_ENTRIES = 4_096


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """M with vec(of) = M vec(input), where vec takes the entries row by row.

    The entries are expressions in the other symbols, numbers where the problem gives those.

    Raises:
        QuestionError: ``of`` is not linear in ``input``, or a size is not a number.
    """
    of, x = question.of.expr, question.asked("input").expr
    if not isinstance(x, Var):
        raise QuestionError("the input of a linear map is a named quantity", question.asked("input").place)
    rows, columns = _count(of, question), _count(x, question)
    if rows * columns > MOST_ENTRIES:
        raise QuestionError(f"a {rows} × {columns} matrix has too many entries to be written out", question.of.place)
    body = _written_out(problem.system, of, x)
    work = workspace(problem, question, problem.system, [of, body, x])
    _check_linear(work, body, x, question)
    matrix = _matrix(body, x)
    numbers = _numbers(problem.system, matrix)
    shown = matrix if numbers is None else exact.expression(numbers)
    counts = (of, " has ", b.num(rows), " entries, ", x, " has ", b.num(columns))
    blocks: list[Block] = [Prose(("vec takes the entries row by row: ", *counts, "."))]
    name = Var(work.fresh("M", "A", "T"), (), shown.shape)
    blocks.append(work.introduce(name, shown))
    sides = (vec(of), b.matmul(name, vec(x)))
    reason = ("every row holds the factors of one entry of ", of)
    line = work.certifier.line(*sides, reason=reason, rule="matrix form", boxed=True)
    work.certifier.differences(vec(of), x, b.call("reshape", (shown,), (rows, *x.shape)))
    return (
        Result(
            question.of.text,
            question.asked("input").text,
            name,
            shown,
            shown.shape,
            (*blocks, line),
            tuple(work.certifier.checks),
            exact=_listed(matrix) if numbers is None else exact.plain(numbers),
            code=Code(problem.system, shown),
        ),
    )


def _count(x: Expr, question: Question) -> int:
    size = total(x.shape)
    if not isinstance(size, int):
        names = ", ".join(sorted(str(s) for s in symbols_of(size)))
        raise QuestionError(f"an explicit matrix needs numbers for the sizes {names}", question.of.place)
    return size


def _written_out(system: System, of: Expr, x: Var) -> Expr:
    """``of`` over ``x`` and what does not depend on it."""
    for s in reversed(statements(system, [of], unroll=True)):
        if s.node is not x and s.node in variables(of) and _reaches(system, s.node, x):
            of = replace_nodes(of, {s.node: s.body})
    return of


def _reaches(system: System, node: Var, x: Var) -> bool:
    found = [v for s in statements(system, [node], unroll=True) for v in (s.node, *variables(s.body))]
    return x in found


def _check_linear(work: Workspace, body: Expr, x: Var, question: Question) -> None:
    """f(0) = 0, and f(x) is its derivative applied to x."""
    if x not in variables(body):
        raise QuestionError(f"{question.of.text} does not depend on {x.name}", question.of.place)
    for numbers in work.certifier.instances:
        zero = replace_nodes(body, {x: b.zeros(x.shape)})
        if abs(numbers.value(zero)).max() > 0:
            message = f"{question.of.text} is not linear in {x.name}: it is not 0 where {x.name} is 0"
            raise QuestionError(message, question.of.place)
        for factor in (2, -3):
            scaled = numbers.value(replace_nodes(body, {x: b.mul(b.num(factor), x)}))
            if abs(scaled - factor * numbers.value(body)).max() > 1e-9 * max(1.0, abs(scaled).max()):
                raise QuestionError(f"{question.of.text} is not linear in {x.name}", question.of.place)


def _matrix(body: Expr, x: Var) -> Expr:
    """The rows ∂y_i/∂x, entry by entry at explicit indices."""
    rows: list[Expr] = []
    for place in _places(body):
        part = adjoint_part(component(body, place), b.var("∂"), b.ONE, x)
        rows.append(b.stack(*(_explicit(component(part, at)) for at in _places(x))))
    return b.stack(*rows)


def _explicit(entry: Expr) -> Expr:
    """An entry with its sums over numeric ranges written out."""

    def rule(node: Expr) -> Expr:
        if isinstance(node, Fold) and node.op == "sum":
            terms = unfold(node)
            return node if terms is None else b.add(b.ZERO, *terms)
        return node

    return transform(contract_deltas(entry), rule)


def _listed(matrix: Expr) -> list[list[Any]]:
    """The rows as lists: numbers where an entry is one, expressions elsewhere."""
    return [[_entry(x) for x in row.children] for row in matrix.children]


def _entry(x: Expr) -> Any:
    value = b.number_of(x)
    return x if value is None else int(value) if value.denominator == 1 else value


def _places(x: Expr) -> list[tuple[int, ...]]:
    return list(itertools.product(*(range(1, int(n) + 1) for n in x.shape)))


def _numbers(system: System, matrix: Expr) -> Any:
    """The matrix in exact numbers where the problem gives them; None where it does not."""
    given = {v: system.body(v) for v in variables(matrix)}
    if not all(isinstance(body, Num | Literal | Stack) and not variables(body) for body in given.values()):
        return None
    bodies: dict[Expr, Expr] = {v: body for v, body in given.items() if body is not None}
    return exact.mapped(exact_evaluate(replace_nodes(matrix, bodies), {}, {}), exact.settled)
