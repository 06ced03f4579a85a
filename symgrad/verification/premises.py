"""What a writer supposes on the way, `if f_t = 1`, `for x > 0`, `γ = 0`: how far it reaches, and what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct, field

from symgrad.calculus.dependency import reach
from symgrad.problem.texts import walk
from symgrad.source import Source
from symgrad.syntax.tree import Call, Compare, Name, Number, Tree
from symgrad.tensor.integers import symbols_of
from symgrad.tensor.nodes import Var
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import variables
from symgrad.verification.documents.claims import Claim
from symgrad.verification.documents.headings import Headings
from symgrad.verification.documents.parts import among_subscripts, base_name, own_parts
from symgrad.verification.judging.trials import is_atomic
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.supposing import Fixed, Premise

_ASIDE: Final = r"(?:\s+(?:that|now|again|also|we have|it holds that|all|every|each|any|e\.g\.))*[\s:*(]*$"
_CLAUSE: Final = re.compile(
    rf"\b(?:if|when|whenever|for|with|where|once|at|as long as|provided|in case|in the case){_ASIDE}", re.IGNORECASE
)
_STANDING: Final = re.compile(
    rf"\b(?:suppose|supposing|assume|assuming|let|given|consider|set|setting|take|taking|fix|fixing|put|putting){_ASIDE}",
    re.IGNORECASE,
)
_CONSTRAINT: Final = re.compile(
    rf"(?:\b(?:subject to|such that|constrained to|under (?:the|a) (?:constraint|condition))|\bs\.\s?t\.){_ASIDE}",
    re.IGNORECASE,
)
_BEHIND: Final = re.compile(rf"(?:^|: )[\s,(]*(?:only\s+)?(?:if|when|whenever|for|with|where|at|provided){_ASIDE}")
_AND: Final = re.compile(r"(?:^|: )[\s,]*(?:and|or)?[\s,]*$")
_COMMA: Final = re.compile(r"(?:^|: )[\s,]*$")
_SENTENCE_ENDS: Final = re.compile(r"(?<!\\left)(?<!\\right)(?<!e\.g)(?<!i\.e)[.!?](?=\s|\$|\\\]|\\end)")
_CONSTANTS: Final = frozenset({"pi", "e", "I", "𝐈", "𝟏", "inf"})


class _Stated(Struct, frozen=True):
    """A premise with its place: the claim, where it begins and ends, and whether it holds for its sentence only."""

    premise: Premise
    heading: int
    start: int
    end: int
    clause: bool


class Premises(Struct):
    """The premises of a document; ``now`` are those of the claim at which marking stands.

    ``supposing`` says whether that claim is a premise itself.
    """

    bench: Bench
    source: Source
    headings: Headings
    stated: dict[int, _Stated] = field(default_factory=dict)
    behind: dict[int, list[Premise]] = field(default_factory=dict)
    noted: list[Premise] = field(default_factory=list)
    now: tuple[Premise, ...] = ()
    supposing: bool = False
    _heading: int = 0

    def learn(self, claims: Sequence[Claim]) -> None:
        """Find what is supposed in words."""
        back: int | None = None
        for k, claim in enumerate(claims):
            before = claims[k - 1] if k else None
            constraint = _CONSTRAINT.search(claim.context) is not None
            clause = constraint or _CLAUSE.search(claim.context) is not None
            standing = _STANDING.search(claim.context) is not None
            earlier = self.stated.get(k - 1)
            same = before is not None and self._in_one_formula(before, claim)
            listed = earlier is not None and (same or _COMMA.search(claim.context) is not None)
            if earlier is not None and not same and _AND.search(claim.context):
                clause, standing = earlier.clause, not earlier.clause
            if not (clause or standing) or (listed and not self._is_another(earlier, claim)):
                continue
            premise = self._premise(claim) or (Premise(None, claim.latex) if constraint else None)
            if premise is None:
                continue
            start, end = self._extent(claim)
            self.stated[k] = _Stated(premise, self.headings.above(claim.place), start, end, clause)
            if before is not None and earlier is None and clause and _BEHIND.search(claim.context):
                back = k - 1
            elif earlier is None or not _AND.search(claim.context):
                back = None
            if back is not None:
                self._hold_behind(claims, back, premise)

    def go_to(self, index: int, claim: Claim) -> None:
        """Find what is supposed at a claim."""
        heading = self.headings.above(claim.place)
        if heading != self._heading:
            self._heading, self.noted = heading, []
        self.supposing = index in self.stated
        if self.supposing:
            self.now = ()
            return
        held = [*self.noted, *self._before(index, claim, heading), *self.behind.get(index, ())]
        self.now = tuple({_subject(p): p for p in held}.values())

    def note(self, claim: Claim) -> None:
        """From here to the next heading, what a claim fixes holds."""
        premise = self._premise(claim)
        if premise is not None:
            self.noted.append(premise)

    def _before(self, index: int, claim: Claim, heading: int) -> Iterator[Premise]:
        begins = self._extent(claim)[0]
        for k, one in self.stated.items():
            if k >= index or one.heading != heading:
                continue
            between = self.source.text[one.end : begins]
            if not one.clause or not _SENTENCE_ENDS.search(between):
                yield one.premise

    def _hold_behind(self, claims: Sequence[Claim], last: int, premise: Premise) -> None:
        """A premise that follows its line holds for the whole chain that ends before it."""
        at: int | None = last
        while at is not None:
            self.behind.setdefault(at, []).append(premise)
            at = claims[at].previous

    def _in_one_formula(self, one: Claim, other: Claim) -> bool:
        if one.context != other.context:
            return False
        between = self.source.text[self._extent(one)[1] : self._extent(other)[0]]
        return not any(sign in between for sign in ("$", r"\]", r"\)", "\n\n", "\\begin{"))

    def _is_another(self, earlier: _Stated | None, claim: Claim) -> bool:
        """Whether a line behind a premise and a comma is one, too: a number for what does not follow from the first."""
        name = base_name(claim.left) if claim.left is not None else None
        what = earlier.premise.what if earlier is not None else None
        if not isinstance(what, Fixed) or name is None or not isinstance(claim.right, Number):
            return False
        return name not in self._readers(what.name)

    def _readers(self, name: str) -> set[str]:
        """The families that depend on one at the same step, itself among them."""
        readers: dict[str, set[str]] = {}
        for d in self.bench.problem.system.definitions:
            for x in variables(d.body):
                if x.subs == d.indices or not _shifted(x, d):
                    readers.setdefault(x.name, set()).add(d.family)
        return reach(name, readers)

    def _premise(self, claim: Claim) -> Premise | None:
        """What a claim would suppose; None where it is not about the model, or says more than a value."""
        families = self.bench.names.families
        if claim.kind == "inequality":
            tree = claim.right if claim.left is None else _compared(claim)
            names = {x.id for x in walk(tree) if isinstance(x, Name)} if isinstance(tree, Compare) else set()
            indices = {*self.bench.names.indices, *among_subscripts(tree)} - self.bench.names.sizes.keys()
            known = bool(names & families.keys()) and names <= families.keys() | indices
            return Premise(tree, claim.latex) if known and isinstance(tree, Compare) else None
        if claim.kind == "shape" or claim.left is None or claim.previous is not None:
            return None
        name = base_name(claim.left)
        if name not in families or claim.relation not in ("=", "≈") or not self._is_value(claim.right):
            return None
        own, items = own_parts(claim.left)
        whole = own is not None and len(items) == families[name].arity
        usable = whole and all(isinstance(x, Number) or self._is_index(x) for x in items)
        return Premise(Fixed(name, items, claim.right) if usable else None, claim.latex)

    def _is_index(self, tree: Tree) -> bool:
        return isinstance(tree, Name) and tree.id not in self.bench.names.sizes

    def _is_value(self, tree: Tree) -> bool:
        """Whether a side is a constant, or another quantity of the model."""
        called = {x.func.id for x in walk(tree) if isinstance(x, Call)}
        names = {x.id for x in walk(tree) if isinstance(x, Name)} - called
        if names <= _CONSTANTS - self.bench.names.families.keys():
            return True
        return is_atomic(tree) and not called and base_name(tree) in self.bench.names.families

    def _extent(self, claim: Claim) -> tuple[int, int]:
        """Where a claim begins and ends in the document."""
        right = claim.place.resolved()
        left = claim.left.place.resolved().start if claim.left is not None else right.start
        return min(left, right.start), right.end


def _compared(claim: Claim) -> Tree:
    assert claim.left is not None
    return Compare((claim.relation,), (claim.left, claim.right), place=claim.right.place)


def _shifted(node: Var, reader: Definition) -> bool:
    """Whether a definition reads a node at another step than its own."""
    own = {s for i in reader.indices for s in symbols_of(i)}
    return bool(node.subs) and all(symbols_of(s) & own for s in node.subs if symbols_of(s))


def _subject(premise: Premise) -> object:
    """What a premise is about: a later one about the same takes its place."""
    what = premise.what
    return (what.name, what.items) if isinstance(what, Fixed) else premise.words
