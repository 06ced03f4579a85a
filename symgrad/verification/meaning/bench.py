"""A problem with everything that judging claims about it needs, made once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from symgrad.problem.model import Problem
from symgrad.problem.names import Names
from symgrad.tensor.integers import Int
from symgrad.verification.meaning.elaboration import names_of
from symgrad.verification.meaning.kept import KeptMeanings
from symgrad.verification.meaning.meaning import Meaning
from symgrad.verification.meaning.readings import Notation, Reading
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
    _kept: KeptMeanings = field(init=False)

    def __post_init__(self) -> None:
        self._kept = KeptMeanings(self.names)

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

    def meaning(self, world: World, reading: Reading, notation: Notation) -> Meaning:
        """What trees are worth in a world, under a reading and what the writer's names mean now."""
        return self._kept.of(world, reading, notation)
