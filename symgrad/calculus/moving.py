"""Passes over a model in numbers in which named nodes are moved: entry by entry, or along directions.

The moves of one pass lie side by side in the batch, and only what reads a moved node is evaluated again.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import numpy as np
from msgspec import Struct

from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Expr
from symgrad.tensor.stable import Array

Key: TypeAlias = tuple[str, tuple[Int, ...]]
"""A named node: its name and its subscripts, which are numbers."""

Shift: TypeAlias = Callable[[Array], None]
"""Moves a node in place, in an array (amounts, moves, points, *shape)."""

MOST_MOVED = 4096
"""Entries that one pass moves; larger models are differentiated by one node at a time."""
MOST_HELD = 1 << 24
"""Entries of the largest node that one pass holds; what needs more takes several passes."""
FEW = 2
"""So many nodes by which one node is differentiated are moved singly; when one more is asked for, all are."""


class Target(Struct, frozen=True):
    """An expression, the nodes it reads, those that are held, and the nodes upstream in the order of evaluation."""

    of: Expr
    read: frozenset[Key]
    held: frozenset[Key]
    upstream: tuple[Key, ...]


class Moves(Struct, frozen=True):
    """A model whose nodes can be moved.

    Attributes:
        known: the value of every node that was evaluated, (points or 1, *shape), in the order of evaluation.
        reads: the nodes that the definition of each reads.
        points: the batch length of the model.
        evaluate: an expression at other values of the nodes.
        body: the definition of a node that is not an input.
        swept: of (expression, amounts, held nodes), the passes of which the results are kept, by the node moved.
    """

    known: Mapping[Key, Array]
    reads: Mapping[Key, frozenset[Key]]
    points: int
    evaluate: Callable[[Expr, Mapping[Key, Array]], Array]
    body: Callable[[Key], Expr]
    swept: dict[tuple[Expr, tuple[complex, ...], frozenset[Key]], dict[Key, Array]]

    def upstream(self, read: Iterable[Key], held: frozenset[Key] = frozenset()) -> list[Key]:
        """The nodes that act on what was read, through nodes that are not held, in the order of evaluation."""
        seen = set(read)
        stack = list(seen)
        while stack:
            key = stack.pop()
            for k in self.reads[key] if key not in held else ():
                if k not in seen:
                    seen.add(k)
                    stack.append(k)
        return [k for k in self.known if k in seen]

    def target(self, of: Expr, read: frozenset[Key], held: frozenset[Key] = frozenset()) -> Target:
        """An expression that reads some nodes, while others are held."""
        return Target(of, read, held, tuple(self.upstream(read, held)))

    def cost(self, target: Target, wrt: Key) -> int:
        """How many numbers it takes to move every entry of a node at once."""
        return self._entries(wrt) * self._room(target, (wrt,))

    def most(self, wrt: Key) -> int:
        """No target takes more numbers to move every entry of a node at once, whatever it reads."""
        whole = sum(map(self._entries, self.known))
        return self._entries(wrt) * self.points * whole

    def _room(self, target: Target, moved: Iterable[Key]) -> int:
        """How many numbers one move of some nodes takes."""
        return self.points * sum(self._entries(k) for k in self._needed(target, moved))

    def _entries(self, key: Key) -> int:
        shape: tuple[int, ...] = self.known[key].shape[1:]
        return math.prod(shape)

    def _needed(self, target: Target, moved: Iterable[Key]) -> set[Key]:
        """The nodes that change with some that are moved, and what these and the target read besides."""
        changed = set(moved)
        needed = changed | target.read
        for key in target.upstream:
            if key not in target.held and not changed.isdisjoint(self.reads[key]):
                changed.add(key)
                needed |= {key} | self.reads[key]
        return needed

    def by_entries(self, target: Target, value: Array, wrt: Key, by: tuple[complex, ...]) -> Array:
        """The target with each entry of a node moved in turn; (amounts, points, *of.shape, *wrt.shape).

        Args:
            target: the expression.
            value: its value, (points or 1, *of.shape).
            wrt: the node that is moved.
            by: the amounts.
        """
        swept = self.swept.setdefault((target.of, by, target.held), {})
        if wrt in swept:
            return swept[wrt]
        if len(swept) == FEW:
            swept |= self._sweep(target, [k for k in target.upstream if k not in swept], by)
            if wrt in swept:
                return swept[wrt]
        if wrt not in target.upstream:
            shape = self.known[wrt].shape[1:]
            still = np.broadcast_to(value, (self.points, *value.shape[1:]))
            return np.broadcast_to(still.reshape(1, *still.shape, *(1,) * len(shape)), (len(by), *still.shape, *shape))
        swept |= self._sweep(target, [wrt], by)
        return swept[wrt]

    def along(self, target: Target, wrt: Key, directions: Array, by: tuple[complex, ...]) -> Array:
        """The target with a node moved along each direction; (amounts, directions, points, *of.shape).

        Args:
            target: the expression.
            wrt: the node that is moved.
            directions: (directions, points, *wrt.shape).
            by: the amounts.
        """
        steps = np.array(by).reshape(-1, *(1,) * directions.ndim) * directions

        def shift(blocks: Array) -> None:
            blocks += steps

        return self._pass(target, {wrt: shift}, by, len(directions))

    def _sweep(self, target: Target, wanted: list[Key], by: tuple[complex, ...]) -> dict[Key, Array]:
        """The target with every entry of every wanted node moved in turn, in few passes over the model."""
        sizes = {k: self._entries(k) for k in wanted}
        total = sum(sizes.values())
        if total > MOST_MOVED and len(wanted) > 1:
            return {}
        moves = [(k, j) for k in wanted for j in range(sizes[k])]
        room = max(1, MOST_HELD // (len(by) * max(1, self._room(target, wanted))))
        passes = [self._by_moves(target, moves[k : k + room], by) for k in range(0, total, room)]
        full = passes[0] if len(passes) == 1 else np.concatenate(passes, axis=1)
        out: dict[Key, Array] = {}
        start = 0
        for key, size in sizes.items():
            part = np.moveaxis(full[:, start : start + size], 1, -1)
            out[key] = part.reshape(*part.shape[:-1], *self.known[key].shape[1:])
            start += size
        return out

    def _by_moves(self, target: Target, moves: list[tuple[Key, int]], by: tuple[complex, ...]) -> Array:
        """The target with one entry after another moved, (amounts, moves, points, *of.shape)."""
        places: dict[Key, list[tuple[int, int]]] = {}
        for place, (key, entry) in enumerate(moves):
            places.setdefault(key, []).append((place, entry))
        return self._pass(target, {key: _shifting(own, by) for key, own in places.items()}, by, len(moves))

    def _pass(self, target: Target, shifts: Mapping[Key, Shift], by: tuple[complex, ...], moves: int) -> Array:
        """The target where nodes are shifted, (amounts, moves, points, *of.shape); each move has its own batch."""
        lead = (len(by), moves, self.points)
        batch = math.prod(lead)
        kind = complex if any(isinstance(x, complex) for x in by) else float
        needed = self._needed(target, shifts)
        there: dict[Key, Array] = {}
        touched: set[Key] = set()
        for key in target.upstream:
            if key not in needed:
                continue
            value = self.known[key]
            if key not in target.held and not touched.isdisjoint(self.reads[key]):
                value = self.evaluate(self.body(key), there)
                touched.add(key)
            elif len(value) > 1:
                value = np.tile(value, (batch // self.points, *(1,) * (value.ndim - 1)))
            if key in shifts:
                value = np.array(np.broadcast_to(value, (batch, *value.shape[1:])), dtype=kind, order="C")
                shifts[key](value.reshape(*lead, *value.shape[1:]))
                touched.add(key)
            there[key] = value
        end = self.evaluate(target.of, there)
        return np.broadcast_to(end, (batch, *end.shape[1:])).reshape(*lead, *end.shape[1:])


def _shifting(entries: list[tuple[int, int]], by: tuple[complex, ...]) -> Shift:
    amounts = np.array(by)[:, None]

    def shift(blocks: Array) -> None:
        flat = blocks.reshape(*blocks.shape[:3], -1)
        for place, entry in entries:
            flat[:, place, :, entry] += amounts

    return shift
