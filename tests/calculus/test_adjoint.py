"""Adjoint equations of whole systems against the complex step: random recurrent models, and those of the textbooks."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symgrad.calculus.adjoint import adjoint_equations, backward_order
from symgrad.calculus.dependency import components, lags
from symgrad.calculus.numeric import Numbers
from symgrad.calculus.trace import trace
from symgrad.errors import QuestionError
from symgrad.problem.elaborate import load_problem
from symgrad.tensor import build as b
from symgrad.tensor.integers import index_symbol, size_symbol
from symgrad.tensor.nodes import Binder, Expr, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import Definition, System

n, T = size_symbol("n"), size_symbol("T")
t = index_symbol("t")
STEP = Binder(t, 1, T)
W = [b.var(f"W{k}", (), (n, n)) for k in range(3)]
u = b.var("u", (), (n,))
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
L = b.var("L")


def state(k: int, step: object) -> Var:
    return b.var(f"s{k}", (step,), (n,))  # type: ignore[arg-type]


@st.composite
def bodies(draw: st.DrawFn, k: int, count: int, backward: bool) -> Expr:
    """tanh of a sum: earlier states (later ones, where the model runs backwards), states made before in the step."""
    sign = 1 if backward else -1
    terms: list[Expr] = [b.matmul(draw(st.sampled_from(W)), state(k, t + sign * draw(st.integers(1, 2))))]
    for other in range(count):
        lag = draw(st.integers(0 if other < k else 1, 2))
        if draw(st.booleans()):
            terms.append(b.mul(u, state(other, t + sign * lag)))
    if draw(st.booleans()):
        terms.append(b.var("x", (t,), (n,)))
    if draw(st.booleans()):
        terms.append(b.matmul(b.var("V", (t,), (n, n)), state(k, t + sign)))
    return b.apply("tanh", b.add(*terms))


@st.composite
def systems(draw: st.DrawFn) -> tuple[System, tuple[Var, ...]]:
    """One to three states, and a loss over all steps, the last, or the squares of differences."""
    count = draw(st.integers(1, 3))
    backward = draw(st.booleans())
    made = [Definition(f"s{k}", (t,), draw(bodies(k, count, backward)), (STEP,)) for k in range(count)]
    read = draw(st.integers(0, count - 1))
    losses: list[Expr] = [b.fold("sum", b.inner(u, state(read, t)), [STEP])]
    if draw(st.booleans()):
        end = state(draw(st.integers(0, count - 1)), 1 if backward else T)
        losses.append(b.inner(end, end))
    if draw(st.booleans()):
        losses.append(b.fold("sum", b.mul(b.inner(state(read, t), u), b.inner(u, state(0, t))), [STEP]))
    made.append(Definition("L", (), b.add(*losses)))
    if draw(st.booleans()):
        made.insert(0, Definition("s0", (0 if not backward else T + 1,), b.mul(u, u)))
    edge = T + 1 if backward else 0
    asked: tuple[Var, ...] = (*W, u, b.var("x", (t,), (n,)), b.var("V", (t,), (n, n)), state(count - 1, edge))
    return System(tuple(made), {t: STEP}), asked


def agree(system: System, of: Var, wrt: Iterable[Var], lengths: Iterable[int] = (1, 2, 3, 4)) -> None:
    """Every equation, at every step of its range, against the model; and what is asked against the equations."""
    wrt = tuple(wrt)
    equations = list(adjoint_equations(system, of, wrt, lambda v: b.deriv(of, v)))
    for length in lengths:
        numbers = Numbers.of(system, {n: 2, T: length}, 2, seed=length)
        reached: dict[Var, None] = {}
        for e in equations:
            places = [{}] if not e.ranges else [{t: s} for s in range(1, length + 1)]
            for here in places:
                node = reindex(reindex(e.node, here), {T: length})
                assert isinstance(node, Var)
                reached[node] = None
                want = numbers.derivative(of, node)
                got = np.broadcast_to(numbers.value(e.total, here), want.shape)
                np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)
        for w in wrt:
            for s in range(1, length + 1):
                node = reindex(w, {t: s, T: length})
                assert isinstance(node, Var)
                if node not in reached:
                    assert not numbers.derivative(of, node).any()


@QUIET
@given(systems())
def test_random_recurrences(drawn: tuple[System, tuple[Var, ...]]) -> None:
    system, asked = drawn
    agree(system, L, asked)


TEXTBOOK = {
    "gated recurrent unit": """
symbols: {"x[t]": {shape: n}, "h[0]": {shape: n}, A: {shape: [n, n]}, B: {shape: [n, n]}, C: {shape: [n, n]}}
steps: {t: 1..T}
model: ["z[t] = sigmoid(A @ h[t-1] + x[t])", "r[t] = sigmoid(B @ h[t-1])", "g[t] = tanh(C @ (r[t] * h[t-1]))",
        "h[t] = (1 - z[t]) * h[t-1] + z[t] * g[t]", "L = sum(sum(h[t]**2), t=1..T)"]
""",
    "both directions": """
symbols: {"x[t]": {shape: n}, "a[0]": 0, "c[T+1]": {shape: n}, A: {shape: [n, n]}, C: {shape: [n, n]}}
steps: {t: 1..T}
model: ["a[t] = tanh(A @ a[t-1] + x[t])", "c[t] = tanh(C @ c[t+1] + x[t])", "y[t] = a[t] * c[t]",
        "L = sum(norm(y[t])**2, t=1..T)"]
""",
    "weights of a layer": """
symbols: {"W[t]": {shape: [n, n]}, "b[t]": {shape: n}, "h[0]": {shape: n}, y: {shape: n}}
steps: {t: 1..T}
model: ["h[t] = tanh(W[t] @ h[t-1] + b[t])", "L = norm(h[T] - y)**2"]
""",
    "all earlier steps": """
symbols: {"x[t]": {shape: n}, q: {shape: n}}
steps: {t: 1..T}
model: ["h[t] = x[t] + sum(tanh(x[j] * q), j=1..t)", "L = sum(q.T @ h[t], t=1..T)"]
""",
    "a mean over the steps": """
symbols: {"x[t]": {shape: n}, "h[0]": 0, A: {shape: [n, n]}}
steps: {t: 1..T}
model: ["h[t] = tanh(A @ h[t-1] + x[t])", "m = sum(h[t], t=1..T) / T", "L = m.T @ A @ m"]
""",
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_models_of_the_textbooks(name: str) -> None:
    asked = "questions: [{id: q, ask: derivative, of: L, wrt: [%s], form: backprop}]"
    leaves = {"gated recurrent unit": 'A, B, C, "h[0]", "x[t]"', "both directions": 'A, C, "x[t]", "c[T+1]"',
              "weights of a layer": '"W[t]", "b[t]", "h[0]"', "all earlier steps": 'q, "x[t]"',
              "a mean over the steps": 'A, "x[t]"'}  # fmt: skip
    problem = load_problem(f"title: x{TEXTBOOK[name]}{asked % leaves[name]}\n")
    wrt = [w.expr for w in problem.questions[0].wrt]
    agree(problem.system, L, [w for w in wrt if isinstance(w, Var)])


def lstm() -> System:
    text = """
title: x
symbols: {"x[t]": {shape: n}, "h[0]": 0, "c[0]": 0, A: {shape: [n, n]}}
steps: {t: 1..T}
model: ["i[t] = sigmoid(A @ h[t-1] + x[t])", "c[t] = i[t] * c[t-1] + x[t]", "h[t] = i[t] * tanh(c[t])",
        "L = sum(sum(h[t]), t=1..T)"]
questions: []
"""
    return load_problem(text).system


def test_readers_come_before_what_they_read() -> None:
    assert backward_order(lstm()) == ["L", "h", "c", "i", "A", "x"]


def test_who_looks_back_and_where_the_step_stands() -> None:
    table = lags(lstm())
    assert table.position == {name: {t: 0} for name in ("i", "c", "h", "x")}
    assert table.sign["h"] == {-1}
    assert table.sign["L"] == {-1}
    assert components(["L", "h", "c", "i"], table.reads)[-1] == ["L"]
    assert ["c", "h", "i"] in components(["L", "h", "c", "i"], table.reads)


def test_a_trace_holds_what_lies_between() -> None:
    system = lstm()

    def node(name: str, step: int) -> Var:
        return Var(name, (step,), (n,))

    found = trace(system, node("h", 3), [node("h", 1)])
    assert [(v.name, v.subs[0]) for v in found.order] == [
        ("h", 1), ("i", 2), ("c", 2), ("h", 2), ("i", 3), ("c", 3), ("h", 3),
    ]  # fmt: skip
    held = trace(system, node("h", 3), [node("h", 1)], [node("c", 3), node("i", 3)])
    assert held.targets == ()


def test_a_recurrence_without_an_end_is_refused_soon() -> None:
    with pytest.raises(QuestionError, match="no end at an open step"):
        trace(lstm(), Var("h", (t,), (n,)), [b.var("A", (), (n, n))])
