"""Names that need each other in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


def circles(needs: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """The circles of a graph, disjoint, each from the name that is declared first along what every name needs."""
    order = {name: k for k, name in enumerate(needs)}
    left = dict(needs)
    while circle := _circle(left):
        first = min(range(len(circle)), key=lambda k: order[circle[k]])
        yield circle[first:] + circle[:first]
        for name in circle:
            del left[name]


def _circle(needs: Mapping[str, Sequence[str]]) -> list[str]:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[:0:-1]
    return []
