"""The tokens of a LaTeX formula, by which lengths of results are measured."""

import re
from typing import Final

_TOKEN: Final = re.compile(r"\\[A-Za-z]+\*?|\\.|[^\s]", re.DOTALL)
_UNSEEN: Final = frozenset(
    ["{", "}", "&", "\\\\", r"\,", r"\:", r"\;", r"\!", r"\quad", r"\qquad", r"\left", r"\right"]
)
_SIZES: Final = re.compile(r"\\(?:big|Big|bigg|Bigg)[lrm]?")


def latex_tokens(text: str) -> list[str]:
    """The commands and characters of a formula that are seen; braces, spaces, alignment and sizes are not."""
    return [t for t in _TOKEN.findall(text) if t not in _UNSEEN and not _SIZES.fullmatch(t)]
