"""What is judged: two sides, and what the text around them fixes."""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.syntax.tree import Tree
from symgrad.verification.meaning.supposing import Premise


@dataclass(frozen=True, slots=True)
class Equation:
    """left = right, with what the text around it fixes, and whether its writer works with plain numbers.

    ``premises`` are what the text supposes, ``rounded`` says that the sides are only close.
    """

    left: Tree
    right: Tree
    premises: tuple[Premise, ...] = ()
    rounded: bool = False
    scalars: bool = True
