"""The definitions behind a quantity, each written once, what is read before its readers."""

from collections.abc import Iterable, Mapping

import sympy
from msgspec import Struct

from symgrad.calculus.dependency import Lags, components, lags
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, replace, same
from symgrad.tensor.nodes import Binder, Build, Expr, Fold, Rel, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.reindex import reindex, unfold
from symgrad.tensor.system import Definition, System, picks_members, spread
from symgrad.tensor.walk import variables

MOST_STATEMENTS = 400


class Statement(Struct, frozen=True):
    """node = body, for every index in the ranges."""

    node: Var
    body: Expr
    ranges: tuple[Binder, ...] = ()

    @property
    def reads(self) -> tuple[Var, ...]:
        """The nodes in the body; members over a range of numbers one by one."""
        return members(self.body)


def specialise(system: System, integers: Mapping[sympy.Symbol, Int], more: Iterable[Definition] = ()) -> System:
    """The system at given sizes, ends of ranges and open indices; ``more`` replaces the members that it defines.

    A symbol that a definition runs over stays bound there.
    """
    more = tuple(more)
    replaced = {(d.family, d.indices) for d in more}
    kept = [_definition(d, integers) for d in system.definitions]
    steps = {
        s: Binder(s, replace(x.lo, integers), replace(x.hi, integers))
        for s, x in system.steps.items()
        if s not in integers
    }
    return System((*(d for d in kept if (d.family, d.indices) not in replaced), *more), steps)


def _definition(d: Definition, integers: Mapping[sympy.Symbol, Int]) -> Definition:
    bound = {x.symbol for x in d.ranges}
    inner = {s: v for s, v in integers.items() if s not in bound}
    return Definition(
        d.family,
        tuple(replace(i, inner) for i in d.indices),
        reindex(d.body, inner),
        tuple(Binder(x.symbol, replace(x.lo, inner), replace(x.hi, inner)) for x in d.ranges),
        tuple(Rel(c.op, replace(c.left, inner), replace(c.right, inner)) for c in d.conds),
        d.facts,
    )


def members(*exprs: Expr) -> tuple[Var, ...]:
    """The named nodes of expressions, those under a range of numbers one by one."""

    def rule(x: Expr) -> Expr:
        if not isinstance(x, Fold | Build):
            return x
        fold = Fold("sum", x.body, x.binders, x.conds if isinstance(x, Fold) else (), x.body.shape)
        terms = unfold(fold) if picks_members(fold) else None
        return b.stack(*terms) if terms else x

    return variables(*(transform(x, rule) for x in exprs))


_Key = tuple[int, frozenset[tuple[sympy.Symbol, Int]]]


def statements(
    system: System, roots: Iterable[Expr], unroll: bool = False, most: int = MOST_STATEMENTS
) -> tuple[Statement, ...]:
    """The definitions of everything that the roots read, what is read first.

    Args:
        system: the model.
        roots: expressions over named nodes.
        unroll: members at numeric steps are written out one by one; else a family is stated once, over its range.
        most: how many definitions may be written out.

    Raises:
        QuestionError: there are more.
    """
    done: dict[_Key, Statement] = {}
    entered: set[_Key] = set()
    waiting: list[tuple[_Key, Statement, bool]] = [
        (k, s, False) for k, s in reversed(_all_of(system, members(*roots), unroll))
    ]
    while waiting:
        key, statement, leaving = waiting.pop()
        if leaving:
            done[key] = statement
            continue
        if key in entered:
            continue
        entered.add(key)
        if len(entered) > most:
            raise QuestionError(f"more than {most} definitions would have to be written out")
        waiting.append((key, statement, True))
        read = _all_of(system, members(statement.body), unroll)
        waiting += [(k, s, False) for k, s in reversed(read) if k not in entered]
    return tuple(done.values())


def _all_of(system: System, nodes: Iterable[Var], unroll: bool) -> list[tuple[_Key, Statement]]:
    return [x for v in nodes for x in _of(system, v, unroll)]


def _of(system: System, node: Var, unroll: bool) -> list[tuple[_Key, Statement]]:
    """The definition that makes a node; at an open step those of the whole family, its boundary first."""
    hit = system.definition(node)
    if hit is None:
        return []
    d, mapping = hit
    fixed = {s: v for s, v in mapping.items() if unroll and isinstance(v, int)}
    out = [_stated(system, d, fixed, unroll)]
    if len(fixed) < len(mapping):
        others = [x for x in system.family(node.name) if x is not d and (not x.ranges or not unroll)]
        out = [*(_stated(system, x, {}, unroll) for x in others), *out]
    return out


def _stated(system: System, d: Definition, fixed: Mapping[sympy.Symbol, Int], unroll: bool) -> tuple[_Key, Statement]:
    body = reindex(d.body, fixed)
    node = reindex(d.target, fixed)
    assert isinstance(node, Var)
    ranges = tuple(
        Binder(x.symbol, replace(x.lo, fixed), replace(x.hi, fixed)) for x in d.ranges if x.symbol not in fixed
    )
    place = next(k for k, other in enumerate(system.definitions) if other is d)
    return (place, frozenset(fixed.items())), Statement(node, spread(body) if unroll else body, ranges)


def inputs(system: System, found: Iterable[Statement], roots: Iterable[Expr] = ()) -> tuple[Var, ...]:
    """The nodes that statements and roots read and no definition makes, in the order of first mention."""
    bodies = [s.body for s in found]
    return tuple(v for v in members(*roots, *bodies) if system.definition(v) is None)


def own_step(system: System, roots: Iterable[Expr]) -> tuple[tuple[Var, ...], tuple[Var, ...]]:
    """The nodes behind the roots without following a recurrence to its other steps, and the states of those steps.

    Both in the order in which they are computed: what is read before its readers.
    """
    table = lags(system)
    cycle = {f: k for k, group in enumerate(components(table.reads, table.reads)) for f in group}
    done: dict[Var, bool] = {}
    entered: set[Var] = set()
    waiting = [(v, False) for v in reversed(members(*roots))]
    while waiting:
        node, leaving = waiting.pop()
        body = system.body(node)
        if leaving or body is None:
            done.setdefault(node, False)
            continue
        if node in entered:
            continue
        entered.add(node)
        waiting.append((node, True))
        for v in reversed(members(spread(body))):
            if cycle.get(v.name) == cycle[node.name] and _at_another_step(v, node, table):
                done.setdefault(v, True)
            else:
                waiting.append((v, False))
    return tuple(v for v, state in done.items() if not state), tuple(v for v, state in done.items() if state)


def _at_another_step(read: Var, reader: Var, table: Lags) -> bool:
    own = table.position.get(reader.name, {})
    return any(
        s in own and not same(read.subs[k], reader.subs[own[s]]) for s, k in table.position.get(read.name, {}).items()
    )
