"""I_{0,1}: the diagonal matrix of zeros and ones that the derivative of the model's relu is."""

from __future__ import annotations

from typing import Final

import numpy as np

from symgrad.syntax.tree import Call
from symgrad.tensor.nodes import Apply, Expr
from symgrad.tensor.reindex import free_ints, reindex
from symgrad.tensor.walk import postorder
from symgrad.verification.errors import Unclear
from symgrad.verification.meaning.interpretation import Interpretation, Ints
from symgrad.verification.meaning.values import Value

SWITCH: Final = "switch"


def switched(m: Interpretation, tree: Call, ints: Ints) -> Value:
    """diag(1[x > 0]), where relu is taken of x, in one place of the model.

    Raises:
        Unclear: there is no such place, or several.
    """
    system = m.world.numbers.system
    found: dict[Expr, None] = {}
    for d in system.definitions:
        found.update((x.args[0], None) for x in postorder(d.body) if isinstance(x, Apply) and x.fn == "relu")
    if len(found) != 1:
        raise Unclear("it is not said where these are 0 and where 1")
    (argument,) = found
    steps = {s: ints[s.name] for s in free_ints(argument) if s.name in ints}
    if set(free_ints(argument)) - set(m.world.numbers.sizes) - set(steps):
        raise Unclear("it is not said at which step these are 0 and 1")
    value = m.world.value(reindex(argument, steps))
    slopes = (value.real > 0).astype(float)
    if slopes.ndim != 2 or m.world.scalars:
        return Value(slopes, slopes.ndim - 1, formal=False)
    return Value(slopes[:, :, None] * np.eye(slopes.shape[1]), 1, formal=False)
