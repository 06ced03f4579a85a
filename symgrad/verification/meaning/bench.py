"""A problem with everything that judging claims about it needs, made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from symgrad.calculus.numeric import Key, Numbers
from symgrad.problem.model import Problem
from symgrad.problem.names import Names
from symgrad.tensor.integers import Int
from symgrad.tensor.stable import Array
from symgrad.verification.meaning.elaboration import names_of
from symgrad.verification.meaning.subscripts import Subscripts
from symgrad.verification.meaning.world import World
from symgrad.verification.meaning.worlds import scalar_world, worlds


@dataclass(eq=False)
class Bench:
    """A problem with the worlds in which claims about it are tried, and the namespace in which they are read."""

    problem: Problem
    names: Names
    worlds: tuple[World, ...]
    scalars: World
    _set: dict[tuple[tuple[str, float], ...], Bench] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Problem) -> Bench:
        """The bench of a problem."""
        return cls(problem, names_of(problem), worlds(problem), scalar_world(problem))

    @cached_property
    def subscripts(self) -> Subscripts:
        """The order in which the problem has subscripts."""
        return Subscripts.of(self.problem, self.names)

    @cached_property
    def dimensions(self) -> tuple[Int, ...]:
        """The sizes of axes that occur in the problem, each once, in the order of declaration."""
        declared = [d.shape for several in self.problem.declarations.values() for d in several]
        shapes = [*declared, *(d.body.shape for d in self.problem.system.definitions)]
        return tuple(dict.fromkeys(size for shape in shapes for size in shape))

    def at(self, settings: Mapping[str, float]) -> Bench:
        """The bench with some inputs fixed, every entry at the same number."""
        key = tuple(sorted(settings.items()))
        if key not in self._set:
            made = tuple(_fixed(w, settings) for w in self.worlds)
            self._set[key] = Bench(self.problem, self.names, made, _fixed(self.scalars, settings))
        return self._set[key]


def _fixed(world: World, settings: Mapping[str, float]) -> World:
    nodes = {name: world.node(name, ()) for name in settings}
    given: dict[Key, Array] = {
        (name, ()): np.full((1, *(int(s) for s in node.shape)), settings[name])
        for name, node in nodes.items()
        if node is not None
    }
    n = world.numbers
    return World(world.problem, Numbers(n.system, n.sizes, n.points, n.seed, given), world.sizes, world.scalars)
