"""What a slip is, and the edit that undoes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symgrad.problem.names import Names
from symgrad.syntax.tree import Tree
from symgrad.verify.surgery import Splice


@dataclass(frozen=True, slots=True)
class Context:
    """What the writer's names are, and the factors that may have been forgotten, with how they are written.

    ``steps`` are the values of one family that have others beside them of the same shape, ``activations`` how a
    quantity is made from what goes in: tanh or sigmoid.
    """

    names: Names
    alike: Mapping[str, Sequence[str]]
    activations: Mapping[str, str]
    latex: Mapping[str, str]
    pool: Sequence[Tree] = ()
    terms: Sequence[tuple[Tree, str]] = ()


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
