"""Smart constructors: each checks shapes, folds the trivial (0, 1, I, double transposes) and keeps operand order.

All raise ShapeError where operands do not fit. Sizes and indices are ints or SymPy integers.
"""

from symgrad.tensor.build.arithmetic import add, apply, coefficient, compare, div, mul, neg, power, sub
from symgrad.tensor.build.calculus import chain, deriv, identity_tensor, index_symbols, limit, opaque
from symgrad.tensor.build.constants import (
    MINUS_ONE,
    ONE,
    ZERO,
    Number,
    count,
    eye,
    full,
    is_one,
    is_zero,
    literal,
    num,
    number_of,
    ones,
    var,
    zeros,
    zeros_like,
)
from symgrad.tensor.build.entries import at, build, concat, entry, stack
from symgrad.tensor.build.matrices import call, diag, inner, matmul, outer, permute, scalar_factors, transpose
from symgrad.tensor.build.reductions import fold, mean, reduce
from symgrad.tensor.build.relations import binder, delta, holds, iverson, rel, slack

__all__ = [
    "MINUS_ONE", "ONE", "ZERO", "Number", "add", "apply", "at", "binder", "build", "call", "chain", "coefficient",
    "compare", "concat", "count", "delta", "deriv", "diag", "div", "entry", "eye", "fold", "full", "holds",
    "identity_tensor", "index_symbols", "inner", "is_one", "is_zero", "iverson", "limit", "literal", "matmul",
    "mean", "mul", "neg", "num", "number_of", "ones", "opaque", "outer", "permute", "power", "reduce", "rel",
    "scalar_factors", "slack", "stack", "sub", "transpose", "var", "zeros", "zeros_like",
]  # fmt: skip
