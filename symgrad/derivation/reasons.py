"""Why a step holds, in the words of a textbook: read off the operation through which a node acts."""

from collections.abc import Iterable

from symgrad.derivation.steps import Reason
from symgrad.tensor.nodes import (
    Add,
    Apply,
    Call,
    Compare,
    Concat,
    Entry,
    Expr,
    Fold,
    Integral,
    MatMul,
    Mul,
    Opaque,
    Pow,
    Reduce,
    Stack,
    Transpose,
    Var,
)
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.walk import variables

CALLS: dict[str, str] = {
    "softmax": "Jacobian of the softmax",
    "logsumexp": "the gradient of log-sum-exp is the softmax",
    "cross_entropy": "cross-entropy",
    "norm": "the gradient of a norm is the unit vector",
    "trace": "trace",
    "det": "Jacobi's formula for the determinant",
    "inv": "derivative of the inverse",
    "diag": "diagonal matrix",
    "diagpart": "diagonal of a matrix",
    "reshape": "the same entries in another shape",
    "vec": "the same entries in one column",
    "kron": "Kronecker product",
    "conv1d": "convolution, entry by entry",
    "conv2d": "convolution, entry by entry",
    "conv_transpose1d": "transposed convolution, entry by entry",
    "conv_transpose2d": "transposed convolution, entry by entry",
    "maxpool1d": "the largest entry of each window, the first of equals",
    "maxpool2d": "the largest entry of each window, the first of equals",
    "avgpool1d": "the mean of each window",
    "avgpool2d": "the mean of each window",
}


def why(reader: Var, body: Expr, node: Var) -> Reason:
    """Why ∂⁺reader/∂node is what it is: the operations of reader's definition that stand on the way to node."""
    words: list[str | Expr] = []
    for op in way(body, node):
        part = _operation(op, node)
        if part and part not in words:
            words += [", " if words else "", *part] if isinstance(part, tuple) else [", " if words else "", part]
    words = [w for w in words if w != ""]
    if words:
        return tuple(words)
    if body is node:
        return (reader, " is a copy")
    if isinstance(body, Add):
        return ("a sum hands the gradient on unchanged",)
    return ()


def way(body: Expr, node: Var) -> list[Expr]:
    """The operations from a body down to the first mention of a node, the outermost first."""
    path: list[Expr] = []
    current = body
    while current is not node:
        path.append(current)
        if isinstance(current, Integral):
            break
        step = next((c for c in current.children if node in variables(c) or _member(node, c)), None)
        if step is None or isinstance(step, Var):
            break
        current = step
    return path


def _member(node: Var, tree: Expr) -> bool:
    return any(v.name == node.name for v in variables(tree))


def _operation(op: Expr, node: Var) -> str | tuple[str | Expr, ...]:
    match op:
        case Apply(fn=fn):
            return SCALARS[fn].reason
        case MatMul(args=args):
            if args[-1] is node:
                return ("linear in ", node)
            return ("product with ", *_others(args, node))
        case Mul():
            return "product rule"
        case Call(fn=fn):
            return CALLS.get(fn, fn)
        case Fold(op="sum") | Reduce(op="sum"):
            return "the derivative of a sum"
        case Integral(op="divergence"):
            return "closed form of the divergence"
        case Integral():
            return "the derivative under the integral"
        case Pow():
            return "power rule"
        case Concat() | Stack() | Entry():
            return "the block that it fills"
        case Opaque():
            return "given"
        case Add() | Transpose() | Compare():
            return ""
    return ""


def _others(args: Iterable[Expr], node: Var) -> tuple[str | Expr, ...]:
    rest = [a for a in args if a is not node]
    return (rest[0],) if len(rest) == 1 else ("its neighbours",)


def paths_add(node: Var, readers: Iterable[Var]) -> Reason:
    """Why the terms of several readers are added."""
    names = list(readers)
    words: list[str | Expr] = [node, " acts on "]
    for k, r in enumerate(names):
        if k:
            words.append(" and " if k == len(names) - 1 else ", ")
        words.append(r)
    return (*words, ": the paths add")
