"""A model with a node more: what a writer names, a_t = U x_t + W h_{t−1}, becomes one to differentiate by."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import sympy
from msgspec.structs import replace

from symgrad.errors import SymgradError
from symgrad.problem.names import Family, Member
from symgrad.syntax.tree import Name, Tree
from symgrad.tensor.nodes import Apply, Call, Expr, Fold, Num, Var
from symgrad.tensor.reindex import free_ints, reindex
from symgrad.tensor.shapes import ShapeError
from symgrad.tensor.stable import Array
from symgrad.tensor.substitution import replace_nodes
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.compare import largest_gap
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.meaning.world import World, step_values
from symgrad.verification.meaning.worlds import scalar_world, worlds

_MOST_NODES = 400
_MOST_KEPT = 400


@dataclass(eq=False)
class Extensions:
    """The benches with a node more, each made once."""

    made: dict[tuple[object, ...], Bench | None] = field(default_factory=dict)
    same: dict[tuple[object, ...], str | None] = field(default_factory=dict)

    def of(self, bench: Bench, name: str, pattern: tuple[Tree, ...], body: Tree, notation: Notation) -> Bench | None:
        """The bench in which name[pattern] is the node of the model with that value; None where there is none."""
        return self._kept((bench, name, pattern, body), lambda: _extended(bench, name, pattern, body, notation))

    def of_argument(self, bench: Bench, name: str, family: str) -> Bench | None:
        """The bench in which ``name`` is what a function is taken of, h_t = tanh(a_t); None where there is none."""
        return self._kept((bench, name, family), lambda: _with_argument(bench, name, family))

    def same_as(self, bench: Bench, name: str, step: Name, body: Tree) -> str | None:
        """The quantity of the model that has the value of a body at every step, as c̃_t = tanh(…) is u_t; or None."""
        key = (bench, name, step, body)
        if len(self.same) > _MOST_KEPT:
            self.same.clear()
        if key not in self.same:
            self.same[key] = _same(bench, step, body)
        return self.same[key]

    def _kept(self, key: tuple[object, ...], make: Callable[[], Bench | None]) -> Bench | None:
        if len(self.made) > _MOST_KEPT:
            self.made.clear()
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]


def outer_function(bench: Bench, family: str) -> str | None:
    """The function whose value a family is, wherever it is defined; None where it is none."""
    found = {_function(d.body) for d in bench.problem.system.family(family) if d.ranges or not d.indices}
    return found.pop() if len(found) == 1 else None


def _function(body: Expr) -> str | None:
    match body:
        case Apply(fn=fn) | Call(fn=fn, args=(_,)):
            return fn
    return None


def _same(bench: Bench, step: Name, body: Tree) -> str | None:
    world = bench.worlds[0]
    wanted = _values(bench, world, [step.id], body, Notation())
    families = [d for d in bench.problem.system.definitions if len(d.indices) == 1 and d.ranges] if wanted else []
    return next((d.family for d in families if _agrees(world, d.target, d.ranges[0].symbol, wanted)), None)


def _with_argument(bench: Bench, name: str, family: str) -> Bench | None:
    for place, d in enumerate(bench.problem.system.definitions):
        if d.family == family and (d.ranges or not d.indices) and outer_function(bench, family) is not None:
            match d.body:
                case Apply(args=(Var(), *_)) | Call(args=(Var(), *_)):
                    return None
                case Apply(args=(argument,)) | Call(args=(argument,)):
                    return _with_node(bench, name, place, d, argument)
    return None


def _extended(bench: Bench, name: str, pattern: tuple[Tree, ...], body: Tree, notation: Notation) -> Bench | None:
    steps = [x.id for x in pattern if isinstance(x, Name) and x.id in bench.names.indices]
    if len(steps) != len(pattern) or len(pattern) > 1:
        return None
    world = bench.worlds[0]
    wanted = _values(bench, world, steps, body, notation)
    if not wanted:
        return None
    for place, d in enumerate(bench.problem.system.definitions):
        if len(d.ranges) != len(pattern) or (d.ranges and d.indices != (d.ranges[0].symbol,)):
            continue
        for node in _candidates(d.body):
            if not _agrees(world, node, d.ranges[0].symbol if d.ranges else None, wanted):
                continue
            with suppress(ShapeError):  # a part that lies down, uᵀ, has the value of u but not its place in a product
                return _with_node(bench, name, place, d, node)
    return None


def _values(bench: Bench, world: World, steps: list[str], body: Tree, notation: Notation) -> list[tuple[int, Array]]:
    """The value of what is named, at two steps."""
    meaning = bench.meaning(world, PLAIN, notation)
    found: list[tuple[int, Array]] = []
    symbols = [s for s in bench.problem.steps if s.name in steps]
    for value in step_values(bench.problem, world, symbols[0])[:2] if symbols else [0]:
        try:
            found.append((value, meaning.value(body, dict.fromkeys(steps, value)).data))
        except (Unclear, Outside, Misfit, SymgradError, ShapeError):
            return []
    return found


def _candidates(body: Expr) -> Iterator[Expr]:
    """The parts of a body that may be named, the largest first."""
    nodes = list(postorder(body, into=lambda x: not isinstance(x, Fold)))[-_MOST_NODES:]
    for node in reversed(nodes):
        if node is not body and not isinstance(node, Var | Num):
            yield node


def _agrees(world: World, node: Expr, symbol: sympy.Symbol | None, wanted: list[tuple[int, Array]]) -> bool:
    if set(free_ints(node)) - set(world.numbers.sizes) - {symbol}:
        return False
    for step, value in wanted:
        try:
            given = world.numbers.value(node if symbol is None else reindex(node, {symbol: step}))
        except (SymgradError, ShapeError, KeyError):
            return False
        if given.shape[1:] != value.shape[1:] or largest_gap(value, given) is not None:
            return False
    return True


def _with_node(bench: Bench, name: str, place: int, d: Definition, node: Expr) -> Bench:
    """The bench of the model in which a part of one definition is a node of its own."""
    own = Var(name, d.indices, node.shape)
    definitions = list(bench.problem.system.definitions)
    definitions[place] = replace(d, body=replace_nodes(d.body, {node: own}))
    definitions.insert(place, Definition(name, d.indices, node, d.ranges, d.conds))
    return with_definitions(bench, definitions, name)


def with_definitions(bench: Bench, definitions: Sequence[Definition], name: str) -> Bench:
    """The bench of the model with other definitions, among them that of a name that is new in it."""
    d = next(d for d in definitions if d.family == name)
    system = type(bench.problem.system)(tuple(definitions), bench.problem.system.steps)
    problem = replace(bench.problem, system=system, facts={**bench.problem.facts, name: frozenset()})
    names = copy.copy(bench.names)
    where = next(iter(names.families.values())).place
    member = Member(d.indices, d.ranges, name, where, True, d.body.shape)
    names.families = {**names.families, name: Family(name, len(d.indices), where, [member])}
    return Bench(problem, names, worlds(problem), scalar_world(problem))
