"""What is judged: two sides, and what the text around them fixes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from symgrad.syntax.tree import Tree


@dataclass(frozen=True, slots=True)
class Equation:
    """left = right, with what the text around it fixes, and whether its writer works with plain numbers.

    ``settings`` are numbers that the text gives to inputs, ``rounded`` says that the sides are only close.
    """

    left: Tree
    right: Tree
    settings: Mapping[str, Fraction] | None = None
    rounded: bool = False
    scalars: bool = True
