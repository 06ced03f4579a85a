"""Long recurrences with a numeric end, treated as if the end were a symbol: what holds for every T holds for 1,000.

A backward pass is derived and certified at a symbolic last step, where small T serve, and then put at the number.
"""

from collections.abc import Iterable, Mapping

import sympy
from msgspec import Struct

from symgrad.calculus.dependency import lags
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, size_symbol
from symgrad.tensor.nodes import Binder, Build, Expr, Fold, Opaque, Var
from symgrad.tensor.rebuild import rebuild
from symgrad.tensor.system import Definition, System
from symgrad.tensor.walk import postorder

LONG = 8
NEAR = 2
"""A step this near to a long end is counted from the end."""


class Opened(Struct, frozen=True):
    """A system with its long numeric ends as symbols, and the numbers that they stand for."""

    system: System
    values: Mapping[sympy.Symbol, int]
    _ends: Mapping[int, sympy.Symbol]
    _position: Mapping[str, Mapping[sympy.Symbol, int]]
    _near: int

    def open(self, expr: Expr) -> Expr:
        """The expression with the numeric ends as symbols."""
        return _open(expr, self._ends, self._position, self._near)


def open_ends(
    system: System, exprs: Iterable[Expr], taken: Iterable[str], shortest: int = LONG, near: int = NEAR
) -> Opened | None:
    """The system with symbolic ends; None where no range is long, or a step in the middle is picked by number.

    Args:
        system: the model.
        exprs: what is asked about.
        taken: names that are in use.
        shortest: from which number of steps on a range is long.
        near: how near to the end a numbered step is counted from there.
    """
    numeric = [x for x in system.steps.values() if isinstance(x.hi, int) and isinstance(x.lo, int)]
    long = {x.hi for x in numeric if x.hi >= shortest}
    if not long:
        return None
    names = iter(n for n in ("T", "N", "M", "K", "T_1", "N_1", "M_1") if n not in set(taken))
    ends = {hi: size_symbol(next(names)) for hi in sorted(long)}
    position = lags(system).position
    if not all(_can_open(e, ends, position, near) for e in (*(d.body for d in system.definitions), *exprs)):
        return None
    definitions = tuple(
        Definition(
            d.family,
            tuple(_step(i, ends, near) for i in d.indices),
            _open(d.body, ends, position, near),
            tuple(_range(x, ends, near) for x in d.ranges),
            d.conds,
            d.facts,
        )
        for d in system.definitions
    )
    steps = {s: _range(x, ends, near) for s, x in system.steps.items()}
    return Opened(System(definitions, steps), {s: n for n, s in ends.items()}, ends, position, near)


def _step(value: Int, ends: Mapping[int, sympy.Symbol], near: int) -> Int:
    if isinstance(value, int):
        for hi, symbol in ends.items():
            if -1 <= hi - value <= near:
                return symbol - (hi - value)
    return value


def _range(x: Binder, ends: Mapping[int, sympy.Symbol], near: int) -> Binder:
    return Binder(x.symbol, x.lo, _step(x.hi, ends, near))


def _places(node: Var, position: Mapping[str, Mapping[sympy.Symbol, int]]) -> list[int]:
    return [k for k in position.get(node.name, {}).values() if k < len(node.subs)]


def _can_open(
    expr: Expr, ends: Mapping[int, sympy.Symbol], position: Mapping[str, Mapping[sympy.Symbol, int]], near: int
) -> bool:
    for x in postorder(expr):
        if isinstance(x, Var):
            for k in _places(x, position):
                s = x.subs[k]
                if isinstance(s, int) and s > 1 + near and _step(s, ends, near) == s:
                    return False
    return True


def _open(
    expr: Expr, ends: Mapping[int, sympy.Symbol], position: Mapping[str, Mapping[sympy.Symbol, int]], near: int
) -> Expr:
    memo: dict[Expr, Expr] = {}
    for x in postorder(expr):
        children = tuple(memo[c] for c in x.children)
        match x:
            case Var():
                at = set(_places(x, position))
                subs = tuple(_step(s, ends, near) if k in at else s for k, s in enumerate(x.subs))
                memo[x] = Var(x.name, subs, x.shape, x.facts)
            case Fold():
                memo[x] = b.fold(x.op, children[0], [_range(y, ends, near) for y in x.binders], x.conds, x.descending)
            case Build():
                memo[x] = b.build(children[0], [_range(y, ends, near) for y in x.binders])
            case Opaque():
                memo[x] = b.opaque(x.name, children, [_range(y, ends, near) for y in x.binders])
            case _:
                memo[x] = rebuild(x, children) if children != x.children else x
    return memo[expr]
