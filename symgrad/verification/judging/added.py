"""Gradients that are added up: δW_t, what one step adds to the derivative by W, and δc_t += …, one of its paths."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import numpy as np
import sympy
from msgspec.structs import replace

from symgrad.errors import SymgradError
from symgrad.syntax.tree import Call, Keyword, Name, Number, Span, Tree
from symgrad.tensor.integers import Int, evaluate_int
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.stable import Array
from symgrad.tensor.walk import variables
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.judge import judge as judge_equation
from symgrad.verification.judging.trials import points
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import agrees
from symgrad.verification.meaning.derivatives import node_of
from symgrad.verification.meaning.indices import open_names
from symgrad.verification.meaning.readings import PLAIN, Adjoint, Notation
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.meaning.world import World

ADDS: Final = "+="
_MOST_PATHS: Final = 6


def at_step(bench: Bench, adjoint: Adjoint, step: Name, right: Tree, notation: Notation) -> Judgement:
    """Right where the sum over the steps is the derivative: δW_t of δW = Σ_t δW_t."""
    symbol = next(s for s in bench.problem.steps if s.name == step.id)
    span = bench.problem.steps[symbol]
    place = step.place
    lo, hi = (_tree(end, step) for end in (span.lo, span.hi))
    if lo is None or hi is None:
        return Judgement(w.DEFINITION, f"{adjoint.name} at a step is the writer's own name")
    over = Keyword(step, Span(lo, hi, place=place), place=place)
    total = Call(Name("sum", place=place), (right,), (over,), place=place)
    by = Call(Name("jacobian", place=place), (adjoint.loss, Name(adjoint.family, place=place)), (), place=place)
    found = judge_equation(bench, Equation(by, total), notation.copy())
    said = f"summed over {step.id}, it is the derivative by {adjoint.family}"
    if found.good:
        return replace(found, reason="; ".join(filter(None, (said, found.reason))))
    return replace(found, reason=f"summed over {step.id}: {found.reason}", trial=None)


def _tree(end: Int, beside: Name) -> Tree | None:
    if isinstance(end, int):
        return Number(Fraction(end), str(end), place=beside.place)
    return Name(end.name, place=beside.place) if isinstance(end, sympy.Symbol) else None


def path(bench: Bench, left: Tree, right: Tree, notation: Notation) -> bool:
    """Whether a line is what some of the paths add to the derivative on its left, at every point that is tried.

    The paths go through what reads the quantity. The same ones have to serve at every point.
    """
    if not (isinstance(left, Call) and left.func.id == "jacobian" and len(left.args) == 2):
        return False
    kinds, loose = open_names((left, right), bench.names, notation)
    if loose:
        return False
    serving: set[frozenset[str]] | None = None
    try:
        for point in points(bench, left, right, kinds, notation):
            meaning = bench.meaning(point.world, PLAIN, notation)
            of, wrt = (node_of(meaning, x, point.ints) for x in left.args)
            given = meaning.value(right, point.ints)
            if of is None or not isinstance(wrt, Var):
                return False
            here = {
                names
                for names, value in _paths(point.world, of, wrt)
                if agrees(meaning.laid_out(value, of.order, wrt.order), given)
            }
            serving = here if serving is None else serving & here
            if not serving:
                return False
    except (Unclear, Outside, Misfit, SymgradError):
        return False
    return bool(serving)


def _paths(world: World, of: Expr, wrt: Var) -> Iterator[tuple[frozenset[str], Array]]:
    """Σ (∂r/∂x)ᵀ ∂L/∂r over each choice of the readers r of a node x."""
    readers = _readers(world, wrt)
    if len(readers) > _MOST_PATHS:
        return
    parts = [(_beside(r, wrt), _through(world, of, r, wrt)) for r in readers]
    for count in range(1, len(parts) + 1):
        for chosen in itertools.combinations(parts, count):
            yield frozenset(name for name, _ in chosen), np.asarray(sum(value for _, value in chosen))


def _through(world: World, of: Expr, reader: Var, wrt: Var) -> Array:
    """(∂r/∂x)ᵀ ∂L/∂r, (points, *x.shape): what one reader of a node hands back to it."""
    local = world.partial(reader, wrt, immediate=True, marked=True)
    if isinstance(of, Var) and (of.name, of.subs) == (reader.name, reader.subs):
        return local
    adjoint = world.partial(of, reader)
    points, size = max(len(local), len(adjoint)), math.prod(adjoint.shape[1:])
    rows = np.broadcast_to(adjoint.reshape(len(adjoint), 1, size), (points, 1, size))
    columns = local.reshape(len(local), size, -1)
    return np.asarray((rows @ columns).reshape(points, *local.shape[1 + reader.order :]))


def _beside(node: Var, wrt: Var) -> str:
    """Which reader of a node it is, at whatever step."""
    apart = [str(s - t) for s, t in zip(node.subs, wrt.subs, strict=False)]
    return f"{node.name} {' '.join(apart)}"


def _readers(world: World, wrt: Var) -> list[Var]:
    """The named nodes whose definitions read a node."""
    system = world.numbers.system
    found: list[Var] = []
    for d in system.definitions:
        spans = [range(evaluate_int(x.lo, {}), evaluate_int(x.hi, {}) + 1) for x in d.ranges]
        for chosen in itertools.product(*spans):
            at = dict(zip((x.symbol for x in d.ranges), chosen, strict=True))
            subs = tuple(evaluate_int(i, at) for i in d.indices)
            body = system.body(Var(d.family, subs, ()))
            reads = variables(reindex(body, world.numbers.sizes)) if body is not None else ()
            if any((v.name, v.subs) == (wrt.name, wrt.subs) for v in reads):
                node = world.node(d.family, subs)
                if node is not None and node not in found:
                    found.append(node)
    return found
