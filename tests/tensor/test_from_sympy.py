"""There and back: what SymPy makes of a node is the node again, and what has no name among the nodes is refused."""

import pytest
import sympy

from symgrad.tensor import build as b
from symgrad.tensor.from_sympy import NoCounterpart, from_sympy, functions
from symgrad.tensor.nodes import Const, Expr, Var
from symgrad.tensor.scalars import SCALARS
from symgrad.tensor.sympy_border import to_sympy

X, Y = b.var("x", [], ()), b.var("y", [], ())
SYMBOLS = {X: sympy.Symbol("x", real=True), Y: sympy.Symbol("y", real=True)}
NODES = {symbol: node for node, symbol in SYMBOLS.items()}


def there(node: Expr) -> sympy.Expr:
    return to_sympy(node, {}, lambda v, indices: SYMBOLS[Var(v.name, v.subs, v.shape, v.facts)])


def back(x: sympy.Expr) -> Expr:
    return from_sympy(x, NODES.__getitem__, lambda node: sorted(node.args, key=str))


def test_functions_that_are_one_in_sympy_too() -> None:
    assert set(functions().values()) == {
        "tanh", "exp", "log", "abs", "sign", "sin", "cos", "erf", "floor", "ceil", "max", "min",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(functions().values()))
def test_functions_come_back(name: str) -> None:
    node = b.apply(name, *(X, Y)[: SCALARS[name].arity])
    assert back(there(node)) is node


@pytest.mark.parametrize(
    "node",
    [
        b.num("2/3"),
        Const("pi"),
        Const("e"),
        Const("inf"),
        b.neg(Const("inf")),
        b.add(X, Y),
        b.mul(X, Y),
        b.power(X, b.num(3)),
        b.power(X, Y),
        b.apply("sqrt", b.add(X, Y)),
    ],
    ids=str,
)
def test_arithmetic_comes_back(node: Expr) -> None:
    assert back(there(node)) is node


def test_what_has_no_name_is_refused() -> None:
    with pytest.raises(NoCounterpart, match="no way to write gamma"):
        back(sympy.gamma(SYMBOLS[X]))
