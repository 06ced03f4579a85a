"""Dependence: the answer, and the path or what stands in its place."""

import pytest

from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Line, Prose, lines
from symgrad.notation.source import source
from symgrad.problem.elaborate import load_problem

RNN = """
title: A recurrent network
symbols:
  I[t]: {shape: d}
  y[t]: {shape: m, is: one-hot}
  h[0]: {shape: n}
  U: {shape: [n, d]}
  W: {shape: [n, n]}
  V: {shape: [m, n]}
steps: {t: 1..T}
model:
  - h[t] = tanh(U @ I[t] + W @ h[t-1])
  - z[t] = V @ h[t]
  - E[t] = cross_entropy(y[t], softmax(z[t]))
  - L = sum(E[t], t=1..T)
questions:
  - {id: q1, ask: depends, of: "%s", on: "%s"}
"""
VECTORS = """
title: Vectors
symbols:
  x: {shape: n}
  W: {shape: [n, n]}
model:
  - y = W @ x
  - z = floor(x)
  - s = sum(x[1..2])
  - c = softmax(x)
  - one = sum(c)
questions:
  - {id: q1, ask: depends, of: "%s", on: "%s"}
"""
CASES = [
    (RNN, "E[2]", "W", True, "h[2] z[2] E[2]"),
    (RNN, "E[2]", "I[1]", True, "h[1] h[2] z[2] E[2]"),
    (RNN, "E[2]", "h[0]", True, "h[1] h[2] z[2] E[2]"),
    (RNN, "E[2]", "V", True, "z[2] E[2]"),
    (RNN, "E[2]", "I[3]", False, "h[1] h[2] z[2] E[2]"),
    (RNN, "E[2]", "E[1]", False, "h[1] h[2] z[2] E[2]"),
    (RNN, "h[2]", "V", False, "h[1] h[2]"),
    (RNN, "E[t]", "h[t-1]", True, "h[t] z[t] E[t]"),
    (RNN, "E[t]", "h[t+1]", False, "h[t] z[t] E[t]"),
    (RNN, "L", "h[1]", True, "z[1] E[1] L"),
    (RNN, "L", "L", True, ""),
    (RNN, "U", "W", False, ""),
    (VECTORS, "y", "x", True, "y"),
    (VECTORS, "y + 1", "x", True, "y f"),
    (VECTORS, "y[1]", "x[2]", True, "y"),
    (VECTORS, "z[1]", "x[1]", True, "z"),
    (VECTORS, "z[1]", "x[2]", False, "z"),
    (VECTORS, "s", "x[2]", True, "s"),
    (VECTORS, "s", "x[3]", False, "s"),
    (VECTORS, "c[1]", "x[2]", True, "c"),
    (VECTORS, "one", "x", False, "c one"),
]


@pytest.mark.parametrize(("problem", "of", "on", "expected", "path"), CASES)
def test_whether_and_through_what(problem: str, of: str, on: str, expected: bool, path: str) -> None:
    (derivation,) = solve_problem(load_problem(problem % (of, on)))
    assert derivation.status == "certified", derivation.message
    (result,) = derivation.results
    assert result.exact is expected
    assert [source(x.left) for x in lines(result.blocks)] == path.split()


def test_a_missing_path_names_what_is_read() -> None:
    (derivation,) = solve_problem(load_problem(RNN % ("h[1]", "V")))
    last = derivation.results[0].blocks[-1]
    assert isinstance(last, Prose)
    words = "".join(w if isinstance(w, str) else source(w) for w in last.words)
    assert words == "All of it is computed from U, I[1], W and h[0]; V is not among them."


BOTH_WAYS = """
title: A state that runs ahead and one that runs back
symbols:
  x[t]: {shape: d}
  h[0]: {shape: n}
  g[T+1]: {shape: n}
  W: {shape: [n, d]}
  U: {shape: [n, n]}
steps: {t: 1..T}
model:
  - c[t] = h[t-1] + W @ x[t]
  - h[t] = tanh(c[t])
  - g[t] = tanh(W @ x[t] + U @ g[t+1])
questions:
  - {id: q1, ask: depends, of: "%s", on: "%s"}
"""


@pytest.mark.parametrize(
    ("of", "on", "expected"),
    [
        (
            "c[t-1]",
            "h[t-1]",
            [
                "c[t-1] does not depend on h[t-1].",
                "c[t-1] = h[t-2] + W @ x[t-1]",
                "All of it is computed from W and x[t-1] and, of the steps before, from h[t-2];"
                " h[t-1] is not among them.",
                "The other way round, h[t-1] depends on c[t-1]:",
                "h[t-1] = tanh(c[t-1])",
            ],
        ),
        (
            "g[t]",
            "g[t-1]",
            [
                "g[t] does not depend on g[t-1].",
                "g[t] = tanh(W @ x[t] + U @ g[t+1])",
                "All of it is computed from W, x[t] and U and, of the steps after, from g[t+1];"
                " g[t-1] is not among them.",
                "The other way round, g[t-1] depends on g[t]:",
                "g[t-1] = tanh(W @ x[t-1] + U @ g[t])",
            ],
        ),
    ],
)
def test_at_an_open_step_only_its_own_definitions_are_shown(of: str, on: str, expected: list[str]) -> None:
    (derivation,) = solve_problem(load_problem(BOTH_WAYS % (of, on)))
    shown = []
    for block in derivation.results[0].blocks:
        if isinstance(block, Prose):
            shown.append("".join(w if isinstance(w, str) else source(w) for w in block.words))
        else:
            assert isinstance(block, Line)
            shown.append(f"{source(block.left)} = {source(block.right[0])}")
    assert shown == expected


OPEN = [
    ("h[t]", "I[1]", "", True, "h[1] h[t]"),
    ("h[t]", "h[0]", "", True, "h[1] h[t]"),
    ("E[t]", "I[s]", "1 <= s < t", True, "h[s] z[t] E[t]"),
    ("h[t]", "I[s]", "t < s", False, "h[t]"),
    ("h[t]", "I[2]", "t >= 2", True, "h[2] h[t]"),
]


@pytest.mark.parametrize(("of", "on", "where", "answer", "shown"), OPEN)
def test_between_open_steps(of: str, on: str, where: str, answer: bool, shown: str) -> None:
    text = (RNN % (of, on)).rstrip().removesuffix("}") + (f', where: "{where}"}}\n' if where else "}\n")
    (derivation,) = solve_problem(load_problem(text))
    assert (derivation.message, derivation.results[0].exact) == ("", answer)
    assert " ".join(source(x.left) for x in lines(derivation.results[0].blocks)) == shown


@pytest.mark.parametrize(("of", "on"), [("h[t]", "I[2]"), ("h[t]", "I[s]")])
def test_steps_that_nothing_is_said_of_are_asked_for(of: str, on: str) -> None:
    (derivation,) = solve_problem(load_problem(RNN % (of, on)))
    assert derivation.message.startswith("whether it depends is decided by the steps; say where they lie")
