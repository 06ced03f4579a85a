"""Equations laid out as rows: one below the other, broken where they are long, with the reasons in a column."""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from math import inf
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from symgrad.notation.breaking import block, fit
from symgrad.notation.measure import width
from symgrad.notation.tree import Aligned, Boxed, Delim, Infix, Line, Oper, Row, Space, Text, Tree, parts
from symgrad.sheet.document import Words
from symgrad.sheet.words import as_tree, in_one, joined


class Page(Struct, frozen=True):
    """What the lines of a page hold.

    Attributes:
        width: In em, without the indentation of formulas.
        wraps: Whether a reason beside an equation may take several lines; a longer one stands below it otherwise.
    """

    width: float
    wraps: bool = True


PRINTED: Final = Page(40.4)
"""A4 at 11 points; letter is wider."""
SCREEN: Final = Page(48.0, wraps=False)
"""A page of Markdown as it is shown in a browser, where only displays of one line of words align well."""

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
_A_NAME: Final = 4.0
_NOTHING: Final = Row(())


class Equation(Struct, frozen=True):
    """left = rights[0] = rights[1] = … before it is laid out.

    Attributes:
        left: The left side; None in a line that continues.
        rights: The right sides.
        reason: Why, in words.
        where: For which indices, a range or condition each.
        boxed: Whether the last right side is a result.
        behind: What a boxed result lies in or is about, each with its relation: ∈ ℝⁿ, ≈ 0.753.
        asides: Further equations that explain a name, set behind this one where there is room, else above it.
        relation: The sign between the sides.
        continues: The left side of the line that this one continues.
    """

    left: Tree | None
    rights: tuple[Tree, ...]
    reason: Words = ()
    where: tuple[Tree, ...] = ()
    boxed: bool = False
    behind: tuple[tuple[str, Tree], ...] = ()
    asides: tuple["Equation", ...] = ()
    relation: str = "="
    continues: Tree | None = None


def apart(equations: Sequence[Equation]) -> tuple[tuple[Tree, ...], list[Equation]]:
    """The ranges that most equations name, to be said once, and the equations without them.

    Those of i and j that are the same, as in ∂p_i/∂x_j, stay together.
    """
    named: dict[Tree, list[Tree]] = {}
    for tree in (x for e in equations for x in e.where):
        named.setdefault(_sides(tree)[0], []).append(tree)
    pairs = {
        tree for e in equations for tree in e.where if [_sides(x)[1:] for x in e.where].count(_sides(tree)[1:]) > 1
    }
    usual = (max(set(same), key=same.count) for same in named.values())
    shared = tuple(x for x in usual if x not in pairs and _is_usual(x, named[_sides(x)[0]]))
    return shared, [replace(e, where=tuple(x for x in e.where if x not in shared)) for e in equations]


def stated(shared: Sequence[Tree], equations: Sequence[Equation]) -> Words:
    """The ranges said once, and whether some of the equations below have another one."""
    indices = {_sides(x)[0] for x in shared}
    otherwise = any(_sides(x)[0] in indices for e in equations for x in e.where)
    return joined([*in_one(shared), ", where nothing else is said" if otherwise else ""])


def _is_usual(range_: Tree, named: Sequence[Tree]) -> bool:
    """Whether a range is said of an index several times, and far more often than others are."""
    return named.count(range_) == len(named) > 1 or named.count(range_) > max(2, 2 * (len(named) - named.count(range_)))


def _sides(range_: Tree) -> tuple[Tree, ...]:
    """The index and what it runs over."""
    return range_.items if isinstance(range_, Infix) else (range_,)


def displays(equations: Sequence[Equation], page: Page = PRINTED) -> tuple[Aligned, ...]:
    """The equations in one display; a long result at the end stands by itself, where it has the whole width."""
    together = aligned(equations, page)
    *before, last = equations
    if not before or not last.boxed or last.left is None:
        return (together,)
    apart = (aligned(before, page), aligned([last], page))
    costs = [_cost(together.lines), sum(_cost(x.lines) for x in apart) + _COST_OF_A_DISPLAY]
    return (together,) if costs[0] <= costs[1] else apart


def aligned(equations: Sequence[Equation], page: Page = PRINTED) -> Aligned:
    """The equations in rows; of the widths for the reasons, the one that takes the fewest rows."""
    lefts = [w for e in equations if e.left and (w := width(e.left)) <= _LONGEST_LEFT]
    room = page.width - max(lefts, default=0.0) - 1.4
    reasons = {_REASON_SCALE * width(as_tree(e.reason)) for e in equations if e.reason}
    below = [r for e in equations for r in _below(e, room)]
    choices = [(_cost(below, room), below)]
    for w in reversed(_reason_widths(reasons, room, page)):
        left = room - w - _GAP
        rows = [
            r
            for e in equations
            for r in (_rows(e, left, w + 0.2) if page.wraps else _beside_or_below(e, left, w + 0.2))
        ]
        choices.insert(0, (_cost(rows, left), rows))
    return Aligned(tuple(min(choices, key=lambda c: c[0])[1]))


def _reason_widths(reasons: Collection[float], room: float, page: Page) -> list[float]:
    """The widths that the column of reasons may have, narrow ones first."""
    longest = max(reasons, default=0.0)
    if not page.wraps:
        return sorted(w for w in reasons if room - w - _GAP >= _LEAST_ROOM)
    widths = [w for w in _REASON_WIDTHS if w < longest and room - w - _GAP >= _LEAST_ROOM]
    if reasons and room - longest - _GAP >= _LEAST_ROOM and longest <= _REASON_WIDTHS[-1]:
        widths.append(longest)
    return sorted(widths)


def _cost(rows: Sequence[Line], room: float = inf) -> int:
    """Twice the number of rows; a broken line, bracket or result is worse, a reason on two lines better than a row.

    Nothing is worse than a row that nothing could break and that is wider than the room for it.
    """
    too_wide = sum(width(r.right) > room + _INDENT for r in rows)
    reasons = sum(len(r.reason.lines) - 1 for r in rows if isinstance(r.reason, Aligned))
    broken = sum(n for r in rows for n in _boxed_lines(r.right))
    continued = sum(r.relation is None for r in rows)
    cut = sum(_cut_brackets(r.right) for r in rows)
    return _COST_OF_TOO_WIDE * too_wide + 2 * len(rows) + continued + 2 * cut + 4 * broken + reasons


@lru_cache(maxsize=16_384)
def _cut_brackets(tree: Tree) -> int:
    """The brackets that a break parts from their partners."""
    return isinstance(tree, Delim) + sum(_cut_brackets(x) for x in parts(tree))


def _boxed_lines(tree: Tree) -> Iterator[int]:
    match tree:
        case Boxed(body=Aligned(lines=lines)):
            yield len(lines)
        case Row(items=items) | Infix(items=items):
            for item in items:
                yield from _boxed_lines(item)


def _rows(e: Equation, room: float, reason_width: float) -> list[Line]:
    """The rows of one equation, its reason beside the first."""
    above, rows = _body(e, room)
    if not e.reason:
        return [*above, *rows]
    first = next((k for k, r in enumerate(rows) if r.right != _NOTHING), 0)
    trees = [as_tree(words) for words in balanced(e.reason, reason_width)]
    reason = trees[0] if len(trees) == 1 else Aligned(tuple(Line(None, "", t) for t in trees))
    rows[first] = rows[first].replaced(reason=reason)
    return [*above, *rows]


def _beside_or_below(e: Equation, room: float, reason_width: float) -> list[Line]:
    """The rows of one equation, its reason beside the first where it fits on one line there."""
    fits = len(wrapped(e.reason, reason_width)) <= 1
    return _rows(e, room, reason_width) if fits else _below(e, room)


def _below(e: Equation, room: float) -> list[Line]:
    """The rows of one equation, its reason under them in brackets."""
    above, rows = _body(e, room)
    reason: Words = ("(", *e.reason, ")") if e.reason else ()
    return [
        *above,
        *rows,
        *(Line(None, "", Row((Space("quad"), as_tree(w)))) for w in balanced(reason, _REASON_SCALE * (room - 1.0))),
    ]


def _body(e: Equation, room: float) -> tuple[list[Line], list[Line]]:
    """The rows of one equation without its reason, and above them the names that are not explained behind it."""
    whole = _row((_whole(e), *_where(e)))
    names = all(width(x) <= _A_NAME for x in e.rights)
    short = (names or len(e.rights) <= _SIDES_IN_A_ROW) and width(whole) <= room
    asides, left = list(e.asides), e.left
    if short and asides and not e.where:
        beside = _row((whole, Oper("comma"), Space("quad"), _stated(asides[0])))
        if width(beside) <= min(room, _WITH_ASIDE):
            whole = beside
            del asides[0]
    above = [r for a in asides for rows in _body(a, room) for r in rows]
    if above and left is None:
        left = e.continues
    head: list[Line] = []
    if left is not None and width(left) > _LONGEST_LEFT:
        head.append(Line(None, "", left))
        left = None
    return above, [*head, *([Line(left, e.relation, whole)] if short else _broken(e, left, room))]


def _broken(e: Equation, left: Tree | None, room: float) -> list[Line]:
    """Every right side on rows of its own, the long ones on several."""
    rows: list[Line] = []
    for k, right in enumerate(e.rights):
        last = k == len(e.rights) - 1
        parts = [*_boxed_parts(e, room)] if last and e.boxed else [*fit(right, room)]
        if last and e.where:
            if width(parts[-1]) + width(_row(_where(e))) <= room:
                parts[-1] = _row((parts[-1], *_where(e)))
            else:
                parts.append(_row(_where(e)[1:]))
        rows += [Line(None if k or n else left, None if n else e.relation, part) for n, part in enumerate(parts)]
    return rows


def _boxed_parts(e: Equation, room: float) -> tuple[Tree, ...]:
    behind = sum(width(tree) + _SPACE_GAP for _, tree in e.behind)
    lines = fit(e.rights[-1], room - behind - 0.8)
    box = Boxed(lines[0] if len(lines) == 1 else block(lines))
    return (_related([box, *(tree for _, tree in e.behind)], [op for op, _ in e.behind]),)


def _whole(e: Equation) -> Tree:
    sides = list(e.rights)
    ops = [e.relation] * (len(sides) - 1)
    if e.boxed:
        sides[-1] = Boxed(sides[-1])
        sides += [tree for _, tree in e.behind]
        ops += [op for op, _ in e.behind]
    return _related(sides, ops)


def _stated(e: Equation) -> Tree:
    sides = e.rights if e.left is None else (e.left, *e.rights)
    return _related(sides, [e.relation] * (len(sides) - 1))


def _related(sides: Sequence[Tree], relations: Sequence[str]) -> Tree:
    return sides[0] if len(sides) == 1 else Infix(tuple(sides), tuple(relations))


def _where(e: Equation) -> tuple[Tree, ...]:
    return (Space("quad"), Text("for "), as_tree(in_one(e.where))) if e.where else ()


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
