import os

import pytest

from symgrad.limits import limit_threads


@pytest.mark.parametrize(("said", "expected"), [(None, "1"), ("2", "2")])
def test_matrix_products_have_one_thread_unless_the_user_says_how_many(
    monkeypatch: pytest.MonkeyPatch, said: str | None, expected: str
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", said or "")
    if said is None:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    limit_threads()
    assert (os.environ["OPENBLAS_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == (expected, "3")
