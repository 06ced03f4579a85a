"""Whole expressions and the whole LaTeX a careful author would write for them."""

import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
import sympy

from symgrad.notation.latex import latex
from symgrad.notation.layout import oriented
from symgrad.notation.names import Names
from symgrad.notation.read import read
from symgrad.notation.style import Style
from symgrad.notation.tree import Aligned, Boxed, Infix, Line, Row, Text
from symgrad.tensor import build as b
from symgrad.tensor.functions import construct as c
from symgrad.tensor.integers import index_symbol, size_symbol
from symgrad.tensor.nodes import At, Const, Cut, Expr, Literal, Pick

n, m, d, K, H, P, S, T = (size_symbol(s) for s in ["n", "m", "d", "K", "H", "P", "S", "T"])
i, j, k, ell, r, s, t = (index_symbol(x) for x in "ijklrst")


def h(step: object) -> Expr:
    return b.var("h", [step], (n,))


def member(name: str, step: object, *shape: object) -> Expr:
    return b.var(name, [step], shape)


def square(x: Expr) -> Expr:
    return b.power(x, b.num(2))


U, V, W = b.var("U", (), (n, d)), b.var("V", (), (K, n)), b.var("W", (), (n, n))
A, X = b.var("A", (), (n, n)), b.var("X", (), (m, n))
x, y, z, w = (b.var(name, (), (n,)) for name in ["x", "y", "z", "w"])
yhat = b.var("yhat", (), (n,))
a, p, q, lam, gamma, L = (b.var(name) for name in ["a", "p", "q", "lambda", "gamma", "L"])
E2, Et = b.var("E", [2]), b.var("E", [t])
HALF = b.num(Fraction(1, 2))


def err(step: object) -> Expr:
    return b.sub(member("yhat", step, K), member("y", step, K))


def D(step: object) -> Expr:
    return b.diag(b.sub(b.ONE, square(h(step))))


NAMED = Style(
    aliases={
        err(2): member("e", 2, K),
        D(1): member("D", 1, n, n),
        D(2): member("D", 2, n, n),
        b.matmul(b.transpose(W), D(2)): b.var("J", (), (n, n)),
    }
)
JACOBIANS = b.fold("prod", b.deriv(h(j), h(j - 1)), [b.binder(j, k + 1, t)], descending=True)
TERMS = b.fold(
    "sum", b.chain([b.deriv(Et, h(t)), JACOBIANS, b.deriv(h(k), W, "immediate")], [1, 1]), [b.binder(k, 1, t)]
)
MARGIN = b.apply("max", b.ZERO, b.add(b.at(z, j), b.neg(b.at(z, i)), b.ONE))

CASES: list[tuple[str, Expr, str]] = [
    # The two examples of the house style.
    ("skip path", b.deriv(b.var("e"), b.var("x_0", (), (n,))), r"\frac{\partial e}{\partial x_0}"),
    ("bptt sum",
     b.fold("sum", b.chain([b.deriv(E2, h(2)), b.deriv(h(2), h(k)), b.deriv(h(k), W, "immediate")], [1, 1]),
       [b.binder(k, 1, 2)]),
     r"\sum_{k=1}^{2} \frac{\partial E_2}{\partial h_2}\, \frac{\partial h_2}{\partial h_k}\, \frac{\partial^{+} "
     r"h_k}{\partial W}"),
    ("output error", b.matmul(b.transpose(V), err(2)), r"V^{\top} (\hat{y}_2 - y_2)"),
    ("local Jacobian", b.matmul(D(2), W), r"\operatorname{diag}(1 - h_2 \odot h_2)\, W"),
    ("relu mask",
     b.matmul(b.transpose(b.var("H", (), (n, n))), b.diag(b.compare(">", b.var("x_3", (), (n,)), b.ZERO)),
       b.deriv(b.var("e"), y)),
     r"H^{\top} \operatorname{diag}\bigl(\mathbf{1}[x_3 > 0]\bigr)\, \frac{\partial e}{\partial y}"),
    # Matrices.
    ("recurrence",
     b.apply("tanh", b.add(b.matmul(U, member("I", t, d)), b.matmul(W, h(t - 1)))),
     r"\tanh(U I_t + W h_{t-1})"),
    ("inner product", b.inner(x, y), r"x^{\top} y"),
    ("outer product", b.outer(x, y), r"x\, y^{\top}"),
    ("quadratic form", b.mul(HALF, b.matmul(b.transpose(x), A, x)), r"\frac{1}{2} x^{\top} A x"),
    ("two inner products", b.mul(b.inner(x, y), b.inner(x, w)), r"(x^{\top} y) (x^{\top} w)"),
    ("bracketed sum of matrices", b.matmul(b.sub(A, W), x), r"(A - W)\, x"),
    ("transposed sum", b.matmul(b.transpose(b.add(A, a)), x), r"(A + a)^{\top} x"),
    ("Gaussian exponent", b.matmul(b.transpose(b.sub(x, z)), c.inv(A), b.sub(x, z)), r"(x - z)^{\top} A^{-1} (x - z)"),
    ("attention", b.div(b.matmul(A, b.transpose(X)), b.apply("sqrt", b.var("d_k"))), r"\frac{A X^{\top}}{\sqrt{d_k}}"),
    ("inverse", b.matmul(c.inv(A), x), r"A^{-1} x"),
    ("inverse transposed", b.transpose(c.inv(A)), r"A^{-\top}"),
    ("trace", c.trace(b.matmul(b.transpose(A), A)), r"\operatorname{tr}(A^{\top} A)"),
    ("determinant", b.apply("log", c.det(A)), r"\log\bigl(\det(A)\bigr)"),
    ("Kronecker", c.kron(A, W), r"A \otimes W"),
    ("vec", c.vec(X), r"\operatorname{vec}(X)"),
    ("norms",
     b.add(square(c.norm(w)), b.mul(lam, square(c.norm(A)))),
     r"\lVert w \rVert^{2} + \lambda \lVert A \rVert_F^{2}"),
    ("product then entrywise", b.mul(b.matmul(W, h(1)), h(2)), r"(W h_1) \odot h_2"),
    ("adjoint",
     b.add(b.matmul(b.transpose(V), err(t)), b.matmul(b.transpose(W), b.mul(b.sub(b.ONE, square(h(t + 1))),
       member("δh", t + 1, n)))),
     r"V^{\top} (\hat{y}_t - y_t) + W^{\top} \bigl((1 - h_{t+1} \odot h_{t+1}) \odot \delta h_{t+1}\bigr)"),
    ("identity", b.sub(b.eye(n), b.outer(x, x)), r"I - x\, x^{\top}"),
    # Sums, signs, numbers.
    ("difference", b.sub(x, y), "x - y"),
    ("leading minus", b.add(b.neg(x), y), "-x + y"),
    ("minus a sum", b.sub(x, b.mul(b.num(2), b.add(y, a))), r"x - 2 (y + a)"),
    ("scalar from a vector", b.sub(b.ONE, square(h(t))), r"1 - h_t \odot h_t"),
    ("half", HALF, r"\frac{1}{2}"),
    ("decimal", b.mul(b.num(Fraction(1, 10)), a), "0.1 a"),
    ("small number", b.num(Fraction(1, 10**8)), "10^{-8}"),
    ("negative fraction", b.mul(b.num(Fraction(-2, 3)), a), r"-\frac{2}{3} a"),
    ("numbers apart", b.mul(b.num(3), b.power(b.num(2), a)), r"3 \cdot 2^{a}"),
    ("ones and zeros", b.add(b.ones((n,)), b.zeros((n,)), x), r"\mathbf{1} + x"),
    ("matrix of ones", b.ones((n, m)), r"\mathbf{1}_{n\times m}"),
    # Quotients and powers.
    ("sigmoid", b.div(b.ONE, b.add(b.ONE, b.apply("exp", b.neg(q)))), r"\frac{1}{1 + e^{-q}}"),
    ("vector quotient", b.neg(b.div(y, yhat)), r"-y \oslash \hat{y}"),
    ("reciprocal of a vector", b.power(x, b.num(-1)), r"\mathbf{1} \oslash x"),
    ("quotient by a square", b.div(y, square(x)), r"y \oslash (x \odot x)"),
    ("unit vector", b.div(x, c.norm(x)), r"\frac{x}{\lVert x \rVert}"),
    ("batch norm",
     b.div(b.sub(x, b.var("mu")), b.apply("sqrt", b.add(square(b.var("sigma")), b.var("eps")))),
     r"\frac{x - \mu}{\sqrt{\sigma^{2} + \varepsilon}}"),
    ("mean", c.mean_of(x), r"\frac{1}{n} \sum_i x_i"),
    ("sums above and below", b.div(b.mul(b.add(a, q), b.add(q, b.ONE)), b.mul(b.sub(a, q), b.sub(b.ONE, q))),
     r"\frac{(a + q) (q + 1)}{(a - q) (1 - q)}"),
    ("squared root", b.power(b.apply("sqrt", q), b.num(2)), r"\bigl(\sqrt{q}\bigr)^{2}"),
    ("cube of a root", b.power(b.apply("sqrt", b.add(q, a)), b.num(3)), r"(q + a)^{3/2}"),
    ("size before root",
     b.div(q, b.mul(b.power(b.apply("sqrt", b.add(q, a)), b.num(3)), b.count(n))), r"\frac{q}{n (q + a)^{3/2}}"),
    ("scaled layer", b.div(b.mul(w, b.sub(x, b.var("mu"))), b.apply("sqrt", b.add(q, b.var("eps")))),
     r"\frac{w \odot (x - \mu)}{\sqrt{q + \varepsilon}}"),
    ("inner product taken from every entry", b.sub(x, b.matmul(b.transpose(w), y)),
     r"x - (w^{\top} y)\, \mathbf{1}"),
    ("minus ones", b.full(-1, (n,)), r"-\mathbf{1}"),
    ("half in an exponent", b.apply("exp", b.mul(HALF, x)), r"e^{x/2}"),
    ("half of a square in an exponent", b.apply("exp", b.mul(b.neg(HALF), x, x)), r"e^{-(x \odot x)/2}"),
    ("mean square",
     b.mul(b.power(b.mul(b.num(2), b.count(m)), b.num(-1)), b.matmul(b.transpose(X), X)),
     r"\frac{1}{2 m} X^{\top} X"),
    ("cube of a vector", b.power(x, b.num(3)), r"x^{\odot3}"),
    ("square of a long vector", square(b.add(b.matmul(A, x), y)), r"(A x + y)^{\odot2}"),
    ("tanh squared", b.sub(b.ONE, square(b.apply("tanh", q))), r"1 - \tanh^{2}(q)"),
    ("sigmoid derivative", b.mul(a, b.sub(b.ONE, a)), r"a\, (1 - a)"),
    ("square root", b.power(a, HALF), r"\sqrt{a}"),
    ("Gaussian", b.apply("exp", b.neg(b.mul(HALF, square(a)))), r"e^{-a^{2}/2}"),
    ("focal loss", b.neg(b.mul(b.power(b.sub(b.ONE, p), gamma), b.apply("log", p))), r"-(1 - p)^{\gamma} \log p"),
    ("power of a member", square(b.var("W__f")), r"(W^{f})^{2}"),
    # Functions.
    ("long exponent", b.apply("exp", b.add(b.inner(x, y), b.inner(x, w), a)), r"\exp(x^{\top} y + x^{\top} w + a)"),
    ("abs, floor", b.mul(b.apply("abs", b.sub(a, p)), b.apply("floor", q)), r"\lvert a - p \rvert \lfloor q \rfloor"),
    ("relu", b.apply("relu", b.matmul(A, x)), r"\operatorname{relu}(A x)"),
    ("max", b.apply("max", b.ZERO, b.sub(b.ONE, a)), r"\max(0, 1 - a)"),
    ("where", b.apply("where", b.compare(">", a, b.ZERO), a, b.mul(b.num(Fraction(1, 10)), a)),
     r"\begin{cases} a & \text{if } a > 0 \\ 0.1 a & \text{otherwise} \end{cases}"),
    ("softmax", b.div(b.apply("exp", z), b.reduce("sum", b.apply("exp", z))), r"\frac{e^{z}}{\sum_i e^{z_i}}"),
    ("softmax of rows", c.softmax(X, 1), r"\operatorname{softmax}_{\text{rows}}(X)"),
    ("logsumexp", b.apply("log", b.reduce("sum", b.apply("exp", z))), r"\log\Bigl(\sum_i e^{z_i}\Bigr)"),
    ("cross entropy", c.cross_entropy(y, yhat), r"\operatorname{CE}(y, \hat{y})"),
    ("one-hot", c.one_hot(b.var("k"), n), r"\mathbf{e}_k"),
    ("opaque loss", b.opaque("loss", [h(t)], [b.binder(t, 1, T)]), r"\mathrm{loss}(h_1, \dots, h_T)"),
    ("pi", b.apply("sqrt", b.mul(b.num(2), Const("pi"))), r"\sqrt{2 \pi}"),
    # Indices.
    ("cross entropy by entries", b.neg(b.reduce("sum", b.mul(y, b.apply("log", yhat)))), r"-\sum_i y_i \log \hat{y}_i"),
    ("least squares", b.reduce("sum", square(b.sub(b.matmul(A, w), y))), r"\sum_i \bigl([A w]_i - y_i\bigr)^{2}"),
    ("matrix entries", b.reduce("sum", square(X)), r"\sum_{i,j} X_{ij}^{2}"),
    ("sums of rows", b.reduce("sum", X, 1), r"X \mathbf{1}"),
    ("sums of columns", b.reduce("sum", X, 0), r"X^{\top} \mathbf{1}"),
    ("sums of columns of a step", b.reduce("sum", b.var("W__f", (), (n, n)), 0), r"(W^{f})^{\top} \mathbf{1}"),
    ("largest of each row", b.reduce("max", X, 1), r"\max_i X_{:,i}"),
    ("matrix product by entries",
     b.fold("sum", b.mul(b.at(X, i, k), b.at(A, k, j)), [b.binder(k, 1, n)]),
     r"\sum_{k=1}^{n} X_{ik} A_{kj}"),
    ("convolution",
     b.fold("sum", b.mul(b.entry(b.var("x", (), (n, m)), [At(k + 2 * (r - 1)), At(ell)]), b.at(b.var("W", (), (1, m,
       n)), 1, ell, k)), [b.binder(ell, 1, 5), b.binder(k, 1, 3)]),
     r"\sum_{l=1}^{5} \sum_{k=1}^{3} x_{k+2(r - 1),l} W_{1,l,k}"),
    ("condition under the sum", b.fold("sum", MARGIN, [b.binder(j, 1, K)], [b.rel("!=", j, i)]),
     r"\sum_{\substack{j = 1 \\ j \ne i}}^{K} \max(0, z_j - z_i + 1)"),
    ("largest of a range", b.fold("max", b.at(x, i), [b.binder(i, 1, n)]), r"\max_{1\le i\le n} x_i"),
    ("ordered product", JACOBIANS, r"\prod_{j=t}^{k+1} \frac{\partial h_j}{\partial h_{j-1}}"),
    ("sum of products", TERMS,
     r"\sum_{k=1}^{t} \frac{\partial E_t}{\partial h_t}\, \biggl(\prod_{j=t}^{k+1} \frac{\partial h_j}{\partial "
     r"h_{j-1}}\biggr)\, \frac{\partial^{+} h_k}{\partial W}"),
    ("entry of a step", b.at(h(t), i), "[h_t]_i"),
    ("entry of a product", b.at(b.matmul(A, x), i), "[A x]_i"),
    ("slice", b.entry(x, [Cut(2, 5)]), "x_{2:5}"),
    ("row of an embedding", b.entry(b.var("E", (), (n, m)), [Pick(b.var("i", [t]))]), "E_{i_t,:}"),
    ("Kronecker delta", b.delta(i, j), r"\delta_{ij}"),
    ("delta of sums", b.delta(i, k + 1), r"\delta_{i,k+1}"),
    ("range", b.iverson(b.rel("<=", 1, k), b.rel("<=", k, 3)), r"\mathbf{1}[1 \le k \le 3]"),
    ("tensor by entries",
     b.build(b.mul(b.delta(i, k), b.at(x, j)), [b.binder(i, 1, n), b.binder(k, 1, n), b.binder(j, 1, n)]),
     r"[\delta_{ik} x_j]_{i,k,j}"),
    ("∂x/∂x of a matrix", b.deriv(X, X), r"[\delta_{ik} \delta_{jl}]_{i,j,k,l}"),
    ("output size", b.count(sympy.floor((H + 2 * P - K) / S) + 1), r"\bigl\lfloor(H + 2 P - K)/S \bigr\rfloor + 1"),
    ("truncation",
     b.fold("sum", h(k), [b.binder(k, sympy.Max(1, t - n), sympy.Min(T, t + n))]),
     r"\sum_{k=\max(t - n, 1)}^{\min(T, n + t)} h_k"),
    ("delayed state", b.matmul(b.var("Q", [i], (n, n)), h(t - i)), r"Q_i h_{t-i}"),
    ("two indices", b.var("q", [i, t], (n,)), "q_{i,t}"),
    # Pieces put together.
    ("stacked vectors", b.concat([h(t - 1), x]), r"\begin{bmatrix} h_{t-1} \\ x \end{bmatrix}"),
    ("stacked scalars", b.stack(a, p), r"\begin{bmatrix} a \\ p \end{bmatrix}"),
    ("numbers",
     Literal((Fraction(1), Fraction(-2), Fraction(1, 2), Fraction(0)), (2, 2)),
     r"\begin{bmatrix} 1 & -2 \\ 1/2 & 0 \end{bmatrix}"),
    # Derivatives.
    ("derivative by an entry", b.deriv(L, b.at(W, i, j)), r"\frac{\partial L}{\partial W_{ij}}"),
    ("of an expression", b.deriv(b.matmul(A, x), x), r"\frac{\partial}{\partial x} (A x)"),
    ("of a function", b.deriv(b.apply("tanh", q), q), r"\frac{\partial}{\partial q} \tanh(q)"),
    ("second", b.deriv(b.deriv(L, a), a), r"\frac{\partial^{2} L}{\partial a^{2}}"),
    ("Hessian", b.deriv(b.deriv(L, x), x), r"\frac{\partial^{2} L}{\partial x\, \partial x^{\top}}"),
    ("held", b.deriv(h(t), W, held=[h(t - 1)]), r"\frac{\partial h_t}{\partial W}\Big|_{h_{t-1}}"),
    ("transposed",
     b.matmul(b.transpose(b.deriv(h(2), h(1))), b.deriv(L, h(2))),
     r"\Bigl(\frac{\partial h_2}{\partial h_1}\Bigr)^{\top}\, \frac{\partial L}{\partial h_2}"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_whole_latex(expr: Expr, expected: str) -> None:
    assert latex(read(expr)) == expected


def test_aliases_stand_for_expressions_transposes_and_runs_of_factors() -> None:
    first = b.matmul(D(2), b.transpose(V), err(2), b.transpose(h(1)))
    second = b.matmul(D(1), b.transpose(W), D(2), b.transpose(V), err(2), b.transpose(h(0)))
    assert latex(read(first, NAMED)) == r"D_2 V^{\top} e_2\, h_1^{\top}"
    assert latex(read(second, NAMED)) == r"D_1 J V^{\top} e_2\, h_0^{\top}"
    assert latex(read(b.matmul(b.transpose(err(2)), V), NAMED)) == r"e_2^{\top} V"
    assert latex(read(b.sub(member("y", 2, K), member("yhat", 2, K)), NAMED)) == "-e_2"
    adjoint = Style(aliases={b.deriv(L, h(t)): member("δ", t, n)})
    assert latex(read(b.outer(b.deriv(L, h(t)), x), adjoint)) == r"\delta_t\, x^{\top}"


def test_what_is_added_keeps_clear_of_declared_names() -> None:
    style = Style(Names(declared=frozenset({"I", "i", "j", "e", "sigma"})))
    assert latex(read(b.eye(n), style)) == r"\mathbf{I}"
    assert latex(read(b.reduce("sum", x), style)) == r"\sum_k x_k"
    assert latex(read(b.apply("sigmoid", a), style)) == r"\operatorname{sigmoid}(a)"
    assert latex(read(b.apply("exp", a), style)) == r"\exp(a)"


def test_an_index_bound_twice_gets_another_letter() -> None:
    inner = b.fold("sum", b.at(y, j), [b.binder(j, 1, n)])
    outer = b.fold("sum", b.mul(b.at(x, j), inner), [b.binder(j, 1, n)])
    assert latex(read(outer)) == r"\sum_{j=1}^{n} x_j \sum_{i=1}^{n} y_i"
    made_up = b.fold("sum", b.at(x, index_symbol("j17")), [b.binder(index_symbol("j17"), 1, n)])
    assert latex(read(made_up)) == r"\sum_{i=1}^{n} x_i"


@pytest.mark.parametrize(
    ("layout", "gradient", "jacobian", "chain"),
    [
        ("gradient", r"A^{\top} x", "A", r"\frac{\partial L}{\partial y}\, \frac{\partial y}{\partial x}"),
        ("numerator", r"x^{\top} A", "A", r"\frac{\partial L}{\partial y}\, \frac{\partial y}{\partial x}"),
        ("denominator", r"A^{\top} x", r"A^{\top}", r"\frac{\partial y}{\partial x}\, \frac{\partial L}{\partial y}"),
    ],
)
def test_layouts(layout: str, gradient: str, jacobian: str, chain: str) -> None:
    style = Style(layout=layout)
    of_scalar, of_vector = b.deriv(L, x), b.deriv(y, x)
    for of, value, expected in [
        (of_scalar, b.matmul(b.transpose(A), x), gradient),
        (of_vector, A, jacobian),
    ]:
        left = latex(read(oriented(of, of, layout), style))
        assert left == latex(read(of))
        assert latex(read(oriented(value, of, layout), style)) == expected
    product = b.chain([b.deriv(L, y), of_vector], [1])
    assert latex(read(oriented(product, product, layout), style)) == chain


def test_a_derivative_that_the_layout_transposes_says_so() -> None:
    style = Style(layout="numerator")
    assert latex(read(b.deriv(L, x), style)) == r"\Bigl(\frac{\partial L}{\partial x}\Bigr)^{\top}"


def test_aligned_equations_and_boxes() -> None:
    left, right = read(b.deriv(L, x)), read(b.matmul(A, x))
    lines = (
        Line(left, "=", right, Text("chain rule, 100% & more")),
        Line(None, "=", Boxed(right), Row((Text("as "), Infix((right, right), ("=",))))),
    )
    assert latex(Aligned(lines)) == (
        "\\begin{aligned}\n"
        "\\frac{\\partial L}{\\partial x} &= A x && \\text{chain rule, 100\\% \\& more} \\\\\n"
        "&= \\boxed{A x} && \\text{as } A x = A x\n"
        "\\end{aligned}"
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="TeX is not installed")
def test_pdflatex_sets_every_case_without_a_complaint(tmp_path: Path) -> None:
    body = "\n".join(rf"\noindent$\displaystyle {latex(read(expr))}$\par" for _, expr, _ in CASES)
    page = (
        r"\documentclass{article}\usepackage{amsmath,amssymb}\begin{document}" + "\n" + body + "\n" + r"\end{document}"
    )
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", "page.tex"]
    environment = {**os.environ, "openin_any": "p", "openout_any": "p"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False)
    log = run.stdout.decode("utf-8", "replace")
    assert run.returncode == 0, log[-2000:]
    assert not [line for line in log.splitlines() if line.startswith(("Overfull", "!", "LaTeX Warning"))]
