"""Identities of matrices, probabilities and kinks by name: both sides of a claim are brought to one form by them."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor.functions.construct import det, inv, logsumexp, norm, softmax
from symgrad.tensor.nodes import Add, Apply, Call, Expr, MatMul, Mul, Pow, Reduce, Transpose, Var
from symgrad.tensor.rebuild import transform
from symgrad.tensor.shapes import same_shape

_ROUNDS: Final = 4


class Identity(Struct, frozen=True):
    """A rule for one node, and its name in words."""

    words: str
    rule: Callable[[Expr], Expr]


def _of(x: Expr, name: str) -> Expr | None:
    """The argument of a function with one."""
    return x.args[0] if isinstance(x, Call) and x.fn == name else None


def _square(x: Expr) -> bool:
    return x.order == 2 and same_shape(x.shape[:1], x.shape[1:])


def _inverse_of_product(x: Expr) -> Expr:
    inside = _of(x, "inv")
    if isinstance(inside, MatMul) and all(_square(a) for a in inside.args):
        return b.matmul(*(inv(a) for a in reversed(inside.args)))
    return x


def _inverse_of_transpose(x: Expr) -> Expr:
    inside = _of(x, "inv")
    return b.transpose(inv(inside.arg)) if isinstance(inside, Transpose) else x


def _determinant(x: Expr) -> Expr:
    inside = _of(x, "det")
    if inside is None:
        return x
    inverted = _of(inside, "inv")
    if inverted is not None:
        return b.power(det(inverted), b.MINUS_ONE)
    if isinstance(inside, Transpose):
        return det(inside.arg)
    if isinstance(inside, MatMul) and all(_square(a) for a in inside.args):
        return b.mul(*(det(a) for a in inside.args))
    if isinstance(inside, Mul):
        scalars = [a for a in inside.args if not a.order]
        rest = [a for a in inside.args if a.order]
        if scalars and len(rest) == 1:
            return b.mul(b.power(b.mul(*scalars), b.count(inside.shape[0])), det(rest[0]))
    return x


def _is(x: Expr, fact: str) -> bool:
    return isinstance(x, Var) and fact in x.facts


def _symmetric(x: Expr) -> bool:
    return _is(x, "symmetric") or _is(x, "positive-definite")


def _orthogonal(x: Expr) -> Expr:
    inside = _of(x, "norm")
    if isinstance(inside, MatMul) and len(inside.args) == 2 and _is(inside.args[0], "orthogonal"):
        return norm(inside.args[1])
    if isinstance(x, Pow) and b.number_of(x.exponent) == 2:
        matrix = _of(x.base, "det")
        return b.ONE if matrix is not None and _is(matrix, "orthogonal") else x
    if isinstance(x, MatMul):
        for k, (first, second) in enumerate(zip(x.args, x.args[1:], strict=False)):
            pair = (first.arg, second) if isinstance(first, Transpose) else (first, getattr(second, "arg", None))
            turned = isinstance(first, Transpose) != isinstance(second, Transpose)
            if turned and pair[0] is pair[1] and _is(first if pair[0] is first else pair[0], "orthogonal"):
                rest = (*x.args[:k], *x.args[k + 2 :])
                return b.matmul(*rest) if rest else b.eye(first.shape[0])
    return x


def _scalar_transposed(x: Expr) -> Expr:
    """xᵀ S y = yᵀ S x for a symmetric S: the one of the two that comes first in the alphabet."""
    if not isinstance(x, MatMul) or x.order or not all(a.order < 2 or _symmetric(a) for a in x.args):
        return x
    other = b.matmul(*(b.transpose(a) if a.order < 2 else a for a in reversed(x.args)))
    return min(x, other, key=repr)


def _scores_shifted(x: Expr) -> Expr:
    """softmax(z + c) = softmax(z)."""
    inside = _of(x, "softmax")
    if x.order != 1 or not isinstance(inside, Add):
        return x
    kept = [t for t in inside.args if t.order]
    return softmax(b.add(*kept)) if kept and len(kept) < len(inside.args) else x


def _log_sum_shifted(x: Expr) -> Expr:
    """log Σ exp(z + c) = c + log Σ exp z."""
    inside = _of(x, "logsumexp")
    if x.order or not isinstance(inside, Add):
        return x
    kept, shift = [t for t in inside.args if t.order], [t for t in inside.args if not t.order]
    return b.add(*shift, logsumexp(b.add(*kept))) if kept and shift and inside.order == 1 else x


def _log_of_softmax(x: Expr) -> Expr:
    scores = _of(x.args[0], "softmax") if isinstance(x, Apply) and x.fn == "log" else None
    return b.sub(scores, logsumexp(scores)) if scores is not None and scores.order == 1 else x


def _sum_of_probabilities(x: Expr) -> Expr:
    """Σ p = 1."""
    if isinstance(x, Reduce) and x.op == "sum" and isinstance(x.arg, Call) and x.arg.fn == "softmax" and x.order:
        return b.ones(x.shape) if x.axes == (x.arg.param("axis"),) else x
    total = isinstance(x, Reduce) and x.op == "sum" and not x.order and x.arg.order == 1
    return b.ONE if total and isinstance(x, Reduce) and _probabilities(x.arg) else x


def _linear(x: Expr) -> Expr:
    """Σ (a + c p) = Σ a + c Σ p."""
    if isinstance(x, Reduce) and x.op == "mean" and not x.order and x.arg.order == 1:
        return b.mul(b.power(b.count(x.arg.shape[0]), b.MINUS_ONE), b.reduce("sum", x.arg))
    if not (isinstance(x, Reduce) and x.op == "sum" and not x.order and x.arg.order == 1):
        return x
    arg = x.arg
    if isinstance(arg, Add):
        size = b.count(arg.shape[0])
        return b.add(*(b.reduce("sum", t) if t.order else b.mul(size, t) for t in arg.args))
    if isinstance(arg, Mul):
        scalars, rest = [a for a in arg.args if not a.order], [a for a in arg.args if a.order]
        if scalars and rest:
            return b.mul(*scalars, b.reduce("sum", b.mul(*rest)))
        for t in rest:
            if isinstance(t, Add):
                others = [a for a in rest if a is not t]
                return b.add(*(b.reduce("sum", b.mul(*others, a)) for a in t.args))
    return x


def _probabilities(p: Expr) -> bool:
    return _of(p, "softmax") is not None or _is(p, "probability") or _is(p, "one-hot")


def _cross_entropy(x: Expr) -> Expr:
    if isinstance(x, Call) and x.fn == "cross_entropy" and not x.order:
        target, p = x.args
        return b.neg(b.reduce("sum", b.mul(target, b.apply("log", p))))
    return x


def _kinks(x: Expr) -> Expr:
    """relu u = (u + |u|)/2, max(u, v) = (u + v + |u − v|)/2, |−u| = |u|."""
    half = b.div(b.ONE, b.num(2))
    match x:
        case Apply(fn="relu", args=(u,)):
            return b.mul(half, b.add(u, b.apply("abs", u)))
        case Apply(fn="max" | "min" as fn, args=(u, v)):
            gap = b.apply("abs", b.sub(u, v))
            return b.mul(half, b.add(u, v, gap if fn == "max" else b.neg(gap)))
        case Apply(fn="abs", args=(u,)) if repr(b.neg(u)) < repr(u):
            return b.apply("abs", b.neg(u))
    return x


RULES: Final[Sequence[Identity]] = (
    Identity("the inverse of a product", _inverse_of_product),
    Identity("the inverse of a transpose is the transpose of the inverse", _inverse_of_transpose),
    Identity("determinants of products, inverses, transposes and multiples", _determinant),
    Identity("an orthogonal matrix keeps lengths: its transpose is its inverse", _orthogonal),
    Identity("a number is its own transpose, and so is a symmetric matrix", _scalar_transposed),
    Identity("a softmax does not change when all scores are shifted", _scores_shifted),
    Identity("a shift comes out of a log-sum-exp", _log_sum_shifted),
    Identity("definition of the cross-entropy", _cross_entropy),
    Identity("the logarithm of a softmax", _log_of_softmax),
    Identity("probabilities add to 1", _sum_of_probabilities),
    Identity("linearity of the sum", _linear),
    Identity("by absolute values", _kinks),
)


def chain(x: Expr) -> list[tuple[Expr, Reason]]:
    """An expression after each rule that changes it, with the rule's name; the expression itself comes first."""
    out: list[tuple[Expr, Reason]] = [(x, ())]
    for _ in range(_ROUNDS):
        before = x
        for r in RULES:
            after = transform(x, r.rule)
            if after is not x:
                out.append((after, (r.words,)))
                x = after
        if x is before:
            break
    return out
