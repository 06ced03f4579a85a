"""Claims in words about the formula before them: `Each of these values is bounded by 1`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Final

from msgspec.structs import replace

from symgrad.problem.texts import walk
from symgrad.source import Source
from symgrad.syntax.tree import Call, Number, Tree
from symgrad.verification.documents.claims import Claim, Unread

_BOUNDED: Final = re.compile(
    r"\b(?:each|all|every one|both|any) of (?:these|those|the|them)\b[^.$]*?\b(?:is|are|stays?|remains?)\b[^.$]*?"
    r"(?P<relation>\b(?:bounded(?: from)?(?: above)? by|at most|(?:less|smaller|no more|never more) than|below)|[≤<])"
    r"\s*\$?(?P<number>\d+(?:\.\d+)?)\b",
    re.IGNORECASE,
)
_LONGEST_NUMBER: Final = 8
_STRICT: Final = frozenset({"less than", "smaller than", "below", "<"})


def bounds_in(prose: Iterable[Source], claims: Sequence[Claim], unread: Sequence[Unread]) -> Iterator[Claim]:
    """The bounds that a text gives in words to the factors of the formula before it."""
    read = [*claims, *(replace(u.offers[0], place=u.place) for u in unread if u.offers)]
    derivatives = [c for c in read if c.left is not None and _has_derivative(c.left)]
    products = sorted(((c.place.resolved().end, c.right) for c in derivatives), key=lambda row: row[0])
    for source in prose:
        place = source.place().resolved()
        whole = place.source
        for found in _BOUNDED.finditer(whole.text, place.start, place.end + _LONGEST_NUMBER):
            part = whole.part(found.start(), found.end())
            before = [tree for end, tree in products if end <= found.start()]
            if before:
                number = Number(Fraction(found["number"]), found["number"], place=part.place())
                relation = "<" if found["relation"].lower() in _STRICT else "<="
                yield Claim(before[-1], number, part.place(), part.text.replace("$", ""), "bound", relation)


def _has_derivative(tree: Tree) -> bool:
    return any(isinstance(x, Call) and x.func.id == "jacobian" for x in walk(tree))
