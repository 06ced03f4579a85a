"""How many members of a family stand behind a quantity: g_t reads h_1, …, h_t, and of all g only itself."""

from collections.abc import Mapping, Sequence

import sympy

from symgrad.derivation.reading_order import Statement, specialise, statements
from symgrad.errors import QuestionError
from symgrad.tensor.integers import Int, evaluate_int, integer, symbols_of
from symgrad.tensor.nodes import Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import System

LAST, OPEN = 7, 4
"""The number of steps, and the open step among them, from which the members are counted."""
MOST = 20_000

Point = Mapping[sympy.Symbol, int]


def reached(system: System, found: Sequence[Statement], of: Var) -> tuple[Int, ...]:
    """For each statement, how many of its members ``of`` reads, directly or not.

    The members are listed at several numbers of steps; what holds at all of them is the product of the lengths of
    the ranges, or else a sum of multiples of the steps.

    Raises:
        QuestionError: neither holds.
    """
    points = _points(found, of)
    listed = [_listed(system, of, p) for p in points]
    out: list[Int] = []
    for s in found:
        place = next(k for k, d in enumerate(system.definitions) if d.target is s.node)
        counts = [x.get(place, 0) for x in listed]
        whole: Int = sympy.Mul(*(x.length for x in s.ranges))
        if all(evaluate_int(integer(whole), p) == n for p, n in zip(points, counts, strict=True)):
            out.append(integer(whole))
        else:
            out.append(_fitted(points, counts, s))
    return tuple(out)


def _points(found: Sequence[Statement], of: Var) -> list[Point]:
    """Numbers for the steps: a first choice, one more for each of them in turn, and others to confirm."""
    ends = {y for s in found for x in s.ranges for n in (x.lo, x.hi) for y in symbols_of(n)}
    ends -= {x.symbol for s in found for x in s.ranges}
    names = sorted(ends | {y for n in of.subs for y in symbols_of(n)}, key=str)
    first = {s: LAST if s in ends else OPEN for s in names}
    moved = [{**first, s: first[s] + 1} for s in names]
    return [first, *moved, *({s: n + 1 + k % 2 for k, (s, n) in enumerate(first.items(), shift)} for shift in (0, 1))]


def _listed(system: System, of: Var, at: Point) -> dict[int, int]:
    """How many members each definition has behind ``of`` at given steps, by the place of the definition."""
    here = specialise(system, dict(at))
    out: dict[int, int] = {}
    for s in statements(here, [reindex(of, dict(at))], unroll=True, most=MOST):
        hit = here.definition(s.node)
        if hit is not None:
            place = next(k for k, d in enumerate(here.definitions) if d is hit[0])
            out[place] = out.get(place, 0) + 1
    return out


def _fitted(points: Sequence[Point], counts: Sequence[int], s: Statement) -> Int:
    """The count as a sum of multiples of the steps, where that is so at every point."""
    first, *rest = zip(points, counts, strict=True)
    slopes = {x: rest[k][1] - first[1] for k, x in enumerate(first[0])}
    formula: sympy.Expr = sympy.Add(first[1], *(c * (x - first[0][x]) for x, c in slopes.items()))
    if any(evaluate_int(integer(sympy.expand(formula)), p) != n for p, n in rest):
        raise QuestionError(f"how many {s.node.name} there are before this step follows no simple rule")
    return integer(sympy.expand(formula))
