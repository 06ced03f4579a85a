"""Random inputs: within what is said of them, and of a size that saturates nothing."""

import numpy as np
import pytest

from symgrad.calculus.sampling import sample


@pytest.mark.parametrize(("facts", "places"), [({"index"}, {1, 2}), ({"index", "from 0"}, {0, 1})])
def test_an_index_picks_the_first_entries(facts: set[str], places: set[int]) -> None:
    assert set(sample(facts, (50,), 4, np.random.default_rng(0)).ravel().tolist()) == places


@pytest.mark.parametrize("size", [3, 16, 100, 300])
def test_a_product_of_long_sums_stays_small(size: int) -> None:
    random = np.random.default_rng(1)
    first, second = (sample((), (size, size), 30, random) for _ in range(2))
    x = sample((), (size,), 30, random)
    assert np.sqrt(np.mean((second @ (first @ x[..., None])) ** 2)) < 0.8 * (0.8 * 4) ** 2 * 1.2
