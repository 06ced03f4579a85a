"""Which ways of reading ∂ make a difference to a derivative: to that of a number its layout, to another its paths."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from symgrad.problem.names import Family, Names
from symgrad.syntax.tree import Call, Name, Subscript, Transpose, Tree
from symgrad.verification.meaning.readings import PLAIN, Gradients, Partials, Reading

OF_NUMBER: Final = "∂ of a number"
_OF_ARRAY: Final = "∂ of an array"
_TOTAL: Final = "∂, not ∂⁺"
_TOTAL_OF_ARRAY: Final = "∂, not ∂⁺, of an array"
_TOTAL_BY_INPUT: Final = "∂, not ∂⁺, of an array by an input"
_NEEDED: Final[dict[Gradients | Partials, str]] = {
    "row": OF_NUMBER,
    "denominator": _OF_ARRAY,
    "leaves": _TOTAL_BY_INPUT,
    "neighbours": _TOTAL_OF_ARRAY,
    "immediate": _TOTAL,
    "alone": _TOTAL_OF_ARRAY,
}
"""To which derivatives each way of reading them makes a difference."""
EVERY: Final = frozenset(_NEEDED.values())
"""The marks of a tree in which any derivative may stand."""


def marks(tree: Call, names: Names) -> frozenset[str]:
    """What kind of derivative a call may be; none for a call that has none inside but among its arguments."""
    if tree.func.id in names.functions:
        return EVERY
    if tree.func.id not in ("jacobian", "grad"):
        return frozenset()
    of, wrt = (_family(x, names) for x in tree.args) if len(tree.args) == 2 else (None, None)
    orders = {None if m.shape is None else len(m.shape) for m in of.members} if of is not None else {None}
    found: set[str] = set()
    if orders & {0, None}:
        found |= {OF_NUMBER}
    if orders - {0}:
        found |= {_OF_ARRAY} if tree.keywords else {_OF_ARRAY, _TOTAL_OF_ARRAY}
    if not tree.keywords:
        found |= {_TOTAL}
    if _TOTAL_OF_ARRAY in found and (wrt is None or not all(m.defined for m in wrt.members)):
        found |= {_TOTAL_BY_INPUT}
    return frozenset(found)


def _family(tree: Tree, names: Names) -> Family | None:
    """The family of which a tree is a member; None where it is anything else, or entries of one."""
    tree = tree.operand if isinstance(tree, Transpose) else tree
    base, items = (tree.base, tree.items) if isinstance(tree, Subscript) else (tree, ())
    family = names.families.get(base.id) if isinstance(base, Name) else None
    return family if family is not None and family.arity == len(items) and family.members else None


def essential(reading: Reading, found: frozenset[str]) -> Reading:
    """The plainest reading under which a tree with some marks is worth the same."""
    gradients = reading.gradients if _NEEDED.get(reading.gradients) in found else PLAIN.gradients
    partials = reading.partials if _NEEDED.get(reading.partials) in found else PLAIN.partials
    return replace(reading, gradients=gradients, partials=partials)
