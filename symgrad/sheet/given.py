"""What is given, once for a whole problem: symbols with their spaces, the model's equations, conventions."""

from collections.abc import Iterable, Iterator
from typing import Final

from symgrad.notation.tree import BigOp, Fenced, Func, Ident, Infix, Number, OpName, Prefix, Row, Script, Sym, Tree
from symgrad.problem.model import Declaration, Problem
from symgrad.sheet.document import Block, Equations, GivenRow, Paragraph, Words
from symgrad.sheet.reading import Reading
from symgrad.sheet.rows import Equation, aligned, apart, stated
from symgrad.sheet.words import in_one, joined, with_formulas
from symgrad.tensor import build as b
from symgrad.tensor.facts import at_least
from symgrad.tensor.integers import integer, symbols_of
from symgrad.tensor.nodes import Apply, At, Binder, Build, Call, Expr, Fold, Reduce
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder

_FACTS: Final = {
    "one-hot": "one-hot",
    "probability": "probabilities: non-negative, with sum 1",
    "positive-definite": "positive definite",
    "index": "an index",
    "density": "a density",
    "function": "an unknown function",
}
_SILENT: Final = frozenset({"parameter", "constant", "integer"})
_LARGEST_SHOWN: Final = 12
_MOST_IN_A_ROW: Final = 6


def given_rows(problem: Problem, reading: Reading) -> tuple[GivenRow, ...]:
    """The declared symbols; those of which the same is said share a row, that of the first."""
    rows: list[GivenRow] = []
    for group in problem.declarations.values():
        for d in group:
            space, words = _space(d, reading), _said(d, reading)
            alike = (k for k, r in enumerate(rows) if (r.space, r.words) == (space, words))
            k = next((k for k in alike if len(rows[k].symbols) < _MOST_IN_A_ROW), len(rows))
            before = rows[k].symbols if k < len(rows) else ()
            rows[k : k + 1] = [GivenRow((*before, _symbol(d, reading)), space, words)]
    return tuple(rows)


def _symbol(d: Declaration, reading: Reading) -> Tree:
    names = reading.style.names
    if d.arguments:
        return Func(names.name(d.name), tuple(names.name(a) for a in d.arguments))
    return names.member(d.name, [reading.size(p) for p in d.pattern], d.pattern)


def _space(d: Declaration, reading: Reading) -> Tree:
    return reading.space(() if d.arguments else d.shape, over="Z" if "integer" in d.facts else "R")


def _said(d: Declaration, reading: Reading) -> Words:
    parts: list[Words] = []
    if d.about:
        parts.append(with_formulas(d.about))
    silent = _SILENT | {at_least(0)} if "index" in d.facts else _SILENT
    for fact in sorted(d.facts - silent):
        if fact == "probability" and not d.shape:
            parts.append(("a probability",))
        else:
            parts.append((_FACTS.get(fact, fact),))
    if d.zero:
        parts.append(("zero",))
    elif d.values is not None and len(d.values.entries) <= _LARGEST_SHOWN:
        parts.append(("equal to ", reading.given(d.values)))
    if spans := reading.ranges(d.ranges):
        parts.append(("for ", *in_one(spans)))
    pieces: list[str | Tree] = []
    for k, part in enumerate(parts):
        pieces += [", " if k else "", *part]
    return joined(pieces)


def model_blocks(problem: Problem, reading: Reading) -> tuple[Block, ...]:
    """What the model computes, in the author's order; indices that all lines share are said once."""
    declared = {(d.name, d.pattern) for group in problem.declarations.values() for d in group}
    shown = [d for d in problem.system.definitions if (d.family, d.indices) not in declared]
    if not shown:
        return ()
    shared, equations = apart([_equation(d, reading) for d in shown])
    words: Words = joined(["The model, for ", *stated(shared, equations), ":"]) if shared else ("The model:",)
    return (Paragraph(words), Equations(aligned(equations, reading.page)))


def _equation(d: Definition, reading: Reading) -> Equation:
    """What a definition says; f_r = Σ_k x_{k+2(r−1)} W_k for r = 1, …, 3 where it is by entries."""
    spans = _spans(d, reading)
    if not isinstance(d.body, Build):
        return Equation(reading.math(d.target), (reading.math(d.body),), where=spans)
    base = reading.style.index_base
    moved = {x.symbol: x.symbol + 1 - base for x in d.body.binders}
    places = [Binder(x.symbol, integer(x.lo + base - 1), integer(x.hi + base - 1)) for x in d.body.binders]
    entry = b.entry(d.target, [At(integer(moved[x.symbol])) for x in d.body.binders])
    body = reindex(d.body.body, moved)
    return Equation(reading.math(entry), (reading.math(body),), where=(*spans, *reading.ranges(places)))


def _spans(d: Definition, reading: Reading) -> tuple[Tree, ...]:
    used = {s for i in d.indices for s in symbols_of(i)}
    spans = reading.ranges([x for x in d.ranges if x.symbol in used])
    return (*spans, *(reading.condition(c) for c in d.conds)) if spans else ()


def conventions(problem: Problem, reading: Reading) -> tuple[Words, ...]:
    """What is agreed on at kinks and ties, where the model has any, and how derivatives are laid out."""
    kinds = set(_kinds(d.body for d in problem.system.definitions))
    out: list[Words] = []
    if "relu" in kinds:
        name = Script(OpName("relu"), None, Sym("prime"))
        value = reading.exact(problem.conventions.relu_at_zero)
        out.append((Infix((Func(name, (Number("0"),)), value), ("=",)),))
    if "abs" in kinds:
        out.append(("the derivative of ", Fenced(Sym("cdot"), "|", "|)"), " at ", Number("0"), " is ", Number("0")))
    if "cross_entropy" in kinds:
        out.append((_cross_entropy(),))
    if kinds & {"max", "min", "maxpool2d"}:
        out.append(("where entries tie, the first one is taken",))
    match reading.style.layout:
        case "numerator":
            out.append(("numerator layout: the gradient of a scalar is a row",))
        case "denominator":
            out.append(("denominator layout: Jacobians are transposed",))
    return tuple(out)


def _cross_entropy() -> Tree:
    """CE(p, q) = −Σ_i p_i log q_i."""
    p, q, i = Ident("p"), Ident("q"), Ident("i")
    terms = Row((Script(p, i), Func(OpName("log"), (Script(q, i),), bare=True)))
    return Infix((Func(OpName("CE"), (p, q)), Prefix("minus", BigOp("sum", i, None, terms))), ("=",))


def _kinds(bodies: Iterable[Expr]) -> Iterator[str]:
    for body in bodies:
        for node in postorder(body):
            match node:
                case Apply(fn=name) | Call(fn=name) | Fold(op=name) | Reduce(op=name):
                    yield name
