"""Guards of adjoint terms: where a reader exists, and where δ beyond an end of the steps is zero anyway."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import sympy

from symgrad.calculus.adjoint import Equation, Term
from symgrad.calculus.cancel import settled
from symgrad.calculus.rewrite import collect, common_scalars, dummies_apart, fold_definitions, known_totals
from symgrad.calculus.stacking import one_stack
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, integer, replace, same, symbols_of
from symgrad.tensor.nodes import Binder, Deriv, Expr, Rel, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import System
from symgrad.tensor.walk import variables

DELTA = "δ"


def delta(node: Var) -> Var:
    """The name of ∂L/∂node."""
    return Var(DELTA + node.name, node.subs, node.shape)


def unguarded(equation: Equation, system: System, bodies: Mapping[Expr, Var]) -> Expr:
    """The right side without the guards that only cut off δ beyond an end of the steps, where it is zero."""
    terms: list[Expr] = []
    for t in equation.terms:
        given = (
            isinstance(t.value, Deriv) and t.value.kind == "immediate"
        )  # Zero by a node that the loss does not read.
        passed = any(v.name == DELTA + t.reader.name for v in variables(t.value))
        guard = [r for r in t.guard if not (given or (passed and only_ends(t, r, equation, system)))]
        terms.append(b.mul(b.iverson(*guard), t.value) if guard else collect(t.value))
    total = known_totals(fold_definitions(one_stack(b.add(*terms)), bodies), system.body)
    return dummies_apart(settled(common_scalars(settled(total))))


def only_ends(term: Term, r: Rel, equation: Equation, system: System) -> bool:
    """Whether a guard fails only where the reader does not exist, so that δ of it is zero."""
    if beyond(term, r, equation, system) is not None:
        return True
    moves = any(x.symbol in symbols_of(r.left) | symbols_of(r.right) for x in equation.ranges)
    makers = [d for d in system.family(term.reader.name) if d.at(term.reader.subs) is not None]
    return r.op != "==" and not moves and len(makers) == 1


def beyond(term: Term, r: Rel, equation: Equation, system: System) -> tuple[Var, bool] | None:
    """The reader next to the end of the steps where a guard fails, and whether that is the last end.

    None where a guard says more than that: it is an equality, or another definition makes the readers that it excludes.
    """
    if r.op == "==":
        return None
    x = next((x for x in equation.ranges if x.symbol in symbols_of(r.left) | symbols_of(r.right)), None)
    if x is None:
        return None
    fails = [
        end
        for end in (x.hi, x.lo)
        if b.holds(b.rel(r.op, replace(r.left, {x.symbol: end}), replace(r.right, {x.symbol: end}))) is False
    ]
    if len(fails) != 1:
        return None
    reader = reindex(term.reader, {x.symbol: fails[0]})
    assert isinstance(reader, Var)
    return (reader, same(fails[0], x.hi)) if system.definition(reader) is None else None


def holds_at(term: Term, here: dict[sympy.Symbol, Int]) -> bool | None:
    """Whether the guard of a term holds at given indices; None where that cannot be told."""
    known = [b.holds(b.rel(r.op, replace(r.left, here), replace(r.right, here))) for r in term.guard]
    if any(k is False for k in known):
        return False
    return True if all(known) else None


def in_order(places: Collection[Int], within: Binder) -> list[Int]:
    """Single steps in their order; none where their order, or whether they lie in the range, depends on the sizes."""
    ordered = sorted(places, key=lambda p: p if isinstance(p, int) else sympy.oo)
    apart = all(b.holds(b.rel("<", lower, upper)) for lower, upper in pairwise(ordered))
    at_ends = all(same(p, within.lo) or same(p, within.hi) for p in places)
    inside = all(b.holds(b.rel("<=", within.lo, p)) and b.holds(b.rel("<=", p, within.hi)) for p in places)
    return ordered if apart and (at_ends or inside) else []


def between(within: Binder, places: Sequence[Int]) -> list[Binder]:
    """The parts of a range that are left without some of its steps, which are in order."""
    starts = [within.lo, *(integer(p + 1) for p in places)]
    stops = [*(integer(p - 1) for p in places), within.hi]
    parts = zip(starts, stops, strict=True)
    return [Binder(within.symbol, lo, hi) for lo, hi in parts if b.holds(b.rel("<=", lo, hi)) is not False]
