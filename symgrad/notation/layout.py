"""Layout conventions: which derivatives are printed transposed, and equations turned the way a convention writes them.

Expressions hold derivatives in one orientation: a scalar's gradient in the shape of its variable, a Jacobian with
∂y_i/∂x_j in row i and column j.
"""

from symgrad.notation.style import Layout
from symgrad.tensor.build import transpose
from symgrad.tensor.nodes import Chain, Deriv, Expr


def is_flipped(expr: Expr, layout: Layout) -> bool:
    """Whether the symbol ∂y/∂x means, in this layout, the transpose of the expression."""
    match expr:
        case Deriv(of=of, wrt=wrt):
            top, bottom = of.order, wrt.order
        case Chain(args=(Deriv(of=of), *_, Deriv(wrt=wrt))):
            top, bottom = of.order, wrt.order
        case _:
            return False
    if layout == "numerator":
        return top == 0 and bottom in (1, 2)
    return layout == "denominator" and top == bottom == 1


def oriented(side: Expr, derivative: Expr, layout: Layout) -> Expr:
    """A side of an equation for ``derivative``, turned as the layout writes that derivative."""
    return transpose(side) if is_flipped(derivative, layout) else side
