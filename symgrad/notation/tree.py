"""The math tree: a closed set of nodes that every output format prints.

A tree holds what is seen (a fraction, a fence, a script), not what is meant, and no text of any one format but
``Verbatim``. Signs are named by their row in ``symbols.SYMBOLS``.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from symgrad.consing import Consed, node

Font: TypeAlias = Literal["italic", "word", "roman", "bold", "blackboard", "script"]
Side: TypeAlias = Literal["left", "right"]


class Tree(Consed):
    """Base of all nodes; trees that look the same are one object."""

    __slots__ = ()


@node
class Sym(Tree):
    """A sign of the table of symbols: a Greek letter, ∂, ∞."""

    key: str


@node
class Ident(Tree):
    """Letters: one italic letter, or several in italics (word), upright, bold, blackboard or script."""

    text: str
    font: Font = "italic"


@node
class Number(Tree):
    """Digits, with a decimal point where there is one."""

    text: str


@node
class Text(Tree):
    """Upright words."""

    words: str


@node
class Verbatim(Tree):
    """A name in the LaTeX its author gave, and the plain text that stands for it elsewhere."""

    latex: str
    plain: str


@node
class Space(Tree):
    """A thin, medium or quad space."""

    width: Literal["thin", "medium", "quad"] = "thin"


@node
class Oper(Tree):
    """An operator standing in a row by itself, as at the beginning of a continued line."""

    op: str


@node
class Row(Tree):
    """Things side by side."""

    items: tuple[Tree, ...]


@node
class Infix(Tree):
    """items[0] ops[0] items[1] ops[1] …; the table of symbols knows each operator's spacing."""

    items: tuple[Tree, ...]
    ops: tuple[str, ...]


@node
class Prefix(Tree):
    """A sign before its operand."""

    op: str
    body: Tree


@node
class Frac(Tree):
    """A fraction."""

    top: Tree
    bottom: Tree


@node
class Root(Tree):
    """A square root."""

    body: Tree


@node
class Script(Tree):
    """A base with a subscript, a superscript or both."""

    base: Tree
    sub: Tree | None = None
    sup: Tree | None = None


@node
class Accent(Tree):
    """A hat, bar, tilde, dot or arrow over a base."""

    kind: str
    body: Tree


@node
class Fenced(Tree):
    """A body in delimiters; size 0 to 4 is fixed, None is chosen from the height of the body."""

    body: Tree
    left: str = "("
    right: str = ")"
    size: int | None = None


@node
class Delim(Tree):
    """One delimiter by itself, of a fence that a line break goes through."""

    key: str
    side: Side
    size: int


@node
class BigOp(Tree):
    """Σ, ∏, max, ∫ … with what stands under and over it; the body is None where a line ends after the sign."""

    kind: str
    lower: Tree | None
    upper: Tree | None
    body: Tree | None


@node
class OpName(Tree):
    """The upright name of a function."""

    text: str


@node
class Func(Tree):
    """A function of arguments in brackets; bare, log p, without them."""

    name: Tree
    args: tuple[Tree, ...]
    bare: bool = False


@node
class Lines(Tree):
    """Short lines below one another, as under a Σ."""

    rows: tuple[Tree, ...]


@node
class Cases(Tree):
    """A brace with (value, condition) rows."""

    rows: tuple[tuple[Tree, Tree], ...]


@node
class Grid(Tree):
    """A matrix in delimiters, row by row."""

    rows: tuple[tuple[Tree, ...], ...]
    left: str = "["
    right: str = "]"


@node
class Evaluated(Tree):
    """A body with a bar at its right and what is held below it."""

    body: Tree
    at: Tree


@node
class Boxed(Tree):
    """A result in a box."""

    body: Tree


@node
class Line(Tree):
    """A line of aligned equations.

    The relation is None where the line continues the one above, and empty where nothing stands before it.
    """

    left: Tree | None
    relation: str | None
    right: Tree
    reason: Tree | None = None


@node
class Aligned(Tree):
    """Equations aligned at their relations, with reasons in a column of their own."""

    lines: tuple[Line, ...]


def parts(tree: Tree) -> Iterator[Tree]:
    """The direct parts of a tree, in reading order."""
    match tree:
        case Row(items=items) | Infix(items=items) | Lines(rows=items) | Aligned(lines=items):
            yield from items
        case Frac(top=top, bottom=bottom):
            yield from (top, bottom)
        case Prefix(body=body) | Root(body=body) | Accent(body=body) | Fenced(body=body) | Boxed(body=body):
            yield body
        case Script(base=base, sub=sub, sup=sup):
            yield from (x for x in (base, sub, sup) if x is not None)
        case BigOp(lower=lower, upper=upper, body=inner):
            yield from (x for x in (lower, upper, inner) if x is not None)
        case Func(name=name, args=args):
            yield from (name, *args)
        case Cases(rows=rows):
            yield from (x for row in rows for x in row)
        case Grid(rows=rows):
            yield from (x for row in rows for x in row)
        case Evaluated(body=body, at=at):
            yield from (body, at)
        case Line(left=left, right=right, reason=reason):
            yield from (x for x in (left, right, reason) if x is not None)
