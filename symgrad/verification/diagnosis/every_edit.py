"""Every single edit of an expression, in the order of the table of slips."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from symgrad.syntax.tree import Binary, Call, Keyword, Span, Subscript, Transpose, Tree, Unary
from symgrad.verification.diagnosis.edits import Context, Edit
from symgrad.verification.diagnosis.slips import SLIPS
from symgrad.verification.surgery import Path, places, put


def edits(tree: Tree, context: Context, only: Collection[str] | None = None) -> Iterator[Edit]:
    """Every single edit of an expression, in the order of the table; of some slips only, where they are named."""
    found = [(*place, _in_derivative(tree, place[0])) for place in places(tree)]
    for slip in SLIPS:
        if only is not None and slip.name not in only:
            continue
        for path, node, parent, differentiated in found:
            if differentiated and slip.name != "step":
                continue
            for new, said, splices in slip.undo(context, node, parent):
                yield Edit(slip.name, said, put(tree, path, new), splices)


def _in_derivative(tree: Tree, path: Path) -> bool:
    """Whether a part stands inside ∂…/∂…."""
    node = tree
    for k in path:
        if isinstance(node, Call) and node.func.id in ("jacobian", "grad"):
            return True
        inner = list(_children(node))
        node = inner[k]
    return False


def _children(node: Tree) -> tuple[Tree, ...]:
    match node:
        case Subscript(base, items):
            return (base, *items)
        case Span(lo, hi):
            return tuple(e for e in (lo, hi) if e is not None)
        case Keyword(_, value):
            return (value,)
        case Call(_, args, keywords):
            return (*args, *keywords)
        case Unary(_, operand) | Transpose(operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
    return getattr(node, "operands", getattr(node, "items", ()))
