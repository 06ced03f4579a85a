"""What computes a derivative in numbers: the model and its adjoint equations as one system, recurrences rolled."""

from collections.abc import Iterable

import sympy

from symgrad.calculus.adjoint import adjoint_equations
from symgrad.derivation.differentiation.backprop import is_short, recast
from symgrad.derivation.differentiation.guards import DELTA, delta
from symgrad.derivation.steps import Code, DeferredCode
from symgrad.problem.model import Problem
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import At, Binder, Cut, Deriv, Entry, Expr, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder


def derivative_code(
    problem: Problem,
    system: System,
    of: Expr,
    wrt: Expr,
    value: Expr,
    known: System,
    held: frozenset[Expr] = frozenset(),
) -> DeferredCode:
    """The code of ∂of/∂wrt: what is displayed where that is closed and not a scalar's gradient, else a backward pass.

    Args:
        problem: whose names are taken.
        system: the model.
        of: what is differentiated.
        wrt: by what.
        value: the displayed result.
        known: the model with the names that the result uses.
        held: nodes kept fixed.
    """
    return DeferredCode(lambda: _derivative_code(problem, system, of, wrt, value, known, held))


def _derivative_code(
    problem: Problem, system: System, of: Expr, wrt: Expr, value: Expr, known: System, held: frozenset[Expr]
) -> Code:
    closed = not any(isinstance(x, Deriv) and x.kind == "total" for x in postorder(value))
    if closed and (of.order or held or not isinstance(of, Var)):
        return Code(known, value)
    return backward_code(problem, system, of, wrt)


def backward_code(problem: Problem, system: System, of: Expr, wrt: Expr) -> Code:
    """A backward pass from every entry of ``of``; the value has of's axes first, then wrt's."""
    node, rows, picks = _rows(of)
    target, columns = (wrt.arg, wrt.items) if isinstance(wrt, Entry) else (wrt, ())
    assert isinstance(node, Var)
    assert isinstance(target, Var)
    start = node
    if rows or picks or node.subs:
        start = Var("scalar of", (), ())
        system = system.extended([Definition(start.name, (), b.at(node, *picks))])
    recasted, _ = recast(problem, system, node)
    definitions: list[Definition] = []
    value: Expr = b.zeros(target.shape)
    inline: dict[Var, Expr] = {}
    for equation in adjoint_equations(recasted, start, [target], lambda v: inline.get(v, delta(v))):
        if is_short(equation.total):
            inline[equation.node] = equation.total
        at_target = _same_member(equation.node, target)
        if at_target is not None:
            value = reindex(equation.total, at_target)
        if not equation.beside and (equation.node is not target or recasted.definition(target) is not None):
            made = delta(equation.node)
            definitions.append(Definition(made.name, made.subs, equation.total, equation.ranges))
    if rows:
        definitions = [_with_rows(d, rows) for d in definitions]
        value = b.build(_rename(value, rows), rows)
    if columns:
        value = b.entry(value, [*(Cut(1, n) for n in value.shape[: len(rows)]), *columns])
    forward = tuple(d for d in recasted.definitions if d.family != start.name or start is node)
    return Code(System((*forward, *definitions), recasted.steps), value)


def _rows(of: Expr) -> tuple[Expr, tuple[Binder, ...], tuple[Int, ...]]:
    """The node, the ranges of its entries (none for one entry), and the entry's indices."""
    if isinstance(of, Entry) and all(isinstance(i, At) for i in of.items):
        return of.arg, (), tuple(i.index for i in of.items if isinstance(i, At))
    if not of.order:
        return of, (), ()
    symbols = [sympy.Symbol(f"row{k}" if of.order > 1 else "row", integer=True) for k in range(of.order)]
    binders = tuple(b.binder(s, 1, n) for s, n in zip(symbols, of.shape, strict=True))
    return of, binders, tuple(symbols)


def _same_member(node: Var, target: Var) -> dict[sympy.Symbol, Int] | None:
    if node.name != target.name or len(node.subs) != len(target.subs):
        return None
    mapping = {p: s for p, s in zip(node.subs, target.subs, strict=True) if isinstance(p, sympy.Symbol)}
    return mapping if reindex(node, mapping) is target else None


def _rename(expr: Expr, rows: Iterable[Binder]) -> Expr:
    """Adjoints with the entry that they belong to as their first subscripts."""
    lead = tuple(x.symbol for x in rows)

    def rule(x: Expr) -> Expr:
        if isinstance(x, Var) and x.name.startswith(DELTA):
            return Var(x.name, (*lead, *x.subs), x.shape, x.facts)
        return x

    return transform(expr, rule, into=lambda x: not isinstance(x, Deriv))


def _with_rows(d: Definition, rows: tuple[Binder, ...]) -> Definition:
    lead = tuple(x.symbol for x in rows)
    return Definition(d.family, (*lead, *d.indices), _rename(d.body, rows), (*rows, *d.ranges), d.conds, d.facts)
