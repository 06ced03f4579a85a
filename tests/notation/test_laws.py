"""Laws over the tables: every function is written, every sign is spelled in every format, every node is printed."""

from dataclasses import FrozenInstanceError

import pytest

from symgrad.consing import node
from symgrad.errors import InternalError
from symgrad.notation import read as reading
from symgrad.notation.functions import FUNCTIONS
from symgrad.notation.latex import latex
from symgrad.notation.plain import plain
from symgrad.notation.read import read
from symgrad.notation.readers.core import rule
from symgrad.notation.symbols import SYMBOLS, Symbol
from symgrad.notation.tokens import latex_tokens
from symgrad.notation.tree import Frac, Number, Tree
from symgrad.tensor import build as b
from symgrad.tensor.functions import FUNCTIONS as TENSOR_FUNCTIONS
from symgrad.tensor.nodes import KINDS, Expr
from symgrad.tensor.scalars import SCALARS


@pytest.mark.parametrize("name", [*SCALARS, *(n for n, row in TENSOR_FUNCTIONS.items() if row.values is not None)])
def test_every_function_has_a_row(name: str) -> None:
    assert name in FUNCTIONS


@pytest.mark.parametrize("name", SCALARS)
def test_every_scalar_function_is_printed_as_its_row_says(name: str) -> None:
    row = SCALARS[name]
    tree = read(b.apply(name, *(b.var(x) for x in "abc"[: row.arity])))
    assert latex(tree)
    assert plain(tree)
    if row.fence is None and name not in ("where", "exp"):
        # ReLU and relu are one name.
        assert latex(tree).casefold().startswith(row.latex.casefold())


@pytest.mark.parametrize("kind", KINDS)
def test_every_node_kind_is_read(kind: type[Expr]) -> None:
    assert rule.dispatch(kind) is not rule.dispatch(Expr)


@pytest.mark.parametrize("symbol", SYMBOLS.values(), ids=SYMBOLS)
def test_every_sign_is_spelled_in_every_format(symbol: Symbol) -> None:
    assert symbol.latex
    assert symbol.unicode
    assert symbol.typst
    assert symbol.width > 0


@node
class _Unknown(Tree):
    word: str


@pytest.mark.parametrize("printer", [latex, plain])
def test_an_unknown_node_is_our_fault(printer: object) -> None:
    with pytest.raises(InternalError):
        printer(_Unknown("x"))  # type: ignore[operator]


def test_trees_that_look_the_same_are_one_object() -> None:
    half = Frac(Number("1"), Number("2"))
    assert half is Frac(bottom=Number("2"), top=Number("1"))
    assert half.replaced(top=Number("3")) is Frac(Number("3"), Number("2"))
    assert half is not Frac(Number("2"), Number("1"))
    with pytest.raises(FrozenInstanceError):
        half.top = Number("3")  # type: ignore[misc]


def test_all_families_of_nodes_are_loaded() -> None:
    assert len(reading.FAMILIES) == 7


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (r"V^{\top} (\hat{y}_2 - y_2)", 13),
        (r"\bigl( a \bigr)\, b", 4),
        (r"\frac{1}{2}", 3),
        (r"&= x \\ \quad", 2),
    ],
)
def test_latex_tokens(text: str, count: int) -> None:
    assert len(latex_tokens(text)) == count
