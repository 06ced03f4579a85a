"""Updates that a writer states, W ← W − η ∂L/∂W, beside those that questions ask for."""

from __future__ import annotations

from msgspec.structs import replace

from symgrad.syntax.tree import IMPLICIT, Binary, Call, Name, Tree
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.judge import judge as judge_equation
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import Notation

ASSIGNS = "←"


def judge(bench: Bench, left: Tree, right: Tree, notation: Notation) -> Judgement:
    """The verdict on left ← right, where a question asks for one step against the gradient."""
    for question in bench.problem.questions:
        asked = [x.tree for x in question.several("wrt")] if question.ask == "update" else []
        rate = question.several("rate")
        if left not in asked or not rate or (question.word("rule") or "sgd") != "sgd":
            continue
        place = left.place
        gradient = Call(Name("jacobian", place=place), (question.asked("loss").tree, left), (), place=place)
        step = Binary(IMPLICIT, rate[0].tree, gradient, place=place)
        truth = Binary("-", left, step, place=place)
        return replace(judge_equation(bench, Equation(truth, right), notation), question=question.id)
    return Judgement(w.UNJUDGED, "no question asks for this update")
