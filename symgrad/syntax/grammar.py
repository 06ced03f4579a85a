"""What a notation tells the parser: its operators, and what to say of foreign ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Infix:
    """How tightly an operator binds: to its left, and what its right operand may contain."""

    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Grammar:
    """The operators between operands, and hints for signs that the notation does not have."""

    infix: Mapping[str, Infix]
    hints: Mapping[str, str]
