"""The names of a problem as LaTeX spells them, known before any formula is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from symgrad.errors import ProblemError
from symgrad.problem.records import ProblemDocument, RawSymbol
from symgrad.source import Source
from symgrad.syntax.dialect import Dialect
from symgrad.syntax.latex.notation import Spelling, Vocabulary, latex, written_as
from symgrad.syntax.plain import PLAIN
from symgrad.syntax.reading import looks_like_latex, parse_expression, parse_target
from symgrad.syntax.tree import Call, Name, Subscript, Tree, children

_LOWERED: Final = re.compile(r"(?<!\w)([^\W\d_][^\W_]*)_([0-9]+|[A-Za-z])(?![\w.])")


def vocabulary_of(document: ProblemDocument) -> Vocabulary:
    """The declared names, the steps and sizes, and what the left sides of the model define."""
    steps = [step.name for step in document.steps]
    found = Vocabulary.of({}, integers=[*steps, *_sizes(document)])
    found.steps.update(steps)
    for symbol in document.symbols:
        _declared(symbol, found)
    for source in document.model:
        dialect = dialect_of(source, found)
        try:
            target = parse_target(source, dialect)
        except ProblemError:
            continue
        _defined(target, found)
    return found


def dialect_of(source: Source, vocabulary: Vocabulary) -> Dialect:
    """The notation of a text: LaTeX by its signs, or by a step below a name, `E_3` where only E[t] is declared."""
    if looks_like_latex(source.text):
        return latex(vocabulary)
    stepped = any(_is_stepped(found, vocabulary) for found in _LOWERED.finditer(source.text))
    return latex(vocabulary) if stepped else PLAIN


def _is_stepped(found: re.Match[str], vocabulary: Vocabulary) -> bool:
    known = found[0] in vocabulary.arities or found[0] in vocabulary.functions or found[0] in vocabulary.integers
    step = found[2].isdigit() or found[2] in vocabulary.integers
    return step and not known and vocabulary.arities.get(found[1], 0) > 0


def _sizes(document: ProblemDocument) -> Iterator[str]:
    for symbol in document.symbols:
        for source in symbol.shape or ():
            try:
                yield from (n.id for n in _names(parse_expression(source)))
            except ProblemError:
                continue
        if isinstance(symbol.key, Subscript):
            yield from (n.id for item in symbol.key.items for n in _names(item))
    for step in document.steps:
        yield from (n.id for n in _names(step.span))


def _names(tree: Tree) -> Iterator[Name]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Name):
            yield node
        waiting.extend(children(node))


def _declared(symbol: RawSymbol, found: Vocabulary) -> None:
    order = None if symbol.values is not None and symbol.shape is None else len(symbol.shape or ())
    match symbol.key:
        case Call(func, _, _):
            found.know_function(func.id, _given(symbol, 0))
        case Name(name):
            found.know(name, 0, order, _given(symbol, 0))
        case Subscript(Name(name), items):
            found.know(name, len(items), order, _given(symbol, len(items)))


def _given(symbol: RawSymbol, arity: int) -> Spelling | None:
    """The spelling that the declaration gives, without the steps."""
    written = None if symbol.latex is None else written_as(symbol.latex)
    if written is None or not arity or len(written.below) < arity:
        return written
    return Spelling(written.base, written.below[:-arity], written.above)


def _defined(target: Tree, found: Vocabulary) -> None:
    match target:
        case Name(name) | Subscript(Name(name), _):
            found.made.add(name)
    match target:
        case Call(func, _, _):
            found.know_function(func.id)
        case Name(name) if name not in found.arities:
            found.know(name, 0)
        case Subscript(Name(name), items) if name not in found.arities:
            found.know(name, len([item for item in items if not _is_component(item, found)]))


def _is_component(item: Tree, found: Vocabulary) -> bool:
    return isinstance(item, Name) and item.id not in found.integers
