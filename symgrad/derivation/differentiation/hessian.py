"""Derivatives of order two: the gradient by name, and differentiated once more."""

from symgrad.calculus.rewrite import entry_by_entry, is_diag, multiply_out, size
from symgrad.derivation.differentiation.entries import ByEntries, place
from symgrad.derivation.differentiation.paths import Paths
from symgrad.derivation.naming import Names
from symgrad.derivation.steps import Block, Code, Result
from symgrad.derivation.workspace import names_in, relations, workspace
from symgrad.errors import QuestionError
from symgrad.problem.model import Asked, Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Deriv, Expr, Var
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import System


def second_order(problem: Problem, question: Question, system: System, of: Expr, w: Asked) -> Result:
    """∂²of/∂w² = ∂g/∂w with g = ∂of/∂w; the Hessian where w is a vector.

    The slopes that stand as named diagonal matrices in the gradient are multiplied out before it is differentiated:
    d ⊙ x has a Jacobian in matrix notation where diag(d) by itself has none.

    Raises:
        QuestionError: ``of`` is no scalar, or one of them has no name.
    """
    if not isinstance(of, Var) or of.order or not isinstance(w.expr, Var):
        raise QuestionError("order 2 is of a scalar by a named node")
    work = workspace(problem, question, system, [of, w.expr], relations(problem, question))
    names = Names(work)
    held = frozenset(x.expr for x in question.several("hold"))
    first = Paths(work, names, of, w.expr, "chain", held=held)
    stated = first.solve()
    gradient = entry_by_entry(replace_nodes(stated, {name: x for x, name in names.made.items() if is_diag(x)}))
    name = Var(work.fresh("g", "q", "G"), (), gradient.shape)
    slope = b.deriv(of, w.expr, "total", held)
    shown = work.introduce(name, gradient)
    sides = dict.fromkeys((stated, gradient, name))
    blocks: list[Block] = [
        *first.blocks,
        work.certifier.line(slope, *sides, reason=first.reason, rule="gradient"),
        shown,
    ]
    left: Expr
    if gradient.order + w.expr.order <= 2:
        second = Paths(work, names, name, w.expr, "chain", held=held, shown={*first.shown, (slope, stated)})
        found = second.solve()
        value = min((found, multiply_out(found)), key=size)
        left = b.deriv(name, w.expr, "total", held)
        blocks += second.blocks
        blocks.append(work.certifier.line(left, value, reason=second.reason, rule="Hessian", boxed=True))
        blocks += names.take(value)
    else:
        rows, columns = place(name, "ijk", work), place(w.expr, "lmpq", work)
        _, value, lines = ByEntries(work, rows, columns, held).solve()
        left = Deriv(rows.entry, columns.entry, "total", (), held)
        blocks += lines
    check = work.certifier.differences(name if held else slope, w.expr, value, held)
    return Result(
        question.of.text,
        w.text,
        left,
        value,
        value.shape,
        tuple(blocks),
        (*work.certifier.checks, check),
        names_in(work, value),
        code=Code(work.system, value),
    )
