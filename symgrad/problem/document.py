"""Reading a problem file: its form is checked, and everything wrong with it is said at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from symgrad.errors import Diagnostic, ProblemError, near
from symgrad.problem.fields import DOCUMENT, QUESTION_KINDS, SYMBOL, Field
from symgrad.problem.forms import number
from symgrad.problem.records import ProblemDocument, RawQuestion, RawStep, RawSymbol, sources_of, text_of
from symgrad.problem.yaml_tree import RawList, RawMap, RawNode, RawScalar, read_yaml
from symgrad.source import Place, Source
from symgrad.syntax.reading import parse_key, parse_range

HEADER: Final = ("author", "date", "course", "institution")
_KEPT: Final = "x-"
_NAME: Final = re.compile(r"[^\W\d]\w*")


def load_document(path_or_text: Path | str) -> ProblemDocument:
    """The problem in a file, or in a YAML text, which is what has several lines."""
    return read_document(load_source(path_or_text))


def load_source(path_or_text: Path | str) -> Source:
    """The text of a file, or a YAML text itself, which is what has several lines."""
    if isinstance(path_or_text, str) and ("\n" in path_or_text or path_or_text.lstrip().startswith("{")):
        return Source("<problem>", _normal(path_or_text))
    path = Path(path_or_text)
    nowhere = Source(str(path), "").place()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProblemError(f"cannot be opened: {error.strerror or error}", nowhere) from None
    except ValueError as error:
        raise ProblemError(f"cannot be opened: {error}", nowhere) from None
    try:
        return Source(str(path), _normal(data.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProblemError(f"not UTF-8 text: byte {data[error.start]:#04x} in line {line}", nowhere) from None


def read_document(source: Source) -> ProblemDocument:
    """The problem a YAML text declares.

    Raises:
        ProblemError: something is wrong with its form; the error holds everything that is.
    """
    document = parse_document(source)
    if document.faults:
        raise ProblemError(document.faults)
    return document


def parse_document(source: Source) -> ProblemDocument:
    """The problem a YAML text declares, without the parts that are wrong by themselves, and what is wrong with them.

    Raises:
        ProblemError: so much is wrong that the rest means little, such as a part of the file under a misspelt name.
    """
    root, diagnostics = read_yaml(source)
    if not isinstance(root, RawMap):
        message = "a problem is a mapping: title, symbols, model, questions"
        place = root.place if root is not None else source.place(0, 0)
        raise ProblemError([*diagnostics, Diagnostic(message, place)])
    reader = _Reader(source, root, diagnostics)
    document = reader.document()
    ordered = sorted(reader.diagnostics, key=lambda d: d.place.resolved().start if d.place else 0)
    faults = tuple(dict.fromkeys(ordered))
    if reader.lost:
        raise ProblemError(faults)
    return replace(document, faults=faults, broken=frozenset(reader.broken))


def with_question(document: ProblemDocument, written: Source) -> ProblemDocument:
    """The document with one question instead of its own, written as a mapping.

    Raises:
        ProblemError: what is wrong with it.
    """
    root, diagnostics = read_yaml(written)
    if not isinstance(root, RawMap):
        raise ProblemError([*diagnostics, Diagnostic("a question is a mapping", written.place())])
    reader = _Reader(written, root, diagnostics)
    question = reader.question(root, {})
    if reader.diagnostics or question is None:
        raise ProblemError(dict.fromkeys(reader.diagnostics))
    return replace(document, questions=(question,))


class _Reader(Struct):
    source: Source
    root: RawMap
    diagnostics: list[Diagnostic]
    broken: set[str] = field(default_factory=set)
    lost: bool = False

    def document(self) -> ProblemDocument:
        """The whole file."""
        root = self.root
        known = {section.name for section in DOCUMENT}
        self.lost = bool(self.diagnostics) or any(
            key.text not in known and not key.text.startswith(_KEPT) for key, _ in root.entries
        )
        self.check_fields(root, DOCUMENT, "a problem")
        self.broken |= {name[0] for name in map(_NAME.match, _misread(root.get("model"))) if name is not None}
        relu_at_zero, index_base = root.get("relu_at_zero"), root.get("index_base")
        return ProblemDocument(
            source=self.source,
            title=text_of(root.get("title")),
            about=text_of(root.get("about")),
            header=tuple((name, text_of(root.get(name))) for name in HEADER if text_of(root.get(name))),
            logo=next(iter(sources_of(root.get("logo"))), None),
            symbols=self.symbols(),
            steps=self.steps(),
            model=sources_of(root.get("model")),
            questions=self.questions(),
            assume=sources_of(root.get("assume")),
            layout=text_of(root.get("layout")) or None,
            index_base=0 if text_of(index_base) == "0" else 1,
            relu_at_zero=number(relu_at_zero) if isinstance(relu_at_zero, RawScalar) else Fraction(0),
        )

    def complain(self, message: str, place: Place, suggestion: str | None = None) -> None:
        """Note what is wrong, and go on."""
        self.diagnostics.append(Diagnostic(message, place, suggestion))

    def check_fields(self, node: RawMap, fields: tuple[Field, ...], owner: str) -> None:
        """Each field is known and has the form it should have, and none is missing."""
        known = {known_field.name: known_field for known_field in fields}
        for key, value in node.entries:
            if key.text in known:
                self.diagnostics.extend(known[key.text].form.complaints(value))
            elif not (key.text.startswith(_KEPT) and fields is DOCUMENT):
                self.complain(f"{owner} has no field {key.text!r}", key.place, near(key.text, known))
        for name, known_field in known.items():
            if known_field.required and node.get(name) is None:
                self.complain(f"{owner} needs the field {name!r}: {known_field.about}", _head(node))

    def section(self, name: str) -> tuple[tuple[RawScalar, RawNode], ...]:
        """The entries of a part of the file that is a mapping."""
        node = self.root.get(name)
        if node is None or (isinstance(node, RawScalar) and node.value is None):
            return ()
        if not isinstance(node, RawMap):
            self.complain(f"{name!r} is a mapping of names", _head(node))
            self.lost = True
            return ()
        return node.entries

    def symbols(self) -> tuple[RawSymbol, ...]:
        """The declared symbols."""
        found: list[RawSymbol] = []
        for key, value in self.section("symbols"):
            before = len(self.diagnostics)
            symbol = self.symbol(key, value)
            if symbol is not None and len(self.diagnostics) == before:
                found.append(symbol)
            elif (name := _NAME.match(key.text)) is not None:
                self.broken.add(name[0])
        return tuple(found)

    def symbol(self, key: RawScalar, value: RawNode) -> RawSymbol | None:
        """One declared symbol; a bare number is its value."""
        declared: RawMap | None = None
        values: RawNode | None = None
        match value:
            case RawMap():
                declared = value
                self.check_fields(value, SYMBOL, "a symbol")
                values = value.get("values")
            case RawScalar(None | ""):
                pass
            case RawScalar(bool() | str()) if not _is_fraction(value):
                message = f"what {key.text!r} is belongs in braces, {{shape: n}}; a bare value is a number"
                self.complain(message, value.place)
            case RawScalar():
                values = value
            case RawList():
                self.complain("a shape belongs in braces, {shape: [n, m]}", value.place)
        try:
            tree = parse_key(key.source)
        except ProblemError as error:
            self.diagnostics.extend(error.diagnostics)
            return None
        shape = declared.get("shape") if declared else None
        latex = declared.get("latex") if declared else None
        return RawSymbol(
            key=tree,
            text=key.text,
            shape=None if shape is None else sources_of(shape),
            facts=sources_of(declared.get("is")) if declared else (),
            latex=None if latex is None else text_of(latex),
            values=values,
            range=declared.get("range") if declared else None,
            about=text_of(declared.get("about")) if declared else "",
            place=key.place,
        )

    def steps(self) -> tuple[RawStep, ...]:
        """The index ranges."""
        steps = []
        for key, value in self.section("steps"):
            if not key.text.isidentifier():
                self.complain("a step index is a plain name, {t: 1..3}", key.place)
            elif not isinstance(value, RawScalar) or value.value is None:
                self.complain("the range of a step is lo..hi, {t: 1..3}", value.place)
                self.broken.add(key.text)
            else:
                try:
                    steps.append(RawStep(key.text, parse_range(value.source), key.place))
                except ProblemError as error:
                    self.diagnostics.extend(error.diagnostics)
                    self.broken.add(key.text)
        return tuple(steps)

    def questions(self) -> tuple[RawQuestion, ...]:
        """What is asked."""
        node = self.root.get("questions")
        if node is None or (isinstance(node, RawScalar) and node.value is None):
            return ()
        if not isinstance(node, RawList):
            self.complain("'questions' is a list; each begins with '- '", _head(node))
            return ()
        ids: dict[str, Place] = {}
        found: list[RawQuestion] = []
        for item in node.items:
            before = len(self.diagnostics)
            question = self.question(item, ids)
            if question is not None and len(self.diagnostics) == before:
                found.append(question)
        return tuple(found)

    def question(self, node: RawNode, ids: dict[str, Place]) -> RawQuestion | None:
        """One question, with the fields its kind has."""
        if not isinstance(node, RawMap):
            self.complain("a question is a mapping, {id: a1, ask: derivative, ...}", node.place)
            return None
        self.check_id(node.get("id"), ids)
        ask = node.get("ask")
        kind = QUESTION_KINDS.get(text_of(ask))
        if kind is not None:
            self.check_fields(node, kind.all_fields, kind.named)
            if kind.one_of and not any(node.get(name) for name in kind.one_of):
                self.complain(f"{kind.named} needs {' or '.join(kind.one_of)}", _head(node))
        elif ask is None:
            self.complain("a question needs the field 'ask': the kind of question", _head(node))
        else:
            text = text_of(ask)
            self.complain(f"there is no question of kind {text!r}", ask.place, near(text, QUESTION_KINDS))
        return RawQuestion(text_of(node.get("id")), text_of(ask), node, node.place)

    def check_id(self, node: RawNode | None, ids: dict[str, Place]) -> None:
        """An id is an identifier, and no other question has it."""
        if node is None:
            return
        text = text_of(node)
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
            self.complain("an id is an identifier: letters, digits and _", node.place)
        elif text in ids:
            self.complain(f"{text!r} is the id of two questions; the first is in line {ids[text].line}", node.place)
        else:
            ids[text] = node.place


def _misread(model: RawNode | None) -> Iterator[str]:
    """The left sides of definitions that YAML takes for mappings, `- h: tanh(x)`."""
    items = model.items if isinstance(model, RawList) else (model,)
    return (key.text for item in items if isinstance(item, RawMap) for key, _ in item.entries)


def _head(node: RawNode) -> Place:
    """The first line of a mapping or list, for what is wrong with all of it."""
    end = node.place.source.text.find("\n", node.place.start)
    return Place(node.place.source, node.place.start, min(node.place.end, end) if end >= 0 else node.place.end)


def _is_fraction(node: RawScalar) -> bool:
    return isinstance(node.value, str) and re.fullmatch(r"-?[0-9]+\s*/\s*[0-9]+", node.value) is not None


def _normal(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
