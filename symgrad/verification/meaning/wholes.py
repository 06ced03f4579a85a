"""All members of a family at one step, w_t where the model stacks w_{i,t} over i."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.source import Place, Source
from symgrad.syntax.reading import parse_expression
from symgrad.syntax.tree import Call, Keyword, Name, Span, Subscript, Tree
from symgrad.tensor.nodes import Binder
from symgrad.verification.meaning.bench import Bench


def stacks(bench: Bench, family: str, place: Place) -> Iterator[tuple[Name, Tree]]:
    """The step at which all members of a family may be meant, and they as a stack, for each index that may run."""
    letters = bench.subscripts.letters.get(family, ())
    for d in bench.problem.system.family(family) if len(letters) == 2 else ():
        for binder in d.ranges:
            if binder.symbol.name in letters:
                kept = next(x for x in letters if x != binder.symbol.name)
                yield Name(kept, place=place), _stack(family, letters, binder, place)


def _stack(family: str, letters: tuple[str, ...], binder: Binder, place: Place) -> Tree:
    member = Subscript(Name(family, place=place), tuple(Name(x, place=place) for x in letters), place=place)
    low, high = (parse_expression(Source("range", str(end))) for end in (binder.lo, binder.hi))
    over = Keyword(Name(binder.symbol.name, place=place), Span(low, high, place=place), place=place)
    return Call(Name("stack", place=place), (member,), (over,), place=place)
