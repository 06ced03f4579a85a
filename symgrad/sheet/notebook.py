"""Answers as a Jupyter notebook: the sheet in Markdown, the answers as NumPy code, and cells that check the code.

The checks are central differences of the forward model at small sizes, and need only NumPy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import sympy
from msgspec import Struct
from msgspec.structs import replace

from symgrad.calculus.numeric import Numbers
from symgrad.codegen import compile_function, module
from symgrad.codegen.names import identifier
from symgrad.codegen.program import Leaf, Program
from symgrad.derivation.steps import Derivation
from symgrad.derivation.workspace import choose_sizes
from symgrad.errors import QuestionError
from symgrad.problem.model import Problem, Question
from symgrad.sheet.compose import compose
from symgrad.sheet.document import Sheet
from symgrad.sheet.look import Look
from symgrad.sheet.programs import forward, program
from symgrad.sheet.render import render, render_question
from symgrad.sheet.samples import sample
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.nodes import Expr, Rel, Var
from symgrad.tensor.stable import Array

Cell = dict[str, Any]
Sizes = Mapping[sympy.Symbol, int]
_DIGITS: Final = 3
_HELPERS: Final = '''\
import inspect


def given(function, **integers):
    """The arguments of a function, from the arrays above."""
    names = inspect.signature(function).parameters
    return {k: v for k, v in {**arrays, **integers}.items() if k in names}


def differences(function, name, row=(), step=1e-5, **integers):
    """The derivative of a function by one of its arguments, or by a row of it, by central differences."""
    base = np.array(arrays[name], dtype=float)
    out = np.zeros(np.shape(function(**given(function, **integers))) + np.shape(base[row]))
    for place in np.ndindex(np.shape(base[row])):
        ends = []
        for sign in (1, -1):
            moved = base.copy()
            moved[(*row, *place)] += sign * step
            ends.append(function(**{**given(function, **integers), name: moved}))
        out[(..., *place)] = (ends[0] - ends[1]) / (2 * step)
    return out


def check(answer, function, name, row=(), **integers):
    """Compare an answer with central differences."""
    expected = differences(function, name, row, **integers)
    np.testing.assert_allclose(answer, expected, rtol=1e-6, atol=1e-7)
    print(f"{function.__name__} by {name}: agrees to {np.max(np.abs(answer - expected), initial=0.0):.0e}")
'''


def notebook(problem: Problem, derivations: Sequence[Derivation], layout: str | None = None) -> str:
    """The notebook, in the format of Jupyter 4.5."""
    look = Look(layout=layout)
    sheet = compose([(problem, derivations)], look, "md")
    (part,) = sheet.parts
    worked = _worked(problem, derivations)
    cells = [_markdown(render(Sheet(sheet.title, sheet.header, (replace(part, questions=()),)), "md", look))]
    if worked.answers:
        title = problem.title or problem.name
        cells.append(_code(module([*worked.answers.values(), *worked.models.values()], title)))
        cells += [_code(worked.arrays_source()), _code(_HELPERS)]
    for q in part.questions:
        cells.append(_markdown(render_question(q, look)))
        if q.id in worked.answers:
            cells.append(_code("\n".join(worked.check_source(problem.question(q.id)))))
    numbered = [{"id": f"cell-{k}", **cell} for k, cell in enumerate(cells)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    made = {"cells": numbered, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _markdown(text: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines(text)}


def _code(text: str) -> Cell:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": _lines(text)}


def _lines(text: str) -> list[str]:
    return text.rstrip().splitlines(keepends=True)


class _Worked(Struct, frozen=True):
    """The programs of the answers and of what they are about, by question, and small arrays to run them with."""

    answers: Mapping[str, Program]
    models: Mapping[str, Program]
    numbers: Numbers
    steps: Mapping[str, Sizes]

    def arrays_source(self) -> str:
        """The arrays, as Python."""
        leaves = {leaf.argument: leaf for p in (*self.answers.values(), *self.models.values()) for leaf in p.leaves}
        items = [f"    {name!r}: {_array_source(self._array(leaf))}," for name, leaf in leaves.items()]
        return "\n".join(["arrays = {", *items, "}"])

    def _array(self, leaf: Leaf) -> Array:
        value = sample(leaf, self.numbers)
        free = not (isinstance(leaf.node, Var) and leaf.node.facts - {"parameter", "constant", "positive"})
        return np.round(value, _DIGITS) if free else value

    def check_source(self, question: Question) -> Iterator[str]:
        """The answer of one question computed, and compared with differences where it is a derivative by an input."""
        answer = self.answers[question.id]
        integers = {identifier(s.name): n for s, n in self.steps[question.id].items()}
        wanted = {identifier(s.name) for s in answer.integers}
        own = "".join(f", {name}={n}" for name, n in integers.items() if name in wanted)
        yield f"{question.id}_answer = {question.id}(**given({question.id}{own}))"
        if question.id in self.models:
            listed = "".join(f", {name}={n}" for name, n in integers.items())
            for key, name, row in self._compared(question):
                value = f"{question.id}_answer" + (f"[{key!r}]" if isinstance(answer.outputs, Mapping) else "")
                yield f"check({value}, {question.id}_of, {name!r}{row}{listed})"
        yield f"{question.id}_answer"

    def _compared(self, question: Question) -> Iterator[tuple[str, str, str]]:
        """Of each input that the question differentiates by: its key, its argument, the row of it that is meant."""
        leaves = self.models[question.id].leaves
        for asked in question.wrt:
            for leaf in leaves:
                row = _row(leaf, asked.expr, {**self.numbers.sizes, **self.steps[question.id]})
                if row is not None:
                    yield asked.text, leaf.argument, row


def _row(leaf: Leaf, wrt: Expr, sizes: Sizes) -> str | None:
    """Which row of an argument a variable is, as an argument of ``check``; nothing where it is all of it.

    None where it is no input: of a recurrence, only the members before the first step are.
    """
    if not (isinstance(leaf.node, Var) and isinstance(wrt, Var)) or leaf.node.name != wrt.name:
        return None
    if not leaf.ranges:
        return "" if leaf.node is wrt else None
    if len(leaf.ranges) != 1 or leaf.node.subs != (leaf.ranges[0].symbol,):
        return None
    (index,) = leaf.ranges
    place, lo, hi = (evaluate_int(x, sizes) for x in (wrt.subs[0], index.lo, index.hi))
    return f", ({place - lo},)" if lo <= place <= hi else None


def _worked(problem: Problem, derivations: Sequence[Derivation]) -> _Worked:
    answers: dict[str, Program] = {}
    models: dict[str, Program] = {}
    steps: dict[str, Sizes] = {}
    asked = {d.id: problem.question(d.id) for d in derivations if d.status == "certified"}
    sizes = choose_sizes(problem.system, [e for q in asked.values() for e in _expressions(q)])[0]
    for d in derivations:
        if d.id not in asked:
            continue
        try:
            made = program(problem, d)
            found = _own_steps(problem, asked[d.id], made, sizes)
        except QuestionError:
            continue
        answers[d.id], steps[d.id] = made, found
        if d.ask == "derivative" and asked[d.id].order == 1 and not asked[d.id].several("hold"):
            try:
                model = forward(problem, asked[d.id], f"{d.id}_of")
                compile_function(model)
            except QuestionError:
                continue
            models[d.id] = model
    return _Worked(answers, models, Numbers.of(problem.system, sizes, points=1), steps)


def _own_steps(problem: Problem, question: Question, made: Program, sizes: Sizes) -> Sizes:
    """The open steps of a question at the sizes that all have.

    Raises:
        QuestionError: they do not fit those sizes.
    """
    relations = [c for c in question.where if isinstance(c, Rel)]
    own = choose_sizes(problem.system, _expressions(question), relations)[0]
    if any(sizes[s] != n for s, n in own.items() if s.is_positive and s in sizes):
        raise QuestionError(f"{question.id} needs sizes of its own")
    return {s: own.get(s, sizes.get(s, 2)) for s in made.integers} | {s: n for s, n in own.items() if not s.is_positive}


def _expressions(question: Question) -> list[Expr]:
    """What a question names."""
    names = [name for name in ("of", "loss", "wrt") if name in question.fields]
    return [a.expr for name in names for a in question.several(name)]


def _array_source(value: Array) -> str:
    text = np.array2string(value, separator=", ", floatmode="unique", max_line_width=100, threshold=value.size + 1)
    return f"np.array({text})"
