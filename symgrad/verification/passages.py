"""Which question a passage of an answer is about: by its label, its heading, the words and the numbers before it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from msgspec import Struct

from symgrad.problem.model import Problem, Question
from symgrad.source import Place, Source
from symgrad.tensor.nodes import Call, Expr, Var
from symgrad.tensor.walk import postorder
from symgrad.verification.documents.headings import Headings

_WORD: Final = re.compile(r"[A-Za-z]+")
_NUMBER: Final = re.compile(r"(?<![\w.])\d+(?![\w.]*\d)")
_LABEL: Final = re.compile(r"^[ \t>*#-]*\(?([a-h]|[ivx]{1,4})[.)]")
_NUMBERED: Final = re.compile(
    r"^[#*\s]*(?:\\(?:sub)*section\*?\{)?\s*(?:(?:problem|question|exercise|task|part|q)\s*)?(\d+(?:\.\d+)*)",
    re.IGNORECASE,
)
_CALLED: Final = re.compile(r"^(?:problem|question|exercise|task|part|ex|q|p)(?=\d|[a-h]$)")
_IDLE: Final = frozenset(
    ("what", "which", "many", "does", "have", "with", "that", "this", "from", "there", "given", "their", "whose",
     "into", "when", "show", "compute", "find", "derive", "write", "expression", "total", "where", "your", "give",
     "each")
)  # fmt: skip
_KINDS: Final = (
    (re.compile(r"parameter|weights", re.IGNORECASE), "parameters"),
    (re.compile(r"multiplication|\bmuls?\b", re.IGNORECASE), "multiplications"),
    (re.compile(r"addition|\badds?\b", re.IGNORECASE), "additions"),
    (re.compile(r"\bmacs?\b|multiply-acc", re.IGNORECASE), "macs"),
    (
        re.compile(r"\boutput|feature map|what (?:is|are|will be) the (?:\w+ )?(?:size|shape|dim)", re.IGNORECASE),
        "shape",
    ),
)
_SAYS: Final = re.compile(
    r"output|result|answer|feature map|\b(?:so|hence|thus|therefore|gives?|yields?|get|becomes?)\b|[=⇒→:]\s*$",
    re.IGNORECASE,
)
_GIVES: Final = re.compile(r"input|image|picture|kernel|filter|padd|strid|given|window|patch", re.IGNORECASE)
_BEFORE_ALONE: Final = re.compile(
    r"[\s>*•$\\\[(-]*(?:\(?(?:[a-h]|[ivx]{1,4}|\d+)[.)]+)?[\s*]*(?:(?:answer|solution|ans|sol)\s*[:.]?)?[\s*$\\\[(]*",
    re.IGNORECASE,
)
_BEHIND_ALONE: Final = re.compile(r"[\s*$\\\])._,;]*")
_ENOUGH: Final = 0.7
_AHEAD: Final = 0.2
_FEWEST: Final = 3
_LONGEST: Final = 10
_FARTHEST: Final = 3000


class Signature(Struct, frozen=True):
    """What a passage about a question says: the numbers that its quantity is made of, and the words of its prompt."""

    question: Question
    kind: str
    numbers: frozenset[int]
    shapes: frozenset[tuple[int, ...]]
    words: frozenset[str]


@dataclass(eq=False)
class Passages:
    """The passages of one answer to one problem."""

    problem: Problem
    source: Source
    headings: Headings = field(init=False)
    parts: Headings = field(init=False)

    def __post_init__(self) -> None:
        self.headings = Headings.of(self.source)
        self.parts = Headings.and_parts(self.source)

    @cached_property
    def signatures(self) -> tuple[Signature, ...]:
        """The questions of the problem, by what is said of them."""
        return tuple(_signature(self.problem, q) for q in self.problem.questions)

    def question(self, place: Place, asks: Collection[str]) -> str | None:
        """The question of one of some kinds that a place belongs to, where one is clearly meant."""
        wanted = [s for s in self.signatures if s.question.ask in asks]
        passage, heading = self._before(place), self._line(self.headings, place)
        named = _by_words(wanted, f"{heading} {passage}") or self.labelled(place, asks)
        if named is not None:
            return named
        end = place.resolved().start
        start = max(self._start(self.headings, place), end - _FARTHEST)
        kind = _last_kind(passage) or _last_kind(self.source.text[start:end])
        return _by_numbers(wanted, passage, kind)

    def labelled(self, place: Place, asks: Collection[str]) -> str | None:
        """The question of one of some kinds whose id the label or the heading above a place is."""
        found = [q.id for q in self.problem.questions if q.ask in asks and self._is_labelled(q.id, place)]
        return found[0] if len(found) == 1 else None

    def concludes(self, place: Place) -> bool:
        """Whether a value stands where an answer does: alone, or behind the words that announce one."""
        at = place.resolved()
        text = at.source.text
        start, end = text.rfind("\n", 0, at.start) + 1, text.find("\n", at.end)
        before, behind = text[start : at.start], text[at.end : end if end >= 0 else len(text)]
        if _BEFORE_ALONE.fullmatch(before) and _BEHIND_ALONE.fullmatch(behind):
            return True
        clause = re.split(r"[.;!?]\s|\bwith\b|\bfor\b", before)[-1]
        says = [found.end() for found in _SAYS.finditer(clause)]
        gives = [found.end() for found in _GIVES.finditer(clause)]
        return bool(says) and says[-1] > max(gives, default=0)

    def is_given(self, question: str, sizes: object) -> bool:
        """Whether sizes are those of something that the question starts from."""
        return any(s.question.id == question and sizes in s.shapes for s in self.signatures)

    # Where it stands

    def _start(self, divisions: Headings, place: Place) -> int:
        at = divisions.above(place)
        return divisions.starts[at - 1] if at else 0

    def _line(self, divisions: Headings, place: Place) -> str:
        """The line with which a division begins."""
        start = self._start(divisions, place)
        end = self.source.text.find("\n", start)
        line = self.source.text[start : end if end >= 0 else None]
        return line[:_FARTHEST] if divisions.above(place) else ""

    def _before(self, place: Place) -> str:
        """What stands between the beginning of the part and a place, from the last item of a list on."""
        end = place.resolved().start
        start = max(self._start(self.parts, place), end - _FARTHEST)
        item = max(self.source.text.rfind(f"\n{sign} ", start, end) for sign in "•*-")
        return self.source.text[max(start, item) : end]

    def _is_labelled(self, question: str, place: Place) -> bool:
        """Whether the label or heading above a place is the id of a question: (a) under 1 for a1, `# Best` for best."""
        heading, part = self._line(self.headings, place), self._line(self.parts, place)
        called = "".join(re.findall(r"[a-z0-9]+", question.casefold()))
        called = _CALLED.sub("", called)
        label, number = _LABEL.match(part), _NUMBERED.match(heading)
        letter = label[1] if label is not None and self.parts.above(place) else ""
        counted = number[1].replace(".", "") if number is not None else ""
        spelled = {f"{counted}{letter}", f"{letter}{counted}"} | ({letter} if letter else set())
        words = {w.casefold() for w in _WORD.findall(heading)}
        own = set(_WORD.findall(question.casefold()))
        return called in spelled - {""} or (bool(own) and (own == words or (len(own) > 1 and own <= words)))


# What is said of a question


def _signature(problem: Problem, question: Question) -> Signature:
    words = frozenset(_content(question.prompt))
    kind = "shape" if question.ask == "shape" else question.word("what") or ""
    if question.ask not in ("shape", "count", "evaluate") or not question.several("of"):
        return Signature(question, kind, frozenset(), frozenset(), words)
    numbers: set[int] = set()
    shapes: set[tuple[int, ...]] = set()
    for node in _upstream(problem, question.of.expr):
        if isinstance(node, Var) and not problem.system.family(node.name):
            sizes = tuple(int(n) for n in node.shape if str(n).isdigit())
            numbers.update(sizes)
            shapes.add(sizes)
        elif isinstance(node, Call):
            numbers.update(_integers(value for _, value in node.params))
    return Signature(question, kind, frozenset(n for n in numbers if n > 1), frozenset(shapes), words)


def _upstream(problem: Problem, of: Expr) -> Iterator[Expr]:
    """The nodes that an expression is made of, through the definitions of names, every family of them once."""
    waiting, seen, families = [of], set[Expr](), set[str]()
    while waiting:
        for node in postorder(waiting.pop()):
            if node in seen:
                continue
            seen.add(node)
            yield node
            if isinstance(node, Var) and node.name not in families:
                families.add(node.name)
                waiting.extend(d.body for d in problem.system.family(node.name))


def _integers(values: Iterator[object]) -> Iterator[int]:
    for value in values:
        if isinstance(value, tuple | list):
            yield from _integers(iter(value))
        elif str(value).isdigit():
            yield int(str(value))


def _content(text: str) -> Iterator[str]:
    """The words that say something, without the endings of plurals."""
    for word in _WORD.findall(text.casefold()):
        if len(word) > _FEWEST and word not in _IDLE:
            yield word.removesuffix("s")


def _by_numbers(wanted: Collection[Signature], passage: str, kind: str) -> str | None:
    """The question of a kind all of whose numbers a passage has."""
    there = {int(n) for n in _NUMBER.findall(passage) if len(n) < _LONGEST}
    covered = [s for s in wanted if len(s.numbers) > 1 and s.numbers <= there]
    most = max((len(s.numbers) for s in covered), default=0)
    chosen = [s for s in covered if len(s.numbers) == most and s.kind == (kind or s.kind)]
    return chosen[0].question.id if len(chosen) == 1 else None


def _last_kind(text: str) -> str:
    """What a text asks for last: a shape, or what is counted."""
    found = [(match.end(), kind) for pattern, kind in _KINDS for match in pattern.finditer(text)]
    return max(found, default=(0, ""))[1]


def _by_words(wanted: Collection[Signature], text: str) -> str | None:
    """The question whose prompt a passage repeats."""
    there = set(_content(text))
    scores = sorted(
        ((len(s.words & there) / len(s.words), s.question.id) for s in wanted if len(s.words) >= _FEWEST), reverse=True
    )
    if not scores or scores[0][0] < _ENOUGH or (len(scores) > 1 and scores[0][0] - scores[1][0] < _AHEAD):
        return None
    return scores[0][1]
