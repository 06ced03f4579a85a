"""Entries of a quantity in LaTeX: brackets behind its name, digits and letters below it."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from symgrad.syntax.latex.functions import FunctionReader, side_by_side
from symgrad.syntax.latex.names import items, script
from symgrad.syntax.tokens import Kind, Token
from symgrad.syntax.tree import Number, Subscript, Tree

_MOST_INDEX_TOKENS: Final = 24
_INDEX_SIGNS: Final = ("+", "-", ":", "_", "{", "}")
_IN_SQUARE: Final = ("(", ")", "·", "*")


class EntryReader(FunctionReader):
    """Reads entries."""

    def picked(self, tree: Tree, name: str, given: int, start: Token) -> Tree:
        """Entries in brackets behind a name, `f_t[d]`, `W(i, j)`; a bracket with values in it is a factor."""
        while self.token.says("[", "(") and self.indexes(name, given):
            closing = self.closing()
            parts = items(self.tokens, (self.at + 1, closing))
            chosen = tuple(self.group(part, self.span) for part in parts)
            self.at = closing + 1
            given += len(chosen)
            tree = Subscript(tree, chosen, place=self.since(start))
        if self.token.says("^"):
            inside, self.at = script(self.tokens, self.at + 1, self.stop, self.partner)
            return self.raised(tree, inside, start)
        return tree

    def entries(self, name: str, given: tuple[Tree, ...]) -> tuple[Tree, ...]:
        """The subscripts of a name; digits and letters side by side are entries each where there are as many axes."""
        order = self.vocabulary.orders.get(name) or 0
        if len(given) != 1 or order < 2 or self.vocabulary.arities.get(name, 0):
            return given
        single = [x for factor in side_by_side(given[0]) for x in _digits(factor)]
        return tuple(single) if len(single) == order else given

    def indexes(self, name: str, given: int) -> bool:
        """Whether the bracket here holds subscripts of a name."""
        arity, order = self.vocabulary.arities.get(name), self.vocabulary.orders.get(name)
        if (arity is None and self.token.says("(")) or (order is not None and given >= (arity or 0) + order):
            return False
        inside = (self.at + 1, self.partner.get(self.at, self.at))
        if not 0 < inside[1] - inside[0] <= _MOST_INDEX_TOKENS:
            return False
        parts = items(self.tokens, inside)
        round_, numbered = self.token.says("("), self.tokens[inside[0]].kind is Kind.NUMBER
        if len(parts) == 1 and numbered and round_ and given >= (arity or 0):
            return False
        return all(self.is_index(*part, square=not round_) for part in parts)

    def is_index(self, first: int, last: int, square: bool = False) -> bool:
        """Whether tokens look like an index: a letter that is no value, a number, with + and - between them.

        In square brackets there may be products, `[2(r-1) + k]`.
        """
        signs = (*_INDEX_SIGNS, *_IN_SQUARE) if square else _INDEX_SIGNS
        if first >= last or (self.tokens[first].kind is Kind.NUMBER and last - first > 1 and not square):
            return False
        for at in range(first, last):
            token = self.tokens[at]
            if token.kind is Kind.NAME and not self.tokens[at - 1].says("_"):
                if self.vocabulary.knows(token.text) and not self.vocabulary.counts(token.text):
                    return False
            elif not (token.kind is Kind.NUMBER or token.says(*signs) or token.kind is Kind.NAME):
                return False
        return True


def _digits(tree: Tree) -> list[Tree]:
    """The digits of a number."""
    if not isinstance(tree, Number) or not tree.spelling.isdigit():
        return [tree]
    return [Number(Fraction(digit), digit, place=tree.place) for digit in tree.spelling]
