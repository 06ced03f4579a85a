"""Questions of kind derivative: which way leads to the form that is asked for."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from symgrad.calculus.dependency import lags
from symgrad.calculus.ends import open_ends
from symgrad.calculus.layer_adjoints import has_layer
from symgrad.calculus.layer_sums import in_entries
from symgrad.calculus.rewrite import size
from symgrad.calculus.trace import OpenPaths
from symgrad.derivation.at_ends import at_ends
from symgrad.derivation.differentiation import backprop
from symgrad.derivation.differentiation.convolutions import layer_lines, sum_lines
from symgrad.derivation.differentiation.entries import ByEntries, place
from symgrad.derivation.differentiation.hessian import second_order
from symgrad.derivation.differentiation.holding import ALONG_PATHS, computed, freed, held_throughout, said, without
from symgrad.derivation.differentiation.paths import Paths
from symgrad.derivation.differentiation.recurrence import ClosedForm, carried_by_one, ended
from symgrad.derivation.differentiation.state import states
from symgrad.derivation.naming import Names
from symgrad.derivation.program import derivative_code
from symgrad.derivation.steps import Block, Introduced, Reason, Result
from symgrad.derivation.workspace import Workspace, names_in, names_in_use, relations, workspace
from symgrad.problem.model import Asked, Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Apply, Deriv, Entry, Expr, Rel, Var
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder

READABLE: Final = 40
"""Names in a gradient that is not taken apart by adjoints, where no form is asked for."""


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """∂of/∂wrt in the form asked for, one result for each ``wrt``."""
    system, node = as_node(problem.system, question.of.expr, problem)
    first, *others = _in_form(problem, question, system, node)
    if isinstance(node, Var) and node is not question.of.expr:
        first = replace(first, blocks=(Introduced(node, question.of.expr), *first.blocks))
    return (first, *others)


def _in_form(problem: Problem, question: Question, system: System, node: Expr) -> tuple[Result, ...]:
    if question.several("hold"):
        return _holding(problem, question, system, node)
    if question.order == 2:
        return tuple(second_order(problem, question, system, node, w) for w in question.wrt)
    if question.form == "backprop":
        return _backwards(problem, question, system, node)
    try:
        return _forwards(problem, question, system, node)
    except OpenPaths:
        if question.form not in (None, "chain") and not _to_open_state(node, question.wrt):
            raise
        if node.order:
            return tuple(_one(problem, question, system, node, w, "sum-of-products") for w in question.wrt)
        if question.form:
            raise
        return _backwards(problem, question, system, node)


def _holding(problem: Problem, question: Question, system: System, node: Expr) -> tuple[Result, ...]:
    """With nodes held: along the paths that do not pass them; where these have no end, with every step held."""
    if question.order == 2:
        return tuple(second_order(problem, question, system, node, w) for w in question.wrt)
    form = ALONG_PATHS.get(question.form or "chain", question.form or "chain")
    in_matrices = form != "components" and _in_matrices(node, question.wrt)
    try:
        if in_matrices:
            assert isinstance(node, Var)
            return tuple(_along_paths(problem, question, system, node, question.wrt, form))
        conds = relations(problem, question)
        return tuple(_by_entries(problem, question, system, node, w, conds) for w in question.wrt)
    except OpenPaths:
        families = held_throughout(system, question.several("hold"), (node, *(w.expr for w in question.wrt)))
    cut = ended(problem, system, node)[1] if isinstance(node, Var) else system
    given = [d for d in cut.definitions if d.family in {v.name for v in families}]
    found = _in_form(problem, freed(question), without(system, families), node)
    first, *others = (computed(r, given) for r in found)
    return (replace(first, blocks=(said(families), *first.blocks)), *others)


def _backwards(problem: Problem, question: Question, system: System, node: Expr) -> tuple[Result, ...]:
    return tuple(
        replace(r, code=derivative_code(problem, system, node, w.expr, w.expr, system))
        for r, w in zip(backprop.solve(problem, question, system, node, question.wrt), question.wrt, strict=True)
    )


def _forwards(problem: Problem, question: Question, system: System, node: Expr) -> tuple[Result, ...]:
    wrt, form = question.wrt, question.form or "chain"
    if form in ("chain", "expanded", "factored") and _in_matrices(node, wrt):
        assert isinstance(node, Var)
        if not any(_open_recurrence(system, node, w.expr) for w in wrt if isinstance(w.expr, Var)):
            found = tuple(_along_paths(problem, question, system, node, wrt, form))
            if question.form or not any(r.value is not None and size(r.value) > READABLE for r in found):
                return found
            return tuple(_along_paths(problem, question, system, node, wrt, "factored"))
    return tuple(_one(problem, question, system, node, w, form) for w in wrt)


def _to_open_state(of: Expr, wrt: Sequence[Asked]) -> bool:
    """Whether a state is differentiated by another one of its kind, at steps that lie openly apart."""
    return isinstance(of, Var) and all(isinstance(w.expr, Var) and w.expr.name == of.name for w in wrt)


def _in_matrices(of: Expr, wrt: Sequence[Asked]) -> bool:
    """Whether the derivatives are scalars' gradients or fit a matrix, by named nodes."""
    if not isinstance(of, Var) or not all(isinstance(w.expr, Var) for w in wrt):
        return False
    return not of.order or all(of.order + w.expr.order <= 2 for w in wrt)


def _along_paths(
    problem: Problem, question: Question, system: System, of: Var, wrt: Sequence[Asked], form: str
) -> Iterator[Result]:
    """Chain, expanded and factored: the results share the names and the lines on the way."""
    added: tuple[Definition, ...] = ()
    model = system
    if not of.order:
        chosen = None if form == "factored" else has_layer
        system, added = backprop.with_preactivations(problem, system, of, chosen)
    conds = relations(problem, question)
    work = workspace(problem, question, system, [of, *(w.expr for w in wrt)], conds)
    leave = frozenset(x.expr for x in question.several("leave") if isinstance(x.expr, Var))
    held = frozenset(x.expr for x in question.several("hold"))
    names = Names(work, several=_slopes(system) > 1)
    shown: set[tuple[Expr, ...]] = set()
    used: set[str] = set()
    start = 0
    for w in wrt:
        assert isinstance(w.expr, Var)
        adjoints = frozenset(d.family for d in added)
        paths = Paths(work, names, of, w.expr, form, leave, held, adjoints=adjoints, shown=shown)
        value = paths.solve()
        blocks: list[Block] = []
        fresh = [d for d in added if d.family not in used and any(v.name == d.family for v in paths.graph.order)]
        used |= {d.family for d in fresh}
        blocks += [Introduced(d.target, d.body, ("pre-activation",)) for d in fresh]
        yield _result(work, question, model, of, w, value, [*blocks, *paths.blocks], held, names, paths.reason, start)
        start = len(work.certifier.checks)


def _slopes(system: System) -> int:
    """The number of families whose definitions apply a function entry by entry to a vector."""
    return len({d.family for d in system.definitions if any(_bends(x) for x in postorder(d.body))})


def _bends(x: Expr) -> bool:
    return isinstance(x, Apply) and x.order == 1 and x.fn not in ("sign", "floor", "ceil")


def as_node(system: System, expr: Expr, problem: Problem) -> tuple[System, Expr]:
    """The expression as a named node: itself, an entry of one, or a new definition of the model."""
    if isinstance(expr, Var) or (isinstance(expr, Entry) and isinstance(expr.arg, Var)):
        return system, expr
    used = {d.family for d in system.definitions} | set(problem.declarations) | set(problem.sizes)
    name = next(n for n in ("f", "y", "g", "r", "f_1") if n not in used)
    definition = Definition(name, (), expr)
    return system.extended([definition]), definition.target


def _one(problem: Problem, question: Question, system: System, of: Expr, w: Asked, form: str) -> Result:
    conds = relations(problem, question)
    named = isinstance(of, Var) and isinstance(w.expr, Var)
    if form == "components" or not named or (of.order and of.order + w.expr.order > 2):
        return _by_entries(problem, question, system, of, w, conds)
    assert isinstance(of, Var)
    assert isinstance(w.expr, Var)
    opened = open_ends(system, [of, w.expr], names_in_use(problem, system), shortest=2, near=0)
    start = of if opened is None else opened.open(of)
    usable = opened is not None and not of.order and isinstance(start, Var)
    if not (usable and form == "sum-of-products" and not states(system, of.name, w.expr.name)):
        try:
            return _closed(problem, question, system, system, of, w)
        except OpenPaths:
            if not usable:
                raise
    assert opened is not None
    assert isinstance(start, Var)
    found = _closed(problem, question, system, opened.system, start, replace(w, expr=opened.open(w.expr)))
    return at_ends(found, opened)


def _closed(problem: Problem, question: Question, model: System, system: System, of: Var, w: Asked) -> Result:
    """The closed form in a system, which may be the model with its ends opened."""
    assert isinstance(w.expr, Var)
    closed = ClosedForm(problem, question, system, of, w.expr, tuple(relations(problem, question)))
    work, value, blocks = closed.solve()
    return _result(work, question, model, of, w, value, blocks, reason=closed.reason)


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
    columns = place(w.expr, "jklmpq" if rows.binders and len(rows.binders) == 1 else "lmpqrs", work, rows)
    try:
        value, whole, blocks = ByEntries(work, rows, columns, held).solve()
    except OpenPaths:
        _, cut = ended(problem, system, rows.node, of, w.expr)
        if held or carried_by_one(states(cut, rows.node.name, columns.node.name)) is None:
            raise
        work = workspace(problem, question, cut, [of, w.expr], conds)
        value, whole, blocks = ByEntries(work, rows, columns, closed=True).solve()
    difference = work.certifier.differences(of, w.expr, whole, held)
    left = Deriv(rows.entry, columns.entry, "total", (), held)
    if isinstance(w.expr, Entry):
        blocks += sum_lines(work, w.expr, value)
    checks = (*work.certifier.checks, difference)
    return Result(
        question.of.text,
        w.text,
        left,
        whole,
        whole.shape,
        tuple(blocks),
        checks,
        names_in(work, whole),
        code=derivative_code(problem, system, of, w.expr, whole, work.system, held),
    )


def _result(
    work: Workspace,
    question: Question,
    model: System,
    of: Expr,
    w: Asked,
    value: Expr,
    blocks: list[Block],
    held: frozenset[Expr] = frozenset(),
    names: Names | None = None,
    reason: Reason = ("chain rule",),
    start: int = 0,
) -> Result:
    left = b.deriv(of, w.expr, "total", held)
    written = in_entries(value, {d.body: d.target for d in work.system.definitions if not d.ranges})
    sides = dict.fromkeys([*_spelled(work.system, of, w.expr), *([] if written is None else [written]), value])
    line = work.certifier.line(left, *sides, reason=reason, rule="result", boxed=True)
    work.certifier.differences(of, w.expr, value, held)
    pending = tuple(names.take(value)) if names is not None else ()
    closed = names.written_out(value) if names is not None and held else value
    return Result(
        question.of.text,
        w.text,
        left,
        value,
        value.shape,
        (*blocks, line, *pending, *layer_lines(work, of, w.expr, value)),
        tuple(work.certifier.checks[start:]),
        names_in(work, value),
        code=derivative_code(work.problem, model, of, w.expr, closed, work.system, held),
    )


def _spelled(system: System, of: Expr, wrt: Expr) -> tuple[Expr, ...]:
    """The slope of a scalar function in terms of its argument, where a node is that function of ``wrt``."""
    body = system.body(of) if isinstance(of, Var) and not of.order else None
    return SCALARS[body.fn].spelled(wrt) if isinstance(body, Apply) and body.args == (wrt,) else ()
