"""What a problem file says, as records with places: checked for form, not yet for meaning."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from symgrad.errors import Diagnostic
from symgrad.problem.yaml_tree import RawList, RawMap, RawNode, RawScalar
from symgrad.source import Place, Source
from symgrad.syntax.tree import Call, Name, Span, Subscript


class RawSymbol(Struct, frozen=True):
    """A declared symbol; `shape` is `None` where nothing is said of it."""

    key: Name | Subscript | Call
    text: str
    shape: tuple[Source, ...] | None
    facts: tuple[Source, ...]
    latex: str | None
    values: RawNode | None
    range: RawNode | None
    about: str
    place: Place


class RawStep(Struct, frozen=True):
    """An index and its range."""

    name: str
    span: Span
    place: Place


class RawQuestion(Struct, frozen=True):
    """A question: its id, its kind, and its fields as they are written."""

    id: str
    ask: str
    fields: RawMap
    place: Place

    def get(self, name: str) -> RawNode | None:
        """The value of a field."""
        return self.fields.get(name)

    def text(self, name: str) -> str:
        """The text of a field; empty if it is left out."""
        return text_of(self.fields.get(name))

    def sources(self, name: str) -> tuple[Source, ...]:
        """The texts of a field that is one expression or a list of them."""
        return sources_of(self.fields.get(name))


class ProblemDocument(Struct, frozen=True):
    """A problem as written.

    ``faults`` are what is wrong with its form; what they belong to is left out, and the names that are left out so are
    ``broken``: nothing is said of them again.
    """

    source: Source
    title: str
    about: str
    header: tuple[tuple[str, str], ...]
    logo: Source | None
    symbols: tuple[RawSymbol, ...]
    steps: tuple[RawStep, ...]
    model: tuple[Source, ...]
    questions: tuple[RawQuestion, ...]
    assume: tuple[Source, ...]
    layout: str | None
    index_base: int
    relu_at_zero: Fraction
    faults: tuple[Diagnostic, ...] = ()
    broken: frozenset[str] = frozenset()


def text_of(node: RawNode | None) -> str:
    """The text of a scalar; empty for anything else."""
    return node.text if isinstance(node, RawScalar) and node.value is not None else ""


def sources_of(node: RawNode | None) -> tuple[Source, ...]:
    """The texts of one scalar or of a list of them."""
    match node:
        case RawScalar() if node.value is not None:
            return (node.source,)
        case RawList(items):
            return tuple(item.source for item in items if isinstance(item, RawScalar))
        case _:
            return ()
