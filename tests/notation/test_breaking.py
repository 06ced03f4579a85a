"""Long formulas over several lines: nothing is lost, every line fits, brackets stay in pairs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.notation.breaking import block, fit
from symgrad.notation.latex import latex
from symgrad.notation.measure import operator_width, width
from symgrad.notation.read import read
from symgrad.notation.tokens import latex_tokens
from symgrad.notation.tree import Aligned, Boxed, Line, Text, Tree
from symgrad.tensor import build as b
from symgrad.tensor.integers import size_symbol
from symgrad.tensor.nodes import At, Expr

n = size_symbol("n")
W = b.var("W", (), (n, n))
TEXT_WIDTH = 45.0
"""Of A4 in em, at 10 points and with margins of 2.5 cm."""


def h(step: int) -> Expr:
    return b.var("h", [step], (n,))


def D(step: int) -> Expr:
    return b.diag(b.sub(b.ONE, b.power(h(step), b.num(2))))


SUM = read(b.add(*(b.matmul(D(s), W, h(s)) for s in range(1, 5))))
NESTED = read(b.matmul(W, b.add(b.matmul(W, b.add(*(b.mul(h(s), h(s + 1)) for s in range(1, 6)))), h(8), h(9))))
PRODUCT = read(b.matmul(*(x for s in range(1, 5) for x in (D(s), W))))
CALL = read(b.apply("tanh", b.add(*(b.matmul(W, h(s)) for s in range(1, 12)))))


@pytest.mark.parametrize(
    ("tree", "room", "expected"),
    [
        (read(h(1)), 1.0, ["h_1"]),
        (
            SUM,
            24.0,
            [
                r"\operatorname{diag}(1 - h_1 \odot h_1)\, W h_1 + \operatorname{diag}(1 - h_2 \odot h_2)\, W h_2",
                r"{} + \operatorname{diag}(1 - h_3 \odot h_3)\, W h_3 + \operatorname{diag}(1 - h_4 \odot h_4)\, W h_4",
            ],
        ),
        (
            NESTED,
            16.0,
            [
                r"W \bigl(W \bigl(h_1 \odot h_2 + h_2 \odot h_3",
                r"\quad {} + h_3 \odot h_4 + h_4 \odot h_5",
                r"\quad {} + h_5 \odot h_6\bigr)",
                r"{} + h_8 + h_9\bigr)",
            ],
        ),
        (
            PRODUCT,
            24.0,
            [
                r"\operatorname{diag}(1 - h_1 \odot h_1)\, W \operatorname{diag}(1 - h_2 \odot h_2)\, W",
                r"{} \cdot \operatorname{diag}(1 - h_3 \odot h_3)\, W \operatorname{diag}(1 - h_4 \odot h_4)\, W",
            ],
        ),
        (
            CALL,
            20.0,
            [
                r"\tanh \bigl(W h_1 + W h_2 + W h_3 + W h_4 + W h_5",
                r"{} + W h_6 + W h_7 + W h_8 + W h_9 + W h_{10}",
                r"{} + W h_{11}\bigr)",
            ],
        ),
    ],
    ids=["short", "sum", "nested", "product", "call"],
)
def test_whole_lines(tree: Tree, room: float, expected: list[str]) -> None:
    assert [latex(line) for line in fit(tree, room)] == expected


@given(st.sampled_from([SUM, NESTED, PRODUCT, CALL]), st.floats(14.0, 60.0))
def test_lines_fit_and_say_the_same(tree: Tree, room: float) -> None:
    lines = fit(tree, room)
    assert all(width(line) <= room for line in lines)
    together = [token for line in lines for token in latex_tokens(latex(line))]
    assert [x for x in together if x != r"\cdot"] == latex_tokens(latex(tree))


@pytest.mark.parametrize("room", [6.0, 10.0, 14.0])
def test_an_indicator_keeps_its_condition(room: float) -> None:
    i, j = b.index_symbols(2, "i")
    product = b.mul(*(b.mul(b.iverson(b.rel("==", i, k)), b.entry(h(k), [At(j)])) for k in (1, 2, 3)))
    lines = [latex(line) for line in fit(read(product), room)]
    assert len(lines) > 1
    assert not [line for line in lines if line.endswith("{1}") or line.startswith((r"{} \cdot [", "["))]


def test_a_long_result_is_broken_inside_its_box() -> None:
    (line,) = fit(Boxed(SUM), 24.0)
    assert isinstance(line, Boxed)
    assert line.body == block(fit(SUM, 24.0 - 0.7))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="TeX is not installed")
def test_estimated_widths_hold_in_tex(tmp_path: Path) -> None:
    left, reason = read(h(0)), Text("chain rule")
    room = TEXT_WIDTH - width(left) - operator_width("=") - width(reason) - 2.0
    first, *others = (line for x in (SUM, NESTED, PRODUCT, CALL) for line in fit(x, room))
    rows = Aligned((Line(left, "=", first, reason), *(Line(None, None, x) for x in others)))
    page = (
        r"\documentclass{article}\usepackage[a4paper,margin=2.5cm]{geometry}\usepackage{amsmath}\begin{document}\["
        + latex(rows)
        + r"\]\[" + latex(fit(Boxed(SUM), 30.0)[0]) + r"\]\end{document}"
    )  # fmt: skip
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", "page.tex"]
    environment = {**os.environ, "openin_any": "p", "openout_any": "p"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False)
    log = run.stdout.decode("utf-8", "replace")
    assert run.returncode == 0, log[-2000:]
    assert "Overfull" not in log
