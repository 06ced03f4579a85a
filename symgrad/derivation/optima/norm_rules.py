"""Bounds of the norms of matrices, read off an expression: products, sums and diagonal matrices."""

import math
from collections.abc import Iterator

from symgrad.derivation.optima.matrix_norms import NORMS, is_diagonal
from symgrad.derivation.signs import never_negative
from symgrad.tensor import build as b
from symgrad.tensor.facts import ends
from symgrad.tensor.nodes import Add, Apply, Call, Compare, Expr, Eye, MatMul, Mul, Pow, Reduce, Transpose, Var
from symgrad.tensor.system import System

_RANGES: dict[str, tuple[int, int]] = {
    "tanh": (-1, 1), "sigmoid": (0, 1), "sin": (-1, 1), "cos": (-1, 1), "erf": (-1, 1), "sign": (-1, 1),
}  # fmt: skip


def by_factors(x: Expr, kind: str = "2") -> Expr:
    """A bound of ‖x‖ by the norms of what it consists of: ‖AB‖ ≤ ‖A‖‖B‖, ‖A + B‖ ≤ ‖A‖ + ‖B‖, ‖diag(d)‖ = max |dᵢ|."""
    norm = NORMS[kind]
    known = norm.below(x)
    if known is not None:
        return known
    match x:
        case MatMul(args=args):
            matrices = [a for a in args if not is_diagonal(a)]
            if not matrices:
                return b.mul(*(b.reduce("max", _size(a.children[0])) for a in args[1:]), by_factors(args[0], kind))
            return b.mul(
                *(by_factors(a, kind) if a in matrices else b.reduce("max", _size(a.children[0])) for a in args)
            )
        case Add(args=args):
            return b.add(*(by_factors(a, kind) for a in args))
        case Mul(args=args) if all(a.order == 0 for a in args[:-1]) and args[-1].order:
            return b.mul(*(_size(a) for a in args[:-1]), by_factors(args[-1], kind))
        case Transpose(arg=arg) if x.order == 2:
            return by_factors(arg, norm.transposed)
        case Eye(size=size):
            return norm.eye(size)
        case Call(fn="diag", args=(d,)) if kind != "fro":
            return b.reduce("max", _size(d))
    return norm.of(x)


def _size(x: Expr) -> Expr:
    """|x| entry by entry, without the bars where it cannot be negative."""
    value = b.number_of(x)
    if value is not None:
        return b.full(abs(value), x.shape)
    return x if not x.order and never_negative(x) else b.apply("abs", x)


class Bounds:
    """Largest values that the entries of an expression can have, from the ranges of the functions that make it."""

    __slots__ = ("system",)

    def __init__(self, system: System) -> None:
        self.system = system

    def numbers_for(self, x: Expr) -> Expr:
        """A bound with every maximum over entries replaced by a number, as far as the ranges give one."""
        match x:
            case Add(args=args):
                return b.add(*(self.numbers_for(a) for a in args))
            case Mul(args=args):
                return b.mul(*(self.numbers_for(a) for a in args))
        inside = _maximum_of(x)
        if inside is None:
            return x
        return self._largest(inside)

    def _largest(self, x: Expr) -> Expr:
        """A bound of max |xᵢ|: a number where the range is known, times what remains."""
        size = self.size(x)
        if size is not None:
            return size
        factors = list(x.args) if isinstance(x, Mul) else [x]
        known = [f for f in factors if self.size(f) is not None]
        rest = [f for f in factors if f not in known]
        product = self.size(b.mul(*known)) if known else None
        sizes = [product] if product is not None else [s for f in known if (s := self.size(f)) is not None]
        remaining = b.mul(*rest)
        top = b.reduce("max", b.apply("abs", remaining)) if remaining.order else b.apply("abs", remaining)
        return b.mul(*sizes, top)

    def size(self, x: Expr) -> Expr | None:
        """A number above |x| everywhere; None where none is known."""
        value = b.number_of(x)
        if value is not None:
            return b.num(abs(value))
        pair = self._bump(x.args) if isinstance(x, Mul) else None
        if pair is not None:
            return pair
        low_high = self.range(x)
        if low_high is not None:
            return b.num(max(abs(low_high[0]), abs(low_high[1])))
        match x:
            case Mul(args=args):
                sizes = [self.size(a) for a in args]
                return None if any(s is None for s in sizes) else b.mul(*(s for s in sizes if s is not None))
            case Compare():
                return b.ONE
        return None

    def _bump(self, args: tuple[Expr, ...]) -> Expr | None:
        """c (1 − c) ≤ ¼ for c between 0 and 1; the other factors by their own ranges."""
        for c in args:
            other = b.sub(b.ONE, c)
            if self.range(c) == (0, 1) and other in args:
                rest = [self.size(a) for a in args if a is not c and a is not other]
                if all(r is not None for r in rest):
                    return b.mul(b.div(b.ONE, b.num(4)), *(r for r in rest if r is not None))
        return None

    def range(self, x: Expr) -> tuple[int, int] | None:
        """Whole numbers between which every entry lies; None where none are known."""
        match x:
            case Apply(fn=fn) if fn in _RANGES:
                return _RANGES[fn]
            case Call(fn="softmax") | Compare():
                return (0, 1)
            case Var(facts=facts) if facts & {"probability", "one-hot"}:
                return (0, 1)
            case Var(facts=facts):
                low, high = ends(facts)
                if low is not None and high is not None:
                    return math.floor(low), math.ceil(high)
                body = self.system.body(x)
                return None if body is None or isinstance(body, Add | Mul) else self.range(body)
            case Pow(base=base, exponent=e) if b.number_of(e) == 2:
                inner = self.range(base)
                return None if inner is None else (0, max(inner[0] ** 2, inner[1] ** 2))
            case Mul(args=args) if all(self.range(a) == (0, 1) for a in args):
                return (0, 1)
            case Add(args=args) if len(args) == 2 and b.is_one(args[0]):
                inner = self.range(b.neg(args[1]))
                return None if inner is None or inner != (0, 1) else (0, 1)
        return None


def _maximum_of(x: Expr) -> Expr | None:
    """d in max |dᵢ|; the largest sum of a row or column is no such maximum."""
    if isinstance(x, Reduce) and x.op == "max" and not isinstance(x.arg, Reduce):
        inner = x.arg
        return inner.args[0] if isinstance(inner, Apply) and inner.fn == "abs" else inner
    return None


def unsigned(x: Expr, bounds: Bounds) -> Expr:
    """A bound without bars around what cannot be negative: max |1 − hᵢ²| = max (1 − hᵢ²)."""
    match x:
        case Add(args=args):
            return b.add(*(unsigned(a, bounds) for a in args))
        case Mul(args=args):
            return b.mul(*(unsigned(a, bounds) for a in args))
    inside = _maximum_of(x)
    if inside is not None:
        known = bounds.range(inside)
        if known is not None and known[0] >= 0:
            return b.reduce("max", inside)
    return x


def matrices(x: Expr) -> Iterator[Expr]:
    """The matrices whose norms a bound contains."""
    if isinstance(x, Call) and x.fn in ("spectral_norm", "column_norm", "row_norm", "norm"):
        yield x.args[0]
    for child in x.children:
        yield from matrices(child)
