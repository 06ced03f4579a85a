"""A whole answer marked: claim after claim, each beside the one before it, with the writer's names and letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from msgspec.structs import replace

from symgrad.errors import SymgradError
from symgrad.problem.model import Problem
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, Compare, ListTree, Name, Tree
from symgrad.tensor.nodes import Rel
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.asked import Asked, left_side
from symgrad.verification.beside import Before
from symgrad.verification.composed import Composed
from symgrad.verification.diagnosis.diagnose import Doctor, adjoint_derivative
from symgrad.verification.documents.claims import Claim, Document, Unread
from symgrad.verification.documents.parts import base_name, own_parts
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import added, inequalities, size_formulas, tabled, updates
from symgrad.verification.judging import conditions as cond
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.answers import Answer, answers, unknowns
from symgrad.verification.judging.constants import is_constant
from symgrad.verification.judging.differentials import between_differentials
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.factors import bounded
from symgrad.verification.judging.judge import judge
from symgrad.verification.judging.optima import Optimum, about, at_optimum, optima, sought_optima
from symgrad.verification.judging.premises import inequality_under_premises
from symgrad.verification.judging.shapes import Shapes
from symgrad.verification.judging.size_formulas import Sought, sought
from symgrad.verification.judging.spellings import declared_as
from symgrad.verification.judging.stated_values import PutIn, by_value, number
from symgrad.verification.judging.steps_left_out import with_steps
from symgrad.verification.judging.supposed import Supposition, as_supposed, suppositions
from symgrad.verification.judging.trials import has_derivative, speaks_matrices
from symgrad.verification.judging.variants import by_variant
from symgrad.verification.judging.verdicts import Judged, Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.extension import Extensions
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.readings import Defined
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.passages import Passages
from symgrad.verification.tables.rows import judged_rows
from symgrad.verification.writer import Writer, names_in


@dataclass(eq=False)
class Marker:
    """A problem made ready for marking: everything that is found once for any number of answers."""

    problem: Problem
    bench: Bench
    extensions: Extensions = field(default_factory=Extensions)
    _doctors: dict[Bench, Doctor] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Problem) -> Marker:
        """The marker of a problem."""
        return cls(problem, Bench.of(problem))

    def doctor(self, bench: Bench) -> Doctor:
        """Who diagnoses on a bench."""
        found = self._doctors.get(bench)
        if found is None:
            found = self._doctors[bench] = Doctor(bench)
        return found

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """The exact results of the questions."""
        return answers(self.problem)

    @cached_property
    def unknowns(self) -> dict[str, tuple[str, tuple[Rel, ...]]]:
        """The integers that questions ask for."""
        return unknowns(self.problem)

    @cached_property
    def suppositions(self) -> tuple[Supposition, ...]:
        """What the questions suppose."""
        return tuple(suppositions(self.bench))

    @cached_property
    def sought_optima(self) -> frozenset[str]:
        """The names of variables for whose best values questions ask."""
        return sought_optima(self.problem)

    @cached_property
    def optima(self) -> tuple[Optimum, ...]:
        """Where the questions have their optima."""
        return tuple(optima(self.bench))

    @cached_property
    def sought(self) -> tuple[Sought, ...]:
        """The shapes in symbols that questions ask for."""
        return sought(self.problem)

    @cached_property
    def asked(self) -> Asked:
        """The questions by the quantity that each asks for."""
        return Asked(self.bench)

    def mark(self, document: Document) -> list[Judged]:
        """The verdicts on everything a document claims, in the order of writing."""
        return _Marking(self, document).run()


@dataclass(eq=False)
class _Marking:
    """The state of marking one document."""

    marker: Marker
    document: Document
    writer: Writer = field(init=False)
    before: Before = field(init=False)
    shapes: Shapes = field(default_factory=Shapes)
    put_in: PutIn = field(default_factory=PutIn)
    passages: Passages = field(init=False)
    composed: Composed = field(default_factory=Composed)

    def __post_init__(self) -> None:
        self.passages = Passages(self.marker.problem, self.document.source)
        self.writer = Writer(self.marker.bench, self.marker.extensions, self.document.source)
        claims = self.writer.renamed([self.writer.labelled(c) for c in self.document.claims])
        derived = [c for c in claims if c.left is not None and c.kind == "equation" and has_derivative(c.left)]
        self.before = Before(claims, self.writer, scalars=not any(speaks_matrices(c.right) for c in derived))

    def run(self) -> list[Judged]:
        """Every claim and everything unread, in the order of writing."""
        claims = self.before.claims
        self.writer.learn(claims)
        self.shapes.learn(self.marker.bench, claims, self.writer.notation)
        items: list[tuple[int, int, Claim | Unread]] = [(c.place.resolved().start, k, c) for k, c in enumerate(claims)]
        items += [(u.place.resolved().start, -1, u) for u in self.document.unread]
        out: list[Judged] = []
        for _, k, item in sorted(items, key=lambda row: (row[0], row[1])):
            judgement = self.claim(item, k) if isinstance(item, Claim) else self.unread(item)
            out.append(self.judged(item, judgement))
        return sorted([*out, *self.rows()], key=lambda x: x.place.resolved().start)

    def rows(self) -> Iterator[Judged]:
        """The rows of tables."""
        for table in self.document.tables:
            for row in judged_rows(self.marker.bench, table, self.marker.answers, self.writer.notation):
                x = row.judgement
                yield Judged(
                    row.place, row.place.text, "", x.question, self.marker.problem.name, x.verdict, x.reason, row=True
                )

    def claim(self, claim: Claim, index: int) -> Judgement:
        """The verdict on one claim; a fault of ours leaves it unjudged."""
        self.writer.go_to(claim, index)
        judgement = self.safely(claim)
        if judgement.bad or judgement.verdict == w.UNJUDGED:
            judgement = self.mended(claim.offers) or judgement
        judgement = self.before.beside(claim, judgement)
        self.before.done[index] = judgement
        return judgement

    def safely(self, claim: Claim) -> Judgement:
        """The verdict on one claim by itself, whatever happens."""
        try:
            return self.decided(claim)
        except (SymgradError, ShapeError, Unclear, Misfit, Outside) as error:
            message = error.message if isinstance(error, SymgradError) else str(error)
            return Judgement(w.UNJUDGED, message or "it has no value")
        except RecursionError:
            return Judgement(w.UNJUDGED, "it rests on too many definitions, one inside the other")
        except Exception as error:  # one line's fault, even ours, must not cost a writer the marks for the others
            return Judgement(w.UNJUDGED, f"symgrad cannot judge this: {error}")

    def decided(self, claim: Claim) -> Judgement:
        """The verdict on one claim by itself."""
        bench, notation = self.marker.bench, self.writer.notation
        special = self.condition(claim)
        if special is None and claim.kind == "shape" and isinstance(claim.right, ListTree):
            return self.shapes.judge(bench, claim.left, claim.right, notation)
        if special is None and claim.kind == "inequality":
            return self.inequality(claim)
        if claim.kind == "bound":
            assert claim.left is not None
            return bounded(bench, claim.left, claim.right, claim.relation, notation)
        special = special or self.put_in.judge(bench, claim, [x.right for x in self.before.wrong], notation)
        left = self.left_of(claim)
        if special is None:
            special = size_formulas.judge(bench, self.marker.sought, left, claim.right, notation)
        if special is None and tabled.may_be(claim.left):
            special = tabled.judge(bench, claim, self.marker.answers)
        elif special is None and left is None:
            special = self.value(claim)
        if special is not None:
            return special
        if left is None:
            return Judgement(w.UNJUDGED, "it is not said what this is")
        if claim.relation == updates.ASSIGNS:
            return updates.judge(bench, left, claim.right, notation)
        if claim.relation == added.ADDS:
            return self.adding(claim, left)
        step = self.writer.added_at(left)
        if step is not None:
            wide = self.writer.bench_for(left, claim.right)
            judgement = added.at_step(wide, *step, claim.right, notation)
            notation.define(Defined(base_name(left), (step[1],), claim.right))
            return judgement
        if isinstance(left, Name) and left.id in self.writer.indices and left.id not in bench.names.families:
            return Judgement(w.DEFINITION, f"it fixes {left.id}")
        return self.equation(claim, left)

    def value(self, claim: Claim) -> Judgement:
        """The verdict on a value without a left side; one that stands for an answer is judged by its question."""
        bench, answers, notation = self.marker.bench, self.marker.answers, self.writer.notation
        judgement = by_value(bench, claim, answers, notation)
        if claim.question is not None or not self.passages.concludes(claim.place):
            return judgement
        asks, given = {a.ask for a in answers}, number(bench, claim.right, notation)
        question = self.passages.question(claim.place, asks)
        if judgement.good and question != self.passages.labelled(claim.place, asks):
            return judgement
        if question is None or given is None or self.passages.is_given(question, given):
            return judgement
        return replace(by_value(bench, replace(claim, question=question), answers, notation), question=question)

    def equation(self, claim: Claim, left: Tree) -> Judgement:
        """The verdict on an equation; with the steps put in that its writer leaves out."""
        equation = Equation(left, claim.right, self.writer.premises.now, claim.relation == "≈")
        spelled = with_steps(self.marker.bench, equation, self.writer.notation)
        if spelled is None:
            return self.as_it_stands(claim, equation)
        found = self.as_it_stands(replace(claim, right=spelled[0].right), spelled[0])
        return replace(found, reason="; ".join(filter(None, (spelled[1], found.reason))))

    def as_it_stands(self, claim: Claim, equation: Equation) -> Judgement:
        """The verdict on an equation in which nothing is left out."""
        left = equation.left
        bench = self.writer.bench_for(left, claim.right)
        judgement = self.named_at_end(bench, claim, left, self.with_later_names(bench, equation))
        if base_name(left) in self.writer.own and claim.previous is None and judgement.good:
            judgement = Judgement(w.DEFINITION, f"{base_name(left).strip()} is the writer's own name")
        premises = self.writer.premises
        if premises.supposing and (judgement.bad or (equation.rounded and judgement.verdict == w.UNJUDGED)):
            return Judgement(w.DEFINITION, "it is supposed")
        if judgement.verdict == w.DEFINITION:
            if not premises.supposing:
                premises.note(claim)
            self.composed.note(bench, claim)
        if judgement.verdict in (w.WRONG, w.SHAPE_ERROR):
            notation = self.writer.notation
            supposed = as_supposed(self.marker.suppositions, equation, notation)
            composed = self.composed.judge(equation, notation)
            judgement = supposed or by_variant(bench, equation, notation) or composed or judgement
            bench = self.composed.bench if composed is judgement and self.composed.bench is not None else bench
        adds = judgement.verdict == w.WRONG and base_name(left) in self.writer.accumulated
        if adds and self.is_path(bench, left, claim.right):
            judgement = Judgement(w.RIGHT_IF, "right if it is added to what the other paths give, as with +=")
        if judgement.verdict in (w.DEFINITION, w.WRONG, w.UNJUDGED) and about(left) in self.marker.sought_optima:
            question = claim.question or self.passages.question(claim.place, {"optimum"})
            found = at_optimum(self.marker.optima, equation, self.writer.notation, question)
            if found is not None:
                judgement, left, bench = found.judgement, found.left, found.bench
        self.put_in.note(bench, left, claim.right, judgement)
        if judgement.verdict in (w.WRONG, w.SHAPE_ERROR, w.AS_SCALARS):
            judgement = self.diagnosed(bench, left, claim, judgement)
        return judgement

    def adding(self, claim: Claim, left: Tree) -> Judgement:
        """The verdict on left += right: one of the paths of a derivative, or all of them."""
        notation, bench = self.writer.notation, self.writer.bench_for(left, claim.right)
        if self.is_path(bench, left, claim.right):
            return Judgement(w.RIGHT, "one of the paths that are added up")
        return judge(bench, Equation(left, claim.right, self.writer.premises.now), notation)

    def is_path(self, bench: Bench, left: Tree, right: Tree) -> bool:
        """Whether a line is what some paths add to the derivative on its left."""
        return added.path(bench, adjoint_derivative(left, self.writer.notation), right, self.writer.notation)

    def inequality(self, claim: Claim) -> Judgement:
        """The verdict on an inequality; one that only begins a condition is none."""
        bench, notation, premises = self.marker.bench, self.writer.notation, self.writer.premises
        found = inequalities.judge(bench, claim.left, claim.right, claim.relation, notation)
        if premises.supposing and found.verdict != w.RIGHT:
            return Judgement(w.DEFINITION, "it is supposed")
        if not found.bad:
            return found
        sides = (claim.left, claim.right, claim.relation)
        return inequality_under_premises(bench, *sides, premises.now, notation) or found

    def left_of(self, claim: Claim) -> Tree | None:
        """What a claim is about: its left side, behind an approximation the side before it, or what is asked for."""
        claims, before = self.before.claims, claim
        while before.previous is not None:
            before = claims[before.previous]
            if before.relation == "≈" and claim.previous is not None:
                return claims[claim.previous].right
        return claim.left if claim.left is not None else left_side(self.marker.problem, claim.question)

    def named_at_end(self, bench: Bench, claim: Claim, left: Tree, judgement: Judgement) -> Judgement:
        """A definition where a line ends in a name that is new, or was defined under another heading: `… = δ_2`."""
        name, items = own_parts(claim.right)
        known = name is None or name in bench.names.families or name in bench.names.sizes or name in bench.names.indices
        if name is None or known or judgement.good or claim.previous is None:
            return judgement
        if judgement.verdict == w.UNJUDGED and name in self.writer.notation.names:
            return judgement
        if not self.writer.ends_in(name, items, left):
            return judgement
        return Judgement(w.DEFINITION, f"{name.strip()} is the writer's own name")

    def with_later_names(self, bench: Bench, equation: Equation) -> Judgement:
        """The verdict on an equation; names that are explained only later are tried where it has none without them."""
        judgement = judge(bench, equation, self.writer.notation)
        if judgement.verdict != w.UNJUDGED:
            return judgement
        notation = self.writer.with_later_names(equation.left, equation.right)
        if notation is None:
            return judgement
        again = judge(bench, equation, notation)
        if again.verdict in (w.UNJUDGED, w.DEFINITION):
            return judgement
        self.writer.take(notation)
        return again

    def condition(self, claim: Claim) -> Judgement | None:
        """The verdict on a condition on an integer that is asked for; None for any other claim."""
        if claim.kind == "shape" or not self.marker.unknowns:
            return None
        tree = claim.right
        if claim.left is not None:
            op = "==" if claim.relation in ("=", "≈") else claim.relation
            tree = Compare((op,), (claim.left, claim.right), place=claim.right.place)
        unknown = cond.unknown_in(self.marker.bench, tree, self.marker.unknowns) if isinstance(tree, Compare) else None
        if unknown is None:
            return None
        question, conditions = self.marker.unknowns[unknown]
        judgement = cond.judge(self.marker.bench, tree, unknown, conditions)
        return None if judgement is None else replace(judgement, question=question)

    def diagnosed(self, bench: Bench, left: Tree, claim: Claim, judgement: Judgement) -> Judgement:
        """The judgement with the one edit that makes the line right."""
        notation = self.writer.notation
        kinds, loose = open_names((left, claim.right), bench.names, notation)
        if between_differentials(bench, judgement, left, claim.right):
            return judgement
        if loose or (is_constant(left) and is_constant(claim.right)):
            return judgement
        target, near = adjoint_derivative(left, notation), self.before.near(claim)
        doctor, partly = self.marker.doctor(bench), judgement.verdict == w.AS_SCALARS
        found = doctor.diagnosed(target, claim.right, kinds, notation, False, near, partly)
        if found is None and judgement.verdict == w.WRONG and judgement.in_scalars:
            found = doctor.diagnosed(target, claim.right, kinds, notation, True, near)
        if found is None:
            return judgement
        return replace(judgement, diagnosis=f"{found.slip}: {found.said}", correction=found.text)

    def unread(self, item: Unread) -> Judgement:
        """The verdict on what cannot be read: right if a fault is mended, else unread."""
        return self.mended(item.offers) or Judgement(w.UNREAD, item.reason)

    def mended(self, offers: Sequence[Claim]) -> Judgement | None:
        """The verdict on the first of what may have been meant that is right; None where none is."""
        for offer in offers:
            if offer.left is None and offer.kind != "value":
                continue
            judgement = self.safely(self.writer.labelled(offer))
            if judgement.good:
                reason = "; ".join(filter(None, (f"right if {offer.repaired}", judgement.reason)))
                return Judgement(w.RIGHT_IF, reason, trial=judgement.trial)
        return None

    def judged(self, item: Claim | Unread, judgement: Judgement) -> Judged:
        """The verdict with its place, and what it is about."""
        left = item.left if isinstance(item, Claim) else (item.offers[0].left if item.offers else None)
        question = item.question or judgement.question
        if question is None and left is not None:
            question = self.marker.asked.question(left, self.writer.notation)
        known = isinstance(item, Unread) or self.knows(item) or judgement.question is not None
        sure = judgement.sure and known
        return Judged(
            item.place, item.latex, left.place.text if left is not None else "", question, self.marker.problem.name,
            judgement.verdict, judgement.reason, judgement.diagnosis, judgement.correction, judgement.counterexample,
            None, sure,
        )  # fmt: skip

    def knows(self, claim: Claim) -> bool:
        """Whether a statement has names of the problem in it, or none at all."""
        bench = self.marker.bench
        known = bench.names
        called = {x.func.id for side in (claim.left, claim.right) for x in _calls(side)}
        own = {x.id for x in names_in(claim)} - called
        families = known.families.keys() | known.functions.keys() | known.densities.keys()
        return own <= known.sizes.keys() or any(x in families or declared_as(bench, x) for x in own)


def _calls(tree: Tree | None) -> list[Call]:
    return [] if tree is None else [x for x in walk(tree) if isinstance(x, Call)]
