"""The formats of an answer sheet: pages made by templates; data and pictures made from the answers without one.

Only names stand here and functions imported when they are called, so that the command line can say what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from symgrad.errors import ProblemError, near
from symgrad.lazy import later

if TYPE_CHECKING:
    from symgrad.derivation.steps import Derivation
    from symgrad.problem.model import Problem

DataMaker: TypeAlias = "Callable[[Problem, Sequence[Derivation], str | None], str]"

PAGES: Final = ("pdf", "tex", "typ", "md", "html")
"""What people read."""

DATA: Final[Mapping[str, DataMaker]] = MappingProxyType(
    {
        "json": later("symgrad.sheet.json:json_text"),
        "numpy": later("symgrad.sheet.programs:numpy_module"),
        "ipynb": later("symgrad.sheet.notebook:notebook"),
    }
)
"""What programs read and run, from one problem's answers and the layout convention asked for."""

PICTURES: Final = ("svg", "png")
"""Its diagrams by themselves."""

FORMATS: Final = (*PAGES, *DATA, *PICTURES)

SUFFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {**{f".{name}": name for name in FORMATS}, ".py": "numpy", ".htm": "html", ".markdown": "md"}
)
"""The format that the end of a file's name stands for."""


def check_format(name: str, problems: int = 1) -> None:
    """Nothing, where this many problems can be written in a format of that name.

    Raises:
        ProblemError: they cannot.
    """
    if name not in FORMATS:
        known = ", ".join(FORMATS)
        raise ProblemError(f"there is no format {name!r}; known are {known}", suggestion=near(name, FORMATS))
    if name not in PAGES and problems != 1:
        raise ProblemError(f"{name} is written for one problem at a time")
