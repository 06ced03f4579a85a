"""The verdict on an equation of an answer, under all that its writer has said, and the edit that makes it right."""

from __future__ import annotations

from msgspec.structs import replace

from symgrad.syntax.tree import Tree
from symgrad.verification.diagnosis.diagnose import adjoint_derivative
from symgrad.verification.documents.claims import Claim
from symgrad.verification.documents.parts import base_name, own_parts
from symgrad.verification.judging import added
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.constants import is_constant
from symgrad.verification.judging.differentials import between_differentials
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.judge import judge
from symgrad.verification.judging.optima import about, at_optimum
from symgrad.verification.judging.steps_left_out import with_steps
from symgrad.verification.judging.supposed import as_supposed
from symgrad.verification.judging.variants import by_variant
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.progress import Progress


def judge_equation(progress: Progress, claim: Claim, left: Tree) -> Judgement:
    """The verdict on an equation; with the steps put in that its writer leaves out."""
    equation = Equation(left, claim.right, progress.writer.premises.now, claim.relation == "≈")
    spelled = with_steps(progress.bench, equation, progress.notation)
    if spelled is None:
        return _as_it_stands(progress, claim, equation)
    found = _as_it_stands(progress, replace(claim, right=spelled[0].right), spelled[0])
    return replace(found, reason="; ".join(filter(None, (spelled[1], found.reason))))


def _as_it_stands(progress: Progress, claim: Claim, equation: Equation) -> Judgement:
    """The verdict on an equation in which nothing is left out."""
    left = equation.left
    bench = progress.writer.bench_for(left, claim.right)
    judgement = _named_at_end(progress, bench, claim, left, _with_later_names(progress, bench, equation))
    if base_name(left) in progress.writer.own and claim.previous is None and judgement.good:
        judgement = Judgement(w.DEFINITION, f"{base_name(left).strip()} is the writer's own name")
    premises = progress.writer.premises
    if premises.supposing and (judgement.bad or (equation.rounded and judgement.verdict == w.UNJUDGED)):
        return Judgement(w.DEFINITION, "it is supposed")
    if judgement.verdict == w.DEFINITION:
        if not premises.supposing:
            premises.note(claim)
        progress.composed.note(bench, claim)
    if judgement.verdict in (w.WRONG, w.SHAPE_ERROR):
        notation = progress.notation
        supposed = as_supposed(progress.marker.suppositions, equation, notation)
        composed = progress.composed.judge(equation, notation)
        judgement = supposed or by_variant(bench, equation, notation) or composed or judgement
        bench = progress.composed.bench if composed is judgement and progress.composed.bench is not None else bench
    adds = judgement.verdict == w.WRONG and base_name(left) in progress.writer.accumulated
    if adds and _is_path(progress, bench, left, claim.right):
        judgement = Judgement(w.RIGHT_IF, "right if it is added to what the other paths give, as with +=")
    if judgement.verdict in (w.DEFINITION, w.WRONG, w.UNJUDGED) and about(left) in progress.marker.sought_optima:
        question = claim.question or progress.passages.question(claim.place, {"optimum"})
        found = at_optimum(progress.marker.optima, equation, progress.notation, question)
        if found is not None:
            judgement, left, bench = found.judgement, found.left, found.bench
    progress.put_in.note(bench, left, claim.right, judgement)
    if judgement.verdict in (w.WRONG, w.SHAPE_ERROR, w.AS_SCALARS):
        judgement = _diagnosed(progress, bench, left, claim, judgement)
    return judgement


def judge_addition(progress: Progress, claim: Claim, left: Tree) -> Judgement:
    """The verdict on left += right: one of the paths of a derivative, or all of them."""
    notation, bench = progress.notation, progress.writer.bench_for(left, claim.right)
    if _is_path(progress, bench, left, claim.right):
        return Judgement(w.RIGHT, "one of the paths that are added up")
    return judge(bench, Equation(left, claim.right, progress.writer.premises.now), notation)


def _is_path(progress: Progress, bench: Bench, left: Tree, right: Tree) -> bool:
    """Whether a line is what some paths add to the derivative on its left."""
    return added.path(bench, adjoint_derivative(left, progress.notation), right, progress.notation)


def _named_at_end(progress: Progress, bench: Bench, claim: Claim, left: Tree, judgement: Judgement) -> Judgement:
    """A definition where a line ends in a name that is new, or was defined under another heading: `… = δ_2`."""
    name, items = own_parts(claim.right)
    known = name is None or name in bench.names.families or name in bench.names.sizes or name in bench.names.indices
    if name is None or known or judgement.good or claim.previous is None:
        return judgement
    if judgement.verdict == w.UNJUDGED and name in progress.notation.names:
        return judgement
    if not progress.writer.ends_in(name, items, left):
        return judgement
    return Judgement(w.DEFINITION, f"{name.strip()} is the writer's own name")


def _with_later_names(progress: Progress, bench: Bench, equation: Equation) -> Judgement:
    """The verdict on an equation; names that are explained only later are tried where it has none without them."""
    judgement = judge(bench, equation, progress.notation)
    if judgement.verdict != w.UNJUDGED:
        return judgement
    notation = progress.writer.with_later_names(equation.left, equation.right)
    if notation is None:
        return judgement
    again = judge(bench, equation, notation)
    if again.verdict in (w.UNJUDGED, w.DEFINITION):
        return judgement
    progress.writer.take(notation)
    return again


def _diagnosed(progress: Progress, bench: Bench, left: Tree, claim: Claim, judgement: Judgement) -> Judgement:
    """The judgement with the one edit that makes the line right."""
    notation = progress.notation
    kinds, loose = open_names((left, claim.right), bench.names, notation)
    if between_differentials(bench, judgement, left, claim.right):
        return judgement
    if loose or (is_constant(left) and is_constant(claim.right)):
        return judgement
    target, near = adjoint_derivative(left, notation), progress.before.near(claim)
    doctor, partly = progress.marker.doctor(bench), judgement.verdict == w.AS_SCALARS
    found = doctor.diagnosed(target, claim.right, kinds, notation, False, near, partly)
    if found is None and judgement.verdict == w.WRONG and judgement.in_scalars:
        found = doctor.diagnosed(target, claim.right, kinds, notation, True, near)
    if found is None:
        return judgement
    return replace(judgement, diagnosis=f"{found.slip}: {found.said}", correction=found.text)
