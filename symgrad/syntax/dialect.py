"""A notation as a whole: from a text to its tokens, from tokens to a parser of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from symgrad.source import Source
from symgrad.syntax.parser import Parser
from symgrad.syntax.tokens import Token


class Dialect(Struct, frozen=True):
    """A way of writing expressions."""

    tokenize: Callable[[Source], Sequence[Token]]
    parser: Callable[[Sequence[Token]], Parser]

    def read(self, source: Source) -> Parser:
        """A parser at the beginning of a text."""
        return self.parser(self.tokenize(source))
