"""Shapes that a writer states, x_t ∈ ℝᵈ: his letters for sizes mean what they first stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from symgrad.problem.texts import walk
from symgrad.syntax.tree import ListTree, Name, Subscript, Tree
from symgrad.verification.documents.claims import Claim
from symgrad.verification.errors import Outside, Unclear
from symgrad.verification.judging import verdicts as w
from symgrad.verification.judging.equations import Equation
from symgrad.verification.judging.spellings import aliased
from symgrad.verification.judging.verdicts import Judgement
from symgrad.verification.judging.words import shape_words
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.indices import choices, open_names
from symgrad.verification.meaning.integers import index
from symgrad.verification.meaning.meaning import Meaning
from symgrad.verification.meaning.readings import PLAIN, Notation
from symgrad.verification.meaning.values import Misfit

_AT_LEAST: Final = 2


def renamed(votes: Mapping[str, Counter[int]], own: Mapping[str, int]) -> dict[str, int]:
    """The letters that stand for another size than their own, from how often each was used for which.

    A letter changes its meaning where it does so more often than not, and more than once; and where the size that it
    has in the problem has gone to another letter.
    """
    chosen = {name: found.most_common(1)[0] for name, found in votes.items()}
    found: dict[str, int] = {}
    for name, (size, count) in sorted(chosen.items(), key=lambda item: -item[1][1]):
        alone = all(other == name or size != taken for other, (taken, _) in chosen.items())
        often = count >= _AT_LEAST and count > votes[name][own[name]]
        if size != own[name] and alone and (often or own[name] in found.values()):
            found[name] = size
    return found


@dataclass(slots=True)
class Shapes:
    """What the letters stand for that a writer uses for sizes, as sizes in the first world, which are all different.

    ``letters`` are new ones, by their first use; ``renamed`` are sizes of the problem that he consistently uses for
    others.
    """

    letters: dict[str, int] = field(default_factory=dict)
    renamed: dict[str, int] = field(default_factory=dict)

    def learn(self, bench: Bench, claims: Sequence[Claim], notation: Notation) -> None:
        """Learn which sizes have changed names: those that stand for another one more often than for themselves."""
        own = bench.worlds[0].sizes
        votes: dict[str, Counter[int]] = {}
        for claim in claims:
            if claim.kind != "shape" or claim.left is None or not isinstance(claim.right, ListTree):
                continue
            left = aliased(bench, Equation(claim.left, claim.right), notation)[0].left
            shape = self._shape(bench, left, notation)
            stated = claim.right.items
            if isinstance(shape, tuple) and len(shape) == len(stated):
                for tree, size in zip(stated, shape, strict=True):
                    if isinstance(tree, Name) and tree.id in own:
                        votes.setdefault(tree.id, Counter())[size] += 1
        self.renamed = renamed(votes, own)

    def judge(self, bench: Bench, left: Tree | None, sizes: ListTree, notation: Notation) -> Judgement:
        """The verdict on a stated shape."""
        if left is None:
            return Judgement(w.UNJUDGED, "it is not said what has this shape")
        equation, said = aliased(bench, Equation(left, sizes), notation)
        shape = self._shape(bench, equation.left, notation)
        if isinstance(shape, Judgement):
            return shape
        return self._compared(bench, equation.left, shape, sizes, notation, said)

    def _shape(self, bench: Bench, left: Tree, notation: Notation) -> tuple[int, ...] | Judgement:
        """The shape of a quantity in the first world, or why it has none."""
        kinds, loose = open_names((left,), bench.names, notation)
        world = bench.worlds[0]
        if loose:
            return Judgement(w.DEFINITION, f"{loose[0].id.strip()} is the writer's own name")
        meaning = Meaning(world, PLAIN, bench.names, notation)
        for ints in choices(kinds, bench.problem, world):
            try:
                return meaning.value(left, ints).shape
            except Outside:
                continue
            except (Unclear, Misfit) as error:
                return Judgement(w.UNJUDGED, str(error))
        return Judgement(w.UNJUDGED, "there is no step at which it says anything")

    def _compared(
        self, bench: Bench, left: Tree, shape: tuple[int, ...], sizes: ListTree, notation: Notation, said: str
    ) -> Judgement:
        stated = list(sizes.items)
        meaning = Meaning(bench.worlds[0], PLAIN, bench.names, notation)
        if not shape and len(stated) == 1:
            shape = (1,)
        letters = dict(self.letters)
        fits = len(stated) == len(shape) and all(
            self._is(meaning, tree, size, letters) for tree, size in zip(stated, shape, strict=True)
        )
        if fits:
            self.letters = letters
            own = {size: name for name, size in meaning.world.sizes.items()}
            names = {x.id for tree in stated for x in walk(tree) if isinstance(x, Name)}
            other = [f"{name} stands for {own[self.renamed[name]]}" for name in sorted(names & self.renamed.keys())]
            return Judgement(w.RIGHT, "; ".join(filter(None, (said, *other))))
        reason = f"it is {shape_words(shape, bench.worlds[0])}"
        return Judgement(
            w.WRONG, "; ".join(filter(None, (said, reason))), diagnosis=self._other(bench, meaning, left, stated)
        )

    def _is(self, meaning: Meaning, tree: Tree, size: int, letters: dict[str, int]) -> bool:
        """Whether a stated size is this one; a letter that is new stands for it from now on."""
        if isinstance(tree, Name) and tree.id not in meaning.world.sizes:
            return letters.setdefault(tree.id, size) == size
        try:
            return index(meaning, tree, {**letters, **self.renamed}) == size
        except (Unclear, Outside):
            return False

    def _other(self, bench: Bench, meaning: Meaning, left: Tree, stated: list[Tree]) -> str:
        """The quantity of that shape which may have been meant."""
        base = left.base if isinstance(left, Subscript) else left
        if not isinstance(base, Name):
            return ""
        try:
            wanted = tuple(index(meaning, tree, {**self.letters, **self.renamed}) for tree in stated)
        except (Unclear, Outside):
            return ""
        tail = base.id[1:]
        for name, family in bench.names.families.items():
            node = bench.worlds[0].node(name, (1,) * family.arity)
            if node is not None and node.shape == wanted and name != base.id and name[1:] == tail and tail:
                return f"wrong variable: {name} has this shape"
        return ""
