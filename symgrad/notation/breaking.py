"""Long equations over several lines: broken before operators, at the lowest bracket level that helps.

A formula is laid out as a row of pieces with places where a line may end between them; delimiters that a break goes
through get a fixed size, since growing ones cannot cross lines.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from symgrad.notation.measure import fence_size, width
from symgrad.notation.symbols import SYMBOLS
from symgrad.notation.tree import (
    Aligned,
    BigOp,
    Boxed,
    Delim,
    Fenced,
    Func,
    Ident,
    Infix,
    Line,
    Oper,
    Prefix,
    Row,
    Script,
    Space,
    Sym,
    Tree,
)

_INDENT: Final = 1.5
_RELATION, _SUM, _PRODUCT, _SIDE_BY_SIDE = range(4)
_DEEPER: Final = 4
_LONGEST_FACTOR: Final = 0.6


class _Item(Struct, frozen=True):
    """A piece of the formula.

    Attributes:
        tree: What is printed.
        cost: What a break before it costs, if there may be one.
        width: In em.
        whole: The node this piece opens, for where no break goes through it.
        span: How many pieces that node has.
    """

    tree: Tree
    cost: int | None = None
    width: float = 0.0
    whole: Tree | None = None
    span: int = 1


def fit(tree: Tree, max_width: float) -> tuple[Tree, ...]:
    """The lines of a formula, each but the first beginning with an operator; one line where it fits.

    Widths are in em. A line is longer than ``max_width`` only if it holds nothing that can be broken.
    """
    if width(tree) <= max_width:
        return (tree,)
    if isinstance(tree, Boxed):
        inside = fit(tree.body, max_width - 0.7)
        return (tree,) if len(inside) == 1 else (Boxed(block(inside)),)
    items = [replace(x, width=width(x.tree)) for x in _pieces(tree, 0)]
    first, *rest = _lines(items, max_width - _INDENT)
    return (_joined(first.items, 0), *(_joined(line.items, line.level) for line in rest))


def block(lines: Sequence[Tree]) -> Aligned:
    """The lines of one formula below one another."""
    return Aligned(tuple(Line(None, None if k else "", x) for k, x in enumerate(lines)))


# Laying out


def _pieces(tree: Tree, depth: int, cost: int | None = None) -> Iterator[_Item]:
    """The formula as a row of pieces; what is inside brackets costs more to break."""
    base = depth * _DEEPER
    match tree:
        case Infix(items=items, ops=ops):
            yield from _pieces(items[0], depth, cost)
            for op, item in zip(ops, items[1:], strict=True):
                yield _Item(Oper(op), _break_cost(op, base))
                yield from _pieces(item, depth)
        case Prefix(op=op, body=body) if op == "minus":
            yield _Item(Sym(op), cost)
            yield from _pieces(body, depth)
        case Fenced(left="(" | "[" | "{", right=")" | "]" | "}"):
            yield from _opened(tree, cost, _fenced(tree, None, depth))
        case Script(base=Fenced(left="(" | "[" | "{") as fence):
            yield from _opened(tree, cost, _fenced(fence, tree, depth))
        case Func(name=name, args=args, bare=False):
            fence = Fenced(_listed(args), size=max((fence_size(a) for a in args), default=0))
            yield from _opened(tree, cost, (_Item(name), *_fenced(fence, None, depth)))
        case BigOp(body=inner) if inner is not None:
            yield from _opened(tree, cost, (_Item(tree.replaced(body=None)), *_pieces(inner, depth + 1)))
        case Row(items=items):
            yield from _row_pieces(items, depth, cost)
        case _:
            yield _Item(tree, cost)


def _is_argument(item: Tree, before: Tree) -> bool:
    """Whether a bracket is what the sign before it is said of, 𝟏[i = j], and no factor."""
    return isinstance(item, Fenced) and item.left == "[" and isinstance(before, Ident)


def _row_pieces(items: tuple[Tree, ...], depth: int, cost: int | None) -> Iterator[_Item]:
    open_sign = any(isinstance(x, Sym | Oper) for x in items)
    before: Tree | None = None
    for item in items:
        if before is None:
            yield from _pieces(item, depth, cost)
        elif isinstance(item, Space) or isinstance(before, Space) or open_sign or _is_argument(item, before):
            yield from _pieces(item, depth)
        else:
            yield from _pieces(item, depth, depth * _DEEPER + _SIDE_BY_SIDE)
        before = item


def _opened(whole: Tree, cost: int | None, pieces: Iterable[_Item]) -> Iterator[_Item]:
    first, *rest = pieces
    yield replace(first, cost=cost, whole=whole, span=1 + len(rest))
    yield from rest


def _fenced(fence: Fenced, script: Script | None, depth: int) -> Iterator[_Item]:
    size = max(1, fence_size(fence.body) if fence.size is None else fence.size)
    closing: Tree = Delim(fence.right, "right", size)
    if script is not None:
        closing = script.replaced(base=closing)
    yield _Item(Delim(fence.left, "left", size))
    yield from _pieces(fence.body, depth + 1)
    yield _Item(closing)


def _listed(args: tuple[Tree, ...]) -> Tree:
    return args[0] if len(args) == 1 else Infix(args, ("comma",) * (len(args) - 1))


def _break_cost(op: str, base: int) -> int | None:
    match SYMBOLS[op].spacing:
        case "relation":
            return base + _RELATION
        case "binary":
            return base + (_SUM if op in ("plus", "minus") else _PRODUCT)
        case _:
            return None


# Choosing the breaks


class _Broken(Struct, frozen=True):
    """One line of the formula, and how much further in it begins than the lines of the outermost level."""

    items: Sequence[_Item]
    level: int


def _lines(items: Sequence[_Item], room: float, level: int = 0) -> list[_Broken]:
    """As many terms on each line as fit; a term too long for a line gets lines of its own, further in."""
    cost = _breaking_cost(items, room)
    if cost is None:
        return [_Broken(items, level)]
    lines: list[_Broken] = []
    current: list[_Item] = []
    for segment in _split(items, cost):
        if current and _length(current) + _length(segment) > room:
            lines.append(_Broken(current, level))
            current = []
        if _length(segment) <= room:
            current = [*current, *segment]
            continue
        first, *rest = _lines(segment, room - _INDENT, level + 1)
        lines += [_Broken([*current, *first.items], level), *rest]
        current = []
    return [*lines, _Broken(current, level)] if current else lines


def _breaking_cost(items: Sequence[_Item], room: float) -> int | None:
    """The cheapest places to break at; a product is broken inside a factor that takes most of a line by itself."""
    if _length(items) <= room:
        return None
    costs = sorted({x.cost for x in items[1:] if x.cost is not None})
    for cost in costs:
        if cost % _DEEPER <= _SUM or all(_length(x) <= _LONGEST_FACTOR * room for x in _split(items, cost)):
            return cost
    return costs[0] if costs else None


def _split(items: Sequence[_Item], cost: int) -> list[Sequence[_Item]]:
    places = [0, *(k for k, x in enumerate(items) if k and x.cost == cost), len(items)]
    return [items[a:b] for a, b in pairwise(places)]


def _length(items: Sequence[_Item]) -> float:
    return sum(x.width for x in items)


def _joined(line: Sequence[_Item], level: int) -> Tree:
    """The pieces of a line as a tree, with the nodes that no break goes through put together again."""
    trees: list[Tree] = []
    at = 0
    while at < len(line):
        item = line[at]
        unbroken = item.whole is not None and at + item.span <= len(line)
        trees.append(item.whole if unbroken and item.whole is not None else item.tree)
        at += item.span if unbroken else 1
    cost = line[0].cost
    if cost is not None and not isinstance(line[0].tree, Oper) and cost % _DEEPER == _SIDE_BY_SIDE:
        trees.insert(0, Oper("cdot"))
    trees[:0] = [Space("quad")] * level
    return trees[0] if len(trees) == 1 else Row(tuple(trees))
