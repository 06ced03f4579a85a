"""Charts: curves and contour lines with their axes named, drawn by matplotlib or, in TeX, by pgfplots."""

from __future__ import annotations

import math
from typing import ClassVar, Final

from msgspec import Struct

from symgrad.derivation.steps import Curve
from symgrad.notation.plain import plain
from symgrad.notation.tree import Infix, Number, Tree

Words = tuple["str | Tree", ...]
_SHOWN: Final = 6


class Chart(Struct, frozen=True):
    """A plot whose axes are named.

    Attributes:
        across: The name of the horizontal axis.
        up: The name of what is shown.
        by: The name of what differs from curve to curve.
        caption: What stands below it.
        description: The same for those who do not see it, with some of its values.
    """

    kind: ClassVar[str] = "chart"
    across: Words
    up: Words
    by: Words
    curves: tuple[Curve, ...]
    contours: bool
    logarithmic: bool
    caption: Words
    description: str

    def label(self, curve: Curve) -> Words:
        """What a curve is called; nothing where there is only one."""
        if curve.at is None or not self.by:
            return ()
        (name,) = self.by
        assert isinstance(name, Tree)
        value: Words = (Infix((name, Number(f"{curve.at:g}")), ("=",)),)
        return (*value, ": bound") if curve.bound else value


def text(words: Words) -> str:
    """Words as plain text."""
    return "".join(w if isinstance(w, str) else plain(w) for w in words)


def samples(curve: Curve) -> list[tuple[float, float]]:
    """Some points of a curve, evenly chosen."""
    count = min(_SHOWN, len(curve.x))
    places = [round(k * (len(curve.x) - 1) / max(count - 1, 1)) for k in range(count)]
    return [(curve.x[k], curve.y[k]) for k in places]


def some(curves: tuple[Curve, ...]) -> list[Curve]:
    """Some curves, evenly chosen."""
    step = max(1, math.ceil(len(curves) / _SHOWN))
    return list(curves[::step])


def table(made: Chart) -> tuple[list[Words], list[list[Words]]]:
    """The header and the rows of a table with some of the values, for formats without pictures."""
    curves = some(made.curves)
    header: list[Words] = [made.across, *(made.label(c) or made.up for c in curves)]
    columns = [samples(c) for c in curves]
    rows: list[list[Words]] = [
        [(f"{x:.3g}",), *((f"{column[k][1]:.3g}",) for column in columns)] for k, (x, _) in enumerate(columns[0])
    ]
    return header, rows
