"""Members that definitions mention: those outside every range, and boundaries nobody declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import sympy
from msgspec import Struct, field

from symgrad.problem.definitions import Defined
from symgrad.problem.model import Declaration
from symgrad.problem.names import Family, Member, Names
from symgrad.tensor.integers import Int, integer, replace, symbols_of
from symgrad.tensor.nodes import Binder, Build, Expr, Fold, Opaque, Var
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder

_MOST_STEPS = 64


def check_members(
    found: Sequence[Definition], defined: Mapping[tuple[str, tuple[Int, ...]], Defined], names: Names
) -> list[Declaration]:
    """The boundaries of recurrences that are used but not declared, as implied declarations.

    A member of a declared symbol outside its range is an error, and so is a quantity defined by itself.
    """
    check = _Check(names)
    for definition in found:
        check.definition(definition, defined[definition.family, definition.indices])
    return list(check.implied.values())


class _Check(Struct):
    names: Names
    implied: dict[tuple[str, tuple[Int, ...]], Declaration] = field(default_factory=dict)

    def definition(self, found: Definition, origin: Defined) -> None:
        """Every member that a definition mentions."""
        for node, ranges in _mentions(found.body, found.ranges):
            if (node.name, node.subs) == (found.family, found.indices):
                self.names.complain(f"{origin.head.text} is defined by itself", origin.member.place)
                return
            family = self.names.families.get(node.name)
            if family is None or not family.arity or found.conds:
                continue
            moving = any(x.symbol in symbols_of(s) for x in ranges for s in node.subs)
            for subs in _instances(node.subs, ranges):
                if not _covered(family, subs) and not self.allowed(node, subs, moving, found, origin):
                    return

    def allowed(self, node: Var, subs: tuple[Int, ...], moving: bool, found: Definition, origin: Defined) -> bool:
        """Whether a member that no line gives may be mentioned; a boundary is then implied."""
        family = self.names.families[node.name]
        text = f"{node.name}[{', '.join(map(str, subs))}]"
        if _is_open(family):
            if moving and family.defined:
                message = (
                    f"{origin.head.text} needs {text}, but no range says which members there are; state it under steps"
                )
                self.names.complain(message, origin.member.place)
                return False
            if moving:
                return True
        elif not (family.defined and found.ranges):
            self.names.complain(f"{origin.head.text} needs {text}, which is not declared", origin.member.place)
            return False
        if (node.name, subs) not in self.implied:
            record = _implied(node, subs, family, origin)
            self.implied[node.name, subs] = record
            family.members.append(Member(subs, (), text, origin.member.place, False, record.shape, family.facts))
        return True


def _implied(node: Var, subs: tuple[Int, ...], family: Family, origin: Defined) -> Declaration:
    mapping = {a: s for a, s in zip(node.subs, subs, strict=True) if isinstance(a, sympy.Symbol)}
    shape = tuple(replace(s, mapping) for s in node.shape)
    return Declaration(node.name, subs, shape, family.facts, None, None, False, origin.member.place, implied=True)


def _mentions(body: Expr, outer: Sequence[Binder]) -> Iterator[tuple[Var, tuple[Binder, ...]]]:
    """The named nodes in a body, each with the ranges around it; those under conditions are left out."""
    waiting: list[tuple[Expr, tuple[Binder, ...]]] = [(body, tuple(outer))]
    while waiting:
        root, ranges = waiting.pop()
        for node in postorder(root, into=lambda x: not isinstance(x, Fold | Build | Opaque)):
            match node:
                case Fold(conds=conds) if conds:
                    continue
                case Fold(binders=binders) | Build(binders=binders) | Opaque(binders=binders):
                    waiting.extend((child, (*ranges, *binders)) for child in node.children)
                case Var():
                    yield node, ranges


def _instances(subs: tuple[Int, ...], ranges: Sequence[Binder]) -> Iterator[tuple[Int, ...]]:
    """The members that subscripts reach: all of them where the ranges are numbers, else those at the ends."""
    moving = set().union(*(symbols_of(s) for s in subs))
    choices: list[list[tuple[sympy.Symbol, Int]]] = []
    for x in ranges:
        if x.symbol not in moving:
            continue
        if isinstance(x.lo, int) and isinstance(x.hi, int) and x.hi - x.lo < _MOST_STEPS:
            values: list[Int] = list(range(x.lo, x.hi + 1))
        else:
            values = [x.lo, x.hi]
        choices.append([(x.symbol, value) for value in values])
    seen: set[tuple[Int, ...]] = set()
    for choice in product(*choices):
        reached = tuple(_settled(s, dict(choice)) for s in subs)
        if reached not in seen:
            seen.add(reached)
            yield reached


def _settled(value: Int, mapping: dict[sympy.Symbol, Int]) -> Int:
    """The value with each symbol replaced, also in the ends of other ranges."""
    for _ in range(len(mapping) + 1):
        value = replace(value, mapping)
    return integer(value) if isinstance(value, int) else integer(sympy.expand(value))


def _is_open(family: Family) -> bool:
    """Whether members stand for a step that is not said, as `x[t]` does where t has no range."""
    return any(not m.ranges and not all(isinstance(p, int) for p in m.pattern) for m in family.members)


def _covered(family: Family, subs: tuple[Int, ...]) -> bool:
    if not _is_open(family):
        return any(m.matches(subs) is not None for m in family.members)
    exact = any(m.pattern == subs for m in family.members)
    return exact or any(m.ranges and m.matches(subs) is not None for m in family.members)
