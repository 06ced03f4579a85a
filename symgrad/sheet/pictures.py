"""Pictures as files of their own: the diagrams or the plot that a problem asks for, or its whole model as a diagram."""

from collections.abc import Collection, Sequence

from symgrad.derivation.steps import Derivation, Plot
from symgrad.errors import ProblemError, QuestionError
from symgrad.problem.model import Problem
from symgrad.sheet import plotting
from symgrad.sheet.charts import chart
from symgrad.sheet.diagram import model_drawings, question_drawings
from symgrad.sheet.draw_svg import svg_file
from symgrad.sheet.look import Look
from symgrad.sheet.pdf import typst_document
from symgrad.sheet.reading import Reading
from symgrad.sheet.render import render_drawings


def pictured(problem: Problem, questions: Collection[str]) -> tuple[str, ...]:
    """The ids of the questions, of those named or of all, that a picture answers.

    Raises:
        ProblemError: a question named is answered otherwise.
    """
    for name in questions:
        if name in problem.ids and problem.question(name).ask not in ("diagram", "plot"):
            raise ProblemError(f"question {name} is answered by lines, not by a picture")
    return tuple(questions) or tuple(q.id for q in problem.questions if q.ask == "diagram")


def picture(problem: Problem, derivations: Sequence[Derivation], format: str, look: Look) -> str | bytes:
    """A plot, or the diagrams of the answers one below the other; that of the whole model where none is asked for.

    Raises:
        ProblemError: the model computes nothing that could be drawn.
        QuestionError: the plot failed.
        MachineError: what draws a plot is not installed.
    """
    reading = Reading.of(problem, look.layout)
    if [d.ask for d in derivations] == ["plot"]:
        plots = [b for r in derivations[0].results for b in r.blocks if isinstance(b, Plot)]
        if not plots:
            raise QuestionError(derivations[0].message)
        drawn = chart(plots[0], reading)
        return plotting.svg(drawn) if format == "svg" else plotting.picture(drawn, format)
    asked = [d for d in derivations if d.ask == "diagram"]
    drawings = [x for d in asked if d.status == "certified" for x in question_drawings(problem, d.id, reading)]
    if not asked:
        drawings = [*model_drawings(problem, reading)]
    if not drawings:
        raise ProblemError(f"{problem.name} computes nothing that could be drawn")
    if format == "svg":
        return svg_file(drawings)
    return typst_document(render_drawings(drawings, problem.title or problem.name, look), format)
