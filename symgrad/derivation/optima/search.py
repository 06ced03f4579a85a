"""What every search for an optimum works with: the quantity written out, the lines so far, the result at the end."""

from collections.abc import Mapping, Sequence

import sympy
from msgspec import Struct, field

from symgrad.calculus.linear import depends
from symgrad.derivation.identities.integral_rules import closed_form, definitions, mentioned
from symgrad.derivation.resolving import as_formulas
from symgrad.derivation.simplification import simplified
from symgrad.derivation.steps import Block, Check, Code, Reason, Result
from symgrad.derivation.workspace import Workspace, certifier, workspace
from symgrad.derivation.writing_out import depends as reads
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder


class Search(Struct):
    """``whole`` is what is optimised, written out."""

    work: Workspace
    x: Var
    maximum: bool
    of: Expr
    whole: Expr
    blocks: list[Block] = field(default_factory=list)

    def named(self) -> Var:
        """What is optimised, by a name."""
        if isinstance(self.of, Var):
            return self.of
        name = Var(self.work.fresh("f", "g", "q"), (), ())
        self.blocks.append(self.work.introduce(name, self.of))
        return name

    def place(self, at: Expr) -> Var:
        """x*, and where it is, boxed."""
        star = Var(self.work.starred(self.x.name), (), self.x.shape)
        self.work.define([Definition(star.name, (), at)])
        self.blocks.append(self.work.certifier.line(star, at, rule="optimum", boxed=True))
        return star

    def value(self, star: Var, value: Expr, reason: Reason = ("the value there",)) -> Var:
        """f*, and what it is, boxed."""
        f = self.of.name if isinstance(self.of, Var) else "f"
        top, there = Var(self.work.starred(f), (), ()), replace_nodes(self.whole, {self.x: star})
        self.work.define([Definition(top.name, (), there)])
        if there is not value:
            self.blocks.append(self.work.certifier.line(top, value, reason=reason, rule="value", boxed=True))
        return top

    def found(self, star: Var, at: Expr, value: Expr, checked: Check) -> Result:
        """The result of the search, with the lines so far."""
        return Result(
            self.work.question.of.text,
            None,
            star,
            at,
            at.shape,
            tuple(self.blocks),
            (*self.work.certifier.checks, checked),
            extra={"at": at, "value": value},
            code=Code(self.work.problem.system, value, outputs=(("at", at), ("value", value))),
        )

    def result(self, at: Expr, value: Expr, checked: Check) -> Result:
        """The place and the value, boxed."""
        star = self.place(at)
        self.value(star, value)
        return self.found(star, at, value, checked)


def begin(problem: Problem, question: Question, over: Sequence[Var], maximum: bool, keep: bool = False) -> Search:
    """A search for an optimum over variables, the definitions put in, which starts with the first of them.

    With ``keep``, what none of the variables is in keeps its name.

    Raises:
        QuestionError: the quantity does not depend on one of them.
    """
    work = workspace(problem, question, problem.system, [question.of.expr, *over])
    of = as_formulas(work.system, question.of.expr)
    system, names = work.system, {x.name for x in over}
    whole = closed_form(definitions(system, lambda v: keep and not reads(system, v, names), False).apply(of))
    if not all(depends(whole, x) for x in over):
        raise QuestionError("the quantity does not depend on the variable", question.place)
    if any(x.order for x in over):
        sizes = [_slender(n.sizes, over) for n in work.certifier.instances]
        work.certifier = certifier(problem, question, problem.system, sizes)
    search = Search(work, over[0], maximum, of, whole)
    if whole is not of:
        reason = mentioned(of, work.system)
        search.blocks.append(work.certifier.line(of, whole, reason=reason, rule="definition"))
    return search


def _slender(sizes: Mapping[sympy.Symbol, int], over: Sequence[Var]) -> dict[sympy.Symbol, int]:
    """Sizes at which a matrix that acts on a variable has more rows than columns."""
    own = {s for x in over for n in x.shape for s in symbols_of(n)}
    return {s: min(n, 3) if s in own else n + 2 if s.is_positive else n for s, n in sizes.items()}


def shortest(x: Expr) -> Expr:
    """The expression with sums of equal terms and the like worked out."""
    return ([x] + [y for y, _ in simplified(x)])[-1]


def length(x: Expr) -> int:
    """How many signs an expression takes, what is shared counted as often as it stands there."""
    known: dict[Expr, int] = {}
    for n in postorder(x):
        known[n] = 1 + sum(known[c] for c in n.children)
    return known[x]
