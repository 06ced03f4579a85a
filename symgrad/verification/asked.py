"""The questions of a problem, by the quantity that each asks for; their points shared among the lines of an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from msgspec.structs import replace

from symgrad.problem.model import Problem
from symgrad.source import Place
from symgrad.syntax.tree import Call, Name, Subscript, Tree
from symgrad.verification.diagnosis.diagnose import adjoint_derivative
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.verdicts import Judged
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.derivatives import node_of
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit

Key = tuple[object, ...]


@dataclass(slots=True)
class Asked:
    """The questions of a problem by what they ask for, the first of each."""

    bench: Bench
    _ids: dict[Key, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for q in self.bench.problem.questions:
            for of in q.several("of"):
                for tree in [_derivative(of.tree, x.tree, of.place, q.order) for x in q.several("wrt")] or [of.tree]:
                    key = self.key(tree, Notation())
                    if key is not None:
                        self._ids.setdefault(key, q.id)

    def question(self, left: Tree, notation: Notation) -> str | None:
        """The question whose quantity a left side is."""
        key = self.key(left, notation)
        return None if key is None else self._ids.get(key)

    def key(self, tree: Tree, notation: Notation) -> Key | None:
        """What a quantity is, whatever it is called: the nodes of the model at one step."""
        tree = adjoint_derivative(tree, notation)
        if isinstance(tree, Call) and tree.func.id == "jacobian":
            inner = [self.key(x, notation) for x in tree.args]
            return None if None in inner else ("d", *inner)
        if not isinstance(tree, Name | Subscript):
            return None
        kinds, _ = open_names((tree,), self.bench.names, notation)
        meaning = self.bench.meaning(self.bench.worlds[0], PLAIN, notation)
        try:
            node = node_of(meaning, tree, dict.fromkeys(kinds, 2))
        except (Outside, Unclear, Misfit):
            return None
        return None if node is None else (node, tuple(sorted(kinds)))


def _derivative(of: Tree, wrt: Tree, place: Place, order: int = 1) -> Tree:
    for _ in range(order):
        of = Call(Name("jacobian", place=place), (of, wrt), (), place=place)
    return of


def left_side(problem: Problem, question: str | None) -> Tree | None:
    """The left side that a question gives to a line without one; None where it gives none."""
    if question is None or question not in problem.ids:
        return None
    asked = problem.question(question)
    wrt = asked.several("wrt")
    if not asked.several("of"):
        return None
    of = asked.of.tree
    if asked.ask == "derivative" and len(wrt) == 1:
        return _derivative(of, wrt[0].tree, of.place, asked.order)
    return of if asked.ask == "evaluate" else None


def with_points(problems: Sequence[Problem], judged: Sequence[Judged]) -> list[Judged]:
    """The verdicts with points: those of a question shared among its lines; the first wrong line loses its share."""
    points = {(p.name, q.id): q.points for p in problems for q in p.questions if q.points is not None}
    counted = Counter((x.problem, x.question) for x in judged if x.good or x.bad)
    out: list[Judged] = []
    for x in judged:
        given = points.get((x.problem or "", x.question or ""))
        if given is None or not (x.good or x.bad):
            out.append(x)
            continue
        share = given / counted[x.problem, x.question]
        out.append(replace(x, points=share if x.good or x.verdict == w.CARRIED else Fraction(0)))
    return out
