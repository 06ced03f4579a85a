"""Formulas of authors as trees."""

import pytest

from symgrad.notation.formula import read_formula
from symgrad.notation.latex import latex


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        (r"\partial h_t / \partial h_{t-1}", r"\partial h_t/\partial h_{t-1}"),
        (r"e^{-\|x\|^2} \leq \frac12", r"e^{-\lVert x\rVert^{2}} \le \frac{1}{2}"),
        (r"\sum_{i=1}^n x_i\,\text{for all } x", r"\sum_{i=1}^{n} x_i\, \text{for all } x"),
        (r"\left(\frac{1}{2}\right)^2", r"\Bigl(\frac{1}{2}\Bigr)^{2}"),
        (r"f'(x) = -|x|", r"f' (x) = - \lvert x\rvert"),
        (r"\mathbb{R}^{n\times m}", r"\mathbb{R}^{n\times m}"),
        (r"\hat y_t \odot \mathbf{W}", r"\hat{y}_t \odot \mathbf{W}"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"),
        (
            r"\begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{otherwise}\end{cases}",
            r"\begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
        ),
    ],
)
def test_formulas(given: str, printed: str) -> None:
    tree = read_formula(given)
    assert tree is not None
    assert latex(tree) == printed


@pytest.mark.parametrize(
    "given", [r"\input{x}", "x }", "{x", "x_1_2", r"\frac{1}", "$", "{" * 60 + "}" * 60, "x" * 3000]
)
def test_what_is_not_known_is_not_guessed(given: str) -> None:
    assert read_formula(given) is None
