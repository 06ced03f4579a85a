r"""Numbers as far as they are written out: 0.753, 4.98 \cdot 10^{-2}, vectors and matrices of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import numpy as np
from msgspec import Struct

from symgrad.syntax.tree import Binary, Call, ListTree, Number, Transpose, Tree, Unary
from symgrad.tensor.stable import Array

_TIMES: Final = ("×", "·", "*")
_LARGEST: Final = 300


class Shown(Struct, frozen=True):
    """A number with the place value of its last digit."""

    value: Fraction
    unit: Fraction

    @property
    def decimals(self) -> bool:
        """Whether digits stand behind the point."""
        return self.unit < 1

    def stands_for(self, x: float) -> bool:
        """Whether a value is rounded, or cut off, to this number."""
        shown, unit = float(self.value), float(self.unit)
        gap = abs(x - shown)
        return gap <= unit / 2 * (1 + 1e-9) or (gap < unit * (1 - 1e-9) and abs(x) >= abs(shown))


def shown(tree: Tree) -> Shown | None:
    """The number that a tree writes out; None for any other tree."""
    match tree:
        case Number(value, spelling):
            return Shown(value, Fraction(1, 10 ** len(spelling.partition(".")[2])))
        case Unary(op, operand) if (inner := shown(operand)) is not None:
            return Shown(-inner.value, inner.unit) if op == "-" else inner
        case Binary(sign, left, Binary("^", Number(base, _), power)) if sign in _TIMES and base == 10:
            front, exponent = shown(left), shown(power)
            if front is None or exponent is None or exponent.value.denominator != 1 or abs(exponent.value) > _LARGEST:
                return None
            scale = Fraction(10) ** int(exponent.value)
            return Shown(front.value * scale, front.unit * scale)
    return None


class ShownArray(Struct, frozen=True):
    """An array of numbers written out, row by row."""

    shape: tuple[int, ...]
    entries: tuple[Shown, ...]

    def stands_for(self, values: Array) -> bool:
        """Whether an array is rounded to this one, entry by entry."""
        flat = np.asarray(values, dtype=float).reshape(-1)
        return all(entry.stands_for(float(x)) for entry, x in zip(self.entries, flat, strict=True))

    @property
    def decimals(self) -> bool:
        """Whether digits stand behind a point anywhere."""
        return any(entry.decimals for entry in self.entries)


def shown_array(tree: Tree) -> ShownArray | None:
    """The number, vector or matrix that a tree writes out; None for any other tree."""
    match tree:
        case Transpose(operand):
            inner = shown_array(operand)
            return inner if inner is not None and len(inner.shape) == 1 else None
        case ListTree(items):
            return _array((len(items),), items)
        case Call(func, rows, ()) if func.id == "matrix" and all(isinstance(row, ListTree) for row in rows):
            cells = list(_cells(rows))
            wide = len(cells) // len(rows)
            shape = (len(cells),) if 1 in (wide, len(rows)) else (len(rows), wide)
            return _array(shape, cells)
    single = shown(tree)
    return None if single is None else ShownArray((), (single,))


def _cells(rows: tuple[Tree, ...]) -> Iterator[Tree]:
    for row in rows:
        if isinstance(row, ListTree):
            yield from row.items


def _array(shape: tuple[int, ...], cells: tuple[Tree, ...] | list[Tree]) -> ShownArray | None:
    found = [x for cell in cells if (x := shown(cell)) is not None]
    return ShownArray(shape, tuple(found)) if len(found) == len(cells) else None
