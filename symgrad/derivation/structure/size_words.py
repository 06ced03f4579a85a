"""Shapes in words, with formulas where a size is more than a number or a symbol: 4n by n."""

import sympy

from symgrad.derivation.steps import Reason
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Expr, Shape
from symgrad.tensor.shapes import show_shape


def shape_in_words(shape: Shape, row: bool = False) -> Reason:
    """a scalar, a vector of size n − 2, n × m, 4n by n."""
    if all(isinstance(s, int | sympy.Symbol) for s in shape):
        return (show_shape(shape, row),)
    if len(shape) == 1:
        return (f"a {'row' if row else 'vector'} of size ", b.count(shape[0]))
    return tuple(w for k, s in enumerate(shape) for w in ((" by ", b.count(s)) if k else (b.count(s),)))


def factor_in_words(x: Expr) -> Reason:
    """The shape of a factor of a product: a vector of n, n × m."""
    if x.order != 1:
        return shape_in_words(x.shape)
    return (f"a {'row' if x.row else 'vector'} of ", b.count(x.shape[0]))
