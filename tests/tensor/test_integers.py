"""Integer expressions: in numbers against the same formula in Python's own fractions, their signs against a grid."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.errors import InternalError
from symgrad.tensor.affine import affine
from symgrad.tensor.frames import Frame
from symgrad.tensor.integers import (
    Int,
    at_most,
    difference,
    evaluate_int,
    index_symbol,
    integer,
    replace,
    same,
    size_symbol,
)
from symgrad.tensor.nodes import Binder

N, M, K = size_symbol("n"), size_symbol("m"), index_symbol("k")

FORMULAS: list[tuple[sympy.Expr, Callable[[int, int, int], int]]] = [
    (sympy.floor((K - 1) / N) + 1, lambda n, m, i: math.floor(Fraction(i - 1, n)) + 1),
    (sympy.floor(-K / M), lambda n, m, i: math.floor(Fraction(-i, m))),
    (sympy.ceiling((2 * N + K) / M), lambda n, m, i: math.ceil(Fraction(2 * n + i, m))),
    (sympy.floor((K + sympy.floor((K - 5) / 3)) / N), lambda n, m, i: (i + (i - 5) // 3) // n),
    (sympy.floor(K / N + sympy.Rational(1, 2)), lambda n, m, i: math.floor(Fraction(i, n) + Fraction(1, 2))),
    (sympy.floor(sympy.sqrt(N)), lambda n, m, i: math.isqrt(n)),
    (sympy.Mod(K - 3, M), lambda n, m, i: (i - 3) % m),
    (N * (N + 1) / 2, lambda n, m, i: sum(range(n + 1))),
    (sympy.Min(N, M, K), lambda n, m, i: min(n, m, i)),
    (sympy.Max(0, sympy.floor((N - M) / 2)), lambda n, m, i: max(0, (n - m) // 2)),
    (2**N, lambda n, m, i: 1 << n),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), FORMULAS, ids=lambda x: str(x) if isinstance(x, sympy.Basic) else "")
def test_a_formula_is_what_fractions_say(value: sympy.Expr, expected: Callable[[int, int, int], int]) -> None:
    places = range(-7, 8)
    for n, m in itertools.product(range(1, 6), repeat=2):
        found = [evaluate_int(value, {N: n, M: m, K: i}) for i in places]
        assert found == [expected(n, m, i) for i in places]
        frame, _ = Frame.root({N: n, M: m}).extended([Binder(K, -7, 7)], ()) or pytest.fail("no rows")
        assert frame.column(value).tolist() == found


def test_a_fraction_that_is_no_integer_is_refused() -> None:
    with pytest.raises(InternalError, match="not an integer"):
        evaluate_int(N / 2, {N: 3})


NUMBERS = st.integers(-4, 4)
GRID = [{N: n, M: m, K: k} for n in (1, 2, 9) for m in (1, 3, 9) for k in range(-40, 41)]


@settings(max_examples=200, deadline=None)
@given(NUMBERS, NUMBERS, st.sampled_from((0, 0, 1, -2)), st.integers(-9, 9))
def test_the_sign_of_an_affine_form_is_decided(a: int, b: int, c: int, d: int) -> None:
    # Over n, m ≥ 1 and any k an affine form is least at a corner of the grid, or falls without end.
    form = affine(a * N + b * M + c * K + d)
    values = [evaluate_int(form.expr, place) for place in GRID]
    falls = a < 0 or b < 0 or c != 0
    assert form.nonnegative() == (not falls and min(values) >= 0)
    assert form.at_least_zero() in ((True,) if min(values) >= 0 and not falls else (False, None))
    if form.at_least_zero() is False:
        assert max(values) < 0
    if form.is_zero() is not None:
        assert {v == 0 for v in values} == {form.is_zero()}


SIGNS: list[tuple[sympy.Expr, bool | None, bool | None]] = [
    (N * (N - 1), True, None),
    (N**2 - M * N, None, None),
    (N * M - 1, True, None),
    (N * (N + 1) / 2 - 1, True, None),
    (-N * M, False, False),
    (sympy.floor((N - 1) / 2), True, None),
    (2 * K + 1, None, False),
    (4 * K - 6 * N + 3, None, False),
    (N - N / 2 - N / 2, True, True),
    (sympy.oo - N, True, False),
]


@pytest.mark.parametrize(("value", "at_least", "zero"), SIGNS, ids=lambda x: str(x))
def test_signs_of_products_and_parities(value: sympy.Expr, at_least: bool | None, zero: bool | None) -> None:
    assert affine(value).at_least_zero() is at_least
    assert affine(value).is_zero() is zero


def test_forms_differ_as_expressions_do() -> None:
    left, right = N * M + 3 * K - N / 2, K * (N - 2) + N / 2 - 7
    assert (affine(left) - affine(right)).expr == sympy.expand(left - right)
    assert (affine(left) - affine(left)).terms == {}


FORMS = st.tuples(NUMBERS, NUMBERS, st.sampled_from((0, 0, 1, -2)), NUMBERS).map(
    lambda c: integer(sympy.Integer(c[3]) + c[0] * N + c[1] * M + c[2] * K)
)


@settings(max_examples=200, deadline=None)
@given(FORMS, FORMS)
def test_what_is_certain_of_two_integers_holds_everywhere(x: Int, y: Int) -> None:
    left, right = ([evaluate_int(value, place) for place in GRID] for value in (x, y))
    assert same(x, y) == (left == right)
    assert [evaluate_int(difference(x, y), place) for place in GRID] == [
        a - b for a, b in zip(left, right, strict=True)
    ]
    below = [a <= b for a, b in zip(left, right, strict=True)]
    certain = at_most(x, y)
    assert certain is None or set(below) == {certain}
    if isinstance(x, int) and isinstance(y, int):
        assert certain is (x <= y)


def test_symbols_are_replaced_all_at_once() -> None:
    assert replace(N + 2 * M, {N: M, M: N}) == M + 2 * N
    assert replace(N + 2 * M, {N: M + 1, K: 7}) == 3 * M + 1
    assert replace(N, {}) is N
    assert replace(5, {N: 3}) == 5
    number = replace(N - M, {N: 3, M: sympy.Integer(1)})
    assert (number, type(number)) == (2, int)
