"""Slips in subscripts and ranges: a step off by one, another index, two indices exchanged."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from symgrad.syntax.tree import Keyword, Name, Number, Span, Subscript, Tree
from symgrad.verification.diagnosis.edits import Context, Variant
from symgrad.verification.diagnosis.slip_text import shifted
from symgrad.verification.surgery import Splice, bare_text, inner_extent, places, put_names, scripted


def step(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """h_{t−1} for h_t: a step off by one."""
    if not isinstance(node, Subscript) or not isinstance(node.base, Name):
        return
    family = context.names.families.get(node.base.id)
    arity = family.arity if family is not None else len(node.items)
    for k, item in enumerate(node.items[:arity]):
        if isinstance(item, Span):
            continue
        for by in (-1, 1):
            yield _moved(node, k, by)


def _moved(node: Subscript, k: int, by: int) -> Variant:
    """A quantity with one of its subscripts moved."""
    item = node.items[k]
    moved, text = shifted(item, by)
    items = (*node.items[:k], moved, *node.items[k + 1 :])
    start, end = inner_extent(item)
    whole = bare_text(node)
    splice = Splice(start, end, scripted(item.place.source.text, start, text))
    said = whole[: start - node.place.start] + splice.text + whole[end - node.place.start :]
    return node.replaced(items=items), f"{said} should stand instead of {whole}", (splice,)


def turned(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """W_ij for W_ji: a transpose, by entries."""
    if not isinstance(node, Subscript) or len(node.items) < 2:
        return
    *steps, one, two = node.items
    if one == two or isinstance(one, Span) or isinstance(two, Span):
        return
    splices = (Splice(*inner_extent(one), bare_text(two)), Splice(*inner_extent(two), bare_text(one)))
    said = f"the indices {bare_text(one)} and {bare_text(two)} of {bare_text(node)} are exchanged"
    yield Subscript(node.base, (*steps, two, one), place=node.place), said, splices


def exchanged(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """Two indices of the line, each written for the other everywhere."""
    if parent is not None:
        return
    for one, two in itertools.combinations(context.letters, 2):
        written = [x for _, x, around in places(node) if isinstance(x, Name) and isinstance(around, Subscript)]
        found = [x for x in written if x.id in (one, two)]
        new = put_names(node, {one: two, two: one})
        splices = tuple(Splice(*inner_extent(x), two if x.id == one else one) for x in found)
        yield new, f"the indices {one} and {two} are exchanged", splices


def index(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """Another index of the line."""
    if not isinstance(node, Subscript):
        return
    for k, item in enumerate(node.items):
        if not isinstance(item, Name) or item.id not in context.letters:
            continue
        for letter in context.letters:
            if letter != item.id:
                items = (*node.items[:k], Name(letter, place=item.place), *node.items[k + 1 :])
                splice = Splice(*inner_extent(item), letter)
                said = f"the index {letter} should stand instead of {item.id} in {bare_text(node)}"
                yield Subscript(node.base, items, place=node.place), said, (splice,)


def entry(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """Another entry, of those that are numbered: a[1] for a[2]."""
    if not isinstance(node, Subscript) or not isinstance(node.base, Name):
        return
    family = context.names.families.get(node.base.id)
    for k in range(family.arity if family is not None else len(node.items), len(node.items)):
        if isinstance(node.items[k], Number):
            for by in (-1, 1):
                yield _moved(node, k, by)


def bound(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """Σ_{t=1}^{T} for Σ_{t=1}^{T−1}: an end of a range off by one, or the wrong size."""
    if not isinstance(node, Span) or not isinstance(parent, Keyword) or node.lo is None or node.hi is None:
        return
    for low in (False, True):
        end = node.lo if low else node.hi
        for by in (-1, 1):
            moved, text = shifted(end, by)
            new = Span(moved, node.hi, place=node.place) if low else Span(node.lo, moved, place=node.place)
            start, stop = inner_extent(end)
            splice = Splice(start, stop, scripted(end.place.source.text, start, text))
            said = f"the range should {'begin' if low else 'end'} at {text}, not at {bare_text(end)}"
            yield new, said, (splice,)
        for size in () if low else context.names.sizes:
            if end != Name(size, place=end.place):
                new = Span(node.lo, Name(size, place=end.place), place=node.place)
                start, stop = inner_extent(end)
                splice = Splice(start, stop, scripted(end.place.source.text, start, size))
                yield new, f"the range should end at {size}, not at {bare_text(end)}", (splice,)
