"""Fields that mention the results of other questions, `first.at`: what they wait for, and circles among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from symgrad.errors import ProblemError, near
from symgrad.problem.circles import circles
from symgrad.problem.model import Pending, Question
from symgrad.problem.names import Names
from symgrad.problem.texts import read_definition, read_expression, read_limit, walk
from symgrad.problem.yaml_tree import RawList, RawMap, RawNode, RawScalar
from symgrad.source import Source
from symgrad.syntax.latex.notation import Vocabulary
from symgrad.syntax.tree import Approach, Definition, Member, Tree

_READERS: Final[tuple[Callable[[Source, Vocabulary], Tree], ...]] = (read_expression, read_definition, read_limit)


def pending(node: RawNode, own: str, ids: Sequence[str], vocabulary: Vocabulary) -> Pending | None:
    """What a field waits for; None where it mentions no other question.

    Raises:
        ProblemError: there is no such question, or it is the one that asks.
    """
    members = [m for source in _sources(node) for m in _members(source, vocabulary)]
    for m in members:
        if m.base.id not in ids:
            message = f"there is no question {m.base.id!r}"
            raise ProblemError(message, m.base.place, near(m.base.id, ids))
        if m.base.id == own:
            raise ProblemError("a question cannot need its own result", m.base.place)
    if not members:
        return None
    return Pending(tuple(dict.fromkeys((m.base.id, m.part) for m in members)), members[0].place)


def _sources(node: RawNode) -> Iterator[Source]:
    match node:
        case RawScalar():
            yield node.source
        case RawList(items):
            for item in items:
                yield from _sources(item)
        case RawMap(entries):
            for _, value in entries:
                yield from _sources(value)


def _members(source: Source, vocabulary: Vocabulary) -> Iterator[Member]:
    """The results that a text mentions, if it is an expression, an equation or a limit at all."""
    if "." not in source.text:
        return
    for reader in _READERS:
        try:
            tree = reader(source, vocabulary)
        except ProblemError:
            continue
        parts = (tree.body,) if isinstance(tree, Definition) else (tree.target,) if isinstance(tree, Approach) else ()
        yield from (n for part in (parts or (tree,)) for n in walk(part) if isinstance(n, Member))
        return


def complain_of_circles(questions: Sequence[Question], names: Names) -> None:
    """Questions that wait for each other can never be answered: each circle is said once."""
    places = {q.id: {need: p.place for p in reversed(q.pending) for need, _ in p.needs} for q in questions}
    for circle in circles({name: list(needs) for name, needs in places.items()}):
        path = [*circle, circle[0]]
        names.complain(f"these questions need each other's results: {' → '.join(path)}", places[path[0]][path[1]])
