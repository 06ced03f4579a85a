"""A system with its sizes and the ends of its ranges as numbers."""

from collections.abc import Iterable, Mapping

import sympy

from symgrad.tensor.integers import replace
from symgrad.tensor.nodes import Binder, Rel
from symgrad.tensor.system import Definition, System


def at_sizes(system: System, sizes: Mapping[sympy.Symbol, int]) -> System:
    """The system at given sizes, ends of steps and open indices; bodies keep their symbols."""
    definitions = tuple(_definition(d, sizes) for d in system.definitions)
    return System(definitions, {s: _range(x, sizes) for s, x in system.steps.items()})


def _definition(d: Definition, sizes: Mapping[sympy.Symbol, int]) -> Definition:
    free = _without(sizes, d.ranges)
    return Definition(
        d.family,
        tuple(replace(i, free) for i in d.indices),
        d.body,
        tuple(_range(x, sizes) for x in d.ranges),
        tuple(Rel(c.op, replace(c.left, free), replace(c.right, free)) for c in d.conds),
        d.facts,
    )


def _range(x: Binder, sizes: Mapping[sympy.Symbol, int]) -> Binder:
    inner = _without(sizes, (x,))
    return Binder(x.symbol, replace(x.lo, inner), replace(x.hi, inner))


def _without(sizes: Mapping[sympy.Symbol, int], ranges: Iterable[Binder]) -> dict[sympy.Symbol, int]:
    bound = {x.symbol for x in ranges}
    return {s: v for s, v in sizes.items() if s not in bound}
