"""What is known of a writer while an answer is marked: names and their meanings, under which heading, premises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from symgrad.problem.texts import walk
from symgrad.source import Source
from symgrad.syntax.tree import Call, Name, Number, Tree
from symgrad.verification.documents.claims import Claim
from symgrad.verification.documents.headings import Headings
from symgrad.verification.documents.parts import among_subscripts, base_name, own_parts
from symgrad.verification.judging.adjoints import customary_adjoint
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.extension import Extensions, outer_function
from symgrad.verification.meaning.readings import Adjoint, Defined, Notation
from symgrad.verification.meaning.subscripts import whole_name
from symgrad.verification.meaning.wholes import stacks
from symgrad.verification.premises import Premises

_MOST_NODES = 12
_MOST_ENTRIES = 2
_ACCENTS = ("hat", "tilde", "bar")


@dataclass(eq=False)
class Writer:
    """The names of one writer.

    Attributes:
        bench: the problem that he answers.
        wide: the same with the nodes that he names, ``own`` are their names.
        notation: what his names mean so far.
        early: what they will turn out to mean, where they are explained behind their use.
        premises: what he supposes.
        indices: the names that stand among subscripts somewhere.
        accumulated: the names to which something is added with +=.
    """

    bench: Bench
    extensions: Extensions
    source: Source
    wide: Bench = field(init=False)
    notation: Notation = field(default_factory=Notation)
    early: Notation = field(default_factory=Notation)
    own: set[str] = field(default_factory=set)
    premises: Premises = field(init=False)
    indices: set[str] = field(default_factory=set)
    accumulated: set[str] = field(default_factory=set)
    heading: int = 0
    headings: Headings = field(init=False)
    _anew: dict[int, Notation] = field(default_factory=dict)
    _ended: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.wide = self.bench
        self.headings = Headings.of(self.source)
        self.premises = Premises(self.bench, self.source, self.headings)

    # Headings

    def go_to(self, claim: Claim, index: int) -> None:
        """Go on at a claim: under another heading, what is defined anew there is forgotten."""
        self.notation.where = claim.where
        self.premises.go_to(index, claim)
        heading = self.headings.above(claim.place)
        if heading == self.heading:
            return
        self.heading = heading
        for name, meanings in self._anew.get(heading, Notation()).names.items():
            if not any(isinstance(m, Adjoint) for m in self.notation.names.get(name, ())):
                self.notation.let(name, ())
                self.early.let(name, meanings)

    # Names

    def learn(self, claims: Sequence[Claim]) -> None:
        """Learn the names that the writer gives, also those explained behind their use: `…, where D_t = …`."""
        self.indices = {name for c in claims for side in (c.left, c.right) for name in among_subscripts(side)}
        self.accumulated = {base_name(c.left) for c in claims if c.left is not None and c.relation == "+="}
        self.premises.learn(claims)
        self._learn_adjoints(claims)
        self._learn_wholes(claims)
        self._learn_arguments(claims)
        for at, claim in enumerate(claims):
            name, pattern = own_parts(claim.left) if claim.left is not None else (None, ())
            if name is None or not self._defines(claim, name):
                continue
            last = self._last_number(claims, at)
            if last is None and len(self.own) < _MOST_NODES:
                wider = self.extensions.of(self.wide, name, pattern, claim.right, self.notation)
                if wider is not None:
                    self.wide = wider
                    self.own.add(name)
                    continue
            self._suppose(claim, Defined(name, pattern, last or claim.right))
        if self.own:
            self._learn_adjoints(claims)

    def _defines(self, claim: Claim, name: str) -> bool:
        """Whether a claim gives a meaning to a name of the writer's."""
        first = claim.previous is None and claim.kind in ("equation", "definition") and claim.relation == "="
        return first and not self._is_taken(name) and name not in self.indices

    def _is_taken(self, name: str) -> bool:
        """Whether a name has a meaning already."""
        known = self.bench.names
        spoken = (known.families, known.sizes, known.functions, known.densities, known.indices)
        return name in self.notation.names or name in self.own or any(name in names for names in spoken)

    def _learn_adjoints(self, claims: Sequence[Claim]) -> None:
        """Learn what δh stands for, where h is a quantity and the model has a loss: ∂L/∂h."""
        names = {x.id: x for c in claims for x in names_in(c) if x.id.startswith(("δ", "d"))}
        bare: dict[str, set[int]] = {}
        for claim in claims:
            name, items = own_parts(claim.left) if claim.left is not None else (None, ())
            if name in names:
                bare.setdefault(name, set()).add(len(items))
        for name, tree in names.items():
            adjoint = customary_adjoint(self.wide, tree) if name not in self.notation.names else None
            if adjoint is None:
                continue
            arity = self.wide.names.families[adjoint.family].arity
            if all(arity <= count <= arity + _MOST_ENTRIES for count in bare.get(name, ())):
                self.notation.define(adjoint)

    def _learn_wholes(self, claims: Sequence[Claim]) -> None:
        """Learn what w_t stands for, where the model has w_{i,t} and stacks all of them: a node of its own."""
        used = {x.id: x.place for c in claims for x in names_in(c)}
        for family in self.bench.subscripts.letters:
            name = whole_name(family)
            for step, stack in stacks(self.bench, family, used[name]) if name in used else ():
                wider = self.extensions.of(self.wide, name, (step,), stack, self.notation)
                if wider is not None:
                    self.wide = wider
                    self.own.add(name)

    def _learn_arguments(self, claims: Sequence[Claim]) -> None:
        """Learn what a_t stands for in h_t = tanh(a_t), and ĥ_t where nobody says: what the function is taken of."""
        defined = {own_parts(c.left)[0] for c in claims if c.left is not None and c.previous is None}
        meant: dict[str, str] = {}
        for claim in claims:
            family, pattern = own_parts(claim.left) if claim.left is not None else (None, ())
            match claim.right:
                case Call(func, (argument,), ()) if family in self.bench.names.families:
                    name, items = own_parts(argument)
                    if name is not None and items == pattern and outer_function(self.bench, family) == func.id:
                        meant.setdefault(name, family)
        for name in dict.fromkeys(x.id for c in claims for x in names_in(c)):
            stem = name.removeprefix("δ")
            family = next((stem.removesuffix(a) for a in _ACCENTS if stem.endswith(a)), "")
            if family in self.bench.names.families:
                meant.setdefault(stem, family)
        for name, family in meant.items():
            if name in defined or self._is_taken(name) or len(self.own) >= _MOST_NODES:
                continue
            wider = self.extensions.of_argument(self.wide, name, family)
            if wider is not None:
                self.wide = wider
                self.own.add(name)

    def _last_number(self, claims: Sequence[Claim], at: int) -> Tree | None:
        """The number at the end of a chain, A = B = 0, which every writer's name in it stands for; None without one."""
        end = at
        while end + 1 < len(claims) and claims[end + 1].previous == end:
            end += 1
        last = claims[end].right
        if end == at or not isinstance(last, Number):
            return None
        for claim in claims[at:end]:
            name, items = own_parts(claim.right)
            if name is not None and name not in self.bench.names.families:
                self._suppose(claim, Defined(name, items, last))
        return last

    def _suppose(self, claim: Claim, meaning: Defined) -> None:
        """Note a definition, for what stands before it under the same heading, and where there is no other."""
        here = self._anew.setdefault(self.headings.above(claim.place), Notation())
        here.define(meaning)
        known = self.early.names.get(meaning.name)
        if known is None or here.names[meaning.name][0] in known:
            self.early.define(meaning)

    def bench_for(self, *trees: Tree | None) -> Bench:
        """The bench on which what is written has a meaning: the model, with the writer's nodes where they are named."""
        names = {x.id for tree in trees if tree is not None for x in walk(tree) if isinstance(x, Name)}
        return self.wide if self.own and self._rests_on_own(names) else self.bench

    def _rests_on_own(self, names: set[str]) -> bool:
        """Whether some names are the writer's nodes, or mean something in which these occur: δ_t for ∂L/∂a_t."""
        seen: set[str] = set()
        waiting = set(names)
        while waiting:
            name = waiting.pop()
            if name in self.own:
                return True
            seen.add(name)
            for meaning in self.notation.names.get(name, ()):
                body = meaning.body if isinstance(meaning, Defined) else Name(meaning.family, place=meaning.loss.place)
                waiting |= {x.id for x in walk(body) if isinstance(x, Name)} - seen
        return False

    def with_later_names(self, *trees: Tree) -> Notation | None:
        """The notation with what names in some trees will turn out to mean; None where there are none."""
        later = {x.id for t in trees for x in walk(t) if isinstance(x, Name) and x.id in self.early.names}
        if not later - self.notation.names.keys():
            return None
        notation = self.notation.copy()
        for name in self._needed(later):
            if name not in notation.names:
                notation.let(name, self.early.names[name])
        return notation

    def _needed(self, names: set[str]) -> set[str]:
        """The names with those that their meanings use."""
        found: set[str] = set()
        waiting = set(names)
        while waiting:
            name = waiting.pop()
            found.add(name)
            for meaning in self.early.names[name]:
                if isinstance(meaning, Defined):
                    inside = {x.id for x in walk(meaning.body) if isinstance(x, Name)}
                    waiting |= {x for x in inside if x in self.early.names} - found
        return found

    def take(self, notation: Notation) -> None:
        """Keep the meanings of a notation that was tried."""
        for name, meanings in notation.names.items() if notation is not self.notation else ():
            if name not in self.notation.names:
                self.notation.let(name, meanings)

    def added_at(self, left: Tree) -> tuple[Adjoint, Name] | None:
        """Of δW_t, where W is the same at every step, what δW is, and the step; None for any other side."""
        name, items = own_parts(left)
        step = items[0] if len(items) == 1 else None
        if name is None or not isinstance(step, Name) or step.id not in {s.name for s in self.bench.names.steps}:
            return None
        found = [m for m in self.notation.names.get(name, ()) if isinstance(m, Adjoint)]
        plain = [m for m in found if self.wide.names.families[m.family].arity == 0]
        return (plain[0], step) if plain else None

    def ends_in(self, name: str, items: tuple[Tree, ...], left: Tree) -> bool:
        """Take a name at the end of a line, `… = δ_2`, for a new one; whether it is none under this heading already."""
        if self._ended.get(name) == self.heading:
            return False
        self.notation.define(Defined(name, items, left))
        self._ended[name] = self.heading
        return True


def names_in(claim: Claim) -> Iterator[Name]:
    """The names in a claim."""
    for side in (claim.left, claim.right):
        if side is not None:
            yield from (x for x in walk(side) if isinstance(x, Name))
