"""The command line: solve, verify, check, list, schema; exit codes 0 certified, 1 some failed, 2 unusable input."""

import gc
import json
import sys
from collections.abc import Callable, Sequence
from functools import update_wrapper
from importlib import import_module
from pathlib import Path
from typing import Any, Final, ParamSpec

import click

from symgrad.errors import ProblemError, SymgradError
from symgrad.files import write
from symgrad.problem.bank import bank_names, find_problem

P = ParamSpec("P")
_FORMATS: Final = ("pdf", "tex", "typ", "md", "html", "json", "numpy")
_SUFFIXES: Final = {".py": "numpy", ".htm": "html"} | {f".{name}": name for name in _FORMATS if name != "numpy"}
_REPORTS: Final = ("text", "json", "md", "html", "tex")
_LAYOUTS: Final = ("numerator", "denominator")
_EDITIONS: Final = ("full", "answers", "hints", "questions")


def _pipeline() -> Any:
    """The pipeline, imported when there is something to solve: SymPy and NumPy take their time.

    What it makes lives until the end, so looking for garbage among it is put off: that took a tenth of the time.
    """
    gc.set_threshold(200_000, 50, 50)
    return import_module("symgrad.pipeline")


def _reporting(command: Callable[P, None]) -> Callable[P, None]:
    """The command, with errors that symgrad raises on purpose printed once, and their exit code."""

    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SymgradError as error:
            click.echo(error.render(), err=True)
            sys.exit(error.exit_code)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(1)

    return update_wrapper(wrapped, command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="symgrad", prog_name="symgrad")
def main() -> None:
    """Worked answers to deep-learning derivations, every line checked.

    PROBLEM is a YAML file, or the name of a bundled problem (see `symgrad list`).
    """


@main.command()
@click.argument("problems", nargs=-1, required=True, metavar="PROBLEM...")
@click.option(
    "-f", "--format", "format_", metavar="FORMAT", help=f"One of {', '.join(_FORMATS)}; by default as -o ends, else md."
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("-q", "--question", "questions", multiple=True, metavar="ID", help="Only this question; repeatable.")
@click.option("--layout", type=click.Choice(_LAYOUTS), help="Print derivatives in this layout convention.")
@click.option("--edition", type=click.Choice(_EDITIONS), default="full", help="What of the answers is printed.")
@click.option("--paper", type=click.Choice(("a4", "letter")), default="a4", help="The page of PDF and TeX.")
@click.option("--pdf-engine", type=click.Choice(("typst", "pdflatex")), default="typst", help="What sets a PDF.")
@click.option("--flavor", type=click.Choice(("plain", "github")), default="plain", help="The dialect of Markdown.")
@click.option("--diagram", is_flag=True, help="Draw the computation graph under the model.")
@click.option("--title", default="", help="The title of a sheet of several problems.")
@click.option(
    "--template",
    "templates",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A directory with templates of your own.",
)
@_reporting
def solve(
    problems: tuple[str, ...], format_: str | None, output: Path | None, questions: tuple[str, ...], **look: Any
) -> None:
    """Answer the questions of PROBLEM, or of several on one sheet."""
    chosen = format_ or (_SUFFIXES.get(output.suffix, "md") if output is not None else "md")
    pipeline = _pipeline()
    solved = pipeline.solve([pipeline.load(p) for p in problems], chosen, questions, pipeline.Look(**look))
    if output is None and isinstance(solved.document, bytes):
        output = Path(f"{Path(problems[0]).stem}.{chosen}")
        click.echo(f"written to {output}", err=True)
    if output is None:
        click.echo(solved.document, nl=False)
    else:
        write(solved.document, output)
    for problem, name, message in solved.failures:
        click.echo(f"{problem}: question {name}: {message}", err=True)
    sys.exit(1 if solved.failures else 0)


@main.command()
@click.argument("problems", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="Every bundled problem.")
@_reporting
def check(problems: tuple[str, ...], all_: bool) -> None:
    """Derive every answer again, and show how well each was checked."""
    names = (*problems, *(bank_names() if all_ else ()))
    if not names and not all_:
        raise ProblemError("name a problem, or say --all")
    rows: list[Sequence[str]] = []
    worst = 0
    with click.progressbar(names, label="checking", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for name in bar:
            try:
                found = _pipeline().checked(name)
            except SymgradError as error:
                click.echo(error.render(), err=True)
                worst = max(worst, error.exit_code)
                continue
            rows += found
            worst = max([worst, *(int(row[-1] == "failed") for row in found)])
    if rows:
        click.echo(_table(("problem", "question", "check", "error", "points", "result"), rows))
    sys.exit(worst)


@main.command()
@click.argument("problems", nargs=-1, required=True)
@click.option("-e", "--expression", metavar="FORMULA", help="Judge this one formula instead of a document.")
@click.option("-q", "--question", "questions", multiple=True, metavar="ID", help="Only this question; repeatable.")
@click.option("-f", "--format", "format_", type=click.Choice(_REPORTS), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@_reporting
def verify(
    problems: tuple[str, ...], expression: str | None, questions: tuple[str, ...], format_: str, output: Path | None
) -> None:
    """Judge an answer: PROBLEM... ANSWER, or PROBLEM... -e FORMULA."""
    *names, answer = (*problems, expression) if expression is not None else problems
    if not names:
        raise ProblemError("name a problem before the answer, or give a formula with -e")
    pipeline = _pipeline()
    loaded = [pipeline.load(name) for name in names]
    marked = pipeline.verify(
        loaded, answer if expression is not None else Path(answer), questions, expression is not None
    )
    if output is not None:
        write(pipeline.REPORTS[format_](marked), output)
    elif format_ == "text":
        style = import_module("symgrad.verify.report").text
        click.echo(style(marked, lambda text, colour: click.style(text, fg=colour)), nl=False)
    else:
        click.echo(pipeline.REPORTS[format_](marked), nl=False)
    sys.exit(1 if marked.wrong else 0)


@main.command(name="list")
@_reporting
def list_() -> None:
    """The bundled problems with their titles."""
    load = import_module("symgrad.problem.document").load_document
    rows = [(name, load(find_problem(name)).title) for name in bank_names()]
    if rows:
        click.echo(_table((), rows))


@main.command()
@_reporting
def schema() -> None:
    """The JSON Schema of problem files, for editors."""
    click.echo(json.dumps(import_module("symgrad.problem.schema").json_schema(), indent=2))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns as wide as their widest cell."""
    every = [header, *rows] if header else list(rows)
    widths = [max(len(row[k]) for row in every) for k in range(len(every[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in every)
