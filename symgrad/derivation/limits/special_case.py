"""Questions of kind special_case: what an expression becomes where some of its symbols have given values."""

from collections.abc import Sequence

from symgrad.derivation.numbers.fixed import about
from symgrad.derivation.points import Point, at_places
from symgrad.derivation.reading_order import specialise
from symgrad.derivation.resolving import as_formulas
from symgrad.derivation.simplification import simplified, with_filled_added
from symgrad.derivation.steps import Block, Line, Reason, Result
from symgrad.derivation.valued import is_number, valued
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.derivation.writing_out import depends, earlier_states, put_in, readable, written_out
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Density, Expr, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """``of`` with the values put in, simplified by named rewrites, and its other name where the model has one.

    Raises:
        QuestionError: nothing that is set occurs in it.
    """
    settings = (*question.settings("set"), *question.settings("at"))
    if any(s.approach is not None for s in settings):
        raise QuestionError("a value that is approached makes a limit: ask: limit", question.place)
    point = Point.of(problem, settings)
    system = specialise(problem.system, point.integers, point.definitions)
    asked = reindex(question.of.expr, point.integers)
    root = as_formulas(problem.system, asked)
    names = {d.family for d in point.definitions}
    stays = earlier_states(system, root)
    if not depends(system, root, names, stays) and asked is question.of.expr:
        raise QuestionError("nothing that is set occurs in it", question.of.place)
    work = workspace(problem, question, system, [root])
    open_form = written_out(system, root, names, stays=stays)
    first = _derivatives(problem, question, asked, root)
    value, blocks = worked_out(work, root, open_form, point.definitions)
    work.certifier.checks += [x.check for x in first]
    return (valued(question, root, value, system, [*first, *blocks], work),)


def _derivatives(problem: Problem, question: Question, asked: Expr, root: Expr) -> list[Line]:
    """The derivatives in what is asked for as formulas, before anything is set."""
    if root is asked:
        return []
    certifier = workspace(problem, question, problem.system, [asked]).certifier
    return [certifier.line(asked, root, reason=("the derivative",), rule="derivative")]


def worked_out(
    work: Workspace, root: Expr, open_form: Expr, definitions: Sequence[Definition]
) -> tuple[Expr, list[Block]]:
    """The value, and the lines: the definition, the values put in, each simplification, the name it has."""
    system = work.system
    values: dict[Expr, Expr] = {}
    given = {d.family for d in definitions}
    for x in postorder(open_form, into=lambda n: not isinstance(n, Density)):
        v = x.table if isinstance(x, Density) else x
        if isinstance(v, Var) and v.name in given:
            body = system.body(v)
            assert body is not None
            values[x] = at_places(body, x.at) if isinstance(x, Density) else body
    settled = with_filled_added(replace_nodes(open_form, values))
    found: list[tuple[Expr, Reason]] = []
    if open_form is not root:
        found.append((open_form, ("definition",)))
    if values:
        words = tuple(_with(values))
        if readable(open_form, values):
            found.append((put_in(open_form, values), words))
        found.append((settled, words))
    found += simplified(settled)
    value = found[-1][0] if found else open_form
    name = _name(system, value, root)
    if name is not None:
        found.append((name, ("definition of ", name)))
        value = name
    merged = _merged(found)
    lines: list[Block] = []
    for k, (x, reason) in enumerate(merged):
        boxed = k == len(merged) - 1
        if boxed and is_number(x) and b.number_of(x) is None:
            near = about(float(work.certifier.instances[0].value(x)[0]))
            reason = (*reason, "; " if reason else "", *near)
        lines.append(work.certifier.line(root, x, reason=reason, rule="special case", boxed=boxed))
    return value, lines


def _with(values: dict[Expr, Expr]) -> list[str | Expr]:
    """with γ = 0 and p = 1."""
    words: list[str | Expr] = []
    for k, (node, value) in enumerate(values.items()):
        words += [" and "] if k else []
        plain = not value.order or b.number_of(value) is not None
        words += [b.compare("==", node, value)] if plain else ["the given ", node]
    return words


def _merged(found: list[tuple[Expr, Reason]]) -> list[tuple[Expr, Reason]]:
    """Each expression once; the reason of the first."""
    out: dict[Expr, Reason] = {}
    for x, reason in found:
        if x in out:
            out[x] = out[x] or reason
        else:
            out[x] = reason
    return list(out.items())


def _name(system: System, value: Expr, root: Expr) -> Expr | None:
    """The node of the model that is defined as the value, if it is another than the one asked about."""
    if not value.children:
        return None
    for d in system.definitions:
        if not d.indices and d.body is value and d.target is not root:
            return d.target
    return None
