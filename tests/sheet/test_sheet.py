"""Whole sheets: what stands on them, that TeX sets them, what machines read."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

import symgrad
from symgrad.api import SolvedSheet
from symgrad.errors import ProblemError, QuestionError
from symgrad.sheet.explicit import explicit

ARRAYS = {
    "I": np.linspace(-1, 1, 8).reshape(2, 4),
    "y": np.eye(3)[[0, 2]],
    "h0": np.array([0.3, -0.2]),
    "W": np.array([[0.5, -0.4], [0.1, 0.8]]),
    "U": np.linspace(-0.5, 0.7, 8).reshape(2, 4),
    "V": np.linspace(-0.6, 0.9, 6).reshape(3, 2),
}


def loss(steps: list[int], **given: np.ndarray) -> float:
    """The forward model by hand: the cross-entropies of the steps, added."""
    a = {**ARRAYS, **given}
    h, losses = a["h0"], []
    for x, y in zip(a["I"], a["y"], strict=True):
        h = np.tanh(a["U"] @ x + a["W"] @ h)
        z = a["V"] @ h
        losses.append(np.log(np.exp(z).sum()) - y @ z)
    return float(sum(losses[s - 1] for s in steps))


def differences(steps: list[int], name: str, step: float = 1e-5) -> np.ndarray:
    out = np.zeros_like(ARRAYS[name])
    for place in np.ndindex(out.shape):
        bump = np.zeros_like(out)
        bump[place] = step
        up, down = (loss(steps, **{name: ARRAYS[name] + s * bump}) for s in (1, -1))
        out[place] = (up - down) / (2 * step)
    return out


def test_results_evaluate_to_differences_of_the_model(solved: SolvedSheet) -> None:
    for result, name in zip(solved["e2"].results, ("W", "V"), strict=True):
        np.testing.assert_allclose(result.evaluate(**ARRAYS), differences([2], name), atol=1e-8)
    np.testing.assert_allclose(solved["whole"].results[0].evaluate(**ARRAYS), differences([1, 2], "W"), atol=1e-8)


def test_the_numpy_module_agrees(solved: SolvedSheet) -> None:
    space: dict[str, object] = {}
    exec(compile(symgrad.load(str(_problem(solved))).solve(["e2", "whole"]).text("numpy"), "made", "exec"), space)
    made = space["e2"](**ARRAYS)  # type: ignore[operator]
    for result in solved["e2"].results:
        np.testing.assert_allclose(made[result.wrt], result.evaluate(**ARRAYS), rtol=1e-12, atol=1e-14)


def _problem(solved: SolvedSheet) -> str:
    return solved.problem.source.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"WW": 1}, "e2 has no argument 'WW'; it takes I, y, h0, W, U, V"),
        ({"W": np.ones((3, 3))}, "axis 0 of W has length 3; 2 (n) is needed"),
        ({"h0": np.ones((2, 1))}, "h0 needs 1 axes, not 2"),
    ],
)
def test_wrong_arguments(solved: SolvedSheet, change: dict[str, object], message: str) -> None:
    with pytest.raises(QuestionError) as caught:
        solved["e2"].results[0].evaluate(**{**ARRAYS, **change})
    assert caught.value.message == message


def test_missing_arguments(solved: SolvedSheet) -> None:
    with pytest.raises(QuestionError, match="e2 also needs I, y, h0, W, U, V"):
        solved["e2"].results[0].evaluate()


def test_entries_in_sympy(solved: SolvedSheet) -> None:
    made = solved["jac"].results[0].to_sympy(n=2, t=1)
    assert made.shape == (2, 2)
    assert str(made[0, 1]) == "W[1,2]*(1 - h_1[1]**2)"
    with pytest.raises(QuestionError, match=r"to_sympy also needs n=…"):
        solved["jac"].results[0].to_sympy(t=1)


@pytest.mark.parametrize("text", ["__import__('os')", ["1", 2], [["x"]]])
def test_text_in_a_result_is_not_run(solved: SolvedSheet, text: object) -> None:
    result = replace(solved["jac"].derivation.results[0], value=None, exact=text)
    with pytest.raises(QuestionError, match="no value in SymPy"):
        explicit(result, {})


def test_python_answers(solved: SolvedSheet) -> None:
    assert list(solved) == ["e2", "whole", "jac", "graph"]
    assert [solved[q].status for q in solved] == ["certified"] * 3 + ["failed"]
    assert not solved.complete
    assert solved["jac"].results[0].latex == "D_t W"
    assert solved["jac"].results[0]._repr_latex_() == (r"$\displaystyle \frac{\partial h_t}{\partial h_{t-1}} = D_t W$")
    assert max(step.error for step in solved["e2"].results[0].steps) < 1e-10
    with pytest.raises(ProblemError, match="did you mean 'whole'"):
        solved["hole"]


def test_json_is_what_the_contract_says(solved: SolvedSheet) -> None:
    made = json.loads(solved.text("json"))
    e2, *_, graph = made["questions"]
    assert list(e2)[:5] == ["id", "ask", "status", "message", "results"]
    first = e2["results"][0]
    assert {"of", "wrt", "latex", "text", "shape", "value", "float", "steps", "checks"} <= set(first)
    assert (first["of"], first["wrt"], first["shape"], first["value"]) == ("E[2]", "W", ["n", "n"], None)
    assert {"latex", "rule", "check"} <= set(first["steps"][0])
    assert set(first["checks"][0]) == {"kind", "max_rel_error", "points", "ok"}
    assert graph["status"] == "failed"
    assert graph["message"]
    assert graph["results"] == []


def test_markdown_sheet(solved: SolvedSheet) -> None:
    text = solved.text("md")
    lines = text.split("\n")
    assert lines[0] == r"# Layers & 50% of\_it".replace("&", "&amp;")
    assert "| $I_t$ | $\\mathbb{R}^{d}$ | the input at step $t$, for $t = 1, 2$ |" in lines
    assert "## Question 1 · e2 · 2 points" in lines
    assert "Differentiate $E_2$ with respect to $W$ and $V$." in lines
    assert "*Hint.* See $h_1$." in lines
    assert "*Note.* *Done.*" in lines
    assert any(line.startswith("> **Not answered.** ") for line in lines)
    assert any(line.startswith("*Checked at 5 random points and 3 sizes; ") for line in lines)


def test_displays_in_markdown_stand_alone(solved: SolvedSheet) -> None:
    lines = solved.text("md").split("\n")
    marks = [k for k, line in enumerate(lines) if "$$" in line]
    assert marks
    assert all(lines[k] == "$$" for k in marks)
    for start, stop in zip(marks[::2], marks[1::2], strict=True):
        assert (lines[start - 1], lines[stop + 1]) == ("", "")
        assert all(line and not re.match(r"[-+=#>]", line) for line in lines[start + 1 : stop])


def test_nothing_is_said_twice_in_an_answer(solved: SolvedSheet) -> None:
    text = solved.text("md")
    answer = text[text.index("## Question 1") : text.index("## Question 2")]
    rows = [line.removesuffix(r" \\") for line in answer.split("\n") if "&=" in line]
    assert len(rows) == len(set(rows))


def test_a_layout_turns_gradients() -> None:
    problem = (
        "symbols:\n  x: {shape: n}\nmodel:\n  - e = x.T @ x\nquestions:\n  - {id: g, ask: derivative, of: e, wrt: x}\n"
    )
    texts = {x: symgrad.load(problem).solve(layout=x).text("md") for x in (None, "numerator")}
    assert r"\boxed{2 x} \in \mathbb{R}^{n}" in str(texts[None])
    assert r"\boxed{2 x^{\top}} \in \mathbb{R}^{1\times n}" in str(texts["numerator"])


def test_an_adjoint_has_the_shape_of_its_node_in_every_layout() -> None:
    problem = """
title: An adjoint
layout: %s
symbols: {x: {shape: n}, W: {shape: [m, n]}, v: {shape: m}}
model: [u = tanh(W @ x), L = v.T @ u]
questions:
- {id: a, ask: derivative, of: L, wrt: W, form: backprop}
"""
    said = {x: symgrad.load(problem % x).solve().text("md") for x in ("denominator", "numerator")}
    assert r"$\delta q$ stands for $\frac{\partial L}{\partial q}$," in said["denominator"]
    assert r"$\delta q$ stands for $\Bigl(\frac{\partial L}{\partial q}\Bigr)^{\top}$," in said["numerator"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", ["here", "residual", "gated_rnn"])
def test_tex_sets_the_sheet_without_complaint(solved: SolvedSheet, tmp_path: Path, name: str) -> None:
    text = solved.text("tex") if name == "here" else symgrad.load(name).solve().text("tex")
    (tmp_path / "sheet.tex").write_text(text)
    command = ["pdflatex", "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", "sheet.tex"]
    for _ in range(2):
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, timeout=60, stdin=subprocess.DEVNULL, check=False
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    log = (tmp_path / "sheet.log").read_text(errors="replace")
    overfull = [float(x) for x in re.findall(r"Overfull \\hbox \(([0-9.]+)pt", log)]
    assert [x for x in overfull if x > 1] == []
    assert "undefined" not in log


ASKED = """
symbols:
  x: {shape: 2, values: [1, 1/2]}
  u: {shape: n}
  W: {shape: [m, n]}
model:
  - y = W @ u
  - s = sum(x * x)
  - l = log(s)
questions:
  - {id: words, ask: text, answer: "Because *it* is $x^2$."}
  - {id: dims, ask: shape, of: y, wrt: u}
  - {id: number, ask: evaluate, of: s}
  - {id: logarithm, ask: evaluate, of: l}
  - {id: array, ask: evaluate, of: y, at: {u: [1, 2], W: [[1, 1/2], [0, 3]]}}
  - {id: path, ask: depends, of: y, on: u}
"""


@pytest.fixture(scope="module")
def asked() -> SolvedSheet:
    return symgrad.load(ASKED).solve()


def test_values_in_json(asked: SolvedSheet) -> None:
    made = {q["id"]: q["results"][0] for q in json.loads(asked.text("json"))["questions"]}
    assert [(made[q]["value"], made[q]["float"]) for q in ("dims", "number", "array", "path")] == [
        (["m", "n"], None),
        ("5/4", 1.25),
        ([2, 6], [2.0, 6.0]),
        (True, None),
    ]
    assert made["logarithm"]["value"] == "log(5/4)"
    assert made["logarithm"]["float"] == pytest.approx(np.log(1.25))


def test_prose_of_the_author_is_marked(asked: SolvedSheet) -> None:
    text = asked.text("md")
    answer = text[text.index("## Question 1") : text.index("## Question 2")]
    assert "Because *it* is $x^2$." in answer
    assert "*Written by the author of the problem; not derived and not checked.*" in answer
    assert "$x^2$" in asked.text("tex")


def test_a_shape_is_a_tuple(asked: SolvedSheet) -> None:
    assert asked["dims"].results[0].evaluate(m=2, n=3) == (2, 3)


def test_yes_is_not_boxed(asked: SolvedSheet) -> None:
    text = asked.text("md")
    assert "boxed" not in text[text.index("· path") :]
