"""Many edits of one part evaluated at once: their values stacked along the axis of points, one edit a row.

What stands around the part is then computed once for all edits of one shape, instead of once for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
from msgspec import Struct

from symgrad.errors import SymgradError
from symgrad.syntax.tree import Tree
from symgrad.tensor.shapes import ShapeError
from symgrad.verification.diagnosis.edits import Choice, Filler
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.meaning.interpretation import Ints
from symgrad.verification.meaning.letters import Indices, Letters, among
from symgrad.verification.meaning.meaning import Meaning
from symgrad.verification.meaning.signs import combined
from symgrad.verification.meaning.values import Misfit, Value

NO_NUMBER: Final = (np.linalg.LinAlgError, OverflowError)
"""What a tree may raise because of its numbers."""
NO_VALUE: Final = (Misfit, Outside, Unclear, SymgradError, ShapeError)
"""What a tree raises because of what is written."""

Filling = Callable[[Ints], Value]
"""What stands in a hole at some indices."""
Row = tuple[int, int]
"""An edit: its number among those of a part, and that of its filler where it is a choice of one."""


@dataclass(frozen=True, slots=True)
class Hole(Tree):
    """The place in which several trees stand at once."""


@dataclass(eq=False, kw_only=True)
class Stacked(Meaning):
    """The values of trees at one point; where a hole is among them, one row for each that fills the hole.

    Attributes:
        point: the number of the point.
        base: what trees without a hole are worth.
        filling: the values in the hole.
        around: the trees around the hole by their id, with the names on which the value of each rests.
    """

    base: Meaning
    point: int
    filling: Filling | None = None
    around: Mapping[int, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def on(cls, base: Meaning, point: int, filling: Filling, around: Mapping[int, frozenset[str]]) -> Stacked:
        """The values of trees with a hole, beside those of trees without one."""
        return cls(
            base.world, base.reading, base.names, base.letters, base=base, point=point, filling=filling, around=around
        )

    def value(self, tree: Tree, ints: Ints) -> Value:
        """The value of a tree; see ``Interpretation``."""
        names = self.around.get(id(tree))
        if names is None:
            if self.filling is not None and isinstance(tree, Hole):
                return self.filling(ints)
            return at_point(self.base.value(tree, ints), self.point)
        key = (id(tree), among(ints, names))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (tree, self._of(tree, ints))
        return found[1]


def at_point(x: Value, point: int) -> Value:
    """A value at one of its points."""
    return x if len(x.data) == 1 else Value(x.data[point : point + 1], x.out, x.exact, x.eye, x.formal)


class Option(Struct, frozen=True):
    """What an edit puts in: a tree; where it is a choice, a tree with one of the fillers beside it."""

    row: Row
    tree: Tree
    choice: Choice | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The edits that it stands for."""
        n, _ = self.row
        return (self.row,) if self.choice is None else tuple((n, i) for i in range(len(self.choice.fillers)))


class Group(Struct, frozen=True):
    """Rows whose values are alike but for their numbers, of one kind; without a value nothing is known of them."""

    rows: tuple[Row, ...]
    value: Value | None = None
    kind: object = None


@dataclass(eq=False)
class Stacks:
    """The edits of a line that are tried at once, at one point; what choices put in is the same at all its parts."""

    letters: Letters
    point: int
    _fillers: dict[tuple[int, Meaning, Indices], tuple[Group, ...]] = field(default_factory=dict)
    _names: dict[int, frozenset[str]] = field(default_factory=dict)
    _misfits: dict[Meaning, set[tuple[object, ...]]] = field(default_factory=dict)

    def names(self, options: Sequence[Option]) -> frozenset[str]:
        """The names on which what edits put in rests."""
        inside = [self.letters.of(x.tree) for x in options]
        inside += [self._names_in(x.choice.fillers) for x in options if x.choice is not None]
        return frozenset[str]().union(*inside)

    def _names_in(self, fillers: Sequence[Filler]) -> frozenset[str]:
        if id(fillers) not in self._names:
            self._names[id(fillers)] = frozenset[str]().union(*(self.letters.of(x.tree) for x in fillers))
        return self._names[id(fillers)]

    def fillers(self, meaning: Meaning, fillers: Sequence[Filler], ints: Ints) -> tuple[Group, ...]:
        """The groups of fillers that have values at some indices."""
        names = self._names_in(fillers)
        meaning = meaning.enough_for(names)
        key = (id(fillers), meaning, among(ints, names))
        if key not in self._fillers:
            found = (self._alone((0, i), meaning, x.tree, ints) for i, x in enumerate(fillers))
            self._fillers[key] = _together(filter(None, found))
        return self._fillers[key]

    def _alone(self, row: Row, meaning: Meaning, tree: Tree, ints: Ints) -> Group | None:
        """The group of one edit; None where what is written has no value."""
        return _group((row,), lambda: at_point(meaning.value(tree, ints), self.point))

    def groups(self, option: Option, meaning: Meaning, ints: Ints) -> Iterator[Group]:
        """The groups of what an edit puts in, which has a value for each filler where it is a choice."""
        one, choice = self._alone(option.row, meaning, option.tree, ints), option.choice
        if one is None or choice is None:
            yield from () if one is None else (one,)
            return
        misfits = self._misfits.setdefault(meaning, set())
        for group in self.fillers(meaning, choice.fillers, ints):
            rows = tuple((option.row[0], i) for _, i in group.rows)
            kinds = (choice.sign, choice.before, group.kind, one.kind)
            if one.value is None or group.value is None:
                yield Group(rows)
            elif kinds not in misfits:
                pair = (group.value, one.value) if choice.before else (one.value, group.value)
                found = _group(rows, partial(combined, meaning.reading, choice.sign, *pair))
                if found is None:
                    misfits.add(kinds)
                else:
                    yield found


@dataclass(eq=False)
class Stack:
    """What edits put in place of a part, under one meaning; ``names`` are those on which all of it rests."""

    stacks: Stacks
    meaning: Meaning
    options: Sequence[Option]
    names: frozenset[str]
    _groups: dict[Indices, tuple[Group, ...]] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every edit."""
        return tuple(row for option in self.options for row in option.rows)

    def at(self, ints: Ints) -> tuple[Group, ...]:
        """The groups of edits that have values at some indices, those of one kind together."""
        key = among(ints, self.names)
        if key not in self._groups:
            found = (group for x in self.options for group in self.stacks.groups(x, self.meaning, ints))
            self._groups[key] = _together(found)
        return self._groups[key]


def _group(rows: tuple[Row, ...], valued: Callable[[], Value]) -> Group | None:
    try:
        value = valued()
    except NO_NUMBER:
        return Group(rows)
    except NO_VALUE:
        return None
    return Group(rows, value, (value.shape, value.out, value.exact, value.eye, value.formal))


def _together(groups: Iterable[Group]) -> tuple[Group, ...]:
    """The groups of one kind as one."""
    kinds: dict[object, list[Group]] = {}
    for group in groups:
        kinds.setdefault(group.kind, []).append(group)
    return tuple(_joined(x) if len(x) > 1 else x[0] for x in kinds.values())


def _joined(groups: Sequence[Group]) -> Group:
    rows = tuple(row for group in groups for row in group.rows)
    values = [(len(group.rows), group.value) for group in groups if group.value is not None]
    if not values:
        return Group(rows)
    data = np.concatenate([x.data if len(x.data) == n else np.repeat(x.data, n, axis=0) for n, x in values])
    _, one = values[0]
    return Group(rows, Value(data, one.out, one.exact, one.eye, one.formal), groups[0].kind)
