"""Sums of blocks that fill different places of one axis, as one block under the other."""

from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, at_most, difference, integer, same
from symgrad.tensor.nodes import Add, Concat, Expr


def one_stack(x: Expr) -> Expr:
    """[a; 0] + [0; b] = [a; b]: a sum of padded blocks that do not overlap, blocks at the same place added up.

    What no block fills stays zero. A sum of anything else, and one whose places cannot be told apart, stays as it is.
    """
    terms = x.args if isinstance(x, Add) else ()
    axes = {t.axis for t in terms if isinstance(t, Concat)}
    if len(axes) != 1 or not all(isinstance(t, Concat) for t in terms):
        return x
    (axis,) = axes
    waiting: list[tuple[Int, Expr]] = []
    for t in terms:
        waiting += _blocks(t, axis)
    out: list[Expr] = []
    place: Int = 0
    while waiting:
        first = next((s for s, _ in waiting if all(at_most(s, other) is True for other, _ in waiting)), None)
        if first is None or at_most(place, first) is not True:
            return x
        if not same(place, first):
            out.append(_zeros(x, axis, difference(first, place)))
        here = [part for start, part in waiting if same(start, first)]
        if any(not same(part.shape[axis], here[0].shape[axis]) for part in here):
            return x
        waiting = [(start, part) for start, part in waiting if not same(start, first)]
        out.append(b.add(*here))
        place = integer(first + here[0].shape[axis])
    if not same(place, x.shape[axis]):
        out.append(_zeros(x, axis, difference(x.shape[axis], place)))
    return b.concat(out, axis)


def _blocks(stack: Expr, axis: int) -> list[tuple[Int, Expr]]:
    """The blocks of a stack that are not zero, each with the number of entries before it."""
    found: list[tuple[Int, Expr]] = []
    place: Int = 0
    for part in stack.children:
        if not b.is_zero(part):
            found.append((place, part))
        place = integer(place + part.shape[axis])
    return found


def _zeros(x: Expr, axis: int, size: Int) -> Expr:
    return b.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]))
