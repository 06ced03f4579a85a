"""Questions of kind evaluate: the exact value of a quantity, every named node on the way with its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy
from msgspec.structs import replace as changed

from symgrad.calculus.numeric import Numbers
from symgrad.derivation import exact
from symgrad.derivation.certify import Certifier
from symgrad.derivation.identities.integral_rules import closed_form
from symgrad.derivation.numbers.products import entry_products, is_shown
from symgrad.derivation.points import Point
from symgrad.derivation.reading_order import Statement, inputs, specialise, statements
from symgrad.derivation.resolving import without_derivatives
from symgrad.derivation.steps import Block, Check, Code, Line, Reason, Result
from symgrad.derivation.workspace import integer_symbols
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.tensor.integers import replace
from symgrad.tensor.nodes import Compare, Expr, Law, Opaque, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import reindex
from symgrad.tensor.shapes import total
from symgrad.tensor.spelling import describe_node
from symgrad.tensor.sympy_border import exact_evaluate
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import find, variables

CHECK = "NumPy"
MOST_ENTRIES = 2_000
MOST_SHOWN = 64
"""A node with more entries gets no line of its own."""
MOST_LINES = 40
_PRODUCTS = ("entries of the filter times those of the picture under it",)
SOME_STEP = 1_000
"""Stands for a step that the problem leaves open; no value depends on it."""


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """``of`` at the point, exact where the inputs are.

    Raises:
        QuestionError: an input, a size or a step has no value, or the value is not finite.
    """
    point = Point.of(problem, question.settings("at"))
    model, root = without_derivatives(problem, problem.system, question.of.expr)
    system = specialise(model, point.integers, point.definitions)
    system = System(tuple(changed(d, body=closed_form(d.body)) for d in system.definitions), system.steps)
    root = closed_form(reindex(root, point.integers))
    found = statements(system, [root], unroll=True)
    _complete(problem, question, system, found, root)
    places = dict.fromkeys(_open_steps(system, found, root), SOME_STEP)
    run = _Evaluation(system, places)
    lines = [run.line(s) for s in _given_first(found, point)]
    value = run.value(root, question.of.text)
    shown = reindex(question.of.expr, point.integers)
    blocks: list[Block] = [x for x in lines if x is not None and x.left is not shown]
    if len(blocks) > MOST_LINES:
        blocks = []
    for s in found:
        if is_shown(s.body):
            written = entry_products(s.node, s.body, run.values)
            blocks += [run.products(place, products, not k) for k, (place, products) in enumerate(written)]
    blocks.append(run.last(shown, root, value, system))
    rational = exact.is_rational(value)
    return (
        Result(
            question.of.text,
            None,
            shown,
            exact.expression(value),
            shown.shape,
            tuple(blocks),
            tuple(run.checks),
            exact=_plain(question.of.expr, value),
            inexact=None if rational else exact.floats(value),
            code=Code(System(()), exact.expression(value)) if places else _code(system, root, point),
        ),
    )


def _plain(asked: Expr, value: Any) -> Any:
    """The value for a program, whether it holds for a comparison; None where it has no exact one."""
    if isinstance(asked, Compare):
        return exact.mapped(value, bool)
    return exact.plain(value) if exact.is_exact(value) else None


def _code(system: System, root: Expr, point: Point) -> Code:
    """The model at the point; what is given has other names there, so that nothing is left to be passed in."""
    names = {d.family: f"{d.family}_given" for d in point.definitions}

    def rule(x: Expr) -> Expr:
        return Var(names[x.name], x.subs, x.shape, x.facts) if isinstance(x, Var) and x.name in names else x

    renamed = tuple(
        changed(d, family=names.get(d.family, d.family), body=transform(d.body, rule)) for d in system.definitions
    )
    return Code(System(renamed, system.steps), transform(root, rule))


def _given_first(found: tuple[Statement, ...], point: Point) -> list[Statement]:
    """What the question gives in its own order, then the rest; what is given may read what the model defines."""
    names = [d.family for d in point.definitions]
    given = [s for s in found if s.node.name in names and not variables(s.body)]
    given.sort(key=lambda s: names.index(s.node.name))
    return [*given, *(s for s in found if s not in given)]


@dataclass(slots=True)
class _Evaluation:
    """The values of the nodes of a model whose inputs are all given."""

    system: System
    places: Mapping[sympy.Symbol, int]
    values: dict[Var, Any] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    certifier: Certifier = field(init=False)

    def __post_init__(self) -> None:
        self.certifier = Certifier([Numbers.of(self.system, self.places, points=1)])

    def value(self, expr: Expr, name: str) -> Any:
        """The exact value: a SymPy number or nested lists of them."""
        known = {_at(v, self.places): x for v, x in self.values.items()}
        found = exact_evaluate(expr, self.places, known)
        return exact.mapped(found, lambda x: exact.settled(x, name))

    def line(self, s: Statement) -> Line | None:
        """The value of a node, kept for those that read it, as a line."""
        value = self.value(s.body, describe_node(s.node))
        self.values[s.node] = value
        shown = exact.expression(value)
        given = not variables(s.body)
        sides = (shown,) if given or s.body is shown else (s.body, shown)
        reason: Reason = ("given",) if given else ()
        size = total(s.node.shape)
        line = self._checked(s.node, *sides, reason=reason)
        return None if isinstance(size, int) and size > MOST_SHOWN else line

    def products(self, place: Expr, products: Expr, first: bool) -> Line:
        """One entry as a sum of products of numbers; the first says what they are."""
        value = self.value(products, "an entry")
        sides = [products, exact.expression(value)]
        return self._checked(place, *dict.fromkeys(sides), reason=_PRODUCTS if first else ())

    def last(self, shown: Expr, root: Expr, value: Any, system: System) -> Line:
        """The result, boxed."""
        number = exact.expression(value)
        body = system.body(root) if isinstance(root, Var) else None
        sides = [x for x in (body, root, number) if x is not None and x is not shown]
        if body is not None and not variables(body):
            sides = [number]
        return self._checked(shown, *dict.fromkeys(sides), boxed=True)

    def _checked(self, left: Expr, *right: Expr, reason: Reason = (), boxed: bool = False) -> Line:
        line = self.certifier.line(left, *right, reason=reason, rule="evaluation", boxed=boxed)
        check = Check(CHECK, line.check.max_rel_error, 0)
        self.checks.append(check)
        return changed(line, check=check)


def _at(node: Var, places: Mapping[sympy.Symbol, int]) -> Var:
    return Var(node.name, tuple(replace(s, places) for s in node.subs), node.shape, node.facts)


def _complete(problem: Problem, question: Question, system: System, found: tuple[Statement, ...], root: Expr) -> None:
    """Whether everything that is read has a value, all sizes and steps are numbers."""
    place = question.of.place
    unknown = [x for s in found for x in find(s.body, Opaque)] + list(find(root, Opaque))
    if unknown:
        raise QuestionError("the loss is known only through its partial derivatives; it has no value", place)
    if any(list(find(x, Law)) for x in (*(s.body for s in found), root)):
        raise QuestionError("no closed form is known for this expectation, so that it has no exact value", place)
    running = [s for s in found if s.ranges]
    if running:
        steps = sorted({str(x.symbol) for s in running for x in s.ranges})
        raise QuestionError(f"say at which {' and '.join(steps)}: set it in 'at'", place)
    missing = inputs(system, found, [root])
    if missing:
        names = ", ".join(describe_node(v) for v in missing)
        raise QuestionError(f"no value is given for {names}: add it to 'at'", place)
    sizes = sorted(s.name for s in _free(found, root) if s.is_positive)
    if sizes:
        raise QuestionError(f"the size {', '.join(sizes)} is not given: add it to 'at'", place)
    entries = sum(int(total(s.node.shape)) for s in found)
    if entries > MOST_ENTRIES:
        raise QuestionError(f"{entries} entries are too many for exact values; at most {MOST_ENTRIES} are", place)


def _free(found: tuple[Statement, ...], root: Expr) -> set[sympy.Symbol]:
    read = System(tuple(Definition(s.node.name, s.node.subs, s.body, s.ranges) for s in found))
    return integer_symbols(read, [root])


def _open_steps(system: System, found: tuple[Statement, ...], root: Expr) -> set[sympy.Symbol]:
    return {s for s in _free(found, root) | integer_symbols(system, [root]) if not s.is_positive}
