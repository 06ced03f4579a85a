"""Index notation as a person would write it, and its way to exact SymPy values."""

from collections.abc import Mapping
from fractions import Fraction

import pytest
import sympy

from symgrad.errors import InternalError
from symgrad.tensor import build as b
from symgrad.tensor.functions import construct as f
from symgrad.tensor.integers import index_symbol, size_symbol
from symgrad.tensor.lower import component
from symgrad.tensor.nodes import Add, Binder, Cut, Expr, Num, Var
from symgrad.tensor.sympy_border import exact_evaluate, to_sympy
from symgrad.tensor.walk import postorder

n, m = size_symbol("n"), size_symbol("m")
i, j, k, p = (index_symbol(name) for name in "ijkp")
x, y = b.var("x", shape=(m,)), b.var("y", shape=(n,))
A, B, S = b.var("A", shape=(n, m)), b.var("B", shape=(m, n)), b.var("S", shape=(n, n))


def total(body: Expr, *binders: Binder) -> Expr:
    return b.fold("sum", body, binders)


def over(symbol: sympy.Symbol, size: sympy.Symbol) -> Binder:
    return b.binder(symbol, 1, size)


CASES: Mapping[str, tuple[Expr, tuple[object, ...], Expr]] = {
    "product": (b.matmul(A, x), (i,), total(b.mul(b.at(A, i, j), b.at(x, j)), over(j, m))),
    "a taken name is passed over": (
        b.matmul(b.var("j", shape=(n, m)), x),
        (i,),
        total(b.mul(b.at(b.var("j", shape=(n, m)), i, k), b.at(x, k)), over(k, m)),
    ),
    "chain of products": (
        b.matmul(A, B, y),
        (p,),
        total(b.mul(b.at(A, p, i), b.at(B, i, j), b.at(y, j)), over(i, m), over(j, n)),
    ),
    "nested sums have different names": (
        b.matmul(A, b.add(x, b.matmul(B, y))),
        (i,),
        total(
            b.mul(b.at(A, i, j), b.add(b.at(x, j), total(b.mul(b.at(B, j, k), b.at(y, k)), over(k, n)))),
            over(j, m),
        ),
    ),
    "sums side by side share a name": (
        b.add(b.matmul(A, x), b.matmul(S, y)),
        (i,),
        b.add(
            total(b.mul(b.at(A, i, j), b.at(x, j)), over(j, m)),
            total(b.mul(b.at(S, i, j), b.at(y, j)), over(j, n)),
        ),
    ),
    "transposes change places": (b.transpose(A), (i, j), b.at(A, j, i)),
    "outer": (b.outer(y, x), (i, j), b.mul(b.at(y, i), b.at(x, j))),
    "inner": (b.inner(x, x), (), total(b.power(b.at(x, i), b.num(2)), over(i, m))),
    "row sums": (b.reduce("sum", A, 1), (i,), total(b.at(A, i, j), over(j, m))),
    "diagonal matrix": (b.diag(y), (i, j), b.mul(b.delta(i, j), b.at(y, i))),
    "identity": (b.eye(n), (i, j), b.delta(i, j)),
    "softmax": (
        f.softmax(x),
        (i,),
        b.div(b.apply("exp", b.at(x, i)), total(b.apply("exp", b.at(x, j)), over(j, m))),
    ),
    "part": (b.entry(x, [Cut(2, m)]), (i,), b.at(x, i + 1)),
    "built": (b.build(b.mul(b.count(k), b.at(x, k)), [over(k, m)]), (i,), b.mul(b.count(i), b.at(x, i))),
    "a bound name gives way": (
        total(b.at(b.var("h", (k,), (n,)), i), b.binder(k, 1, 3)),
        (),
        total(b.at(b.var("h", (k,), (n,)), i), b.binder(k, 1, 3)),
    ),
    "a bound name gives way to an index": (
        b.fold("sum", b.var("h", (k,), (n,)), [b.binder(k, 1, 3)]),
        (k,),
        total(b.at(b.var("h", (i,), (n,)), k), b.binder(i, 1, 3)),
    ),
    "stack at a number": (b.stack(x, b.apply("tanh", x)), (2, i), b.apply("tanh", b.at(x, i))),
    "concat": (
        b.concat([x, y]),
        (i,),
        b.add(
            b.mul(b.iverson(b.rel("<=", 1, i), b.rel("<=", i, m)), b.at(x, i)),
            b.mul(b.iverson(b.rel("<=", m + 1, i), b.rel("<=", i, m + n)), b.at(y, i - m)),
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_entry(name: str) -> None:
    expr, at, expected = CASES[name]
    assert component(expr, at) is expected  # type: ignore[arg-type]


def test_deep_graphs_do_not_recurse() -> None:
    deep: Expr = x
    for step in range(5_000):
        deep = b.apply("tanh", deep) if step % 2 else Add((deep, x), deep.shape)
    entry = component(deep, (1,))
    assert len(postorder(entry)) < 5_010
    to_sympy(component(b.fold("sum", b.at(x, 1), [b.binder(k, 1, 5_000)]), ()), {m: 2}, lambda v, at: 1)


SIZES = {n: 2, m: 2}
VALUES: dict[Var, object] = {A: [[1, 2], [3, 4]], S: [[1, 2], [3, 4]], x: [Fraction(1, 2), -1]}


def test_exact_values_stay_exact() -> None:
    rational = sympy.Rational
    assert exact_evaluate(b.matmul(A, x), SIZES, VALUES) == [rational(-3, 2), rational(-5, 2)]
    assert exact_evaluate(f.inv(S), SIZES, VALUES) == [[-2, 1], [rational(3, 2), rational(-1, 2)]]
    assert exact_evaluate(f.det(S), SIZES, VALUES) == -2
    assert exact_evaluate(f.norm(A), SIZES, VALUES) == sympy.sqrt(30)
    assert exact_evaluate(b.reduce("argmax", A, 1), SIZES, VALUES) == [2, 2]
    assert exact_evaluate(f.logsumexp(b.zeros((4,))), {}, {}) == sympy.log(4)


def test_symbols_are_read_as_they_are_given() -> None:
    names = sympy.symarray("a", (2, 2))
    found = to_sympy(b.matmul(A, b.transpose(A)), SIZES, lambda v, at: names[at[0] - 1, at[1] - 1])
    by_hand = sympy.Matrix(names) * sympy.Matrix(names).T
    assert sympy.expand(found - by_hand) == sympy.zeros(2, 2)
    column = to_sympy(x, SIZES, lambda v, at: at[0])
    row = to_sympy(b.transpose(x), SIZES, lambda v, at: at[0])
    assert (column.shape, row.shape) == ((2, 1), (1, 2))
    assert to_sympy(b.build(b.at(x, i), [over(i, m), over(j, n), over(k, n)]), SIZES, lambda v, at: 1).shape == (
        2,
        2,
        2,
    )


def test_an_unresolved_derivative_has_no_entrywise_reading() -> None:
    with pytest.raises(InternalError, match="Deriv has no entrywise reading"):
        exact_evaluate(b.deriv(b.at(x, 1), x), SIZES, VALUES)


def test_numbers_fold_on_the_way() -> None:
    assert component(b.mul(b.ones((n, m)), b.num(3)), (i, j)) is Num(Fraction(3))
