"""How a sheet is to look: paper, edition, dialect of Markdown, the user's own templates."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct

from symgrad.source import Source

Paper: TypeAlias = Literal["a4", "letter"]
Edition: TypeAlias = Literal["full", "answers", "hints", "questions"]
Engine: TypeAlias = Literal["typst", "pdflatex"]
Flavor: TypeAlias = Literal["plain", "github"]


CHOICES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "paper": get_args(Paper),
        "edition": get_args(Edition),
        "pdf_engine": get_args(Engine),
        "flavor": get_args(Flavor),
        "layout": ("numerator", "denominator"),
    }
)
"""What is chosen among words, on the command line and in a file of settings."""


class Look(Struct, frozen=True):
    """What a user may choose.

    Attributes:
        layout: The convention for derivatives, above the problem's own.
        edition: Everything; results without their steps; questions with the hints; questions alone, with room to write.
        paper: The page of printed sheets.
        pdf_engine: What makes a PDF: typst or pdflatex.
        flavor: The dialect of Markdown.
        diagram: Whether the computation graph of each problem is drawn under its model.
        title: The title of a sheet of several problems.
        header: Author, date, course and the like, where the problem does not say.
        logo: Where an image for the head of the sheet is named, where no problem names one.
        templates: A directory whose templates stand before the bundled ones.
    """

    layout: str | None = None
    edition: Edition = "full"
    paper: Paper = "a4"
    pdf_engine: Engine = "typst"
    flavor: Flavor = "plain"
    diagram: bool = False
    title: str = ""
    header: tuple[tuple[str, str], ...] = ()
    logo: Source | None = None
    templates: Path | None = None


DEFAULT_LOOK = Look()
