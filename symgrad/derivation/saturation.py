"""Functions that level off: σ, tanh and erf at large arguments of either sign, exp at large negative ones."""

from collections.abc import Mapping, Sequence

from symgrad.derivation.signs import sign
from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Apply, Const, Expr, Var

ENDS: Mapping[str, tuple[int | None, int]] = {"sigmoid": (1, 0), "tanh": (1, -1), "erf": (1, -1), "exp": (None, 0)}
"""The values at +∞ (None: it grows) and at −∞."""

_WORDS: Mapping[str, Reason] = {
    "sigmoid": ("σ goes to 1 at ∞ and to 0 at ", b.neg(Const("inf"))),
    "tanh": ("tanh goes to 1 at ∞ and to ", b.MINUS_ONE, " at ", b.neg(Const("inf"))),
    "erf": ("erf goes to 1 at ∞ and to ", b.MINUS_ONE, " at ", b.neg(Const("inf"))),
    "exp": ("exp goes to 0 at ", b.neg(Const("inf"))),
}


def end(fn: str, slope: Expr) -> Expr | None:
    """What fn(slope · x) goes to as x grows; None where that is not a number."""
    above, below = ENDS[fn]
    known = sign(slope)
    if known:
        value = above if known > 0 else below
        return None if value is None else b.full(value, slope.shape)
    if above is None:
        return None
    if fn == "sigmoid":
        return b.compare(">", slope, b.zeros_like(slope) if slope.order else b.ZERO)
    return b.apply("sign", slope)


def words(found: Sequence[Apply], var: Var) -> Reason:
    """Why, for the functions that were replaced, and where a slope of 0 is excepted."""
    names = dict.fromkeys(x.fn for x in found)
    slopes = dict.fromkeys(b.div(x.args[0], var) for x in found if x.fn == "sigmoid")
    excepted = [b.compare("!=", s, b.ZERO) for s in slopes if not sign(s) and not s.order]
    said = [w for n in names for w in ("; ", *_WORDS[n])][1:]
    return (*said, *(w for c in excepted for w in ("; for ", c)))
