"""The table of slips: for each, how it is undone at a part of an expression."""

from __future__ import annotations

from typing import Final

from symgrad.verify.edits import Slip
from symgrad.verify.slip_names import bound, power, slope, step, variable
from symgrad.verify.slip_products import (
    bracket,
    diag,
    entrywise,
    extra,
    first_term,
    lost,
    order,
    path_lost,
    sign,
    transposes,
)

SLIPS: Final[tuple[Slip, ...]] = (
    Slip("transpose", "a transpose is lost or too many", transposes),
    Slip("step", "a step index is off by one", step),
    Slip("sign", "a sign is wrong", sign),
    Slip("sign", "the sign of the first term is wrong", first_term),
    Slip("bracket", "a bracket is lost", bracket),
    Slip("diag", "diag is missing or too many", diag),
    Slip("product", "⊙ stands for a matrix product, or the other way round", entrywise),
    Slip("order", "factors stand in the wrong order", order),
    Slip("slope", "a function stands for its derivative", slope),
    Slip("exponent", "an exponent is lost or too many", power),
    Slip("bound", "a range is off by one", bound),
    Slip("variable", "a wrong variable", variable),
    Slip("factor", "a factor or a term is too many", extra),
    Slip("path", "a path is missing in the sum", path_lost),
    Slip("factor", "a factor is lost", lost),
)
"""Every kind of slip, the likeliest first."""
