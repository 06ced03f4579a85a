"""An author's Markdown in TeX: paragraphs, lists, emphasis, code, links, $formulas$ and nothing else."""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from symgrad.sheet.tex_text import escaped, formula

READER: Final = MarkdownIt("commonmark", {"html": False}).use(
    dollarmath_plugin, allow_space=False, allow_digits=False, double_inline=True
)

_PAIRS: Final = MappingProxyType(
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


def tex(markdown: str) -> str:
    """The Markdown as TeX; HTML in it is printed as the text that it is."""
    return _tokens(READER.parse(markdown)).strip()


def _tokens(tokens: Sequence[Token]) -> str:
    return "".join(_token(t) for t in tokens)


def _token(token: Token) -> str:
    if token.type == "inline":
        return _tokens(token.children or ())
    if token.type in _PAIRS:
        return "\n" if token.hidden and token.type == "paragraph_close" else _PAIRS[token.type]
    return _LEAVES.get(token.type, _plain)(token)


def _plain(token: Token) -> str:
    return escaped(token.content)


def _displayed(token: Token) -> str:
    inside = formula(token.content)
    return f"\\[{inside[1:-1]}\\]\n" if inside.startswith("$") else f"{inside}\n\n"


def _code_block(token: Token) -> str:
    lines = (escaped(line).replace(" ", "~") for line in token.content.rstrip("\n").split("\n"))
    return "\\begin{quote}\n\\ttfamily\n" + "\\\\\n".join(line or "~" for line in lines) + "\n\\end{quote}\n\n"


def _link_open(token: Token) -> str:
    target = str(token.attrGet("href") or "")
    if urlsplit(target).scheme not in ("http", "https", "mailto"):
        return "{"
    # In an argument of \href these characters have to be written with a backslash.
    safe = "".join("\\" + c if c in "%#&_" else c for c in target if c.isascii() and c not in "{}\\^~$")
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
