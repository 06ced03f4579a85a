"""What is judged: two sides, and what the text around them fixes."""

from __future__ import annotations

from msgspec import Struct

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Name, Subscript, Tree
from symgrad.verification.meaning.subscripts import entry_names
from symgrad.verification.meaning.supposing import Premise


class Equation(Struct, frozen=True):
    """left = right, with what the text around it fixes, and whether its writer works with plain numbers.

    ``premises`` are what the text supposes, ``rounded`` says that the sides are only close.
    """

    left: Tree
    right: Tree
    premises: tuple[Premise, ...] = ()
    rounded: bool = False
    scalars: bool = True


def by_entries(left: Tree, right: Tree) -> tuple[Tree, Tree] | None:
    """A_ij and a_i b_j for A = [a_i b_j]_ij, which says as much of an entry; None for any other equation."""
    if not isinstance(right, Subscript):
        return None
    names = entry_names(right)
    if not names or any(isinstance(x, Name) and x.id in names for x in walk(left)):
        return None
    return Subscript(left, right.items, place=left.place), right.base
