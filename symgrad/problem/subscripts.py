"""Subscripts: members of families, `h[t-1]`, and entries of tensors, `W[i, j]`, `E[i[t], :]`."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.errors import ProblemError
from symgrad.problem.indices import integer_of, size_of
from symgrad.problem.names import Broken, Family, Member, Undetermined
from symgrad.problem.scope import Scope, made
from symgrad.syntax.tree import Name, Span, Subscript, Tree
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, at_most, difference, integer, replace
from symgrad.tensor.nodes import At, Cut, Expr, Item, Pick, Shape, Var
from symgrad.tensor.shapes import describe, same_shape, show_shape


def subscripted(tree: Subscript, scope: Scope) -> Expr:
    """`base[items]`: the first subscripts of a family pick its member, all others entries."""
    family = _family(tree.base, scope)
    if family is None:
        return _entries(scope.expr(tree.base), tree.items, tree, scope)
    steps, rest = tree.items[: family.arity], tree.items[family.arity :]
    if len(steps) < family.arity:
        message = f"{family.name!r} has {family.arity} steps, so it needs {family.arity} subscripts"
        raise ProblemError(message, tree.place)
    subs = tuple(_step(item, family, scope) for item in steps)
    chosen = member(tree, family, subs, scope)
    return _entries(chosen, rest, tree, scope) if rest else chosen


def _family(base: Tree, scope: Scope) -> Family | None:
    if not isinstance(base, Name) or base.id in scope.local or base.id in scope.bound:
        return None
    family = scope.names.families.get(base.id)
    return family if family is not None and family.arity else None


def _step(item: Tree, family: Family, scope: Scope) -> Int:
    if isinstance(item, Span):
        message = f"{family.name!r} is a family; for several of its members write stack or concat over a range"
        raise ProblemError(message, item.place)
    return size_of(item, scope)


def member(tree: Tree, family: Family, subs: tuple[Int, ...], scope: Scope) -> Expr:
    """The named node family[subs]; transposed where the model defines it as a row.

    Raises:
        ProblemError: there is no such member, or the lines that may define it disagree about its shape.
        Undetermined: its shape is not known yet.
    """
    if family.name in scope.names.broken:
        raise Broken(family.name)
    if len(subs) < family.arity:
        steps = ", ".join(map(str, family.members[0].pattern))
        message = f"{family.name!r} is a family; say which member, such as {family.name}[{steps}]"
        raise ProblemError(message, tree.place)
    found = [(m, tuple(replace(s, x) for s in m.shape)) for m, x in family.at(subs) if m.shape is not None]
    if not found:
        if not family.at(subs):
            raise ProblemError(_outside(family, subs, scope), tree.place)
        raise Undetermined(family.name, subs)
    (first, shape), *others = found
    for other, its in others:
        if not same_shape(its, shape):
            raise ProblemError(_contradiction(first, shape, other, its), tree.place)
    node = Var(family.name, subs, shape, family.facts)
    return b.transpose(node) if family.row else node


def _contradiction(first: Member, shape: Shape, other: Member, its: Shape) -> str:
    one = f"{first.text} is {show_shape(shape)} (line {first.place.line})"
    return f"{one}, but {other.text} is {show_shape(its)} (line {other.place.line}), and it may be either"


def _outside(family: Family, subs: tuple[Int, ...], scope: Scope) -> str:
    name = f"{family.name}[{', '.join(map(str, subs))}]"
    ranges = [x for m in family.members for x in m.ranges]
    shown = dict.fromkeys(f"{x.symbol} = {x.lo}..{x.hi}" for x in ranges)
    fixed = [m.text for m in family.members if not m.ranges]
    if shown and fixed:
        return f"{name} is neither {' nor '.join(fixed)} nor in the range {', '.join(shown)}"
    if shown:
        return f"{name} is outside the range {', '.join(shown)}"
    members = ", ".join(m.text for m in family.members)
    return f"there is no {name}; there is {members}"


def _entries(x: Expr, items: Sequence[Tree], tree: Subscript, scope: Scope) -> Expr:
    if len(items) > x.order:
        axes = f"{x.order} ax{'es' if x.order > 1 else 'is'}"
        message = f"{describe(x)} has {axes}, but {len(items)} subscripts stand here"
        raise ProblemError(message if x.order else "a scalar has no entries", tree.place)
    picked = [_item(item, size, scope) for item, size in zip(items, x.shape, strict=False)]
    return made(tree.place, b.entry, x, picked)


def _picks(family: Family | None) -> bool:
    """Whether a symbol may pick entries: it is said to be an index or an integer, or the model makes it."""
    if family is None or family.defined:
        return True
    return any(m.facts & {"index", "integer"} for m in family.members)


def _item(item: Tree, size: Int, scope: Scope) -> Item:
    base = scope.names.index_base
    if isinstance(item, Span):
        if item.lo is None or item.hi is None:
            return Cut(1, size)
        lo, hi = _inside(item.lo, size, scope), _inside(item.hi, size, scope)
        if at_most(hi + 1, lo):
            raise ProblemError(f"the range {lo}..{hi} is empty", item.place)
        return Cut(integer(lo + 1 - base), integer(hi + 1 - base))
    if integer_of(item, scope) is not None or _fraction_of_sizes(item, scope):
        return At(integer(_inside(item, size, scope) + 1 - base))
    chosen = scope.expr(item)
    if chosen.order or b.number_of(chosen) is not None:
        what = describe(chosen) if chosen.order else f"{b.number_of(chosen)}"
        raise ProblemError(f"an index must be an integer, not {what}", item.place)
    if isinstance(chosen, Var) and not _picks(scope.names.families.get(chosen.name)):
        raise ProblemError(f"{chosen.name} picks an entry here; say that it is one, {{is: index}}", item.place)
    return Pick(made(item.place, b.add, chosen, b.ONE) if base == 0 else chosen)


def _fraction_of_sizes(item: Tree, scope: Scope) -> bool:
    """Whether it is arithmetic on sizes alone, such as n/2, whose author takes it for an integer."""
    try:
        size_of(item, scope)
    except ProblemError:
        return False
    return True


def _inside(tree: Tree, size: Int, scope: Scope) -> Int:
    index = size_of(tree, scope)
    base = scope.names.index_base
    last = integer(difference(size, 1) + base)
    if at_most(index + 1, base) or at_most(last + 1, index):
        raise ProblemError(f"the index {index} is outside {base}..{last}", tree.place)
    return index
