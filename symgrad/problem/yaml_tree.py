"""YAML 1.2 as a tree that knows where everything is written; nothing in it is executed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct, field
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from symgrad.errors import Diagnostic, ProblemError
from symgrad.problem.scalars import Scalar, plain_value, scalar_source
from symgrad.source import Place, Source

LARGEST_FILE = 1_000_000
DEEPEST_NESTING = 40
MOST_REPEATED = 10_000

_TAGS: Final = tuple(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map"))
_TEXT_TAG: Final = _TAGS[0]
_HINTS: Final = (
    ("mapping values are not allowed", "quote a text that holds ': '"),
    ("unknown escape character", "write LaTeX in single quotes"),
    ("'\\t'", "indent with spaces"),
    ("cannot start any token", "quote a text that begins with this character"),
    ("flow sequence", "inside [...] and {...}, quote a text that holds [ ] { } , or :"),
    ("flow mapping", "inside [...] and {...}, quote a text that holds [ ] { } , or :"),
)


class RawScalar(Struct, frozen=True):
    """A scalar: its value, and its text with a place for every character."""

    value: Scalar
    source: Source
    place: Place
    size: int = 1

    @property
    def text(self) -> str:
        """The text as written, without quotes."""
        return self.source.text


class RawList(Struct, frozen=True):
    """A sequence."""

    items: tuple[RawNode, ...]
    place: Place
    size: int = 1


class RawMap(Struct, frozen=True):
    """A mapping in the order of the file, each key once."""

    entries: tuple[tuple[RawScalar, RawNode], ...]
    place: Place
    size: int = 1

    def get(self, key: str) -> RawNode | None:
        """The value of a key."""
        return next((value for name, value in self.entries if name.text == key), None)


RawNode = RawScalar | RawList | RawMap


class _Open(Struct):
    """A sequence or mapping that is being read."""

    is_map: bool
    start: int
    anchor: str | None
    nodes: list[RawNode] = field(default_factory=list)


def read_yaml(source: Source) -> tuple[RawNode | None, list[Diagnostic]]:
    """The tree of a YAML text, `None` if it is empty, and what is wrong but does not stop reading."""
    if len(source.text) > LARGEST_FILE:
        message = f"the file has {len(source.text)} characters; at most {LARGEST_FILE} are read"
        raise ProblemError(message, Source(source.name, "").place())
    builder = _Builder(source)
    try:
        for event in YAML(typ="safe", pure=True).parse(source.text):
            builder.take(event)
    except YAMLError as error:
        raise ProblemError(_diagnostic(source, error)) from None
    return builder.root, builder.diagnostics


class _Builder(Struct):
    source: Source
    root: RawNode | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _open: list[_Open] = field(default_factory=list)
    _anchors: dict[str, RawNode] = field(default_factory=dict)
    _documents: int = 0
    _repeated: int = 0

    def take(self, event: Any) -> None:
        """Add what a parsing event says."""
        start, end = event.start_mark.index, event.end_mark.index
        self._check_tag(event, self.source.place(start, end))
        match event:
            case DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise ProblemError("a file holds one problem", self.source.place(start, end))
            case ScalarEvent():
                self._add(self._scalar(event, start, end), event.anchor)
            case SequenceStartEvent() | MappingStartEvent():
                if len(self._open) >= DEEPEST_NESTING:
                    message = f"nested more than {DEEPEST_NESTING} deep"
                    raise ProblemError(message, self.source.place(start, end))
                self._open.append(_Open(isinstance(event, MappingStartEvent), start, event.anchor))
            case SequenceEndEvent() | MappingEndEvent():
                frame = self._open.pop()
                # A block ends where its last member does, not where the next thing begins.
                end = end if event.end_mark.index > start else frame.start
                self._add(self._closed(frame, end), frame.anchor)
            case AliasEvent():
                self._add(self._repeat(event.anchor, self.source.place(start, end)), None)

    def _scalar(self, event: Any, start: int, end: int) -> RawScalar:
        plain = event.style is None and event.tag != _TEXT_TAG
        if event.style in ("|", ">"):
            end = start + len(self.source.text[start:end].rstrip())
        text = scalar_source(self.source, start, end, event.value, event.style)
        return RawScalar(plain_value(event.value) if plain else event.value, text, self.source.place(start, end))

    def _closed(self, frame: _Open, end: int) -> RawNode:
        end = max([end, *(node.place.end for node in frame.nodes)])
        place = self.source.place(frame.start, end)
        size = 1 + sum(node.size for node in frame.nodes)
        if not frame.is_map:
            return RawList(tuple(frame.nodes), place, size)
        return RawMap(tuple(self._entries(frame.nodes)), place, size)

    def _entries(self, nodes: list[RawNode]) -> Iterator[tuple[RawScalar, RawNode]]:
        seen: dict[str, RawScalar] = {}
        for key, value in zip(nodes[::2], nodes[1::2], strict=True):
            if not isinstance(key, RawScalar):
                message = "a key is a name; quote a key that begins with a bracket"
                self.diagnostics.append(Diagnostic(message, key.place))
            elif key.text in seen:
                message = f"{key.text!r} stands here twice; the first is in line {seen[key.text].place.line}"
                self.diagnostics.append(Diagnostic(message, key.place))
            else:
                seen[key.text] = key
                yield key, value

    def _add(self, node: RawNode, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1].nodes.append(node)
        else:
            self.root = node

    def _repeat(self, anchor: str, place: Place) -> RawNode:
        if anchor not in self._anchors:
            raise ProblemError(f"nothing above is marked &{anchor}", place)
        node = self._anchors[anchor]
        self._repeated += node.size
        if self._repeated > MOST_REPEATED:
            raise ProblemError(f"*{anchor} repeats too much; the file would grow out of hand", place)
        return node

    def _check_tag(self, event: Any, place: Place) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in _TAGS:
            raise ProblemError(f"the type tag {tag} is not read; a problem holds texts and numbers only", place)


def _diagnostic(source: Source, error: YAMLError) -> Diagnostic:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    index: int = mark.index if mark is not None else getattr(error, "position", 0)
    what = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
    context = str(getattr(error, "context", None) or "")
    hint = next((hint for sign, hint in _HINTS if sign in what or sign in context), None)
    at = min(index, len(source.text))
    message = f"not YAML: {' '.join(filter(None, (context, what)))}"
    return Diagnostic(f"{message}; {hint}" if hint else message, source.place(at, at))
