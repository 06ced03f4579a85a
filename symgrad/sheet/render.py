"""A sheet in TeX, Typst or Markdown: the templates lay it out, the filters here print words and math trees."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from symgrad.errors import ProblemError
from symgrad.lazy import later
from symgrad.notation.latex import latex
from symgrad.notation.measure import width
from symgrad.notation.tree import Aligned, Line
from symgrad.problem.bank import templates_dir
from symgrad.sheet import tex_prose, tex_text
from symgrad.sheet.document import QuestionBlock, Sheet, Table, Words
from symgrad.sheet.drawing import Drawing
from symgrad.sheet.look import DEFAULT_LOOK, Look
from symgrad.sheet.rows import PRINTED
from symgrad.sheet.words import as_tree

# What only other formats than TeX need is loaded with them.
quoted, svg = later("symgrad.notation.typst:quoted"), later("symgrad.sheet.draw_svg:svg")
plotted, sampled = later("symgrad.sheet.plotting:svg"), later("symgrad.sheet.chart:table")
md_escaped, md_inline = later("symgrad.sheet.markdown_text:escaped"), later("symgrad.sheet.markdown_text:inline")
md_framed, github = later("symgrad.sheet.markdown_text:framed"), later("symgrad.sheet.markdown_text:github")
github_inline = later("symgrad.sheet.markdown_text:github_inline")
github_display = later("symgrad.sheet.markdown_text:github_display")

Filters = Mapping[str, Callable[..., Any]]
_BETWEEN_COLUMNS: Final = 1.2


def render(sheet: Sheet, format: str, look: Look = DEFAULT_LOOK) -> str:
    """The text of a sheet; ``format`` is a key of ``FORMATS``.

    Raises:
        ProblemError: a template of the user's own cannot be used.
    """
    filters = "github.md" if format == "md" and look.flavor == "github" else format
    return _laid_out(f"sheet.{format}", filters, look.templates, sheet=sheet, look=look)


def render_question(question: QuestionBlock, look: Look = DEFAULT_LOOK) -> str:
    """One question with its answer, in Markdown."""
    return _laid_out("question.md", "md", look.templates, q=question, look=look)


def render_drawings(drawings: Sequence[Drawing], title: str, look: Look = DEFAULT_LOOK) -> str:
    """Drawings one below the other, on a page of Typst as large as they are."""
    return _laid_out("drawings.typ", "typ", look.templates, drawings=drawings, title=title)


def _laid_out(template: str, filters: str, own: Path | None, **values: Any) -> str:
    try:
        text = _environment(filters, own).get_template(template).render(**values)
    except TemplateError as error:
        if own is None:
            raise
        line = f":{error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
        raise ProblemError(f"{own}/{template}{line}: {error.message or error}") from None
    return _without_runs_of_blank_lines(text)


def _words(text: Callable[[str], str], inline: Callable[[str], str]) -> Callable[[Words], str]:
    def filtered(words: Words) -> str:
        return "".join(text(w) if isinstance(w, str) else inline(latex(w)) for w in words)

    return filtered


def _tex_rows(aligned: Aligned) -> str:
    r"""The rows; no page ends before what continues a row or gives its reason, nor before what follows the last."""
    first, *rest = aligned.lines
    rows = "".join((" \\\\*\n" if _continues(x) else " \\\\\n") + _tex_row(x) for x in rest)
    return rf"{_tex_row(first)}{rows} \closing"


def _continues(line: Line) -> bool:
    return line.left is None and not line.relation


def _tex_row(line: Line) -> str:
    equation = latex(line.replaced(reason=None))
    match line.reason:
        case None:
            return equation
        case Aligned(lines=lines):
            return rf"{equation} && \reasons{{" + r" \\ ".join(f"${latex(x.right)}$" for x in lines) + "}"
        case reason:
            return rf"{equation} && \reason{{{latex(reason)}}}"


def _tex_columns(table: Table) -> str:
    """The columns of a table; where they are too wide together, the widest ones are set as paragraphs."""
    columns = list(zip(table.header, *table.rows, strict=True))
    widths = [max(width(as_tree(cell)) if cell else 0.0 for cell in column) + _BETWEEN_COLUMNS for column in columns]
    most = _capped(widths, PRINTED.width)
    return "".join(
        "l" if w <= most else rf">{{\raggedright\arraybackslash}}p{{{most - _BETWEEN_COLUMNS:.1f}em}}" for w in widths
    )


def _capped(widths: Sequence[float], room: float) -> float:
    """The width at which the widest columns are cut so that all fit."""
    left = sorted(widths)
    while left and left[-1] * len(left) > room:
        if left[0] * len(left) > room:
            return room / len(left)
        room -= left.pop(0)
    return left[-1] if left else room


def _anchor(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", name)


FORMATS: Final[Mapping[str, Filters]] = MappingProxyType(
    {
        "tex": {
            "text": tex_text.escaped,
            "words": _words(tex_text.escaped, lambda formula: f"${formula}$"),
            "math": latex,
            "rows": _tex_rows,
            "columns": _tex_columns,
            "drawn": later("symgrad.sheet.draw:tikz"),
            "charted": later("symgrad.sheet.pgfplots:pgfplots"),
            "anchor": _anchor,
            "prose": tex_prose.prose,
        },
        "html": {
            "words": later("symgrad.sheet.html_text:words"),
            "math": later("symgrad.sheet.html_text:inline"),
            "latex": latex,
            "rows": later("symgrad.sheet.html_text:rows"),
            "prose": later("symgrad.sheet.html_text:prose"),
            "digest": later("symgrad.sheet.html_text:digest"),
            "drawn": lambda drawing: Markup(svg(drawing)),
            "charted": later("symgrad.sheet.plotting:uri"),
        },
        "typ": {
            "text": later("symgrad.sheet.typst_text:text"),
            "words": later("symgrad.sheet.typst_text:words"),
            "math": later("symgrad.sheet.typst_text:inline"),
            "latex": lambda tree: quoted(latex(tree)),
            "bare": later("symgrad.notation.typst:typst"),
            "drawn": later("symgrad.sheet.draw:typst_drawing"),
            "charted": lambda chart: quoted(plotted(chart)),
            "alt": lambda aligned: quoted(latex(aligned)),
            "rows": later("symgrad.notation.typst:typst_rows"),
            "prose": later("symgrad.sheet.typst_text:prose"),
        },
        "md": {
            "text": md_escaped,
            "words": _words(md_escaped, md_inline),
            "math": lambda tree: md_inline(latex(tree)),
            "display": lambda aligned: md_framed(latex(aligned)),
            "sampled": sampled,
            "prose": lambda text: text.strip(),
        },
        "github.md": {
            "text": md_escaped,
            "words": _words(md_escaped, github_inline),
            "math": lambda tree: github_inline(latex(tree)),
            "display": lambda aligned: github_display(latex(aligned)),
            "sampled": sampled,
            "prose": lambda text: github(text.strip()),
        },
    }
)
"""Of each format, how its template prints text, words, trees, aligned equations and an author's Markdown."""


@cache
def _environment(format: str, own: Path | None) -> Environment:
    # TeX, Typst and Markdown have filters of their own for every text; escaping as in HTML would be wrong there.
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([own, templates_dir()] if own else templates_dir()),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=StrictUndefined,
        autoescape=format == "html",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(FORMATS[format])
    return environment


def _without_runs_of_blank_lines(text: str) -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines).rstrip() + "\n"
