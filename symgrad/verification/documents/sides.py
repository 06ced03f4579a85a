"""Sides of statements as trees; what cannot be read is noted, with what it would be if a fault were mended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from symgrad.errors import ProblemError
from symgrad.source import Place
from symgrad.syntax.dialect import Dialect
from symgrad.syntax.latex.names import Vocabulary
from symgrad.syntax.latex.notation import latex
from symgrad.syntax.plain import PLAIN
from symgrad.syntax.reading import parse_expression
from symgrad.syntax.tokens import DEEPEST_TREE, Kind, Token
from symgrad.syntax.tree import Tree, depth
from symgrad.verification.documents.claims import Claim, Formula, Unread
from symgrad.verification.documents.parts import place_of
from symgrad.verification.documents.repair import mended
from symgrad.verification.documents.statements import Tokens


@dataclass(slots=True)
class Sides:
    """Reads the sides of statements over names that become more on the way."""

    vocabulary: Vocabulary
    unread: list[Unread] = field(default_factory=list)
    dialect: Dialect = field(init=False)

    def __post_init__(self) -> None:
        self.dialect = latex(self.vocabulary)

    def tree(self, side: Tokens, formula: Formula, offered: Sequence[Claim]) -> Tree | None:
        """The tree of a side; None, and a note, where it cannot be read. ``offered`` is the claim it belongs to."""
        try:
            return self.parsed(side)
        except ProblemError as error:
            claim = offered[0] if offered else None
            place = place_of(side) if side else formula.source.place()
            self.refuse(error, place, formula, tuple(self.offers(side, claim)))
            return None

    def offers(self, side: Tokens, claim: Claim | None) -> Iterator[Claim]:
        """What a statement would be if a fault on this side were mended, one fault at a time."""
        for why, tokens in mended(side, self.vocabulary.knows) if self.dialect is not PLAIN else ():
            try:
                right = self.parsed(tokens)
            except ProblemError:
                continue
            place = place_of(side)
            yield replace(claim or Claim(None, right, place, place.text), right=right, repaired=why)

    def parsed(self, side: Tokens, ranged: bool = False) -> Tree:
        """The tree of a side; ``ranged`` where it may be a range.

        Raises:
            ProblemError: it cannot be read.
        """
        if not side:
            raise ProblemError("something is missing here")
        if self.dialect is PLAIN:
            place = place_of(side)
            return parse_expression(place.source.part(place.start, place.end), PLAIN)
        last = side[-1].place
        end = Token(Kind.END, "", last.source.place(last.end, last.end))
        parser = self.dialect.parser((*side, end))
        tree = parser.condition() if ranged else parser.no_span(parser.condition())
        parser.finish()
        if depth(tree) > DEEPEST_TREE:
            raise ProblemError(f"more than {DEEPEST_TREE} operations in a row", tree.place)
        return tree

    def refuse(self, error: ProblemError, place: Place, formula: Formula, offers: tuple[Claim, ...] = ()) -> None:
        """Note what cannot be read."""
        first = error.diagnostics[0]
        at = first.place or place
        self.unread.append(Unread(place, place.text, first.message, at, formula.context, offers, formula.question))
