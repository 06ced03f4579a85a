"""Certification: how far two sides may be apart, and what is said where nothing can be compared."""

from collections.abc import Callable

import numpy as np
import pytest
import sympy

from symgrad.derivation.certify import EXCESS, TOLERANCE, Certifier, index_values, relative_error
from symgrad.errors import CertificationError, QuestionError
from symgrad.tensor import build as b
from symgrad.tensor.integers import index_symbol, size_symbol
from symgrad.tensor.nodes import At, Binder, Expr
from symgrad.tensor.system import Definition, System

X = b.var("x", (), ())
Y = b.var("y", (), ())
N = size_symbol("n")
V = b.var("v", (), (N,))
INF = float("inf")
NAN = float("nan")


def scaled(x: Expr, factor: float) -> Expr:
    return b.mul(b.literal([factor], ()), x)


def certifier(*definitions: Definition) -> Certifier:
    return Certifier.of(System(definitions, {}), [{N: n} for n in (2, 3, 2)])


@pytest.mark.parametrize(
    ("a", "c", "error"),
    [
        ([2.0], [2.0], 0.0),
        ([4.0], [5.0], 1 / 5),
        ([5.0], [4.0], 1 / 5),
        ([-4.0], [4.0], 2.0),
        # Beside numbers below 10⁻³ the error is taken over 10⁻³.
        ([1e-4], [2e-4], 0.1),
        ([0.0], [1e-15], 1e-12),
        # The largest gap over the largest number, wherever they stand.
        ([1.0, 10.0], [2.0, 10.0], 0.1),
        ([INF], [INF], 0.0),
        ([-INF, 3.0], [-INF, 3.0], 0.0),
        ([INF], [-INF], INF),
        ([INF], [1.0], INF),
        ([NAN], [NAN], INF),
        ([1.0, NAN], [1.0, 1.0], INF),
        ([3.0 + 4.0j], [0.0], 1.0),
    ],
)
def test_relative_error(a: list[float], c: list[float], error: float) -> None:
    assert relative_error(np.array([a]), np.array([c])) == pytest.approx(error, rel=1e-12)


def test_values_of_different_shapes_differ() -> None:
    assert relative_error(np.ones((1, 2)), np.ones((1, 3))) == INF
    assert relative_error(np.ones((1, 2)), np.ones((1, 2, 1))) == INF
    assert relative_error(np.ones((5, 0)), np.ones((5, 0))) == 0.0


@pytest.mark.parametrize(
    ("relation", "a", "c", "excess"),
    [
        ("<=", [1.0, 2.0], [1.0, 3.0], 0.0),
        ("<=", [1.0, 2.5], [1.0, 2.0], 0.25),
        # An excess over small numbers is not divided by them.
        ("<=", [0.5], [0.25], 0.25),
        ("<", [1.0], [1.5], 0.0),
        ("<", [1.0], [1.0], INF),
        ("<", [1.0, 3.0], [1.5, 2.0], INF),
        (">=", [2.0], [2.0], 0.0),
        (">=", [2.0], [8.0], 3.0),
        (">", [2.0], [1.0], 0.0),
        (">", [2.0], [2.0], INF),
        ("iff", [1.0], [0.0], 1.0),
        ("<=", [NAN], [1.0], INF),
        ("<=", [1.0], [INF], INF),
    ],
)
def test_by_how_much_a_relation_is_violated(relation: str, a: list[float], c: list[float], excess: float) -> None:
    assert EXCESS[relation](np.array(a), np.array(c)) == pytest.approx(excess, rel=1e-12)


def test_sides_that_agree_to_the_tolerance_are_a_line() -> None:
    made = certifier()
    line = made.line(X, scaled(X, 1 + TOLERANCE / 2), rule="close")
    assert TOLERANCE / 4 < line.check.max_rel_error <= TOLERANCE
    assert (line.check.points, line.check.sizes) == (7, 2)
    assert made.checks == [line.check]


@pytest.mark.parametrize("factor", [1 + 3 * TOLERANCE, 1 - 3 * TOLERANCE, -1.0])
def test_sides_that_differ_by_more_are_none(factor: float) -> None:
    made = certifier()
    with pytest.raises(CertificationError, match="this is a fault of symgrad"):
        made.line(X, scaled(X, factor))
    assert made.checks == []


def test_every_side_is_compared_with_the_first() -> None:
    near = 1 + 0.8 * TOLERANCE
    certifier().line(X, scaled(X, near))
    with pytest.raises(CertificationError):
        certifier().line(X, scaled(X, near), scaled(X, near * near))


def test_an_inequality_holds_from_each_side_to_the_next() -> None:
    square = b.mul(X, X)
    certifier().line(b.neg(square), b.ZERO, square, relation="<=")
    with pytest.raises(CertificationError):
        certifier().line(b.neg(square), square, b.ZERO, relation="<=")


def test_a_side_that_holds_at_one_size_only_is_found_out() -> None:
    ones = b.ones((N,))
    with pytest.raises(CertificationError):
        certifier().line(b.inner(ones, ones), b.num(2))


def slope(of: Expr) -> Expr:
    return b.deriv(of, X)


@pytest.mark.parametrize(
    ("body", "value", "right"),
    [
        (b.mul(X, X), b.mul(b.num(2), X), True),
        (b.mul(X, X), scaled(X, 2 + 1e-8), True),
        (b.mul(X, X), scaled(X, 2 + 1e-4), False),
        (b.apply("exp", X), b.apply("exp", X), True),
        (b.apply("sin", X), b.apply("sin", X), False),
    ],
)
def test_derivatives_beside_central_differences(body: Expr, value: Expr, right: bool) -> None:
    made = certifier(Definition("y", (), body))
    if right:
        assert made.differences(Y, X, value).max_rel_error <= 1e-5
        assert len(made.checks) == 1
    else:
        with pytest.raises(CertificationError, match="disagrees with central differences"):
            made.differences(Y, X, value)


@pytest.mark.parametrize(("factor", "right"), [(1.0, True), (1.1, False)])
def test_entries_on_a_kink_are_left_out_where_most_lie_on_none(factor: float, right: bool) -> None:
    """y = max(r₁, r₂) with r = relu(x): where both are 0, y has a slope to the right of r₁ and another to the left."""
    r = b.var("r", (), (2,))
    first, second = (b.entry(r, [At(k)]) for k in (1, 2))
    largest = Definition("y", (), b.apply("max", first, second))
    made = certifier(Definition("r", (), b.apply("relu", b.var("x", (), (2,)))), largest)
    picks = b.stack(b.compare(">=", first, second), b.compare(">", second, first))
    if right:
        assert made.differences(Y, r, scaled(picks, factor)).kind == "central differences where there is no kink"
    else:
        with pytest.raises(CertificationError, match="disagrees with central differences"):
            made.differences(Y, r, scaled(picks, factor))


@pytest.mark.parametrize(
    "judge",
    [
        lambda made: made.line(slope(Y), b.mul(Y, b.num(1000))),
        lambda made: made.differences(Y, X, b.mul(Y, b.num(1000))),
    ],
    ids=["line", "differences"],
)
def test_numbers_too_large_for_the_machine_are_no_disagreement(judge: Callable[[Certifier], object]) -> None:
    huge = b.apply("exp", b.mul(b.num(1000), b.add(b.mul(X, X), b.num(1))))
    with pytest.raises(QuestionError, match="is too large to compute at the points tried"):
        judge(certifier(Definition("y", (), huge)))


def test_indices_that_are_tried() -> None:
    i, j = index_symbol("i"), index_symbol("j")
    assert index_values((), {}) == [{}]
    assert [x[i] for x in index_values((Binder(i, 2, 5),), {})] == [2, 3, 4, 5]
    assert [x[i] for x in index_values((Binder(i, 1, 9),), {})] == [1, 2, 5, 9]
    inner: list[tuple[int, int]] = [(x[i], x[j]) for x in index_values((Binder(i, 1, N), Binder(j, 1, i)), {N: 3})]
    assert inner == [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)]
    assert len(index_values((Binder(i, 1, 4), Binder(j, 1, 4), Binder(sympy.Symbol("k"), 1, 4)), {})) == 24
