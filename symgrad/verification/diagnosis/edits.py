"""What a slip is, and the edit that undoes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from symgrad.problem.names import Names
from symgrad.syntax.tree import Tree
from symgrad.verification.diagnosis.hands import Hand
from symgrad.verification.surgery import Splice


class Filler(Struct, frozen=True):
    """A factor or a term that may be lacking, and how it is written."""

    tree: Tree
    text: str


class Context(Struct, frozen=True):
    """What a writer may have meant.

    Attributes:
        names: the namespace of the problem.
        hand: how he sets what is put in.
        alike: the families that may be taken for each family, the likeliest first.
        activations: how a quantity is made from what goes in: tanh, sigmoid, relu.
        latex: how families are written, where the default does not serve.
        letters: the open indices of entries in the line.
        factors: factors that may have been forgotten.
        paths: terms of the derivative that may have been forgotten, one for each path.
        terms: other terms that may have been forgotten.
    """

    names: Names
    hand: Hand
    alike: Mapping[str, Sequence[str]]
    activations: Mapping[str, str]
    latex: Mapping[str, str]
    letters: Sequence[str] = ()
    factors: Sequence[Filler] = ()
    paths: Sequence[Filler] = ()
    terms: Sequence[Filler] = ()


class Edit(Struct, frozen=True):
    """One edit of an expression: the slip that it undoes, what it does in words, the tree and the text after it."""

    slip: str
    said: str
    tree: Tree
    splices: tuple[Splice, ...]


Variant = tuple[Tree, str, tuple[Splice, ...]]
"""A part after an edit, what was done, and the edit in the text."""


class Choice(Struct, frozen=True):
    """A part with one of many fillers beside it, before it or behind it, and a sign between them.

    ``filled`` is the edit that puts in a filler.
    """

    fillers: Sequence[Filler]
    sign: str
    before: bool
    filled: Callable[[Filler], Variant]


def each(edit: Variant | Choice) -> Iterator[Variant]:
    """The edits that one is, or is a choice of."""
    return map(edit.filled, edit.fillers) if isinstance(edit, Choice) else iter((edit,))


def choices_in(edit: Variant | Choice) -> int:
    """The number of edits that one is a choice of."""
    return len(edit.fillers) if isinstance(edit, Choice) else 1


Undo = Callable[[Context, Tree, Tree | None], Iterator[Variant | Choice]]


class Slip(Struct, frozen=True):
    """One kind of slip: its name, what it is in words, and how it is undone at a part of an expression.

    Those of one ``turn`` are looked for together; in the last turn are those that need a search of all there is.
    """

    name: str
    about: str
    undo: Undo
    turn: int = 2
