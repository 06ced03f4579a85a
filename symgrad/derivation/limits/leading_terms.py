"""What is left of a softmax, a log-sum-exp or a p-norm of ever larger arguments: the largest entry decides."""

from collections.abc import Iterator

from symgrad.derivation.signs import sign
from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Apply, Call, Const, Expr, Mul, Pow, Reduce, Var
from symgrad.tensor.walk import postorder, variables

INFINITY = Const("inf")


def leading(f: Expr, var: Var, point: Expr, side: str) -> tuple[dict[Expr, Expr], Reason]:
    """What parts of an expression go to because one entry decides, and why."""
    values: dict[Expr, Expr] = {}
    reason: Reason = ()
    for x in postorder(f):
        found = _of_part(x, var, point, side)
        if found is not None:
            values[x] = found[0]
            reason = found[1]
    return values, reason


def _of_part(x: Expr, var: Var, point: Expr, side: str) -> tuple[Expr, Reason] | None:
    match x:
        case Mul(args=args):
            for lse in args:
                if isinstance(lse, Call) and lse.fn == "logsumexp" and not lse.order:
                    return _log_sum_exp(lse, b.mul(*(a for a in args if a is not lse)), var, point, side)
        case Pow(base=Reduce(op="sum", arg=arg), exponent=e):
            return _p_norm(arg, e, var, point)
    return None


def _log_sum_exp(lse: Call, factor: Expr, var: Var, point: Expr, side: str) -> tuple[Expr, Reason] | None:
    """log Σ exp(s zᵢ) / s → max z as s → ∞: it lies between max z and max z + log n / s."""
    scores = b.mul(factor, lse.args[0])
    if var in variables(scores) or not _grows(b.power(factor, b.MINUS_ONE), var, point, side):
        return None
    top = b.reduce("max", scores)
    log_n = b.mul(factor, b.apply("log", b.count(lse.args[0].shape[0])))
    return top, ("it lies between ", top, " and ", b.add(top, log_n))


def _p_norm(arg: Expr, e: Expr, var: Var, point: Expr) -> tuple[Expr, Reason] | None:
    """(Σ |xᵢ|^p)^{1/p} → max |x| as p → ∞: it lies between max |x| and n^{1/p} max |x|."""
    if not (isinstance(arg, Pow) and arg.exponent is var and e is b.power(var, b.MINUS_ONE) and point is INFINITY):
        return None
    inside = arg.base
    absolute = isinstance(inside, Apply) and inside.fn in ("abs", "exp")
    if var in variables(inside) or not (absolute or sign(inside) > 0) or arg.order != 1:
        return None
    top = b.reduce("max", inside)
    return top, ("it lies between ", top, " and ", b.mul(b.power(b.count(arg.shape[0]), e), top))


def _grows(scale: Expr, var: Var, point: Expr, side: str) -> bool:
    """Whether a positive multiple of a power of the variable goes to +∞."""
    for power in (1, -1):
        rest = b.div(scale, b.power(var, b.num(power)))
        if var not in variables(rest) and sign(rest) > 0:
            return point is INFINITY if power > 0 else b.number_of(point) == 0 and side == "+"
    return False


def largest_entries(f: Expr, var: Var, point: Expr, side: str) -> Iterator[tuple[Call, Expr, Expr]]:
    """Each softmax of scores that are multiplied by something that goes to +∞, with the scores and that."""
    for x in postorder(f):
        if isinstance(x, Call) and x.fn == "softmax" and x.order == 1:
            for scale in (var, b.power(var, b.MINUS_ONE)):
                scores = b.div(x.args[0], scale)
                if var not in variables(scores) and _grows(scale, var, point, side):
                    yield x, scores, scale
