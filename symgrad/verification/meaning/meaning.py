"""What a writer's expression is worth in a world, under a reading: one case for each kind of tree."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from symgrad.syntax.tree import Binary, Call, Compare, ListTree, Name, Number, Subscript, Transpose, Tree, Unary
from symgrad.verification.errors import Unclear
from symgrad.verification.meaning import values as v
from symgrad.verification.meaning.calls import CALLS
from symgrad.verification.meaning.elaboration import elaborated
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.naming import named, subscripted
from symgrad.verification.meaning.signs import binary, compared
from symgrad.verification.meaning.values import Value


@dataclass(eq=False)
class Meaning(Interpretation):
    """The values of trees in one world under one reading; each is found once."""

    _known: dict[tuple[int, tuple[tuple[str, int], ...]], tuple[Tree, Value]] = field(default_factory=dict, init=False)
    _quiet: bool = field(default=False, init=False)

    def value(self, tree: Tree, ints: Ints) -> Value:
        """The value of a tree; see ``Interpretation``."""
        if isinstance(tree, Number):
            return v.number(tree.value)
        key = (id(tree), tuple(sorted(ints.items())) if ints else ())
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
