"""Results whose value is an expression, exact where it is a number."""

from typing import Any

from symgrad.derivation import exact
from symgrad.derivation.steps import Block, Code, Result
from symgrad.derivation.workspace import Workspace
from symgrad.problem.model import Question
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import Const, Expr
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.sympy_border import exact_evaluate
from symgrad.tensor.system import System
from symgrad.tensor.walk import postorder, variables


def is_number(value: Expr) -> bool:
    """Whether an expression is one finite number."""
    return not value.order and _is_array(value)


def _is_array(value: Expr) -> bool:
    sized = not any(symbols_of(s) for s in value.shape)
    finite = Const("inf") not in postorder(value)
    return not variables(value) and not free_ints(value) and sized and finite


def closed(value: Expr) -> Any:
    """The number, or the nested list of them, that an expression without names is; None where it is none."""
    return exact_evaluate(value, {}, {}) if _is_array(value) else None


def valued(question: Question, left: Expr, value: Expr, system: System, blocks: list[Block], work: Workspace) -> Result:
    """The result left = value."""
    number = closed(value)
    rational = number is not None and exact.is_rational(number)
    return Result(
        question.of.text,
        None,
        left,
        value,
        value.shape,
        tuple(blocks),
        tuple(work.certifier.checks),
        exact=None if number is None or not exact.is_exact(number) else exact.plain(number),
        inexact=None if number is None or rational else exact.floats(number),
        code=Code(system, value),
    )
