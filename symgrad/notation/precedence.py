"""How tightly what is written holds together: the one table by which brackets are set.

An operand is bracketed where its own level is below the one its place asks for.
"""

from typing import Final

LIST: Final = 0
"""a, b"""

RELATION: Final = 10
"""a = b"""

SUM: Final = 20
"""a + b, −a"""

OPEN: Final = 25
"""Σ x, log p, cases: nothing may follow without brackets."""

HADAMARD: Final = 30
"""a ⊙ b, a ⊘ b, A ⊗ B"""

PRODUCT: Final = 40
"""A B x by juxtaposition"""

FACTOR: Final = 50
"""A fraction or a derivative: a factor as it stands, but no base of a script."""

SCRIPTED: Final = 60
"""x², Aᵀ: no base of another superscript."""

ATOM: Final = 70
"""x_t, f(x), (a + b)"""
