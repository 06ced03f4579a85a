"""The fields of a problem file, and of each kind of question: one table for checking and for the schema."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from symgrad.problem.forms import (
    ANY,
    ANY_EXPRESSIONS,
    ASSIGNMENTS,
    BOX,
    BOXES,
    DEFINITION,
    EXPRESSION,
    EXPRESSIONS,
    LIST,
    NUMBER,
    ORDER,
    SETTINGS,
    TEXT,
    VALUES,
    Form,
    choice,
    one_or_list,
)


class Field(Struct, frozen=True):
    """A field: its name, the form of its value, and what it says."""

    name: str
    form: Form
    about: str
    required: bool = False


class QuestionKind(Struct, frozen=True):
    """A kind of question: its `ask`, its own fields, and groups of which one field is needed."""

    ask: str
    about: str
    fields: tuple[Field, ...]
    one_of: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        """An 'optimum' question."""
        return f"{'an' if self.ask[0] in 'aeiou' else 'a'} {self.ask!r} question"

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """Its own fields behind those every question has."""
        return (*COMMON, *self.fields)


FACTS: Final = (
    "one-hot", "probability", "positive", "symmetric", "orthogonal", "diagonal", "invertible",
    "positive-definite", "integer", "index", "constant", "parameter", "density", "function",
)  # fmt: skip

_LAYOUTS: Final = choice("numerator", "denominator")

DOCUMENT: Final = (
    Field("title", TEXT, "what the problem is called"),
    Field("about", TEXT, "an introduction in Markdown"),
    Field("author", TEXT, "for the head of the sheet"),
    Field("date", TEXT, "for the head of the sheet"),
    Field("course", TEXT, "for the head of the sheet"),
    Field("institution", TEXT, "for the head of the sheet"),
    Field("logo", TEXT, "an image file for the head of the sheet"),
    Field("symbols", ANY, "what is given: name, name[t] or name[0] and what it is"),
    Field("steps", ANY, "the range of each index, {t: 1..3}"),
    Field("model", one_or_list(DEFINITION, "a definition, name = expression,"), "what is computed, in order"),
    Field("questions", ANY, "what is asked"),
    Field("assume", ANY_EXPRESSIONS, "further facts, as conditions"),
    Field("layout", _LAYOUTS, "the convention derivatives are printed in"),
    Field("index_base", choice("0", "1"), "where component indices start; 1 when left out"),
    Field("relu_at_zero", NUMBER, "the derivative of relu at 0; 0 when left out"),
)

SYMBOL: Final = (
    Field(
        "shape",
        one_or_list(EXPRESSION, "a size", may_be_empty=True),
        "nothing for a scalar, n for a vector, [n, m]",
    ),
    Field("is", one_or_list(choice(*FACTS), "a fact"), "what is known of it"),
    Field("latex", TEXT, "how it is printed and read back"),
    Field("values", VALUES, "its numbers, where they are fixed"),
    Field("range", VALUES, "the values a function can take, [0, 1]"),
    Field("about", TEXT, "what it is, in words"),
)

COMMON: Final = (
    Field("id", TEXT, "the name of the question, an identifier", required=True),
    Field("ask", TEXT, "the kind of question", required=True),
    Field("prompt", TEXT, "the question in words, in Markdown"),
    Field("points", NUMBER, "what it is worth"),
    Field("note", TEXT, "prose printed with the answer"),
    Field("hint", TEXT, "a hint for those who answer"),
    Field("assume", ANY_EXPRESSIONS, "further facts, as conditions"),
)


def _of(about: str = "what is asked about") -> Field:
    return Field("of", EXPRESSION, about, required=True)


_WRT: Final = Field("wrt", EXPRESSIONS, "by what it is differentiated", required=True)
_WHERE: Final = Field("where", ANY_EXPRESSIONS, "conditions such as 1 <= s < t")
_AT: Final = Field("at", SETTINGS, "the point, such as tau -> 0+")
_SET: Final = Field("set", SETTINGS, "what is fixed, such as {gamma: 0}")
_OVER: Final = Field("over", EXPRESSIONS, "the variables", required=True)
_FORMS: Final = choice("chain", "expanded", "factored", "backprop", "sum-of-products", "components")
_SENSES: Final = choice("min", "max", "minimum", "maximum", "minimize", "maximize", "minimise", "maximise")

_KINDS: Final = (
    QuestionKind(
        "derivative",
        "the derivative with every step",
        (
            _of(),
            _WRT,
            Field("form", _FORMS, "how it is written"),
            Field("order", ORDER, "2 for the Hessian"),
            Field("leave", ANY_EXPRESSIONS, "nodes whose partials stay unresolved"),
            Field("hold", ANY_EXPRESSIONS, "nodes that are kept fixed"),
            Field("layout", _LAYOUTS, "the convention of this answer, where it is not the problem's"),
            _WHERE,
        ),
    ),
    QuestionKind(
        "update",
        "the update of a parameter",
        (
            Field("loss", EXPRESSION, "what is made smaller", required=True),
            _WRT,
            Field("rule", choice("sgd", "momentum", "nesterov", "adam", "adamw"), "the method"),
            Field("rate", EXPRESSION, "the learning rate"),
            Field("with", ANY, "further settings of the method"),
            Field("state", choice("zero"), "what the method starts from"),
        ),
    ),
    QuestionKind(
        "shape",
        "a dimension, with why",
        (_of(), Field("wrt", EXPRESSIONS, "for the dimension of a derivative")),
    ),
    QuestionKind(
        "evaluate",
        "a number or array",
        (_of(), Field("at", ASSIGNMENTS, "the values of what is left open")),
    ),
    QuestionKind("equations", "the defining system written out", (Field("of", EXPRESSIONS, "what", True), _SET)),
    QuestionKind("limit", "a limit", (_of(), _AT, _SET), one_of=("at", "set")),
    QuestionKind("special_case", "a special case", (_of(), _SET, _AT), one_of=("set", "at")),
    QuestionKind(
        "solve",
        "all solutions",
        (
            Field("for", EXPRESSIONS, "the unknowns", required=True),
            Field("where", EXPRESSIONS, "the conditions", required=True),
        ),
    ),
    QuestionKind(
        "count",
        "a formula and its number",
        (
            _of(),
            Field("what", choice("parameters", "multiplications", "additions", "macs"), "what is counted", True),
        ),
    ),
    QuestionKind(
        "optimum",
        "where the optimum is, and how much",
        (
            _of(),
            _OVER,
            Field("subject_to", ANY_EXPRESSIONS, "constraints"),
            Field("sense", _SENSES, "minimum or maximum"),
        ),
    ),
    QuestionKind(
        "depends",
        "whether it depends, and through which path",
        (_of(), Field("on", EXPRESSIONS, "on what", required=True), _WHERE),
    ),
    QuestionKind("bound", "a norm bound of a Jacobian", (_of(), _WRT, Field("norm", TEXT, "the norm"))),
    QuestionKind("convexity", "whether it is convex, with the proof", (_of(), _OVER)),
    QuestionKind(
        "identity",
        "a proof or a counterexample",
        (
            Field("left", EXPRESSION, "the left side", required=True),
            Field("right", EXPRESSION, "the right side", required=True),
            Field("relation", choice("==", "<=", ">="), "what is claimed"),
        ),
    ),
    QuestionKind(
        "matrix_form",
        "a linear map as a matrix",
        (_of(), Field("input", EXPRESSION, "its argument", required=True)),
    ),
    QuestionKind("diagram", "the computation graph", (_of(),)),
    QuestionKind(
        "plot",
        "the norm of a Jacobian over the steps between its ends, or a number over its variables",
        (
            _of(),
            Field("wrt", EXPRESSIONS, "the earlier state, such as h[k]"),
            Field("over", EXPRESSIONS, "one variable, or two of which the second has a curve for each of its values"),
            Field("values", ASSIGNMENTS, "the ends of the first variable, {p: [0, 1]}, and the curves' of the second"),
            Field("norms", one_or_list(NUMBER, "a norm"), "the norms of the parameter, a curve for each"),
            Field("at", ASSIGNMENTS, "the values of what is left open"),
            Field("form", choice("curves", "contours"), "curves, or the contour lines of a surface"),
        ),
        one_of=("wrt", "over"),
    ),
    QuestionKind(
        "average_precision",
        "the table and the average precision",
        (
            Field("detections", LIST, "hits by rank", required=True),
            Field("positives", NUMBER, "how many there are to be found", required=True),
            Field("method", choice("11-point", "all-point", "coco"), "how it is interpolated"),
        ),
    ),
    QuestionKind(
        "iou",
        "the table of overlaps",
        (
            Field("boxes", BOXES, "named boxes [x1, y1, x2, y2]", required=True),
            Field("reference", BOX, "the box the others are compared with", required=True),
            Field("columns", one_or_list(choice("iou", "distance", "giou"), "a column"), "what is computed"),
        ),
    ),
    QuestionKind("text", "prose of the author", (Field("answer", TEXT, "the prose", required=True),)),
)

QUESTION_KINDS: Final[Mapping[str, QuestionKind]] = MappingProxyType({kind.ask: kind for kind in _KINDS})
