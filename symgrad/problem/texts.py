"""Expressions, definitions and conditions as they are written in a problem, read in their notation."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.problem.vocabulary import dialect_of
from symgrad.source import Source
from symgrad.syntax.latex.notation import Vocabulary
from symgrad.syntax.reading import parse_definition, parse_expression, parse_limit
from symgrad.syntax.tree import Approach, Definition, Distributed, Keyword, Member, Name, Subscript, Tree, children


def read_definition(source: Source, vocabulary: Vocabulary) -> Definition:
    """`name = expression` with binders and conditions."""
    return parse_definition(source, dialect_of(source, vocabulary))


def read_expression(source: Source, vocabulary: Vocabulary) -> Tree:
    """An expression or a chain of comparisons."""
    return parse_expression(source, dialect_of(source, vocabulary))


def read_limit(source: Source, vocabulary: Vocabulary) -> Approach:
    """`variable -> point`."""
    return parse_limit(source, dialect_of(source, vocabulary))


def walk(tree: Tree) -> Iterator[Tree]:
    """The tree and everything below it, from left to right."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def free_names(tree: Tree, bound: frozenset[str] = frozenset()) -> Iterator[Name]:
    """The names of values in a tree: neither functions, keywords, questions, nor bound indices."""
    waiting = [(tree, bound)]
    while waiting:
        node, known = waiting.pop()
        if isinstance(node, Member):
            continue
        if isinstance(node, Name):
            if node.id not in known:
                yield node
            continue
        own = {k.name.id for k in getattr(node, "keywords", ()) if isinstance(k, Keyword)}
        own |= {n.id for part in getattr(node, "args", ()) for n in _distributed(part)}
        inner = known | own
        called = getattr(node, "func", None)
        waiting.extend((child, inner) for child in reversed(children(node)) if child is not called)


def _distributed(part: Tree) -> Iterator[Name]:
    """The variables of `z ~ q` or `[x, z] ~ p`, which an expectation binds."""
    if isinstance(part, Distributed):
        yield from (n for n in walk(part.var) if isinstance(n, Name))


def subscripts(tree: Tree) -> Iterator[tuple[Subscript, Tree]]:
    """Every subscript item in a tree, with what it is an item of."""
    for node in walk(tree):
        if isinstance(node, Subscript):
            for item in node.items:
                yield node, item


def index_names(tree: Tree) -> Iterator[Name]:
    """The names in subscripts of a tree."""
    for _, item in subscripts(tree):
        yield from free_names(item)
