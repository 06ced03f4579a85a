"""What each name of a problem is: one namespace for symbols, quantities, sizes, indices and functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

import sympy
from msgspec import Struct, field

from symgrad.errors import Diagnostic
from symgrad.source import Place
from symgrad.syntax.latex.notation import Vocabulary
from symgrad.syntax.tree import Tree
from symgrad.tensor.integers import Int, at_most, replace, same
from symgrad.tensor.nodes import Binder, Rel, Shape


class Undetermined(Exception):
    """A shape that is not known yet; carries the name it belongs to and its subscripts."""


class Broken(Exception):
    """A name whose definition is wrong, which has been said already."""


class Member(Struct):
    """Members of a family that one line declares or defines: `name[pattern]` over ranges."""

    pattern: tuple[Int, ...]
    ranges: tuple[Binder, ...]
    text: str
    place: Place
    defined: bool
    shape: Shape | None = None
    facts: frozenset[str] = frozenset()
    conds: tuple[Rel, ...] = ()
    filled: bool = False

    def matches(self, subs: tuple[Int, ...]) -> Mapping[sympy.Symbol, Int] | None:
        """The values of the pattern's symbols that make it name[subs]; None where that cannot be."""
        ranges = {x.symbol: x for x in self.ranges}
        mapping: dict[sympy.Symbol, Int] = {}
        for pattern, value in zip(self.pattern, subs, strict=True):
            if isinstance(pattern, sympy.Symbol) and pattern in ranges:
                mapping[pattern] = value
            elif same(pattern, value):
                continue
            elif isinstance(pattern, int) and isinstance(value, int):
                return None
            elif isinstance(pattern, sympy.Symbol) and not isinstance(value, int):
                mapping[pattern] = value
            elif at_most(pattern + 1, value) or at_most(value + 1, pattern):
                return None
        for symbol, value in mapping.items():
            if symbol in ranges:
                lo, hi = replace(ranges[symbol].lo, mapping), replace(ranges[symbol].hi, mapping)
                if at_most(lo, value) is False or at_most(value, hi) is False:
                    return None
        return mapping


class Family(Struct):
    """A symbol or quantity; arity 0 for one that has no steps."""

    name: str
    arity: int
    place: Place
    members: list[Member] = field(default_factory=list)
    facts: frozenset[str] = frozenset()
    row: bool = False

    @property
    def defined(self) -> bool:
        """Whether the model defines any of it."""
        return any(m.defined for m in self.members)

    def at(self, subs: tuple[Int, ...]) -> list[tuple[Member, Mapping[sympy.Symbol, Int]]]:
        """The lines that may say what name[subs] is; those that name just these steps exclude the others."""
        found = [(m, mapping) for m in self.members if (mapping := m.matches(subs)) is not None]
        exact = [(m, x) for m, x in found if not m.ranges and all(map(same, m.pattern, subs))]
        return exact or found


class UserFunction(Struct, frozen=True):
    """`f(u, v) = body`: written in where it is used."""

    name: str
    parameters: tuple[str, ...]
    body: Tree
    place: Place


class Unknown(Struct, frozen=True):
    """A density or an unknown function, `p(x, z)` or `D(x)`, with the ends of the range of its values."""

    name: str
    kind: str
    arguments: tuple[str, ...]
    range: tuple[Fraction, Fraction] | None
    latex: str | None
    about: str
    place: Place


class Names(Struct):
    """The namespace of a problem."""

    families: dict[str, Family] = field(default_factory=dict)
    sizes: dict[str, sympy.Symbol] = field(default_factory=dict)
    indices: dict[str, sympy.Symbol] = field(default_factory=dict)
    steps: dict[sympy.Symbol, Binder] = field(default_factory=dict)
    functions: dict[str, UserFunction] = field(default_factory=dict)
    densities: dict[str, Unknown] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    index_base: int = 1
    relu_at_zero: Fraction = Fraction(0)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    kinds: dict[str, tuple[str, Place]] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    def claim(self, name: str, kind: str, place: Place) -> bool:
        """Note what a name is; False, with a complaint, where it is something else already."""
        known = self.kinds.setdefault(name, (kind, place))
        if known[0] == kind:
            return True
        message = f"{name!r} is {_an(kind)} here and {_an(known[0])} in line {known[1].line}"
        self.complain(message, place)
        return False

    def complain(self, message: str, place: Place, suggestion: str | None = None) -> None:
        """Note what is wrong, and go on."""
        self.diagnostics.append(Diagnostic(message, place, suggestion))

    def note(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Note what is wrong, and go on."""
        self.diagnostics.extend(diagnostics)

    def values(self) -> list[str]:
        """Every name that has a value."""
        return [*self.families, *self.sizes, *self.indices]


def _an(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
