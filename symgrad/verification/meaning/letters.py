"""On what the value of a tree rests, also through the names that a writer defines: indices, and how ∂ is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symgrad.problem.names import Names
from symgrad.problem.texts import walk
from symgrad.syntax.tree import Binary, Call, Name, Span, Tree, children
from symgrad.verification.meaning.layouts import OF_NUMBER, marks
from symgrad.verification.meaning.readings import Adjoint, Notation

Indices = tuple[tuple[str, int], ...]
"""Values of some indices."""


def among(ints: Mapping[str, int], names: frozenset[str]) -> Indices:
    """The values of the indices that are among some names."""
    return tuple([(name, k) for name, k in ints.items() if name in names])


def places(names: Names) -> frozenset[str]:
    """The names of the places at which densities are taken: any quantity may rest on them, as the ELBO does on x."""
    return frozenset(x for density in names.densities.values() for x in density.arguments)


@dataclass(eq=False)
class Letters:
    """The names on which values rest under one notation, with the marks of the derivatives among them.

    Those of a tree, and those behind a name, are found once.
    """

    notation: Notation
    names: Names
    places: frozenset[str] = field(init=False)
    _trees: dict[int, tuple[Tree, frozenset[str]]] = field(default_factory=dict)
    _behind: dict[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = places(self.names)

    def of(self, tree: Tree) -> frozenset[str]:
        """The names on which the value of a tree rests: those in it, those by which they are defined, and so on."""
        known = self._trees.get(id(tree))
        if known is None:
            known = self._trees[id(tree)] = (tree, self._found(tree))
        return known[1]

    def _found(self, tree: Tree) -> frozenset[str]:
        match tree:
            case Binary(_, left, right):
                return self.of(left) | self.of(right)
            case Name(name):
                return self._of_name(name)
            case Call():
                return self._of_call(tree).union(*map(self.of, children(tree)))
        return self.places.union(*map(self.of, children(tree)))

    def _of_call(self, tree: Call) -> frozenset[str]:
        """The marks of a call; where a range is not stated, also the indices on which its ends may rest: i ≤ t."""
        spans = [k.value for k in tree.keywords if isinstance(k.value, Span)]
        stated = all(span.lo is not None and span.hi is not None for span in spans)
        return self.places | marks(tree, self.names) | (set() if stated else {s.name for s in self.names.steps})

    def _of_name(self, name: str) -> frozenset[str]:
        """A name with every name that its meanings use, directly or not."""
        if name not in self.notation.names and name not in self.notation.settings:
            return self.places | {name}
        if name not in self._behind:
            found: set[str] = set()
            waiting = {name}
            while waiting:
                one = waiting.pop()
                found.add(one)
                meanings = self.notation.names.get(one, ())
                found |= {OF_NUMBER for m in meanings if isinstance(m, Adjoint)}
                bodies = [m.body for m in meanings if not isinstance(m, Adjoint)]
                bodies += [self.notation.settings[one]] if one in self.notation.settings else []
                inside = [x for body in bodies for x in walk(body)]
                found |= {name for x in inside if isinstance(x, Call) for name in self._of_call(x)}
                waiting |= {x.id for x in inside if isinstance(x, Name)} - found
            self._behind[name] = self.places | found
        return self._behind[name]
