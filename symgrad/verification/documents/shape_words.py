"""Shapes stated in words: `the dimension of ∂f/∂W is`, `W has shape`, `dim(f) = 3`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from symgrad.syntax.tree import Binary, Call, ListTree, Name, Number, Tree

_KIND: Final = r"(?:dimension(?:s|ality)?|shapes?|sizes?|dims?)"
_OF: Final = re.compile(rf"\b{_KIND}\s+(?:of|for)(?:\s+(?:the|this|that|each))?(?:\s+[a-z]+)?[(:\s]*$", re.IGNORECASE)
_IS: Final = re.compile(
    r"(?:^|: )[\s,)]*(?:[:=]|(?:is|are|will be|would be|should be|must be|equals?|has to be)"
    r"(?:\s+(?:then|thus|hence|just|in))?)[\s:]*(?:of\s*)?$",
    re.IGNORECASE,
)
_HAS: Final = re.compile(
    rf"(?:^|: )[\s,)]*(?:(?:is|are|will be|would be)\s+(?:a|an)?\b[\w\s-]{{0,40}}|which\s+)?"
    rf"(?:has|have|having|with|of|being)\s+(?:the\s+|a\s+)?{_KIND}(?:\s+of)?[\s:=]*$",
    re.IGNORECASE,
)
_LIES: Final = re.compile(
    r"(?:^|: )[\s,)]*(?:is|are|lies?|lives?|belongs?)\s+(?:a\s+\w+\s+)?(?:in|to|from)(?:\s+the\s+space)?\s*$",
    re.IGNORECASE,
)
_SIZES: Final = frozenset({"dim", "shape", "size"})


def tells_shape(before: str, between: str) -> bool:
    """Whether the words before a quantity, and those between it and some sizes, say that it has these."""
    return bool((_OF.search(before) and _IS.search(between)) or _HAS.search(between))


def tells_space(before: str, between: str) -> bool:
    """Whether the words between a quantity and ℝ^n say that it lies there, or has this shape."""
    return bool(_LIES.search(between)) or tells_shape(before, between)


def measured(tree: Tree | None) -> Tree | None:
    """x of dim(x) and shape(x); None for any other tree."""
    match tree:
        case Call(func, (inner,), ()) if func.id in _SIZES:
            return inner
    return None


def sizes_of(tree: Tree | None) -> ListTree | None:
    """The sizes that a side states: 3, (3, 5), 3 × 5; None where it states none."""
    match tree:
        case ListTree():
            return tree
        case Binary(op="×"):
            return ListTree(tuple(_between_crosses(tree)), place=tree.place)
        case Number() | Name():
            return ListTree((tree,), place=tree.place)
    return None


def _between_crosses(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, Binary) and tree.op == "×":
        yield from _between_crosses(tree.left)
        yield tree.right
    else:
        yield tree
