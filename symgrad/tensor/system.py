"""Systems of definitions: what a model says, one body for each named node, recurrences at a symbolic step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import sympy
from msgspec import Struct

from symgrad.tensor.build import add, holds, rel, stack, zeros_like
from symgrad.tensor.integers import Int, at_most, replace, same, symbols_of
from symgrad.tensor.nodes import Binder, Build, Expr, Fold, Rel, Var
from symgrad.tensor.ranges import certain
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import reindex, unfold
from symgrad.tensor.walk import variables


class Definition(Struct, frozen=True):
    """family[indices] = body, for all values of the index symbols in their ranges.

    An index is a symbol with a range in ``ranges``, or fixed: a number (a boundary value) or an open step.
    """

    family: str
    indices: tuple[Int, ...]
    body: Expr
    ranges: tuple[Binder, ...] = ()
    conds: tuple[Rel, ...] = ()
    facts: frozenset[str] = frozenset()

    @property
    def target(self) -> Var:
        """The node that is defined, at its symbolic indices."""
        return Var(self.family, self.indices, self.body.shape, self.facts)

    def at(self, subs: tuple[Int, ...]) -> Mapping[sympy.Symbol, Int] | None:
        """The values of the index symbols that make the target family[subs]; None where it is not that node."""
        if len(subs) != len(self.indices):
            return None
        ranges = {x.symbol: x for x in self.ranges}
        mapping: dict[sympy.Symbol, Int] = {}
        for pattern, value in zip(self.indices, subs, strict=True):
            if isinstance(pattern, sympy.Symbol) and pattern in ranges:
                mapping[pattern] = value
            elif not same(pattern, value):
                return None
        for symbol, value in mapping.items():
            lo, hi = replace(ranges[symbol].lo, mapping), replace(ranges[symbol].hi, mapping)
            if at_most(lo, value) is False or at_most(value, hi) is False:
                return None
        if any(holds(rel(c.op, replace(c.left, mapping), replace(c.right, mapping))) is False for c in self.conds):
            return None
        return mapping


@dataclass(frozen=True, slots=True)
class System:
    """Definitions by family, in the author's order, with the ranges of the steps."""

    definitions: tuple[Definition, ...]
    steps: Mapping[sympy.Symbol, Binder] = field(default_factory=dict)
    _families: dict[str, list[Definition]] = field(init=False, default_factory=dict, repr=False, compare=False)
    _bodies: dict[Var, Expr | None] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for d in self.definitions:
            self._families.setdefault(d.family, []).append(d)

    def family(self, name: str) -> tuple[Definition, ...]:
        """The definitions of a family, in order; empty for an input."""
        return tuple(self._families.get(name, ()))

    def definition(self, node: Var) -> tuple[Definition, Mapping[sympy.Symbol, Int]] | None:
        """The definition that makes a node, with the values of its index symbols; None for an input.

        At an open step several may: h[t-1] is h[0] or the recurrence. A definition of that very node goes first, then
        one that holds for all values of the steps, then the recurrence, which holds for most.
        """
        found = [(d, m) for d in self._families.get(node.name, ()) if (m := d.at(node.subs)) is not None]
        if len(found) < 2:
            return found[0] if found else None
        return max(found, key=lambda hit: self._claim(*hit))

    def _claim(self, definition: Definition, values: Mapping[sympy.Symbol, Int]) -> tuple[bool, bool, bool]:
        """How good a definition's claim is to a node that may be another's: itself, at all steps, at a step."""
        bounds = [
            rel("<=", low, high)
            for x in definition.ranges
            for low, high in pairwise((replace(x.lo, values), values[x.symbol], replace(x.hi, values)))
        ]
        always = all(certain(r, self.steps) for r in bounds)
        return not values, always, any(x.symbol in self.steps for x in definition.ranges)

    def body(self, node: Var) -> Expr | None:
        """What a node is defined as, at its own subscripts; None for an input."""
        if node not in self._bodies:
            hit = self.definition(node)
            self._bodies[node] = None if hit is None else reindex(hit[0].body, hit[1])
        return self._bodies[node]

    def extended(self, definitions: Iterable[Definition]) -> "System":
        """The system with more definitions."""
        more = tuple(definitions)
        made = System((*self.definitions, *more), self.steps)
        fresh = {d.family for d in more}
        made._bodies.update((v, body) for v, body in self._bodies.items() if v.name not in fresh)
        return made

    def mentions(self, name: str) -> bool:
        """Whether a family of that name is defined or used."""
        if name in self._families:
            return True
        return any(v.name == name for d in self.definitions for v in variables(d.body))


def spread(expr: Expr) -> Expr:
    """Sums and stacks over numeric ranges of family members written out; others stay."""

    def rule(node: Expr) -> Expr:
        if isinstance(node, Fold) and node.op == "sum" and picks_members(node):
            terms = unfold(node)
            if terms is not None:
                return add(*terms) if terms else zeros_like(node.body)
        if isinstance(node, Build) and len(node.binders) == 1 and picks_members(node):
            (only,) = node.binders
            if isinstance(only.lo, int) and isinstance(only.hi, int):
                return stack(*(reindex(node.body, {only.symbol: k}) for k in range(only.lo, only.hi + 1)))
        return node

    return transform(expr, rule)


def picks_members(node: Fold | Build) -> bool:
    """Whether the bound indices pick members of families, not entries alone."""
    bound = {x.symbol for x in node.binders}
    return any(symbols_of(s) & bound for v in variables(node.body) for s in v.subs)
