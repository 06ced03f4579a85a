"""Where an optimum is: a line `h^* = u/‖u‖`, or `h = u/‖u‖`, compared with what the questions of the problem find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from symgrad.derivation.referred import result
from symgrad.derivation.solve import solve_problem
from symgrad.errors import SymgradError
from symgrad.problem.model import Problem
from symgrad.syntax.tree import Name, Subscript, Tree
from symgrad.tensor.nodes import Density, Var
from symgrad.tensor.system import Definition
from symgrad.verify import verdicts as w
from symgrad.verify.bench import Bench
from symgrad.verify.equations import Equation
from symgrad.verify.extension import with_definitions
from symgrad.verify.judge import judge
from symgrad.verify.readings import Notation
from symgrad.verify.surgery import put_names
from symgrad.verify.verdicts import Judgement
from symgrad.verify.writer import base_name

STAR: Final = "star"


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where a question has its optimum: the variable, the name of the optimal one, and the bench that knows it."""

    question: str
    over: str
    name: str
    bench: Bench


def sought(problem: Problem) -> frozenset[str]:
    """The names of the variables over which questions look for an optimum, and of the optimal ones."""
    over = {_over(asked.tree) for q in problem.questions if q.ask == "optimum" for asked in q.several("over")}
    return frozenset(f"{name}{mark}" for name in over if name is not None for mark in ("", STAR))


def optima(bench: Bench) -> Iterator[Optimum]:
    """Every optimum that a question asks for and that has a point in closed form."""
    problem = bench.problem
    wanted = [q.id for q in problem.questions if q.ask == "optimum"]
    for derivation in solve_problem(problem, wanted):
        with suppress(SymgradError):
            at = result(problem, derivation, "at")
            match derivation.results[0].left:
                case Var(name, ()) if name.endswith(STAR) and name not in bench.names.families:
                    made = with_definitions(bench, (*problem.system.definitions, Definition(name, (), at)), name)
                    yield Optimum(derivation.id, name.removesuffix(STAR), name, made)
                case Density(Var(name)) if name.endswith(STAR) and name in bench.names.functions:
                    yield Optimum(derivation.id, name.removesuffix(STAR), name, bench)


def at_optimum(
    found: Sequence[Optimum], equation: Equation, notation: Notation, question: str | None
) -> tuple[Judgement, Optimum] | None:
    """The verdict on a line that says where an optimum is, and which; None for any other line.

    A line of a question is compared with that question's optimum; any other is right where it is right of some. A line
    about the variable itself, `h = …`, may as well put something in: outside its question it is a claim only if right.
    """
    about = base_name(equation.left)
    near = [x for x in found if about in (x.over, x.name)]
    own = [x for x in near if x.question == question]
    wrong: tuple[Judgement, Optimum] | None = None
    for optimum in own or near:
        left = put_names(equation.left, {optimum.over: optimum.name})
        judgement = judge(optimum.bench, replace(equation, left=left), without(notation, optimum.name))
        judgement = replace(judgement, question=optimum.question)
        if judgement.good:
            said = f"it is where question {optimum.question} has its optimum"
            return replace(judgement, reason="; ".join(filter(None, (said, judgement.reason)))), optimum
        if judgement.bad and wrong is None and (own or about == optimum.name):
            wrong = judgement, optimum
    return wrong


def without(notation: Notation, name: str) -> Notation:
    """The notation without what the writer has a name stand for."""
    meanings: Mapping[str, tuple[object, ...]] = notation.names
    kept = {n: m for n, m in meanings.items() if n != name}
    return Notation(kept, notation.settings, notation.where)  # type: ignore[arg-type]


def _over(tree: Tree) -> str | None:
    match tree:
        case Name(name) | Subscript(Name(name)):
            return name
    return base_name(tree)
