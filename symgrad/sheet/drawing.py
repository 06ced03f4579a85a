"""Drawings: boxes with formulas and curved arrows between them, in points, y downwards; one layout for every format."""

from itertools import pairwise
from math import hypot
from typing import ClassVar, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from symgrad.notation.measure import width
from symgrad.notation.plain import plain
from symgrad.notation.tree import Tree

Point: TypeAlias = tuple[float, float]
Curve: TypeAlias = tuple[Point, Point, Point]
"""Two control points and an end."""

FONT_SIZE: Final = 10.0
NOTE_SIZE: Final = 7.0
HEAD_LENGTH: Final = 5.0
HEAD_WIDTH: Final = 3.6
_BESIDE: Final = 10.0
_LEAST_WIDTH: Final = 26.0
_HEIGHT: Final = 20.0
_NOTE_HEIGHT: Final = 12.0


class Box(Struct, frozen=True):
    """A node: its centre, its size, what stands in it."""

    x: float
    y: float
    width: float
    height: float
    label: Tree
    note: Tree | None
    kind: str

    @property
    def at(self) -> Point:
        """Its centre."""
        return self.x, self.y

    @property
    def label_y(self) -> float:
        """The middle of the label, above that of the note."""
        return self.y - (0.42 * _NOTE_HEIGHT if self.note is not None else 0.0)

    @property
    def note_y(self) -> float:
        """The middle of the note."""
        return self.y + 0.29 * self.height


class Arrow(Struct, frozen=True):
    """A curve that ends in a head; ``kind`` is forward, recurrent, skip or adjoint."""

    start: Point
    curves: tuple[Curve, ...]
    kind: str

    @property
    def head(self) -> tuple[Point, Point, Point]:
        """The triangle at the end."""
        (_, (cx, cy), (x, y)) = self.curves[-1]
        length = hypot(x - cx, y - cy) or 1.0
        ux, uy = (x - cx) / length, (y - cy) / length
        bx, by = x - HEAD_LENGTH * ux, y - HEAD_LENGTH * uy
        half = HEAD_WIDTH / 2
        return (x, y), (bx - half * uy, by + half * ux), (bx + half * uy, by - half * ux)

    @property
    def shaft(self) -> tuple[Curve, ...]:
        """The curve without the part that the head covers."""
        *front, (first, second, _) = self.curves
        _, left, right = self.head
        end = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
        return (*front, (first, second, end))


class Drawing(Struct, frozen=True):
    """A whole drawing; ``said`` describes it, a clause for each node, for those who do not see it."""

    kind: ClassVar[str] = "drawing"
    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    dots: tuple[Point, ...]
    title: str
    caption: tuple[str | Tree, ...]
    said: tuple[tuple[str | Tree, ...], ...]

    @property
    def description(self) -> str:
        """What is said, as plain text."""
        return "; ".join("".join(w if isinstance(w, str) else plain(w) for w in clause) for clause in self.said)


def box(label: Tree, note: Tree | None, kind: str) -> Box:
    """A box at the origin, as large as what stands in it."""
    inside = max(FONT_SIZE * width(label), NOTE_SIZE * 1.1 * width(note) if note is not None else 0.0)
    height = _HEIGHT + (_NOTE_HEIGHT if note is not None else 0.0)
    return Box(0.0, 0.0, max(inside + _BESIDE, _LEAST_WIDTH), height, label, note, kind)


def across(points: tuple[Point, ...], kind: str) -> Arrow:
    """An arrow through points, level where it meets them."""
    curves: list[Curve] = []
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        curves.append(((middle, y0), (middle, y1), (x1, y1)))
    return Arrow(points[0], tuple(curves), kind)


def upwards(points: tuple[Point, ...], kind: str) -> Arrow:
    """An arrow through points, upright where it meets them."""
    curves: list[Curve] = []
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        curves.append(((x0, middle), (x1, middle), (x1, y1)))
    return Arrow(points[0], tuple(curves), kind)


def backwards(arrow: Arrow, dx: float, dy: float) -> Arrow:
    """The arrow the other way round and to one side: the gradient that flows back."""
    ends = [arrow.start, *(c[2] for c in arrow.curves)]
    curves: list[Curve] = []
    for (a, b), (first, second, _) in reversed([*zip(pairwise(ends), arrow.curves, strict=True)]):
        # Where the curve is steep, only a shift across it keeps the two apart.
        steep = (b[1] - a[1]) * (b[0] - a[0])
        side = 0.0 if abs(steep) < 1.0 else -1.0 if steep > 0 else 1.0
        sx, sy = (side * dy, dy) if dy else (dx, side * dx)
        curves.append((_shift(second, sx, sy), _shift(first, sx, sy), _shift(a, dx, dy)))
    return Arrow(_shift(ends[-1], dx, dy), tuple(curves), "adjoint")


def _shift(p: Point, dx: float, dy: float) -> Point:
    return (p[0] + dx, p[1] + dy)


def scaled(drawing: Drawing, most_width: float) -> float:
    """By how much the drawing is made smaller to be no wider than this."""
    return min(1.0, most_width / drawing.width)


def placed(b: Box, x: float, y: float) -> Box:
    """The box with its centre there."""
    return replace(b, x=x, y=y)
