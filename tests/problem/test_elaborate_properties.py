"""Whatever a problem says, it is read or refused with a complaint of ours; nothing else escapes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.errors import ProblemError
from symgrad.problem.circles import circles
from symgrad.problem.elaborate import load_problem
from symgrad.problem.model import Problem
from symgrad.tensor.shapes import same_shape

NAMES = (
    "x",
    "W",
    "h",
    "h[t]",
    "h[t-1]",
    "I[t]",
    "y",
    "n",
    "t",
    "W[i, j]",
    "x[i]",
    "u",
    "2",
    "0",
    "1/3",
    "nope",
    "h[0]",
)
LEAVES = st.sampled_from(NAMES)
CALLS = ("tanh", "softmax", "sum", "max", "norm", "det", "diag", "concat", "stack", "loss", "f", "exp", "inv", "vec")


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(("+", "-", "*", "/", "@", "**", "==", "<")), inner).map(
            lambda p: f"({p[0]} {p[1]} {p[2]})"
        ),
        inner.map(lambda x: f"({x}).T"),
        inner.map(lambda x: f"-{x}"),
        st.tuples(st.sampled_from(CALLS), inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(st.sampled_from(CALLS), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        st.tuples(st.sampled_from(("softmax", "sum", "concat")), inner).map(lambda p: f"{p[0]}({p[1]}, axis=1)"),
        st.tuples(st.sampled_from(("sum", "prod", "stack", "max", "concat")), inner).map(
            lambda p: f"{p[0]}({p[1]}, i=1..n)"
        ),
        inner.map(lambda x: f"sum({x}, i=1..3, j=1..i, i != j)"),
        st.tuples(inner, inner).map(lambda p: f"grad({p[0]}, {p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]})[{p[1]}]"),
    )


EXPRESSIONS = st.recursive(LEAVES, _compound, max_leaves=6)
TARGETS = st.sampled_from(("h[t]", "z[t]", "u", "v", "f(u)", "c[i]", "C[i, j]", "h[t+1]", "y", "q[t, i]", "b[T]"))
LINES = st.lists(st.tuples(TARGETS, EXPRESSIONS), max_size=4, unique_by=lambda p: p[0])
STEPS = st.sampled_from(("t: 1..3", "t: 1..T", "t: 0..T-1", ""))
SOUND = (
    "x: {shape: n}",
    "W: {shape: [n, n]}",
    "'I[t]': {shape: n}",
    "'h[0]': {shape: n}",
    "y: {shape: n, is: one-hot}",
)
RISKY = (
    "'h[1-n..0]': 0", "m: {is: integer}", "i: {is: index}", "x: {shape: m}", "W: {values: [[1, 2], [3, 1/2]]}",
    "'h[0]': {shape: t}", "y: {shape: [0]}", "u: {shape: W}", "'I[t]': {values: [[1, 2], [3, 4], [5, 6]]}",
    "t: {}", "'h[t-1]': {shape: n}", "p(x): {is: density}", "y: {shape: n/2}",
)  # fmt: skip


@st.composite
def problems(draw: st.DrawFn) -> str:
    """A small problem, right or wrong."""
    declared = draw(st.lists(st.sampled_from(RISKY), max_size=1))
    declared += [line for line in SOUND if line.split(":")[0] not in {d.split(":")[0] for d in declared}]
    lines = [f"  - '{target} = {text}'" for target, text in draw(LINES)]
    asked = [
        f"  - {{id: q{at}, ask: derivative, of: '{text}', wrt: [x, 'h[t]']}}"
        for at, text in enumerate(draw(st.lists(EXPRESSIONS, max_size=1)))
    ]
    steps = f"steps: {{{draw(STEPS)}}}"
    parts = ["symbols:", *(f"  {d}" for d in declared), steps, *(["model:", *lines] if lines else [])]
    return "\n".join([*parts, "questions:", *asked, ""])


def check(problem: Problem) -> None:
    """Every definition agrees in shape with the node it makes."""
    for definition in problem.system.definitions:
        assert not definition.body.row
        assert same_shape(definition.target.shape, definition.body.shape)


@given(problems())
@settings(max_examples=300, deadline=None)
def test_a_problem_is_read_or_refused(yaml: str) -> None:
    problem, error = attempt(yaml)
    if error is not None:
        assert all(diagnostic.place is not None for diagnostic in error.diagnostics)
    if problem is not None:
        check(problem)


def attempt(yaml: str) -> tuple[Problem | None, ProblemError | None]:
    """The problem, or why it is refused."""
    try:
        return load_problem(yaml), None
    except ProblemError as error:
        return None, error


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3)))
def test_circles_are_real_and_disjoint_and_none_is_left(needs: dict[str, list[str]]) -> None:
    found = list(circles(needs))
    for circle in found:
        assert all(b in needs[a] for a, b in zip(circle, [*circle[1:], circle[0]], strict=True))
    met = [name for circle in found for name in circle]
    assert len(met) == len(set(met))
    left = {name: {n for n in others if n in needs and n not in met} for name, others in needs.items()}
    left = {name: others for name, others in left.items() if name not in met}
    for _ in needs:
        left = {name: {n for n in others if left[n]} for name, others in left.items()}
    assert not any(left.values())
