"""Errors, by whose fault they are; each class knows the exit code of the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

from msgspec import Struct

from symgrad.source import Place


class Diagnostic(Struct, frozen=True):
    """One thing that is wrong, where it stands, and the name that was probably meant."""

    message: str
    place: Place | None = None
    suggestion: str | None = None

    def render(self) -> str:
        """`file:line:column: message`, the line with a caret, and the suggestion."""
        lines = [self.message if self.place is None else f"{self.place}: {self.message}"]
        if self.place is not None and self.place.source.text:
            lines.append(self.place.excerpt())
        if self.suggestion is not None:
            lines.append(f"    did you mean {self.suggestion!r}?")
        return "\n".join(lines)


class SymgradError(Exception):
    """Any error symgrad raises on purpose, with all of its diagnostics."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str | Diagnostic | Iterable[Diagnostic],
        place: Place | None = None,
        suggestion: str | None = None,
    ) -> None:
        self.diagnostics: tuple[Diagnostic, ...]
        if isinstance(what, str):
            self.diagnostics = (Diagnostic(what, place, suggestion),)
        elif isinstance(what, Diagnostic):
            self.diagnostics = (what,)
        else:
            self.diagnostics = tuple(what)
        # `args` is what pickling hands back to __init__ when an error crosses a process border.
        super().__init__(self.diagnostics)

    def render(self) -> str:
        """All diagnostics, one below the other."""
        return "\n".join(diagnostic.render() for diagnostic in self.diagnostics)

    @property
    def message(self) -> str:
        """The bare messages, without places."""
        return "; ".join(diagnostic.message for diagnostic in self.diagnostics)

    def __str__(self) -> str:
        return self.render()


class ProblemError(SymgradError):
    """The problem file cannot be used as it is: its author can mend it."""

    exit_code = 2


class AnswerError(SymgradError):
    """The answer document cannot be read: its writer can mend it."""

    exit_code = 2


class MachineError(SymgradError):
    """Something is missing on this computer, such as TeX or write permission."""

    exit_code = 2


class QuestionError(SymgradError):
    """One question cannot be answered; the others can."""

    exit_code = 1


class CertificationError(SymgradError):
    """A derived line disagreed with the numbers and is therefore not shown."""

    exit_code = 1


class InternalError(SymgradError):
    """A case that should not exist: a defect of symgrad itself."""

    exit_code = 1


def near(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` is probably a misspelling of."""
    known = list(candidates)
    folded = {candidate.casefold(): candidate for candidate in known}
    if name.casefold() in folded and name not in known:
        return folded[name.casefold()]
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return found[0] if found and found[0] != name else None
