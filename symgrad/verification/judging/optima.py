"""Where an optimum is: a line `h^* = u/‖u‖`, or `h = u/‖u‖`, compared with what the questions of the problem find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from symgrad.derivation.referred import result
from symgrad.derivation.solve import solve_problem
from symgrad.errors import SymgradError
from symgrad.problem.model import Problem
from symgrad.syntax.tree import Call, Name, Subscript, Tree
from symgrad.tensor.nodes import Density, Var
from symgrad.tensor.system import Definition
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.judge import judge
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.extension import with_definitions
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.readings import Notation

STAR: Final = "star"


class Optimum(Struct, frozen=True):
    """Where a question has its optimum: the variable, the name of the optimal one, and the bench that knows it."""

    question: str
    over: str
    name: str
    bench: Bench


class Compared(Struct, frozen=True):
    """A line compared with an optimum: the verdict, its left side under the name of the optimal variable, the bench."""

    judgement: Judgement
    left: Tree
    bench: Bench


def sought_optima(problem: Problem) -> frozenset[str]:
    """The names of the variables over which questions look for an optimum, and of the optimal ones."""
    over = {about(asked.tree) for q in problem.questions if q.ask == "optimum" for asked in q.several("over")}
    return frozenset(f"{name}{mark}" for name in over if name for mark in ("", STAR))


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
) -> Compared | None:
    """The verdict on a line that says where an optimum is; None for any other line.

    A line of a question is compared with that question's optimum; any other is right where it is right of some. A line
    about the variable itself, `h = …`, may as well put something in: outside its question it is a claim only if right.
    """
    name = about(equation.left)
    near = [x for x in found if name in (x.over, x.name)]
    own = [x for x in near if x.question == question]
    wrong: Compared | None = None
    for optimum in own or near:
        left = _renamed(equation.left, optimum.name)
        own_names = without(notation, optimum.name)
        if open_names((left, equation.right), optimum.bench.names, own_names)[1]:
            continue
        judgement = judge(optimum.bench, replace(equation, left=left), own_names)
        judgement = replace(judgement, question=optimum.question)
        if judgement.good:
            said = f"it is where question {optimum.question} has its optimum"
            judgement = replace(judgement, reason="; ".join(filter(None, (said, judgement.reason))))
            return Compared(judgement, left, optimum.bench)
        if judgement.bad and wrong is None and (own or name == optimum.name):
            wrong = Compared(judgement, left, optimum.bench)
    return wrong


def without(notation: Notation, name: str) -> Notation:
    """The notation without what the writer has a name stand for."""
    kept = {n: m for n, m in notation.names.items() if n != name}
    return Notation(kept, notation.settings, notation.where)


def _renamed(left: Tree, name: str) -> Tree:
    match left:
        case Subscript(base, _):
            return left.replaced(base=_renamed(base, name))
        case Call(func):
            return left.replaced(func=func.replaced(id=name))
        case Name():
            return left.replaced(id=name)
    return left


def about(tree: Tree) -> str:
    """The name that a left side is about, h, h_i or D(x); empty where it is about none."""
    while isinstance(tree, Subscript):
        tree = tree.base
    return tree.func.id if isinstance(tree, Call) else tree.id if isinstance(tree, Name) else ""
