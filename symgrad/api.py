"""Problems and answers as Python objects: ``symgrad.load(...).solve()["a1"].results[0].evaluate(W=..., ...)``."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from symgrad import pipeline
from symgrad.derivation.steps import Check, Derivation, Line, lines
from symgrad.derivation.steps import Result as DerivedResult
from symgrad.errors import ProblemError, near
from symgrad.notation.latex import latex
from symgrad.notation.tree import Infix
from symgrad.problem.model import Problem
from symgrad.sheet.evaluation import evaluate
from symgrad.sheet.explicit import explicit
from symgrad.sheet.json import exact_value, line_latex, reason_text, result_latex
from symgrad.sheet.look import Look
from symgrad.sheet.programs import program
from symgrad.sheet.reading import Reading
from symgrad.tensor.nodes import Shape
from symgrad.verification.bulk import TIME
from symgrad.verification.bulk import verify_many as many
from symgrad.verification.marked import Marked


def load(path_or_text: Path | str) -> "ProblemHandle":
    """The problem in a file, of a bundled name, or in a YAML text of several lines.

    Raises:
        ProblemError: it cannot be used; the error says everything that is wrong, and where.
    """
    return ProblemHandle(pipeline.load(path_or_text))


class ProblemHandle(Struct, frozen=True):
    """A problem, ready to be solved."""

    problem: Problem

    @property
    def title(self) -> str:
        """The title."""
        return self.problem.title

    @property
    def questions(self) -> tuple[str, ...]:
        """The ids of the questions, in order."""
        return self.problem.ids

    def solve(self, questions: Collection[str] = (), layout: str | None = None) -> "SolvedSheet":
        """The answers to all questions, or to those named."""
        return SolvedSheet(self.problem, pipeline.derive(self.problem, questions), layout)


@dataclass(frozen=True)
class SolvedSheet:
    """The answers to a problem's questions, by id."""

    problem: Problem
    derivations: tuple[Derivation, ...]
    layout: str | None = None

    @cached_property
    def answers(self) -> dict[str, "Answer"]:
        """The answers by id, in the problem's order."""
        reading = Reading.of(self.problem, self.layout)
        return {d.id: Answer(self.problem, d, reading.answering(self.problem.question(d.id))) for d in self.derivations}

    def __getitem__(self, question: str) -> "Answer":
        if question not in self.answers:
            message = f"no question {question!r} was solved; solved are {', '.join(self.answers)}"
            raise ProblemError(message, suggestion=near(question, self.answers))
        return self.answers[question]

    def __iter__(self) -> Iterator[str]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)

    @property
    def complete(self) -> bool:
        """Whether every question could be answered."""
        return all(d.status != "failed" for d in self.derivations)

    def text(self, format: str) -> str:
        """The sheet in a format of the command line that is text: tex, typ, md, html, json or numpy."""
        made = self.document(format)
        if isinstance(made, bytes):
            raise ProblemError(f"{format} is not a text; document({format!r}) gives its bytes")
        return made

    def document(self, format: str) -> str | bytes:
        """The sheet in a format of the command line; a PDF is bytes."""
        return pipeline.printed([(self.problem, self.derivations)], format, Look(layout=self.layout))

    def _repr_markdown_(self) -> str:
        return str(self.text("md"))


class Answer(Struct, frozen=True):
    """The answer to one question."""

    problem: Problem
    derivation: Derivation
    reading: Reading

    @property
    def id(self) -> str:
        """The id of the question."""
        return self.derivation.id

    @property
    def status(self) -> str:
        """certified, unchecked (the author's prose) or failed."""
        return self.derivation.status

    @property
    def message(self) -> str:
        """Why there is no answer, where the question failed."""
        return self.derivation.message

    @property
    def results(self) -> tuple["Result", ...]:
        """One result for each ``wrt``."""
        return tuple(Result(self, k) for k in range(len(self.derivation.results)))

    def _repr_markdown_(self) -> str:
        look = Look(layout=self.reading.style.layout)
        return str(pipeline.printed([(self.problem, (self.derivation,))], "md", look))


class Step(Struct, frozen=True):
    """One certified line: its LaTeX, the rule it follows, why it holds, and how far its sides differed."""

    latex: str
    rule: str
    reason: str
    error: float


class Result(Struct, frozen=True):
    """One result of an answer."""

    answer: Answer
    index: int

    @property
    def _derived(self) -> DerivedResult:
        return self.answer.derivation.results[self.index]

    @property
    def of(self) -> str:
        """What was asked about."""
        return self._derived.of

    @property
    def wrt(self) -> str | None:
        """By what it was differentiated."""
        return self._derived.wrt

    @property
    def shape(self) -> Shape:
        """The shape of the value; symbolic sizes are SymPy integers."""
        return self._derived.shape

    @property
    def value(self) -> Any:
        """The exact value where there is one: a number, "58/77", a nested list, a truth value; else None."""
        return exact_value(self._derived.exact)

    @property
    def latex(self) -> str:
        """The value in LaTeX."""
        return result_latex(self._derived, self.answer.derivation.ask, self.answer.reading)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The lines of the derivation."""
        return tuple(_step(x, self.answer.reading) for x in lines(self._derived.blocks))

    @property
    def checks(self) -> tuple[Check, ...]:
        """How the value was checked."""
        return self._derived.checks

    def evaluate(self, **arrays: Any) -> Any:
        """The value at given arrays, by the keywords of the NumPy output.

        Raises:
            QuestionError: an argument is missing, unknown or of another shape.
        """
        whole = program(self.answer.problem, self.answer.derivation)
        found = evaluate(whole, arrays)
        if self.answer.derivation.ask == "shape":
            return tuple(int(size) for size in found)
        return found.get(str(self.wrt), found) if isinstance(found, dict) else found

    def to_sympy(self, **sizes: int) -> Any:
        """The value with every entry written out at numeric sizes; entries of named nodes are symbols such as h_1[2].

        Raises:
            QuestionError: a size or step is missing.
        """
        return explicit(self._derived, sizes)

    def _repr_latex_(self) -> str:
        derived, reading = self._derived, self.answer.reading
        if derived.left is None or derived.value is None:
            return f"${self.latex}$"
        sides = (reading.side(derived.left, derived.left), reading.side(derived.value, derived.left))
        return rf"$\displaystyle {latex(Infix(sides, ('=',)))}$"


def _step(line: Line, reading: Reading) -> Step:
    return Step(line_latex(line, reading), line.rule, reason_text(line, reading), line.check.max_rel_error)


Problems: TypeAlias = "ProblemHandle | Problem | Path | str | Sequence[Problems]"
"""A loaded problem, a path, a bundled name, a YAML text, or several of them."""


def verify(problem: Problems, answer: Path | str) -> Marked:
    """The verdicts on an answer: a path, a text of several lines, or one with formulas between dollar signs.

    Args:
        problem: what the document is judged against.
        answer: the document.

    Raises:
        ProblemError: a problem cannot be used.
        AnswerError: the document cannot be used.
    """
    return pipeline.verify(_problems(problem), answer)


def verify_many(problem: Problems, answers: Iterable[str], jobs: int = 1, seconds: float = TIME) -> list[Marked]:
    """The verdicts on many answers, each a text, in worker processes; a crash or a hang costs one answer.

    Args:
        problem: as for ``verify``.
        answers: the texts.
        jobs: how many processes.
        seconds: what one answer may take.
    """
    return many(_problems(problem), answers, jobs, seconds)


def _problems(problem: Problems) -> list[Problem]:
    if isinstance(problem, ProblemHandle):
        return [problem.problem]
    if isinstance(problem, Problem):
        return [problem]
    if isinstance(problem, Path | str):
        return [pipeline.load(problem)]
    return [p for one in problem for p in _problems(one)]
