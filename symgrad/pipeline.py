"""The way through symgrad, top to bottom: read this file first.

A problem in YAML becomes a ``Problem`` of names and shapes over an expression graph; each question a ``Derivation``
whose every line was evaluated; the derivations a ``Sheet``; the sheet a document in the format asked for.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from symgrad.derivation.solve import solve_problem, unsolved
from symgrad.derivation.steps import Derivation
from symgrad.errors import ProblemError, QuestionError, near
from symgrad.lazy import later
from symgrad.problem.bank import find_problem
from symgrad.problem.elaborate import load_problem
from symgrad.problem.model import Problem
from symgrad.sheet.compose import Answers, compose
from symgrad.sheet.look import DEFAULT_LOOK, Look
from symgrad.sheet.render import render
from symgrad.verify import report, report_page
from symgrad.verify.verify import Marked, Markers

module, program = later("symgrad.codegen:module"), later("symgrad.sheet.programs:program")
check_rows, json_text = later("symgrad.sheet.checks:check_rows"), later("symgrad.sheet.json:json_text")
tex_document, typst_document = later("symgrad.sheet.pdf:tex_document"), later("symgrad.sheet.pdf:typst_document")

Derivations = tuple[Derivation, ...]
Document = str | bytes
Printer = Callable[[Sequence[Answers], Look], Document]


@dataclass(frozen=True, slots=True)
class Solved:
    """An answer sheet, and the questions on it that failed: problem, question, message."""

    document: Document
    failures: tuple[tuple[str, str, str], ...]


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


def solve(
    problems: Problem | Sequence[Problem], format: str, questions: Collection[str] = (), look: Look = DEFAULT_LOOK
) -> Solved:
    """The answers to the questions of one problem or several, in a format of ``FORMATS``."""
    listed = [problems] if isinstance(problems, Problem) else problems
    answered = format not in SHEETS or look.edition in ("full", "answers")
    answers = [(p, derive(p, questions) if answered else unsolved(p, questions)) for p in listed]
    failures = tuple((p.name, d.id, d.message) for p, found in answers for d in found if d.status == "failed")
    return Solved(printed(answers, format, look), failures)


def printed(answers: Sequence[Answers], format: str, look: Look = DEFAULT_LOOK) -> Document:
    """The answers in a format of ``FORMATS``."""
    if format not in FORMATS:
        known = ", ".join(FORMATS)
        raise ProblemError(f"there is no format {format!r}; known are {known}", suggestion=near(format, FORMATS))
    return FORMATS[format](answers, look)


def checked(path_or_text: Path | str) -> list[tuple[str, ...]]:
    """How each answer of a problem was checked: problem, question, kind, largest error, points, result."""
    problem = load(path_or_text)
    return [(problem.name, *row) for d in derive(problem) for row in check_rows(d)]


def numpy_module(problem: Problem, derivations: Iterable[Derivation]) -> str:
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


def _sheet(format: str) -> Printer:
    return lambda answers, look: render(compose(answers, look), format, look)


def _pdf(answers: Sequence[Answers], look: Look) -> bytes:
    compiled, format = (tex_document, "tex") if look.pdf_engine == "pdflatex" else (typst_document, "typ")
    document: bytes = compiled(render(compose(answers, look), format, look))
    return document


def _only(answers: Sequence[Answers], format: str) -> Answers:
    if len(answers) != 1:
        raise ProblemError(f"{format} is written for one problem at a time")
    return answers[0]


SHEETS: Final[Mapping[str, Printer]] = MappingProxyType(
    {"pdf": _pdf, "tex": _sheet("tex"), "typ": _sheet("typ"), "md": _sheet("md"), "html": _sheet("html")}
)
"""The formats that people read."""

FORMATS: Final[Mapping[str, Printer]] = MappingProxyType(
    {
        **SHEETS,
        "json": lambda answers, look: json_text(*_only(answers, "JSON"), look.layout),
        "numpy": lambda answers, look: numpy_module(*_only(answers, "NumPy")),
    }
)


def verify(
    problems: Sequence[Problem], answer: Path | str, questions: Collection[str] = (), formula: bool = False
) -> Marked:
    """The verdicts on an answer, which is a path, a text, or one formula, judged against problems."""
    return Markers.of(problems).mark(answer, questions, formula)


REPORTS: Final[Mapping[str, Callable[[Marked], str]]] = MappingProxyType(
    {
        "text": report.text,
        "json": report.json_text,
        "md": report_page.markdown,
        "html": report_page.html,
        "tex": report_page.tex,
    }
)
"""The formats of a marked answer."""
