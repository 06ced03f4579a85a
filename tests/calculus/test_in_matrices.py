"""Sums over indices in matrix notation: what each is read as, and that its value stays the same."""

import numpy as np
import pytest

from symgrad import pipeline
from symgrad.calculus.in_matrices import in_matrices
from symgrad.calculus.numeric import Numbers
from symgrad.derivation.workspace import integer_symbols
from symgrad.notation.latex import latex
from symgrad.notation.read import read
from symgrad.notation.style import Style
from symgrad.tensor.nodes import Expr
from symgrad.tensor.system import System

MODEL = """
title: indices
symbols:
  x: {{shape: n}}
  y: {{shape: n}}
  u: {{shape: m}}
  W: {{shape: [m, n]}}
  A: {{shape: [n, n]}}
  B: {{shape: [n, n]}}
  P: {{shape: [m, n, d]}}
  v: {{shape: d}}
  c: {{is: index}}
model: ["{}"]
questions: [{{id: a, ask: shape, of: f}}]
"""

READ: dict[str, str] = {
    "f[i] = sum(W[i, j] * x[j], j=1..n)": "W x",
    "f[j] = sum(W[i, j] * u[i], i=1..m)": r"W^{\top} u",
    "f[i] = sum(W[i, j] * x[j], j=1..n) + u[i]": "W x + u",
    "f[i] = tanh(sum(W[i, j] * x[j], j=1..n))": r"\tanh(W x)",
    "f[i, j] = sum(W[i, k] * A[k, j], k=1..n)": "W A",
    "f[i, j] = sum(A[i, k] * B[j, k], k=1..n)": r"A B^{\top}",
    "f[i, j] = sum(A[i, k] * x[k] * B[k, j], k=1..n)": r"A \operatorname{diag}(x)\, B",
    "f[i, j] = u[i] * x[j]": r"u\, x^{\top}",
    "f[j, i] = W[i, j]": r"W^{\top}",
    "f[i, j] = x[i] * A[i, j] * y[j]": r"\operatorname{diag}(x)\, A \operatorname{diag}(y)",
    "f = sum(x[i] * A[i, j] * y[j], i=1..n, j=1..n)": r"x^{\top} A y",
    "f = sum(A[i, j] * x[i] * x[j], i=1..n, j=1..n)": r"x^{\top} A x",
    "f = sum(A[i, j] * B[j, i], i=1..n, j=1..n)": r"\sum_{i,j} A_{ij} B_{ji}",
    "f = sum(A[i, i], i=1..n)": r"\operatorname{tr}(A)",
    "f = sum((u[i] - sum(W[i, j] * x[j], j=1..n))**2, i=1..m)": r"\sum_i \bigl(u_i - [W x]_i\bigr)^{2}",
    "f = sum((u[i] - W[i, :].T @ x)**2, i=1..m)": r"\sum_i \bigl(u_i - [W x]_i\bigr)^{2}",
    "f[i] = sum(P[i, j, k] * x[j] * v[k], j=1..n, k=1..d)": r"[x^{\top} P_{i,:,:} v]_i",
    "f[i] = exp(x[i]) / sum(exp(x[j]), j=1..n)": r"\operatorname{softmax}(x)",
    "f = log(sum(exp(x[j]), j=1..n))": r"\operatorname{logsumexp}(x)",
    "f = log(sum(exp(x)))": r"\operatorname{logsumexp}(x)",
}

KEPT = [
    "f = sum(x[i] * x[i+1], i=1..n-1)",
    "f = sum(x[i], i=2..n)",
    "f = sum(x[i] * y[i], i=1..n, i != c)",
    "f = sum(i * x[i], i=1..n)",
    "f = prod(x[i], i=1..n)",
    "f[i, j, k] = x[i] * x[j] * v[k]",
]


def body(definition: str) -> tuple[System, Expr]:
    system = pipeline.load(MODEL.format(definition)).system
    (defined,) = system.definitions
    return system, defined.body


def written(x: Expr) -> str:
    return latex(read(x, Style()))


@pytest.mark.parametrize("definition", READ)
def test_indices_are_read_as_matrices(definition: str) -> None:
    assert written(in_matrices(body(definition)[1])) == READ[definition]


@pytest.mark.parametrize("definition", KEPT)
def test_indices_that_run_along_no_whole_axis_stay(definition: str) -> None:
    plain = body(definition)[1]
    assert in_matrices(plain) is plain


@pytest.mark.parametrize("definition", [*READ, *KEPT])
def test_the_value_stays(definition: str) -> None:
    system, plain = body(definition)
    sizes = {symbol: k for k, symbol in enumerate(sorted(integer_symbols(system, [plain]), key=str), start=2)}
    numbers = Numbers.of(system, sizes, 3, 7)
    np.testing.assert_allclose(numbers.value(in_matrices(plain)), numbers.value(plain), rtol=1e-12)
