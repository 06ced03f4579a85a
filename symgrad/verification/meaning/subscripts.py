"""Subscripts as the problem has them: a_i[t] is entry i of a_t, and k_i is a name of its own beside a size k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from msgspec import Struct

from symgrad.problem.model import Problem
from symgrad.problem.names import Names
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Name, Number, Subscript, Tree
from symgrad.verification.surgery import parts, with_parts

Items = tuple[Tree, ...]


class Subscripts(Struct, frozen=True):
    """The families of a problem with the index that stands at each place, where it has a letter."""

    names: Names
    letters: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, problem: Problem, names: Names) -> Subscripts:
        """The subscripts of a problem."""
        found: dict[str, list[str]] = {}
        patterns = [(d.family, d.indices) for d in problem.system.definitions]
        patterns += [(x.name, x.pattern) for declared in problem.declarations.values() for x in declared]
        for name, pattern in patterns:
            row = found.setdefault(name, [""] * len(pattern))
            for k, index in enumerate(pattern[: len(row)]):
                row[k] = row[k] or (index.name if isinstance(index, sympy.Symbol) else "")
        return cls(names, {name: tuple(row) for name, row in found.items()})

    def settled(self, tree: Tree) -> Tree:
        """The tree with all subscripts of a name in one row, the steps first, and in the order of the problem."""
        if isinstance(tree, Subscript):
            base, items = self._row(tree)
            if isinstance(base, Name):
                whole = self.whole(base.id, items)
                named = self._named(base, items) if whole is None else base.replaced(id=whole_name(base.id))
                return Subscript(named, self._ordered(base.id, items), place=tree.place)
        inner = parts(tree)
        changed = [self.settled(x) for x in inner]
        return tree if all(a is b for a, b in zip(inner, changed, strict=True)) else with_parts(tree, changed)

    def _row(self, tree: Subscript) -> tuple[Tree, Items]:
        """What stands below all subscripts, and they in the order of writing."""
        base: Tree = tree
        items: Items = ()
        while isinstance(base, Subscript):
            items = (*(self.settled(x) for x in base.items), *items)
            base = base.base
        return base, items

    def _named(self, base: Name, items: Items) -> Name:
        """The name of a quantity; what is a size without subscripts is another with them, and a number at a step."""
        family = self.names.families.get(base.id)
        if family is None:
            own = base.id in self.names.sizes
        else:
            steps = {s.name for s in self.names.steps}
            steps_and_ends = steps | self.names.sizes.keys()
            number = not family.arity and self.names.vocabulary.orders.get(base.id) == 0
            at_step = len(items) == 1 and (isinstance(items[0], Number) or bool(_letters(items[0]) & steps_and_ends))
            own = bool(steps) and number and at_step
        return base.replaced(id=f"{base.id} ") if own else base

    def whole(self, name: str, items: Items) -> int | None:
        """The place of the index that is left out where all members are meant at once, w_t for w_{i,t} at every i."""
        letters = self.letters.get(name, ())
        if len(letters) != 2 or len(items) != 1:
            return None
        said = [letter in _letters(items[0]) for letter in letters]
        return said.index(False) if sum(said) == 1 and letters[said.index(False)] else None

    def _ordered(self, name: str, items: Items) -> Items:
        """The subscripts, each step at the place where the problem has it."""
        family = self.names.families.get(name)
        if family is None or not family.arity or not family.arity <= len(items) or len(items) < 2:
            return items
        letters = self.letters.get(name, ())
        left = list(items)
        row: list[Tree | None] = [None] * family.arity
        for k, letter in enumerate(letters[: family.arity]):
            at = self._place(left, items[k], letter)
            if at is not None:
                row[k] = left.pop(at)
        return (*(x if x is not None else left.pop(0) for x in row), *left)

    def _place(self, left: Sequence[Tree], here: Tree, letter: str) -> int | None:
        """Where the step with a letter stands among subscripts; None where nothing tells it from the others."""
        saying = [k for k, x in enumerate(left) if letter and letter in _letters(x)]
        if len(saying) == 1:
            return saying[0]
        others = {s.name for s in self.names.steps} - {letter}
        if len(saying) == 0 and len(left) == 2 and here is left[0] and letter:
            foreign = [bool(_letters(x) & others) for x in left]
            if foreign == [True, False] and _letters(left[1]):
                return 1
        return None


def entry_names(tree: Subscript) -> tuple[str, ...]:
    """i and j of `[a_i b_j]_{ij}`, which stand inside the brackets too; none where entries of a whole are picked."""
    base: Tree = tree
    while isinstance(base, Subscript):
        base = base.base
    names = tuple(x.id for x in tree.items if isinstance(x, Name))
    if isinstance(base, Name) or len(names) < len(tree.items):
        return ()
    return names if set(names) <= _letters(tree.base) else ()


def whole_name(name: str) -> str:
    """What all members of a family at one step are called."""
    return f"{name} "


def _letters(tree: Tree) -> set[str]:
    return {x.id for x in walk(tree) if isinstance(x, Name)}
