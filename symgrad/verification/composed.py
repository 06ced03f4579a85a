"""Inputs that a writer makes from others, `with p = σ(z)`: from there on, a line may be right because they are none."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from symgrad.errors import SymgradError
from symgrad.syntax.tree import Name, Tree
from symgrad.tensor.shapes import ShapeError
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import variables
from symgrad.verification.documents.claims import Claim
from symgrad.verification.errors import Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.judge import judge
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.elaboration import expression
from symgrad.verification.meaning.extension import with_definitions
from symgrad.verification.meaning.readings import Notation


class Composed(Struct):
    """The inputs that are made from others so far, each as the writer made it last, and the model in which they are."""

    bench: Bench | None = None
    made: dict[str, Claim] = field(default_factory=dict)

    def note(self, bench: Bench, claim: Claim) -> None:
        """Take a line for what makes an input, if it does; what was made of it before holds no longer."""
        if not isinstance(claim.left, Name):
            return
        others = {name: one for name, one in self.made.items() if name != claim.left.id}
        if len(others) == len(self.made):
            made = _composed(self.bench or bench, claim.left, claim.right)
        else:
            made = bench
            for one in (*others.values(), claim):
                made = _composed(made, one.left, one.right) or made
        if made is not None:
            self.bench, self.made = made, {**others, claim.left.id: claim}

    def judge(self, equation: Equation, notation: Notation) -> Judgement | None:
        """The verdict on a line with these inputs made; None where there are none, or it has none then."""
        if self.bench is None:
            return None
        found = judge(self.bench, equation, notation.copy())
        words = f"{' and '.join(one.latex for one in self.made.values())}, as the text says"
        if found.good:
            verdict = w.RIGHT_IF if found.verdict == w.RIGHT else found.verdict
            return replace(found, verdict=verdict, reason="; ".join(filter(None, (f"right if {words}", found.reason))))
        return replace(found, reason=f"{found.reason}; with {words}") if found.bad else None


def _composed(bench: Bench, left: Tree | None, right: Tree) -> Bench | None:
    """The bench in which a scalar or array that is an input has a definition; None where it is no such line."""
    if not isinstance(left, Name) or left.id not in bench.names.families or bench.names.families[left.id].arity:
        return None
    system = bench.problem.system
    try:
        body = expression(right, bench.names)
        made_of = {v.name for v in variables(body)}
        if system.family(left.id) or not made_of or left.id in _upstream(bench, made_of):
            return None
        return with_definitions(bench, (*system.definitions, Definition(left.id, (), body)), left.id)
    except (Unclear, SymgradError, ShapeError):
        return None


def _upstream(bench: Bench, names: set[str]) -> set[str]:
    """The families that some depend on, these among them."""
    found, waiting = set(names), list(names)
    while waiting:
        for d in bench.problem.system.family(waiting.pop()):
            new = {v.name for v in variables(d.body)} - found
            found |= new
            waiting += new
    return found
