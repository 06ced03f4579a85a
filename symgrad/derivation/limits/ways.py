"""The ways to a limit, in the order in which they are tried."""

from collections.abc import Sequence
from typing import Final

from symgrad.derivation.limits import arrays as limit_arrays
from symgrad.derivation.limits import cases as limit_cases
from symgrad.derivation.limits import scalars as limit_scalars
from symgrad.derivation.limits.search import Way
from symgrad.tensor.nodes import Apply, Compare, Expr
from symgrad.tensor.walk import postorder

DEEPEST: Final = 3
"""How far limits of parts are searched for within limits of parts."""
_OWN: Final = frozenset({"sigmoid", "softplus", "gelu", "silu"})
"""Functions that SymPy knows by their definitions alone: what comes back is written in exponentials."""
_FIRST: Final[Sequence[Way]] = (
    limit_scalars.continuous,
    limit_arrays.leading,
    limit_arrays.cold_softmax,
    limit_scalars.saturating,
)
_LAST: Final[Sequence[Way]] = (
    limit_arrays.by_entries,
    limit_cases.by_conditions,
    limit_cases.by_sides,
    limit_scalars.by_odds,
    limit_cases.by_signs,
    limit_arrays.by_parts,
)


def ways(f: Expr, depth: int) -> Sequence[Way]:
    """What is tried for an expression: the laws of limits in the middle, cases last."""
    laws: Sequence[Way] = (limit_scalars.by_laws, limit_scalars.by_slopes)
    if any(isinstance(x, Apply) and x.fn in _OWN for x in postorder(f)):
        laws = laws[::-1]
    if any(isinstance(x, Compare) for x in postorder(f)):
        laws = (limit_cases.by_conditions, limit_cases.by_signs, *laws)
    return (*_FIRST, *laws, *(_LAST if depth < DEEPEST else ()))
