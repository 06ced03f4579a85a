"""Derivatives of order two, against the forms that textbooks give."""

from fractions import Fraction

import numpy as np
import pytest

import symgrad
from symgrad.calculus.rewrite import entry_by_entry, factor
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Expr, Var

SYMBOLS = """
  x: {shape: d}
  m: {shape: d}
  a: {shape: d}
  A: {shape: [n, d]}
  b: {shape: n}
  w: {shape: n}
  y: {shape: n, is: one-hot}
  U: {shape: [k, n]}
  v: {shape: k}
  C: {shape: [d, d], is: positive-definite}
  s: {}
  r: {}
"""
HESSIANS = [
    (
        "f = logsumexp(A @ x)",
        r"A^{\top} \bigl(\operatorname{diag}\bigl(\operatorname{softmax}(A x)\bigr) - \operatorname{softmax}(A x)\, \operatorname{softmax}(A x)^{\top}\bigr)\, A",
    ),
    ("p = softmax(A @ x); f = cross_entropy(y, p)", r"A^{\top} \bigl(\operatorname{diag}(p) - p\, p^{\top}\bigr)\, A"),
    ("p = sigmoid(A @ x); f = -y.T @ log(p) - (1 - y).T @ log(1 - p)", r"A^{\top} D A"),
    ("f = norm(A @ x - b)**2 + s*norm(x)**2", r"2 (A^{\top} A + s I)"),
    ("f = norm(x - m)", r"\frac{1}{f} \Bigl(I - \frac{1}{f^{2}} (x - m)\, (x - m)^{\top}\Bigr)"),
    ("f = sum(exp(A @ x)) - b.T @ A @ x", r"A^{\top} \operatorname{diag}(e^{Ax})\, A"),
    ("f = sum(x**4)", r"12 \operatorname{diag}(x \odot x)"),
    ("f = (x.T @ x)**2", r"4 (x^{\top} x)\, I + 8 x\, x^{\top}"),
    ("f = exp(-(x - m).T @ inv(C) @ (x - m) / 2)", r"f \bigl(-C^{-1} + C^{-1} (x - m)\, (x - m)^{\top} C^{-1}\bigr)"),
    ("h = sigmoid(A @ x); f = w.T @ h", r"A^{\top} \Lambda D A"),
    (
        "h = tanh(A @ x); g = tanh(U @ h); f = v.T @ g",
        r"-2 A^{\top} \bigl(S + \Lambda U^{\top} \operatorname{diag}(v \odot g)\, D U\bigr)\, \Lambda A",
    ),
]


@pytest.mark.parametrize(("model", "expected"), HESSIANS)
def test_the_hessian_of_a_scalar_by_a_vector(model: str, expected: str) -> None:
    definitions = "\n".join(f"  - {line.strip()}" for line in model.split(";"))
    question = "{id: q, ask: derivative, of: f, wrt: x, order: 2}"
    text = f"title: A Hessian\nsymbols:{SYMBOLS}model:\n{definitions}\nquestions:\n  - {question}\n"
    answer = symgrad.load(text).solve()["q"]
    assert (answer.status, answer.results[0].latex) == ("certified", expected)


def test_a_scalar_by_a_scalar_is_one_polynomial() -> None:
    """Rosenbrock's function: f_ss = 2 − 400 r + 1200 s²."""
    text = "title: Rosenbrock\nsymbols: {s: {}, r: {}}\nmodel: ['f = (1 - s)**2 + 100*(r - s**2)**2']\n"
    result = (
        symgrad.load(text + "questions: [{id: q, ask: derivative, of: f, wrt: s, order: 2}]\n").solve()["q"].results[0]
    )
    assert result.latex == "2 - 400 r + 1200 s^{2}"
    assert result.evaluate(s=np.array(0.5), r=np.array(2.0)) == pytest.approx(2 - 800 + 300)


X, Y, D = (Var(name, (), (3,)) for name in "xyd")
M, N = (Var(name, (), (3, 3)) for name in "MN")


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        (b.matmul(M, b.diag(D), X), b.matmul(M, b.mul(D, X))),
        (b.matmul(b.diag(D), M, b.diag(Y), X), b.mul(D, b.matmul(M, b.mul(Y, X)))),
        (b.matmul(b.diag(D), M), b.matmul(b.diag(D), M)),
        (b.matmul(b.transpose(X), b.diag(D)), b.matmul(b.transpose(X), b.diag(D))),
    ],
)
def test_a_diagonal_matrix_before_a_vector_works_entry_by_entry(product: Expr, expected: Expr) -> None:
    assert entry_by_entry(product) is expected


@pytest.mark.parametrize("number", [Fraction(-2), Fraction(3), Fraction(1, 2)])
def test_a_number_in_all_terms_is_taken_out_with_their_factor(number: Fraction) -> None:
    terms = (b.mul(b.num(number), b.matmul(M, N, M)), b.mul(b.num(-number), b.matmul(M, N)))
    assert factor(b.add(*terms)) is b.mul(b.num(number), b.matmul(M, b.sub(b.matmul(N, M), N)))


def test_a_vector_by_a_scalar_has_no_diagonal_matrix() -> None:
    text = f"title: A norm\nsymbols:{SYMBOLS}model: ['q = (x - m) / s * a']\n"
    answer = symgrad.load(text + "questions: [{id: q, ask: derivative, of: q, wrt: s}]\n").solve()["q"]
    assert answer.results[0].latex == r"-\frac{(x - m) \odot a}{s^{2}}"


def test_the_normal_equations_have_no_number_of_examples() -> None:
    text = f"title: Mean squares\nsymbols:{SYMBOLS}model: ['f = mean((A @ x - b)**2)']\n"
    answer = symgrad.load(text + "questions: [{id: q, ask: optimum, of: f, over: x}]\n").solve()["q"]
    assert answer.results[0].latex == r"(A^{\top} A)^{-1} A^{\top} b"
