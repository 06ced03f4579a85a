"""Questions of kind equations: the definitions behind a quantity, as they stand or at given values."""

from collections.abc import Mapping, Sequence

import sympy
from msgspec import Struct
from msgspec.structs import replace

from symgrad.derivation.reading_order import Statement, inputs, specialise, statements
from symgrad.derivation.reasons import listed
from symgrad.derivation.steps import Block, Code, Line, Prose, Reason, Result
from symgrad.derivation.workspace import workspace
from symgrad.errors import QuestionError
from symgrad.problem.model import Asked, Problem, Question, Setting
from symgrad.problem.numbers import array, filled
from symgrad.tensor.integers import Int, integer
from symgrad.tensor.nodes import Count, Expr, Fold, Num, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.shapes import same_shape
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import System
from symgrad.tensor.walk import find, variables

MOST_UNROLLED = 60


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """The defining system of each ``of``, what an earlier one has shown left out.

    With values set, or at numeric steps, members of families are written out one by one; else a family is one
    line over its range.

    Raises:
        QuestionError: nothing defines it, or a setting is no value.
    """
    chosen = Chosen.of(question.settings("set"))
    system = chosen.system(problem.system)
    shown: set[tuple[Var, Expr]] = set()
    return tuple(_one(problem, question, system, chosen, w, shown) for w in question.several("of"))


class Chosen(Struct, frozen=True):
    """What the question sets: sizes, steps and indices by symbol, nodes and whole families by value."""

    integers: Mapping[sympy.Symbol, Int]
    nodes: Sequence[Setting]

    @classmethod
    def of(cls, settings: Sequence[Setting]) -> "Chosen":
        """The settings, sorted.

        Raises:
            QuestionError: an integer is set to something else.
        """
        integers: dict[sympy.Symbol, Int] = {}
        nodes: list[Setting] = []
        for s in settings:
            if isinstance(s.target, sympy.Symbol):
                integers[s.target] = integer_value(s)
            else:
                nodes.append(s)
        return cls(integers, nodes)

    def system(self, system: System) -> System:
        """The model at these values."""
        system = specialise(system, self.integers)
        if not self.nodes:
            return system
        return System(
            tuple(replace(d, body=self.placed(d.body)) for d in system.definitions),
            system.steps,
        )

    def placed(self, expr: Expr) -> Expr:
        """An expression with the nodes that are set replaced by their values."""
        expr = reindex(expr, self.integers)
        values: dict[Expr, Expr] = {v: _value(s, v) for v in variables(expr) for s in self.nodes if _is_set(s, v)}
        return replace_nodes(expr, values)


def integer_value(setting: Setting) -> Int:
    """The size, step or index that a setting gives.

    Raises:
        QuestionError: its value is no integer.
    """
    value = setting.value.entries[0] if setting.value.shape == () and setting.value.entries else None
    if isinstance(value, Num) and value.value.denominator == 1:
        return int(value.value)
    if isinstance(value, Count):
        return integer(value.value)
    raise QuestionError(f"{setting.name} is a size or an index; {setting.text} gives it no integer", setting.place)


def _is_set(setting: Setting, node: Var) -> bool:
    return setting.target is node or (setting.target is None and setting.name == node.name)


def _value(setting: Setting, node: Var) -> Expr:
    given = setting.value
    value = filled(given, node.shape) if given.shape == () else array(given)
    if not same_shape(value.shape, node.shape):
        raise QuestionError(f"the value of {setting.name} has another shape than {setting.name}", setting.place)
    return value


def _one(
    problem: Problem, question: Question, system: System, chosen: Chosen, asked: Asked, shown: set[tuple[Var, Expr]]
) -> Result:
    root = chosen.placed(asked.expr)
    found = _statements(system, root, bool(chosen.integers or chosen.nodes))
    if not found:
        raise QuestionError(f"{asked.text} is given; nothing defines it", asked.place)
    work = workspace(problem, question, system, [root])
    blocks: list[Block] = []
    texts = [s.text for s in question.settings("set")]
    if texts and not shown:
        blocks.append(Prose(("With " + ", ".join(texts) + ":",)))
    lines: list[Line] = []
    for s in found:
        if (s.node, s.body) not in shown and not _is_constant(problem, s):
            shown.add((s.node, s.body))
            asked_for = s.node is root or s is found[-1]
            lines.append(
                work.certifier.line(
                    s.node, s.body, reason=_reason(s), rule="definition", ranges=s.ranges, boxed=asked_for
                )
            )
    blocks += lines
    read = inputs(system, found, [root])
    if read:
        blocks.append(Prose(("Given: ", *listed(read, ", "), ".")))
    body = system.body(root) if isinstance(root, Var) else root
    return Result(
        asked.text,
        None,
        root,
        body,
        root.shape,
        tuple(blocks),
        tuple(work.certifier.checks),
        code=Code(system, root),
    )


def _statements(system: System, root: Expr, unroll: bool) -> tuple[Statement, ...]:
    numeric_steps = any(v.subs and all(isinstance(s, int) for s in v.subs) for v in variables(root))
    if not unroll and not numeric_steps:
        return statements(system, [root])
    try:
        return statements(system, [root], unroll=True, most=MOST_UNROLLED)
    except QuestionError:
        return statements(system, [root])


def _is_constant(problem: Problem, s: Statement) -> bool:
    """Whether a statement only repeats numbers that the problem gives."""
    declared = problem.declarations.get(s.node.name, ())
    return any(d.constant and d.pattern == s.node.subs and not d.zero for d in declared) and not variables(s.body)


def _reason(s: Statement) -> Reason:
    earlier = [v for v in variables(s.body) if v.name == s.node.name and v is not s.node]
    if not variables(s.body) and s.node.subs:
        return ("boundary value",)
    if s.ranges and earlier:
        return ("recurrence",)
    if any(True for _ in find(s.body, Fold)) and any(v.subs for v in variables(s.body)):
        return ("sum over steps",) if _sums_members(s.body) else ()
    return ()


def _sums_members(body: Expr) -> bool:
    for x in find(body, Fold):
        assert isinstance(x, Fold)
        bound = {y.symbol for y in x.binders}
        if x.op == "sum" and any(
            isinstance(i, sympy.Expr) and i.free_symbols & bound for v in variables(x.body) for i in v.subs
        ):
            return True
    return False
