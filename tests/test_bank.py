"""Every bundled problem: solved, certified, printed in every format; the code it gives agrees with differences."""

import json
import re
import shutil
import subprocess
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, Final

import generated_code
import numpy as np
import pytest
from browser import CHROMIUM, PHONE, SCREEN, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from json_contract import complaints, pairs

from symgrad import pipeline
from symgrad.calculus.numeric import Numbers
from symgrad.derivation.steps import Derivation
from symgrad.derivation.workspace import choose_sizes
from symgrad.errors import ProblemError
from symgrad.notation.measure import width
from symgrad.notation.plain import plain
from symgrad.problem.bank import bank_names
from symgrad.problem.model import Problem
from symgrad.sheet import rows
from symgrad.sheet.compose import compose
from symgrad.sheet.document import Equations
from symgrad.sheet.look import Look
from symgrad.sheet.pdf import typst_query
from symgrad.sheet.programs import program
from symgrad.sheet.samples import sample

NAMES = bank_names()


@cache
def solved(name: str) -> tuple[Problem, tuple[Derivation, ...]]:
    problem = pipeline.load(name)
    return problem, pipeline.derive(problem)


@pytest.mark.parametrize("name", NAMES)
def test_every_question_is_certified(name: str) -> None:
    _, derivations = solved(name)
    assert {(d.id, d.status, d.message) for d in derivations if d.status == "failed"} == set()
    for d in derivations:
        for r in d.results:
            assert d.status == "unchecked" or r.checks
            assert all(c.ok and c.max_rel_error < 1e-5 for c in r.checks)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("format", ["md", "json", "numpy", "tex", "html", "typ"])
def test_every_format(name: str, format: str) -> None:
    problem, derivations = solved(name)
    text = pipeline.printed([(problem, derivations)], format)
    assert problem.title[:8] in text or format == "json"
    if format == "json":
        found = json.loads(text)
        assert complaints(found) == []
        assert [q["id"] for q in found["questions"]] == list(problem.ids)
        results = [r for q in found["questions"] for r in q["results"]]
        numbers = [(v, n) for r in results for v, n in pairs(r["value"], r["float"]) if not isinstance(v, str)]
        assert all(n == pytest.approx(v, rel=1e-12) for v, n in numbers)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_the_pdf_has_nothing_wider_than_its_text(name: str, paper: str) -> None:
    problem, derivations = solved(name)
    source = str(pipeline.printed([(problem, derivations)], "typ", Look(paper=paper, diagram=True)))  # type: ignore[arg-type]
    assert [w["alt"] for w in typst_query(source, "<width>") if w["width"] > w["room"]] == []


def _letters(text: str) -> Counter[str]:
    """The letters and digits of a text, whatever alphabet of mathematics or script they are set in."""
    plain_text = unicodedata.normalize("NFKD", text.replace("ᵀ", "").replace(" fixed", ""))
    return Counter(c for c in plain_text if c.isalnum() and not unicodedata.combining(c))


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_the_text_of_the_pdf_has_every_equation(name: str) -> None:
    problem, derivations = solved(name)
    document = pipeline.printed([(problem, derivations)], "pdf")
    assert isinstance(document, bytes)
    done = subprocess.run(["pdftotext", "-", "-"], input=document, capture_output=True, timeout=60, check=True)
    answers = re.split(r"Question \d+", done.stdout.decode())[1:]
    (part,) = compose([(problem, derivations)]).parts
    for q, text in zip(part.questions, answers, strict=True):
        lines = [line for b in q.blocks if isinstance(b, Equations) for line in b.aligned.lines]
        assert _letters(" ".join(plain(x) for x in lines)) - _letters(text) == Counter(), q.id


@pytest.mark.parametrize("name", NAMES)
def test_lines_of_markdown_fit_a_screen(name: str) -> None:
    (part,) = compose([solved(name)], format="md").parts
    blocks = [*part.model, *(b for q in part.questions for b in q.blocks)]
    lines = [line for b in blocks if isinstance(b, Equations) for line in b.aligned.lines]
    assert [plain(x) for x in lines if width(x.right) > rows.SCREEN.width] == []
    text = str(pipeline.printed([solved(name)], "md", Look(flavor="github")))
    assert r"\operatorname" not in text
    assert "$$" not in text


_MEASURED = """
const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
  && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5;
const inside = (a, b) => a.left >= b.left && a.right <= b.right;
const box = e => e.getBoundingClientRect();
const crowded = [];
for (const svg of document.querySelectorAll('figure svg')) {
  const labels = [...svg.querySelectorAll('text')], boxes = [...svg.querySelectorAll('rect')].map(box);
  for (const label of labels) {
    if (label.textContent !== '⋯' && !boxes.some(b => inside(box(label), b))) crowded.push(label.textContent);
    if (labels.some(other => other !== label && overlap(box(other), box(label)))) crowded.push(label.textContent);
  }
}
const wide = [...document.querySelectorAll('.eq')].filter(e => e.scrollWidth > e.clientWidth + 1).length;
return {width: document.documentElement.scrollWidth, wide, crowded};
"""


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("window", [PHONE, SCREEN])
def test_pages_in_a_browser(window: int, tmp_path: Path) -> None:
    """No page is wider than its window, no display than a screen; labels of diagrams stay in their boxes."""
    look = Look(diagram=True)
    pages = {name: str(pipeline.printed([solved(name)], "html", look)) for name in NAMES}
    found = run(pages, _MEASURED, window, tmp_path)
    assert {name: f["width"] for name, f in found.items() if f["width"] > window} == {}
    assert {name: f["crowded"] for name, f in found.items() if f["crowded"]} == {}
    assert window == PHONE or {name: f["wide"] for name, f in found.items() if f["wide"]} == {}


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="TeX is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_the_tex_compiles_without_a_complaint(name: str, tmp_path: Path) -> None:
    problem, derivations = solved(name)
    (tmp_path / "sheet.tex").write_text(pipeline.printed([(problem, derivations)], "tex"))
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "sheet.tex"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    log = (tmp_path / "sheet.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "undefined" not in log
    assert "Overfull" not in log


# Published answers: what the courses' own solutions say, written by hand.

ANSWERS: dict[tuple[str, str, str | None], str] = {
    ("bptt", "state", "h[t]"): r"V^{\top} e_t",
    ("bptt", "jacobian", "h[t-1]"): "D_t W",
    ("bptt", "e2_expanded", "W"): r"D_2 V^{\top} e_2\, h_1^{\top} + D_1 W^{\top} D_2 V^{\top} e_2\, h_0^{\top}",
    ("bptt", "e1", "V"): r"e_1\, h_1^{\top}",
    ("bptt", "e3_factored", "W"): r"\delta_3\, h_2^{\top} + \delta_2\, h_1^{\top} + \delta_1\, h_0^{\top}",
    ("bptt", "recursion", "U"): r"\sum_{t=1}^{3} \delta a_t\, I_t^{\top}",
    ("softmax_ce", "by_x", "x"): r"p - p^{*}",
    ("softmax_ce", "jacobian", "x"): r"\operatorname{diag}(p) - p\, p^{\top}",
    ("residual", "input", "x"): r"\frac{\partial e}{\partial y} + H^{\top} D\, \frac{\partial e}{\partial y}",
    ("residual", "weights", "H"): r"D\, \frac{\partial e}{\partial y}\, x_1^{\top}",
    ("lstm", "carry", "c[t-1]"): r"\operatorname{diag}(f_t)",
    ("attention_rnn", "jacobian", "h[t-1]"): (
        r"[a_t]_1 \bigl(V_1 + (v_{1,t} - h_t)\, h_{t-1}^{\top} (K_1^{\top} Q_1 + Q_1^{\top} K_1)\bigr)"
    ),
    ("attention_rnn", "jacobian_kappa", "htilde[t-1]"): (
        r"[\tilde{a}_t]_1 \bigl(\tilde{V}_1 + (\tilde{v}_{1,t} - \tilde{h}_t)\, \tilde{h}_{t-1}^{\top}"
        r" (\tilde{K}_1^{\top} \tilde{Q}_1 + \tilde{Q}_1^{\top} \tilde{K}_1)\bigr)"
    ),
}


@pytest.mark.parametrize(("name", "question", "wrt"), ANSWERS)
def test_published_answers(name: str, question: str, wrt: str | None) -> None:
    problem, derivations = solved(name)
    found = json.loads(pipeline.printed([(problem, derivations)], "json"))
    results = next(q for q in found["questions"] if q["id"] == question)["results"]
    latex = next(r["latex"] for r in results if r["wrt"] == wrt)
    assert latex == ANSWERS[name, question, wrt]


_UPDATED_BY: Final = r"\frac{\partial e}{\partial y}"
ASKED_FOR: dict[tuple[str, str, str], str] = {
    ("bptt", "state", "h[t]"): r"V^{\top} e_t",
    ("bptt", "jacobian", "h[t-1]"): "D_t W",
    ("bptt", "e1", "W"): r"D_1 V^{\top} e_1 h_0^{\top}",
    ("bptt", "e1", "U"): r"D_1 V^{\top} e_1 I_1^{\top}",
    ("bptt", "e1", "V"): r"e_1 h_1^{\top}",
    ("bptt", "e2", "W"): r"D_2 V^{\top} e_2 h_1^{\top} + D_1 W^{\top} D_2 V^{\top} e_2 h_0^{\top}",
    ("bptt", "e2_expanded", "U"): r"D_2 V^{\top} e_2 I_2^{\top} + D_1 W^{\top} D_2 V^{\top} e_2 I_1^{\top}",
    ("bptt", "e2_factored", "W"): r"\delta_2 h_1^{\top} + \delta_1 h_0^{\top}",
    ("bptt", "e2_factored", "V"): r"e_2 h_2^{\top}",
    ("bptt", "e3_expanded", "W"): (
        r"D_3 V^{\top} e_3 h_2^{\top} + D_2 W^{\top} D_3 V^{\top} e_3 h_1^{\top}"
        r" + D_1 W^{\top} D_2 W^{\top} D_3 V^{\top} e_3 h_0^{\top}"
    ),
    ("bptt", "e3_factored", "U"): r"\delta_3 I_3^{\top} + \delta_2 I_2^{\top} + \delta_1 I_1^{\top}",
    ("bptt", "total", "W"): r"\delta_3 h_2^{\top} + \delta_2 h_1^{\top} + \delta_1 h_0^{\top}",
    ("bptt", "total", "V"): r"e_3 h_3^{\top} + e_2 h_2^{\top} + e_1 h_1^{\top}",
    ("bptt", "recursion", "W"): r"\sum_{t=1}^{3} \delta a_t h_{t-1}^{\top}",
    ("bptt", "general", "W"): (r"\sum_{k=1}^{t} D_k (\prod_{j=t}^{k+1} D_j W)^{\top} V^{\top} e_t h_{k-1}^{\top}"),
    ("lstm", "step", "h[t-1]"): (
        r"\operatorname{diag}(\tanh(c_t)) \frac{\partial o_t}{\partial h_{t-1}}"
        r" + D_{h,t} (\operatorname{diag}(c_{t-1}) \frac{\partial f_t}{\partial h_{t-1}}"
        r" + \operatorname{diag}(u_t) \frac{\partial i_t}{\partial h_{t-1}}"
        r" + \operatorname{diag}(i_t) \frac{\partial u_t}{\partial h_{t-1}})"
    ),
    ("lstm", "step_resolved", "h[t-1]"): (
        r"\operatorname{diag}(\tanh(c_t)) D_{o,t} U^{o} + D_{h,t} (\operatorname{diag}(c_{t-1}) D_{f,t} U^{f}"
        r" + \operatorname{diag}(u_t) D_{i,t} U^{i} + \operatorname{diag}(i_t) D_{u,t} U^{c})"
    ),
    ("lstm", "sigmoid", "s"): "g (1 - g)",
    ("lstm", "forget_entry", "h[t-1][b]"): "f_t[a] (1 - f_t[a]) U_{ab}^{f}",
    ("lstm", "carry", "c[t-1]"): r"\operatorname{diag}(f_t)",
    ("lstm", "backward", "W__f"): r"\sum_{t=1}^{T} \delta a_{f,t} x_t^{\top}",
    ("lstm", "backward", "U__o"): r"\sum_{t=1}^{T} \delta a_{o,t} h_{t-1}^{\top}",
    ("lstm_step", "gates", "o[t]"): r"\delta h_t \odot \tanh(c_t)",
    ("lstm_step", "gates", "c[t]"): (r"\delta h_t \odot o_t \odot (1 - \tanh^{2}(c_t)) + \delta c_{t+1} \odot f_{t+1}"),
    ("lstm_step", "gates", "i[t]"): r"\delta c_t \odot g_t",
    ("lstm_step", "gates", "f[t]"): r"\delta c_t \odot c_{t-1}",
    ("lstm_step", "gates", "g[t]"): r"\delta c_t \odot i_t",
    ("lstm_step", "inputs", "z[t]"): (
        r"\begin{bmatrix} \delta i_t \odot i_t \odot (1 - i_t) \\ \delta f_t \odot f_t \odot (1 - f_t) \\"
        r" \delta o_t \odot o_t \odot (1 - o_t) \\ \delta g_t \odot (1 - g_t \odot g_t) \end{bmatrix}"
    ),
    ("lstm_step", "inputs", "I[t]"): r"W^{\top} \delta z_t",
    ("lstm_step", "inputs", "x[t]"): r"\delta I_t[n+1:d+n]",
    ("lstm_step", "inputs", "h[t-1]"): r"\frac{\partial^{+} L}{\partial h_{t-1}} + \delta I_t[1:n]",
    ("lstm_step", "weights", "W"): r"\sum_{t=1}^{T} \delta z_t I_t^{\top}",
    ("softmax_ce", "by_p", "p"): r"-p^{*} \oslash p",
    ("softmax_ce", "jacobian", "x"): r"\operatorname{diag}(p) - p p^{\top}",
    ("softmax_ce", "by_x", "x"): r"p - p^{*}",
    ("residual", "input", "x"): rf"{_UPDATED_BY} + H^{{\top}} D {_UPDATED_BY}",
    ("residual", "bias", "v"): f"D {_UPDATED_BY}",
    ("residual", "weights", "H"): rf"D {_UPDATED_BY} x_1^{{\top}}",
    ("residual", "step", "H"): rf"H - \eta ({_UPDATED_BY} \odot \mathbf{{1}}[x_3 > 0]) x_1^{{\top}}",
    ("residual", "step", "v"): rf"v - \eta {_UPDATED_BY} \odot \mathbf{{1}}[x_3 > 0]",
    ("gated_rnn", "jacobian", "h[t-1]"): (r"\operatorname{diag}(c_t) + \operatorname{diag}(h_{t-1} - W_x x_t) D_t W_h"),
    ("gated_rnn", "double_sum", "W_x"): (
        r"\sum_{t=1}^{K} \sum_{k=1}^{t} \Lambda_k (\prod_{j=t}^{k+1} J_j)^{\top}"
        r" \frac{\partial^{+} l}{\partial h_t} x_k^{\top}"
    ),
    ("gated_rnn", "recursion", "W_x"): r"\sum_{t=1}^{K} (\delta h_t \odot (1 - c_t)) x_t^{\top}",
    ("gated_rnn", "recursion", "W_h"): r"\sum_{t=1}^{K} \delta a_t h_{t-1}^{\top}",
    ("attention_rnn", "jacobian", "h[t-1]"): (
        r"a_1 (V_1 + (v_1 - h_t) h_{t-1}^{\top} (Q_1^{\top} K_1 + K_1^{\top} Q_1))"
    ),
}
"""The answers wanted, written by hand in the names of the sheets."""


@pytest.mark.parametrize(("name", "question", "wrt"), ASKED_FOR)
def test_a_result_is_hardly_longer_than_the_answer_asked_for(name: str, question: str, wrt: str) -> None:
    problem, derivations = solved(name)
    found = json.loads(pipeline.printed([(problem, derivations)], "json"))
    results = next(q for q in found["questions"] if q["id"] == question)["results"]
    latex = next(r["latex"] for r in results if r["wrt"] == wrt)
    assert len(_tokens(latex)) <= 1.3 * len(_tokens(ASKED_FOR[name, question, wrt]))


ON_THE_SHEET: list[tuple[str, str, str]] = [
    ("bptt", "e3", r"\sum_{k=1}^{3} \frac{\partial E_3}{\partial h_3}\, \frac{\partial h_3}{\partial h_k}\,"
                   r" \frac{\partial^{+} h_k}{\partial W}"),
    ("bptt", "e3", r"\frac{\partial h_3}{\partial h_2} &= D_3 W"),
    ("bptt", "recursion", r"\delta h_t &= V^{\top} \delta z_t + W^{\top} \delta a_{t+1}"),
    ("bptt", "general", r"\prod_{j=t}^{k+1} \frac{\partial h_j}{\partial h_{j-1}} && "
                        r"\text{one factor a step, the latest on the left}"),
    ("lstm", "sigmoid", r"\sigma(s)\, \bigl(1 - \sigma(s)\bigr) = \frac{e^{-s}}{(1 + e^{-s})^{2}} = \boxed{g\, (1 - g)}"),
    ("lstm", "memory", "$c_{t-1}$ does not depend on $h_{t-1}$."),
    ("lstm", "memory", "The other way round, $h_{t-1}$ depends on $c_{t-1}$"),
    ("lstm", "carry", r"With $f_t \approx 1$"),
    ("lstm", "backward", r"\delta c_t &= \delta h_t \odot o_t \odot \bigl(1 - \tanh^{2}(c_t)\bigr) + \delta c_{t+1} \odot f_{t+1}"),
    ("lstm_step", "gates", r"\delta h_t &= \frac{\partial^{+} L}{\partial h_t} + [\delta I_{t+1}]_{1:n}"),
    ("softmax_ce", "jacobian_entries", r"\boxed{p_i\, (\delta_{ij} - p_j)}"),
    ("softmax_ce", "jacobian_entries", r"p_i\, (1 - p_i) & \text{if } i = j \\ -p_i p_j & \text{if } i \ne j"),
    ("softmax_ce", "by_x", r"\boxed{p - p^{*}}"),
    ("softmax_ce", "by_x_row", r"\boxed{(p - p^{*})^{\top}} \in \mathbb{R}^{1\times K}"),
    ("residual", "input", r"\frac{\partial e}{\partial x_0} + \frac{\partial e}{\partial x_1}"),
    ("residual", "input", r"\frac{\partial e}{\partial x_1} &= H^{\top} D\, \frac{\partial e}{\partial y}"),
    ("residual", "step", "Kept from the forward pass: $x_3$ for its sign; $x_1$ for the outer product."),
    ("gated_rnn", "double_sum", r"\sum_{t=1}^{K} \sum_{k=1}^{t} \frac{\partial^{+} l}{\partial h_t}\,"
                                r" \frac{\partial h_t}{\partial h_k}\, \frac{\partial^{+} h_k}{\partial W_x}"),
]  # fmt: skip
"""What the answers wanted have beside their results: chains, orders of products, recursions, cases, what is kept."""


@pytest.mark.parametrize(("name", "question", "line"), ON_THE_SHEET)
def test_what_was_asked_for_stands_on_the_sheet(name: str, question: str, line: str) -> None:
    problem, derivations = solved(name)
    text = str(pipeline.printed([(problem, [d for d in derivations if d.id == question])], "md"))
    assert line in text


def _tokens(latex: str) -> list[str]:
    """Commands, letters, digits and signs; braces, spaces and the sizes of brackets say nothing."""
    return re.findall(r"\\[a-zA-Z]+|[^\s{}]", re.sub(r"\\(?:[bB]igg?[lr]|[,;!]|left|right)", "", latex))


# The generated programs


@cache
def _modules(name: str) -> dict[str, Any]:
    return generated_code.namespace(*solved(name))


DIFFERENTIATED = [
    (name, q.id) for name in NAMES for q in pipeline.load(name).questions if q.ask == "derivative" and q.order == 1
]


@pytest.mark.parametrize(("name", "question"), DIFFERENTIATED)
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_generated_code_agrees_with_differences(name: str, question: str, data: st.DataObject) -> None:
    """At sizes, steps and points that nobody chose; results have the shapes of the contract, arguments stay as given."""
    problem, derivations = solved(name)
    derivation = next(d for d in derivations if d.id == question)
    generated_code.agrees(problem, derivation, _modules(name), data)


@pytest.mark.parametrize("t", [1, 2, 3])
def test_what_begins_a_recurrence_is_a_state_that_no_loss_reads(t: int) -> None:
    """∂L/∂h[t-1] at t = 1 has no ∂⁺L/∂h[0], and no row of an array stands in for it."""
    problem, derivations = solved("lstm_step")
    made = program(problem, next(d for d in derivations if d.id == "inputs"))
    of, wrt = problem.question("inputs").of.expr, problem.question("inputs").wrt[3].expr
    sizes = {s: {"T": 3, "t": t}.get(s.name, 2) for s in choose_sizes(problem.system, [of, wrt])[0]}
    numbers = Numbers.of(problem.system, sizes, points=1, seed=t)
    found = _modules("lstm_step")["inputs"](**{x.argument: sample(x, numbers) for x in made.leaves}, t=t)
    np.testing.assert_allclose(found["h[t-1]"], numbers.differences(of, wrt, [])[0], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_runs(name: str) -> None:
    """Every cell of code, and with it every answer that is computed; derivatives by inputs are compared on the way."""
    nbformat = pytest.importorskip("nbformat")
    problem, derivations = solved(name)
    notebook = nbformat.reads(pipeline.printed([(problem, derivations)], "ipynb"), as_version=4)
    nbformat.validate(notebook)
    space: dict[str, Any] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, f"{name}.ipynb", "exec"), space)
    compared = sum(cell.source.count("check(") for cell in notebook.cells if cell.cell_type == "code") - 1
    assert compared >= {"bptt": 28, "softmax_ce": 3, "vae_elbo": 2, "lstm": 1}.get(name, -1)


@pytest.mark.parametrize("name", NAMES)
def test_its_diagram_is_a_picture(name: str) -> None:
    problem, derivations = solved(name)
    if not problem.system.definitions:
        with pytest.raises(ProblemError, match="computes nothing that could be drawn"):
            pipeline.printed([(problem, ())], "svg")
        return
    root = ET.fromstring(str(pipeline.printed([(problem, derivations)], "svg")))
    assert [child.tag.rpartition("}")[2] for child in root][:2] == ["title", "desc"]
    png = pipeline.printed([(problem, derivations)], "png")
    assert isinstance(png, bytes)
    assert png.startswith(b"\x89PNG")
