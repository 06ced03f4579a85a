"""From derivations to a sheet: lines that follow one another in one aligned block, results boxed with their space."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from symgrad.derivation import steps
from symgrad.derivation.naming import says
from symgrad.derivation.steps import CasesLine, Derivation, Introduced, Line, Prose, Result
from symgrad.lazy import later
from symgrad.notation.measure import width
from symgrad.notation.symbols import SYMBOLS
from symgrad.notation.tree import Aligned, Cases, Oper, Sym, Tree
from symgrad.notation.tree import Line as TreeLine
from symgrad.problem.model import Problem
from symgrad.sheet import plotting
from symgrad.sheet.chart import Chart, table
from symgrad.sheet.charts import chart
from symgrad.sheet.checks import all_checks, sentence
from symgrad.sheet.document import (
    Block,
    Equations,
    Heading,
    Markdown,
    Paragraph,
    Part,
    QuestionBlock,
    Sheet,
    Table,
    Words,
)
from symgrad.sheet.given import conventions, given_rows, model_blocks
from symgrad.sheet.legend import legend
from symgrad.sheet.logo import read_logo
from symgrad.sheet.look import DEFAULT_LOOK, Look
from symgrad.sheet.prompts import prompt
from symgrad.sheet.reading import Reading
from symgrad.sheet.rows import PRINTED, SCREEN, Equation, apart, displays, stated, wrapped
from symgrad.sheet.words import as_tree, joined, with_formulas
from symgrad.tensor.nodes import Deriv, Expr

Answers: TypeAlias = tuple[Problem, Sequence[Derivation]]
"""A problem with the derivations that answer it."""

model_drawings, question_drawings = (
    later("symgrad.sheet.diagram:model_drawings"),
    later("symgrad.sheet.diagram:question_drawings"),
)

_OWN_WORDS: Final = "text"
_ON_SCREEN: Final = frozenset({"md"})
_ABOUT: Final = {"≈ ": "approx", "= ": "="}
_BRACE: Final = 6.0
_SHORTEST_CONDITION: Final = 10.0


def compose(answers: Sequence[Answers], look: Look = DEFAULT_LOOK, format: str = "pdf") -> Sheet:
    """The sheet of one problem or of several, with lines as long as a format of ``formats.PAGES`` has them."""
    parts: list[Part] = []
    before = 0
    for problem, derivations in answers:
        reading = Reading.of(problem, look.layout, SCREEN if format in _ON_SCREEN else PRINTED)
        prefix = f"{problem.name}-" if len(answers) > 1 else ""
        parts.append(_part(problem, derivations, reading, look, before, prefix))
        before += len(problem.ids)
    title = parts[0].title if len(parts) == 1 else look.title or "Answers"
    said = [dict(problem.document.header) for problem, _ in answers]
    shared = {k: v for k, v in said[0].items() if all(other.get(k) == v for other in said)}
    header = dict(look.header) | shared
    logo = next((p.document.logo for p, _ in answers if p.document.logo is not None), look.logo)
    return Sheet(title, tuple(header.items()), tuple(parts), None if logo is None else read_logo(logo))


def _part(
    problem: Problem, derivations: Iterable[Derivation], reading: Reading, look: Look, before: int, prefix: str
) -> Part:
    model = model_blocks(problem, reading)
    questions = tuple(_question(problem, d, reading, look, before, prefix) for d in derivations)
    shown = (*model, *(b for q in questions for b in (q.prompt, *q.blocks)))
    return Part(
        problem.title or problem.name,
        problem.about,
        given_rows(problem, reading),
        (*model, *(model_drawings(problem, reading) if look.diagram else ())),
        (*legend(shown), *conventions(problem, reading)),
        questions,
    )


def _question(
    problem: Problem, derivation: Derivation, reading: Reading, look: Look, before: int, prefix: str
) -> QuestionBlock:
    asked = derivation.question or problem.question(derivation.id)
    reading = reading.answering(asked)
    answered = look.edition in ("full", "answers")
    whole = look.edition == "full"
    blocks = tuple(_answer(derivation, reading, whole)) if answered else ()
    if answered and derivation.ask == "diagram" and derivation.status == "certified":
        blocks = question_drawings(problem, derivation.id, reading)
    return QuestionBlock(
        before + problem.ids.index(derivation.id) + 1,
        prefix + derivation.id,
        derivation.id,
        derivation.ask,
        derivation.status if answered else "",
        prompt(asked, reading),
        blocks,
        _folded(derivation, reading) if whole and len(list(_steps(derivation))) > 1 else (),
        sentence(all_checks(derivation)) if whole else (),
        derivation.message,
        derivation.note if whole else "",
        derivation.hint if look.edition in ("full", "hints") else "",
        derivation.points,
        look.edition == "questions",
    )


def _answer(derivation: Derivation, reading: Reading, whole: bool) -> Iterator[Block]:
    """The answer, with its steps or without."""
    texts = (derivation.text, *(str(r.extra.get(_OWN_WORDS, "")) for r in derivation.results))
    if derivation.status == "unchecked":
        yield from (Markdown(text) for text in texts if text)
    if whole:
        yield from _results(derivation.results, reading)
    else:
        yield from _folded(derivation, reading)


def _folded(derivation: Derivation, reading: Reading) -> tuple[Block, ...]:
    """The results without their steps."""
    return tuple(blocks_of([b for r in derivation.results for b in _bare(r)], reading))


def _steps(derivation: Derivation) -> Iterator["steps.Block"]:
    for result in derivation.results:
        yield from result.blocks


def _bare(result: Result) -> Iterator["steps.Block | _Stated"]:
    """A result without its steps: what is stated in symbols, else what is said in words and tables."""
    if not result.stated:
        yield from (b for b in result.blocks if not isinstance(b, Introduced))
        return
    found = [*_stated(result)]
    yield from found or (b for b in result.blocks if isinstance(b, Prose | steps.Table | CasesLine))
    yield from result.where


def _results(results: Sequence[Result], reading: Reading) -> Iterator[Block]:
    """The results one after the other, each under a heading where several have steps of their own."""
    headed = len(results) > 1 and any(len(r.blocks) > 1 for r in results[1:])
    if not headed:
        yield from blocks_of(_once(b for r in results for b in _with_result(r)), reading)
        return
    shown: set[object] = set()
    for result in results:
        if isinstance(result.left, Deriv):
            yield Heading(("With respect to ", reading.math(result.left.wrt)))
        yield from blocks_of([b for b in _with_result(result) if _key(b) not in shown], reading)
        shown |= {key for b in result.blocks if (key := _key(b)) is not None}


def _once(blocks: Iterable["steps.Block | _Stated"]) -> Iterator["steps.Block | _Stated"]:
    """The blocks, a line that several results share where it stands first."""
    seen: set[object] = set()
    for block in blocks:
        key = (block.left, block.right, block.ranges) if isinstance(block, Line) and block.boxed else block
        if isinstance(block, Line) and key in seen:
            continue
        seen.add(key if isinstance(block, Line) else id(block))
        yield block


def _key(block: "steps.Block | _Stated") -> object:
    """What a line says, so that it is said once in an answer; results are always stated."""
    match block:
        case Line(left=left, right=right, ranges=ranges, boxed=False):
            return left, right, ranges
        case Introduced(name=name, body=body):
            return name, body
    return None


def _with_result(result: Result) -> Iterator["steps.Block | _Stated"]:
    """The blocks of a result, and the result itself where none of its lines states it."""
    yield from result.blocks
    if not any(x.boxed for x in steps.lines(result.blocks)):
        yield from _stated(result)


class _Stated(Struct, frozen=True):
    """A result that no line of the derivation states."""

    result: Result


def _stated(result: Result) -> Iterator[_Stated]:
    # Yes or no is what the prose of such an answer says.
    said = (steps.Table, CasesLine, Prose) if isinstance(result.exact, bool) else (steps.Table, CasesLine)
    if result.stated and not any(isinstance(b, said) for b in result.blocks):
        yield _Stated(result)


def blocks_of(blocks: Iterable["steps.Block | _Stated"], reading: Reading) -> Iterator[Block]:
    """The blocks of a derivation as blocks of a sheet."""
    said: tuple[Tree, ...] = ()
    for equations, run in groupby(blocks, key=lambda b: not isinstance(b, Prose | steps.Table | steps.Plot)):
        if equations:
            shared, rows = apart(_equations(run, reading))
            if shared and shared != said:
                yield Paragraph(joined(["For ", *stated(shared, rows), ":"]))
            said = shared
            yield from (Equations(x) for x in displays(rows, reading.page))
            continue
        for block in run:
            match block:
                case Prose(words=words):
                    yield Paragraph(reading.words(words))
                case steps.Table():
                    yield _table(block, reading)
                case steps.Plot():
                    yield from _plotted(chart(block, reading))


def _plotted(made: Chart) -> Iterator[Block]:
    """The chart; some of its values, and what is missing, where it cannot be drawn."""
    if plotting.available():
        yield made
        return
    header, rows = table(made)
    yield Paragraph((f"{plotting.MISSING[0].upper()}{plotting.MISSING[1:]}. Some of its values:",))
    yield Table(tuple(header), tuple(tuple(row) for row in rows))


def _table(table: steps.Table, reading: Reading) -> Table:
    header = tuple(with_formulas(cell) for cell in table.header)
    rows = ((cell if isinstance(cell, tuple) else (cell,) for cell in row) for row in table.rows)
    return Table(header, tuple(tuple(reading.words(cell) for cell in row) for row in rows))


def _equations(blocks: Iterable["steps.Block | _Stated"], reading: Reading) -> list[Equation]:
    out: list[Equation] = []
    previous: Tree | None = None
    sides: tuple[Expr, ...] = ()
    for block in blocks:
        match block:
            case Line():
                sides = (block.left, *block.right)
                equation = _line(block, reading)
                # a = b and, directly below, a = c: one left side for both.
                same = equation.left is not None and equation.left == previous
                if same and not out[-1].where and not out[-1].asides:
                    reason = () if equation.reason == out[-1].reason else equation.reason
                    equation = replace(equation, left=None, continues=equation.left, reason=reason)
                previous = equation.left or previous
                out += [equation, *_equations(block.substeps, reading)]
            case Introduced() if not says(sides, block):
                _introduce(block, out, reading)
            case CasesLine():
                out.append(_cases(block, reading))
                previous = None
            case _Stated(result=result):
                out.append(_result(result, reading))
    return out


def _line(line: Line, reading: Reading) -> Equation:
    if line.relation == "iff":
        left, *rights = (reading.statement(x) for x in (line.left, *line.right))
    else:
        left, *rights = (reading.side(x, line.left) for x in (line.left, *line.right))
    reason, behind = line.reason, _lies_in(line.left, line.left, reading) if line.boxed else ()
    match reason:
        case ("≈ " | "= " as relation, Expr() as number) if line.boxed:
            reason, behind = (), (*behind, (_ABOUT[relation], reading.math(number)))
    return Equation(
        left if rights else None,
        tuple(rights or [left]),
        reading.words(reason),
        reading.ranges(line.ranges, (line.left, *line.right)),
        line.boxed,
        behind,
        relation=line.relation,
    )


def _lies_in(value: Expr, left: Expr | None, reading: Reading) -> tuple[tuple[str, Tree], ...]:
    return (("in", reading.lies_in(value, left)),) if value.order else ()


def _introduce(block: Introduced, out: list[Equation], reading: Reading) -> None:
    """A name is explained behind the line that it follows, unless its own reason has to stand beside it."""
    equation = Equation(reading.math(block.name), (reading.math(block.body),), reading.words(block.reason))
    if equation.reason or not out or out[-1].where:
        out.append(equation)
    else:
        out[-1] = replace(out[-1], asides=(*out[-1].asides, equation))


def _cases(block: CasesLine, reading: Reading) -> Equation:
    left, values = reading.math(block.left), [reading.math(value) for value, _ in block.cases]
    most = max(reading.page.width - width(left) - max(width(v) for v in values) - _BRACE, _SHORTEST_CONDITION)
    whens = [_condition(reading.words(when), most) for _, when in block.cases]
    return Equation(left, (Cases(tuple(zip(values, whens, strict=True))),), reading.words(block.reason))


def _condition(words: Words, most: float) -> Tree:
    """The condition of a case; printing puts "if" before one that is not a word by itself."""
    first, *rest = words
    if isinstance(first, str) and first.startswith("if "):
        words = joined([first.removeprefix("if "), *rest])
    lines = [_without_blanks(line) for line in wrapped(_without_blanks(words), most)]
    if len(lines) > 1:
        return Aligned(tuple(TreeLine(None, "", as_tree(line)) for line in lines))
    return as_tree(lines[0])


def _without_blanks(words: Words) -> Words:
    """The words without blanks beside the signs of relations, which have room of their own."""
    kept: list[str | Tree] = []
    for k, word in enumerate(words):
        beside = any(_is_relation(x) for x in words[max(k - 1, 0) : k + 2])
        if not (isinstance(word, str) and word.isspace() and beside):
            kept.append(Oper(word.key) if isinstance(word, Sym) and _is_relation(word) else word)
    return tuple(kept)


def _is_relation(piece: "str | Tree") -> bool:
    key = piece.key if isinstance(piece, Sym) else piece.op if isinstance(piece, Oper) else "comma"
    return SYMBOLS[key].spacing == "relation"


def _result(result: Result, reading: Reading) -> Equation:
    exact = result.number
    left = None if result.left is None else reading.side(result.left, result.left)
    relation = "=" if left is not None else ""
    if exact is not None:
        return Equation(left, (reading.exact(exact),), boxed=True, relation=relation)
    assert result.value is not None
    if left is None:
        return Equation(None, (reading.statement(result.value),), boxed=True, relation="")
    tree = reading.side(result.value, result.left or result.value)
    return Equation(left, (tree,), boxed=True, behind=_lies_in(result.value, result.left, reading), relation=relation)
