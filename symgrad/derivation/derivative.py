"""Questions of kind derivative: which way leads to the form that is asked for."""

from collections.abc import Sequence

from symgrad.calculus.dependency import lags
from symgrad.derivation import backprop
from symgrad.derivation.entries import ByEntries, place
from symgrad.derivation.naming import Names
from symgrad.derivation.paths import Paths
from symgrad.derivation.program import derivative_code
from symgrad.derivation.recurrence import ClosedForm
from symgrad.derivation.steps import Block, Introduced, Reason, Result
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.errors import QuestionError
from symgrad.problem.model import Asked, Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Deriv, Entry, Expr, Rel, Var
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import variables


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """∂of/∂wrt in the form asked for, one result for each ``wrt``."""
    of, wrt = question.of, question.wrt
    system, node = as_node(problem.system, of.expr, problem)
    form = question.form or "chain"
    if question.order == 2:
        return tuple(_second(problem, question, system, node, w) for w in wrt)
    if form == "backprop":
        return tuple(backprop.solve(problem, question, node, wrt))
    return tuple(_one(problem, question, system, node, w, form) for w in wrt)


def as_node(system: System, expr: Expr, problem: Problem) -> tuple[System, Expr]:
    """The expression as a named node: itself, an entry of one, or a new definition of the model."""
    if isinstance(expr, Var) or (isinstance(expr, Entry) and isinstance(expr.arg, Var)):
        return system, expr
    used = {d.family for d in system.definitions} | set(problem.declarations) | set(problem.sizes)
    name = next(n for n in ("f", "y", "g", "r", "f_1") if n not in used)
    definition = Definition(name, (), expr)
    return system.extended([definition]), definition.target


def _one(problem: Problem, question: Question, system: System, of: Expr, w: Asked, form: str) -> Result:
    conds = [c for c in (*question.where, *problem.assumptions) if isinstance(c, Rel)]
    by_entries = form == "components" or not isinstance(of, Var) or not isinstance(w.expr, Var)
    if not by_entries and of.order and of.order + w.expr.order > 2:
        by_entries = True
    if by_entries:
        return _by_entries(problem, question, system, of, w, conds)
    assert isinstance(of, Var)
    assert isinstance(w.expr, Var)
    if form == "sum-of-products" or (form != "plain" and _open_recurrence(system, of, w.expr)):
        work, value, blocks = ClosedForm(problem, question, of, w.expr, tuple(conds)).solve()
        return _result(work, question, of, w, value, blocks)
    added: tuple[Definition, ...] = ()
    if form == "factored" and not of.order:
        system, added = backprop.with_preactivations(problem, system, of)
    work = workspace(problem, question, system, [of, w.expr], conds)
    leave = frozenset(x.expr for x in question.several("leave") if isinstance(x.expr, Var))
    held = frozenset(x.expr for x in question.several("hold"))
    names = Names(work)
    paths = Paths(work, names, of, w.expr, form, leave, held, adjoints=frozenset(d.family for d in added))
    value = paths.solve()
    blocks = [
        *(
            Introduced(d.target, d.body, ("pre-activation",))
            for d in added
            if any(v.name == d.family for v in paths.graph.order)
        ),
        *paths.blocks,
    ]
    if of is not question.of.expr:
        blocks.insert(0, Introduced(of, question.of.expr))
    return _result(work, question, of, w, value, blocks, held, names, paths.reason)


def _open_recurrence(system: System, of: Var, wrt: Var) -> bool:
    """Whether the paths from wrt to of run over steps without a numeric end."""
    table = lags(system)
    places = table.position.get(of.name, {})
    open_step = any(k < len(of.subs) and not isinstance(of.subs[k], int) for k in places.values())
    endless = any(not isinstance(x.hi, int) for x in system.steps.values())
    carried = bool(table.sign.get(of.name, set()) - {0})
    if not carried or (wrt.name in {v for v in table.position if table.position[v]} and wrt.subs):
        return False
    return open_step or (endless and not places)


def _by_entries(
    problem: Problem, question: Question, system: System, of: Expr, w: Asked, conds: Sequence[Rel]
) -> Result:
    work = workspace(problem, question, system, [of, w.expr], conds)
    held = frozenset(x.expr for x in question.several("hold"))
    rows = place(of, "ijk", work)
    columns = place(w.expr, "jklmpq" if rows.binders and len(rows.binders) == 1 else "lmpqrs", work)
    value, whole, blocks = ByEntries(work, rows, columns, held).solve()
    difference = work.certifier.differences(of, w.expr, whole, held)
    left = Deriv(rows.entry, columns.entry, "total", (), held)
    checks = (*work.certifier.checks, difference)
    del value
    return Result(
        question.of.text,
        w.text,
        left,
        whole,
        whole.shape,
        tuple(blocks),
        checks,
        code=derivative_code(problem, system, of, w.expr, whole, work.system, held),
    )


def _result(
    work: Workspace,
    question: Question,
    of: Expr,
    w: Asked,
    value: Expr,
    blocks: list[Block],
    held: frozenset[Expr] = frozenset(),
    names: Names | None = None,
    reason: Reason = ("chain rule",),
) -> Result:
    left = b.deriv(of, w.expr, "total", held)
    line = work.certifier.line(left, value, reason=reason, rule="result", boxed=True)
    work.certifier.differences(of, w.expr, value, held)
    used = {v.name for v in variables(value, into_derivatives=True)}
    where = tuple(x for x in work.introduced if x.name.name in used)
    pending = tuple(names.take()) if names is not None else ()
    return Result(
        question.of.text,
        w.text,
        left,
        value,
        value.shape,
        (*blocks, *pending, line),
        tuple(work.certifier.checks),
        where,
        code=derivative_code(work.problem, work.problem.system, of, w.expr, value, work.system, held),
    )


def _second(problem: Problem, question: Question, system: System, of: Expr, w: Asked) -> Result:
    """∂²of/∂w²: the gradient named, and differentiated once more."""
    if not isinstance(of, Var) or of.order or not isinstance(w.expr, Var):
        raise QuestionError("order 2 is of a scalar by a named node")
    work = workspace(problem, question, system, [of, w.expr])
    first = Paths(work, Names(work), of, w.expr, "chain")
    gradient = first.solve()
    name = Var(work.fresh("g", "q", "G"), (), gradient.shape)
    shown = work.introduce(name, gradient, reason=("the gradient",))
    blocks: list[Block] = [
        *first.blocks,
        work.certifier.line(b.deriv(of, w.expr), gradient, name, rule="gradient"),
        shown,
    ]
    if gradient.order + w.expr.order <= 2:
        second = Paths(work, Names(work), name, w.expr, "chain")
        value = second.solve()
        blocks += second.blocks
        left: Expr = b.deriv(name, w.expr)
        blocks.append(work.certifier.line(left, value, rule="Hessian", boxed=True))
    else:
        rows, columns = place(name, "ijk", work), place(w.expr, "lmpq", work)
        entry, value, lines = ByEntries(work, rows, columns).solve()
        blocks += lines
        left = Deriv(rows.entry, columns.entry, "total", ())
        del entry
    check = work.certifier.differences(b.deriv(of, w.expr), w.expr, value)
    return Result(question.of.text, w.text, left, value, value.shape, tuple(blocks), (*work.certifier.checks, check))
