"""Meanings kept from one trial to the next: what a side is worth is found once for all that is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Final

from symgrad.problem.names import Names
from symgrad.verification.meaning.layouts import essential
from symgrad.verification.meaning.letters import Letters
from symgrad.verification.meaning.meaning import Meaning
from symgrad.verification.meaning.readings import Notation, Reading
from symgrad.verification.meaning.world import World

_MOST_VALUES: Final = 20_000


@dataclass(eq=False)
class _Kept:
    """The meanings under what the names of a writer mean at one time, by world and reading."""

    letters: Letters
    state: object
    meanings: dict[tuple[World, Reading], Meaning] = field(default_factory=dict)

    def of(self, world: World, reading: Reading) -> Meaning:
        """The meaning of trees in a world under a reading."""
        found = self.meanings.get((world, reading))
        if found is None:
            plain = essential(reading, frozenset()) == reading
            kin = None if plain else partial(self.of, world)
            found = Meaning(world, reading, self.letters.names, self.letters, kin=kin)
            self.meanings[world, reading] = found
        return found

    @property
    def full(self) -> bool:
        """Whether so much is known that it is time to forget it."""
        return sum(map(len, self.meanings.values())) > _MOST_VALUES


@dataclass(eq=False)
class KeptMeanings:
    """The meanings under one notation by world and reading; forgotten when a name is defined, or they are many."""

    names: Names
    _kept: _Kept = field(init=False)

    def __post_init__(self) -> None:
        self._kept = self._begun(Notation())

    def of(self, world: World, reading: Reading, notation: Notation) -> Meaning:
        """The meaning of trees in a world, under a reading and what the writer's names mean now."""
        state = notation.state
        if state is not self._kept.state or self._kept.letters.notation.state is not state or self._kept.full:
            self._kept = self._begun(notation)
        return self._kept.of(world, reading)

    def _begun(self, notation: Notation) -> _Kept:
        return _Kept(Letters(notation, self.names), notation.state)
