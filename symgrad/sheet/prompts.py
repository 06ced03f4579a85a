"""Questions in words, made from their fields where the author gave none; one row for each kind of question."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from symgrad.derivation.numbers import average_precision, iou
from symgrad.errors import QuestionError
from symgrad.notation.tree import Infix, Prefix, Sym, Tree
from symgrad.problem.model import Asked, Condition, Question, Setting
from symgrad.sheet.document import Markdown, Paragraph, Words
from symgrad.sheet.reading import Reading
from symgrad.sheet.words import joined, listed
from symgrad.tensor.nodes import Expr

Pieces = list[str | Tree]
Maker = Callable[[Question, Reading], Pieces]

_FORMS: Final = {
    "chain": ", first as a product of local factors, then factor by factor",
    "expanded": ", written out in full",
    "factored": ", with common factors taken out",
    "backprop": " by backpropagation",
    "sum-of-products": " in closed form, as a sum of products of local Jacobians",
    "components": ", entry by entry",
}
_LAYOUTS: Final = {
    "numerator": ", in numerator layout (the gradient of a scalar is a row)",
    "denominator": ", in denominator layout (Jacobians are transposed)",
}
_RULES: Final = {
    "sgd": "gradient descent",
    "momentum": "gradient descent with momentum",
    "nesterov": "Nesterov's accelerated gradient",
    "adam": "Adam",
    "adamw": "AdamW",
}


def prompt(question: Question, reading: Reading) -> Markdown | Paragraph:
    """The author's prompt, or the question made from its fields."""
    if question.prompt.strip():
        return Markdown(question.prompt)
    pieces = _MAKERS.get(question.ask, _generic)(question, reading)
    end = "?" if str(pieces[0]).startswith(("Does", "Is", "What")) else "."
    return Paragraph(joined([*pieces, *_assuming(question.assume, reading), end]))


def _all(asked: Sequence[Asked], reading: Reading) -> Words:
    return listed([reading.math(a.expr) for a in asked])


def _of(question: Question, reading: Reading, name: str = "of") -> Words:
    return _all(question.several(name), reading)


def _derivative(question: Question, reading: Reading) -> Pieces:
    second = question.order == 2
    head: Pieces = ["Find the Hessian of "] if second else ["Differentiate "]
    out = [*head, *_of(question, reading), " with respect to ", *_of(question, reading, "wrt")]
    if question.form:
        out.append(_FORMS[question.form])
    if held := question.several("hold"):
        out += [", with ", *_all(held, reading), " held fixed"]
    if left := question.several("leave"):
        out += [", leaving the partial derivatives of ", *_all(left, reading), " as they are"]
    if layout := question.word("layout"):
        out.append(_LAYOUTS[layout])
    return [*out, *_where(question.where, reading, ", for ")]


def _where(conditions: Sequence[Condition], reading: Reading, lead: str) -> Pieces:
    return [lead, *listed([reading.condition(c) for c in conditions])] if conditions else []


def _assuming(conditions: Sequence[Condition], reading: Reading) -> Pieces:
    return _where(conditions, reading, ", assuming ")


def _update(question: Question, reading: Reading) -> Pieces:
    rule = _RULES.get(question.word("rule") or "sgd", "gradient descent")
    out: Pieces = [f"Give one step of {rule} on ", *_of(question, reading, "loss")]
    out += [" for ", *_of(question, reading, "wrt")]
    if rate := question.several("rate"):
        out += [", with learning rate ", *_all(rate, reading)]
    return [*out, ", and say which values of the forward pass must be kept"]


def _shape(question: Question, reading: Reading) -> Pieces:
    if wrt := question.several("wrt"):
        return [
            "Give the shape of the derivative of ",
            *_of(question, reading),
            " with respect to ",
            *_all(wrt, reading),
        ]
    return ["Give the shape of ", *_of(question, reading)]


def _evaluate(question: Question, reading: Reading) -> Pieces:
    settings = _settings(question.settings("at"), reading)
    return ["Evaluate ", *_of(question, reading), *([" at ", *listed(settings)] if settings else [])]


def _settings(settings: Sequence[Setting], reading: Reading) -> list[str | Tree]:
    return [_setting(s, reading) for s in settings]


def _setting(setting: Setting, reading: Reading) -> Tree:
    match setting.target:
        case Expr():
            target = reading.math(setting.target)
        case None:
            target = reading.style.names.name(setting.name)
        case _:
            target = reading.size(setting.target)
    relation = "=" if setting.approach is None else "to"
    return Infix((target, _value(setting, reading)), (relation,))


def _value(setting: Setting, reading: Reading) -> Tree:
    if setting.infinite:
        return Sym("infinity") if setting.infinite > 0 else Prefix("minus", Sym("infinity"))
    return reading.given(setting.value)


def _special(question: Question, reading: Reading) -> Pieces:
    settings = [*question.settings("at"), *question.settings("set")]
    verb = "Find the limit of " if question.ask == "limit" else "What becomes of "
    joint = " as " if question.ask == "limit" else " when "
    return [verb, *_of(question, reading), *([joint, *listed(_settings(settings, reading))] if settings else [])]


def _equations(question: Question, reading: Reading) -> Pieces:
    settings = _settings(question.settings("set"), reading)
    out: Pieces = ["Write out the equations that define ", *_of(question, reading)]
    return [*out, *([" for ", *listed(settings)] if settings else [])]


def _depends(question: Question, reading: Reading) -> Pieces:
    return ["Does ", *_of(question, reading), " depend on ", *_of(question, reading, "on"), ", and through which path"]


def _solve(question: Question, reading: Reading) -> Pieces:
    return ["Find all ", *_of(question, reading, "for"), *_where(question.where, reading, " with ")]


def _count(question: Question, reading: Reading) -> Pieces:
    what = question.word("what") or "parameters"
    words = "multiply-accumulate operations" if what == "macs" else what
    return [f"Count the {words} of ", *_of(question, reading)]


def _optimum(question: Question, reading: Reading) -> Pieces:
    sense = (question.word("sense") or "min")[:3]
    out: Pieces = [f"Find the {'maximum' if sense == 'max' else 'minimum'} of ", *_of(question, reading)]
    out += [" over ", *_of(question, reading, "over")]
    return [*out, *_where(question.conditions("subject_to"), reading, " subject to ")]


def _bound(question: Question, reading: Reading) -> Pieces:
    out: Pieces = ["Bound the norm of the derivative of ", *_of(question, reading)]
    return [*out, " with respect to ", *_of(question, reading, "wrt")]


def _plot(question: Question, reading: Reading) -> Pieces:
    of = _of(question, reading)
    if question.several("wrt"):
        wrt = _of(question, reading, "wrt")
        return ["Plot the norm of the derivative of ", *of, " with respect to ", *wrt, " over the steps between them"]
    return ["Plot ", *of, " over ", *_of(question, reading, "over")]


def _convexity(question: Question, reading: Reading) -> Pieces:
    return ["Is ", *_of(question, reading), " convex in ", *_of(question, reading, "over")]


def _identity(question: Question, reading: Reading) -> Pieces:
    relation = question.word("relation") or "=="
    sides = [reading.math(a.expr) for name in ("left", "right") for a in question.several(name)]
    return ["Prove or refute ", Infix(tuple(sides), (relation,)) if len(sides) == 2 else "the identity"]


def _matrix_form(question: Question, reading: Reading) -> Pieces:
    return ["Write ", *_of(question, reading), " as a matrix that acts on ", *_of(question, reading, "input")]


_METHODS: Final = {
    "11-point": "eleven recall levels",
    "all-point": "every recall level that is reached",
    "coco": "101 recall levels",
}


def _average_precision(question: Question, reading: Reading) -> Pieces:
    method = _METHODS[question.word("method") or "all-point"]
    try:
        hits, positives = average_precision.given(question)
    except QuestionError:
        return [f"Compute the average precision with {method}"]
    if not hits:
        return [f"Nothing is detected; {positives} are to be found. Compute the average precision with {method}"]
    ranks = [str(k) for k, hit in enumerate(hits, 1) if hit]
    at = f"hits are at {'ranks' if len(ranks) > 1 else 'rank'} " if ranks else "none is a hit"
    lead = f"Of {len(hits)} ranked detections, {at}"
    return [lead, *listed(ranks), f"; {positives} are to be found. Compute the average precision with {method}"]


def _iou(question: Question, reading: Reading) -> Pieces:
    columns = [iou.COLUMNS[c] for c in iou.columns(question)]
    try:
        boxes, reference = iou.given(question)
    except QuestionError:
        return ["Compute the ", *listed(columns), " of each box with the reference"]
    given = [f"{x.name} ({', '.join(map(str, x.corners))})" for x in boxes]
    return [
        "Compute the ",
        *listed(columns),
        f" of {reference.name} ({', '.join(map(str, reference.corners))}) with ",
        *listed(given),
    ]


def _generic(question: Question, reading: Reading) -> Pieces:
    subject = _of(question, reading)
    name = question.ask.replace("_", " ").capitalize()
    return [name, *([" of ", *subject] if subject else [])]


_MAKERS: Final[Mapping[str, Maker]] = {
    "derivative": _derivative,
    "update": _update,
    "shape": _shape,
    "evaluate": _evaluate,
    "equations": _equations,
    "limit": _special,
    "special_case": _special,
    "solve": _solve,
    "count": _count,
    "optimum": _optimum,
    "depends": _depends,
    "bound": _bound,
    "convexity": _convexity,
    "identity": _identity,
    "matrix_form": _matrix_form,
    "diagram": lambda question, reading: ["Draw the computation graph of ", *_of(question, reading)],
    "plot": _plot,
    "average_precision": _average_precision,
    "iou": _iou,
    "text": lambda question, reading: ["A question answered in words"],
}
