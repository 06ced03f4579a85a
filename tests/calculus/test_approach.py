"""Limits in numbers, against limits known by hand."""

import math

import numpy as np
import pytest

from symgrad.calculus.numeric import Numbers
from symgrad.errors import QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.functions.construct import softmax
from symgrad.tensor.nodes import Const, Expr
from symgrad.tensor.system import Definition, System

X = b.var("x")
A = b.var("a", (), (), ("positive",))
INF = Const("inf")


def log(x: Expr) -> Expr:
    return b.apply("log", x)


@pytest.mark.parametrize(
    ("arg", "point", "side", "expected"),
    [
        (b.mul(X, log(X)), b.ZERO, "+", 0.0),
        (b.power(b.sub(b.ONE, X), A), b.ONE, "-", 0.0),
        (b.div(b.apply("sin", X), X), b.ZERO, "", 1.0),
        (b.div(b.sub(b.apply("exp", X), b.ONE), X), b.ZERO, "", 1.0),
        (b.div(b.ONE, log(X)), b.ZERO, "+", 0.0),
        (b.add(b.ONE, b.div(b.ONE, log(X))), INF, "", 1.0),
        (b.power(b.add(b.ONE, b.div(b.ONE, X)), X), INF, "", math.e),
        (b.apply("tanh", X), INF, "", 1.0),
        (b.apply("sigmoid", X), b.neg(INF), "", 0.0),
        (log(X), b.ZERO, "+", -math.inf),
        (b.div(b.apply("exp", X), b.power(X, b.num(3))), INF, "", math.inf),
        (b.apply("sign", X), b.ZERO, "-", -1.0),
        (b.mul(X, b.power(b.div(A, b.add(A, b.ONE)), b.mul(b.num(10**7), A))), b.ONE, "", 0.0),
    ],
)
def test_values_near_the_point_lead_to_the_limit(arg: Expr, point: Expr, side: str, expected: float) -> None:
    found = Numbers.of(System(()), {}, points=2).value(b.limit(arg, X, point, side))
    assert np.allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("arg", [b.apply("sign", X), b.div(b.ONE, X), b.apply("sin", b.div(b.ONE, X))])
def test_no_limit_is_an_error(arg: Expr) -> None:
    with pytest.raises(QuestionError):
        Numbers.of(System(()), {}, points=1).value(b.limit(arg, X, b.ZERO))


def test_definitions_are_followed_and_arrays_taken_entry_by_entry() -> None:
    z = b.var("z", (), (3,))
    p = Definition("p", (), softmax(b.div(z, X)))
    numbers = Numbers.of(System((p,)), {}, points=4)
    found = numbers.value(b.limit(p.target, X, b.ZERO, "+"))
    assert np.array_equal(found, np.eye(3)[numbers.value(z).argmax(axis=1)])
