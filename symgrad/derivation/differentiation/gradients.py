"""Derivatives that a model speaks of, g = ∂f/∂x, as formulas: what is defined by one can be differentiated again."""

from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from symgrad.derivation.differentiation.entries import ByEntries, place
from symgrad.derivation.differentiation.paths import Paths
from symgrad.derivation.naming import Names
from symgrad.derivation.steps import Line, Reason
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.errors import QuestionError
from symgrad.problem.model import Asked, Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Call, Deriv, Expr, MatMul, Opaque, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import find, variables

DIFFERENTIATING = frozenset({"derivative", "update", "bound", "convexity", "optimum", "depends"})
"""The kinds of questions that differentiate what they are about; others can read ∂f/∂x as it stands."""


class Settled(Struct, frozen=True):
    """A problem and a question without derivatives in definitions, and the lines that gave the formulas."""

    problem: Problem
    question: Question
    lines: tuple[Line, ...] = ()


def settled(problem: Problem, question: Question) -> Settled:
    """The problem with every total derivative in the definitions that a question needs written out.

    The partials of opaque losses stay, for they are given.

    Raises:
        QuestionError: one of them has no formula, such as a derivative along a recurrence.
    """
    run = _Run(problem, question, problem.system)
    for d in _needed(problem.system, question):
        run.settle(d)
    fields = dict(question.fields)
    for name, value in fields.items() if question.ask in DIFFERENTIATING else ():
        if isinstance(value, Asked) and next(_open(value.expr, run.system), None) is not None:
            fields[name] = replace(value, expr=run.formula(value.expr))
    if not run.lines:
        return Settled(problem, question)
    return Settled(replace(problem, system=run.system), replace(question, fields=fields), tuple(run.lines.values()))


def _needed(system: System, question: Question) -> list[Definition]:
    """The definitions upstream of a question that hold derivatives, in the author's order."""
    if not any(next(_open(d.body, system), None) for d in system.definitions):
        return []
    asked = [x.expr for name in question.fields for x in question.several(name)]
    waiting = [v.name for x in asked for v in variables(x, into_derivatives=True)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [v.name for d in system.family(name) for v in variables(d.body, into_derivatives=True)]
    return [d for d in system.definitions if d.family in seen and next(_open(d.body, system), None) is not None]


def _open(root: Expr, system: System) -> Iterator[Deriv]:
    """The total derivatives of what is defined, innermost first."""
    for x in find(root, Deriv):
        if isinstance(x, Deriv) and x.kind == "total" and not x.held:
            given = isinstance(x.of, Var) and isinstance(system.body(x.of), Opaque)
            if not given:
                yield x


class _Run(Struct):
    problem: Problem
    question: Question
    system: System
    lines: dict[Expr, Line] = field(default_factory=dict)

    def settle(self, d: Definition) -> None:
        """Put formulas into one definition."""
        fresh = replace(d, body=self.formula(d.body))
        kept = tuple(fresh if x is d else x for x in self.system.definitions)
        self.system = System(kept, self.system.steps)

    def formula(self, root: Expr) -> Expr:
        """The expression with formulas for its derivatives, those inside of others first."""
        while (found := next(_open(root, self.system), None)) is not None:
            root = replace_nodes(root, {found: self._value(found)})
        return root

    def _value(self, x: Deriv) -> Expr:
        if x in self.lines:
            return self.lines[x].right[-1]
        system, of = self.system, x.of
        if not isinstance(of, Var):
            name = "the quantity differentiated"
            system = system.extended([Definition(name, (), of)])
            of = system.family(name)[0].target
        work = workspace(self.problem, self.question, system, [of, x.wrt])
        value, reason = _derived(work, of, x.wrt)
        value = value if of is x.of else replace_nodes(value, {of: x.of})
        if any(y.kind == "total" for y in find(value, Deriv) if isinstance(y, Deriv)) and next(
            _open(value, self.system), None
        ):
            raise QuestionError(f"{describe_node(x)} has no formula that could be differentiated again")
        self.lines[x] = work.certifier.line(x, value, reason=reason, rule="gradient")
        return value


def _derived(work: Workspace, of: Var, wrt: Expr) -> tuple[Expr, Reason]:
    if isinstance(wrt, Var) and (not of.order or of.order + wrt.order <= 2):
        names = Names(work)
        paths = Paths(work, names, of, wrt, "plain")
        value = replace_nodes(paths.solve(), {name: body for body, name in names.made.items()})
        return transform(value, _entry_by_entry), paths.reason
    rows, columns = place(of, "ijk", work), place(wrt, "lmpq", work)
    return ByEntries(work, rows, columns).solve()[1], ("by entries",)


def _entry_by_entry(x: Expr) -> Expr:
    """diag(d) v as d ⊙ v, which can be differentiated without a tensor of three axes."""
    if not isinstance(x, MatMul) or x.order != 1 or x.row:
        return x
    *rest, scaled = x.args
    while rest and isinstance(rest[-1], Call) and rest[-1].fn == "diag":
        scaled = b.mul(rest.pop().children[0], scaled)
    return b.matmul(*rest, scaled)
