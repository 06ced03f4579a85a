"""Text, formulas and an author's Markdown for Typst: every text is a quoted string, so that none of it is code."""

import unicodedata
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from markdown_it.token import Token

from symgrad.notation.formula import read_formula
from symgrad.notation.latex import latex
from symgrad.notation.tree import Tree
from symgrad.notation.typst import quoted, typst
from symgrad.sheet.document import Words
from symgrad.sheet.prose import Writer, target

_MARKS: Final = MappingProxyType(
    {
        "paragraph_open": "",
        "paragraph_close": "\n\n",
        "bullet_list_open": "#list(",
        "bullet_list_close": ")\n\n",
        "ordered_list_open": "#enum(",
        "ordered_list_close": ")\n\n",
        "list_item_open": "[",
        "list_item_close": "], ",
        "blockquote_open": "#quote(block: true)[",
        "blockquote_close": "]\n\n",
        "heading_open": "#strong[",
        "heading_close": "]\n\n",
        "em_open": "#emph[",
        "em_close": "]",
        "strong_open": "#strong[",
        "strong_close": "]",
        "link_close": "]",
        "softbreak": "\n",
        "hardbreak": "#linebreak()",
        "hr": "\n\n",
    }
)
_FIRST_MISSING: Final = 0x0530
_PRESENT: Final = (
    (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x209C), (0x20A0, 0x20BF), (0x2100, 0x214F), (0x2190, 0x21FF),
    (0x2200, 0x22FF),
)  # fmt: skip


def text(words: str) -> str:
    """The words as a string of Typst; what the fonts do not have is named by its number."""
    return quoted("".join(_character(c) for c in unicodedata.normalize("NFC", words)))


def _character(c: str) -> str:
    if c == "'":
        return "’"
    code = ord(c)
    if unicodedata.category(c)[0] in "CM":
        return " " if c in "\n\t" else ""
    if code < _FIRST_MISSING or any(lo <= code <= hi for lo, hi in _PRESENT):
        return c
    return f"U+{code:04X}"


def words(sentence: Words) -> str:
    """The pieces of a sentence as arguments of the template's ``say``."""
    return ", ".join(text(x) if isinstance(x, str) else inline(x) for x in sentence)


def inline(tree: Tree) -> str:
    """A formula within a sentence."""
    return f"m({quoted(latex(tree))}, ${typst(tree)}$)"


def prose(markdown: str) -> str:
    """The Markdown as Typst."""
    return _WRITER.written(markdown)


def _plain(token: Token) -> str:
    return f"#say({text(token.content)})"


def _code(token: Token) -> str:
    block = ", block: true" if token.type != "code_inline" else ""
    return f"#raw({text(token.content)}{block})" + ("\n\n" if block else "")


def _formula(token: Token) -> str:
    tree = read_formula(token.content)
    if tree is None:
        return f"#raw({text(token.content)})"
    if token.type == "math_inline":
        return f"#{inline(tree)}"
    return f"#shown({quoted(token.content)}, $ {typst(tree)} $)\n\n"


def _link_open(token: Token) -> str:
    address = target(token)
    return f"#link({quoted(address)})[" if address else "#box["


_LEAVES: Final[MappingProxyType[str, Callable[[Token], str]]] = MappingProxyType(
    {
        "text": _plain,
        "code_inline": _code,
        "fence": _code,
        "code_block": _code,
        "math_inline": _formula,
        "math_inline_double": _formula,
        "math_block": _formula,
        "math_block_label": _formula,
        "link_open": _link_open,
    }
)
_WRITER: Final = Writer(_MARKS, _LEAVES, _plain)
