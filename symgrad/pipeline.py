"""The way through symgrad, top to bottom: read this file first.

A problem in YAML becomes a ``Problem`` of names and shapes over an expression graph; each question a ``Derivation``
whose every line was evaluated; the derivations a ``Sheet``; the sheet a text in the format asked for.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from symgrad.codegen import module
from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Derivation
from symgrad.errors import ProblemError, QuestionError, near
from symgrad.problem.bank import find_problem
from symgrad.problem.elaborate import load_problem
from symgrad.problem.model import Problem
from symgrad.sheet.checks import check_rows
from symgrad.sheet.compose import compose
from symgrad.sheet.json import json_text
from symgrad.sheet.programs import program
from symgrad.sheet.render import render

Derivations = tuple[Derivation, ...]
Printer = Callable[[Problem, Derivations, str | None], str]


@dataclass(frozen=True, slots=True)
class Solved:
    """The text of an answer sheet, and the questions on it that failed, with their messages."""

    text: str
    failures: tuple[tuple[str, str], ...]


def load(path_or_text: Path | str) -> Problem:
    """The problem in a file, of a bundled name, or in a YAML text."""
    text = str(path_or_text)
    return load_problem(text if "\n" in text or text.lstrip().startswith("{") else find_problem(text))


def derive(problem: Problem, questions: Collection[str] = ()) -> Derivations:
    """The derivations of the questions named; of all, where none is named."""
    for name in questions:
        if name not in problem.ids:
            message = f"{problem.name} has no question {name!r}; its questions are {', '.join(problem.ids)}"
            raise ProblemError(message, suggestion=near(name, problem.ids))
    return solve_problem(problem, questions or None)


def solve(problem: Problem, format: str, questions: Collection[str] = (), layout: str | None = None) -> Solved:
    """The answers to a problem's questions in a format of ``FORMATS``."""
    if format not in FORMATS:
        raise ProblemError(
            f"there is no format {format!r}; known are {', '.join(FORMATS)}", None, near(format, FORMATS)
        )
    derivations = derive(problem, questions)
    text = FORMATS[format](problem, derivations, layout)
    return Solved(text, tuple((d.id, d.message) for d in derivations if d.status == "failed"))


def checked(path_or_text: Path | str) -> list[tuple[str, ...]]:
    """How each answer of a problem was checked: problem, question, kind, largest error, points, result."""
    problem = load(path_or_text)
    return [(problem.name, *row) for d in derive(problem) for row in check_rows(d)]


def numpy_module(problem: Problem, derivations: Iterable[Derivation], layout: str | None = None) -> str:
    """A module with a function for each question whose answer is computed; the others are named at its end."""
    programs, left_out = [], []
    for d in derivations:
        try:
            if d.status == "certified":
                programs.append(program(problem, d))
        except QuestionError as error:
            left_out.append(f"# {error.message}")
    text = module(programs, problem.title or problem.name)
    return "\n\n".join([text, "\n".join(left_out) + "\n"]) if left_out else text


FORMATS: Final[Mapping[str, Printer]] = MappingProxyType(
    {
        "tex": lambda problem, derivations, layout: render(compose(problem, derivations, layout), "tex"),
        "md": lambda problem, derivations, layout: render(compose(problem, derivations, layout), "md"),
        "json": json_text,
        "numpy": numpy_module,
    }
)
