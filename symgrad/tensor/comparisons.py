"""The six relations = ≠ < ≤ > ≥: whether they hold, what SymPy calls them, and what they say from the other side."""

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import sympy

HOLDS: Final[Mapping[str, Callable[[Any, Any], Any]]] = MappingProxyType(
    {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)
"""Whether a relation holds for two numbers; for arrays, entry by entry."""

IN_SYMPY: Final[Mapping[str, Callable[..., sympy.Basic]]] = MappingProxyType(
    {"==": sympy.Eq, "!=": sympy.Ne, "<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge}
)
"""The relation between two expressions of SymPy, which is a truth value where it is settled."""

MIRRORED: Final[Mapping[str, str]] = MappingProxyType(
    {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
)
"""a < b says that b > a."""
