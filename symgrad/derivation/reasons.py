"""Why a step holds, in the words of a textbook: read off the operation through which a node acts."""

from collections.abc import Iterable, Mapping, Sequence

from symgrad.calculus.in_matrices import in_matrices
from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor.functions.layers import setting
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

SQUARED_NORM = "gradient of the squared norm"
SOFTMAX_WITH_CROSS_ENTROPY = "softmax with cross-entropy"
CONSTANT: Reason = ("constant factor",)
PUT_IN: Reason = ("the factors put in",)
"""Why a result follows, once its factors stand by themselves."""

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

INPUTS: dict[str, str] = {
    "conv1d": "the transposed convolution, with the same filters",
    "conv2d": "the transposed convolution, with the same filters",
    "conv_transpose1d": "the convolution, with the same filters",
    "conv_transpose2d": "the convolution, with the same filters",
}
"""Why of a layer, where the gradient goes to its input."""


def why(reader: Var, body: Expr, node: Var) -> Reason:
    """Why ∂⁺reader/∂node is what it is: the operations of reader's definition that stand on the way to node."""
    words: list[str | Expr] = []
    body = in_matrices(body)
    steps = way(body, node)
    for k, op in enumerate(steps):
        part = SQUARED_NORM if _is_squared_norm(op) else _operation(op, node)
        if k and _is_squared_norm(steps[k - 1]):
            continue
        if _is_call(op, "cross_entropy") and k + 1 < len(steps) and _is_call(steps[k + 1], "softmax"):
            part = SOFTMAX_WITH_CROSS_ENTROPY
        elif k and _is_call(op, "softmax") and _is_call(steps[k - 1], "cross_entropy"):
            continue
        if part and part not in words:
            words += [", " if words else "", *part] if isinstance(part, tuple) else [", " if words else "", part]
    words = [w for w in words if w != ""]
    if words:
        return tuple(words)
    return (reader, " is a copy") if body is node else _standing(body, node)


def _standing(body: Expr, node: Var) -> Reason:
    """How a node stands in a definition of sums and factors alone."""
    terms = [t for t in body.args if _member(node, t)] if isinstance(body, Add) else []
    if len(terms) > 1:
        return (node, " stands in both terms" if len(terms) == 2 else " stands in several terms")
    if terms and isinstance(terms[0], Mul) and (beside := _beside(terms[0], node)) != CONSTANT:
        return beside
    if terms:
        return ("a sum hands the gradient on unchanged",)
    return _beside(body, node) if isinstance(body, Mul) else ()


def _is_call(x: Expr, fn: str) -> bool:
    return isinstance(x, Call) and x.fn == fn


def _is_squared_norm(x: Expr) -> bool:
    return isinstance(x, Pow) and x.exponent is b.num(2) and isinstance(x.base, Call) and x.base.fn == "norm"


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
            return _matrix_product(args, node)
        case Mul(args=args):
            return "product rule" if sum(_member(node, a) for a in args) > 1 else ""
        case Call(fn=fn, args=(x, *_)) as op if fn in INPUTS and _member(node, x):
            strided = "transpose" not in fn and any(n != 1 for n in setting(op, "stride"))
            return f"{INPUTS[fn]}, zeros between the entries of the gradient" if strided else INPUTS[fn]
        case Call(fn=fn):
            return CALLS.get(fn, fn)
        case Reduce(op="max"):
            return "the largest entry, the first of equals"
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


def _matrix_product(args: Sequence[Expr], node: Var) -> str | tuple[str | Expr, ...]:
    hits = [a for a in args if _member(node, a)]
    if len(hits) > 1:
        return "product rule"
    if args[-1] is node:
        return ("linear in ", node)
    return _product_with([a for a in args if a not in hits]) or ("linear in ", node)


def _product_with(others: Iterable[Expr]) -> tuple[str | Expr, ...]:
    names = [a.arg if isinstance(a, Transpose) else a for a in others]
    if not 1 <= len(names) <= 2 or not all(isinstance(a, Var) or _of_a_name(a) for a in names):
        return ()
    return ("product with ", names[0]) if len(names) == 1 else ("product with ", names[0], " and ", names[1])


def _of_a_name(x: Expr) -> bool:
    return isinstance(x, Apply) and all(isinstance(a, Var) for a in x.args)


def _beside(product: Mul, node: Var) -> Reason:
    """What multiplies a node that a definition names once."""
    others = [a for a in product.args if not _member(node, a) and variables(a)]
    return _product_with(others) or (("linear in ", node) if others else CONSTANT)


def paths_add(node: Var, readers: Iterable[Var], ending: str = "the paths add") -> Reason:
    """Why the terms of several readers are put together."""
    return (node, " acts on ", *listed(list(readers)), f": {ending}")


def put_in(names: Sequence[Var], bodies: Mapping[Expr, Expr], shared: Var) -> Reason:
    """Names replaced by what they stand for, so that what they share can be taken out."""
    return (*listed([(b.compare("==", v, bodies[v]),) for v in names]), "; ", shared, " is a common factor")


def listed(items: Sequence[Expr | Reason], last: str = " and ") -> Reason:
    """a, b and c; ``last`` stands before the last of them."""
    words: list[str | Expr] = []
    for k, item in enumerate(items):
        words += [last if k == len(items) - 1 else ", "] if k else []
        words += item if isinstance(item, tuple) else [item]
    return tuple(words)
