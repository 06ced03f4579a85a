"""Text and formulas for Markdown, so that neither is taken for markup."""

import re
from typing import Final

_ESCAPED: Final = {c: "\\" + c for c in "\\`*_[]$|~"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_OPENS_BLOCK: Final = re.compile(r"^(?=[-+=#>|]|[0-9]+[.)](?:\s|$))")


def escaped(text: str) -> str:
    """The text with every character standing for itself, on one line."""
    out = "".join(_ESCAPED.get(c, c) for c in " ".join(text.split("\n")))
    return re.sub(r"^(\s*)([-+=#]|[0-9]+[.)](?=\s))", r"\1\\\2", out) if out else out


def display(latex: str) -> str:
    """A displayed formula whose lines do not begin a list, a heading or a quotation."""
    lines = [line for line in latex.split("\n") if line.strip()]
    return "\n".join(_OPENS_BLOCK.sub("{} ", line) for line in lines)


def inline(latex: str) -> str:
    """A formula within a sentence."""
    return f"${' '.join(latex.split())}$"
