"""In what an expression is read: a world, a reading, the names of the problem and those of the writer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from symgrad.problem.model import Problem
from symgrad.problem.names import Names
from symgrad.syntax.tree import Call, Tree
from symgrad.tensor.integers import evaluate_int
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.letters import Letters
from symgrad.verification.meaning.readings import Notation, Reading
from symgrad.verification.meaning.values import Value
from symgrad.verification.meaning.world import World

Ints = Mapping[str, int]


@dataclass(eq=False)
class Interpretation(ABC):
    """What the value of a tree depends on, and how the values of its parts are found.

    Attributes:
        names: the namespace of the problem.
        letters: on which indices the values of trees rest, under the writer's own names.
        arguments: those of the function whose body is being read.
        open: the definitions of the writer's that are being read, with the values of their indices.
        depth: how many these are, one inside the other.
    """

    world: World
    reading: Reading
    names: Names
    letters: Letters
    arguments: Mapping[str, Value] = field(default_factory=dict)
    open: set[tuple[int, tuple[tuple[str, int], ...]]] = field(default_factory=set)
    depth: int = 0

    @property
    def notation(self) -> Notation:
        """The writer's own names."""
        return self.letters.notation

    @property
    def problem(self) -> Problem:
        """The problem in whose names the writer writes."""
        return self.world.problem

    @abstractmethod
    def value(self, tree: Tree, ints: Ints) -> Value:
        """The value of a tree; ``ints`` are the values of its open indices.

        Raises:
            Misfit: shapes do not fit.
            Outside: an index is outside its range.
            Unclear: something in it has no value.
        """

    @abstractmethod
    def inside(self, arguments: Mapping[str, Value]) -> Interpretation:
        """The same with these arguments of a function."""

    @abstractmethod
    def moved(self, world: World) -> Interpretation:
        """The same in a world in which an input is moved."""

    def size_at(self, tree: Tree) -> int | None:
        """The length of a constant vector; None where the reading gives it none."""
        size = next((size for place, size in self.reading.sizes if place == tree.place.start), None)
        return None if size is None else evaluate_int(size, self.world.numbers.sizes)

    def laid_out(self, data: Any, of: int, wrt: int) -> Value:
        """A derivative of ``of`` axes by ``wrt`` axes, with its axes as the reading lays them out."""
        if self.world.scalars:
            return Value(data, 0)
        if of == 0 and self.reading.gradients != "row":
            return v.tensor(data, formal=True)
        made = Value(data, of)
        return v.transposed(made) if self.reading.gradients == "denominator" else made


Handler = Callable[[Interpretation, Call, Ints], Value]
"""What a call is worth."""
