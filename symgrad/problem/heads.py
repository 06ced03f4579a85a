"""Left sides of definitions: which subscripts are steps, and which are indices of components."""

from __future__ import annotations

from msgspec import Struct

from symgrad.errors import near
from symgrad.problem.names import Family, Names
from symgrad.problem.scope import WORDS
from symgrad.problem.texts import free_names
from symgrad.source import Place
from symgrad.syntax.tree import Call, Definition, Name, Span, Subscript, Tree


class Head(Struct, frozen=True):
    """The left side of a definition: its steps, then the names of its components."""

    name: str
    steps: tuple[Tree, ...]
    components: tuple[Name, ...]
    tree: Definition
    text: str


def read_head(tree: Definition, names: Names) -> Head | None:
    """The left side of a definition; None for functions, and where it is wrong."""
    target = tree.target
    if isinstance(target, Call):
        _check_function(tree, names)
        return None
    name, items = (target.id, ()) if isinstance(target, Name) else (_base(target), target.items)
    kind = names.kinds.get(name)
    if kind is None or kind[0] not in ("symbol", "quantity") or name in names.sizes:
        names.broken.add(name)
        return None
    family = names.families.get(name)
    count = family.arity if family is not None else _steps_in(items, names)
    if family is not None and len(items) < family.arity:
        how = f"{subscript_count(len(items))} here and {subscript_count(family.arity)} in line {family.place.line}"
        names.complain(f"{name!r} has {how}", target.place)
        return None
    steps, rest = items[:count], items[count:]
    components = tuple(item for item in rest if isinstance(item, Name) and item.id not in names.sizes)
    if len(components) < len(rest) or any(isinstance(item, Span) for item in steps):
        message = "on the left side of a definition stand steps, then indices of components"
        names.complain(message, target.place)
        if family is None:
            names.broken.add(name)
        return None
    if family is None:
        names.families[name] = Family(name, count, target.place)
    return Head(name, tuple(steps), components, tree, _written(target.place))


def _base(target: Subscript) -> str:
    return target.base.id if isinstance(target.base, Name) else ""


def _written(place: Place) -> str:
    return " ".join(place.text.split())


def _steps_in(items: tuple[Tree, ...], names: Names) -> int:
    """How many of the subscripts are steps: those up to the last one that is no name of a component."""
    count = 0
    for at, item in enumerate(items):
        if not isinstance(item, Name) or item.id in names.indices or item.id in names.sizes:
            count = at + 1
    return count


def _check_function(tree: Definition, names: Names) -> None:
    """The body of a function mentions its arguments and names of the problem."""
    if tree.binders or tree.conditions:
        names.complain("a function is defined without ranges", tree.target.place)
    if isinstance(tree.target, Call):
        parameters = frozenset(arg.id for arg in tree.target.args if isinstance(arg, Name))
        for name in free_names(tree.body, parameters):
            if name.id not in names.kinds and name.id not in WORDS:
                if name.id not in names.broken:
                    known = [*names.kinds, *parameters]
                    message = f"{name.id!r} is neither declared nor defined"
                    names.complain(message, name.place, near(name.id, known))
                names.broken.add(tree.target.func.id)
                names.functions.pop(tree.target.func.id, None)


def subscript_count(count: int) -> str:
    """How many subscripts, in words."""
    return "no subscripts" if count == 0 else f"{count} subscript{'s' * (count > 1)}"
