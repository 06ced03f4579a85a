"""The flow of gradients through time: ‖∂h_T/∂h_k‖ against T − k for parameters of several norms, and a bound of it.

The norms are those of the forward model by the complex step; the bound is the certified one of a ``bound`` question.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import sympy
from msgspec import Struct
from msgspec.structs import replace

from symgrad.calculus.moving import Key
from symgrad.calculus.numeric import Numbers
from symgrad.derivation.optima import bound
from symgrad.derivation.optima.norm_rules import matrices
from symgrad.derivation.plots.plotted import record
from symgrad.derivation.steps import Block, Check, Curve, Line, Plot, Prose, Result
from symgrad.derivation.workspace import choose_sizes
from symgrad.errors import QuestionError
from symgrad.problem.model import Declaration, Problem, Question
from symgrad.tensor import build as b
from symgrad.tensor.functions.construct import spectral_norm
from symgrad.tensor.integers import evaluate_int, same, symbols_of
from symgrad.tensor.nodes import Binder, Expr, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.stable import Array
from symgrad.tensor.system import System
from symgrad.tensor.walk import variables

STEPS: Final = 20
NORMS: Final = tuple(Fraction(n, 10) for n in (5, 9, 11, 15))
_INPUTS: Final = 0.1
_SMALLEST: Final = 1e-300
Sizes = Mapping[sympy.Symbol, int]


def drawn(problem: Problem, question: Question) -> Result:
    """The curves of the question, two for each norm: the Jacobian and its bound.

    Raises:
        QuestionError: ``of`` and ``wrt`` are no states of one recurrence, at two open steps.
    """
    of, wrt = question.of.expr, question.wrt[0].expr
    place = _moving(of, wrt, question)
    assert isinstance(of, Var)
    assert isinstance(wrt, Var)
    blocks, limit = _bound(problem, question)
    model = _stretched(problem, of, wrt)
    scaled = _scaled(model, limit)
    norm = spectral_norm(b.deriv(of, wrt))
    steps = range(model.last - 1, model.first - 1, -1)
    across = tuple(float(model.last - k) for k in steps)
    at = [{**_step(of, place, model.last), **_step(wrt, place, k)} for k in steps]
    curves: list[Curve] = []
    checks: list[Check] = []
    for size in (question.numbers("norms") or NORMS) if scaled else (Fraction(1),):
        numbers = _numbers(model, scaled, size)
        found = tuple(_one(numbers, reindex(norm, x)) for x in at)
        curves.append(Curve(across, found, float(size) if scaled else None))
        if limit is not None:
            above = tuple(_one(numbers, reindex(limit, x)) for x in at)
            if any(y > z * (1 + 1e-9) for y, z in zip(found, above, strict=True)):
                raise QuestionError("a norm above the bound was found; this is a fault of symgrad", question.place)
            curves.append(Curve(across, above, float(size) if scaled else None, bound=True))
        checks.append(_check(numbers, reindex(of, at[0]), reindex(wrt, at[0]), found[0]))
    plot = Plot(("steps between the two states",), norm, _norm(scaled), tuple(curves), logarithmic=True)
    blocks += [*_said(scaled), plot]
    return Result(
        question.of.text, question.wrt[0].text, None, None, (), tuple(blocks), tuple(checks), extra=record(plot)
    )


class _Model(Struct, frozen=True):
    """The model with many steps: its definitions, its inputs, its sizes, the last step shown and the first."""

    system: System
    leaves: tuple[Declaration, ...]
    sizes: Sizes
    last: int
    first: int


def _moving(of: Expr, wrt: Expr, question: Question) -> int:
    """The subscript that runs from ``wrt`` to ``of``."""
    if isinstance(of, Var) and isinstance(wrt, Var) and of.name == wrt.name and of.order == 1:
        apart = [k for k, (i, j) in enumerate(zip(of.subs, wrt.subs, strict=True)) if not same(i, j)]
        if len(apart) == 1 and all(isinstance(x.subs[apart[0]], sympy.Symbol) for x in (of, wrt)):
            return apart[0]
    raise QuestionError("the flow is between two states at open steps, such as h[t] and h[k]", question.place)


def _bound(problem: Problem, question: Question) -> tuple[list[Block], Expr | None]:
    """What is known for certain, with its line; nothing where no bound is found."""
    try:
        (result,) = bound.solve(problem, question)
    except QuestionError:
        return [Prose(("No bound of the norm is known for this model.",))], None
    return [x for x in result.blocks if isinstance(x, Line) and x.boxed], result.value


def _stretched(problem: Problem, of: Var, wrt: Var) -> _Model:
    """The model with one step more than ``STEPS``.

    A recurrence that ends at a number goes on by the same equations: they say what a gradient does, not where it ends.
    """
    binder = next((d.ranges[0] for d in problem.system.family(of.name) if d.ranges), None)
    if binder is None:
        raise QuestionError(f"{of.name} is no state of a recurrence")
    longer = binder
    if isinstance(binder.hi, int) and isinstance(binder.lo, int):
        longer = replace(binder, hi=binder.lo + STEPS)

    def stretched(ranges: tuple[Binder, ...]) -> tuple[Binder, ...]:
        return tuple(longer if x == binder else x for x in ranges)

    definitions = tuple(replace(d, ranges=stretched(d.ranges)) for d in problem.system.definitions)
    leaves = tuple(replace(d, ranges=stretched(d.ranges)) for d in problem.leaves)
    sizes = dict(choose_sizes(problem.system, [of, wrt])[0])
    sizes.update(dict.fromkeys(symbols_of(binder.hi), STEPS + 1))
    first, last = (evaluate_int(x, sizes) for x in (longer.lo, longer.hi))
    return _Model(System(definitions, problem.system.steps), leaves, sizes, last, max(first, last - STEPS))


def _step(node: Var, place: int, value: int) -> dict[sympy.Symbol, int]:
    symbol = node.subs[place]
    return {symbol: value} if isinstance(symbol, sympy.Symbol) else {}


def _scaled(model: _Model, limit: Expr | None) -> tuple[Declaration, ...]:
    """The parameters whose norms decide: those that the bound names, else all square ones."""
    steps = {x.symbol for d in model.system.definitions for x in d.ranges}
    leaves = [d for d in model.leaves if len(d.shape) == 2 and not {x.symbol for x in d.ranges} & steps]
    named = {v.name for m in matrices(limit) for v in variables(m)} if limit is not None else set()
    chosen = tuple(d for d in leaves if d.name in named)
    return chosen or tuple(d for d in leaves if same(d.shape[0], d.shape[1]))


def _norm(scaled: Sequence[Declaration]) -> Expr | None:
    """‖W‖ of the first parameter that decides."""
    if not scaled:
        return None
    first = scaled[0]
    return spectral_norm(Var(first.name, first.pattern, first.shape, first.facts))


def _numbers(model: _Model, scaled: Sequence[Declaration], size: Fraction) -> Numbers:
    """Random inputs, small ones at the steps; the parameters that decide have the norm asked for."""
    draft = Numbers.of(model.system, model.sizes, points=1, seed=3)
    given: dict[Key, Array] = {}
    for d in model.leaves:
        for node in _members(d, model.sizes):
            value = draft.value(node)
            if d in scaled:
                given[node.name, node.subs] = value * (float(size) / np.linalg.norm(value[0], 2))
            elif d.ranges and len(d.shape) < 2 and not d.facts:
                given[node.name, node.subs] = _INPUTS * value
    return Numbers.of(model.system, model.sizes, points=1, seed=3, given=given)


def _members(d: Declaration, sizes: Sizes) -> list[Var]:
    """The members of a declared family; none of one with several indices, or whose range an index decides."""
    if not d.ranges:
        return [Var(d.name, d.pattern, d.shape, d.facts)]
    if len(d.ranges) > 1:
        return []
    (x,) = d.ranges
    lo, hi = (evaluate_int(end, sizes) for end in (x.lo, x.hi))
    made = (reindex(Var(d.name, d.pattern, d.shape, d.facts), {x.symbol: k}) for k in range(lo, hi + 1))
    return [v for v in made if isinstance(v, Var)]


def _one(numbers: Numbers, expr: Expr) -> float:
    return max(float(numbers.value(expr)[0]), _SMALLEST)


def _check(numbers: Numbers, of: Expr, wrt: Expr, found: float) -> Check:
    """The norm of the Jacobian by central differences beside that by the complex step."""
    expected = float(np.linalg.norm(numbers.differences(of, wrt)[0], 2))
    error = abs(found - expected) / max(expected, 1e-12)
    if error > 1e-6:
        raise QuestionError("the norm disagrees with central differences; this is a fault of symgrad")
    return Check("central differences", error, 1)


def _said(scaled: Sequence[Declaration]) -> list[Block]:
    if not scaled:
        return []
    names: list[str | Expr] = []
    for d in scaled:
        names += [", " if names else "", Var(d.name, d.pattern, d.shape, d.facts)]
    words = " is a random matrix" if len(scaled) == 1 else " are random matrices"
    tail = f"{words} of the norm given, the inputs are small random numbers:"
    return [Prose((*(n for n in names if n != ""), tail))]
