"""The command line; exit codes 0 everything is certified, 1 some questions failed, 2 unusable input."""

import atexit
import gc
import json
import sys
from collections.abc import Callable, Sequence
from functools import update_wrapper
from importlib import import_module
from pathlib import Path
from typing import Any, Final, ParamSpec

import click

from symgrad.errors import MachineError, ProblemError, SymgradError
from symgrad.files import write
from symgrad.limits import limit_memory, limit_threads
from symgrad.problem.bank import bank_names, find_problem
from symgrad.sheet.formats import FORMATS, SUFFIXES, check_format
from symgrad.sheet.look import CHOICES
from symgrad.verification.reports.formats import REPORTS

P = ParamSpec("P")
_STANDARD: Final = "-"
_SETTINGS: Final = "symgrad.toml"
_TOO_LARGE: Final = {
    MemoryError: "the input takes more memory than there is",
    RecursionError: "the input is nested too deeply",
}
_PLOTS: Final = ("gradient-flow", "loss-surface")
_DRAWN: Final = ("svg", "pdf", "png")
_TARGET: Final = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


def run() -> None:
    """The command line as a process of its own.

    What it makes lives until the end. Looking for garbage among it took a tenth of the time and is put off; taking it
    apart when the process ends took a sixth, and is left to the system.
    """
    gc.set_threshold(1_000_000, 50, 50)
    atexit.register(gc.freeze)
    limit_memory()
    limit_threads()
    main()


def _pipeline() -> Any:
    """The pipeline, imported when there is something to solve: SymPy and NumPy take their time."""
    return import_module("symgrad.pipeline")


def _reporting(command: Callable[P, None]) -> Callable[P, None]:
    """The command, with errors that symgrad raises on purpose printed once, and their exit code."""

    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SymgradError as error:
            click.echo(error.render(), err=True)
            sys.exit(error.exit_code)
        except (MemoryError, RecursionError) as error:
            click.echo(_TOO_LARGE[type(error)], err=True)
            sys.exit(ProblemError.exit_code)

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
    "-f", "--format", "format_", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}; by default as -o ends, else md."
)
@click.option("-o", "--output", type=_TARGET, help="Write to this file; - is the standard output.")
@click.option("-q", "--question", "questions", multiple=True, metavar="ID", help="Only this question; repeatable.")
@click.option("--layout", type=click.Choice(CHOICES["layout"]), help="Print derivatives in this layout convention.")
@click.option("--edition", type=click.Choice(CHOICES["edition"]), help="What of the answers is printed.")
@click.option("--paper", type=click.Choice(CHOICES["paper"]), help="The page of PDF and TeX.")
@click.option("--pdf-engine", type=click.Choice(CHOICES["pdf_engine"]), help="What sets a PDF.")
@click.option("--flavor", type=click.Choice(CHOICES["flavor"]), help="The dialect of Markdown.")
@click.option("--diagram", is_flag=True, default=None, help="Draw the computation graph under the model.")
@click.option("--title", help="The title of a sheet of several problems.")
@click.option(
    "--template",
    "templates",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A directory with templates of your own.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=f"Settings that options stand above; by default {_SETTINGS} here or beside the first problem.",
)
@_reporting
def solve(
    problems: tuple[str, ...],
    format_: str | None,
    output: Path | None,
    questions: tuple[str, ...],
    config: Path | None,
    **options: Any,
) -> None:
    """Answer the questions of PROBLEM, or of several on one sheet.

    \b
    symgrad solve lstm --format tex -o lstm.tex
    symgrad solve my.yaml -q a1 -q a3
    symgrad solve bptt lstm --edition questions --title "Week 3" -o exam.pdf
    """
    chosen = format_ or SUFFIXES.get(output.suffix.lower() if output is not None else "", "md")
    check_format(chosen, len(problems))
    look = _settings(config, problems)
    look |= {name: value for name, value in options.items() if value is not None}
    pipeline = _pipeline()
    solved = pipeline.solve([_load(p) for p in problems], chosen, questions, pipeline.Look(**look))
    if output is None and isinstance(solved.document, bytes):
        output = Path(f"{'sheet' if problems[0] == _STANDARD else Path(problems[0]).stem}.{chosen}")
        click.echo(f"written to {output}", err=True)
    _put(solved.document, output)
    for problem, name, message in solved.failures:
        click.echo(f"{problem}: question {name}: {message}", err=True)
    sys.exit(1 if solved.failures else 0)


@main.command()
@click.argument("kind", type=click.Choice(_PLOTS))
@click.argument("problem")
@click.option("--of", help="What is plotted: a state such as h[t], or a number.")
@click.option("--wrt", help="The earlier state, such as h[k].")
@click.option("--over", help="One variable, or two in brackets: [p, gamma].")
@click.option("--values", help="The ends of a variable, the curves of the second: {p: [0, 1], gamma: [0, 1, 2]}.")
@click.option("--norms", help="The norms of the parameter, a curve for each: [0.5, 1, 2].")
@click.option("--at", help="The values of what is left open: {x: 1}.")
@click.option("--form", type=click.Choice(("curves", "contours")), help="Curves, or contour lines over two variables.")
@click.option("-f", "--format", "format_", type=click.Choice(_DRAWN), help="By default as -o ends, else svg.")
@click.option("-o", "--output", type=_TARGET, help="Write to this file; - is the standard output.")
@_reporting
def plot(kind: str, problem: str, format_: str | None, output: Path | None, **fields: str | None) -> None:
    """Plot how gradients of PROBLEM flow through time, or its loss over its variables.

    \b
    symgrad plot gradient-flow bptt -o flow.svg
    symgrad plot loss-surface focal_loss --values "{gamma: [0, 1/2, 1, 2, 5]}" -o focal.pdf
    """
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    chosen = format_ or (suffix if suffix in _DRAWN else "svg")
    said = {name: text for name, text in fields.items() if text is not None}
    drawn = _pipeline().plot(_load(problem), kind, said, chosen)
    if output is None:
        output = Path(f"{kind}.{chosen}")
        click.echo(f"written to {output}", err=True)
    _put(drawn, output)


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
                found = _pipeline().checked(_load(name))
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
@click.option("-f", "--format", "format_", type=click.Choice(tuple(REPORTS)), help="By default as -o ends, else text.")
@click.option("-o", "--output", type=_TARGET, help="Write to this file; - is the standard output.")
@_reporting
def verify(
    problems: tuple[str, ...],
    expression: str | None,
    questions: tuple[str, ...],
    format_: str | None,
    output: Path | None,
) -> None:
    """Judge an answer: PROBLEM... ANSWER, or PROBLEM... -e FORMULA.

    ANSWER is a .tex, .md, .txt, .ipynb or .yaml file, or - for the standard input.

    \b
    symgrad verify bptt answer.md
    symgrad verify bptt focal_loss answer.tex -o marked.html
    symgrad verify bptt -e '\\frac{\\partial E_t}{\\partial h_t} = V^\\top(\\hat y_t - y_t)'
    """
    *names, answer = (*problems, expression) if expression is not None else problems
    if not names:
        raise ProblemError("name a problem before the answer, or give a formula with -e")
    chosen = format_ or _report_named(output)
    loaded = [_load(name) for name in names]
    written = answer if expression is not None else _standard_input() if answer == _STANDARD else Path(answer)
    marked = _pipeline().verify(loaded, written, questions, expression is not None)
    if chosen == "text" and output is None:
        click.echo(REPORTS[chosen](marked, lambda text, colour: click.style(text, fg=colour)), nl=False)
    else:
        _put(REPORTS[chosen](marked), output)
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


def _settings(config: Path | None, problems: Sequence[str]) -> dict[str, Any]:
    """What the file of settings says that is named, or stands here, or beside the first problem."""
    usual = (folder / _SETTINGS for folder in (Path(), Path(problems[0]).parent))
    path = config or next((p for p in usual if p.is_file()), None)
    return {} if path is None else dict(import_module("symgrad.sheet.settings").read_settings(path))


def _load(name: str) -> Any:
    """A problem by its path or its name; ``-`` is the standard input."""
    return _pipeline().load(_standard_input() if name == _STANDARD else name)


def _standard_input() -> str:
    """The text of the standard input, of which a line more tells it from a path."""
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig") + "\n"
    except UnicodeDecodeError as error:
        raise MachineError(f"the standard input is not UTF-8 text: byte {error.start + 1}") from None


def _put(document: str | bytes, output: Path | None) -> None:
    """Write to a file, or to the standard output."""
    if output is None or str(output) == _STANDARD:
        click.echo(document, nl=False)
    else:
        write(document, output)


def _report_named(output: Path | None) -> str:
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    return suffix if suffix in REPORTS else "html" if suffix == "htm" else "text"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns as wide as their widest cell."""
    every = [header, *rows] if header else list(rows)
    widths = [max(len(row[k]) for row in every) for k in range(len(every[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in every)
