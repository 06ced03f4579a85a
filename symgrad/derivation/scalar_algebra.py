"""Scalars to SymPy and back: what is not arithmetic or a known function of the unknown is a symbol by itself."""

import sympy
from msgspec import Struct, field

from symgrad.tensor.from_sympy import from_sympy
from symgrad.tensor.nodes import Add, Apply, Const, Density, Expr, Mul, Num, Pow, Var
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.sympy_reading import CONSTANTS
from symgrad.tensor.walk import postorder

_POSITIVE = frozenset({"positive", "density", "probability"})


class Algebra(Struct):
    """Scalars as SymPy expressions; ``known`` are the nodes that became symbols."""

    known: dict[Expr, sympy.Symbol] = field(default_factory=dict)

    def symbol(self, node: Expr) -> sympy.Symbol:
        """The symbol of a node, real, and positive where its facts say so."""
        if node not in self.known:
            positive = bool(_facts(node) & _POSITIVE) or None
            self.known[node] = sympy.Symbol(f"a{len(self.known):03}", real=True, positive=positive)
        return self.known[node]

    def to(self, node: Expr, unknown: Expr | None = None) -> sympy.Expr:
        """The SymPy expression; with an unknown, what does not contain it stays whole where it is no arithmetic."""
        match node:
            case Num(value=v):
                return sympy.Rational(v.numerator, v.denominator)
            case Const(name=name):
                return CONSTANTS[name]
            case Add(args=args):
                return sympy.Add(*(self.to(a, unknown) for a in args))
            case Mul(args=args):
                return sympy.Mul(*(self.to(a, unknown) for a in args))
            case Pow(base=base, exponent=e):
                return self.to(base, unknown) ** self.to(e, unknown)
            case Apply(fn=fn, args=args) if unknown is None or any(x is unknown for x in postorder(node)):
                return SCALARS[fn].sympy(*(self.to(a, unknown) for a in args))
        return self.symbol(node)

    def back(self, x: sympy.Expr) -> Expr:
        """The node of a SymPy expression.

        Raises:
            NoCounterpart: it has a function that is none of ours.
        """
        nodes = {s: n for n, s in self.known.items()}
        return from_sympy(x, nodes.__getitem__, _in_order)


def _facts(node: Expr) -> frozenset[str]:
    match node:
        case Var(facts=facts):
            return facts
        case Density(table=Var(facts=facts)):
            return facts
    return frozenset()


def _in_order(x: sympy.Expr) -> list[sympy.Expr]:
    return sorted(x.args, key=_place)


def _place(x: sympy.Expr) -> tuple[bool, str]:
    """Terms in the order in which their symbols were met, those that are taken away last."""
    return x.could_extract_minus_sign(), str(x)


def increasing(fn: str) -> bool:
    """Whether a function of the table increases strictly on its whole domain."""
    return fn in ("sigmoid", "tanh", "exp", "log", "softplus", "sqrt", "erf")


def solutions(equation: sympy.Expr, unknown: sympy.Symbol) -> list[sympy.Expr]:
    """The real solutions of equation = 0 that SymPy finds, simplified."""
    found = sympy.solve(equation, unknown)
    return [sympy.factor(s) if s.is_rational_function(*s.free_symbols) else sympy.simplify(s) for s in found]
