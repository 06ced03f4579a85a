"""Quantities that a model has in two variables: ∂FL/∂z where FL is a function of p, and FL_z the same one of z."""

from __future__ import annotations

from msgspec.structs import replace

from symgrad.syntax.tree import Call, Name
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.judge import judge
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit


def by_variant(bench: Bench, equation: Equation, notation: Notation) -> Judgement | None:
    """Right where the quantity on the left is its variant in the variable it is differentiated by; None where not."""
    left = equation.left
    match left:
        case Call(Name("jacobian"), (Name(of) as name, Name() as wrt), ()):
            pass
        case _:
            return None
    others = [other for other in bench.names.families if other.startswith(f"{of}_")]
    if not others or not _is_free_of(bench, left, notation):
        return None
    for other in others:
        varied = left.replaced(args=(name.replaced(id=other), wrt))
        judgement = judge(bench, replace(equation, left=varied), notation.copy())
        if judgement.good:
            reason = "; ".join(filter(None, (f"right if {of} is read as {other}", judgement.reason)))
            return replace(judgement, verdict=w.RIGHT_IF, reason=reason)
    return None


def _is_free_of(bench: Bench, derivative: Call, notation: Notation) -> bool:
    """Whether a derivative is zero, so that nobody asks for it."""
    try:
        return not bench.meaning(bench.worlds[0], PLAIN, notation).value(derivative, {}).data.any()
    except (Unclear, Outside, Misfit):
        return False
