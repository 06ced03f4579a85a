"""Formulas in LaTeX, and in Unicode: a lexer and a grammar over the declared names, for the one parser."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import Final

from symgrad.errors import ProblemError
from symgrad.source import Source
from symgrad.syntax.dialect import Dialect
from symgrad.syntax.grammar import Grammar, Infix
from symgrad.syntax.latex import derivatives as latex_derivatives
from symgrad.syntax.latex import layouts as latex_layouts
from symgrad.syntax.latex import ranges as latex_ranges
from symgrad.syntax.latex.cursor import partners
from symgrad.syntax.latex.lexer import tokenize
from symgrad.syntax.latex.names import Spelling, Vocabulary, items, scan, text_of
from symgrad.syntax.latex.parser import LatexParser

__all__ = ["RULES_OF", "Spelling", "Vocabulary", "latex", "written_as"]

RULES_OF: Final = (latex_derivatives, latex_layouts, latex_ranges)
"""The modules that enter their rules in the table of the parser."""

_INFIX: Final = MappingProxyType(
    {
        "+": Infix(10, 11),
        "-": Infix(10, 11),
        **dict.fromkeys(("*", "·", "×", "⊙", "∘", "⊘", "⊗", "/", "@"), Infix(20, 21)),
        "**": Infix(40, 30),
    }
)

_HINTS: Final = MappingProxyType(
    {
        "±": "say which sign is meant",
        "…": "write out what the dots stand for",
        "≈": "an approximation cannot be computed with",
        "?": "this is no formula",
        "!": "there is no factorial",
        "⊕": "say what is joined",
    }
)

_GRAMMAR: Final = Grammar(_INFIX, _HINTS)


def latex(vocabulary: Vocabulary) -> Dialect:
    """The notation of LaTeX over declared names."""
    return Dialect(
        tokenize=lambda source: tokenize(source, vocabulary.pieces),
        parser=partial(LatexParser, grammar=_GRAMMAR, vocabulary=vocabulary),
    )


def written_as(text: str) -> Spelling | None:
    """The spelling that a declaration gives, `latex: "p^{*}"`; None where it is more than a name with scripts."""
    try:
        tokens = tokenize(Source("latex", text))
    except ProblemError:
        return None
    found = scan(tokens, 0, len(tokens) - 1, partners(list(tokens)))
    if found is None or found.end != len(tokens) - 1:
        return None
    below = tuple(text_of(tokens, part) for part in items(tokens, found.below))
    return Spelling(found.base, below, "'" * found.primes or text_of(tokens, found.above))
