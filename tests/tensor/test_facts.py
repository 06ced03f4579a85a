"""Facts that bound values: what is written is read back, and random values keep to it."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.calculus.sampling import sample
from symgrad.tensor.facts import at_least, at_most, between, ends

NUMBERS = st.fractions(-100, 100, max_denominator=12)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (set(), (None, None)),
        ({"positive", "index", "sums to 1", "one-hot"}, (None, None)),
        ({"between 0 and 1"}, (0, 1)),
        ({"function", "between -1/2 and 3/4"}, (Fraction(-1, 2), Fraction(3, 4))),
        ({"from 0", "index"}, (0, None)),
        ({"to -2"}, (None, -2)),
        ({"from 1/3", "to 2"}, (Fraction(1, 3), 2)),
        ({"from 0", "between -1 and 1", "to 5"}, (0, 1)),
    ],
)
def test_ends(facts: set[str], expected: tuple[Fraction | None, Fraction | None]) -> None:
    assert ends(facts) == expected


@given(NUMBERS, NUMBERS)
def test_what_is_written_is_read_back(low: Fraction, high: Fraction) -> None:
    assert ends({between(low, high)}) == (low, high)
    assert ends({at_least(low)}) == (low, None)
    assert ends({at_most(high)}) == (None, high)


@given(NUMBERS, st.fractions(Fraction(1, 12), 10, max_denominator=12))
def test_random_values_lie_between_the_ends(low: Fraction, length: Fraction) -> None:
    high = low + length
    for facts, least, most in (
        ({between(low, high)}, low, high),
        ({at_least(low)}, low, np.inf),
        ({at_most(high)}, -np.inf, high),
    ):
        drawn = sample(facts, (3,), 8, np.random.default_rng(0))
        assert drawn.shape == (8, 3)
        assert float(least) < drawn.min() <= drawn.max() < float(most)
