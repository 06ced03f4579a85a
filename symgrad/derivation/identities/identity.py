"""Questions of kind identity: a proof in named steps, or a counterexample with numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from symgrad.calculus.numeric import Numbers
from symgrad.derivation.assuming import Imposed
from symgrad.derivation.certify import Certifier
from symgrad.derivation.identities import counterexample as refuting
from symgrad.derivation.identities.proofs import Proofs
from symgrad.derivation.points import function_definition
from symgrad.derivation.steps import Block, Introduced, Line, Prose, Reason, Result
from symgrad.derivation.workspace import Workspace, certifier, choose_sizes
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Asked, Condition, Problem, Question
from symgrad.syntax.tree import Transpose as Transposed
from symgrad.tensor import build as b
from symgrad.tensor.integers import replace as replaced
from symgrad.tensor.nodes import (
    Add,
    Compare,
    Density,
    Expr,
    Integral,
    MatMul,
    Rel,
    Transpose,
    Var,
)
from symgrad.tensor.reindex import reindex
from symgrad.tensor.shapes import describe, same_shape
from symgrad.tensor.stable import Array
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder

_SIGNS: Mapping[str, str] = {"==": "=", "<=": "<=", ">=": ">="}
_POINTS = 12
_UNPROVED = "No proof in named steps is known here: it was checked in numbers only, and holds at every point tried."


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """Whether left = right, or ≤, or ≥, for all inputs.

    Raises:
        QuestionError: the two sides have different shapes.
    """
    left, right = as_written(question.asked("left")), as_written(question.asked("right"))
    if left.order and right.order and (not same_shape(left.shape, right.shape) or left.row != right.row):
        raise QuestionError(f"the left side is {describe(left)}, the right side {describe(right)}", question.place)
    left, right = _filling(left, right), _filling(right, left)
    conditions = (*question.assume, *problem.assumptions)
    system = problem.system.extended(d for c in conditions if (d := assumed_definition(c)) is not None)
    choices = choose_sizes(system, [left, right], [c for c in conditions if isinstance(c, Rel)])
    work = Workspace(problem, question, system, certifier(problem, question, system, choices, points=_POINTS))
    claim = Claim(work, left, right, _SIGNS[question.word("relation") or "=="])
    search = refuting.Search(system, left, right, claim.relation, choices, Imposed.of(problem, question))
    if search.by_quadrature:
        work.certifier.instances = [
            _gentle(n, refuting.leaves(system, [left, right], n.sizes)) for n in work.certifier.instances
        ]
    try:
        work.certifier.compare(left, right, relation=claim.relation)
    except CertificationError:
        found = search.found()
        if found is None:
            raise
        return (claim.refuted(found),)
    proof = Proofs(work, left, right, claim.relation).proof()
    found = search.found() if proof is None else None
    return (claim.proved(proof) if found is None else claim.refuted(found),)


def _filling(x: Expr, other: Expr) -> Expr:
    """A scalar beside a tensor stands for each of its entries."""
    if x.order or not other.order:
        return x
    value = b.number_of(x)
    array = b.mul(x, b.ones(other.shape)) if value is None else b.full(value, other.shape)
    return b.transpose(array) if other.row else array


def _gentle(numbers: Numbers, inputs: Sequence[Var]) -> Numbers:
    """The numbers with positive inputs nearer to 1: a mean over a wide law is no sum over a few points."""
    given = {
        (v.name, tuple(replaced(s, numbers.sizes) for s in v.subs)): np.sqrt(numbers.value(v))
        for v in inputs
        if v.facts & {"positive"} and all(isinstance(replaced(s, numbers.sizes), int) for s in v.subs)
    }
    return replace(numbers.fresh(), given={**numbers.given, **given})


def as_written(asked: Asked) -> Expr:
    """A side of the claim as its author wrote it: (AB)ᵀ stays the transpose of a product."""
    expr = asked.expr
    if isinstance(asked.tree, Transposed) and expr.order == 2:
        inner = b.transpose(expr)
        if isinstance(inner, MatMul | Add):
            return Transpose(inner, expr.shape)
    return expr


def assumed_definition(condition: Condition) -> Definition | None:
    """An equation that is assumed of a node, as its definition."""
    if not isinstance(condition, Compare) or condition.op != "==":
        return None
    left, right = condition.left, condition.right
    if isinstance(left, Var):
        return Definition(left.name, left.subs, right)
    return function_definition(left, right) if isinstance(left, Density) else None


class Claim(Struct):
    """left relation right, to be proved or refuted."""

    work: Workspace
    left: Expr
    right: Expr
    relation: str

    def proved(self, found: list[Block] | None) -> Result:
        """The claim with its proof; where there is none it was checked in numbers only, which is said."""
        proof = found is not None
        blocks = [Prose((_UNPROVED,))] if found is None else found
        last = blocks[-1] if blocks else None
        if isinstance(last, Line) and last.left is self.left and last.right == (self.right,) and self.relation == "=":
            return self._result(True, None, [*blocks[:-1], replace(last, boxed=True)])
        reason: Reason = ("both sides agree",) if self.relation == "=" and proof else ()
        line = self.work.certifier.line(
            self.left, self.right, reason=reason, rule="identity", boxed=True, relation=self.relation
        )
        return self._result(True, None, [*blocks, line])

    # Counterexamples

    def refuted(self, found: refuting.Counterexample) -> Result:
        """The claim with inputs at which it fails; every number was evaluated."""
        givens = [Definition(v.name, v.subs, _literal(x)) for v, x in found.inputs.items()]
        system = self.work.system.extended(givens)
        sizes = dict(found.sizes)
        certifier = Certifier.of(system, [sizes], points=1)
        words = "It does not hold in general. A counterexample:"
        blocks: list[Block] = [Prose((words,))]
        blocks += [Introduced(v, _literal(x)) for v, x in found.inputs.items()]
        places = {s: n for s, n in sizes.items() if not s.is_positive}
        for side, value in ((self.left, found.left), (self.right, found.right)):
            if b.number_of(side) is None:
                shown = reindex(side, places) if not _names_points(side) else side
                blocks.append(certifier.line(shown, _literal(value), rule="evaluation", reason=("at these values",)))
        self.work.certifier.checks = list(certifier.checks)
        shown_inputs = {v.name: refuting.plain(x) for v, x in found.inputs.items()}
        example = {**shown_inputs, "left": refuting.plain(found.left), "right": refuting.plain(found.right)}
        return self._result(False, example, blocks)

    def _result(self, holds: bool, example: object, blocks: Sequence[Block]) -> Result:
        question = self.work.question
        text = f"{question.asked('left').text} {question.word('relation') or '=='} {question.asked('right').text}"
        return Result(
            text,
            None,
            None,
            None,
            (),
            tuple(blocks),
            tuple(self.work.certifier.checks),
            exact=holds,
            extra={"holds": holds, "counterexample": example},
        )


def _names_points(x: Expr) -> bool:
    return any(isinstance(n, Density | Integral) for n in postorder(x))


def _literal(x: Array) -> Expr:
    values = refuting.literal_values(x)
    return b.literal(values, tuple(x.shape))
