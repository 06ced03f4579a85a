"""Adjoint equations of a whole system at symbolic steps.

For a scalar L, δ_v = ∂L/∂v = Σ over the readers u of v of (∂⁺u/∂v)ᵀ δ_u. A recurrence is differentiated once, at a
symbolic step: δ_h[t] collects what the loss adds at t and what later steps pass back; beyond the last step δ is zero.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

import sympy
from msgspec import Struct

from symgrad.calculus.dependency import Lags, components, lags, reach, reads
from symgrad.calculus.ranges import Bounds, meet
from symgrad.calculus.sensitivity import Sensitivity, sensitivities
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, difference, replace, same, symbols_of
from symgrad.tensor.nodes import Binder, Expr, Rel, Var
from symgrad.tensor.reindex import fresh_symbol, reindex
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import variables


class Term(Struct, frozen=True):
    """What one reader passes to a node: ``value`` where the guard holds, nothing elsewhere."""

    reader: Var
    value: Expr
    guard: tuple[Rel, ...] = ()

    @property
    def guarded(self) -> Expr:
        """The value times the indicator of its guard."""
        return b.mul(b.iverson(*self.guard), self.value) if self.guard else self.value


class Equation(Struct, frozen=True):
    """δ of a node as a sum of terms, for all indices in the ranges.

    ``beside`` marks a member that was asked for, such as h[t-1], beside the equation of its family, h[t].
    """

    node: Var
    ranges: tuple[Binder, ...]
    terms: tuple[Term, ...]
    beside: bool = False

    @property
    def total(self) -> Expr:
        """The right side, guards included."""
        return b.add(*(t.guarded for t in self.terms)) if self.terms else b.zeros(self.node.shape)


def adjoint_equations(
    system: System, of: Var, wrt: Iterable[Var], name: Callable[[Var], Expr], seed: Expr = b.ONE
) -> Iterator[Equation]:
    """The equations of every node between ``of`` and ``wrt``, one by one, each after those that it uses.

    ``name`` is asked for δ of a node only after that node's own equation was yielded (but for later steps of a
    recurrence), so that a caller may answer with what it has learnt.

    Args:
        system: the model; a recurrence should end at the step of ``of``.
        of: a scalar node, or any node with a seed of its shape; no other member of its family reads it.
        wrt: the nodes or leaves asked for, at the subscripts asked for.
        name: how δ of a node is written, e.g. as an unresolved derivative.
        seed: δ of ``of`` itself.
    """
    wrt = tuple(wrt)
    table = lags(system)
    useful = set().union(*(reach(w.name, table.readers) for w in wrt)) & reach(of.name, table.reads)
    order = [f for f in backward_order(system) if f in useful and f != of.name]
    done: dict[str, list[Definition]] = {of.name: _instances_at(system, of)}
    for family in order:
        readers = [d for f in (of.name, *order) for d in done.get(f, system.family(f))]
        readers = [d for d in readers if any(v.name == family for v in variables(d.body))]
        mine: list[Definition] = []
        loose = [(w, _open_ranges(w, system)) for w in wrt if w.name == family and _may_begin(w, system, table)]
        for target, ranges in (*_targets(family, wrt, system, table, useful), *loose):
            beside = any(target is w for w, _ in loose)
            known = Bounds().within(ranges).within(system.steps.values())
            terms: list[Term] = []
            for d in readers:
                g = seed if d.target is of else name(d.target)
                for s in sensitivities(d.body, d.target, g, partial(_belongs, family)):
                    terms += shared_by(s, d, target, known)
            terms = [t for t in terms if not b.is_zero(t.value)]
            equation = _at_fixed_index(Equation(target, ranges, tuple(terms), beside))
            if equation.terms:
                yield equation
                mine += () if beside else _specialised(system, equation)
        done[family] = mine


def _belongs(family: str, node: Var) -> bool:
    return node.name == family


def _targets(
    family: str, wrt: tuple[Var, ...], system: System, table: Lags, useful: Collection[str]
) -> list[tuple[Var, tuple[Binder, ...]]]:
    """The members of a family that have an equation; those that begin a recurrence come after it, which reads them.

    A member that begins it and reads nothing useful, a[0] = x where only weights are asked for, hands nothing on.
    """
    defined = system.family(family)
    if not defined:
        return [(w, _open_ranges(w, system)) for w in wrt if w.name == family]
    boundary = [(w, _open_ranges(w, system)) for w in wrt if w.name == family and system.definition(w) is None]
    asked = {w for w in wrt if w.name == family}
    made = [
        (d.target, d.ranges)
        for d in defined
        if d.ranges or d.target in asked or any(v.name in useful for v in variables(d.body))
    ]
    if any(family in reach(f, table.reads) for f in table.reads.get(family, ())):
        made.sort(key=lambda target: -len(target[1]))
    return [*made, *boundary]


def _may_begin(node: Var, system: System, table: Lags) -> bool:
    """Whether a member at an open step, such as h[t-1], is what begins the recurrence at one of them, such as h[0]."""
    hit = system.definition(node)
    for x in hit[0].ranges if hit is not None else ():
        k = table.position.get(node.name, {}).get(x.symbol)
        step = next((s for s in symbols_of(node.subs[k]) if s in system.steps), None) if k is not None else None
        if k is None or step is None:
            continue
        shift = difference(node.subs[k], step)
        places = ((r, table.position.get(r.reader.family, {}).get(x.symbol)) for r in reads(system))
        gaps = [difference(r.node.subs[k], r.reader.indices[own]) for r, own in places
                if r.node.name == node.name and own is not None]  # fmt: skip
        if isinstance(shift, int) and any(isinstance(g, int) and g * shift > 0 for g in gaps):
            return True
    return False


def _instances_at(system: System, node: Var) -> list[Definition]:
    hit = system.definition(node)
    if hit is None:
        return []
    d, mapping = hit
    return [Definition(node.name, node.subs, reindex(d.body, mapping), facts=d.facts)]


def _specialised(system: System, equation: Equation) -> list[Definition]:
    """The definitions of an equation's node, for the indices at which its adjoint is not zero."""
    out: list[Definition] = []
    known = Bounds().within(equation.ranges)
    for d in system.family(equation.node.name):
        mapping = d.at(equation.node.subs)
        if mapping is not None and not _outside(d, mapping, known):
            body = reindex(d.body, mapping)
            out.append(Definition(d.family, equation.node.subs, body, equation.ranges, d.conds, d.facts))
    return out


def _outside(d: Definition, mapping: Mapping[sympy.Symbol, Int], known: Bounds) -> bool:
    """Whether the indices lie outside a definition's ranges for certain."""
    sides = [
        (replace(x.lo, mapping), mapping[x.symbol], replace(x.hi, mapping)) for x in d.ranges if x.symbol in mapping
    ]
    return any(
        known.holds(b.rel("<=", lo, value)) is False or known.holds(b.rel("<=", value, hi)) is False
        for lo, value, hi in sides
    )


def _open_ranges(w: Var, system: System) -> tuple[Binder, ...]:
    symbols = frozenset().union(*(symbols_of(s) for s in w.subs))
    return tuple(x for s, x in system.steps.items() if s in symbols)


def shared_by(s: Sensitivity, d: Definition, target: Var, known: Bounds) -> list[Term]:
    """What a definition passes to a node through one member of its family that the definition reads: one term or none.

    Args:
        s: what arrives at the member, at the definition's own indices.
        d: the definition.
        target: the node.
        known: what is known of the node's indices.
    """
    taken = frozenset().union(*(symbols_of(x) for x in target.subs))
    unknowns = [*reversed(d.ranges), *reversed(s.binders)]
    renamed: dict[sympy.Symbol, Int] = {}
    for x in unknowns:
        if x.symbol in taken:
            renamed[x.symbol] = fresh_symbol(x.symbol, [*taken, *(y.symbol for y in unknowns), *_ints(renamed)])
    fresh = [_rename(x, renamed) for x in unknowns]
    conds = [b.rel(c.op, replace(c.left, renamed), replace(c.right, renamed)) for c in (*s.conds, *d.conds)]
    subs = [replace(x, renamed) for x in s.atom.subs]
    match = meet(subs, target.subs, fresh, conds, known)
    if match is None:
        return []
    both: dict[sympy.Symbol, Int] = {k: replace(v, match.values) for k, v in renamed.items()}
    both.update({k: v for k, v in match.values.items() if k not in renamed.values()})
    value = reindex(s.value, both)
    reader = reindex(d.target, both)
    assert isinstance(reader, Var)
    if match.binders or match.conds:
        nesting = [replace(x.symbol, renamed) for x in (*d.ranges, *s.binders)]
        ordered = sorted(match.binders, key=lambda x: nesting.index(x.symbol))
        if len(ordered) == 1 and not match.conds and isinstance(ordered[0].lo, int) and ordered[0].lo == ordered[0].hi:
            value = reindex(value, {ordered[0].symbol: ordered[0].lo})
        else:
            value = b.fold("sum", value, ordered, match.conds)
    return [Term(reader, value, match.guard)]


def _ints(mapping: Mapping[sympy.Symbol, Int]) -> list[sympy.Symbol]:
    return [v for v in mapping.values() if isinstance(v, sympy.Symbol)]


def _rename(x: Binder, renamed: Mapping[sympy.Symbol, Int]) -> Binder:
    symbol = renamed.get(x.symbol, x.symbol)
    assert isinstance(symbol, sympy.Symbol)
    return Binder(symbol, replace(x.lo, renamed), replace(x.hi, renamed))


def _at_fixed_index(equation: Equation) -> Equation:
    """The equation at the one index where it is not zero, if every term's guard has the same equality."""
    for x in equation.ranges:
        values = [_fixes(t.guard, x.symbol) for t in equation.terms]
        value = values[0] if values else None
        if value is None or any(v is None or not same(v, value) for v in values):
            continue
        mapping = {x.symbol: value}
        node = reindex(equation.node, mapping)
        assert isinstance(node, Var)
        terms = tuple(Term(t.reader, reindex(t.value, mapping), _without(t.guard, x.symbol)) for t in equation.terms)
        return Equation(node, tuple(y for y in equation.ranges if y is not x), terms, equation.beside)
    return equation


def _without(guard: tuple[Rel, ...], symbol: sympy.Symbol) -> tuple[Rel, ...]:
    return tuple(r for r in guard if symbol not in symbols_of(r.left) | symbols_of(r.right))


def _fixes(guard: tuple[Rel, ...], symbol: sympy.Symbol) -> Int | None:
    for r in guard:
        if r.op == "==":
            if r.left == symbol and symbol not in symbols_of(r.right):
                return r.right
            if r.right == symbol and symbol not in symbols_of(r.left):
                return r.left
    return None


def backward_order(system: System) -> list[str]:
    """All families, each after its readers within a step; of those that are ready, the author's first."""
    table = lags(system)
    names = list(dict.fromkeys([d.family for d in system.definitions]))
    inputs = list(dict.fromkeys(r.node.name for r in reads(system) if r.node.name not in names))
    groups = components(names, table.reads)
    group_of = {n: k for k, g in enumerate(groups) for n in g}
    edges: dict[str, set[str]] = {}
    for r in reads(system):
        inside = group_of.get(r.reader.family) == group_of.get(r.node.name)
        if not inside or not _lagged(r.reader, r.node, table.position):
            edges.setdefault(r.reader.family, set()).add(r.node.name)
    rank = {n: k for k, n in enumerate([*inputs, *names])}
    remaining = set(rank)
    readers_left = {n: sum(n in after for after in edges.values()) for n in rank}
    out: list[str] = []
    while remaining:
        free = [n for n in remaining if readers_left[n] == 0] or list(remaining)
        pick = min(free, key=lambda n: rank[n])
        out.append(pick)
        remaining.discard(pick)
        for n in edges.get(pick, ()):
            if n in readers_left:
                readers_left[n] -= 1
    return [n for n in out if n in names] + sorted(inputs, key=lambda n: rank[n])


def _lagged(reader: Definition, node: Var, position: Mapping[str, Mapping[sympy.Symbol, int]]) -> bool:
    for step, k in position.get(node.name, {}).items():
        own = position.get(reader.family, {}).get(step)
        if own is not None and k < len(node.subs) and not same(node.subs[k], reader.indices[own]):
            return True
    return False
