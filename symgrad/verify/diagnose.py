"""Diagnosis: the one edit of a wrong line that makes it right, and the line after it, in the writer's own notation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from symgrad.errors import SymgradError
from symgrad.problem.texts import walk
from symgrad.source import Source
from symgrad.syntax.latex import latex
from symgrad.syntax.reading import parse_expression
from symgrad.syntax.tree import Call, Name, Subscript, Tree
from symgrad.tensor.nodes import Apply
from symgrad.tensor.shapes import ShapeError
from symgrad.tensor.walk import variables
from symgrad.verify.bench import Bench
from symgrad.verify.compare import Outcome, compared
from symgrad.verify.edits import Context, Edit
from symgrad.verify.errors import Outside, Unclear
from symgrad.verify.every_edit import edits
from symgrad.verify.meaning import Meaning
from symgrad.verify.readings import PLAIN, Adjoint, Notation, Reading
from symgrad.verify.surgery import bare_text, name_latex, spliced
from symgrad.verify.trials import Point, has_derivative, points, tried
from symgrad.verify.values import Misfit
from symgrad.verify.world import World

LONGEST: Final = 0.4
_MOST_EDITS: Final = 4000
_MATRIX_SLIPS: Final = frozenset({"transpose", "diag", "order", "product"})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The edit that makes a line right: the slip's name, what to do, the tree and the text after it."""

    slip: str
    said: str
    tree: Tree
    text: str


@dataclass(eq=False)
class Doctor:
    """What diagnosis needs to know of a problem, found once."""

    bench: Bench
    _alike: dict[str, list[str]] = field(default_factory=dict)
    _activations: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shapes = {name: _shape(self.bench.worlds[0], name, f.arity) for name, f in self.bench.names.families.items()}
        for name, shape in shapes.items():
            arity = self.bench.names.families[name].arity
            order = [
                (s != shape, _distance(name, n), n)
                for n, s in shapes.items()
                if n != name and s is not None and shape is not None and self.bench.names.families[n].arity == arity
            ]
            self._alike[name] = [n for _, _, n in sorted(order)]
        for d in self.bench.problem.system.definitions:
            if isinstance(d.body, Apply):
                self._activations[d.family] = d.body.fn

    def diagnosed(
        self,
        left: Tree,
        right: Tree,
        kinds: dict[str, str],
        notation: Notation,
        scalars: bool,
        near: Sequence[Tree] = (),
        matrices_only: bool = False,
    ) -> Diagnosis | None:
        """The first single edit, in the order of the table, after which the line is right; None where there is none.

        Args:
            scalars: whether the line is judged as one about plain numbers.
            near: lines near by, in which a lost factor may stand.
            matrices_only: whether only slips are tried that plain numbers do not show.
        """
        worlds = (self.bench.scalars,) if scalars else self.bench.worlds
        try:
            at = points(self.bench, left, right, kinds, notation, PLAIN, worlds)
        except (Unclear, Misfit):
            return None
        if not at:
            return None
        only = _MATRIX_SLIPS if matrices_only else None
        context = self.context(left, right, near, matrices_only)
        attempt = _Attempt(self.bench, at, notation, list(_readings(right, scalars)))
        deadline = time.monotonic() + LONGEST
        for count, edit in enumerate(edits(right, context, only)):
            if count > _MOST_EDITS or time.monotonic() > deadline:
                return None
            if attempt.succeeds(edit):
                return Diagnosis(edit.slip, edit.said, edit.tree, spliced(right.place, edit.splices))
        return None

    def context(self, left: Tree, right: Tree, near: Sequence[Tree], bare: bool = False) -> Context:
        """The names and, unless ``bare`` is set, the factors and terms among which the edits choose."""
        pool = () if bare else tuple(self._pool([right, left, *near]))
        terms = () if bare else tuple(self._terms(left))
        return Context(self.bench.names, self._alike, self._activations, self.bench.problem.latex, pool, terms)

    def _pool(self, trees: Sequence[Tree]) -> Iterator[Tree]:
        """Factors that may have been forgotten: numbers, what occurs near by, and slopes of what occurs."""
        seen: set[str] = set()
        texts = ["2", r"\frac{1}{2}"]
        for tree in trees:
            for node in walk(tree):
                if not isinstance(node, Name | Subscript) or self._family(node) is None:
                    continue
                text = bare_text(node)
                family = self._family(node)
                if self._activations.get(str(family)) == "tanh":
                    texts.append(f"(1 - {text}^2)" if "^" not in text else f"(1 - ({text})^2)")
                if self._activations.get(str(family)) == "sigmoid":
                    texts += [f"{text}", f"(1 - {text})"]
                texts.append(text)
        steps = {bare_text(x.items[0]) for t in trees for x in walk(t) if isinstance(x, Subscript) and self._family(x)}
        for name, fn in self._activations.items():
            if fn == "tanh" and self.bench.names.families[name].arity == 1:
                written, _ = name_latex(name, self.bench.problem.latex.get(name))
                texts += [f"(1 - {written}_{{{step}}}^2)" for step in sorted(steps)]
        for name, f in self.bench.names.families.items():
            if f.arity == 0 and self._alike.get(name) is not None:
                written, below = name_latex(name, self.bench.problem.latex.get(name))
                texts += [f"{written}_{{{below}}}" if below else written]
        for text in list(texts):
            texts.append(rf"{text}^\top" if not text.startswith(("(", "2", r"\frac")) else text)
        for text in texts:
            parsed = self._parsed(text) if text not in seen else None
            if parsed is not None:
                seen.add(text)
                yield parsed

    def _family(self, node: Tree) -> str | None:
        base = node.base if isinstance(node, Subscript) else node
        return base.id if isinstance(base, Name) and base.id in self.bench.names.families else None

    def _parsed(self, text: str) -> Tree | None:
        try:
            return parse_expression(Source("correction", text), latex(self.bench.names.vocabulary))
        except SymgradError:
            return None

    def _terms(self, left: Tree) -> Iterator[tuple[Tree, str]]:
        """The terms of a derivative, one for each node that reads what it is taken by."""
        if not (isinstance(left, Call) and left.func.id == "jacobian" and len(left.args) == 2):
            return
        of, wrt = left.args
        family = self._family(wrt)
        if family is None:
            return
        of_family = self._family(of)
        scalar = (
            of_family is not None
            and _shape(self.bench.worlds[0], of_family, self.bench.names.families[of_family].arity) == ()
        )
        for d in self.bench.problem.system.definitions:
            if all(v.name != family for v in variables(d.body)) or d.family == of_family:
                continue
            for reader in self._members(d.family, wrt, of):
                above, below, through = bare_text(of), bare_text(wrt), reader
                first = rf"\frac{{\partial {above}}}{{\partial {through}}}"
                second = rf"\frac{{\partial^+ {through}}}{{\partial {below}}}"
                text = rf"\left({second}\right)^\top {first}" if scalar else f"{first} {second}"
                tree = self._parsed(text)
                if tree is not None:
                    yield tree, text

    def _members(self, family: str, wrt: Tree, of: Tree) -> Iterator[str]:
        """How the members of a family are written that may read a node: at its own step and the next two, or at any."""
        written, below = name_latex(family, self.bench.problem.latex.get(family))
        arity = self.bench.names.families[family].arity
        if arity == 0:
            yield f"{written}_{{{below}}}" if below else written
            return
        steps: list[str] = []
        for node in (wrt, of):
            if isinstance(node, Subscript):
                text = bare_text(node.items[0])
                steps += [str(int(text) + k) for k in range(3)] if text.isdigit() else [text, f"{text}+1", f"{text}+2"]
        steps += ["1", "2", "3"]
        for step in dict.fromkeys(steps):
            inside = ", ".join(filter(None, (below, step)))
            yield f"{written}_{{{inside}}}"


@dataclass(slots=True)
class _Attempt:
    """Edits tried one after another; parts that an edit leaves alone are evaluated once."""

    bench: Bench
    at: Sequence[Point]
    notation: Notation
    readings: Sequence[Reading]
    meanings: dict[Reading, Meaning] = field(default_factory=dict)

    def succeeds(self, edit: Edit) -> bool:
        """Whether the line is right after an edit: at the first point, and then at all."""
        return any(self._under(edit, reading) for reading in self.readings)

    def _under(self, edit: Edit, reading: Reading) -> bool:
        first = self.at[0]
        meaning = self.meanings.get(reading)
        if meaning is None:
            meaning = self.meanings[reading] = Meaning(first.world, reading, self.bench.names, self.notation)
        try:
            given = meaning.value(edit.tree, first.ints)
            if compared(first.truth, given).outcome is not Outcome.SAME:
                return False
        except (Misfit, Outside, Unclear, SymgradError, ShapeError, np.linalg.LinAlgError, OverflowError):
            return False
        trial = tried(self.bench, self.at, edit.tree, reading, self.notation)
        return trial.outcome is Outcome.SAME


def _readings(right: Tree, scalars: bool) -> Iterator[Reading]:
    yield PLAIN
    if has_derivative(right):
        yield Reading(partials="leaves")
        if not scalars:
            yield Reading("row")
            yield Reading("row", "leaves")
            yield Reading("column", "neighbours")


def _shape(world: World, name: str, arity: int) -> tuple[int, ...] | None:
    """The shape of a member of a family; None where none is found near the beginning."""
    for step in (1, 2, 0, -1):
        node = world.node(name, (step,) * arity)
        if node is not None:
            return tuple(int(s) for s in node.shape)
    return None


def _distance(name: str, other: str) -> tuple[bool, bool, str]:
    """Names that look alike come first."""
    return (name[:1].lower() != other[:1].lower(), name.isupper() != other.isupper(), other)


def adjoint_derivative(left: Tree, notation: Notation) -> Tree:
    """∂L/∂h_t where δ_t stands for it; any other side as it is."""
    base = left.base if isinstance(left, Subscript) else left
    meanings: Mapping[str, list[object]] = notation.names  # type: ignore[assignment]
    for meaning in meanings.get(base.id, []) if isinstance(base, Name) else []:
        if isinstance(meaning, Adjoint):
            family = Name(meaning.family, place=left.place)
            wrt: Tree = Subscript(family, left.items, place=left.place) if isinstance(left, Subscript) else family
            return Call(Name("jacobian", place=left.place), (meaning.loss, wrt), (), place=left.place)
    return left
