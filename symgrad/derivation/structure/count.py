"""Questions of kind count: parameters, multiplications, additions or multiply-accumulates, over everything upstream."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

import sympy
from msgspec import Struct

from symgrad.derivation.reading_order import Statement, inputs, statements
from symgrad.derivation.steps import Block, Code, Prose, Reason, Result, Table
from symgrad.derivation.structure.operations import Work, entries, plus, times, work_of
from symgrad.derivation.structure.reached import reached
from symgrad.derivation.structure.size_words import shape_in_words
from symgrad.derivation.structure.tally import Tally
from symgrad.derivation.workspace import Workspace, workspace
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.integers import evaluate_int, integer, symbols_of
from symgrad.tensor.nodes import Add, Call, Count, Expr, Mul, Num, Var
from symgrad.tensor.walk import postorder

UNITS = {"parameters": "parameters", "multiplications": "multiplications", "additions": "additions",
         "macs": "multiply-accumulates"}  # fmt: skip
CONVENTION = (
    "Padding is counted like any other entry, a division as a multiplication and a difference as an addition; "
    "comparisons and functions such as tanh are not counted."
)
OF_PRODUCTS = (
    "Every product is one multiply-accumulate, padding like any other entry; divisions, comparisons and functions such "
    "as tanh are none."
)


class Part(Struct, frozen=True):
    """What one quantity contributes: a formula, and what it is the formula of."""

    name: Expr
    formula: Expr
    why: str | Reason


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """The formula, then the number where all sizes are numbers.

    Raises:
        QuestionError: nothing upstream is a parameter, or a definition runs over a range without an end.
    """
    what = question.word("what") or "parameters"
    of = question.of.expr
    found = statements(problem.system, [of])
    pairs = [*found, *([] if isinstance(of, Var) else [Statement(Var("the result", (), of.shape), of)])]
    if what == "parameters":
        parts = _parameters(problem, question, pairs, of)
    else:
        parts = _operations(pairs, _numbers(problem, found, of), what)
    formula = plus(*(p.formula for p in parts)) if parts else b.ZERO
    work = workspace(problem, question, problem.system, [of])
    if what != "parameters":
        _tallied(work, pairs, what)
    value = collapsed(formula)
    blocks = _blocks(parts, what)
    line = work.certifier.line(formula, value, rule="count", boxed=True)
    blocks.append(line if formula is not value else Prose((value, f" {UNITS[what]}.")))
    number = b.number_of(value)
    symbols = tuple(sorted(_symbols(value), key=str))
    return (
        Result(
            question.of.text,
            None,
            None,
            value,
            (),
            tuple(blocks),
            tuple(work.certifier.checks),
            exact=None if number is None else int(number),
            code=Code(problem.system, value, symbols),
        ),
    )


def _symbols(x: Expr) -> set[sympy.Symbol]:
    return {s for n in postorder(x) if isinstance(n, Count) for s in symbols_of(n.value)}


def collapsed(x: Expr) -> Expr:
    """The formula multiplied out and added up."""
    return b.count(integer(sympy.expand(_arithmetic(x))))


def _arithmetic(x: Expr) -> sympy.Expr:
    match x:
        case Num(value=value):
            return sympy.Rational(value.numerator, value.denominator)
        case Count(value=value):
            return value
        case Add(args=args):
            return sympy.Add(*(_arithmetic(a) for a in args))
        case Mul(args=args):
            return sympy.Mul(*(_arithmetic(a) for a in args))
    raise CertificationError(f"{type(x).__name__} stands in a count")


def _blocks(parts: Sequence[Part], what: str) -> list[Block]:
    rows = tuple((p.name, p.why, p.formula, collapsed(p.formula)) for p in parts)
    blocks: list[Block] = [Table(("quantity", "why", "formula", UNITS[what]), rows)] if rows else []
    if what != "parameters":
        blocks.append(Prose((OF_PRODUCTS if what == "macs" else CONVENTION,)))
    return blocks


# Parameters


def _parameters(problem: Problem, question: Question, found: Sequence[Statement], of: Expr) -> list[Part]:
    leaves = inputs(problem.system, found, [of])
    marked = [v for v in leaves if "parameter" in v.facts]
    chosen = marked or _weights(found, leaves)
    if not chosen:
        message = "mark what is a parameter, {is: parameter}; only the weights of layers are known to be parameters"
        raise QuestionError(message, question.of.place)
    return [Part(v, times(_members(problem, v, question), entries(v.shape)), _shape_words(v)) for v in chosen]


def _shape_words(v: Var) -> Reason:
    words = shape_in_words(v.shape)
    return words if v.order < 2 else ("shape ", *words)


def _weights(found: Iterable[Statement], leaves: Sequence[Var]) -> list[Var]:
    """The filters and biases of the layers."""
    layers = [x for s in found for x in postorder(s.body) if isinstance(x, Call) and x.fn in AXES]
    operands = {a for x in layers for a in x.args[1:]}
    return [v for v in leaves if v in operands]


def _members(problem: Problem, v: Var, question: Question) -> Expr:
    """How many members of its family a node stands for: W[l] over the layers l, one otherwise."""
    counts: list[Expr] = []
    for s in v.subs:
        x = problem.steps.get(s) if isinstance(s, sympy.Symbol) else None
        if x is not None:
            counts.append(b.count(x.length))
    return times(*counts)


# Operations


def _numbers(problem: Problem, found: Sequence[Statement], of: Expr) -> tuple[Expr, ...]:
    """How often each definition is computed: for every index in its ranges, or as far as one member reads it."""
    if isinstance(of, Var) and of.subs and any(s.ranges for s in found):
        return tuple(b.count(n) for n in reached(problem.system, found, of))
    return tuple(times(*(x.length for x in s.ranges)) for s in found)


def _operations(found: Sequence[Statement], numbers: Sequence[Expr], what: str) -> list[Part]:
    parts = []
    for s, number in zip_longest(found, numbers, fillvalue=b.ONE):
        assert isinstance(s, Statement)
        total = _formula(s, number, what)
        if not b.is_zero(total):
            name = s.node if s.node.name.isidentifier() else s.body
            parts.append(Part(name, total, _layer_words(s.body, what)))
    return parts


def _formula(s: Statement, number: Expr, what: str) -> Expr:
    works = [work_of(x) for x in postorder(s.body)]
    return times(number, plus(*(x for w in works for x in _counted(w, what))))


def _counted(work: Work, what: str) -> tuple[Expr, ...]:
    """What of the work of an operation is asked for."""
    if what == "additions":
        return (work.additions,)
    return (work.multiplications,) if what == "macs" else (work.multiplications, work.divisions)


def _layer_words(body: Expr, what: str) -> str:
    if isinstance(body, Call) and body.fn.startswith("conv"):
        if "transpose" in body.fn:
            return "every entry of the input times every tap"
        return "every entry of the output, every tap" if what != "additions" else "one less than the taps of each entry"
    return ""


def _tallied(work: Workspace, found: Sequence[Statement], what: str) -> None:
    """The formulas compared with a count of the terms of the index notation.

    Raises:
        CertificationError: they differ.
    """
    for numbers in work.certifier.instances:
        tally = Tally(numbers.sizes)
        for node in dict.fromkeys(x for s in found if not s.ranges for x in postorder(s.body) if tally.reads(x)):
            work_here = work_of(node)
            formula = plus(*_counted(work_here, "additions" if what == "additions" else "multiplications"))
            expected = tally.of(node)[what == "additions"]
            claimed = evaluate_int(integer(sympy.expand(_arithmetic(formula))), numbers.sizes)
            if claimed != expected:
                raise CertificationError(f"{claimed} {what} are claimed, {expected} are there; a fault of symgrad")
