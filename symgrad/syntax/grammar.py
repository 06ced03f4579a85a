"""What a notation tells the parser: its operators, and what to say of foreign ones."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Infix(Struct, frozen=True):
    """How tightly an operator binds: to its left, and what its right operand may contain."""

    left: int
    right: int


class Grammar(Struct, frozen=True):
    """The operators between operands, and hints for signs that the notation does not have."""

    infix: Mapping[str, Infix]
    hints: Mapping[str, str]
