"""From a document to its claims: equations with both sides as trees, definitions, shapes, values."""

from __future__ import annotations

import re
from pathlib import Path

from symgrad.source import Source
from symgrad.syntax.latex.names import Vocabulary
from symgrad.verification.documents.claims import Document, Formula
from symgrad.verification.documents.document import Written, load, take_apart
from symgrad.verification.documents.prose_formulas import formulas_in
from symgrad.verification.documents.reader import Reader
from symgrad.verification.documents.worded import bounds_in

_DIFFERENTIAL = re.compile(r"(?<![A-Za-z\\])d(?P<of>[A-Za-z]+)")


def read_document(path_or_text: Path | str, vocabulary: Vocabulary) -> Document:
    """The claims of a document over declared names; names that the writer defines become known on the way.

    Raises:
        AnswerError: the file cannot be opened, or is no document.
    """
    source, kind = load(path_or_text)
    return read_written(take_apart(source, kind), vocabulary)


def read_formula(text: str, vocabulary: Vocabulary) -> Document:
    """The claims of one formula, without dollar signs round it."""
    source = Source("<claim>", text)
    return read_written(Written(source, (Formula(source, True),), (), ()), vocabulary)


def read_written(written: Written, vocabulary: Vocabulary) -> Document:
    """The claims of a document that is taken apart.

    A family that is explained at an index, D_k = …, may have been used before, D_j, and the differential da of a name
    before the name: it is then read once more.
    """
    own = vocabulary.copy()
    reader = _read(written, own)
    moved = {found["of"] for found in _DIFFERENTIAL.finditer(written.source.text)}
    differentiated = {name: own.arities[name] for name in moved & (own.arities.keys() - vocabulary.arities.keys())}
    if reader.families or differentiated:
        knowing = vocabulary.copy()
        for name, arity in (differentiated | reader.families).items():
            knowing.know(name, arity)
        reader = _read(written, knowing)
    worded = bounds_in((source for source, _, _ in written.prose), reader.claims, reader.sides.unread)
    return Document(
        written.source,
        (*reader.claims, *worded),
        tuple(reader.sides.unread),
        written.tables,
        tuple(source.place() for source, _, _ in written.prose),
        reader.formulas,
        reader.terms,
    )


def _read(written: Written, vocabulary: Vocabulary) -> Reader:
    reader = Reader(vocabulary)
    for formula in _in_order(written, vocabulary):
        reader.formula(formula)
    return reader


def _in_order(written: Written, vocabulary: Vocabulary) -> list[Formula]:
    """The formulas, with those set in running text between them."""
    found = list(written.formulas)
    for source, context, question in written.prose:
        for part in formulas_in(source, vocabulary):
            words = source.text[: part.place().start]
            found.append(Formula(part, False, f"{context}: {words}"[-300:], question, typeset=False))
    return sorted(found, key=lambda f: f.source.place(0, 0).resolved().start)
