"""Questions of kind identity: a proof in named steps, or a counterexample with numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy

from symgrad.calculus.numeric import Numbers
from symgrad.derivation import counterexample as refuting
from symgrad.derivation.assuming import Imposed
from symgrad.derivation.certify import Certifier
from symgrad.derivation.index_proof import entry_of, free_indices, in_order, terms
from symgrad.derivation.inequalities import known_identity, known_inequality, nonnegative
from symgrad.derivation.integral_rules import RULES, definitions, mentioned, same_terms
from symgrad.derivation.steps import Block, Check, Introduced, Line, Prose, Reason, Result
from symgrad.derivation.workspace import Workspace, certifier, choose_sizes
from symgrad.errors import CertificationError, InternalError, QuestionError
from symgrad.problem.model import Asked, Condition, Problem, Question
from symgrad.syntax.tree import Transpose as Transposed
from symgrad.tensor import build as b
from symgrad.tensor import probability as pr
from symgrad.tensor.integers import replace as replaced
from symgrad.tensor.nodes import (
    Add,
    At,
    Binder,
    Compare,
    Density,
    Entry,
    Expr,
    Integral,
    Law,
    MatMul,
    Rel,
    Transpose,
    Var,
)
from symgrad.tensor.reindex import reindex
from symgrad.tensor.shapes import describe, same_shape
from symgrad.tensor.stable import Array
from symgrad.tensor.sympy_border import to_sympy
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder, variables

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
    conditions = (*question.assume, *problem.assumptions)
    system = problem.system.extended(d for c in conditions if (d := assumed_definition(c)) is not None)
    choices = choose_sizes(system, [left, right], [c for c in conditions if isinstance(c, Rel)])
    work = Workspace(problem, question, system, certifier(problem, question, system, choices, points=_POINTS))
    claim = Claim(work, left, right, _SIGNS[question.word("relation") or "=="])
    search = refuting.Search(system, left, right, claim.relation, choices, Imposed.of(problem, question))
    if search.by_quadrature:
        work.certifier.instances = [
            _gentle(n, refuting.leaves(system, [left, right])) for n in work.certifier.instances
        ]
    try:
        work.certifier.compare(left, right, relation=claim.relation)
    except CertificationError:
        found = search.found()
        if found is None:
            raise
        return (claim.refuted(found),)
    proof = claim.proof()
    found = search.found() if proof is None else None
    return (claim.proved(proof) if found is None else claim.refuted(found),)


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
    if isinstance(left, Density) and isinstance(left.table, Var) and not left.given:
        places = [i for i in left.at if isinstance(i, sympy.Symbol)]
        if isinstance(right, Density) and right.at == left.at and not right.given:
            return Definition(left.table.name, (), right.table)
        binders = [Binder(i, 1, n) for i, n in zip(places, left.table.shape, strict=True)]
        return Definition(left.table.name, (), b.build(right, binders))
    return None


@dataclass(slots=True)
class Claim:
    """left relation right, to be proved or refuted."""

    work: Workspace
    left: Expr
    right: Expr
    relation: str

    # Proofs

    def proof(self) -> list[Block] | None:
        """The best proof that is known; None where none is."""
        return self._equality() if self.relation == "=" else self._inequality()

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

    def _equality(self) -> list[Block] | None:
        for way in (self._by_theorem, self._by_rewriting, self._by_entries, self._by_algebra):
            found = way()
            if found is not None:
                return found
        return None

    def _by_theorem(self) -> list[Block] | None:
        known = known_identity(self.left, self.right) or known_identity(self.right, self.left)
        return None if known is None else [Prose(known)]

    def _by_rewriting(self) -> list[Block] | None:
        if not _has_integrals((self.left, self.right), self.work):
            return None
        return self.meeting(self.left, self.right)

    def meeting(self, left: Expr, right: Expr, other: str = "The right side:") -> list[Block] | None:
        """Both sides rewritten until they have the same terms; None where they never do."""
        first, second = self._chain(left), self._chain(right)
        pairs = sorted(
            ((i, j) for i in range(len(first)) for j in range(len(second))), key=lambda p: (p[0] + p[1], p[1])
        )
        for i, j in pairs:
            if same_terms(first[i][0], second[j][0]):
                blocks = self._lines(left, first[1 : i + 1])
                if j:
                    blocks += [Prose((other,)), *self._lines(right, second[1 : j + 1])]
                return blocks
        return None

    def _chain(self, x: Expr) -> list[tuple[Expr, Reason]]:
        """An expression after each rule that changes it, with the reason."""
        system = self.work.system
        out: list[tuple[Expr, Reason]] = [(x, ())]
        for rule in (definitions(system), *RULES):
            after = rule.apply(x)
            if after is not x:
                reason = self._why(x) if rule.name == "definition" else rule.reason
                out.append((after, reason))
                x = after
        return out

    def _why(self, x: Expr) -> Reason:
        """What is put in: definitions of the model, or what is assumed."""
        problem = self.work.problem
        plain = definitions(problem.system).apply(x)
        return mentioned(x, problem.system) if plain is not x else ("as assumed",)

    def _lines(self, left: Expr, chain: Sequence[tuple[Expr, Reason]]) -> list[Block]:
        out: list[Block] = []
        for x, reason in chain:
            out.append(self.work.certifier.line(left, x, reason=reason, rule="rewriting"))
        self._check_divergences(left)
        return out

    def _check_divergences(self, x: Expr) -> None:
        """Closed forms of normal divergences against quadrature."""
        for node in postorder(definitions(self.work.system).apply(x)):
            if isinstance(node, Integral) and node.op == "divergence" and all(isinstance(a, Law) for a in node.args):
                q, p = (a for a in node.args if isinstance(a, Law))
                try:
                    by_points = pr.expectation(b.sub(pr.log_law(q), pr.log_law(p)), q, node.binders)
                    check = self.work.certifier.compare(node, by_points)
                except QuestionError:
                    continue
                agrees = Check("Gauss–Hermite quadrature", check.max_rel_error, check.points, check.sizes)
                self.work.certifier.checks.append(agrees)

    def _by_entries(self) -> list[Block] | None:
        """Both sides in index notation, the same sum of products."""
        sizes = tuple(self.work.problem.sizes.values())
        taken = {v.name for v in variables(self.left, self.right)} | {s.name for s in sizes}
        indices = free_indices(self.left.order, taken)
        try:
            sides = [entry_of(x, indices) for x in (self.left, self.right)]
        except (InternalError, NotImplementedError):
            return None
        found = [terms(x, (*indices, *sizes)) for x in sides]
        if found[0] != found[1]:
            return None
        ranges = tuple(Binder(i, 1, n) for i, n in zip(indices, self.left.shape, strict=True))
        entries = [in_order(x, (*indices, *sizes)) for x in sides]
        blocks: list[Block] = []
        for whole, entry in zip((self.left, self.right), entries, strict=True):
            items = tuple(At(i) for i in indices)
            shown = Entry(whole, items, ()) if items else whole
            rights = tuple(dict.fromkeys(x for x in (entry, entries[0]) if x is not shown))
            if rights:
                blocks.append(
                    self.work.certifier.line(shown, *rights, reason=("by entries",), rule="entries", ranges=ranges)
                )
        return blocks

    def _by_algebra(self) -> list[Block] | None:
        """Scalars: the difference simplifies to 0."""
        system = self.work.system
        sides = [definitions(system).apply(x) for x in (self.left, self.right)]
        if any(x.order for s in sides for x in postorder(s)) or any(n.shape for s in sides for n in variables(s)):
            return None
        symbols = {
            v: sympy.Symbol(f"v{k}", real=True, positive="positive" in v.facts or None)
            for k, v in enumerate(variables(*sides))
        }
        try:
            left, right = (to_sympy(x, {}, lambda node, _: symbols[node]) for x in sides)
        except (InternalError, KeyError):
            return None
        difference = sympy.simplify((left - right).rewrite(sympy.exp))
        if difference != 0:
            return None
        words: Reason = ("Written with exponentials, the difference of the two sides simplifies to 0.",)
        shown = [x for x in (self.left, self.right) if definitions(system).apply(x) is not x]
        blocks: list[Block] = [
            self.work.certifier.line(x, definitions(system).apply(x), reason=self._why(x), rule="definition")
            for x in shown
        ]
        return [*blocks, Prose(words)]

    def _inequality(self) -> list[Block] | None:
        small, large = (self.left, self.right) if self.relation == "<=" else (self.right, self.left)
        system = self.work.system
        written = [definitions(system).apply(x) for x in (small, large)]
        known = known_inequality(small, large) or known_inequality(*written)
        if known is not None:
            lines = [
                self.work.certifier.line(x, y, reason=mentioned(x, system), rule="definition")
                for x, y in zip((small, large), written, strict=True)
                if x is not y
            ]
            return [*lines, Prose(("This is ", *known, "."))]
        if not _has_integrals((small, large), self.work):
            return None
        difference = b.sub(large, small)
        found = nonnegative(difference, self.work.system)
        if found is None:
            return None
        shown, reason = found
        if difference is shown:
            blocks: list[Block] = []
        else:
            blocks = self.meeting(difference, shown, "The divergence has the same terms:") or []
            blocks.append(self.work.certifier.line(difference, shown, reason=("the same terms",), rule="difference"))
        zero = self.work.certifier.line(shown, b.ZERO, reason=reason, rule="not negative", relation=">=")
        return [*blocks, zero]

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


def _has_integrals(sides: Sequence[Expr], work: Workspace) -> bool:
    system = work.system
    whole = [*sides, *(definitions(system).apply(x) for x in sides)]
    return any(isinstance(x, Density | Integral | Law) for s in whole for x in postorder(s))
