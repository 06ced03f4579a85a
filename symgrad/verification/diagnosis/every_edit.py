"""Every single edit of an expression, in the order of the table of slips."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from symgrad.syntax.tree import Call, Tree
from symgrad.verification.diagnosis.edits import Context, Edit
from symgrad.verification.diagnosis.slips import SLIPS
from symgrad.verification.surgery import Path, parts, places, put


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
        node = parts(node)[k]
    return False
