"""The verdict on one claim of an answer by itself: which kind of claim it is, and who judges that kind."""

from __future__ import annotations

from msgspec.structs import replace

from symgrad.syntax.tree import Compare, ListTree, Name
from symgrad.verification.documents.claims import Claim
from symgrad.verification.documents.parts import base_name
from symgrad.verification.equalities import judge_addition, judge_equation
from symgrad.verification.judging import added, inequalities, size_formulas, tabled, updates
from symgrad.verification.judging import conditions as cond
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.factors import bounded
from symgrad.verification.judging.premises import inequality_under_premises
from symgrad.verification.judging.stated_values import by_value, number
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.readings import Defined
from symgrad.verification.progress import Progress


def decided(progress: Progress, claim: Claim) -> Judgement:
    """The verdict on one claim by itself."""
    bench, notation = progress.bench, progress.notation
    special = _condition(progress, claim)
    if special is None and claim.kind == "shape" and isinstance(claim.right, ListTree):
        return progress.shapes.judge(bench, claim.left, claim.right, notation)
    if special is None and claim.kind == "inequality":
        return _inequality(progress, claim)
    if claim.kind == "bound":
        assert claim.left is not None
        return bounded(bench, claim.left, claim.right, claim.relation, notation)
    special = special or progress.put_in.judge(bench, claim, [x.right for x in progress.before.wrong], notation)
    left = progress.left_of(claim)
    if special is None:
        special = size_formulas.judge(bench, progress.marker.sought, left, claim.right, notation)
    if special is None and tabled.may_be(claim.left):
        special = tabled.judge(bench, claim, progress.marker.answers)
    elif special is None and left is None:
        special = _value(progress, claim)
    if special is not None:
        return special
    if left is None:
        return Judgement(w.UNJUDGED, "it is not said what this is")
    if claim.relation == updates.ASSIGNS:
        return updates.judge(bench, left, claim.right, notation)
    if claim.relation == added.ADDS:
        return judge_addition(progress, claim, left)
    step = progress.writer.added_at(left)
    if step is not None:
        wide = progress.writer.bench_for(left, claim.right)
        judgement = added.at_step(wide, *step, claim.right, notation)
        notation.define(Defined(base_name(left), (step[1],), claim.right))
        return judgement
    if isinstance(left, Name) and left.id in progress.writer.indices and left.id not in bench.names.families:
        return Judgement(w.DEFINITION, f"it fixes {left.id}")
    return judge_equation(progress, claim, left)


def _value(progress: Progress, claim: Claim) -> Judgement:
    """The verdict on a value without a left side; one that stands for an answer is judged by its question."""
    bench, answers, notation = progress.bench, progress.marker.answers, progress.notation
    judgement = by_value(bench, claim, answers, notation)
    if claim.question is not None or not progress.passages.concludes(claim.place):
        return judgement
    asks, given = {a.ask for a in answers}, number(bench, claim.right, notation)
    question = progress.passages.question(claim.place, asks)
    if judgement.good and question != progress.passages.labelled(claim.place, asks):
        return judgement
    if question is None or given is None or progress.passages.is_given(question, given):
        return judgement
    return replace(by_value(bench, replace(claim, question=question), answers, notation), question=question)


def _inequality(progress: Progress, claim: Claim) -> Judgement:
    """The verdict on an inequality; one that only begins a condition is none."""
    bench, notation, premises = progress.bench, progress.notation, progress.writer.premises
    found = inequalities.judge(bench, claim.left, claim.right, claim.relation, notation)
    if premises.supposing and found.verdict != w.RIGHT:
        return Judgement(w.DEFINITION, "it is supposed")
    if not found.bad:
        return found
    sides = (claim.left, claim.right, claim.relation)
    return inequality_under_premises(bench, *sides, premises.now, notation) or found


def _condition(progress: Progress, claim: Claim) -> Judgement | None:
    """The verdict on a condition on an integer that is asked for; None for any other claim."""
    if claim.kind == "shape" or not progress.marker.unknowns:
        return None
    tree = claim.right
    if claim.left is not None:
        op = "==" if claim.relation in ("=", "≈") else claim.relation
        tree = Compare((op,), (claim.left, claim.right), place=claim.right.place)
    unknown = cond.unknown_in(progress.bench, tree, progress.marker.unknowns) if isinstance(tree, Compare) else None
    if unknown is None:
        return None
    question, conditions = progress.marker.unknowns[unknown]
    judgement = cond.judge(progress.bench, tree, unknown, conditions)
    return None if judgement is None else replace(judgement, question=question)
