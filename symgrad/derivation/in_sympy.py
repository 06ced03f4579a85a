"""Scalar expressions as SymPy's and back, each named node as a symbol that knows what is assumed of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy

from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Const, Expr, Var
from symgrad.tensor.sympy_border import to_sympy

_ONE_ARGUMENT: Mapping[Any, str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.tanh: "tanh",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.erf: "erf",
    sympy.Abs: "abs",
    sympy.sign: "sign",
    sympy.floor: "floor",
    sympy.ceiling: "ceil",
}
_SEVERAL: Mapping[Any, str] = {sympy.Max: "max", sympy.Min: "min"}
_CONSTANTS: Mapping[Any, str] = {sympy.pi: "pi", sympy.E: "e", sympy.oo: "inf"}


@dataclass(slots=True)
class InSympy:
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
        counted_from_one = "index" in node.facts and "from 0" not in node.facts
        if node.name in self.positive or counted_from_one or node.facts & {"positive", "probability"}:
            facts["positive"] = True
        if "from 0" in node.facts:
            facts["nonnegative"] = True
        if "to 0" in node.facts:
            facts["nonpositive"] = True
        return facts

    def back(self, x: sympy.Expr) -> Expr:
        """A SymPy expression over the symbols given.

        Raises:
            QuestionError: something in it has no name here.
        """
        if x.is_Rational:
            return b.num(Fraction(int(x.p), int(x.q)))
        if x in _CONSTANTS:
            return Const(_CONSTANTS[x])
        if x == -sympy.oo:
            return b.neg(Const("inf"))
        if isinstance(x, sympy.Symbol):
            return self.nodes[x] if x in self.nodes else b.count(x)
        if isinstance(x, sympy.Add):
            polynomial = bool(x.is_polynomial())
            terms = sorted(
                x.as_ordered_terms(),
                key=lambda t: (bool(t.could_extract_minus_sign()), polynomial == bool(t.is_number)),
            )
            return b.add(*(self.back(t) for t in terms))
        if isinstance(x, sympy.Mul):
            factors = sorted(x.as_ordered_factors(), key=lambda f: bool(f.is_Pow and f.exp.could_extract_minus_sign()))
            return b.mul(*(self.back(f) for f in factors))
        if isinstance(x, sympy.Pow):
            base = self.back(x.base)
            return b.apply("sqrt", base) if x.exp == sympy.Rational(1, 2) else b.power(base, self.back(x.exp))
        return self._function(x)

    def _function(self, x: Any) -> Expr:
        if x.func in _ONE_ARGUMENT:
            return b.apply(_ONE_ARGUMENT[x.func], self.back(x.args[0]))
        if x.func in _SEVERAL:
            first, *rest = (self.back(a) for a in x.args)
            for other in rest:
                first = b.apply(_SEVERAL[x.func], first, other)
            return first
        raise QuestionError(f"no way to write {x}")
