"""Questions of kind limit: which scalar goes where, and from which side."""

import sympy

from symgrad.derivation.in_sympy import InSympy
from symgrad.derivation.limits import sums as limit_sums
from symgrad.derivation.limits.search import INFINITY, Approach, Search
from symgrad.derivation.limits.ways import ways
from symgrad.derivation.points import Point
from symgrad.derivation.reading_order import specialise
from symgrad.derivation.resolving import as_formulas
from symgrad.derivation.steps import Result
from symgrad.derivation.workspace import workspace
from symgrad.derivation.writing_out import depends, written_out
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question, Setting
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Count, Expr, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import reindex
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import System
from symgrad.tensor.walk import postorder, variables


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """lim of as a scalar goes to a point, other settings being fixed values.

    Raises:
        QuestionError: there is no limit, or none that can be found.
    """
    settings = (*question.settings("at"), *question.settings("set"))
    moving = [s for s in settings if s.approach is not None]
    fixed = [s for s in settings if s.approach is None]
    if len(moving) > 1:
        raise QuestionError("ask for one limit at a time; fix the other symbols with 'set'", question.place)
    if not moving:
        raise QuestionError("say what goes where: at: p -> 1", question.place)
    point = Point.of(problem, fixed)
    system = specialise(problem.system, point.integers, point.definitions)
    asked = root = as_formulas(system, reindex(question.of.expr, point.integers))
    size = moving[0].target
    if isinstance(size, sympy.Symbol):
        asked = written_out(system, root, [v.name for v in _inputs(system, root)])
        root = limit_sums.closed(asked, size)
    summed = root
    system, root, approach = _approach(system, root, moving[0])
    names = {approach.var.name, *(d.family for d in point.definitions)}
    if not depends(system, root, {approach.var.name}):
        raise QuestionError(f"it does not depend on {approach.var.name}", question.of.place)
    work = workspace(problem, question, system, [approach.of(root)])
    open_form = written_out(system, root, names)
    given: dict[Expr, Expr] = {d.target: d.body for d in point.definitions}
    result = Search(work, approach, ways).solve(question, root, replace_nodes(open_form, given))
    if asked is not summed:
        result = limit_sums.explained(result, workspace(problem, question, problem.system, [asked]), asked, summed)
    return (result,)


def _approach(system: System, root: Expr, s: Setting) -> tuple[System, Expr, Approach]:
    """The variable and its side; a size becomes a number of its own, a defined node is freed of its definition."""
    target = s.target
    if target is None and not s.name:
        free = [v for v in _inputs(system, root) if not v.order]
        if len(free) != 1:
            names = ", ".join(v.name for v in free) or "none"
            raise QuestionError(f"say which variable goes there: {names} are free", s.place)
        target = free[0]
    if isinstance(target, sympy.Symbol):
        return _growing(system, root, target, s)
    if not isinstance(target, Var) or target.order:
        raise QuestionError("a limit is taken in a scalar symbol or size", s.place)
    point = INFINITY if s.infinite > 0 else b.neg(INFINITY) if s.infinite else s.value.entries[0]
    side = "" if s.infinite else s.approach or _side(target, point)
    if any(v is target for v in variables(point)):
        raise QuestionError("the limit point may not depend on the variable", s.place)
    kept = tuple(d for d in system.definitions if d.family != target.name)
    return System(kept, system.steps), root, Approach(target, point, side)


def _inputs(system: System, root: Expr) -> list[Var]:
    seen: dict[Var, None] = {}
    waiting = list(variables(root))
    while waiting:
        v = waiting.pop(0)
        body = system.body(v)
        if body is None:
            seen[v] = None
        else:
            waiting += [w for w in variables(body) if w not in seen]
    return list(seen)


def _side(var: Var, point: Expr) -> str:
    """The side from which a variable that lies in an interval comes to its end."""
    value = b.number_of(point)
    if value == 0 and var.facts & {"positive", "probability"}:
        return "+"
    return "-" if value == 1 and "probability" in var.facts else ""


def _growing(system: System, root: Expr, size: sympy.Symbol, s: Setting) -> tuple[System, Expr, Approach]:
    """A size that grows: allowed where it is only counted with, and no array has it."""
    if not s.infinite:
        raise QuestionError("a size can only grow without end: n -> inf", s.place)
    root = written_out(system, root, [v.name for v in _inputs(system, root)])
    var = Var(size.name, (), (), frozenset({"positive"}))
    reading = InSympy()

    def rule(x: Expr) -> Expr:
        if isinstance(x, Var) and x.name == size.name:
            return var
        if isinstance(x, Count) and size in x.value.free_symbols:
            reading.nodes[size] = var
            return reading.back(x.value)
        return x

    changed = transform(root, rule)
    if any(size in getattr(n, "free_symbols", ()) for x in postorder(changed) for n in x.shape):
        raise QuestionError(f"arrays of growing size {size.name}; write the limit over a scalar", s.place)
    return system, changed, Approach(var, INFINITY, "")
