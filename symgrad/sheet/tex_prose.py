"""What an author writes, in TeX; a reader of Markdown is loaded where there is more in it than words and formulas."""

from symgrad.lazy import later
from symgrad.sheet.plain_prose import pieces
from symgrad.sheet.tex_text import escaped, formula

written = later("symgrad.sheet.tex_markdown:written")


def prose(markdown: str) -> str:
    """The Markdown as TeX."""
    found = pieces(markdown)
    if found is None:
        text: str = written(markdown)
        return text
    return "".join(formula(x.text) if x.formula else escaped(x.text) for x in found)
