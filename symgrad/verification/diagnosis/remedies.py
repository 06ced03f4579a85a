"""What a writer may have meant or forgotten: quantities like the one written, factors and terms of the problem."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from symgrad.errors import SymgradError
from symgrad.problem.texts import walk
from symgrad.source import Source
from symgrad.syntax.latex.notation import latex
from symgrad.syntax.reading import parse_expression
from symgrad.syntax.tree import Call, Name, Subscript, Tree
from symgrad.tensor.nodes import Apply, Expr, Var
from symgrad.tensor.walk import variables
from symgrad.verification.diagnosis.edits import Context, Filler
from symgrad.verification.diagnosis.hands import Hand
from symgrad.verification.meaning.bench import Bench
from symgrad.verification.meaning.world import World
from symgrad.verification.surgery import bare_text

_FIRST_STEPS: Final = ("1", "2", "3")
_MOST_PARSED: Final = 10_000
_MOST_LATER: Final = 2
_MOVED: Final = re.compile(r"(?P<of>[^+\-\d]*)(?P<sign>[+-]?)\s*(?P<by>\d+)")


@dataclass(eq=False)
class Remedies:
    """What diagnosis chooses from, found once for a problem."""

    bench: Bench
    _alike: dict[str, list[str]] = field(default_factory=dict)
    _bodies: dict[str, Apply] = field(default_factory=dict)
    _parsed: dict[str, Tree | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        families = self.bench.names.families
        shapes = {name: _shape(self.bench.worlds[0], name, f.arity) for name, f in families.items()}
        for name, shape in shapes.items():
            order = [
                (s != shape, _distance(name, n), n)
                for n, s in shapes.items()
                if n != name and s is not None and shape is not None and families[n].arity == families[name].arity
            ]
            self._alike[name] = [n for _, _, n in sorted(order)]
        for d in self.bench.problem.system.definitions:
            if isinstance(d.body, Apply):
                self._bodies[d.family] = d.body

    def context(self, left: Tree, right: Tree, near: Sequence[Tree], hand: Hand, letters: Sequence[str]) -> Context:
        """What the edits of one line choose from."""
        return Context(
            self.bench.names, hand, self._alike, {name: body.fn for name, body in self._bodies.items()},
            self.bench.problem.latex, letters, self._fillers(self._factors([right, left, *near], hand, letters)),
            self._fillers(self._paths(left, hand)), self._fillers(self._terms(left, right, hand)),
        )  # fmt: skip

    def bare_context(self, hand: Hand) -> Context:
        """The context of edits that choose from nothing."""
        return Context(self.bench.names, hand, {}, {}, self.bench.problem.latex)

    def _fillers(self, texts: Iterable[str]) -> tuple[Filler, ...]:
        """What the texts say, each text once, where it can be read."""
        read = ((self.parsed(text), text) for text in dict.fromkeys(texts))
        return tuple(Filler(tree, text) for tree, text in read if tree is not None)

    def parsed(self, text: str) -> Tree | None:
        """The tree of a text; None where it cannot be read. The same few texts are offered line after line."""
        if text not in self._parsed:
            if len(self._parsed) >= _MOST_PARSED:
                self._parsed.clear()
            self._parsed[text] = self._read(text)
        return self._parsed[text]

    def _read(self, text: str) -> Tree | None:
        try:
            return parse_expression(Source("correction", text), latex(self.bench.names.vocabulary))
        except SymgradError:
            return None

    # Factors

    def _factors(self, trees: Sequence[Tree], hand: Hand, letters: Sequence[str]) -> list[str]:
        """Factors that may have been forgotten: numbers, what occurs near by, slopes, what has no steps, sizes."""
        occurring = [(family, x) for t in trees for x in walk(t) if (family := self.family(x)) is not None]
        texts = ["2", hand.fraction("1", "2")]
        for family, node in occurring:
            steps = tuple(bare_text(x) for x in node.items) if isinstance(node, Subscript) else ()
            texts += [*self._slopes(family, steps, bare_text(node), hand), bare_text(node)]
        steps_near = sorted({bare_text(x.items[0]) for _, x in occurring if isinstance(x, Subscript)})
        for family in self._bodies:
            arity = self.bench.names.families[family].arity
            for steps in [()] if arity == 0 else [(s,) for s in steps_near] if arity == 1 else []:
                texts += self._slopes(family, steps, self._member(family, steps, hand), hand)
        texts += [self._member(name, (), hand) for name, f in self.bench.names.families.items() if f.arity == 0]
        for size in map(str, self.bench.dimensions):
            texts += [hand.fraction("1", size), hand.fraction("1", hand.root(size)), size]
        if hand.latex:
            texts += [rf"\delta_{{{one}{two}}}" for one, two in itertools.combinations(letters, 2)]
        return texts + [hand.transposed(x) for x in texts if x[0] not in "(2" and not x.startswith("\\frac")]

    def _slopes(self, family: str, steps: Sequence[str], written: str, hand: Hand) -> list[str]:
        """The derivative of the function by which a quantity is made, in terms of its value or of what goes in."""
        body = self._bodies.get(family)
        match body.fn if body is not None else "":
            case "tanh":
                return [f"(1 - {hand.squared(written)})"]
            case "sigmoid":
                return [f"({written} {hand.entrywise} (1 - {written}))", written, f"(1 - {written})"]
            case "relu" if body is not None:
                inner = self._argument(body.args[0], steps, hand)
                return [hand.indicator(f"{inner or written} > 0")]
        return []

    def _argument(self, arg: Expr, steps: Sequence[str], hand: Hand) -> str | None:
        if not isinstance(arg, Var) or len(arg.subs) != len(steps):
            return None
        return self._member(arg.name, steps, hand)

    def _member(self, name: str, steps: Sequence[str], hand: Hand) -> str:
        return hand.member(name, self.bench.problem.latex.get(name), steps)

    def family(self, node: Tree) -> str | None:
        """The family of which a tree is a member."""
        base = node.base if isinstance(node, Subscript) else node
        return base.id if isinstance(base, Name) and base.id in self.bench.names.families else None

    # Terms

    def _terms(self, left: Tree, right: Tree, hand: Hand) -> Iterator[str]:
        """Multiples of what occurs, and of what has no steps."""
        scalars = [
            self._member(name, (), hand)
            for name, f in self.bench.names.families.items()
            if f.arity == 0 and _shape(self.bench.worlds[0], name, 0) == ()
        ]
        occurring = [bare_text(x) for side in (left, right) for x in walk(side) if self.family(x) is not None]
        plain = [self._member(name, (), hand) for name, f in self.bench.names.families.items() if f.arity == 0]
        plain += ["I"] if "I" not in self.bench.names.families else []
        for text in dict.fromkeys([*occurring, *plain]):
            yield from (text, f"2{hand.product}{text}")
            yield from (f"{scalar}{hand.product}{text}" for scalar in scalars if scalar != text)

    def _paths(self, left: Tree, hand: Hand) -> Iterator[str]:
        """The terms of a derivative, one for each node that reads what it is taken by."""
        if not (isinstance(left, Call) and left.func.id == "jacobian" and len(left.args) == 2):
            return
        of, wrt = left.args
        family, of_family = self.family(wrt), self.family(of)
        if family is None:
            return
        families = self.bench.names.families
        scalar = of_family is not None and _shape(self.bench.worlds[0], of_family, families[of_family].arity) == ()
        if of_family is not None and of_family != family:
            yield hand.derivative(bare_text(of), bare_text(wrt), immediate=True)
        for d in self.bench.problem.system.definitions:
            reads = d.family == family or any(v.name == family for v in variables(d.body))
            if not reads or d.family == of_family:
                continue
            for reader in self._members(d.family, wrt, of, hand):
                first = hand.derivative(bare_text(of), reader)
                for immediate in (True, False) if d.family == family else (True,):
                    second = hand.derivative(reader, bare_text(wrt), immediate)
                    if scalar:
                        opened = (r"\left(", r"\right)") if hand.latex else ("(", ")")
                        yield f"{hand.transposed(second.join(opened))} {first}"
                    else:
                        yield f"{first} {second}"

    def _members(self, family: str, wrt: Tree, of: Tree, hand: Hand) -> Iterator[str]:
        """How the members of a family are written that may read a node: at its own step and the next two, or at any."""
        if self.bench.names.families[family].arity == 0:
            yield self._member(family, (), hand)
            return
        steps: list[str] = []
        for node in (wrt, of):
            if isinstance(node, Subscript):
                text = bare_text(node.items[0])
                steps += [_later(text, k) for k in range(_MOST_LATER + 1)]
        for step in dict.fromkeys([*steps, *_FIRST_STEPS]):
            yield self._member(family, (step,), hand)


def _shape(world: World, name: str, arity: int) -> tuple[int, ...] | None:
    """The shape of a member of a family; None where none is found near the beginning."""
    for step in (1, 2, 0, -1):
        node = world.node(name, (step,) * arity)
        if node is not None:
            return tuple(int(s) for s in node.shape)
    return None


def _later(step: str, by: int) -> str:
    """The text of a step so many steps later: t for t−1 and 1."""
    moved = _MOVED.fullmatch(step)
    if moved is None:
        return f"{step}+{by}" if by else step
    number = int(f"{moved['sign']}{moved['by']}") + by
    return f"{moved['of']}{number:+d}" if moved["of"] and number else moved["of"] or str(number)


def _distance(name: str, other: str) -> tuple[bool, bool, str]:
    """Names that look alike come first."""
    return (name[:1].lower() != other[:1].lower(), name.isupper() != other.isupper(), other)
