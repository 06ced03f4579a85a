"""Benches on which a writer's premises hold: f_t = 1, W = I, x > 0."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from symgrad.calculus.moving import Key
from symgrad.errors import SymgradError
from symgrad.syntax.tree import Compare, Name, Number, Subscript, Tree
from symgrad.tensor.stable import Array
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.elaboration import conditions_in
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit
from symgrad.verification.meaning.world import World
from symgrad.verification.meaning.worlds import scalar_world, worlds


class Fixed(Struct, frozen=True):
    """Every member name[items] of a family has the value of a tree, in which its open indices may stand."""

    name: str
    items: tuple[Tree, ...]
    value: Tree

    def member(self, subs: Sequence[Tree]) -> Tree:
        """The quantity at some subscripts."""
        base = Name(self.name, place=self.value.place)
        return Subscript(base, tuple(subs), place=self.value.place) if subs else base

    def matches(self, subs: Sequence[object]) -> dict[str, int] | None:
        """The values of the open indices at which a member is meant; None for another member."""
        if len(subs) != len(self.items):
            return None
        found: dict[str, int] = {}
        for item, sub in zip(self.items, subs, strict=True):
            if not isinstance(sub, int):
                return None
            if isinstance(item, Number) and item.value == sub:
                continue
            if not isinstance(item, Name) or found.setdefault(item.id, sub) != sub:
                return None
        return found


@dataclass(frozen=True, slots=True)
class Premise:
    """What a writer supposes, and his words for it; ``what`` is None where no numbers can be made to satisfy it."""

    what: Fixed | Compare | None
    words: str = field(compare=False)


_known: WeakKeyDictionary[Bench, dict[tuple[Premise, ...], Bench]] = WeakKeyDictionary()


def supposing(bench: Bench, premises: Sequence[Premise]) -> Bench:
    """The bench on which some quantities have given values, and comparisons hold at every point.

    Raises:
        Unclear: a comparison has no meaning for the model, or holds at too few random points.
    """
    known = _known.setdefault(bench, {})
    key = tuple(premises)
    if key not in known:
        known[key] = _supposing(bench, [p.what for p in premises])
    return known[key]


def _supposing(bench: Bench, premises: Sequence[Fixed | Compare | None]) -> Bench:
    made, scalars = bench.worlds, bench.scalars
    conditions = [c for p in premises if isinstance(p, Compare) for c in conditions_in(p, bench.names)]
    if conditions:
        problem = replace(bench.problem, assumptions=(*bench.problem.assumptions, *conditions))
        made, scalars = worlds(problem), scalar_world(problem)
        if not all(world.met for world in made):
            raise Unclear("no random inputs were found at which it holds")
    fixed = [p for p in premises if isinstance(p, Fixed)]
    if fixed:
        made = tuple(world.given(_Fixed(bench, world, fixed)) for world in made)
        scalars = scalars.given(_Fixed(bench, scalars, fixed))
    return Bench(bench.problem, bench.names, made, scalars)


class _Fixed(Mapping[Key, Array]):
    """The nodes that have given values, in a world, before those that it has given already."""

    def __init__(self, bench: Bench, world: World, fixed: Sequence[Fixed]) -> None:
        self._world, self._fixed = world, fixed
        self._meaning = bench.meaning(world, PLAIN, Notation())
        self._made: dict[Key, Array] = {}

    def _hit(self, name: str, subs: Sequence[object]) -> tuple[Fixed, dict[str, int]] | None:
        for one in self._fixed:
            ints = one.matches(subs) if one.name == name else None
            if ints is not None:
                return one, ints
        return None

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, tuple):
            return False
        return self._hit(*key) is not None or key in self._world.numbers.given

    def __getitem__(self, key: Key) -> Array:
        hit = self._hit(*key)
        if hit is None:
            return self._world.numbers.given[key]
        if key not in self._made:
            self._made[key] = self._filled(key, *hit)
        return self._made[key]

    def _filled(self, key: Key, one: Fixed, ints: Mapping[str, int]) -> Array:
        node = self._world.node(key[0], tuple(int(s) for s in key[1]))
        shape: tuple[int, ...] = self._world.numbers.value(node).shape[1:] if node is not None else ()
        try:
            value = self._meaning.value(one.value, ints)
        except (Misfit, Outside, SymgradError) as error:
            raise Unclear(f"{one.name} cannot have this value") from error
        if value.eye and len(shape) == 2 and shape[0] == shape[1]:
            value = v.eye(value, shape[0])
        points = len(value.data)
        if value.order == 0:
            spread = value.data.reshape(points, *(1 for _ in shape))
            return np.array(np.broadcast_to(spread, (points, *shape)))
        if math.prod(value.shape) != math.prod(shape) or (value.shape != shape and not self._world.scalars):
            raise Unclear(f"{one.name} has another shape")
        return np.asarray(value.data.reshape(points, *shape))

    def __iter__(self) -> Iterator[Key]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)
