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


def github(latex: str) -> str:
    """The formula without what GitHub's mathematics forbids."""
    return re.sub(r"\\operatorname\{", r"\\mathrm{", latex)


def github_display(latex: str) -> str:
    """A displayed formula in a block that GitHub leaves as it is."""
    lines = [line for line in github(latex).split("\n") if line.strip()]
    return "\n".join(["```math", *lines, "```"])


def github_inline(latex: str) -> str:
    """A formula within a sentence, which GitHub does not read as Markdown."""
    return f"$`{' '.join(github(latex).split())}`$"


def framed(latex: str) -> str:
    """A displayed formula between its marks."""
    return f"$$\n{display(latex)}\n$$"


def inline(latex: str) -> str:
    """A formula within a sentence."""
    return f"${' '.join(latex.split())}$"
