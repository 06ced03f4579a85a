"""What is known of a model in numbers: values of nodes, what they read, and where all of them are numbers."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from msgspec import Struct, field

from symgrad.calculus.moving import Key
from symgrad.tensor.stable import Array


class Found(Struct):
    """What is known so far: the values of nodes, what each reads, and derivatives with what they read."""

    values: dict[Key, Array] = field(default_factory=dict)
    reads: dict[Key, frozenset[Key]] = field(default_factory=dict)
    partials: dict[tuple[Any, ...], tuple[Array, frozenset[Key]]] = field(default_factory=dict)


class Domain:
    """The points at which all nodes that were read so far are numbers."""

    __slots__ = ("_good", "_pending", "_seen")

    def __init__(self) -> None:
        self._seen: set[Key] = set()
        self._pending: list[Key] = []
        self._good: Array | None = None

    def note(self, read: Iterable[Key], found: Found) -> None:
        """Some nodes were read, and with them all that they read."""
        todo = [k for k in read if k not in self._seen]
        while todo:
            key = todo.pop()
            if key not in self._seen:
                self._seen.add(key)
                self._pending.append(key)
                todo += [k for k in found.reads[key] if k not in self._seen]

    def good(self, found: Found, points: int) -> Array:
        """Of each point whether it lies in the domain."""
        if self._good is None:
            self._good = np.ones(points, dtype=bool)
        for key in self._pending:
            value = found.values[key]
            if len(value) == points:
                self._good &= ~np.isnan(value).reshape(points, -1).any(axis=1)
        self._pending.clear()
        return self._good
