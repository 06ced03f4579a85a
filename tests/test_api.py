"""The Python interface as a notebook uses it, each call in the order a user makes them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symgrad
from symgrad.errors import ProblemError, QuestionError

SQUARES = """
title: A sum of squares
symbols:
  x: {shape: n}
model:
  - L = sum(x**2)
questions:
  - {id: slope, ask: derivative, of: L, wrt: x}
  - {id: size, ask: shape, of: L, wrt: x}
"""


def test_a_gradient_is_read_evaluated_and_written_out() -> None:
    sheet = symgrad.load(SQUARES).solve()
    result = sheet["slope"].results[0]
    assert sheet.complete
    assert (result.latex, result.of, result.wrt, [str(s) for s in result.shape]) == ("2 x", "L", "x", ["n"])
    assert result._repr_latex_() == r"$\displaystyle \frac{\partial L}{\partial x} = 2 x$"
    np.testing.assert_allclose(result.evaluate(x=np.array([1.0, -3.0, 0.5])), [2.0, -6.0, 1.0])
    assert [str(e) for e in result.to_sympy(n=2)] == ["2*x[1]", "2*x[2]"]
    assert all(step.error < 1e-9 for step in result.steps)
    assert sheet["size"].results[0].evaluate(n=4) == (4,)


def test_a_sheet_and_an_answer_show_themselves_in_a_notebook() -> None:
    sheet = symgrad.load(SQUARES).solve(["slope"])
    assert list(sheet) == ["slope"]
    for shown in (sheet._repr_markdown_(), sheet["slope"]._repr_markdown_()):
        assert r"\boxed{2 x}" in shown


def test_two_hidden_steps_by_hand() -> None:
    """∂E_2/∂W of the bundled problem against the recursion written in NumPy."""
    rng = np.random.default_rng(3)
    n, d, m = 3, 2, 4
    inputs, target = rng.normal(size=(3, d)), np.eye(m)[[2, 0, 1]]
    h0, u, w, v = rng.normal(size=n), rng.normal(size=(n, d)), rng.normal(size=(n, n)), rng.normal(size=(m, n))
    h1 = np.tanh(u @ inputs[0] + w @ h0)
    h2 = np.tanh(u @ inputs[1] + w @ h1)
    z = np.exp(v @ h2)
    delta2 = (1 - h2**2) * (v.T @ (z / z.sum() - target[1]))
    delta1 = (1 - h1**2) * (w.T @ delta2)
    expected = np.outer(delta2, h1) + np.outer(delta1, h0)
    result = symgrad.load("bptt").solve(["e2"])["e2"].results[0]
    np.testing.assert_allclose(result.evaluate(I=inputs, y=target, h0=h0, U=u, W=w, V=v), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (r"$\frac{\partial L}{\partial x} = 2x$", "right"),
        (r"$\frac{\partial L}{\partial x} = x$", "wrong"),
        (r"$\nabla_x L = x + x$", "right"),
    ],
)
def test_an_answer_is_verified(answer: str, verdict: str) -> None:
    problem = symgrad.load(SQUARES)
    assert [c.verdict for c in symgrad.verify(problem, answer).claims] == [verdict]
    assert [[c.verdict for c in x.claims] for x in symgrad.verify_many(problem, [answer, answer], jobs=2)] == [
        [verdict],
        [verdict],
    ]


def test_what_is_wrong_with_a_call_is_said() -> None:
    with pytest.raises(ProblemError, match="bptt"):
        symgrad.load("bpt")
    sheet = symgrad.load(SQUARES).solve()
    with pytest.raises(ProblemError, match="slope"):
        sheet["slop"]
    with pytest.raises(QuestionError, match="x"):
        sheet["slope"].results[0].evaluate(y=1)


def test_names_of_the_package_are_what_they_say_whatever_was_imported_before() -> None:
    """A module of the same name would take the place of a function once it is imported."""
    code = "import symgrad, symgrad.cli, symgrad.api; symgrad.load('bptt'); print(callable(symgrad.verify))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_a_script_without_a_guard_marks_many_answers(tmp_path: Path) -> None:
    script = tmp_path / "mark.py"
    script.write_text(
        "import symgrad\n"
        f"problem = symgrad.load({SQUARES!r})\n"
        "answers = [r'$\\nabla_x L = 2 x$', r'$\\nabla_x L = x$']\n"
        "print([c.verdict for m in symgrad.verify_many(problem, answers, jobs=2) for c in m.claims])\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=120)
    assert (done.stdout.strip(), done.stderr) == ("['right', 'wrong']", "")
