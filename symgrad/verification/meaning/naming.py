"""What names are worth: members and entries of families, the writer's own names, adjoints."""

from __future__ import annotations

import itertools
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from symgrad.syntax.tree import Binary, Name, Span, Subscript, Tree, Unary
from symgrad.tensor import build as b
from symgrad.tensor.nodes import At, Cut, Expr, Item, Var
from symgrad.verification.errors import BeyondAxis, Outside, Unclear, Unknown, Unsized
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.elaboration import at_places
from symgrad.verification.meaning.integers import index
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.readings import Adjoint, Defined
from symgrad.verification.meaning.subscripts import entry_names
from symgrad.verification.meaning.values import Misfit, Value
from symgrad.verification.meaning.world import sum_over

_DEEPEST_DEFINITION: Final = 40
_CONSTANTS: Final = {"pi": float(np.pi), "e": float(np.e), "inf": float("inf")}


def named(m: Interpretation, tree: Name, items: tuple[Tree, ...], ints: Ints) -> Value:
    """The value of a name with subscripts."""
    name = tree.id
    if name in m.arguments and not items:
        return m.arguments[name]
    if name in ints and not items:
        return v.number(ints[name])
    if name in m.notation.settings and not items:
        return m.value(m.notation.settings[name], ints)
    member = node(m, tree, items, ints)
    if member is not None:
        return at_places(m, member, ints) or v.tensor(m.world.value(member))
    if name in m.notation.names:
        return _defined(m, tree, items, ints)
    if name in m.world.sizes and not items:
        return v.number(m.world.sizes[name])
    if name == "I" and not items:
        return replace(v.number(1), eye=not m.world.scalars)
    if name in _CONSTANTS and not items:
        return v.number(_CONSTANTS[name])
    for known, order in m.reading.orders:
        if known == name:
            whole = v.tensor(m.world.free(name, order))
            return _picked(m, whole, items, ints) if items else whole
    raise Unknown(tree)


def node(m: Interpretation, tree: Name, items: tuple[Tree, ...], ints: Ints) -> Expr | None:
    """The named node that a name with subscripts is, or entries of it; None where the problem has no such name."""
    family = m.names.families.get(tree.id)
    if family is None or tree.id in m.notation.settings:
        return None
    if len(items) < family.arity:
        return None if tree.id == "I" and not items else _whole_family(m, tree, items)
    subs = tuple(index(m, item, ints) for item in items[: family.arity])
    member = m.world.node(tree.id, subs)
    if member is None:
        raise Outside
    rest = items[family.arity :]
    return _entries(m, member, rest, ints) if rest else member


def _whole_family(m: Interpretation, tree: Name, items: tuple[Tree, ...]) -> Expr:
    total = None if items else sum_over(m.problem, tree.id)
    if total is None:
        raise Unclear(f"it is not said at which step {tree.id!r} stands")
    return m.world.node(total.name, ()) or total if isinstance(total, Var) else total


def _entries(m: Interpretation, whole: Var, items: tuple[Tree, ...], ints: Ints) -> Expr:
    if m.world.scalars:
        raise Unclear("among scalars there are no entries")
    if len(items) > whole.order:
        raise Unclear(f"{whole.name} has {whole.order} axes, but {len(items)} subscripts stand here")
    chosen: list[Item] = []
    for item, size in zip(items, whole.shape, strict=False):
        base = m.names.index_base
        if isinstance(item, Span):
            lo = 1 if item.lo is None else index(m, item.lo, ints) + 1 - base
            hi = size if item.hi is None else index(m, item.hi, ints) + 1 - base
            chosen.append(Cut(lo, hi))
            inside = 1 <= lo <= hi <= int(size)
        else:
            at = index(m, item, ints) + 1 - base
            chosen.append(At(at))
            inside = 1 <= at <= int(size)
        if not inside:
            raise BeyondAxis(isinstance(item, Binary))
    return b.entry(whole, chosen)


def subscripted(m: Interpretation, tree: Subscript, ints: Ints) -> Value:
    """The value of a member of a family, of a name of the writer's at a step, or of entries of either."""
    if isinstance(tree.base, Name):
        if _is_row_of(m, tree.base.id, tree.items):
            return v.transposed(named(m, tree.base, tree.items, ints))
        return named(m, tree.base, tree.items, ints)
    if isinstance(tree.base, Subscript) and isinstance(tree.base.base, Name):
        flat = Subscript(tree.base.base, (*tree.base.items, *tree.items), place=tree.place)
        return subscripted(m, flat, ints)
    return _by_entries(m, tree, entry_names(tree), ints)


def _by_entries(m: Interpretation, tree: Subscript, names: tuple[str, ...], ints: Ints) -> Value:
    """`[A]_{ij}`, an entry of what is in the brackets; or `[a_i b_j]_{ij}`, the array with these entries."""
    open_ = [(name, item) for name, item in zip(names, tree.items, strict=False) if name not in ints]
    if not open_:
        inner = m.value(tree.base, ints)
        return inner if names and not inner.order else _picked(m, inner, tree.items, ints)
    sizes = [m.size_at(item) for _, item in open_]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        raise Unsized([item.place.start for _, item in open_], "it is not said how far the indices of its entries run")
    low = m.names.index_base
    places = itertools.product(*(range(low, low + size) for size in known))
    letters = [name for name, _ in open_]
    cells = [_by_entries(m, tree, names, {**ints, **dict(zip(letters, place, strict=True))}) for place in places]
    if any(x.order for x in cells):
        raise Misfit("array by its entries", *(x.shape for x in cells[:1]))
    points = max(len(x.data) for x in cells)
    data = np.stack([np.broadcast_to(x.data, (points,)) for x in cells], axis=1)
    return v.tensor(data.reshape(points, *known))


def _is_row_of(m: Interpretation, name: str, items: tuple[Tree, ...]) -> bool:
    """Whether it is a row of a matrix, A[i, :], which lies down."""
    family = m.names.families.get(name)
    rest = items[family.arity :] if family is not None else ()
    return len(rest) == 2 and not isinstance(rest[0], Span) and isinstance(rest[1], Span)


def _picked(m: Interpretation, x: Value, items: tuple[Tree, ...], ints: Ints) -> Value:
    if len(items) > x.order:
        raise Unclear("there are more subscripts than axes")
    picks: list[Any] = [slice(None)]
    for item, size in zip(items, x.shape, strict=False):
        if isinstance(item, Span):
            base = m.names.index_base
            lo = 0 if item.lo is None else index(m, item.lo, ints) - base
            hi = size if item.hi is None else index(m, item.hi, ints) - base + 1
            picks.append(slice(lo, hi))
            continue
        at = index(m, item, ints) - m.names.index_base
        if not 0 <= at < size:
            raise BeyondAxis
        picks.append(at)
    data = x.data[tuple(picks)]
    return v.tensor(data, formal=x.formal)


# Names of the writer's


def _defined(m: Interpretation, tree: Name, items: tuple[Tree, ...], ints: Ints) -> Value:
    """The value of a name of the writer's."""
    m.depth += 1
    try:
        if m.depth > _DEEPEST_DEFINITION:
            raise Unclear(f"{tree.id!r} is defined by itself without an end")
        meanings = reversed(m.notation.names[tree.id])
        for meaning in sorted(meanings, key=lambda x: not (isinstance(x, Defined) and _is_fixed(m, x))):
            if isinstance(meaning, Adjoint):
                return _adjoint(m, meaning, items, ints)
            bound, used = matched(m, meaning, items, ints)
            if bound is not None:
                whole = _body(m, meaning, {**ints, **bound})
                return _picked(m, whole, items[used:], ints) if items[used:] else whole
        raise Unclear(f"{tree.id!r} is defined at other steps only")
    finally:
        m.depth -= 1


def _body(m: Interpretation, meaning: Defined, ints: Ints) -> Value:
    """The value of what a name stands for, which must not rest on itself."""
    asked = (id(meaning), tuple(sorted(ints.items())))
    if asked in m.open:
        raise Unclear(f"{meaning.name!r} is defined by itself")
    m.open.add(asked)
    try:
        return m.value(meaning.body, ints)
    finally:
        m.open.discard(asked)


def _is_fixed(m: Interpretation, meaning: Defined) -> bool:
    """Whether a meaning is that of one member, δ_4 = 0."""
    inside = [n for x in meaning.pattern for n in _names(x)]
    return bool(meaning.pattern) and all(n.id in m.world.sizes for n in inside)


def matched(
    m: Interpretation, meaning: Defined, items: tuple[Tree, ...], ints: Ints
) -> tuple[dict[str, int] | None, int]:
    """The values of the indices of a pattern, and how many subscripts it takes; None where it is another member."""
    bound: dict[str, int] = {}
    if len(items) < len(meaning.pattern):
        return None, 0
    for pattern, item in zip(meaning.pattern, items, strict=False):
        value = index(m, item, ints)
        name = next((x.id for x in _names(pattern) if x.id not in m.world.sizes), None)
        if name is None:
            if index(m, pattern, ints) != value:
                return None, 0
        else:
            bound[name] = value - (index(m, pattern, {**ints, name: 0}))
    return bound, len(meaning.pattern)


def _adjoint(m: Interpretation, meaning: Adjoint, items: tuple[Tree, ...], ints: Ints) -> Value:
    of = meaning.loss if isinstance(meaning.loss, Name) else None
    if of is None:
        raise Unclear("a loss is a named quantity")
    family = Name(meaning.family, place=of.place)
    loss = node(m, of, (), ints)
    try:
        wrt = node(m, family, items, ints)
    except Outside:
        return _beyond(m, meaning, items, ints)
    if wrt is None or loss is None:
        raise Unclear(f"{meaning.name!r} has no value here")
    return m.laid_out(m.world.partial(loss, wrt), loss.order, wrt.order)


def _beyond(m: Interpretation, meaning: Adjoint, items: tuple[Tree, ...], ints: Ints) -> Value:
    """The adjoint one step beyond the last one, which nothing reads: zero."""
    subs = tuple(index(m, x, ints) for x in items)
    last = m.world.node(meaning.family, tuple(k - 1 for k in subs))
    if last is None or m.world.node(meaning.family, tuple(k - 2 for k in subs)) is None:
        raise Outside
    return Value(np.zeros((1, *(() if m.world.scalars else last.shape))), min(last.order, 1) or last.order)


def _names(tree: Tree) -> list[Name]:
    match tree:
        case Name():
            return [tree]
        case Unary(_, operand):
            return _names(operand)
        case Binary(_, left, right):
            return [*_names(left), *_names(right)]
        case _:
            return []
