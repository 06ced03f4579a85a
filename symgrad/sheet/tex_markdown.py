"""An author's Markdown in TeX: paragraphs, lists, emphasis, code, links, $formulas$ and nothing else."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from markdown_it.token import Token

from symgrad.sheet.prose import Writer, target
from symgrad.sheet.tex_text import escaped, formula

_MARKS: Final = MappingProxyType(
    {
        "paragraph_open": "",
        "paragraph_close": "\n\n",
        "bullet_list_open": "\\begin{itemize}\n",
        "bullet_list_close": "\\end{itemize}\n\n",
        "ordered_list_open": "\\begin{enumerate}\n",
        "ordered_list_close": "\\end{enumerate}\n\n",
        "list_item_open": "\\item ",
        "list_item_close": "",
        "blockquote_open": "\\begin{quote}\n",
        "blockquote_close": "\\end{quote}\n\n",
        "heading_open": "\\textbf{",
        "heading_close": "}\n\n",
        "em_open": "\\emph{",
        "em_close": "}",
        "strong_open": "\\textbf{",
        "strong_close": "}",
        "softbreak": "\n",
        "hardbreak": "\\\\\n",
        "hr": "\n\n",
    }
)


def written(markdown: str) -> str:
    """The Markdown as TeX."""
    return _WRITER.written(markdown)


def _plain(token: Token) -> str:
    return escaped(token.content)


def _displayed(token: Token) -> str:
    inside = formula(token.content)
    return f"\\[{inside[1:-1]}\\]\n" if inside.startswith("$") else f"{inside}\n\n"


def _code_block(token: Token) -> str:
    lines = (escaped(line).replace(" ", "~") for line in token.content.rstrip("\n").split("\n"))
    return "\\begin{quote}\n\\ttfamily\n" + "\\\\\n".join(line or "~" for line in lines) + "\n\\end{quote}\n\n"


def _link_open(token: Token) -> str:
    address = target(token)
    if not address:
        return "{"
    # In an argument of \href these characters have to be written with a backslash.
    safe = "".join("\\" + c if c in "%#&_" else c for c in address if c.isascii() and c not in "{}\\^~$")
    return f"\\href{{{safe}}}{{"


_LEAVES: Final[MappingProxyType[str, Callable[[Token], str]]] = MappingProxyType(
    {
        "text": _plain,
        "code_inline": lambda token: rf"\texttt{{{escaped(token.content)}}}",
        "math_inline": lambda token: formula(token.content),
        "math_inline_double": _displayed,
        "math_block": _displayed,
        "math_block_label": _displayed,
        "fence": _code_block,
        "code_block": _code_block,
        "link_open": _link_open,
        "link_close": lambda token: "}",
        "image": lambda token: escaped(token.content),
    }
)
_WRITER: Final = Writer(_MARKS, _LEAVES, _plain)
