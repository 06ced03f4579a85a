"""Definitions by sums over indices, written once in the matrix notation in which they are differentiated."""

from collections.abc import Sequence
from typing import Final

from symgrad.calculus.in_matrices import in_matrices
from symgrad.derivation.steps import Line, Reason
from symgrad.derivation.workspace import Workspace
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Binder, Build, Call, Expr, MatMul, Var
from symgrad.tensor.walk import postorder

_BY_NAME: Final = frozenset({"softmax", "logsumexp"})


def matrix_line(work: Workspace, node: Var, body: Expr | None, ranges: Sequence[Binder] = ()) -> Line | None:
    """node = its definition with sums read as products of matrices; None where there are none.

    Args:
        work: certifies the line.
        node: what is defined.
        body: as what, in the author's notation.
        ranges: over which the node's open steps run.
    """
    read = None if body is None else in_matrices(body)
    if body is None or read is None or not _products(read) - _products(body):
        return None
    named = not any(isinstance(y, MatMul) for y in _products(read) - _products(body))
    left: Expr = node
    if isinstance(read, Build):
        left, ranges = b.at(node, *(x.symbol for x in read.binders)), (*ranges, *read.binders)
        read = read.body
    reason: Reason = ("the same in short",) if named else ("in matrix notation",)
    return work.certifier.line(left, read, reason=reason, rule="matrix notation", ranges=tuple(ranges))


def _products(x: Expr) -> set[Expr]:
    return {y for y in postorder(x) if isinstance(y, MatMul) or (isinstance(y, Call) and y.fn in _BY_NAME)}
