"""The table of functions in a writer's expression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from symgrad.tensor.scalars import SCALARS
from symgrad.verification.meaning.blocks import matrix, zeros
from symgrad.verification.meaning.derivatives import derivative
from symgrad.verification.meaning.directions import best_direction
from symgrad.verification.meaning.elaboration import elaborated, limit
from symgrad.verification.meaning.folds import extreme, mean, product, total
from symgrad.verification.meaning.functions import (
    HYPERBOLIC,
    concat,
    cross_entropy,
    diag,
    dot,
    flattened,
    hyperbolic,
    identity,
    indicator,
    logsumexp,
    of_square,
    ones,
    outer,
    scalar,
    slope,
    softmax,
    stack,
    transpose,
    unit,
    where,
)
from symgrad.verification.meaning.interpretation import Handler
from symgrad.verification.meaning.layers import NAMES as LAYERS
from symgrad.verification.meaning.layers import layer
from symgrad.verification.meaning.norms import norm
from symgrad.verification.meaning.switches import SWITCH, switched

CALLS: Final[Mapping[str, Handler]] = {
    **dict.fromkeys(SCALARS, scalar),
    **{f"{name}'": slope for name in (*SCALARS, *HYPERBOLIC)},
    **dict.fromkeys(HYPERBOLIC, hyperbolic),
    **dict.fromkeys(("trace", "det", "inv"), of_square),
    **dict.fromkeys(("jacobian", "grad"), derivative),
    **dict.fromkeys(("E", "Var", "KL", "integral", "normal", "bernoulli"), elaborated),
    "lim": limit,
    "where": where,
    "softmax": softmax,
    "cross_entropy": cross_entropy,
    "norm": norm,
    "diag": diag,
    "vec": flattened,
    "concat": concat,
    "stack": stack,
    "matrix": matrix,
    "dot": dot,
    "outer": outer,
    "transpose": transpose,
    "identity": identity,
    "ones": ones,
    "zeros": zeros,
    "one_hot": unit,
    "indicator": indicator,
    "logsumexp": logsumexp,
    "sum": total,
    "prod": product,
    "max": extreme,
    "min": extreme,
    "mean": mean,
    "argmax": best_direction,
    "argmin": best_direction,
    **dict.fromkeys(LAYERS, layer),
    SWITCH: switched,
}
"""What a call of each function is worth."""

POINT_BY_POINT: Final = frozenset(
    name
    for name, handler in CALLS.items()
    if handler not in (derivative, elaborated, limit, where, identity, ones, unit, best_direction)
)
"""The functions whose value at a point is found from those of their arguments at that point, by the same operations."""
