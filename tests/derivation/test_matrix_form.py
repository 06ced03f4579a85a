"""Questions of kind matrix_form: explicit matrices of linear maps, and refusals of maps that are not linear."""

from fractions import Fraction

import numpy as np
import pytest

from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Derivation
from symgrad.problem.elaborate import load_problem
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Expr, Stack

CONV = """
symbols:
  X: {shape: [3, 3]}
  F: {shape: [2, 2]}
  N: {values: [[1, 2], [3, 1/2]], shape: [2, 2]}
  Z: {shape: [2, 2]}
  c: {shape: [2, 2]}
  v: {shape: n}
model:
  - Y = conv2d(X, F)
  - U = conv_transpose2d(Z, F)
  - G = conv2d(X, N)
  - K = 2 * G
  - A = Y + c
  - Q = X * X
  - S = 3 * v
questions:
"""


def ask(of: str, x: str) -> Derivation:
    problem = load_problem(CONV + f"  - {{id: a, ask: matrix_form, of: {of}, input: {x}}}\n")
    (found,) = solve_problem(problem)
    return found


def rows(value: Expr | None) -> list[list[Expr]]:
    assert isinstance(value, Stack)
    return [list(row.children) for row in value.args]


F = b.var("F", shape=(2, 2))
F11, F12, F21, F22 = (b.at(F, i, j) for i in (1, 2) for j in (1, 2))
o = b.ZERO
MATRIX = [
    [F11, F12, o, F21, F22, o, o, o, o],
    [o, F11, F12, o, F21, F22, o, o, o],
    [o, o, o, F11, F12, o, F21, F22, o],
    [o, o, o, o, F11, F12, o, F21, F22],
]


def test_a_convolution_is_a_matrix_and_the_transposed_one_its_transpose() -> None:
    forward, back = ask("Y", "X"), ask("U", "Z")
    assert forward.status == back.status == "certified"
    assert rows(forward.results[0].value) == MATRIX
    assert rows(back.results[0].value) == [list(column) for column in zip(*MATRIX, strict=True)]


def test_by_the_filter_it_is_the_matrix_of_patches() -> None:
    found = ask("Y", "F")
    X = b.var("X", shape=(3, 3))
    patches = [[b.at(X, r + i, c + j) for i in (0, 1) for j in (0, 1)] for r in (1, 2) for c in (1, 2)]
    assert rows(found.results[0].value) == patches


def test_given_numbers_stay_exact() -> None:
    (result,) = ask("K", "X").results
    half = Fraction(1, 2)
    assert result.exact[0] == [2, 4, 0, 6, 1, 0, 0, 0, 0]
    found = ask("G", "X").results[0].exact
    assert found[3] == [0, 0, 0, 0, 1, 2, 0, 3, half]
    assert np.shape(found) == (4, 9)


@pytest.mark.parametrize(
    ("of", "x", "message"),
    [
        ("A", "X", "A is not linear in X: it is not 0 where X is 0"),
        ("Q", "X", "Q is not linear in X"),
        ("S", "v", "an explicit matrix needs numbers for the sizes n"),
        ("Y", "Z", "Y does not depend on Z"),
    ],
)
def test_refusals(of: str, x: str, message: str) -> None:
    found = ask(of, x)
    assert (found.status, found.message) == ("failed", message)
