"""Convex by construction: sums of convex terms, maxima of them, convex increasing functions of them.

Where a function has kinks no Hessian decides; the rules of composition do. Every part of the function is constant,
affine, convex or concave in the variable, and the whole is what its parts and the rule for its operation make it.

Source: Boyd and Vandenberghe, Convex Optimization (2004), section 3.2.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from msgspec import Struct, field

from symgrad.derivation.pieces import meet
from symgrad.derivation.signs import never_negative, sign
from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor.nodes import (
    Add,
    Apply,
    Build,
    Call,
    Concat,
    Entry,
    Expr,
    Fold,
    MatMul,
    Mul,
    Permute,
    Pow,
    Reduce,
    Stack,
    Transpose,
    Var,
)
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.walk import postorder, variables

CONSTANT, AFFINE, CONVEX, CONCAVE, UNKNOWN = "constant", "affine", "convex", "concave", "unknown"
_OPPOSITE: Final[Mapping[str, str]] = {CONVEX: CONCAVE, CONCAVE: CONVEX}
_LINEAR: Final = frozenset({"trace", "diag", "diagpart", "reshape", "avgpool1d", "avgpool2d"})
_LINEAR_IN_FIRST: Final = frozenset({"conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"})
_FUNCTIONS: Final[Mapping[str, tuple[str, int]]] = {
    "exp": (CONVEX, 1),
    "softplus": (CONVEX, 1),
    "relu": (CONVEX, 1),
    "max": (CONVEX, 1),
    "abs": (CONVEX, 0),
    "log": (CONCAVE, 1),
    "sqrt": (CONCAVE, 1),
    "min": (CONCAVE, 1),
}
"""The curvature of each scalar function, and 1 where it never falls."""
_WORDS: Final[Mapping[str, str]] = {
    "relu": "the larger of 0 and an argument that is",
    "max": "the larger of arguments that are",
    "min": "the smaller of arguments that are",
    "abs": "the absolute value of what is",
}


def kinked(root: Expr, over: Collection[Var]) -> bool:
    """Whether something in an expression need not be differentiable in the variables everywhere."""
    squared = {n.base for n in postorder(root) if isinstance(n, Pow) and b.number_of(n.exponent) == 2}
    smooth = {n for n in squared if isinstance(n, Apply | Call) and n.fn in ("norm", "relu", "abs")}
    found = (n for n in postorder(root) if _has_kink(n) and n not in smooth)
    return any(v in over for n in found for v in variables(n))


def _has_kink(n: Expr) -> bool:
    match n:
        case Apply(fn=fn):
            return not SCALARS[fn].smooth
        case Reduce(op=op) | Fold(op=op):
            return op not in ("sum", "mean", "prod")
        case Call(fn=fn):
            return fn in ("norm", "spectral_norm", "maxpool1d", "maxpool2d")
    return type(n).__name__ in ("Compare", "Iverson")


class Curvature(Struct):
    """What each part of a function is in the variables, taken together.

    ``said`` are the parts whose curvature a rule gives, with the rule.
    """

    over: tuple[Var, ...]
    known: dict[Expr, str] = field(default_factory=dict)
    said: list[tuple[Expr, str, Reason]] = field(default_factory=list)

    def of(self, root: Expr) -> str:
        """constant, affine, convex, concave or unknown."""
        for n in postorder(root):
            if n not in self.known:
                self.known[n] = self._node(n)
        return self.known[root]

    def _node(self, n: Expr) -> str:
        if n in self.over:
            return AFFINE
        if not self._moves(n):
            return CONSTANT
        parts = [self.known[c] for c in n.children]
        for kind, rule in _RULES.items():
            if isinstance(n, kind):
                return rule(self, n, parts)
        return UNKNOWN

    def _moves(self, n: Expr) -> bool:
        return any(v in self.over for v in variables(n))

    def _say(self, n: Expr, curve: str, *reason: "str | Expr") -> str:
        if curve in _OPPOSITE:
            self.said.append((n, curve, reason))
        return curve

    def _kept(self, n: Expr, parts: list[str]) -> str:
        """Linear operations without signs of their own: the curvature of the parts, entry by entry."""
        return _sum(parts)

    def _add(self, n: Expr, parts: list[str]) -> str:
        curve = _sum(parts)
        return self._say(n, curve, f"a sum of {curve} terms") if isinstance(n, Add) and n.order == 0 else curve

    def _mul(self, n: Expr, parts: list[str]) -> str:
        assert isinstance(n, Mul)
        moving = [(a, p) for a, p in zip(n.args, parts, strict=True) if p != CONSTANT]
        if len(moving) != 1:
            return UNKNOWN
        curve = moving[0][1]
        factor = b.mul(*(a for a in n.args if a is not moving[0][0]))
        if curve == AFFINE:
            return AFFINE
        known = sign(factor) or (1 if never_negative(factor) else 0)
        return curve if known > 0 else _OPPOSITE.get(curve, curve) if known < 0 else UNKNOWN

    def _matmul(self, n: Expr, parts: list[str]) -> str:
        assert isinstance(n, MatMul)
        moving = [p for p in parts if p != CONSTANT]
        if len(moving) == 1:
            weights = [a for a, p in zip(n.args, parts, strict=True) if p == CONSTANT]
            weighted = moving[0] in _OPPOSITE and all(never_negative(a) for a in weights)
            if weighted and not n.order:
                return self._say(n, moving[0], f"a sum of {moving[0]} terms with weights that are not negative")
            return moving[0] if weighted or moving[0] == AFFINE else UNKNOWN
        first, last = n.args[0], n.args[-1]
        if len(n.args) == 2 and not n.order and isinstance(first, Transpose) and first.arg is last:
            return self._say(n, CONVEX, "the square of a norm of what is affine") if parts[1] == AFFINE else UNKNOWN
        return UNKNOWN

    def _reduce(self, n: Expr, parts: list[str]) -> str:
        op = getattr(n, "op", "")
        if op in ("sum", "mean"):
            return self._say(n, parts[0], f"a sum of {parts[0]} terms")
        wanted = {"max": CONVEX, "min": CONCAVE}.get(op, UNKNOWN)
        return self._say(n, wanted, f"the {op}imum of what is {parts[0]}") if parts[0] in (wanted, AFFINE) else UNKNOWN

    def _power(self, n: Expr, parts: list[str]) -> str:
        assert isinstance(n, Pow)
        e = b.number_of(n.exponent)
        if e is None or parts[1] != CONSTANT:
            return UNKNOWN
        inside, curve = n.base, parts[0]
        if e.denominator == 1 and e > 0 and e.numerator % 2 == 0 and curve == AFFINE:
            return self._say(n, CONVEX, "an even power of what is affine")
        if e >= 1 and curve in (AFFINE, CONVEX) and never_negative(inside):
            return self._say(n, CONVEX, "a power of what is convex and never negative")
        if e < 0 and curve in (AFFINE, CONCAVE) and sign(inside) > 0:
            return self._say(n, CONVEX, "a negative power of what is concave and positive")
        return UNKNOWN

    def _apply(self, n: Expr, parts: list[str]) -> str:
        assert isinstance(n, Apply)
        logistic = _log_sigmoid(n)
        if logistic is not None and self.of(logistic) == AFFINE:
            return self._say(n, CONCAVE, "minus the softplus of what is affine")
        if n.fn == "log" and self._is_softmax(n.args[0]):
            return self._say(n, CONCAVE, "entries of what is affine less their log-sum-exp")
        if n.fn == "log" and self._is_of_exponentials(n.args[0]):
            return self._say(n, CONVEX, "the logarithm of a sum of exponentials of what is affine or convex")
        if n.fn == "where" and set(parts[1:]) <= {CONSTANT, AFFINE, CONVEX}:
            return self._pieces(n)
        if n.fn not in _FUNCTIONS:
            return UNKNOWN
        curve, rising = _FUNCTIONS[n.fn]
        allowed = {CONSTANT, AFFINE, curve} if rising or all(never_negative(a) for a in n.args) else {CONSTANT, AFFINE}
        if not set(parts) <= allowed:
            return UNKNOWN
        inner = curve if curve in parts else AFFINE
        words = _WORDS.get(n.fn, "a function that increases and is " + curve + ", of what is")
        return self._say(n, curve, f"{words} {inner}")

    def _is_of_exponentials(self, n: Expr) -> bool:
        """Whether log n is convex, since n is made of positive constants and exponentials by sums and products.

        Source: Boyd and Vandenberghe, section 3.5: log-convex functions.
        """
        if not self._moves(n):
            return sign(n) > 0
        match n:
            case Apply(fn="exp", args=(inside,)):
                return self.of(inside) in (AFFINE, CONVEX)
            case Add(args=args) | Mul(args=args):
                return all(self._is_of_exponentials(a) for a in args)
            case Reduce(op="sum" | "mean", arg=inside) | Fold(op="sum", body=inside):
                return self._is_of_exponentials(inside)
            case Pow(base=base, exponent=e) if self._is_softmax(base):
                power = b.number_of(e)
                return power is not None and power < 0
            case Pow(base=base, exponent=e):
                return never_negative(e) and not self._moves(e) and self._is_of_exponentials(base)
            case Entry(arg=inside) | Transpose(arg=inside):
                return self._is_of_exponentials(inside)
        return False

    def _is_softmax(self, n: Expr) -> bool:
        """Whether n is the softmax or the sigmoid of what is affine, so that −log n is convex."""
        known = isinstance(n, Call | Apply) and n.fn in ("softmax", "sigmoid")
        return known and self.of(n.children[0]) == AFFINE

    def _pieces(self, n: Apply) -> str:
        moving = [v for v in variables(n) if v in self.over]
        points = meet(n, moving[0]) if len(moving) == 1 else None
        if points is None:
            return UNKNOWN
        places = [w for p in points for w in (" and ", b.compare("==", moving[0], p))][1:]
        return self._say(
            n, CONVEX, "two convex pieces that meet without a jump, and the slope does not fall at ", *places
        )

    def _call(self, n: Expr, parts: list[str]) -> str:
        assert isinstance(n, Call)
        if n.fn in _LINEAR or (n.fn in _LINEAR_IN_FIRST and set(parts[1:]) <= {CONSTANT}):
            return AFFINE if parts[0] == AFFINE else UNKNOWN
        if n.fn in ("norm", "spectral_norm") and parts[0] == AFFINE:
            return self._say(n, CONVEX, "a norm of what is affine")
        if n.fn == "logsumexp" and parts[0] in (AFFINE, CONVEX):
            return self._say(n, CONVEX, f"the log-sum-exp of what is {parts[0]}")
        if n.fn == "cross_entropy" and parts[0] == CONSTANT and self._is_softmax(n.args[1]):
            return self._say(n, CONVEX, "log-sum-exp of what is affine, less what is affine")
        if n.fn in ("maxpool1d", "maxpool2d") and parts[0] in (AFFINE, CONVEX):
            return self._say(n, CONVEX, "maxima of what is convex")
        return UNKNOWN


_Rule = Callable[[Curvature, Expr, list[str]], str]
_RULES: Final[Mapping[type[Expr], _Rule]] = {
    Add: Curvature._add,
    Mul: Curvature._mul,
    MatMul: Curvature._matmul,
    Pow: Curvature._power,
    Apply: Curvature._apply,
    Call: Curvature._call,
    Reduce: Curvature._reduce,
    Fold: Curvature._reduce,
    Transpose: Curvature._kept,
    Permute: Curvature._kept,
    Entry: Curvature._kept,
    Build: Curvature._kept,
    Stack: Curvature._kept,
    Concat: Curvature._kept,
}


def _sum(parts: list[str]) -> str:
    found = set(parts) - {CONSTANT}
    if not found:
        return CONSTANT
    if found == {AFFINE}:
        return AFFINE
    curves = found - {AFFINE}
    return curves.pop() if len(curves) == 1 else UNKNOWN


def _log_sigmoid(n: Apply) -> Expr | None:
    """The argument of log σ(a) or log(1 − σ(a))."""
    if n.fn != "log":
        return None
    inside = n.args[0]
    if isinstance(inside, Add):
        rest = b.sub(b.ones(inside.shape) if inside.order else b.ONE, inside)
        rest = b.sub(b.ONE, inside) if not isinstance(rest, Apply) else rest
        inside = rest
    return inside.args[0] if isinstance(inside, Apply) and inside.fn == "sigmoid" else None
