"""Shapes of quantities and derivatives, with the reason for each operand."""

import pytest
import sympy

from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Cell, Result, Table
from symgrad.notation.source import source
from symgrad.problem.elaborate import load_problem
from symgrad.tensor.integers import size_symbol
from symgrad.tensor.nodes import Expr

PROBLEM = """
title: Shapes
symbols:
  I[t]: {shape: d}
  h[0]: {shape: n}
  U: {shape: [n, d]}
  W: {shape: [n, n]}
  x: {shape: [3, 4]}
  w: {shape: 4}
  b: {shape: 2*d + 1}
  s: {}
steps: {t: 1..T}
model:
  - h[t] = tanh(U @ I[t] + W @ h[t-1])
  - L = sum(h[T]*h[T])
  - z = x @ w
questions:
  - {id: q1, ask: shape, of: "%s"%s}
"""
n, d = size_symbol("n"), size_symbol("d")
CASES: list[tuple[str, str, tuple[int | sympy.Expr, ...]]] = [
    ("h[t]", "", (n,)),
    ("U.T", "", (d, n)),
    ("h[2] @ I[1].T", "", (n, d)),
    ("I[1].T @ I[2]", "", ()),
    ("b", "", (2 * d + 1,)),
    ("z", "", (3,)),
    ("sum(x, axis=0)", "", (4,)),
    ("concat(z, w)", "", (7,)),
    ("stack(w, w)", "", (2, 4)),
    ("L", "", ()),
    ("L", ", wrt: W", (n, n)),
    ("h[t]", ', wrt: "h[t-1]"', (n, n)),
    ("h[t]", ", wrt: U", (n, n, d)),
    ("z", ", wrt: x", (3, 3, 4)),
    ("x", ", wrt: x", (3, 4, 3, 4)),
    ("L", ", wrt: s", ()),
    ("L", ', wrt: "W[1,2]"', ()),
    ("2*z + 1", ", wrt: w", (3, 4)),
]


def answer(of: str, wrt: str) -> Result:
    """The only result of one question."""
    (derivation,) = solve_problem(load_problem(PROBLEM % (of, wrt)))
    assert derivation.status == "certified", derivation.message
    return derivation.results[0]


@pytest.mark.parametrize(("of", "wrt", "expected"), CASES)
def test_shapes(of: str, wrt: str, expected: tuple[int | sympy.Expr, ...]) -> None:
    result = answer(of, wrt)
    assert result.shape == result.extra["sizes"] == expected
    numeric = all(isinstance(s, int) for s in expected)
    assert result.exact == (list(expected) if numeric else None)
    assert result.code is not None
    assert set(result.code.integers) == {s for x in expected if isinstance(x, sympy.Expr) for s in x.free_symbols}


def rows(result: Result) -> list[list[str]]:
    """The table of an answer as text."""
    (table,) = (x for x in result.blocks if isinstance(x, Table))
    return [[in_words(cell) for cell in row] for row in table.rows]


def in_words(cell: Cell) -> str:
    if isinstance(cell, Expr):
        return source(cell)
    return cell if isinstance(cell, str) else "".join(map(in_words, cell))


def test_every_operand_has_a_row() -> None:
    assert rows(answer("h[t]", "")) == [
        ["U", "n × d", "given"],
        ["I[t]", "a vector of size d", "given"],
        ["W", "n × n", "given"],
        ["h[t-1]", "a vector of size n", "a state of the recurrence"],
        ["U @ I[t]", "a vector of size n", "n × d times a vector of d: the inner size d disappears"],
        ["W @ h[t-1]", "a vector of size n", "n × n times a vector of n: the inner size n disappears"],
        ["h[t]", "a vector of size n", "entry by entry"],
    ]


def test_what_is_only_read_at_other_steps_has_no_row() -> None:
    problem = """
title: Gated
symbols:
  x[t]: {shape: m}
  h[0]: {shape: n}
  W_c: {shape: [n, m]}
  W_x: {shape: [n, m]}
steps: {t: 1..T}
model:
  - c[t] = sigmoid(W_c @ x[t] + h[t-1])
  - h[t] = c[t] * h[t-1] + (1 - c[t]) * (W_x @ x[t])
questions:
  - {id: q1, ask: shape, of: "c[t]"}
"""
    (derivation,) = solve_problem(load_problem(problem))
    assert [row[0] for row in rows(derivation.results[0])] == ["W_c", "x[t]", "h[t-1]", "W_c @ x[t]", "c[t]"]


WHY = [
    ("w @ w.T", "an outer product: a row for each entry of the left"),
    ("w.T @ w", "an inner product is a number"),
    ("sum(x, axis=1)", "sum over axis 1 removes it"),
    ("sum(x)", "sum over all entries"),
    ("x + w", "a sum, the smaller repeated along the larger"),
    ("x*w", "entry by entry, the smaller repeated along the larger"),
    ("softmax(w)", "softmax keeps the shape"),
    ("concat(w, z)", "joined along axis 0: the sizes there add"),
    ("x.T", "transposed"),
    ("x[1, :]", "the entries that are picked"),
]


@pytest.mark.parametrize(("of", "why"), WHY)
def test_the_reason(of: str, why: str) -> None:
    assert rows(answer(of, ""))[-1][2] == why


def test_a_derivative_by_something_without_a_name_fails() -> None:
    (derivation,) = solve_problem(load_problem(PROBLEM % ("z", ', wrt: "x @ w"')))
    message = "a derivative is taken by a named node or an entry of one"
    assert (derivation.status, derivation.message) == ("failed", message)
