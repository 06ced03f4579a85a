"""The closed set of node kinds: immutable records, hash-consed, so that equal expressions are one object.

Build nodes with ``symgrad.tensor.build``, whose constructors check shapes and fold the trivial; the classes here
check nothing. An expression of order 1 is a column vector, or a row where ``row`` is true; a scalar has shape ().
"""

from symgrad.tensor.nodes.algebra import Add, Apply, Call, Compare, MatMul, Mul, Permute, Pow, Transpose
from symgrad.tensor.nodes.base import ANY, Binder, Expr, Rel, Shape
from symgrad.tensor.nodes.calculus import Chain, Deriv, Limit, Opaque
from symgrad.tensor.nodes.indexing import At, Build, Concat, Cut, Entry, Fold, Item, Pick, Reduce, Stack
from symgrad.tensor.nodes.leaves import Const, Count, Eye, Full, Iverson, Literal, Num, Var
from symgrad.tensor.nodes.probability import Density, Integral, Law

__all__ = [
    "ANY", "KINDS", "Add", "Apply", "At", "Binder", "Build", "Call", "Chain", "Compare", "Concat", "Const", "Count",
    "Cut", "Density", "Deriv", "Entry", "Expr", "Eye", "Fold", "Full", "Integral", "Item", "Iverson", "Law",
    "Limit", "Literal", "MatMul", "Mul", "Num", "Opaque", "Permute", "Pick", "Pow", "Reduce", "Rel", "Shape",
    "Stack", "Transpose", "Var",
]  # fmt: skip

KINDS: tuple[type[Expr], ...] = (
    Num, Count, Const, Full, Eye, Literal, Var, Add, Mul, Pow, Apply, Compare, MatMul, Transpose, Permute, Reduce,
    Fold, Build, Entry, Iverson, Stack, Concat, Call, Opaque, Deriv, Chain, Limit,
    Density, Law, Integral,
)  # fmt: skip
