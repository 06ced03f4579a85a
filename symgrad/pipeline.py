"""The way through symgrad, top to bottom: read this file first.

A problem in YAML becomes a ``Problem`` of names and shapes over an expression graph; each question a ``Derivation``
whose every line was evaluated; the derivations a ``Sheet``; the sheet a document in the format asked for. An answer
that somebody wrote becomes claims, each judged against the same graph, and its marks a report.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from symgrad.derivation.solve import solve_problem, unsolved
from symgrad.derivation.steps import Derivation
from symgrad.lazy import later
from symgrad.problem.bank import find_problem
from symgrad.problem.elaborate import load_problem
from symgrad.problem.model import Problem
from symgrad.sheet.formats import DATA, PAGES, PICTURES, check_format
from symgrad.sheet.look import DEFAULT_LOOK, Look

if TYPE_CHECKING:
    from symgrad.sheet.compose import Answers
    from symgrad.verification.marked import Marked

compose, check_rows = later("symgrad.sheet.compose:compose"), later("symgrad.sheet.checks:check_rows")
render, typeset = later("symgrad.sheet.render:render"), later("symgrad.sheet.pdf:typeset")
picture, pictured = later("symgrad.sheet.pictures:picture"), later("symgrad.sheet.pictures:pictured")
with_plot = later("symgrad.derivation.plots.usual_plots:with_plot")
mark = later("symgrad.verification.marked:mark")

Document = str | bytes


class Solved(Struct, frozen=True):
    """An answer sheet, and the questions on it that failed: problem, question, message."""

    document: Document
    failures: tuple[tuple[str, str, str], ...]


def load(path_or_text: Path | str) -> Problem:
    """The problem in a file, of a bundled name, or in a YAML text."""
    text = str(path_or_text)
    return load_problem(text if "\n" in text or text.lstrip().startswith("{") else find_problem(text))


def derive(problem: Problem, questions: Collection[str] = ()) -> tuple[Derivation, ...]:
    """The derivations of the questions named; of all, where none is named."""
    return solve_problem(problem, questions)


def printed(answers: Sequence[Answers], format: str, look: Look = DEFAULT_LOOK) -> Document:
    """The answers in one of ``FORMATS``: data as they are, pages composed and laid out by a template."""
    check_format(format, len(answers))
    if format in DATA:
        return DATA[format](*answers[0], look.layout)
    if format in PICTURES:
        drawn: Document = picture(*answers[0], format, look)
        return drawn
    sheet = compose(answers, look, format)
    document: Document = typeset(sheet, look) if format == "pdf" else render(sheet, format, look)
    return document


def solve(
    problems: Problem | Sequence[Problem], format: str, questions: Collection[str] = (), look: Look = DEFAULT_LOOK
) -> Solved:
    """The answers to the questions of one problem or several, in one of ``FORMATS``."""
    listed = [problems] if isinstance(problems, Problem) else problems
    check_format(format, len(listed))
    answers = [(p, _answered(p, format, questions, look)) for p in listed]
    failures = tuple((p.name, d.id, d.message) for p, found in answers for d in found if d.status == "failed")
    return Solved(printed(answers, format, look), failures)


def plot(problem: Problem, kind: str, fields: Mapping[str, str], format: str) -> Document:
    """The picture of one of the usual kinds of plots of a problem; ``fields`` are those of a question, as written.

    Raises:
        ProblemError: a field is wrong, or is needed and missing.
        QuestionError: there is no such plot.
    """
    asked = with_plot(problem, kind, fields)
    drawn: Document = picture(asked, derive(asked), format, DEFAULT_LOOK)
    return drawn


def _answered(problem: Problem, format: str, questions: Collection[str], look: Look) -> tuple[Derivation, ...]:
    """The derivations that a format shows."""
    if format in PICTURES:
        shown = pictured(problem, questions)
        return derive(problem, shown) if shown else ()
    answered = format not in PAGES or look.edition in ("full", "answers")
    return derive(problem, questions) if answered else unsolved(problem, questions)


def checked(problem: Problem) -> list[tuple[str, ...]]:
    """How each answer of a problem was checked: problem, question, kind, largest error, points, result."""
    return [(problem.name, *row) for d in derive(problem) for row in check_rows(d)]


def verify(
    problems: Sequence[Problem], answer: Path | str, questions: Collection[str] = (), formula: bool = False
) -> Marked:
    """The verdicts on an answer, which is a path, a text, or one formula, judged against problems."""
    marked: Marked = mark(problems, answer, questions, formula)
    return marked
