"""The table of slips: for each, how it is undone at a part of an expression."""

from __future__ import annotations

from typing import Final

from symgrad.verification.diagnosis.edits import Slip
from symgrad.verification.diagnosis.slip_indices import bound, entry, index, step, turned
from symgrad.verification.diagnosis.slip_indices import exchanged as indices_exchanged
from symgrad.verification.diagnosis.slip_names import complement, exchanged, function, power, slope, variable
from symgrad.verification.diagnosis.slip_products import (
    bracket,
    comparison,
    diag,
    entrywise,
    extra,
    first_term,
    lost,
    order,
    path_lost,
    sign,
    term_lost,
    transposes,
)

SLIPS: Final[tuple[Slip, ...]] = (
    Slip("transpose", "a transpose is lost or too many", transposes, turn=1),
    Slip("transpose", "two indices are exchanged", turned, turn=1),
    Slip("transpose", "two indices are exchanged everywhere", indices_exchanged, turn=1),
    Slip("index", "a wrong index", index, turn=1),
    Slip("index", "a wrong entry", entry, turn=1),
    Slip("step", "a step index is off by one", step, turn=1),
    Slip("sign", "a sign is wrong", sign, turn=1),
    Slip("sign", "the sign of the first term is wrong", first_term, turn=1),
    Slip("sign", "a comparison is the wrong way round", comparison, turn=1),
    Slip("bracket", "a bracket is lost", bracket),
    Slip("diag", "diag is missing or too many", diag),
    Slip("product", "⊙ stands for a matrix product, or the other way round", entrywise),
    Slip("order", "factors stand in the wrong order", order),
    Slip("slope", "a function stands for its derivative", slope),
    Slip("complement", "x stands for 1 − x, or the other way round", complement),
    Slip("exponent", "an exponent is lost or too many", power),
    Slip("bound", "a range is off by one", bound),
    Slip("variable", "a wrong variable", variable),
    Slip("function", "a wrong function", function),
    Slip("exchange", "two quantities are exchanged", exchanged),
    Slip("factor", "a factor or a term is too many", extra),
    Slip("path", "a path is missing in the sum", path_lost, turn=3),
    Slip("factor", "a factor is lost", lost, turn=3),
    Slip("term", "a term is lost", term_lost, turn=3),
)
"""Every kind of slip, the likeliest first."""
