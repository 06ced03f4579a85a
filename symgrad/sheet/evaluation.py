"""The value of a program at given arrays: sizes read off their shapes, nodes evaluated over the definitions."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from symgrad.calculus.numeric import Numbers
from symgrad.codegen.model import Input, Model, normalise
from symgrad.codegen.names import identifier
from symgrad.codegen.program import Program
from symgrad.codegen.sizes import Dimension, dimensions
from symgrad.errors import QuestionError, near
from symgrad.tensor.integers import Int, evaluate_int, replace, symbols_of
from symgrad.tensor.stable import Array
from symgrad.tensor.system import System

Key = tuple[str, tuple[Int, ...]]


def evaluate(program: Program, arrays: Mapping[str, Any]) -> Any:
    """The value, or the values by key, at arrays given by the program's keywords.

    Raises:
        QuestionError: an argument is missing, unknown, or does not have the shape it should have.
    """
    model = normalise(program)
    _check_names(program, arrays)
    values = {i.argument: np.asarray(arrays[i.argument], dtype=float) for i in model.inputs}
    integers = {s: int(arrays[identifier(s.name)]) for s in program.integers}
    sizes = _sizes(model, values, integers)
    given = {key: value for i in model.inputs for key, value in _members(i, values[i.argument], sizes)}
    numbers = Numbers.of(System(model.definitions, {}), sizes, points=1, given=given)
    found = {key: np.array(numbers.value(expr)[0]) for key, expr in model.outputs.items()}
    return found if isinstance(program.outputs, Mapping) else found[""]


def _check_names(program: Program, arrays: Mapping[str, Any]) -> None:
    wanted = [leaf.argument for leaf in program.leaves] + [identifier(s.name) for s in program.integers]
    for name in arrays:
        if name not in wanted:
            message = f"{program.name} has no argument {name!r}; it takes {', '.join(wanted)}"
            raise QuestionError(message, suggestion=near(name, wanted))
    missing = [name for name in wanted if name not in arrays]
    if missing:
        raise QuestionError(f"{program.name} also needs {', '.join(missing)}")


def _sizes(model: Model, values: Mapping[str, Array], integers: Mapping[sympy.Symbol, int]) -> dict[sympy.Symbol, int]:
    """Every size from the axes that show it, simple ones first; axes that contradict each other are an error."""
    sizes: dict[sympy.Symbol, int] = dict(integers)
    axes = dimensions(model.inputs)
    for i in model.inputs:
        wanted = sum(1 for d in axes if d.argument == i.argument)
        if values[i.argument].ndim != wanted:
            raise QuestionError(f"{i.argument} needs {wanted} axes, not {values[i.argument].ndim}")
    for d in sorted(axes, key=lambda d: 0 if isinstance(d.size, sympy.Symbol) else 1):
        _settle(d, values[d.argument].shape[d.axis], sizes)
    for d in axes:
        expected = evaluate_int(d.size, sizes)
        if (length := values[d.argument].shape[d.axis]) != expected:
            raise QuestionError(f"axis {d.axis} of {d.argument} has length {length}; {expected} ({d.size}) is needed")
    return sizes


def _settle(d: Dimension, length: int, sizes: dict[sympy.Symbol, int]) -> None:
    unknown = [s for s in symbols_of(d.size) if s not in sizes]
    if len(unknown) != 1:
        return
    equation = replace(d.size, sizes)
    solutions = [x for x in sympy.solve(sympy.Eq(equation, length), unknown[0]) if x.is_Integer]
    if not solutions:
        raise QuestionError(f"axis {d.axis} of {d.argument} cannot have length {length}; it is {d.size}")
    sizes[unknown[0]] = int(solutions[0])


def _members(i: Input, value: Array, sizes: Mapping[sympy.Symbol, int]) -> list[tuple[Key, Array]]:
    """The members of a family that an argument holds, each with a batch axis of length 1."""
    order = [s for s in i.subs if isinstance(s, sympy.Symbol) and any(x.symbol == s for x in i.ranges)]
    ranges = {x.symbol: x for x in i.ranges}
    starts = [evaluate_int(ranges[s].lo, sizes) for s in order]
    out: list[tuple[Key, Array]] = []
    for place in itertools.product(*(range(n) for n in value.shape[: len(order)])):
        env = {**sizes, **{s: lo + k for s, lo, k in zip(order, starts, place, strict=True)}}
        subs = tuple(replace(s, env) for s in i.subs)
        out.append(((i.family, subs), value[place][None]))
    return out
