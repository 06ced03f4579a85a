"""Equations laid out as rows: one below the other, broken where they are long, with the reasons in a column."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from symgrad.notation.breaking import block, fit
from symgrad.notation.measure import width
from symgrad.notation.tree import Aligned, Boxed, Infix, Line, Oper, Row, Space, Text, Tree
from symgrad.sheet.document import Words
from symgrad.sheet.words import as_tree, joined

TEXT_WIDTH: Final = 40.4
"""What a line of the sheet holds, in em: A4 at 11 points, without the indentation of formulas; letter is wider."""

_GAP: Final = 2.0
_REASON_WIDTHS: Final = (12.0, 15.0, 18.0)
_REASON_SCALE: Final = 0.9
_LONGEST_LEFT: Final = 11.0
_LEAST_ROOM: Final = 15.0
_WITH_ASIDE: Final = 22.0
_NARROWEST: Final = 6.0
_COST_OF_A_DISPLAY: Final = 2
_COST_OF_TOO_WIDE: Final = 1000
_INDENT: Final = 0.5
_SPACE_GAP: Final = 1.3
_SIDES_IN_A_ROW: Final = 3
_NOTHING: Final = Row(())


@dataclass(frozen=True, slots=True)
class Equation:
    """left = rights[0] = rights[1] = … before it is laid out.

    Attributes:
        left: The left side; None in a line that continues.
        rights: The right sides.
        reason: Why, in words.
        where: For which indices.
        boxed: Whether the last right side is a result.
        space: The space that a boxed result lies in.
        asides: Further equations that explain a name, set behind this one where there is room.
        relation: The sign between the sides.
    """

    left: Tree | None
    rights: tuple[Tree, ...]
    reason: Words = ()
    where: Tree | None = None
    boxed: bool = False
    space: Tree | None = None
    asides: tuple["Equation", ...] = ()
    relation: str = "="


def displays(equations: Sequence[Equation], text_width: float = TEXT_WIDTH) -> tuple[Aligned, ...]:
    """The equations in one display; a long result at the end stands by itself, where it has the whole width."""
    together = aligned(equations, text_width)
    *before, last = equations
    if not before or not last.boxed or last.left is None:
        return (together,)
    apart = (aligned(before, text_width), aligned([last], text_width))
    costs = [_cost(together.lines), sum(_cost(x.lines) for x in apart) + _COST_OF_A_DISPLAY]
    return (together,) if costs[0] <= costs[1] else apart


def aligned(equations: Sequence[Equation], text_width: float = TEXT_WIDTH) -> Aligned:
    """The equations in rows; of the widths for the reasons, the one that takes the fewest rows."""
    lefts = [w for e in equations if e.left and (w := width(e.left)) <= _LONGEST_LEFT]
    room = text_width - max(lefts, default=0.0) - 1.4
    longest = max((_REASON_SCALE * width(as_tree(e.reason)) for e in equations if e.reason), default=0.0)
    if not longest:
        return Aligned(tuple(r for e in equations for r in _rows(e, room, None)))
    widths = [w for w in _REASON_WIDTHS if w < longest and room - w - _GAP >= _LEAST_ROOM]
    if room - longest - _GAP >= _LEAST_ROOM and longest <= _REASON_WIDTHS[-1]:
        widths.append(longest)
    choices: list[list[Line]] = [
        [r for e in equations for r in _rows(e, room - w - _GAP, w + 0.2)] for w in sorted(widths)
    ]
    below = [r for e in equations for r in _below(e, room)]
    costs = [_cost(rows, room - w - _GAP) for rows, w in zip(choices, sorted(widths), strict=True)]
    costs.append(_cost(below, room))
    return Aligned(tuple((*choices, below)[costs.index(min(costs))]))


def _cost(rows: Sequence[Line], room: float = inf) -> int:
    """Twice the number of rows; a broken result is worse, a reason on two lines better than another row.

    Nothing is worse than a row that nothing could break and that is wider than the room for it.
    """
    too_wide = sum(width(r.right) > room + _INDENT for r in rows)
    reasons = sum(len(r.reason.lines) - 1 for r in rows if isinstance(r.reason, Aligned))
    broken = sum(n for r in rows for n in _boxed_lines(r.right))
    return _COST_OF_TOO_WIDE * too_wide + 2 * len(rows) + 4 * broken + reasons


def _boxed_lines(tree: Tree) -> Iterator[int]:
    match tree:
        case Boxed(body=Aligned(lines=lines)):
            yield len(lines)
        case Row(items=items) | Infix(items=items):
            for item in items:
                yield from _boxed_lines(item)


def _rows(e: Equation, room: float, reason_width: float | None) -> list[Line]:
    """The rows of one equation, its reason beside the first."""
    rows = _body(e, room)
    if reason_width is None or not e.reason:
        return rows
    first = next((k for k, r in enumerate(rows) if r.right != _NOTHING), 0)
    trees = [as_tree(words) for words in balanced(e.reason, reason_width)]
    reason = trees[0] if len(trees) == 1 else Aligned(tuple(Line(None, "", t) for t in trees))
    rows[first] = replace(rows[first], reason=reason)
    return rows


def _below(e: Equation, room: float) -> list[Line]:
    """The rows of one equation, its reason under them in brackets."""
    rows = _body(e, room)
    reason: Words = ("(", *e.reason, ")") if e.reason else ()
    return [*rows, *(Line(None, "", Row((Space("quad"), as_tree(w)))) for w in wrapped(reason, room - 1.0))]


def _body(e: Equation, room: float) -> list[Line]:
    """The rows of one equation without its reason; names are explained behind it where there is room."""
    head: list[Line] = []
    left = e.left
    if left is not None and width(left) > _LONGEST_LEFT:
        head.append(Line(None, "", left))
        left = None
    whole = _row((_whole(e), *_where(e)))
    short = len(e.rights) <= _SIDES_IN_A_ROW and width(whole) <= room
    if short and e.asides and e.where is None:
        beside = _row((whole, Oper("comma"), Space("quad"), _stated(e.asides[0])))
        if width(beside) <= min(room, _WITH_ASIDE):
            below = (r for a in e.asides[1:] for r in _body(a, room))
            return [*head, Line(left, e.relation, beside), *below]
    rows = [Line(left, e.relation, whole)] if short else _broken(e, left, room)
    return [*head, *rows, *(r for a in e.asides for r in _body(a, room))]


def _broken(e: Equation, left: Tree | None, room: float) -> list[Line]:
    """Every right side on rows of its own, the long ones on several."""
    rows: list[Line] = []
    for k, right in enumerate(e.rights):
        last = k == len(e.rights) - 1
        parts = [*_boxed_parts(e, room)] if last and e.boxed else [*fit(right, room)]
        if last and e.where is not None:
            if width(parts[-1]) + width(_row(_where(e))) <= room:
                parts[-1] = _row((parts[-1], *_where(e)))
            else:
                parts.append(_row(_where(e)[1:]))
        rows += [Line(None if k or n else left, None if n else e.relation, part) for n, part in enumerate(parts)]
    return rows


def _boxed_parts(e: Equation, room: float) -> tuple[Tree, ...]:
    space = 0.0 if e.space is None else width(e.space) + _SPACE_GAP
    lines = fit(e.rights[-1], room - space - 0.8)
    box = Boxed(lines[0] if len(lines) == 1 else block(lines))
    return (box if e.space is None else Infix((box, e.space), ("in",)),)


def _whole(e: Equation) -> Tree:
    sides = list(e.rights)
    ops = [e.relation] * (len(sides) - 1)
    if e.boxed:
        sides[-1] = Boxed(sides[-1])
        if e.space is not None:
            sides.append(e.space)
            ops.append("in")
    return sides[0] if len(sides) == 1 else Infix(tuple(sides), tuple(ops))


def _stated(e: Equation) -> Tree:
    sides = e.rights if e.left is None else (e.left, *e.rights)
    return Infix(sides, (e.relation,) * (len(sides) - 1))


def _where(e: Equation) -> tuple[Tree, ...]:
    return () if e.where is None else (Space("quad"), Text("for "), e.where)


def _row(items: Sequence[Tree]) -> Tree:
    return items[0] if len(items) == 1 else Row(tuple(items))


def balanced(words: Words, most: float) -> list[Words]:
    """The words in as few lines as ``wrapped`` needs, all about as long."""
    pieces = _measured(words)
    lines = _filled(pieces, most)
    while most > _NARROWEST and len(narrower := _filled(pieces, most - 1.0)) == len(lines):
        lines, most = narrower, most - 1.0
    return [joined(line) for line in lines]


def wrapped(words: Words, most: float) -> list[Words]:
    """The words in lines of at most this width."""
    return [joined(line) for line in _filled(_measured(words), most)]


def _measured(words: Words) -> list[tuple[str | Tree, bool, float]]:
    """The pieces between which a line may end, with their widths in the size of reasons."""
    return [
        (piece, glued, _REASON_SCALE * width(Text(piece) if isinstance(piece, str) else piece))
        for piece, glued in _breakable(words)
    ]


def _filled(pieces: Sequence[tuple[str | Tree, bool, float]], most: float) -> list[list[str | Tree]]:
    """Each line takes what it has room for."""
    lines: list[list[str | Tree]] = []
    used = 0.0
    for piece, glued, w in pieces:
        if (used + w > most and not glued) or not lines:
            lines.append([])
            used = 0.0
            if isinstance(piece, str):
                piece = piece.lstrip()
        lines[-1].append(piece)
        used += w
    return lines


def _breakable(words: Words) -> Iterator[tuple[str | Tree, bool]]:
    """Pieces between which a line may end, each with whether it must stay with the piece before it."""
    glued = False
    for piece in words:
        if isinstance(piece, Tree):
            yield piece, glued
            glued = True
            continue
        for k, word in enumerate(piece.split(" ")):
            if k:
                glued = False
            if word or k:
                yield (" " if k else "") + word, glued
                glued = bool(word)
