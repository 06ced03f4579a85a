"""Marking an answer: against SymPy's own test of one identity, and how the cost grows with the document."""

import itertools
import resource
import sys
from collections.abc import Callable

import pytest
import sympy

from symgrad.pipeline import load
from symgrad.verification.marked import Markers

MOST_OF_SIMPLIFY = 1.0
MOST_OF_LINEAR = 1.4
MOST_OF_RIGHT = 50
MEGABYTES = 150

RIGHT = (
    r"\frac{\partial E_%d}{\partial h_%d} = V^\top (\hat y_%d - y_%d)",
    r"\frac{\partial h_%d}{\partial h_{%d-1}} = \operatorname{diag}(1 - h_%d \odot h_%d) W",
    r"\frac{\partial E_%d}{\partial V} = (\hat y_%d - y_%d) h_%d^\top",
    r"\frac{\partial E_%d}{\partial z_%d} = \hat y_%d - y_%d",
)
WRONG = r"\frac{\partial E_%d}{\partial h_%d} = V^\top (\hat y_%d + y_%d)"
LONG = (
    r"\frac{\partial E_t}{\partial W} = \sum_{k=1}^{t} \operatorname{diag}(1 - h_k \odot h_k) "
    r"\left(\prod_{j=t}^{k+1} \operatorname{diag}(1 - h_j \odot h_j) W\right)^\top V^\top (\hat y_t - y_t) h_{k-1}^\top"
)
HOPELESS = LONG.replace("(1 - h_k \\odot h_k)", "(1 - h_k)").replace(r"\hat y_t - y_t", r"\hat y_t + y_t")
"""Two slips, so that every edit of the line is tried and none explains it."""


def lines(line: str, claims: int) -> str:
    """One claim so many times."""
    return "\n\n".join(f"Line {k}: $${line}$$" for k in range(claims))


def document(claims: int) -> str:
    """So many claims, one in ten of them wrong."""
    steps = itertools.cycle((1, 2, 3))
    lines = (WRONG if k % 10 == 9 else RIGHT[k % len(RIGHT)] for k in range(claims))
    return "\n\n".join(f"Line {k}: $${line % ((next(steps),) * 4)}$$" for k, line in enumerate(lines))


@pytest.fixture(scope="module")
def markers() -> Markers:
    made = Markers.of([load("bptt")])
    made.mark(document(20))
    return made


def test_every_claim_is_judged(markers: Markers) -> None:
    counts = markers.mark(document(40)).counts
    assert counts == {"right": 36, "wrong": 4}


def test_a_claim_costs_less_than_one_simplify(markers: Markers, compare: Callable[..., float]) -> None:
    x, y = sympy.symbols("x y", real=True)

    def simplified() -> None:
        sympy.core.cache.clear_cache()
        for _ in range(10):
            sympy.core.cache.clear_cache()
            assert sympy.simplify(1 - sympy.tanh(x * y) ** 2 - sympy.sech(x * y) ** 2) == 0

    text = document(10)
    ratio = compare("10 claims judged / 10 identities simplified", lambda: markers.mark(text), simplified, rounds=3)
    assert ratio < MOST_OF_SIMPLIFY


def test_a_long_claim_costs_less_than_one_simplify(markers: Markers, compare: Callable[..., float]) -> None:
    x, y = sympy.symbols("x y", real=True)

    def simplified() -> None:
        for _ in range(10):
            sympy.core.cache.clear_cache()
            assert sympy.simplify(1 - sympy.tanh(x * y) ** 2 - sympy.sech(x * y) ** 2) == 0

    text = lines(LONG, 10)
    assert markers.mark(text).counts == {"right": 10}
    ratio = compare("10 long claims / 10 identities simplified", lambda: markers.mark(text), simplified, rounds=3)
    assert ratio < MOST_OF_SIMPLIFY


def test_a_line_that_no_edit_explains_costs_as_much_as_some_right_ones(
    markers: Markers, compare: Callable[..., float]
) -> None:
    wrong, right = lines(HOPELESS, 3), lines(LONG, 3)
    assert {(c.verdict, c.diagnosis) for c in markers.mark(wrong).claims} == {("wrong", "")}
    ratio = compare("unexplained / right", lambda: markers.mark(wrong), lambda: markers.mark(right), rounds=3)
    assert ratio < MOST_OF_RIGHT


def test_the_cost_is_linear_in_the_document(markers: Markers, compare: Callable[..., float]) -> None:
    short, long = document(100), document(400)
    ratio = compare("400 / 100 claims", lambda: markers.mark(long), lambda: markers.mark(short), rounds=2)
    assert ratio < 4 * MOST_OF_LINEAR


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
def test_memory_does_not_grow_with_a_document(markers: Markers) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(markers.mark(document(1000)).claims) == 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024
