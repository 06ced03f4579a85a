"""Scalar expressions as SymPy's and back, each named node as a symbol that knows what is assumed of it."""

from collections.abc import Collection

import sympy
from msgspec import Struct, field

from symgrad.tensor import build as b
from symgrad.tensor.facts import ends
from symgrad.tensor.from_sympy import from_sympy
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.sympy_border import to_sympy


class InSympy(Struct):
    """The symbols given so far: ``positive`` names nodes that are known to be so without being declared."""

    positive: Collection[str] = ()
    symbols: dict[tuple[Var, tuple[int, ...]], sympy.Symbol] = field(default_factory=dict)
    nodes: dict[sympy.Symbol, Expr] = field(default_factory=dict)

    def scalar(self, expr: Expr) -> sympy.Expr:
        """A scalar expression over symbols."""
        return to_sympy(expr, {}, self.symbol)

    def symbol(self, node: Var, indices: tuple[int, ...] = ()) -> sympy.Symbol:
        """The symbol of a node, or of an entry of one."""
        key = (node, indices)
        if key not in self.symbols:
            made = sympy.Symbol(f"{node.name}{list(node.subs) or ''}{list(indices) or ''}", **self._assumed(node))
            self.symbols[key] = made
            self.nodes[made] = b.at(node, *indices) if indices else node
        return self.symbols[key]

    def _assumed(self, node: Var) -> dict[str, bool]:
        facts: dict[str, bool] = {"integer": True} if node.facts & {"integer", "index"} else {"real": True}
        low, high = ends(node.facts)
        counted_from_one = "index" in node.facts and low != 0
        if node.name in self.positive or counted_from_one or node.facts & {"positive", "probability"}:
            facts["positive"] = True
        if low is not None and low >= 0:
            facts["nonnegative"] = True
        if high is not None and high <= 0:
            facts["nonpositive"] = True
        return facts

    def back(self, x: sympy.Expr) -> Expr:
        """A SymPy expression over the symbols given.

        Raises:
            QuestionError: something in it has no name here.
        """
        return from_sympy(x, self._node, _in_order)

    def _node(self, x: sympy.Symbol) -> Expr:
        return self.nodes[x] if x in self.nodes else b.count(x)


def _in_order(x: sympy.Expr) -> list[sympy.Expr]:
    """What is added before what is taken away, powers of the unknown before a number; quotients last."""
    if isinstance(x, sympy.Mul):
        return sorted(x.as_ordered_factors(), key=lambda f: bool(f.is_Pow and f.exp.could_extract_minus_sign()))
    polynomial = bool(x.is_polynomial())
    return sorted(
        x.as_ordered_terms(), key=lambda t: (bool(t.could_extract_minus_sign()), polynomial == bool(t.is_number))
    )
