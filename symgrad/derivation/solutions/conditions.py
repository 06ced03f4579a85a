"""Conditions on unknowns, for the page and for SymPy at once."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sympy
from msgspec import Struct

from symgrad.derivation.in_sympy import InSympy
from symgrad.derivation.writing_out import put_in, written_out
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem
from symgrad.tensor import build as b
from symgrad.tensor.comparisons import IN_SYMPY
from symgrad.tensor.integers import Int, lifted, replace
from symgrad.tensor.nodes import Compare, Count, Expr, Mul, Pow, Rel, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.walk import postorder, variables


def unknown(x: Expr, reading: InSympy) -> tuple[Var, sympy.Symbol]:
    """The node that stands for an unknown on the page, and its symbol."""
    if isinstance(x, Var) and not x.order:
        return x, reading.symbol(x)
    if isinstance(x, Count) and isinstance(x.value, sympy.Symbol):
        node = Var(x.value.name, (), (), frozenset({"integer", "positive"}))
        reading.symbols[(node, ())] = x.value
        reading.nodes[x.value] = node
        return node, x.value
    raise QuestionError("solve for scalar symbols or sizes")


class Condition(Struct, frozen=True):
    """left op right, as expressions and for SymPy."""

    op: str
    left: Expr
    right: Expr
    relation: Any

    @property
    def statement(self) -> Expr:
        """The comparison as an expression of 0 and 1."""
        return b.compare(self.op, self.left, self.right)


class Settled(Struct, frozen=True):
    """What conditions such as n = 32 fix of inputs beside the unknowns, and the other conditions."""

    sizes: Mapping[sympy.Symbol, Int]
    values: Mapping[Expr, Expr]
    rest: Sequence[object]

    @property
    def statements(self) -> list[Expr]:
        """What is fixed, as equations."""
        told = [b.compare("==", b.count(s), b.count(n)) for s, n in self.sizes.items()]
        return told + [b.compare("==", x, value) for x, value in self.values.items()]

    def put_in(self, x: Expr) -> Expr:
        """An expression with what is fixed in it."""
        return reindex(replace_nodes(x, self.values), self.sizes)


def settled(problem: Problem, conditions: Sequence[object], unknowns: Collection[str]) -> Settled:
    """Which conditions fix an input, and which are left."""
    sizes: dict[sympy.Symbol, Int] = {}
    values: dict[Expr, Expr] = {}
    rest: list[object] = []
    for c in conditions:
        sides = (c.left, c.right) if isinstance(c, Rel | Compare) and c.op == "==" else ()
        for x, value in (sides, sides[::-1]) if sides else ():
            if isinstance(x, sympy.Symbol) and x.name not in unknowns and isinstance(value, int):
                sizes[x] = value
                break
            number = b.number_of(value) if isinstance(value, Expr) else None
            if number is not None and isinstance(x, Var) and x.name not in unknowns and problem.system.body(x) is None:
                values[x] = b.num(number)
                break
        else:
            rest.append(c)
    return Settled(sizes, values, rest)


def condition(problem: Problem, c: object, reading: InSympy, unknowns: Sequence[Var], fixed: Settled) -> Condition:
    """A condition with what others fix put in.

    Raises:
        QuestionError: it does not compare two numbers.
    """
    if isinstance(c, Rel):
        c = Rel(c.op, replace(c.left, fixed.sizes), replace(c.right, fixed.sizes))
        first, second = (_of_unknowns(side, reading, unknowns) for side in (c.left, c.right))
        relation = IN_SYMPY[c.op](first, second, evaluate=False)
        return Condition(c.op, _integer(first, reading), _integer(second, reading), relation)
    if not isinstance(c, Compare) or c.order:
        raise QuestionError("a condition compares two numbers")
    names = [u.name for u in unknowns]
    reach = [*names, *(v.name for v in variables(*fixed.values))]
    left, right = (fixed.put_in(written_out(problem.system, side, reach)) for side in (c.left, c.right))
    left, right = _sizes(left, reading), _sizes(right, reading)
    return Condition(c.op, left, right, IN_SYMPY[c.op](reading.scalar(left), reading.scalar(right), evaluate=False))


def _sizes(x: Expr, reading: InSympy) -> Expr:
    return _integer(x.value, reading) if isinstance(x, Count) else x


def _of_unknowns(value: Int, reading: InSympy, unknowns: Sequence[Var]) -> sympy.Expr:
    """An integer expression over the symbols of the unknowns, however it came by them."""
    over = lifted(value)
    names = {u.name: reading.symbol(u) for u in unknowns}
    return over.xreplace({s: names[s.name] for s in over.free_symbols if s.name in names})


def _integer(value: Int, reading: InSympy) -> Expr:
    """An integer expression with its quotients over one line: ⌊(x − 7)/3⌋ + 1."""
    if isinstance(value, int):
        return b.num(value)
    if isinstance(value, sympy.Add):
        terms = sorted(value.args, key=lambda t: (bool(t.could_extract_minus_sign()), bool(t.is_Number)))
        return b.add(*(_integer(t, reading) for t in terms))
    if isinstance(value, sympy.floor | sympy.ceiling):
        top, bottom = sympy.fraction(sympy.together(value.args[0]))
        inner = b.div(_integer(top, reading), _integer(bottom, reading))
        return b.apply("floor" if isinstance(value, sympy.floor) else "ceil", inner)
    return reading.back(lifted(value))


def with_fractions(root: Expr) -> Expr:
    """(x − 7)/3 over one line, where a number is divided by."""
    values: dict[Expr, Expr] = {}
    for x in postorder(root):
        factor, rest = b.coefficient(x)
        if isinstance(x, Mul) and abs(factor.numerator) == 1 and factor.denominator > 1:
            top = put_in(rest, values)
            values[x] = Mul((b.neg(top) if factor < 0 else top, Pow(b.num(factor.denominator), b.MINUS_ONE, ())), ())
    return put_in(root, values)
