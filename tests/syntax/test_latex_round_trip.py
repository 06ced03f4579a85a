"""What the notation prints is read back, over the same names, to an expression of the same value."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import sympy
from msgspec.structs import replace

from symgrad.derivation.certify import Certifier
from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Block, Introduced, Line, Result
from symgrad.derivation.workspace import choose_sizes
from symgrad.errors import SymgradError
from symgrad.notation.latex import latex as printed
from symgrad.problem.collect import collect
from symgrad.problem.declarations import read_declarations, read_steps
from symgrad.problem.definitions import infer_shapes, read_heads
from symgrad.problem.elaborate import load_problem
from symgrad.problem.expressions import read
from symgrad.problem.model import Problem, Question
from symgrad.problem.names import Family, Member
from symgrad.problem.scope import Scope
from symgrad.sheet.reading import Reading
from symgrad.syntax.latex.notation import latex
from symgrad.syntax.reading import parse_expression
from symgrad.tensor import build as b
from symgrad.tensor.nodes import ANY, Call, Concat, Deriv, Expr, Eye, Full, Var
from symgrad.tensor.reindex import free_ints
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder

BANK = Path(__file__).parents[2] / "problems"
PROBLEMS = ("bptt", "gated_rnn", "lstm", "lstm_step", "residual", "softmax_ce")
"""The problems whose every line is read back; they have all kinds of expressions."""


def surroundings(problem: Problem) -> Scope:
    """The scope in which the problem's own formulas were read."""
    collected = collect(problem.document)
    scope = Scope(collected.names, read)
    read_steps(problem.document, scope)
    read_declarations(collected.declared, collected.heads, scope)
    infer_shapes(read_heads(collected.heads, scope), collected.names)
    for name, facts in problem.facts.items():
        collected.names.families[name].facts = facts
    # A sum may run over a letter that is a quantity elsewhere.
    collected.names.kinds.clear()
    return scope


def with_names(scope: Scope, results: tuple[Result, ...], problem: Problem) -> list[Definition]:
    """Let the names that a derivation introduced be known: those it explains, and its adjoints."""
    found: dict[str, list[Definition]] = {}
    own = {d.family for d in problem.system.definitions}
    for result in results:
        for d in result.code.system.definitions if result.code is not None else ():
            if d.family not in own:
                found.setdefault(d.family, []).append(d)
        own |= set(found)
    for result in results:
        for block in sorted(result.blocks, key=lambda x: not isinstance(x, Introduced)):
            for name, body in given_names(block):
                if name.name not in own:
                    ranges = tuple(problem.steps[s] for s in name.subs if s in problem.steps)
                    found[name.name] = [Definition(name.name, name.subs, body, ranges, facts=name.facts)]
                    own.add(name.name)
    place = problem.source.place(0, 0)
    for name, definitions in found.items():
        first = definitions[0]
        # One step behind the last an adjoint is zero.
        members = [Member(first.indices, (), name, place, True, first.body.shape)]
        arity = len(definitions[0].indices)
        scope.names.families[name] = Family(name, arity, place, members, definitions[0].facts)
        scope.names.vocabulary.know(name, arity, definitions[0].body.order)
    return [d for group in found.values() for d in group]


def given_names(block: Block) -> Iterator[tuple[Var, Expr]]:
    """The names that a block gives, D = …, or ∂E/∂z = ŷ − y = e at the end of a line, with what they stand for."""
    if isinstance(block, Introduced):
        yield block.name, block.body
        return
    *_, body, name = (None, None, *(block.right if isinstance(block, Line) else ()))
    # A name for one member says nothing of the others.
    if isinstance(name, Var) and body is not None and not any(isinstance(s, int) for s in name.subs):
        yield name, body


def sides(results: tuple[Result, ...]) -> Iterator[Expr]:
    """Every expression of the lines, once."""
    yield from dict.fromkeys(
        x
        for r in results
        for line in r.blocks
        if isinstance(line, Line)
        for x in (line.left, *line.right)
        if not is_partial(x)
    )


def is_partial(expr: Expr) -> bool:
    """Whether something is held that LaTeX does not show, or it is a name for a new value."""
    if any(isinstance(x, Concat) and any(b.is_zero(a) for a in x.args) for x in postorder(expr)):
        return True
    updated = isinstance(expr, Var) and expr.name.endswith("new")
    return updated or any(
        isinstance(x, Deriv) and any(ANY in getattr(h, "subs", ()) for h in x.held) for x in postorder(expr)
    )


def unsized(expr: Expr) -> list[sympy.Expr | int]:
    """The sizes of identities, ones and unit vectors, which LaTeX does not show."""
    found = [s for x in postorder(expr) if isinstance(x, Eye | Full) or (isinstance(x, Call) and x.fn == "one_hot")
             for s in x.shape]  # fmt: skip
    return list(dict.fromkeys(found)) or [1]


@cache
def solved(name: str) -> tuple[Problem, list[tuple[Question, tuple[Result, ...]]]]:
    problem = load_problem(BANK / f"{name}.yaml")
    return problem, [(q, a.results) for q, a in zip(problem.questions, solve_problem(problem), strict=True)]


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_printed_line_is_read_back_to_its_value(name: str) -> None:
    problem, answers = solved(name)
    style = Reading.of(problem)
    wrong = []
    for question, results in answers:
        if question.ask == "bound":
            # Spectral norms and largest entries have no spelling in the problem language.
            continue
        scope = surroundings(problem)
        extra = with_names(scope, results, problem)
        system = problem.system.extended(extra)
        for expr in sides(results):
            text = printed(style.math(expr))
            try:
                same = value_is_read_back(text, expr, scope, system)
            except SymgradError as error:
                same = error.message
            if same is not True:
                wrong.append((question.id, text, same))
    assert wrong == []


def value_is_read_back(text: str, expr: Expr, scope: Scope, system: System) -> bool:
    indices = {s.name: s for s in free_ints(expr) if isinstance(s, sympy.Symbol)}
    inner = scope.binding(indices)
    scope.names.vocabulary.integers.update(indices)
    tree = parse_expression(text, latex(scope.names.vocabulary))
    last: SymgradError | None = None
    for size in unsized(expr):
        try:
            back = replace(inner, unsized=size).expr(tree)
        except SymgradError as error:
            last = error
            continue
        if back is expr or (b.is_zero(expr) and b.is_zero(back)):
            return True
        sizes = choose_sizes(system, (expr, back))
        certifier = Certifier.of(system, sizes)
        certifier.compare(expr, back)
        return True
    assert last is not None
    raise last
