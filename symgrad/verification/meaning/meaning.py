"""What a writer's expression is worth in a world, under a reading: one case for each kind of tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from symgrad.syntax.tree import Binary, Call, Compare, ListTree, Name, Number, Subscript, Transpose, Tree, Unary
from symgrad.verification.errors import Unclear
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.calls import CALLS
from symgrad.verification.meaning.elaboration import elaborated
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.layouts import EVERY, essential
from symgrad.verification.meaning.letters import Indices, among
from symgrad.verification.meaning.naming import named, subscripted
from symgrad.verification.meaning.readings import Reading
from symgrad.verification.meaning.signs import binary, compared
from symgrad.verification.meaning.values import Value
from symgrad.verification.meaning.world import World


@dataclass(eq=False)
class Meaning(Interpretation):
    """The values of trees in one world under one reading; each is found once.

    ``kin`` are the meanings under readings that differ in how ∂ is read; None where it is read in the plainest way.
    """

    kin: Callable[[Reading], Meaning] | None = None
    _enough: dict[frozenset[str], Meaning] = field(default_factory=dict, init=False)
    _known: dict[tuple[int, Indices], tuple[Tree, Value]] = field(default_factory=dict, init=False)
    _quiet: bool = field(default=False, init=False)

    def __len__(self) -> int:
        """The number of values that are known."""
        return len(self._known)

    def inside(self, arguments: Mapping[str, Value]) -> Interpretation:
        """The same with these arguments of a function."""
        return replace(self, arguments=arguments, kin=None)

    def moved(self, world: World) -> Interpretation:
        """The same in a world in which an input is moved."""
        return replace(self, world=world, kin=None)

    def enough_for(self, names: frozenset[str]) -> Meaning:
        """The meaning under the plainest reading under which what rests on some names is worth the same."""
        if self.kin is None:
            return self
        found = names & EVERY
        meaning = self._enough.get(found)
        if meaning is None:
            reading = essential(self.reading, found)
            meaning = self._enough[found] = self if reading == self.reading else self.kin(reading)
        return meaning

    def value(self, tree: Tree, ints: Ints) -> Value:
        """The value of a tree; see ``Interpretation``."""
        if isinstance(tree, Number):
            return v.number(tree.value)
        if self.kin is not None:
            meaning = self.enough_for(self.letters.of(tree))
            if meaning is not self:
                return meaning.value(tree, ints)
        key = (id(tree), among(ints, self.letters.of(tree)) if ints else ())
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (tree, self._quietly(tree, ints))
        return found[1]

    def _quietly(self, tree: Tree, ints: Ints) -> Value:
        """NumPy is told once to say nothing of what has no value, not for every part."""
        if self._quiet:
            return self._of(tree, ints)
        self._quiet = True
        try:
            with np.errstate(all="ignore"):
                return self._of(tree, ints)
        finally:
            self._quiet = False

    def _of(self, tree: Tree, ints: Ints) -> Value:
        match tree:
            case Name():
                return named(self, tree, (), ints)
            case Subscript():
                return subscripted(self, tree, ints)
            case Unary(op, operand):
                inner = self.value(operand, ints)
                return v.negative(inner) if op == "-" else inner
            case Transpose(ListTree() as operand):
                return self.value(operand, ints)
            case Transpose(operand):
                return v.transposed(self.value(operand, ints))
            case Binary(op, left, right):
                return binary(self, op, left, right, ints)
            case Compare(ops, operands):
                return compared(ops, [self.value(x, ints) for x in operands])
            case ListTree(items):
                found = [self.value(x, ints) for x in items]
                if self.reading.joined:
                    return v.joined(found)
                columns = all(x.order == 1 and not x.row for x in found)
                return v.beside(found) if columns else v.stacked(found)
            case Call(func):
                probable = func.id in self.names.densities or (self.names.densities and func.id in self.names.functions)
                handler = elaborated if probable else CALLS.get(func.id)
                if not probable and func.id in self.names.functions:
                    return self._own_function(tree, ints)
                if handler is None:
                    raise Unclear(f"{func.id!r} has no value here")
                return handler(self, tree, ints)
        raise Unclear("this is no value")

    def _own_function(self, tree: Call, ints: Ints) -> Value:
        """A function that the problem defines, written out."""
        function = self.names.functions[tree.func.id]
        if len(tree.args) != len(function.parameters):
            raise Unclear(f"{function.name} takes {len(function.parameters)} arguments")
        settings = dict(zip(function.parameters, tree.args, strict=True))
        values = {name: self.value(arg, ints) for name, arg in settings.items()}
        return self.inside(values).value(function.body, {})
