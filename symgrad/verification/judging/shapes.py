"""Shapes that a writer states, x_t ∈ ℝᵈ: his letters for sizes mean what they first stand for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from symgrad.problem.texts import walk
from symgrad.syntax.tree import Call, ListTree, Name, Subscript, Tree
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
from symgrad.verification.meaning.world import World

_AT_LEAST: Final = 2
_TOLD_APART: Final = (0, 2)
"""The worlds in which sizes differ from one another; two, so that 2n is not m by chance."""

Size = tuple[int, ...]
"""The length of an axis in each of these worlds."""


def renamed(votes: Mapping[str, Counter[Size]], own: Mapping[str, Size]) -> dict[str, Size]:
    """The letters that stand for another size than their own, from how often each was used for which.

    A letter changes its meaning where it does so more often than not, and more than once; and where the size that it
    has in the problem has gone to another letter.
    """
    chosen = {name: found.most_common(1)[0] for name, found in votes.items()}
    found: dict[str, Size] = {}
    for name, (size, count) in sorted(chosen.items(), key=lambda item: -item[1][1]):
        alone = all(other == name or size != taken for other, (taken, _) in chosen.items())
        often = count >= _AT_LEAST and count > votes[name][own[name]]
        if size != own[name] and alone and (often or own[name] in found.values()):
            found[name] = size
    return found


class _Shape(Struct, frozen=True):
    """The sizes of a quantity; of a derivative, ``cut`` axes are those of what is differentiated."""

    sizes: tuple[Size, ...]
    cut: int | None = None

    def readings(self) -> Iterator[tuple[tuple[Size, ...], str, str]]:
        """The shapes under which it may be stated, each with the verdict and its reason."""
        one, sizes, cut = self._one, self.sizes, self.cut
        yield sizes, w.RIGHT, ""
        if len(sizes) < 2:
            yield (*sizes, one), w.RIGHT, ""
        if len(sizes) == 1:
            said = "a gradient lies down in the other layout" if cut == 0 else "right with vectors lying down"
            yield (one, *sizes), w.OTHER_LAYOUT, said
        if not sizes:
            yield (one, one), w.RIGHT, ""
        if cut is not None:
            turned = (*sizes[cut:], *sizes[:cut]) if cut else sizes[::-1]
            yield turned, w.OTHER_LAYOUT, "the other layout of derivatives"
            flat = (self._product(sizes[:cut]), self._product(sizes[cut:]))
            for several in (flat, flat[::-1]):
                yield several, w.RIGHT_IF, "right if each tensor is written as one vector"
        bare = tuple(size for size in sizes if size != one)
        if bare != sizes:
            yield bare, w.RIGHT_IF, "right if an axis of length 1 is left out"
        for k in range(len(sizes) + 1):
            more = (*sizes[:k], one, *sizes[k:])
            yield more, w.RIGHT_IF, "right if an axis of length 1 is put in"

    @property
    def _one(self) -> Size:
        return (1,) * len(_TOLD_APART)

    def _product(self, sizes: tuple[Size, ...]) -> Size:
        return tuple(math.prod(column) for column in zip(*sizes, strict=True)) if sizes else self._one


class Shapes(Struct):
    """What the letters stand for that a writer uses for sizes.

    ``letters`` are new ones, by their first use; ``renamed`` are sizes of the problem that he consistently uses for
    others.
    """

    letters: dict[str, Size] = field(default_factory=dict)
    renamed: dict[str, Size] = field(default_factory=dict)

    def learn(self, bench: Bench, claims: Sequence[Claim], notation: Notation) -> None:
        """Learn which sizes have changed names: those that stand for another one more often than for themselves."""
        worlds = _worlds(bench)
        own = {name: tuple(world.sizes[name] for world in worlds) for name in worlds[0].sizes}
        votes: dict[str, Counter[Size]] = {}
        for claim in claims:
            if claim.kind != "shape" or claim.left is None or not isinstance(claim.right, ListTree):
                continue
            left = aliased(bench, Equation(claim.left, claim.right), notation)[0].left
            shape = _shape(bench, left, notation)
            stated = claim.right.items
            if isinstance(shape, _Shape) and len(shape.sizes) == len(stated):
                for tree, size in zip(stated, shape.sizes, strict=True):
                    if isinstance(tree, Name) and tree.id in own:
                        votes.setdefault(tree.id, Counter())[size] += 1
        self.renamed = renamed(votes, own)

    def judge(self, bench: Bench, left: Tree | None, sizes: ListTree, notation: Notation) -> Judgement:
        """The verdict on a stated shape."""
        if left is None:
            return Judgement(w.UNJUDGED, "it is not said what has this shape")
        equation, said = aliased(bench, Equation(left, sizes), notation)
        shape = _shape(bench, equation.left, notation)
        if isinstance(shape, Judgement):
            return shape
        meanings = [bench.meaning(world, PLAIN, notation) for world in _worlds(bench)]
        for several, verdict, reason in shape.readings():
            letters = dict(self.letters)
            if self._fit(meanings, sizes.items, several, letters):
                self.letters = letters
                return Judgement(verdict, "; ".join(filter(None, (said, *self._others(meanings, sizes), reason))))
        reason = f"it is {shape_words(tuple(size[0] for size in shape.sizes), bench.worlds[0])}"
        other = self._other(bench, meanings, equation.left, sizes.items)
        return Judgement(w.WRONG, "; ".join(filter(None, (said, reason))), diagnosis=other)

    def _fit(
        self, meanings: Sequence[Meaning], stated: Sequence[Tree], sizes: Sequence[Size], letters: dict[str, Size]
    ) -> bool:
        """Whether stated sizes are these; a letter that is new stands for its size from now on."""
        if len(stated) != len(sizes):
            return False
        for tree, size in zip(stated, sizes, strict=True):
            new = isinstance(tree, Name) and tree.id not in meanings[0].world.sizes
            found = letters.setdefault(tree.id, size) if new and isinstance(tree, Name) else None
            if (found or self._value(meanings, tree, letters)) != size:
                return False
        return True

    def _value(self, meanings: Sequence[Meaning], tree: Tree, letters: Mapping[str, Size]) -> Size | None:
        """What a stated size is; None where it has no value."""
        known = {**letters, **self.renamed}
        try:
            return tuple(index(m, tree, {x: size[k] for x, size in known.items()}) for k, m in enumerate(meanings))
        except (Unclear, Outside):
            return None

    def _others(self, meanings: Sequence[Meaning], sizes: ListTree) -> list[str]:
        """Which letters stand for other sizes than their own, in words."""
        own = {tuple(m.world.sizes[name] for m in meanings): name for name in meanings[0].world.sizes}
        names = {x.id for tree in sizes.items for x in walk(tree) if isinstance(x, Name)}
        return [f"{name} stands for {own[self.renamed[name]]}" for name in sorted(names & self.renamed.keys())]

    def _other(self, bench: Bench, meanings: Sequence[Meaning], left: Tree, stated: Sequence[Tree]) -> str:
        """The quantity of that shape which may have been meant."""
        base = left.base if isinstance(left, Subscript) else left
        wanted = [self._value(meanings, tree, self.letters) for tree in stated]
        if not isinstance(base, Name) or None in wanted:
            return ""
        tail = base.id[1:]
        for name, family in bench.names.families.items():
            nodes = [world.node(name, (1,) * family.arity) for world in _worlds(bench)]
            shapes = [node.shape for node in nodes if node is not None]
            like = name != base.id and name[1:] == tail and tail
            if like and len(shapes) == len(nodes) and list(zip(*shapes, strict=True)) == wanted:
                return f"wrong variable: {name} has this shape"
        return ""


def _worlds(bench: Bench) -> list[World]:
    return [bench.worlds[k] for k in _TOLD_APART]


def _shape(bench: Bench, left: Tree, notation: Notation) -> _Shape | Judgement:
    """The shape of a quantity, or why it has none."""
    kinds, loose = open_names((left,), bench.names, notation)
    if loose:
        return Judgement(w.DEFINITION, f"{loose[0].id.strip()} is the writer's own name")
    found: list[tuple[int, ...]] = []
    cut: int | None = None
    for world in _worlds(bench):
        meaning = bench.meaning(world, PLAIN, notation)
        for ints in choices(kinds, bench.problem, world):
            try:
                found.append(meaning.value(left, ints).shape)
                if isinstance(left, Call) and left.func.id == "jacobian":
                    cut = meaning.value(left.args[0], ints).order
                break
            except Outside:
                continue
            except (Unclear, Misfit) as error:
                return Judgement(w.UNJUDGED, str(error))
        else:
            return Judgement(w.UNJUDGED, "there is no step at which it says anything")
    return _Shape(tuple(zip(*found, strict=True)), cut)
