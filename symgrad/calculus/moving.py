"""Passes over a model in numbers in which named nodes are moved: entry by entry, or along directions.

The moves of one pass lie side by side in the batch, and only what reads a moved node is evaluated again.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

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


@dataclass(frozen=True, slots=True)
class Moves:
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

    def by_entries(
        self, of: Expr, value: Array, read: Iterable[Key], wrt: Key, by: tuple[complex, ...], held: frozenset[Key]
    ) -> Array:
        """``of`` with each entry of ``wrt`` moved in turn by each amount; (amounts, points, *of.shape, *wrt.shape).

        Args:
            of: the expression.
            value: its value, (points or 1, *of.shape).
            read: the nodes it reads.
            wrt: the node that is moved.
            by: the amounts.
            held: nodes that stay as they are.
        """
        swept = self.swept.setdefault((of, by, held), {})
        if wrt in swept:
            return swept[wrt]
        upstream = self.upstream(read, held)
        if len(swept) == FEW:
            swept |= self._sweep(of, upstream, [k for k in upstream if k not in swept], by, held)
            if wrt in swept:
                return swept[wrt]
        if wrt not in upstream:
            shape = self.known[wrt].shape[1:]
            still = np.broadcast_to(value, (self.points, *value.shape[1:]))
            return np.broadcast_to(still.reshape(1, *still.shape, *(1,) * len(shape)), (len(by), *still.shape, *shape))
        swept |= self._sweep(of, upstream, [wrt], by, held)
        return swept[wrt]

    def along(
        self,
        of: Expr,
        read: Iterable[Key],
        wrt: Key,
        directions: Array,
        by: tuple[complex, ...],
        held: frozenset[Key],
    ) -> Array:
        """``of`` with ``wrt`` moved along each direction by each amount; (amounts, directions, points, *of.shape).

        Args:
            of: the expression.
            read: the nodes it reads.
            wrt: the node that is moved.
            directions: (directions, points, *wrt.shape).
            by: the amounts.
            held: nodes that stay as they are.
        """
        steps = np.array(by).reshape(-1, *(1,) * directions.ndim) * directions

        def shift(blocks: Array) -> None:
            blocks += steps

        return self._pass(of, self.upstream(read, held), {wrt: shift}, by, len(directions), held)

    def _sweep(
        self, of: Expr, upstream: list[Key], wanted: list[Key], by: tuple[complex, ...], held: frozenset[Key]
    ) -> dict[Key, Array]:
        """of with every entry of every wanted node moved in turn, in few passes over the model."""
        sizes = {k: math.prod(self.known[k].shape[1:]) for k in wanted}
        total = sum(sizes.values())
        if total > MOST_MOVED and len(wanted) > 1:
            return {}
        moves = [(k, j) for k in wanted for j in range(sizes[k])]
        most = max(math.prod(self.known[k].shape[1:]) for k in upstream)
        room = max(1, MOST_HELD // (len(by) * self.points * max(1, most)))
        passes = [self._by_moves(of, upstream, moves[k : k + room], by, held) for k in range(0, total, room)]
        full = passes[0] if len(passes) == 1 else np.concatenate(passes, axis=1)
        out: dict[Key, Array] = {}
        start = 0
        for key, size in sizes.items():
            part = np.moveaxis(full[:, start : start + size], 1, -1)
            out[key] = part.reshape(*part.shape[:-1], *self.known[key].shape[1:])
            start += size
        return out

    def _by_moves(
        self, of: Expr, upstream: list[Key], moves: list[tuple[Key, int]], by: tuple[complex, ...], held: frozenset[Key]
    ) -> Array:
        """of with one entry after another moved, (amounts, moves, points, *of.shape)."""
        places: dict[Key, list[tuple[int, int]]] = {}
        for place, (key, entry) in enumerate(moves):
            places.setdefault(key, []).append((place, entry))
        shifts = {key: _shifting(own, by) for key, own in places.items()}
        return self._pass(of, upstream, shifts, by, len(moves), held)

    def _pass(
        self,
        of: Expr,
        upstream: list[Key],
        shifts: Mapping[Key, Shift],
        by: tuple[complex, ...],
        moves: int,
        held: frozenset[Key],
    ) -> Array:
        """of where nodes are shifted, (amounts, moves, points, *of.shape); each move has its stretch of the batch."""
        lead = (len(by), moves, self.points)
        batch = math.prod(lead)
        kind = complex if any(isinstance(x, complex) for x in by) else float
        there: dict[Key, Array] = {}
        touched: set[Key] = set()
        for key in upstream:
            value = self.known[key]
            if key not in held and not touched.isdisjoint(self.reads[key]):
                value = self.evaluate(self.body(key), there)
                touched.add(key)
            elif len(value) > 1:
                value = np.tile(value, (batch // self.points, *(1,) * (value.ndim - 1)))
            if key in shifts:
                value = np.array(np.broadcast_to(value, (batch, *value.shape[1:])), dtype=kind, order="C")
                shifts[key](value.reshape(*lead, *value.shape[1:]))
                touched.add(key)
            there[key] = value
        end = self.evaluate(of, there)
        return np.broadcast_to(end, (batch, *end.shape[1:])).reshape(*lead, *end.shape[1:])


def _shifting(entries: list[tuple[int, int]], by: tuple[complex, ...]) -> Shift:
    amounts = np.array(by)[:, None]

    def shift(blocks: Array) -> None:
        flat = blocks.reshape(*blocks.shape[:3], -1)
        for place, entry in entries:
            flat[:, place, :, entry] += amounts

    return shift
