"""A problem whose names, shapes and meanings are known: what is given, what is computed, what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

import sympy
from msgspec import Struct

from symgrad.errors import QuestionError
from symgrad.problem.forms import number
from symgrad.problem.records import ProblemDocument, RawQuestion
from symgrad.problem.scope import Scope
from symgrad.problem.yaml_tree import RawList, RawScalar
from symgrad.source import Place, Source
from symgrad.syntax.tree import Tree
from symgrad.tensor.integers import Int, replace
from symgrad.tensor.nodes import Binder, Expr, Rel, Shape, Var
from symgrad.tensor.system import System

Condition: TypeAlias = Rel | Expr


class Given(Struct, frozen=True):
    """Given numbers: scalar expressions row by row; shape () fills whatever they are given to.

    A setting may also give one whole array, as an expression.
    """

    shape: tuple[int, ...]
    entries: tuple[Expr, ...]

    @property
    def whole(self) -> Expr | None:
        """The array that is given as one expression, if it is."""
        return self.entries[0] if not self.shape and self.entries and self.entries[0].order else None


class Declaration(Struct, frozen=True):
    """A declared symbol: `name[pattern]`, for all values of the pattern's symbols in ``ranges``.

    A pattern symbol without a range is open: it stands for one step that is not said. ``implied`` marks the
    boundary of a recurrence that no line declares, but whose shape follows. ``arguments`` are those of a density or an
    unknown function, whose values at the common points have the shape.
    """

    name: str
    pattern: tuple[Int, ...]
    shape: Shape
    facts: frozenset[str]
    latex: str | None
    values: Given | None
    zero: bool
    place: Place
    ranges: tuple[Binder, ...] = ()
    about: str = ""
    implied: bool = False
    arguments: tuple[str, ...] = ()

    @property
    def constant(self) -> bool:
        """Whether its numbers are fixed by the problem."""
        return self.values is not None


class Asked(Struct, frozen=True):
    """An expression of a question, as written and as understood."""

    expr: Expr
    text: str
    place: Place
    tree: Tree


class Pending(Struct, frozen=True):
    """A field that mentions other questions' results; ``needs`` are their ids and parts: `first.value`."""

    needs: tuple[tuple[str, str], ...]
    place: Place


class Setting(Struct, frozen=True):
    """`target = value` or `target -> value`, of a node, a whole family (its name alone), or a size.

    ``approach`` is None for an equation, else the side of a limit: "+", "-" or "" for both. A value that
    is not a number or expression of the model is infinite: ``infinite`` is its sign, else 0.
    """

    name: str
    target: Expr | sympy.Symbol | None
    value: Given
    text: str
    place: Place
    approach: str | None = None
    infinite: int = 0


class Question(Struct, frozen=True):
    """What is asked; ``fields`` holds its own fields, elaborated where they are expressions.

    ``scope`` is where fields are read that wait for the results of other questions.
    """

    id: str
    ask: str
    fields: Mapping[str, object]
    raw: RawQuestion
    place: Place
    prompt: str = ""
    points: Fraction | None = None
    note: str = ""
    hint: str = ""
    assume: tuple[Condition, ...] = ()
    scope: Scope | None = None

    @property
    def pending(self) -> tuple[Pending, ...]:
        """The fields that wait for the results of other questions."""
        return tuple(v for v in self.fields.values() if isinstance(v, Pending))

    @property
    def of(self) -> Asked:
        """What is asked about."""
        return self.asked("of")

    @property
    def wrt(self) -> tuple[Asked, ...]:
        """By what it is differentiated."""
        return self.several("wrt")

    @property
    def wrt_is_list(self) -> bool:
        """Whether `wrt` is written as a list, so that the result is keyed by its texts."""
        return self.is_list("wrt")

    @property
    def form(self) -> str | None:
        """How the answer is to be written."""
        return self.word("form")

    @property
    def order(self) -> int:
        """1 for the gradient, 2 for the Hessian."""
        value = self.fields.get("order", 1)
        return value if isinstance(value, int) else 1

    @property
    def where(self) -> tuple[Condition, ...]:
        """The conditions on open indices."""
        return self.conditions("where")

    def asked(self, name: str) -> Asked:
        """The expression in a field.

        Raises:
            QuestionError: the field is missing, a list, or waits for another question.
        """
        value = self.fields.get(name)
        if isinstance(value, Asked):
            return value
        if isinstance(value, Pending):
            names = " and ".join(dict.fromkeys(name for name, _ in value.needs))
            message = f"{name!r} needs the result of {names} first"
            raise QuestionError(message, value.place)
        raise QuestionError(f"the question has no expression in {name!r}", self.place)

    def several(self, name: str) -> tuple[Asked, ...]:
        """The expressions in a field that is one or a list; none where it is left out."""
        value = self.fields.get(name, ())
        values = value if isinstance(value, tuple) else (value,)
        return tuple(v for v in values if isinstance(v, Asked))

    def conditions(self, name: str) -> tuple[Condition, ...]:
        """The conditions in a field; none where it is left out."""
        value = self.fields.get(name, ())
        values = value if isinstance(value, tuple) else (value,)
        return tuple(v for v in values if isinstance(v, Rel | Expr))

    def settings(self, name: str) -> tuple[Setting, ...]:
        """What a field sets; nothing where it is left out."""
        value = self.fields.get(name, ())
        return tuple(v for v in value if isinstance(v, Setting)) if isinstance(value, tuple) else ()

    def numbers(self, name: str) -> tuple[Fraction, ...]:
        """The numbers in a field that is one or a list; none where it is left out."""
        node = self.raw.get(name)
        items = node.items if isinstance(node, RawList) else (node,)
        return tuple(number(x) for x in items if isinstance(x, RawScalar))

    def is_list(self, name: str) -> bool:
        """Whether a field is written as a list."""
        return isinstance(self.raw.get(name), RawList)

    def word(self, name: str) -> str | None:
        """The text of a field that is a word; None where it is left out."""
        value = self.fields.get(name)
        return value if isinstance(value, str) and value else None


class Conventions(Struct, frozen=True):
    """How derivatives are laid out, where component indices start, and relu′(0)."""

    layout: str | None = None
    index_base: int = 1
    relu_at_zero: Fraction = Fraction(0)


class Problem(Struct, frozen=True):
    """A whole problem.

    Attributes:
        declarations: By name, in the author's order; a family may have several.
        sizes: The size symbols, and the symbolic ends of ranges.
        steps: The declared ranges of the steps.
        latex: How names print where the default does not serve.
    """

    name: str
    title: str
    about: str
    source: Source
    document: ProblemDocument
    system: System
    declarations: Mapping[str, tuple[Declaration, ...]]
    sizes: Mapping[str, sympy.Symbol]
    steps: Mapping[sympy.Symbol, Binder]
    questions: tuple[Question, ...]
    assumptions: tuple[Condition, ...]
    conventions: Conventions
    latex: Mapping[str, str]
    facts: Mapping[str, frozenset[str]]

    @property
    def leaves(self) -> tuple[Declaration, ...]:
        """The declared symbols whose values are left open, in the order of declaration."""
        known = {(d.family, d.indices) for d in self.system.definitions}
        return tuple(
            d
            for group in self.declarations.values()
            for d in group
            if not d.constant and (d.name, d.pattern) not in known and d.name not in self.sizes
        )

    def question(self, name: str) -> Question:
        """The question with that id.

        Raises:
            KeyError: there is none.
        """
        return {q.id: q for q in self.questions}[name]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the questions, in order."""
        return tuple(q.id for q in self.questions)

    def node(self, name: str, *subs: Int) -> Var:
        """The named node at subscripts.

        Raises:
            KeyError: no declaration and no definition makes it.
        """
        hit = self.system.definition(Var(name, subs, ()))
        if hit is not None:
            return self._member(name, subs, hit[0].body.shape, hit[1])
        for declared in self.declarations.get(name, ()):
            if len(declared.pattern) == len(subs):
                pairs = zip(declared.pattern, subs, strict=True)
                mapping = {p: s for p, s in pairs if isinstance(p, sympy.Symbol)}
                return self._member(name, subs, declared.shape, mapping)
        raise KeyError(name)

    def _member(self, name: str, subs: tuple[Int, ...], shape: Shape, mapping: Mapping[sympy.Symbol, Int]) -> Var:
        return Var(name, subs, tuple(replace(s, mapping) for s in shape), self.facts[name])
