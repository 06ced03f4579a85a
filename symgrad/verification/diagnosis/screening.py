"""A first look at the edits of a line: those after which it may be right at one random point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from symgrad.syntax.tree import Call, Span, Tree
from symgrad.tensor.stable import Array
from symgrad.verification.diagnosis.edits import Choice, Variant, each
from symgrad.verification.diagnosis.every_edit import Site
from symgrad.verification.diagnosis.stacking import (
    NO_NUMBER,
    NO_VALUE,
    Group,
    Hole,
    Option,
    Row,
    Stack,
    Stacked,
    Stacks,
    at_point,
)
from symgrad.verification.errors import Unclear
from symgrad.verification.meaning.compare import plausible
from symgrad.verification.meaning.interpretation import Ints
from symgrad.verification.meaning.meaning import Meaning
from symgrad.verification.meaning.readings import Reading
from symgrad.verification.meaning.values import Value
from symgrad.verification.surgery import parts, put, with_parts

_ALL: Final = np.ones(1, dtype=bool)
_NONE: Final = np.zeros(1, dtype=bool)


class _Irregular(Exception):
    """Rows of which nothing is known."""


@dataclass(eq=False)
class Screens:
    """A first look at the edits of a line under several readings."""

    line: Tree
    meanings: Sequence[Meaning]
    ints: Ints
    truth: Value
    stacks: tuple[Stacks, ...] = field(init=False)

    def __post_init__(self) -> None:
        first = self.meanings[0]
        self.stacks = tuple(Stacks(first.letters, point) for point in range(first.world.numbers.points))

    def hopeful(self, site: Site, edits: Sequence[Variant | Choice]) -> dict[Row, list[Reading]]:
        """The edits at a site after which the line may be right, with the readings under which it may.

        After any other edit it has another value at the first place, or none, under each reading.
        """
        found: dict[Row, list[Reading]] = {}
        options = self._options(site, edits)
        alone = len(self.meanings) == 1 and not any(map(_runs, site.around))
        names = frozenset[str]() if alone else self.stacks[0].names(options)
        whole = names | self.meanings[0].letters.of(self.line)
        made: dict[tuple[int, Meaning], Stack] = {}
        for meaning in dict.fromkeys(m.enough_for(whole) for m in self.meanings):
            screen, inner = Screen(meaning, self.line, self.ints, self.truth), meaning.enough_for(names)
            waiting = {row for option in options for row in option.rows}
            for stacks in self.stacks:
                key = (stacks.point, inner)
                made[key] = made.get(key) or Stack(stacks, inner, options, names)
                hits, undefined = screen.look(site, made[key])
                for row in hits & waiting:
                    found.setdefault(row, []).append(meaning.reading)
                waiting &= undefined
                if not waiting:
                    break
        return found

    def _options(self, site: Site, edits: Sequence[Variant | Choice]) -> list[Option]:
        """What the edits put in place of the part of a site that has a value."""
        rest, options = site.path[site.depth :], list[Option]()
        for n, edit in enumerate(edits):
            if isinstance(edit, Choice) and not rest:
                options.append(Option((n, 0), site.node, edit))
                continue
            options += [Option((n, i), put(site.valued, rest, new)) for i, (new, _, _) in enumerate(each(edit))]
        return options


def _chosen(rows: Sequence[Row], hits: Array) -> set[Row]:
    if len(hits) == 1:
        return set(rows) if hits[0] else set()
    return {row for row, hit in zip(rows, hits, strict=True) if hit}


def _runs(tree: Tree) -> bool:
    """Whether an index runs inside a tree, so that what stands there has several values."""
    return isinstance(tree, Call) and any(isinstance(k.value, Span) for k in tree.keywords)


@dataclass(eq=False)
class Screen:
    """A first look at edits of one line under one reading, at the first of the places at which the truth is known."""

    meaning: Meaning
    line: Tree
    ints: Ints
    truth: Value

    def look(self, site: Site, stack: Stack) -> tuple[set[Row], set[Row]]:
        """The edits at a site after which the line may be right at a point, and those that leave it without a value."""
        line, around = self._around(site, stack.names)
        hopeful, undefined = set[Row](), set[Row]()
        number, several = 0, 1
        while number < several:
            turn = _Turn(stack, number)
            meaning = Stacked.on(self.meaning, stack.stacks.point, turn.value, around)
            with np.errstate(all="ignore"):
                hits, nothing = self._hits(line, meaning)
            rows = stack.rows if turn.rows is None else turn.rows
            hopeful |= (_chosen(rows, hits) | turn.unknown) - turn.dead
            undefined |= _chosen(rows, nothing) - turn.dead
            number, several = number + 1, turn.several
        return hopeful, undefined

    def _hits(self, line: Tree, meaning: Stacked) -> tuple[Array, Array]:
        """Which rows of a turn the line may be right with, and with which it has no value."""
        try:
            return plausible(at_point(self.truth, meaning.point), meaning.value(line, self.ints))
        except (_Irregular, *NO_NUMBER):
            return _ALL, _NONE
        except NO_VALUE:
            return _NONE, _NONE

    def _around(self, site: Site, names: frozenset[str]) -> tuple[Tree, dict[int, frozenset[str]]]:
        """The line with a hole at a site, and the trees around the hole with the names on which their values rest."""
        found: dict[int, frozenset[str]] = {}
        tree: Tree = Hole(place=site.node.place)
        for old, place in zip(reversed(site.around[: site.depth]), reversed(site.path[: site.depth]), strict=True):
            inner = list(parts(old))
            inner[place] = tree
            tree = with_parts(old, inner)
            found[id(tree)] = self.meaning.letters.of(old) | names
        return tree, found


@dataclass(eq=False)
class _Turn:
    """One group of a stack, of as many as there are where it is met first; ``rows`` are known from then on.

    Attributes:
        dead: the rows that have no value at other indices.
        unknown: the rows that are of another kind there, of which nothing is known.
    """

    stack: Stack
    number: int
    rows: tuple[Row, ...] | None = None
    several: int = 0
    dead: set[Row] = field(default_factory=set)
    unknown: set[Row] = field(default_factory=set)

    def value(self, ints: Ints) -> Value:
        """The values of its rows at some indices.

        Raises:
            Unclear: none of them has one.
            _Irregular: nothing is known of them.
        """
        groups = self.stack.at(ints)
        if self.rows is None:
            group = groups[self.number] if self.number < len(groups) else Group(())
            self.rows, self.several = group.rows, len(groups)
        else:
            group = self._most(groups)
        if not group.rows:
            raise Unclear("no edit has a value here")
        if group.value is None:
            raise _Irregular
        return group.value if group.rows == self.rows else self._filled_up(group, groups)

    def _most(self, groups: Sequence[Group]) -> Group:
        """The group of which most of the rows are."""
        own = set(self.rows or ())
        counts = [len(own.intersection(group.rows)) for group in groups]
        return groups[counts.index(max(counts))] if any(counts) else Group(())

    def _filled_up(self, group: Group, groups: Sequence[Group]) -> Value:
        """The value of a group, in the order of the rows; something where a row is not in it."""
        assert group.value is not None
        assert self.rows is not None
        at = {row: k for k, row in enumerate(group.rows)}
        others = {row for other in groups if other is not group for row in other.rows}
        self.unknown.update(row for row in self.rows if row in others)
        self.dead.update(row for row in self.rows if row not in others and row not in at)
        x = group.value
        data = np.broadcast_to(x.data, (len(group.rows), *x.shape))[[at.get(row, 0) for row in self.rows]]
        return Value(data, x.out, x.exact, x.eye, x.formal)
