"""An author's Markdown, token by token, for a format of ours: HTML in it is printed as the text that it is."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from msgspec import Struct

READER: Final = MarkdownIt("commonmark", {"html": False}).use(
    dollarmath_plugin, allow_space=False, allow_digits=False, double_inline=True
)


class Writer(Struct, frozen=True):
    """How a format writes Markdown.

    Attributes:
        marks: what the tokens without content become, such as the two ends of a list.
        leaves: what tokens with content become, by their type.
        plain: what any other token becomes.
    """

    marks: Mapping[str, str]
    leaves: Mapping[str, Callable[[Token], str]]
    plain: Callable[[Token], str]

    def written(self, markdown: str) -> str:
        """The Markdown in the format."""
        return self._tokens(READER.parse(markdown)).strip()

    def _tokens(self, tokens: Iterable[Token]) -> str:
        return "".join(map(self._token, tokens))

    def _token(self, token: Token) -> str:
        if token.type == "inline":
            return self._tokens(token.children or ())
        if token.type in self.marks:
            return "\n" if token.hidden and token.type == "paragraph_close" else self.marks[token.type]
        return self.leaves.get(token.type, self.plain)(token)


def target(link: Token) -> str:
    """The address a link leads to; empty where that is nowhere on the web."""
    address = str(link.attrGet("href") or "")
    return address if urlsplit(address).scheme in ("http", "https", "mailto") else ""
