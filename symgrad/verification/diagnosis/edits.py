"""What a slip is, and the edit that undoes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symgrad.problem.names import Names
from symgrad.syntax.tree import Tree
from symgrad.verification.diagnosis.hands import Hand
from symgrad.verification.surgery import Splice


@dataclass(frozen=True, slots=True)
class Term:
    """A term that may be lacking: a path of the derivative, or another."""

    tree: Tree
    text: str
    path: bool


@dataclass(frozen=True, slots=True)
class Context:
    """What a writer may have meant.

    Attributes:
        names: the namespace of the problem.
        hand: how he sets what is put in.
        alike: the families that may be taken for each family, the likeliest first.
        activations: how a quantity is made from what goes in: tanh, sigmoid, relu.
        latex: how families are written, where the default does not serve.
        letters: the open indices of entries in the line.
        pool: factors that may have been forgotten.
        terms: terms that may have been forgotten, with what each is.
    """

    names: Names
    hand: Hand
    alike: Mapping[str, Sequence[str]]
    activations: Mapping[str, str]
    latex: Mapping[str, str]
    letters: Sequence[str] = ()
    pool: Sequence[Tree] = ()
    terms: Sequence[Term] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of an expression: the slip that it undoes, what it does in words, the tree and the text after it."""

    slip: str
    said: str
    tree: Tree
    splices: tuple[Splice, ...]


Variant = tuple[Tree, str, tuple[Splice, ...]]
"""A part after an edit, what was done, and the edit in the text."""


Undo = Callable[[Context, Tree, Tree | None], Iterator[Variant]]


@dataclass(frozen=True, slots=True)
class Slip:
    """One kind of slip: its name, what it is in words, and how it is undone at a part of an expression."""

    name: str
    about: str
    undo: Undo
