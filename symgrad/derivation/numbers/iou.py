"""Questions of kind iou: how boxes overlap with a reference box, exactly.

Source of GIoU: Rezatofighi et al., Generalized intersection over union, CVPR 2019.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import sympy
from msgspec import Struct

from symgrad.derivation import exact
from symgrad.derivation.numbers.fixed import Fixed, about, cell, fraction, quotient, square, times, total, vector
from symgrad.derivation.steps import Block, Check, Code, Line, Prose, Reason, Result, Table
from symgrad.errors import CertificationError, QuestionError
from symgrad.problem.forms import number
from symgrad.problem.model import Problem, Question
from symgrad.problem.yaml_tree import RawList, RawMap, RawNode, RawScalar
from symgrad.tensor import build as b
from symgrad.tensor.functions.construct import norm
from symgrad.tensor.nodes import Expr, Mul, Var
from symgrad.tensor.system import Definition, System

COLUMNS = {"iou": "IoU", "distance": "L2 distance", "giou": "GIoU"}


class Box(Struct, frozen=True):
    """The rectangle from corner (x1, y1) to the opposite corner (x2, y2)."""

    name: str
    x1: Fraction
    y1: Fraction
    x2: Fraction
    y2: Fraction

    @property
    def area(self) -> Fraction:
        """Width times height."""
        return (self.x2 - self.x1) * (self.y2 - self.y1)

    @property
    def corners(self) -> tuple[Fraction, Fraction, Fraction, Fraction]:
        """The four coordinates."""
        return self.x1, self.y1, self.x2, self.y2


class Overlap(Struct, frozen=True):
    """What a box and the reference have in common."""

    box: Box
    shared: Fraction
    union: Fraction
    hull: Fraction
    squares: Fraction

    @classmethod
    def of(cls, box: Box, other: Box) -> "Overlap":
        """The areas of intersection, union and common hull, and the squared distance of the coordinates."""
        width = max(Fraction(0), min(box.x2, other.x2) - max(box.x1, other.x1))
        height = max(Fraction(0), min(box.y2, other.y2) - max(box.y1, other.y1))
        hull = (max(box.x2, other.x2) - min(box.x1, other.x1)) * (max(box.y2, other.y2) - min(box.y1, other.y1))
        squares = sum(((p - q) ** 2 for p, q in zip(box.corners, other.corners, strict=True)), Fraction(0))
        return cls(box, width * height, box.area + other.area - width * height, hull, squares)

    def value(self, column: str) -> Any:
        """The number in a column: a Fraction, or SymPy's root."""
        if column == "distance":
            root = sympy.sqrt(sympy.Rational(self.squares.numerator, self.squares.denominator))
            return exact.plain(root)
        iou = self.shared / self.union
        return iou if column == "iou" else iou - (self.hull - self.union) / self.hull


def solve(problem: Problem, question: Question) -> tuple[Result, ...]:
    """A line for each number of each box, and the table of them.

    ``exact`` holds the first column; ``extra["table"]`` a record for each box.

    Raises:
        QuestionError: a box is no rectangle, the reference is none of the boxes, or neither of two has an area.
    """
    boxes, reference = given(question)
    chosen = columns(question)
    overlaps = [Overlap.of(box, reference) for box in boxes]
    for o in overlaps:
        if not o.union and set(chosen) != {"distance"}:
            message = f"neither {o.box.name} nor {reference.name} has an area: their IoU is 0/0, which is undefined"
            raise QuestionError(message, question.place)
    run = Fixed.of(d for o in overlaps for d in _definitions(o, reference))
    blocks: list[Block] = []
    for o in overlaps:
        blocks.append(Prose((*_heading(o.box, reference), ":")))
        blocks += [line for column in chosen for line in _lines(run, o, reference, column)]
    for o in overlaps:
        _counted(o, reference)
    header = ("box", *(COLUMNS[c] for c in chosen))
    cells: list[tuple[str | Expr, ...]] = [
        (_word(o.box.name), *(_in_table(o.value(c)) for c in chosen)) for o in overlaps
    ]
    blocks.append(Table(header, tuple(cells)))
    values = [o.value(chosen[0]) for o in overlaps]
    table = [{"box": o.box.name, **{c: o.value(c) for c in chosen}} for o in overlaps]
    system = System(tuple(d for o in overlaps for d in _definitions(o, reference)))
    computed = b.stack(*(_node(chosen[0], o.box) for o in overlaps))
    checks = (*run.checks, Check("exact", 0.0, 0))
    return (
        Result(
            chosen[0],
            None,
            None,
            None,
            (len(boxes),),
            tuple(blocks),
            checks,
            exact=values,
            extra={"table": table},
            code=Code(system, computed),
        ),
    )


# What is given


def given(question: Question) -> tuple[tuple[Box, ...], Box]:
    """The boxes that are compared, and the reference."""
    node, other = question.fields.get("boxes"), question.raw.get("reference")
    named = {k.text: _box(k.text, v, question) for k, v in node.entries} if isinstance(node, RawMap) else {}
    if isinstance(other, RawList):
        reference = _box("reference", other, question)
    else:
        name = other.text.strip() if isinstance(other, RawScalar) else ""
        if name not in named:
            raise QuestionError(f"the reference {name!r} is none of the boxes {', '.join(named)}", question.place)
        reference = named.pop(name)
    if not named:
        raise QuestionError("there is no box to compare with the reference", question.place)
    return tuple(named.values()), reference


def columns(question: Question) -> list[str]:
    """What is computed of each box; the IoU where nothing is said."""
    return list(dict.fromkeys(_words(question.fields.get("columns")))) or ["iou"]


def _box(name: str, node: RawNode, question: Question) -> Box:
    items = node.items if isinstance(node, RawList) else ()
    found = [number(x) for x in items if isinstance(x, RawScalar)]
    if len(found) != 4:
        raise QuestionError(f"box {name} needs four numbers [x1, y1, x2, y2]", node.place)
    box = Box(name, *found)
    if box.x1 > box.x2 or box.y1 > box.y2:
        raise QuestionError(f"box {name} is turned round: x1 <= x2 and y1 <= y2 are needed", node.place)
    return box


def _words(value: object) -> list[str]:
    if isinstance(value, RawList):
        return [x.text for x in value.items if isinstance(x, RawScalar)]
    return [value] if isinstance(value, str) and value else []


# Formulas


def _node(column: str, box: Box) -> Var:
    return Var(f"{_NAMES[column]}_{box.name}", (), ())


_NAMES = {"iou": "IoU", "distance": "d", "giou": "GIoU"}


def _definitions(o: Overlap, reference: Box) -> list[Definition]:
    """The three numbers from the coordinates alone, in arrays."""
    p, t = vector(o.box.corners), vector(reference.corners)

    def side(low: int, high: int, inner: bool) -> Expr:
        first, last = ("max", "min") if inner else ("min", "max")
        ends = [b.apply(f, b.at(p, k), b.at(t, k)) for f, k in ((last, high), (first, low))]
        length = b.sub(*ends)
        return b.apply("max", b.ZERO, length) if inner else length

    shared = b.mul(side(1, 3, True), side(2, 4, True))
    hull = b.mul(side(1, 3, False), side(2, 4, False))
    areas = [b.mul(b.sub(b.at(x, 3), b.at(x, 1)), b.sub(b.at(x, 4), b.at(x, 2))) for x in (p, t)]
    union = b.sub(b.add(*areas), shared)
    iou = b.div(shared, union)
    values = {
        "iou": iou,
        "giou": b.sub(iou, b.div(b.sub(hull, union), hull)),
        "distance": norm(b.sub(p, t)),
    }
    return [Definition(_node(c, o.box).name, (), v) for c, v in values.items()]


def _lines(run: Fixed, o: Overlap, reference: Box, column: str) -> list[Line]:
    left = _node(column, o.box)
    value = o.value(column)
    number = _cell(value)
    if column == "distance":
        pairs = zip(o.box.corners, reference.corners, strict=True)
        squares = total(*(square(p - q) for p, q in pairs if p != q))
        return [run.line(left, b.apply("sqrt", squares), number, rule="distance", boxed=True)]
    if column == "giou":
        waste = quotient(total(o.hull, -o.union), o.hull)
        reason = ("the common hull has area ", b.num(o.hull))
        minus = Mul((b.MINUS_ONE, waste), ())
        value_line = total(fraction(o.value("iou")), minus)
        return [run.line(left, value_line, number, reason=reason, rule="GIoU", boxed=True)]
    union = total(o.box.area, reference.area, -o.shared) if o.shared else total(o.box.area, reference.area)
    whole = quotient(_intersection(o, reference), union)
    plain = quotient(o.shared, o.union)
    first = run.line(left, whole, plain, reason=("intersection over union",), rule="IoU")
    return [first, run.line(left, number, reason=about(value), rule="IoU", boxed=True)]


def _intersection(o: Overlap, reference: Box) -> Expr:
    """Width times height of what both boxes cover."""
    p, t = o.box, reference
    width, height = min(p.x2, t.x2) - max(p.x1, t.x1), min(p.y2, t.y2) - max(p.y1, t.y1)
    if not o.shared or width.denominator > 1 or height.denominator > 1:
        return fraction(o.shared)
    return times(width, height)


def _heading(box: Box, reference: Box) -> Reason:
    def corners(x: Box) -> str:
        return f"from ({x.x1}, {x.y1}) to ({x.x2}, {x.y2})"

    flat = [x for x in (box, reference) if not x.area]
    words: Reason = (f"; they share {_shared(box, reference)}",)
    if flat:
        words = ("; ", _word(flat[0].name), " has no area, so they share none")
    elif not Overlap.of(box, reference).shared:
        words = ("; they do not meet",)
    return (
        "Box ",
        _word(box.name),
        f", {corners(box)}, and ",
        _word(reference.name),
        f", {corners(reference)}",
        *words,
    )


def _word(name: str) -> str | Expr:
    """A letter is set as one."""
    return Var(name, (), ()) if len(name) == 1 else name


def _shared(p: Box, t: Box) -> str:
    return f"the rectangle from ({max(p.x1, t.x1)}, {max(p.y1, t.y1)}) to ({min(p.x2, t.x2)}, {min(p.y2, t.y2)})"


def _cell(value: Any) -> Expr:
    return exact.number(value) if isinstance(value, sympy.Basic) else fraction(value)


def _in_table(value: Any) -> str | Expr:
    return _cell(value) if isinstance(value, sympy.Basic) else cell(value)


def _counted(o: Overlap, reference: Box) -> None:
    """The areas once more, as sums over the cells of the grid that all coordinates make.

    Raises:
        CertificationError: they differ.
    """
    xs: Sequence[Fraction] = sorted({o.box.x1, o.box.x2, reference.x1, reference.x2})
    ys: Sequence[Fraction] = sorted({o.box.y1, o.box.y2, reference.y1, reference.y2})
    both = either = Fraction(0)
    for left, right in pairwise(xs):
        for low, high in pairwise(ys):
            inside = [x.x1 <= left < x.x2 and x.y1 <= low < x.y2 for x in (o.box, reference)]
            both += (right - left) * (high - low) * all(inside)
            either += (right - left) * (high - low) * any(inside)
    if (both, either) != (o.shared, o.union):
        raise CertificationError("the areas, counted cell by cell, differ; this is a fault of symgrad")
