"""Shapes that a writer states, x_t ∈ ℝᵈ: his letters for sizes mean what they first stand for."""

from __future__ import annotations

from dataclasses import dataclass, field

from symgrad.syntax.tree import ListTree, Name, Subscript, Tree
from symgrad.verify import verdicts as w
from symgrad.verify.bench import Bench
from symgrad.verify.equations import Equation
from symgrad.verify.errors import Outside, Unclear
from symgrad.verify.indices import choices, open_names
from symgrad.verify.integers import index
from symgrad.verify.meaning import Meaning
from symgrad.verify.readings import PLAIN, Notation
from symgrad.verify.spellings import aliased
from symgrad.verify.values import Misfit
from symgrad.verify.verdicts import Judgement
from symgrad.verify.words import shape_words


@dataclass(slots=True)
class Shapes:
    """What the letters stand for that a writer uses for sizes, as sizes in the first world, which are all different."""

    letters: dict[str, int] = field(default_factory=dict)

    def judge(self, bench: Bench, left: Tree | None, sizes: ListTree, notation: Notation) -> Judgement:
        """The verdict on a stated shape."""
        if left is None:
            return Judgement(w.UNJUDGED, "it is not said what has this shape")
        equation, said = aliased(bench, Equation(left, sizes), notation)
        left = equation.left
        kinds, loose = open_names((left,), bench.names, notation)
        world = bench.worlds[0]
        if loose:
            return Judgement(w.DEFINITION, f"{loose[0].id} is the writer's own name")
        meaning = Meaning(world, PLAIN, bench.names, notation)
        for ints in choices(kinds, bench.problem, world):
            try:
                shape = meaning.value(left, ints).shape
            except Outside:
                continue
            except (Unclear, Misfit) as error:
                return Judgement(w.UNJUDGED, str(error))
            return self._compared(bench, meaning, left, shape, sizes, said)
        return Judgement(w.UNJUDGED, "there is no step at which it says anything")

    def _compared(
        self, bench: Bench, meaning: Meaning, left: Tree, shape: tuple[int, ...], sizes: ListTree, said: str
    ) -> Judgement:
        stated = list(sizes.items)
        if not shape and len(stated) == 1:
            shape = (1,)
        letters = dict(self.letters)
        fits = len(stated) == len(shape) and all(
            self._is(meaning, tree, size, letters) for tree, size in zip(stated, shape, strict=True)
        )
        if fits:
            self.letters = letters
            return Judgement(w.RIGHT, said)
        reason = f"it is {shape_words(shape, bench.worlds[0])}"
        return Judgement(
            w.WRONG, "; ".join(filter(None, (said, reason))), diagnosis=self._other(bench, meaning, left, stated)
        )

    def _is(self, meaning: Meaning, tree: Tree, size: int, letters: dict[str, int]) -> bool:
        """Whether a stated size is this one; a letter that is new stands for it from now on."""
        if isinstance(tree, Name) and tree.id not in meaning.world.sizes:
            return letters.setdefault(tree.id, size) == size
        try:
            return index(meaning, tree, letters) == size
        except (Unclear, Outside):
            return False

    def _other(self, bench: Bench, meaning: Meaning, left: Tree, stated: list[Tree]) -> str:
        """The quantity of that shape which may have been meant."""
        base = left.base if isinstance(left, Subscript) else left
        if not isinstance(base, Name):
            return ""
        try:
            wanted = tuple(index(meaning, tree, self.letters) for tree in stated)
        except (Unclear, Outside):
            return ""
        tail = base.id[1:]
        for name, family in bench.names.families.items():
            node = bench.worlds[0].node(name, (1,) * family.arity)
            if node is not None and node.shape == wanted and name != base.id and name[1:] == tail and tail:
                return f"wrong variable: {name} has this shape"
        return ""
