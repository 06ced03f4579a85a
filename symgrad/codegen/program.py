"""What is compiled: definitions, what is wanted of them, and which keyword argument holds which input."""

from collections.abc import Mapping

import sympy
from msgspec import Struct

from symgrad.tensor.nodes import Binder, Deriv, Expr, Rel, Var
from symgrad.tensor.system import System


class Leaf(Struct, frozen=True):
    """A keyword argument: the node that it holds, or a family of nodes with one leading axis for each index.

    Row 0 of an index axis is the first index of its range: ``I[t]``, t = 1..T, of size d is an array (T, d).
    """

    argument: str
    node: Var | Deriv
    ranges: tuple[Binder, ...] = ()


class Program(Struct, frozen=True):
    """One function to be written.

    Attributes:
        name: The function's name.
        system: The definitions that the outputs may name, adjoints and the model's own alike.
        outputs: The expressions to return, by key; one expression alone is returned as it is.
        leaves: The keyword arguments that are arrays, in the order of the signature.
        integers: Open steps and sizes that no array shows; each is a keyword argument.
        known: Relations that hold of the open steps.
        about: The mathematics in one line.
    """

    name: str
    system: System
    outputs: Mapping[str, Expr] | Expr
    leaves: tuple[Leaf, ...]
    integers: tuple[sympy.Symbol, ...] = ()
    known: tuple[Rel, ...] = ()
    about: str = ""
