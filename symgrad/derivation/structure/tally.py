"""Multiplications and additions counted in index notation, one entry at a time: the check of the formulas."""

import itertools
from collections.abc import Mapping

import sympy
from msgspec import Struct

from symgrad.tensor.functions.layers import AXES
from symgrad.tensor.integers import evaluate_int
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Add, Apply, Call, Expr, Fold, Iverson, MatMul, Mul, Num, Reduce, Transpose, Var
from symgrad.tensor.rebuild import rebuild
from symgrad.tensor.reindex import reindex

FEW = 3
"""Entries along each axis that are counted; the others take as much."""


class Tally(Struct, frozen=True):
    """A count at given sizes."""

    sizes: Mapping[sympy.Symbol, int]

    @staticmethod
    def reads(node: Expr) -> bool:
        """Whether index notation multiplies and adds as often as the operation itself."""
        match node:
            case Call(fn=fn):
                return fn in AXES and "transpose" not in fn
            case MatMul(args=args):
                return len(args) == 2
        return isinstance(node, Add | Mul) or (isinstance(node, Reduce) and node.op in ("sum", "prod"))

    def of(self, node: Expr) -> tuple[int, int]:
        """The multiplications and additions of one operation, its operands being there."""
        stands = tuple(_stand(x, k) for k, x in enumerate(node.children))
        alone = reindex(rebuild(node, stands), dict(self.sizes))
        shape = [evaluate_int(n, self.sizes) for n in alone.shape]
        found = {
            self._scalar(component(alone, at), self.sizes)
            for at in itertools.product(*(sorted({1, (1 + n) // 2, n})[:FEW] for n in shape))
        }
        if len(found) != 1:
            return -1, -1
        ((products, sums),) = found
        total = 1
        for n in shape:
            total *= n
        return total * products, total * sums

    def _scalar(self, x: Expr, env: Mapping[sympy.Symbol, int]) -> tuple[int, int]:
        below = [self._scalar(c, env) for c in x.children] if isinstance(x, Add | Mul | Apply) else []
        products, sums = sum(p for p, _ in below), sum(s for _, s in below)
        match x:
            case Add(args=args):
                return products, sums + len(args) - 1
            case Mul(args=args):
                counted = [a for a in args if not isinstance(a, Iverson) and not _is_sign(a)]
                return products + len(counted) - 1, sums
            case Fold():
                return self._fold(x, env)
        return products, sums

    def _fold(self, x: Fold, env: Mapping[sympy.Symbol, int]) -> tuple[int, int]:
        number = 1
        inner = dict(env)
        for binder in x.binders:
            lo, hi = evaluate_int(binder.lo, inner), evaluate_int(binder.hi, inner)
            number *= hi - lo + 1
            inner[binder.symbol] = lo
        products, sums = self._scalar(x.body, inner)
        joined = number - 1 if x.op in ("sum", "prod") else 0
        extra = (joined, 0) if x.op == "prod" else (0, joined)
        return number * products + extra[0], number * sums + extra[1]


def _is_sign(x: Expr) -> bool:
    return isinstance(x, Num) and abs(x.value) == 1


def _stand(x: Expr, k: int) -> Expr:
    if isinstance(x, Num):
        return x
    if isinstance(x, Transpose):
        return rebuild(x, (_stand(x.arg, k),))
    return Var(f"operand {k}", (), x.shape)
