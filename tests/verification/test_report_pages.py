"""Marked answers as pages: whole documents, hostile signs among them, read back from what is written."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import CHROMIUM, PHONE, SCREEN, run
from msgspec.structs import replace

from symgrad.pipeline import load
from symgrad.verification.marked import Marked, Markers
from symgrad.verification.reports.page import markdown
from symgrad.verification.reports.page_html import html
from symgrad.verification.reports.page_tex import tex

ANSWER = r"""# Signs that TeX and HTML mind: <b>50 % & more_of ^this~ #1 \end{document}

$$\frac{\partial E_t}{\partial h_t} = V^\top(\hat y_t - y_t)$$

$$= V(\hat y_t - y_t) <b>$$

So $\frac{\partial h_t}{\partial h_{t-1}} = W$ — “quoted”, δ₂ ⊙ Vᵀ, ℝ², 你好.
"""
OVERFULL = re.compile(r"^Overfull \\hbox \((\d+\.\d+)pt", re.MULTILINE)


@pytest.fixture(scope="module")
def marked() -> Marked:
    return Markers.of([load("bptt")]).mark(ANSWER)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.marks: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.text += "\n" if tag == "pre" else ""

    def handle_data(self, data: str) -> None:
        if "pre" in self.open and ("math" not in self.open or self.open[-1] == "annotation"):
            self.text += data
            if "mark" in self.open:
                self.marks.append(data)


def _bare(text: str) -> str:
    """A text without white space, and without the signs round and between the lines of formulas."""
    return re.sub(r"\\\\|\\(?:begin|end)\{aligned\}|[\s$&]", "", text)


def test_the_page_is_the_answer_with_its_equations_marked_in_place(marked: Marked) -> None:
    page = _Text()
    page.feed(html(marked))
    assert not page.open
    assert _bare(page.text) == _bare(ANSWER)
    assert page.marks[0] == r"V^\top(\hat y_t - y_t)"
    assert all(f"{count} {verdict}" in html(marked) for verdict, count in marked.counts.items())


SET = [
    (r"$\hat y_t = \operatorname{softmax}(V h_t)$", 2, r"\operatorname{softmax}(V h_t)"),
    (r"$$\begin{aligned} z_t &= V h_t \\ h_t &= \tanh(U I_t + W h_{t-1}) \end{aligned}$$", 4, "V h_t"),
    (r"\(z_t \stackrel{!}{=} V h_t\) & more", 2, "V h_t"),
    (r"$z_t = V h_t \unknown$ and $z_t$", 1, ""),
    (r"$z_t = \left( V h_t $ is never closed", 0, ""),
]


@pytest.mark.parametrize(("text", "count", "first"), SET)
def test_formulas_are_set_where_they_can_be_read(text: str, count: int, first: str) -> None:
    page, written = _Text(), html(Markers.of([load("bptt")]).mark(f"{text}\n\nEnd."))
    page.feed(written)
    assert not page.open
    assert written.count("<math") == count
    assert first in page.marks or not first


def test_the_notes_in_markdown_stand_behind_what_they_are_about(marked: Marked) -> None:
    text = markdown(marked)
    first = text.index(r"V^\top(\hat y_t - y_t)$$")
    assert text.index("**right** (line 3)") > first
    assert text.index("(line 7)") > text.index("“quoted”")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_sets_the_report_whatever_was_written(marked: Marked, tmp_path: Path) -> None:
    (tmp_path / "report.tex").write_text(tex(marked))
    command = ["pdflatex", "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", "report.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert all(float(points) < 1 for points in OVERFULL.findall(done.stdout))


_FITS = """
const scrolled = [...document.querySelectorAll('pre, li p')].filter(
  e => getComputedStyle(e).overflowY === 'auto' && e.scrollHeight > e.clientHeight).length;
const cut = [...document.querySelectorAll('pre math, li p math')].filter(m => {
  const box = m.closest('pre, p').getBoundingClientRect(), own = m.getBoundingClientRect();
  return own.top < box.top - 1 || own.bottom > box.bottom + 1;
}).length;
return {width: document.documentElement.scrollWidth, scrolled, cut};
"""


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("window", [PHONE, SCREEN])
def test_the_page_fits_its_window_and_no_line_has_a_bar_of_its_own(window: int, tmp_path: Path) -> None:
    marked = replace(_with_fractions(), document="/a/long/path/to/the/answers/of/a/whole/class/assignment-iv.md")
    found = run({"page": html(marked)}, _FITS, window, tmp_path)["page"]
    assert found["width"] <= window
    assert (found["scrolled"], found["cut"]) == (0, 0)


def _with_fractions() -> Marked:
    lines = (
        r"$$\frac{\partial E_2}{\partial W} = \frac{\partial E_2}{\partial h_2} \sum_{k=1}^{2} \left[ \frac{\partial h_2}{\partial h_k} * \frac{\partial h_k}{\partial W} \right]$$",
        r"So $\hat y_t = softmax(V h_t)$ and $\frac{\partial E_t}{\partial h_t} = V (\hat y_t - y_t)$.",
    )
    return Markers.of([load("bptt")]).mark("\n\n".join(lines) + "\n")
