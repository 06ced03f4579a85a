"""From an expression to the tree that every output format prints."""

from symgrad.notation.readers import core, derivatives, functions, indexed, leaves, probability, products, sums
from symgrad.notation.rebase import rebased
from symgrad.notation.style import PLAIN_STYLE, Style
from symgrad.notation.tree import Tree
from symgrad.tensor.nodes import Expr

FAMILIES = (leaves, sums, products, functions, indexed, derivatives, probability)
"""The modules that teach ``core.rule`` the node kinds."""


def read(expr: Expr, style: Style = PLAIN_STYLE) -> Tree:
    """The tree of an expression."""
    return core.bare(_based(expr, style), core.Context(style))


def read_as(expr: Expr, needed: int, style: Style = PLAIN_STYLE) -> Tree:
    """The tree of an expression where it stands beside others; ``needed`` is a level of ``precedence``."""
    return core.at_least(_based(expr, style), needed, core.Context(style))


def _based(expr: Expr, style: Style) -> Expr:
    return expr if style.index_base else rebased(expr)
