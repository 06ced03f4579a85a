"""The document of an answer sheet: words with math trees among them, equations, tables; no text of any one format."""

from collections.abc import Iterator
from fractions import Fraction
from typing import ClassVar, TypeAlias

from msgspec import Struct

from symgrad.notation.tree import Aligned, Tree
from symgrad.sheet.chart import Chart
from symgrad.sheet.drawing import Drawing
from symgrad.sheet.logo import Logo

Words: TypeAlias = tuple["str | Tree", ...]
"""A sentence: plain words, and mathematics set inline."""


class Paragraph(Struct, frozen=True):
    """A sentence or two of the sheet's own."""

    kind: ClassVar[str] = "paragraph"
    words: Words


class Markdown(Struct, frozen=True):
    """Prose of the problem's author, in Markdown with $math$."""

    kind: ClassVar[str] = "markdown"
    text: str


class Equations(Struct, frozen=True):
    """Lines aligned at their relations."""

    kind: ClassVar[str] = "equations"
    aligned: Aligned


class Table(Struct, frozen=True):
    """Rows of cells under a header."""

    kind: ClassVar[str] = "table"
    header: tuple[Words, ...]
    rows: tuple[tuple[Words, ...], ...]


class Heading(Struct, frozen=True):
    """What the lines that follow are about, within one answer."""

    kind: ClassVar[str] = "heading"
    words: Words


Block: TypeAlias = Paragraph | Markdown | Equations | Table | Heading | Drawing | Chart


class GivenRow(Struct, frozen=True):
    """Symbols of one kind: their names, the space they lie in, what is known of them."""

    symbols: tuple[Tree, ...]
    space: Tree
    words: Words


class QuestionBlock(Struct, frozen=True):
    """One question with its answer.

    Attributes:
        number: Its place among the questions of the sheet, from 1.
        anchor: What a link to it names, once on the sheet.
        id: As in the problem.
        ask: The kind of question.
        status: certified, unchecked (the author's prose) or failed.
        prompt: The question in words: the author's, or made from its fields.
        blocks: The derivation, with the result in it.
        results: The results alone, to be shown where the steps are folded away; empty where there is nothing to fold.
        checks: The sentence on what was checked; empty where nothing was.
        message: Why there is no answer, where the question failed.
        room: Whether room to write is left below it.
    """

    number: int
    anchor: str
    id: str
    ask: str
    status: str
    prompt: Markdown | Paragraph
    blocks: tuple[Block, ...] = ()
    results: tuple[Block, ...] = ()
    checks: Words = ()
    message: str = ""
    note: str = ""
    hint: str = ""
    points: Fraction | None = None
    room: bool = False


class Part(Struct, frozen=True):
    """The answers to one problem.

    Attributes:
        given: The declared symbols, once for the whole problem.
        model: What the model computes.
        conventions: What is agreed on where the mathematics leaves a choice.
    """

    title: str
    about: str
    given: tuple[GivenRow, ...]
    model: tuple[Block, ...]
    conventions: tuple[Words, ...]
    questions: tuple[QuestionBlock, ...]


class Sheet(Struct, frozen=True):
    """A whole answer sheet: one problem, or several with one numbering of their questions.

    Attributes:
        header: Author, date, course and the like, by name.
        logo: An image above the title.
    """

    title: str
    header: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    logo: Logo | None = None

    @property
    def drawn(self) -> bool:
        """Whether there are drawings on it."""
        return any(isinstance(b, Drawing) for b in self._blocks)

    @property
    def plotted(self) -> bool:
        """Whether there are charts on it."""
        return any(isinstance(b, Chart) for b in self._blocks)

    @property
    def _blocks(self) -> Iterator[Block]:
        for part in self.parts:
            yield from part.model
            for q in part.questions:
                yield from q.blocks
