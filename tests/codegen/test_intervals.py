"""Inequalities over ranges, and ranges cut by relations: what is said holds at every point, tried one by one."""

from collections.abc import Iterator, Mapping, Sequence

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.codegen.intervals import (
    Ranges,
    at_most,
    clip,
    coefficient,
    extreme,
    gaps_of,
    largest,
    nested,
    nonnegative,
    smallest,
    tidy,
)
from symgrad.tensor import build as b
from symgrad.tensor.comparisons import HOLDS
from symgrad.tensor.integers import Int, evaluate_int, index_symbol, integer, size_symbol, symbols_of
from symgrad.tensor.nodes import Binder, Rel

N = size_symbol("n")
J, K = index_symbol("j"), index_symbol("k")
SQUARE: Ranges = (Binder(J, 1, N), Binder(K, 1, N))
WEDGE: Ranges = (Binder(J, 1, N), Binder(K, J, N))
SHIFTED: Ranges = (Binder(J, 0, N - 1), Binder(K, 1 - J, J + 1))
RANGES = (SQUARE, WEDGE, SHIFTED)
LONGEST = 5

Point = tuple[int, int, int]

NUMBERS = st.integers(-3, 3)
FORMS = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS).map(
    lambda c: integer(sympy.Integer(c[0]) + c[1] * N + c[2] * J + c[3] * K)
)
RELATIONS = st.builds(b.rel, st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), FORMS, FORMS)


def points(ranges: Ranges) -> Iterator[tuple[Point, Mapping[sympy.Symbol, int]]]:
    """Every n up to LONGEST, with all values of the indices in their ranges."""
    outer, inner = ranges
    for n in range(1, LONGEST + 1):
        for i in range(evaluate_int(outer.lo, {N: n}), evaluate_int(outer.hi, {N: n}) + 1):
            env = {N: n, J: i}
            for k in range(evaluate_int(inner.lo, env), evaluate_int(inner.hi, env) + 1):
                yield (n, i, k), {**env, K: k}


def true(conds: Sequence[Rel], env: Mapping[sympy.Symbol, int]) -> bool:
    return all(HOLDS[c.op](evaluate_int(c.left, env), evaluate_int(c.right, env)) for c in conds)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 0),
        (N, 0),
        (J, 1),
        (3 * J - 2 * N, 3),
        (2 * (N - J) + 1, -2),
        (sympy.Min(N, 3) + J, 1),
        (J * N, None),
        (J / 2, None),
        (J**2, None),
        (J**2 - 3 * J, None),
        (sympy.floor(J / 2) + J, None),
    ],
)
def test_coefficient(value: Int, expected: int | None) -> None:
    assert coefficient(value, J) == expected


def test_ranges_stand_inside_those_that_they_name() -> None:
    inner, outer = Binder(K, 1, J), Binder(J, 1, N)
    assert nested((inner, outer)) == (outer, inner)
    assert nested((outer, inner)) == (outer, inner)


@pytest.mark.parametrize("ranges", RANGES)
@pytest.mark.parametrize(
    ("low", "high"), [(1, J), (0, J), (J, N), (J, K), (K, J), (J + K, 2 * N), (2, J), (K, N), (J - N, 1), (1 - J, K)]
)
def test_what_is_proved_holds(low: Int, high: Int, ranges: Ranges) -> None:
    holds = all(evaluate_int(low, env) <= evaluate_int(high, env) for _, env in points(ranges))
    assert at_most(low, high, ranges) is holds


@settings(max_examples=150, deadline=None)
@given(FORMS, st.sampled_from(RANGES))
def test_no_more_is_proved_than_holds(value: Int, ranges: Ranges) -> None:
    values = [evaluate_int(value, env) for _, env in points(ranges)]
    if nonnegative(value, ranges):
        assert min(values) >= 0
    if nonnegative(sympy.Min(value, N), ranges):
        assert min(values) >= 0
    if not nonnegative(sympy.Max(value, 1), ranges):
        pytest.fail("max(x, 1) is positive")


@settings(max_examples=100, deadline=None)
@given(FORMS, st.sampled_from((SQUARE, WEDGE)), st.booleans())
def test_the_largest_and_the_smallest_value(value: Int, ranges: Ranges, upper: bool) -> None:
    found = extreme(value, ranges, upper)
    assert found is not None
    assert symbols_of(found) <= {N}
    for n in range(1, LONGEST + 1):
        values = [evaluate_int(value, env) for place, env in points(ranges) if place[0] == n]
        assert evaluate_int(found, {N: n}) == (max(values) if upper else min(values))


@settings(max_examples=100, deadline=None)
@given(st.lists(FORMS, min_size=1, max_size=3), st.sampled_from(RANGES))
def test_min_and_max_without_what_is_not_needed(values: list[Int], ranges: Ranges) -> None:
    least, most = smallest(values, ranges), largest(values, ranges)
    for _, env in points(ranges):
        found = [evaluate_int(v, env) for v in values]
        assert (evaluate_int(least, env), evaluate_int(most, env)) == (min(found), max(found))


@settings(max_examples=100, deadline=None)
@given(FORMS, FORMS, FORMS)
def test_what_is_added_goes_into_a_minimum(first: Int, second: Int, more: Int) -> None:
    whole = integer(sympy.Min(first, second) + more)
    for _, env in points(WEDGE):
        assert evaluate_int(tidy(whole), env) == evaluate_int(whole, env)


@settings(max_examples=150, deadline=None)
@given(RELATIONS)
def test_gaps_are_not_negative_where_a_relation_holds(relation: Rel) -> None:
    gaps = gaps_of(relation)
    assert (gaps is None) == (relation.op == "!=")
    for _, env in points(WEDGE):
        if gaps is not None:
            assert all(evaluate_int(g, env) >= 0 for g in gaps) is true([relation], env)


@settings(max_examples=200, deadline=None)
@given(st.lists(RELATIONS, min_size=1, max_size=2), st.sampled_from(RANGES))
def test_cut_ranges_have_the_points_at_which_the_relations_hold(conds: list[Rel], ranges: Ranges) -> None:
    cut, left = clip(ranges, conds)
    wanted = [place for place, env in points(ranges) if true(conds, env)]
    assert [place for place, env in points(cut) if true(left, env)] == wanted
