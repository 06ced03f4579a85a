"""What a document says in formulas: equations with their places, and what cannot be read."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from symgrad.source import Place, Source
from symgrad.syntax.tree import Compare, Tree

Kind: TypeAlias = Literal["equation", "definition", "shape", "value", "inequality", "bound"]


class Claim(Struct, frozen=True):
    """One statement: left = right, or another relation between them.

    Attributes:
        left: None where the writer says only a value, or where what stands to the left could not be read.
        right: of a ``shape`` the list of its sizes, of a chain of inequalities the whole chain.
            A ``bound`` is one of every factor on the left.
        place: the right side in its document.
        latex: the statement as it was written.
        kind: a ``definition`` gives a meaning to a name that was not known.
        relation: the sign between the sides.
        context: the heading, and the words before the formula.
        previous: the index of the claim that this one continues, in a chain or in the line below it.
        question: the id of the question that it answers, where the document says so.
        repaired: what was changed to read it; empty where nothing was.
        offers: what it would be if a fault of writing were mended, each with what is changed.
        where: the conditions on its indices that stand behind it, i = 1, …, k.
    """

    left: Tree | None
    right: Tree
    place: Place
    latex: str
    kind: Kind = "equation"
    relation: str = "="
    context: str = ""
    previous: int | None = None
    question: str | None = None
    repaired: str = ""
    where: tuple[Compare, ...] = ()
    offers: tuple[Claim, ...] = ()


class Unread(Struct, frozen=True):
    """A part of a formula that cannot be read, why, and where the offending sign is.

    ``offers`` are what it would say if a fault of writing or of recognition were mended; nothing is mended silently.
    """

    place: Place
    latex: str
    reason: str
    at: Place
    context: str = ""
    offers: tuple[Claim, ...] = ()
    question: str | None = None


class Table(Struct, frozen=True):
    """A table of a document, every cell with its place; rows need not be equally long."""

    cells: tuple[tuple[Source, ...], ...]

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The cells as they are written."""
        return tuple(tuple(cell.text for cell in row) for row in self.cells)


class Formula(Struct, frozen=True):
    """A piece of mathematics in a document."""

    source: Source
    display: bool
    context: str = ""
    question: str | None = None
    adjoins: bool = False
    """Whether only white space stands between it and the formula before."""
    typeset: bool = True
    """Whether TeX sets it, so that white space in it says nothing."""


class Document(Struct, frozen=True):
    """A document as read: its claims and what is unread, in the order of writing, its tables and its prose.

    ``terms`` counts the formulas that are read but state nothing, such as a name in a sentence.
    """

    source: Source
    claims: tuple[Claim, ...]
    unread: tuple[Unread, ...]
    tables: tuple[Table, ...] = ()
    prose: tuple[Place, ...] = ()
    formulas: int = 0
    terms: int = 0
