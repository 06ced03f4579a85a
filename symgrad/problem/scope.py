"""What is known where an expression stands: the names of the problem, bound indices, arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, ParamSpec, TypeVar

import sympy
from msgspec import Struct, field
from msgspec.structs import replace

from symgrad.errors import ProblemError, near
from symgrad.problem.names import Broken, Names
from symgrad.source import Place
from symgrad.syntax.tree import Name, Tree
from symgrad.tensor.integers import Int
from symgrad.tensor.nodes import Expr, Rel
from symgrad.tensor.shapes import ShapeError

P = ParamSpec("P")
T = TypeVar("T")


WORDS: Final = frozenset({"pi", "inf", "fro"})
"""Words that need no declaration: the number π, and the orders of a norm."""


class Scope(Struct, frozen=True):
    """The surroundings of an expression.

    Attributes:
        read: How an expression is read in a scope.
        bound: Index symbols of ranges around it, and the open indices of a question.
        local: Arguments of the function whose body this is.
        calling: The functions whose bodies are being read.
        target: The name that is being defined, if any.
        given: Relations of indices that are taken for granted.
        unsized: The size of I, 1 and e_i where they have none of their own.
        results: The results of other questions, by id and part: `first.at`.
    """

    names: Names
    read: Callable[[Tree, Scope], Expr]
    bound: Mapping[str, sympy.Symbol] = field(default_factory=dict)
    local: Mapping[str, Expr] = field(default_factory=dict)
    calling: tuple[str, ...] = ()
    target: str | None = None
    given: tuple[Rel, ...] = ()
    unsized: Int | None = None
    results: Mapping[tuple[str, str], Expr] = field(default_factory=dict)

    def expr(self, tree: Tree) -> Expr:
        """The expression a tree stands for here."""
        return self.read(tree, self)

    def binding(self, bound: Mapping[str, sympy.Symbol]) -> Scope:
        """The scope inside ranges."""
        hidden = {name: value for name, value in self.local.items() if name not in bound}
        return replace(self, bound={**self.bound, **bound}, local=hidden)

    def inside(self, function: str, local: Mapping[str, Expr]) -> Scope:
        """The scope of a function's body, which sees its arguments and the names of the problem."""
        return replace(self, bound={}, local=local, calling=(*self.calling, function))

    def index(self, name: str) -> sympy.Symbol | None:
        """The integer symbol of a size, step or index; None if the name is something else."""
        if name in self.local:
            return None
        if name in self.bound:
            return self.bound[name]
        return self.names.sizes.get(name) or self.names.indices.get(name)

    def unknown(self, name: Name) -> ProblemError:
        """The complaint about a name that is not known."""
        if name.id in self.names.broken:
            raise Broken(name.id)
        known = [*self.names.values(), *self.bound, *self.local]
        return ProblemError(f"{name.id!r} is neither declared nor defined", name.place, near(name.id, known))


def made(place: Place, constructor: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """The node a constructor makes; a shape that does not fit is an error at the place.

    Raises:
        ProblemError: the operands do not fit.
    """
    try:
        return constructor(*args, **named)
    except ShapeError as error:
        raise ProblemError(str(error), place) from None
