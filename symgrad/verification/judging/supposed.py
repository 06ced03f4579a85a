"""What the questions of a problem suppose, z = 0 or p_g = p_data: benches on which it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from symgrad.calculus.dependency import reach
from symgrad.derivation.identities.identity import assumed_definition
from symgrad.derivation.points import Point
from symgrad.derivation.reading_order import specialise
from symgrad.errors import SymgradError
from symgrad.problem.model import Given, Question
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Name, Tree
from symgrad.tensor.nodes import Const, Num, Var
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.judge import judge
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.readings import Notation
from symgrad.verification.meaning.worlds import scalar_world, worlds

_AT_A_POINT: Final = frozenset({"special_case", "evaluate"})
_SUBJECTS: Final = ("of", "left", "right")


class Supposition(Struct, frozen=True):
    """A question, what it supposes in words, and the problem in which that holds.

    ``names`` are those that the question is about; ``settled`` those whose values are no longer free, which a line that
    puts in what is supposed does not mention.
    """

    question: str
    words: str
    names: frozenset[str]
    settled: frozenset[str]
    bench: Bench

    def bears_on(self, left: Tree, right: Tree) -> bool:
        """Whether an equation is about what the question asks, with what it supposes put in."""
        return not self.names.isdisjoint(_names(left)) and self.settled.isdisjoint(_names(right))


def suppositions(bench: Bench) -> Iterator[Supposition]:
    """The questions that suppose something of the nodes of the model, not of its sizes."""
    for question in bench.problem.questions:
        given, words = _supposed(bench, question)
        if not given:
            continue
        problem = replace(bench.problem, system=specialise(bench.problem.system, {}, given))
        names = {x for field in _SUBJECTS for asked in question.several(field) for x in _names(asked.tree)}
        made = Bench(problem, bench.names, worlds(problem), scalar_world(problem))
        yield Supposition(question.id, words, frozenset(names), _settled(bench, given), made)


def as_supposed(found: Sequence[Supposition], equation: Equation, notation: Notation) -> Judgement | None:
    """The verdict where a line is right under what a question supposes; None where it is under none."""
    for supposition in found:
        if not supposition.bears_on(equation.left, equation.right):
            continue
        judgement = judge(supposition.bench, equation, notation.copy())
        if judgement.good and judgement.verdict != w.AS_SCALARS:
            reason = "; ".join(filter(None, (f"right if {supposition.words}", judgement.reason)))
            return replace(judgement, verdict=w.RIGHT_IF, reason=reason, question=supposition.question)
    return None


def _supposed(bench: Bench, question: Question) -> tuple[tuple[Definition, ...], str]:
    """What a question supposes, as definitions and in words; nothing where it supposes nothing that is read here."""
    assumptions = tuple(d for c in question.assume if (d := assumed_definition(c)) is not None)
    if assumptions and len(assumptions) == len(question.assume):
        return assumptions, f"what question {question.id} assumes holds"
    settings = [s for s in (*question.settings("set"), *question.settings("at")) if s.approach is None]
    if question.ask not in _AT_A_POINT or not settings:
        return (), ""
    try:
        point = Point.of(bench.problem, settings)
    except SymgradError:
        return (), ""
    words = " and ".join(f"{s.name} = {_shown(s.value)}" for s in settings)
    return (() if point.integers else point.definitions), f"{words}, as question {question.id} has it"


def _shown(value: Given) -> str:
    """Given numbers in words."""
    numbers = [str(x.value) if isinstance(x, Num) else x.name if isinstance(x, Const) else "…" for x in value.entries]
    return f"({', '.join(numbers)})" if value.shape else numbers[0]


def _settled(bench: Bench, given: Sequence[Definition]) -> frozenset[str]:
    """The names of what is given, and of all that depends on it."""
    readers: dict[str, set[str]] = {}
    for d in bench.problem.system.definitions:
        for node in postorder(d.body):
            if isinstance(node, Var):
                readers.setdefault(node.name, set()).add(d.family)
    for f in bench.names.functions.values():
        for name in _names(f.body):
            readers.setdefault(name, set()).add(f.name)
    return frozenset().union(*(reach(d.family, readers) for d in given))


def _names(tree: Tree) -> Iterator[str]:
    yield from (x.id for x in walk(tree) if isinstance(x, Name))
