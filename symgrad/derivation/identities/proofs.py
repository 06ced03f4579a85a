"""Proofs of identities: by a theorem, by rewriting integrals, by entries, by algebra, by named identities."""

from collections.abc import Sequence

import sympy
from msgspec import Struct

from symgrad.calculus.rewrite import distribute, multiply_out
from symgrad.derivation.identities import inequality_ways
from symgrad.derivation.identities import rules as identity_rules
from symgrad.derivation.identities.index_proof import entry_of, free_indices, in_order, terms
from symgrad.derivation.identities.inequalities import known_identity, known_inequality, nonnegative
from symgrad.derivation.identities.integral_rules import RULES, Rule, definitions, mentioned, same_terms
from symgrad.derivation.resolving import as_formulas, derived
from symgrad.derivation.steps import Block, Check, Prose, Reason
from symgrad.derivation.workspace import Workspace
from symgrad.derivation.writing_out import earlier_states
from symgrad.errors import InternalError, QuestionError
from symgrad.tensor import build as b
from symgrad.tensor import laws
from symgrad.tensor import probability as pr
from symgrad.tensor.nodes import (
    At,
    Binder,
    Density,
    Entry,
    Expr,
    Integral,
    Law,
)
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.sympy_border import to_sympy
from symgrad.tensor.system import System
from symgrad.tensor.walk import postorder, variables


class Proofs(Struct, frozen=True):
    """Ways to prove left relation right."""

    work: Workspace
    left: Expr
    right: Expr
    relation: str

    def written(self, x: Expr, system: System | None = None) -> Expr:
        """An expression with definitions of the model put in, as far as the latest step that the claim is about."""
        return self._definitions(system or self.work.system).apply(x)

    def _definitions(self, system: System) -> Rule:
        return definitions(system, earlier_states(system, self.left, self.right))

    def proof(self) -> list[Block] | None:
        """The best proof that is known; None where none is."""
        return self._equality() if self.relation == "=" else self._inequality()

    def _equality(self) -> list[Block] | None:
        for way in (
            self._by_theorem,
            self._by_rewriting,
            self._by_entries,
            self._by_derivation,
            self._by_algebra,
            self._by_names,
        ):
            found = way()
            if found is not None:
                return found
        return None

    def _by_theorem(self) -> list[Block] | None:
        known = known_identity(self.left, self.right) or known_identity(self.right, self.left)
        return None if known is None else [Prose(known)]

    def _by_rewriting(self) -> list[Block] | None:
        if not self._has_integrals(self.left, self.right):
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
        for rule in (self._definitions(system), *RULES):
            after = rule.apply(x)
            if after is not x:
                reason = self._why(x) if rule.name == "definition" else rule.reason
                out.append((after, reason))
                x = after
        return out

    def _why(self, x: Expr) -> Reason:
        """What is put in: definitions of the model, or what is assumed."""
        problem = self.work.problem
        plain = self.written(x, problem.system)
        return mentioned(x, problem.system) if plain is not x else ("as assumed",)

    def _lines(self, left: Expr, chain: Sequence[tuple[Expr, Reason]]) -> list[Block]:
        out: list[Block] = []
        for x, reason in chain:
            out.append(self.work.certifier.line(left, x, reason=reason, rule="rewriting"))
        self._check_divergences(left)
        return out

    def _check_divergences(self, x: Expr) -> None:
        """Closed forms of normal divergences against quadrature."""
        for node in postorder(self.written(x)):
            if isinstance(node, Integral) and node.op == "divergence" and all(isinstance(a, Law) for a in node.args):
                q, p = (a for a in node.args if isinstance(a, Law))
                try:
                    by_points = pr.expectation(b.sub(laws.log_law(q), laws.log_law(p)), q, node.binders)
                    check = self.work.certifier.compare(node, by_points)
                except QuestionError:
                    continue
                agrees = Check("Gauss–Hermite quadrature", check.max_rel_error, check.points, check.sizes)
                self.work.certifier.checks.append(agrees)

    def _by_names(self) -> list[Block] | None:
        """Both sides by named identities, until they are one expression or have the same entries."""
        written = [as_formulas(self.work.system, self.written(x)) for x in (self.left, self.right)]
        chains = [identity_rules.chain(x) for x in written]
        first, second = (c[-1][0] for c in chains)
        same = Proofs(self.work, first, second, "=").alike()
        if same is None:
            return None
        blocks: list[Block] = []
        for k, (side, steps) in enumerate(zip((self.left, self.right), chains, strict=True)):
            shown = [(x, r or ("written out",)) for x, r in steps if x is not side]
            if shown:
                blocks += [Prose(("The right side:",))] if k else []
                blocks += [self.work.certifier.line(side, x, reason=r, rule="identity") for x, r in shown]
        return [*blocks, *same]

    def alike(self) -> list[Block] | None:
        """The lines by which both sides are the same, by entries or as scalar algebra; None where they are not."""
        return [] if self.left is self.right else self._by_entries() or self._by_algebra()

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
            if entry is shown or entries[0] is shown or b.number_of(whole) is not None:
                continue
            line = self.work.certifier.line(shown, entries[0], reason=("by entries",), rule="entries", ranges=ranges)
            blocks.append(line)
        return blocks

    def _by_derivation(self) -> list[Block] | None:
        """The derivative on one side as it is derived, which has the same entries as the other side."""
        for x, other in ((self.left, self.right), (self.right, self.left)):
            found = derived(self.work, x)
            if found is None:
                continue
            first, second = (multiply_out(distribute(replace_nodes(y, found.images))) for y in (found.value, other))
            same = [] if same_terms(first, second) else Proofs(self.work, first, second, "=").alike()
            if same is not None:
                line = self.work.certifier.line(x, found.value, reason=found.reason, rule="derivative")
                return [*found.blocks, line, *same]
        return None

    def _by_algebra(self) -> list[Block] | None:
        """Scalars: the difference simplifies to 0."""
        sides = [self.written(x) for x in (self.left, self.right)]
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
        shown = [x for x in (self.left, self.right) if self.written(x) is not x]
        blocks: list[Block] = [
            self.work.certifier.line(x, self.written(x), reason=self._why(x), rule="definition") for x in shown
        ]
        return [*blocks, Prose(words)]

    def _inequality(self) -> list[Block] | None:
        small, large = (self.left, self.right) if self.relation == "<=" else (self.right, self.left)
        system = self.work.system
        written = [self.written(x) for x in (small, large)]
        known = known_inequality(small, large) or known_inequality(*written)
        if known is not None:
            lines = [
                self.work.certifier.line(x, y, reason=mentioned(x, system), rule="definition")
                for x, y in zip((small, large), written, strict=True)
                if x is not y
            ]
            return [*lines, Prose(("This is ", *known, "."))]
        if not self._has_integrals(small, large):
            return self._never_negative(*written)
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

    def _never_negative(self, small: Expr, large: Expr) -> list[Block] | None:
        """The difference of the two sides as something that is never negative."""
        found = inequality_ways.shown(small, large)
        if found is None:
            return None
        difference, line = b.sub(large, small), self.work.certifier.line
        blocks: list[Block] = [line(difference, x, reason=r, rule="difference") for x, r in found.forms]
        return [*blocks, line(difference, b.ZERO, reason=found.words, rule="not negative", relation=">=")]

    def _has_integrals(self, *sides: Expr) -> bool:
        whole = [*sides, *(self.written(x) for x in sides)]
        return any(isinstance(x, Density | Integral | Law) for s in whole for x in postorder(s))
