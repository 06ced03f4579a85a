"""Integer expressions in numbers: each row of the table against the same formula in Python's own fractions."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import pytest
import sympy

from symgrad.errors import InternalError
from symgrad.tensor.frames import Frame
from symgrad.tensor.integers import evaluate_int, index_symbol, size_symbol
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
