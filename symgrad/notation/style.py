"""How an expression is to be read: the problem's names, names for its subexpressions, the layout convention."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from msgspec import Struct, field

from symgrad.notation.names import Names
from symgrad.notation.tree import Tree
from symgrad.tensor.nodes import Expr

Layout: TypeAlias = Literal["gradient", "numerator", "denominator"]
Aliases: TypeAlias = Mapping[Expr, Expr | Tree]


class Style(Struct, frozen=True):
    """Everything that reading depends on.

    Attributes:
        names: The problem's names.
        aliases: What stands for a whole subexpression: ∂L/∂h_t prints as δ_t, ŷ_t − y_t as e_t. An alias also stands
            for the transpose and the negative of its expression, and for a run of factors in a product.
        layout: Whose convention derivatives are printed in. ``gradient``: ∂L/∂x has the shape of x, Jacobians have
            ∂y_i/∂x_j in row i and column j. ``numerator``: gradients are rows. ``denominator``: Jacobians are
            transposed.
        index_base: Where components are counted from, 1 or 0.
    """

    names: Names = field(default_factory=Names)
    aliases: Aliases = field(default_factory=lambda: MappingProxyType({}))
    layout: Layout = "gradient"
    index_base: int = 1


PLAIN_STYLE = Style()
