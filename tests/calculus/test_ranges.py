"""Where the members that a definition reads meet one given member: against listing every index at small ends."""

from collections import Counter

import sympy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symgrad.calculus.ranges import Bounds, Match, meet
from symgrad.tensor.build import rel
from symgrad.tensor.integers import Int, evaluate_int, index_symbol, size_symbol
from symgrad.tensor.nodes import Binder, Rel

T = size_symbol("T")
i, j, t = (index_symbol(s) for s in "ijt")
QUIET = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def true(r: Rel, env: dict[sympy.Symbol, int]) -> bool:
    left, right = evaluate_int(r.left, env), evaluate_int(r.right, env)
    return {
        "==": left == right, "!=": left != right, "<": left < right, "<=": left <= right, ">": left > right,
        ">=": left >= right,
    }[r.op]  # fmt: skip


def listed(binders: list[Binder], env: dict[sympy.Symbol, int]) -> list[dict[sympy.Symbol, int]]:
    """All values of the indices, ranges that depend on earlier ones included."""
    found = [env]
    for x in binders:
        found = [{**e, x.symbol: v} for e in found for v in range(evaluate_int(x.lo, e), evaluate_int(x.hi, e) + 1)]
    return found


def by_hand(
    subs: list[Int], target: list[Int], unknowns: list[Binder], conds: list[Rel], env: dict[sympy.Symbol, int]
) -> Counter[tuple[int, ...]]:
    """The indices at which the two members are one, in the order of their names."""
    names = sorted((x.symbol for x in unknowns), key=str)
    return Counter(
        tuple(e[s] for s in names)
        for e in listed(list(reversed(unknowns)), env)
        if all(evaluate_int(a, e) == evaluate_int(b, e) for a, b in zip(subs, target, strict=True))
        and all(true(c, e) for c in conds)
    )


def by_match(match: Match | None, unknowns: list[Binder], env: dict[sympy.Symbol, int]) -> Counter[tuple[int, ...]]:
    """The indices that a match stands for."""
    names = sorted((x.symbol for x in unknowns), key=str)
    if match is None or not all(true(r, env) for r in match.guard):
        return Counter()
    out: Counter[tuple[int, ...]] = Counter()
    order = [x for x in reversed(unknowns) if x.symbol not in match.values]
    binders = [next(y for y in match.binders if y.symbol == x.symbol) for x in order]
    for e in listed(binders, env):
        if all(true(c, e) for c in match.conds):
            full = {**e, **{s: evaluate_int(v, e) for s, v in match.values.items()}}
            out[tuple(full[s] for s in names)] += 1
    return out


offsets = st.integers(-2, 2)


@st.composite
def meetings(draw: st.DrawFn) -> tuple[list[Int], list[Int], list[Binder], list[Rel]]:
    """family[i + a] or family[a j + b, …], its ranges, and a given member family[t] or family[number]."""
    inner_hi = draw(st.sampled_from([T, i, T - 1, 3]))
    unknowns = [Binder(i, draw(st.integers(0, 2)), draw(st.sampled_from([T, T - 1, T + 1])))]
    subs: list[Int] = [draw(st.sampled_from([1, 1, -1])) * i + draw(offsets)]
    target: list[Int] = [draw(st.sampled_from([t, t, t + 1, T, 1, 2]))]
    if draw(st.booleans()):
        unknowns.insert(0, Binder(j, 1, inner_hi))
        subs[0] = draw(st.sampled_from([i - j, i + j, i, 2 * j + i, j - i]))
        if draw(st.booleans()):
            subs.append(j + draw(offsets))
            target.append(draw(st.sampled_from([1, 2, t])))
    conds = [rel(draw(st.sampled_from(["<=", "<", "!=", ">="])), i, draw(st.sampled_from([T - 1, 2])))]
    return subs, target, unknowns, conds if draw(st.booleans()) else []


@QUIET
@given(meetings())
def test_meetings_are_those_that_listing_finds(
    drawn: tuple[list[Int], list[Int], list[Binder], list[Rel]],
) -> None:
    subs, target, unknowns, conds = drawn
    known = Bounds().within([Binder(t, 1, T)])
    match = meet(subs, target, unknowns, conds, known)
    for last in (1, 2, 4):
        for place in range(1, last + 1):
            env = {T: last, t: place}
            assert by_match(match, unknowns, env) == by_hand(subs, target, unknowns, conds, env), (match, env)


def test_what_follows_from_ranges() -> None:
    known = Bounds().within([Binder(t, 1, T), Binder(i, 1, t)])
    assert known.holds(rel("<=", i, T)) is True
    assert known.holds(rel("<", T, i)) is False
    assert known.holds(rel("<=", 1, i)) is True
    assert known.holds(rel("==", i, t)) is None
    assert known.holds(rel("<=", i, t - 1)) is None
    assert known.holds(rel("==", t, T + 1)) is False
    assert known.holds(rel("!=", t, 0)) is True


def test_a_step_read_one_later() -> None:
    """h[t-1], read at t = 1..T, is h[s] at t = s + 1, while s < T."""
    s = index_symbol("s")
    match = meet([t - 1], [s], [Binder(t, 1, T)], [], Bounds().within([Binder(s, 1, T)]))
    assert match is not None
    assert match.values == {t: s + 1}
    assert match.binders == match.conds == ()
    assert match.guard == (rel("<=", s + 1, T),)


def test_no_meeting() -> None:
    assert meet([t + 1], [1], [Binder(t, 1, T)], [], Bounds()) is None
    assert meet([0], [1], [], [], Bounds()) is None
