"""The definitions of a model: shapes first, as far as they follow from each other, then facts, then bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from symgrad.errors import ProblemError, near
from symgrad.problem.components import component_range
from symgrad.problem.folds import built
from symgrad.problem.guess import guessed_shape
from symgrad.problem.heads import Head
from symgrad.problem.names import Broken, Family, Member, Names, Undetermined
from symgrad.problem.patterns import Pattern, pattern
from symgrad.problem.ranges import bind
from symgrad.problem.scope import WORDS, Scope, made
from symgrad.problem.texts import free_names
from symgrad.syntax.tree import Call, Tree
from symgrad.tensor import build as b
from symgrad.tensor.integers import Int, index_symbol
from symgrad.tensor.integers import replace as substituted
from symgrad.tensor.nodes import Binder, Expr, Rel, Shape
from symgrad.tensor.reindex import reindex
from symgrad.tensor.shapes import describe, same_shape, show_shape
from symgrad.tensor.system import Definition

_PROBABILITIES = (("softmax", 1), ("sigmoid", 0))


class Defined(Struct):
    """A definition of the model and the members it makes."""

    head: Head
    family: Family
    member: Member
    where: Pattern
    stated: dict[str, Binder]
    scope: Scope

    @property
    def tree(self) -> Tree:
        """Its right side."""
        return self.head.tree.body


def read_heads(heads: Sequence[Head], scope: Scope) -> list[Defined]:
    """The left sides of the definitions; what is wrong is noted, and the name is broken."""
    defined = []
    for head in heads:
        try:
            found = _defined(head, scope)
            found.family.members.append(found.member)
            if _names_are_known(found, scope.names):
                defined.append(found)
        except ProblemError as error:
            _fail(error, head.name, scope.names)
        except Broken as broken:
            scope.names.broken.update((head.name, *broken.args))
    return defined


def _overlap(one: Member, other: Member) -> tuple[int, ...] | None:
    """A member that two definitions over numeric ranges both make; one that stands for itself goes before a range."""
    if not one.ranges or not other.ranges or one.conds or other.conds:
        return None
    found: list[int] = []
    for left, right in zip(_extent(one), _extent(other), strict=True):
        if left is None or right is None or max(left[0], right[0]) > min(left[1], right[1]):
            return None
        found.append(max(left[0], right[0]))
    return tuple(found)


def _extent(member: Member) -> list[tuple[int, int] | None]:
    """The first and last value of every subscript, where they are numbers."""
    ranges = {x.symbol: (x.lo, x.hi) for x in member.ranges}
    ends = [(p, p) if isinstance(p, int) else ranges.get(p) for p in member.pattern]
    return [(x[0], x[1]) if x and isinstance(x[0], int) and isinstance(x[1], int) else None for x in ends]


def _names_are_known(d: Defined, names: Names) -> bool:
    """Whether every name on the right side is known; each that is not is said, and the name is broken."""
    own = frozenset({*d.scope.bound, *(x.symbol.name for x in d.where.ranges)})
    unknown = [n for n in free_names(d.tree, own) if n.id not in names.kinds and n.id not in WORDS]
    for name in dict.fromkeys(n for n in unknown if n.id not in names.broken):
        message = f"{name.id!r} is neither declared nor defined"
        names.complain(message, name.place, near(name.id, [*names.values(), *own]))
    if unknown:
        names.broken.add(d.family.name)
    return not unknown


def _defined(head: Head, scope: Scope) -> Defined:
    tree = head.tree
    components = {name.id: index_symbol(name.id) for name in head.components}
    if len(components) < len(head.components):
        raise ProblemError("an index of the left side stands there twice", tree.target.place)
    ranges = bind(tree.binders, tree.conditions, scope.binding(components))
    if ranges.data:
        raise ProblemError("the conditions of a definition are relations of its indices", tree.place)
    stated = {x.symbol.name: x for x in ranges.binders}
    where = pattern(head.steps, {x.symbol: x for x in ranges.binders if x.symbol.name not in components}, scope)
    for keyword in tree.binders:
        name = keyword.name.id
        if name not in components and index_symbol(name) not in where.indices:
            raise ProblemError(f"{name!r} does not stand on the left side", keyword.name.place)
    family = scope.names.families[head.name]
    conds = tuple(
        Rel(r.op, substituted(r.left, where.shift), substituted(r.right, where.shift)) for r in ranges.relations
    )
    member = Member(where.indices, where.ranges, head.text, tree.target.place, True, conds=conds)
    for other in family.members:
        same = (other.pattern, other.ranges, other.conds) == (member.pattern, member.ranges, member.conds)
        if same and other.defined:
            line = other.place.line
            raise ProblemError(f"{head.text} is defined twice; the first time in line {line}", tree.target.place)
        met = _overlap(other, member) if other.defined else None
        if met is not None:
            shown = f"{head.name}[{', '.join(map(str, met))}]"
            message = f"{shown} is defined twice; the first time in line {other.place.line}"
            raise ProblemError(message, tree.target.place)
        if same:
            member.facts = other.facts
    return Defined(head, family, member, where, stated, scope.binding(components))


def infer_shapes(defined: Sequence[Defined], names: Names) -> None:
    """Find the shape of every definition: what is wrong is noted, and the name is broken.

    A definition waits for the shapes it needs. Where all wait, as in a recurrence without a declared
    boundary, one of them gets the shape that its known operands imply, which is checked in the end. Where
    these are scalars, which fit everything, a boundary that is given as one number is a scalar.
    """
    waiting = [d for d in defined if d.family.name not in names.broken]
    while waiting:
        later = [d for d in waiting if not _settled(d, names)]
        if len(later) == len(waiting):
            later = [d for d in waiting if not (d.member.shape is None and _guessed(d))]
            if len(later) == len(waiting) and not any(_begins_with_a_number(d.family) for d in waiting):
                break
        waiting = later
    _complain_of_recurrences(waiting, names)


def _begins_with_a_number(family: Family) -> bool:
    """Make the first boundary of a family that is given as one number a scalar; False where there is none left."""
    for m in family.members:
        if m.filled and m.shape is None:
            m.shape = ()
            return True
    return False


def _complain_of_recurrences(waiting: Sequence[Defined], names: Names) -> None:
    """Say which boundaries are missing: of the circles in which definitions wait, where a circle steps back."""
    blocked: dict[str, tuple[str, bool]] = {}
    for d in waiting:
        name, subs = _waits_for(d)
        blocked.setdefault(d.family.name, (name, subs == d.member.pattern))
    said: set[str] = set()
    for d in waiting:
        name, beside = blocked[d.family.name]
        if not beside and name not in said and _leads_back(name, d.family.name, blocked):
            said.add(name)
            family = names.families[name]
            names.complain(
                f"the shape of {name!r} does not follow; {_advice(family)} needs a declaration", d.member.place
            )
    if not said and waiting:
        names.complain(f"the shape of {waiting[0].head.text} does not follow", waiting[0].member.place)
    names.broken.update(d.family.name for d in waiting)


def _waits_for(d: Defined) -> tuple[str, tuple[Int, ...]]:
    try:
        read_body(d)
    except Undetermined as reason:
        name, subs = reason.args
        return name, tuple(substituted(s, d.where.shift) for s in subs)
    except (Broken, ProblemError):
        pass
    return d.family.name, ()


def _leads_back(name: str, goal: str, blocked: Mapping[str, tuple[str, bool]]) -> bool:
    seen: set[str] = set()
    while name != goal and name in blocked and name not in seen:
        seen.add(name)
        name = blocked[name][0]
    return name == goal


def _guessed(d: Defined) -> bool:
    shape = None if d.head.components else guessed_shape(d.tree, d.scope)
    if shape is None:
        return False
    d.member.shape = tuple(substituted(s, d.where.shift) for s in shape)
    _fill(d.family)
    return True


def _advice(family: Family) -> str:
    ranges = [x for m in family.members for x in m.ranges]
    if ranges and family.arity == 1:
        return f"{family.name}[{ranges[0].lo - 1}]"
    return repr(family.name)


def _settled(d: Defined, names: Names) -> bool:
    """Whether the shape is known now, or never will be."""
    try:
        body = read_body(d)
    except Undetermined:
        return False
    except Broken:
        names.broken.add(d.family.name)
    except ProblemError as error:
        _fail(error, d.family.name, names)
    else:
        _settle(d, body, names)
    return True


def _settle(d: Defined, body: Expr, names: Names) -> None:
    guessed, d.member.shape = d.member.shape, body.shape
    if body.row and (len(d.family.members) > 1 or guessed is not None):
        message = f"{d.head.text} is {describe(body)} here, but the others of its name are columns; transpose it"
        names.complain(message, d.tree.place)
        names.broken.add(d.family.name)
    d.family.row = body.row
    if guessed is not None and not same_shape(guessed, body.shape):
        first, then = show_shape(guessed), show_shape(body.shape)
        names.complain(f"{d.head.text} would be {first} and {then} at once", d.member.place)
        names.broken.add(d.family.name)
    for other in d.family.members:
        beside = other.pattern == d.member.pattern and not other.defined and other.shape is not None
        if beside and not same_shape(other.shape or (), body.shape):
            names.complain(_contradiction(d, body.shape, other), d.member.place)
            names.broken.add(d.family.name)
    _fill(d.family)


def _fill(family: Family) -> None:
    """A member given by one number, such as `h[0]: 0`, has the shape of the defined ones."""
    known = next((m.shape for m in family.members if m.defined and m.shape is not None), None)
    for m in family.members:
        if m.shape is None and m.filled and known is not None:
            m.shape = known


def _contradiction(d: Defined, shape: Shape, other: Member) -> str:
    mine, declared = show_shape(shape), show_shape(other.shape or ())
    return f"{d.head.text} is {mine} here, but is declared as {declared} in line {other.place.line}"


def _fail(error: ProblemError, name: str, names: Names) -> None:
    names.note(error.diagnostics)
    names.broken.add(name)


def read_body(d: Defined) -> Expr:
    """The right side over its components, at the step that the member's pattern names."""
    scope = d.scope
    if isinstance(d.tree, Call) and d.tree.func.id == "loss":
        scope = replace(scope, target=d.family.name)
    body = scope.expr(d.tree)
    if d.head.components:
        body = made(d.tree.place, built, body, _component_ranges(d, body))
    return made(d.tree.place, reindex, body, d.where.shift)


def _component_ranges(d: Defined, body: Expr) -> list[Binder]:
    base = d.scope.names.index_base
    found: dict[str, Binder] = {x: d.stated[x] for c in d.head.components if (x := c.id) in d.stated}
    for index in d.head.components:
        stated = found.get(index.id)
        if stated is None:
            symbol = index_symbol(index.id)
            found[index.id] = component_range(index, symbol, body, list(found.values()), base)
        elif stated.lo != base:
            message = f"components begin at {base}, so the range of {index.id!r} must begin there"
            raise ProblemError(message, d.head.tree.target.place)
    return [found[index.id] for index in d.head.components]


def settle_facts(defined: Sequence[Defined], names: Names) -> None:
    """The facts of each family: those that hold of all its members."""
    for d in defined:
        d.member.facts |= _implied_facts(d, names)
    for family in names.families.values():
        own = [m for m in family.members if not _annotates(m, family)]
        if own:
            family.facts = frozenset.intersection(*(m.facts for m in own))


def _annotates(member: Member, family: Family) -> bool:
    return not member.defined and any(m.defined and m.pattern == member.pattern for m in family.members)


def _implied_facts(d: Defined, names: Names) -> frozenset[str]:
    """softmax makes a probability of a vector, sigmoid of a scalar."""
    tree, order = d.tree, len(d.member.shape or ())
    plain = isinstance(tree, Call) and tree.func.id not in names.functions and not d.head.components
    if plain and isinstance(tree, Call) and (tree.func.id, order) in _PROBABILITIES:
        return frozenset({"probability"})
    return frozenset()


def read_definitions(defined: Sequence[Defined], names: Names) -> list[Definition]:
    """The definitions with all names as they are known in the end."""
    found = []
    for d in defined:
        if d.family.name in names.broken:
            continue
        try:
            body = read_body(d)
        except (Broken, Undetermined):
            names.broken.add(d.family.name)
            continue
        except ProblemError as error:
            _fail(error, d.family.name, names)
            continue
        column = b.transpose(body) if d.family.row and body.row else body
        member = d.member
        found.append(Definition(d.family.name, member.pattern, column, member.ranges, member.conds, d.family.facts))
    return found
