"""Sheets as PDF: from Typst with nothing but pip, from TeX where it is installed."""

import io
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest

import symgrad
from symgrad import pipeline
from symgrad.api import SolvedSheet
from symgrad.errors import InternalError, MachineError
from symgrad.sheet import pdf
from symgrad.sheet.look import Look
from symgrad.sheet.pdf import tex_document, typst_document, typst_query

NAMES = ("residual", "gated_rnn", "attention_rnn", "transposed_conv", "vae_elbo")
POISON = 'a "quote", \\ #panic("x") $x$ @ref <label> // *b* _i_ `c` 😀 中 é'


def answers(solved: SolvedSheet) -> list[tuple[object, object]]:
    return [(solved.problem, solved.derivations)]


@pytest.fixture(scope="module", params=NAMES)
def sheet(request: pytest.FixtureRequest) -> SolvedSheet:
    return symgrad.load(request.param).solve()


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_no_equation_is_wider_than_the_text(sheet: SolvedSheet, paper: str) -> None:
    source = pipeline.printed(answers(sheet), "typ", Look(paper=paper))  # type: ignore[arg-type]
    found = typst_query(str(source), "<width>")
    assert found
    assert [w["alt"] for w in found if w["width"] > w["room"]] == []


def test_a_document_is_tagged_and_the_same_every_time(solved: SolvedSheet) -> None:
    first, second = (solved.document("pdf") for _ in range(2))
    assert isinstance(first, bytes)
    assert first == second
    assert first.startswith(b"%PDF-1.7")
    for mark in (b"/MarkInfo", b"/StructTreeRoot", b"/Outlines", b"/Lang", b"pdfuaid"):
        assert mark in first


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
def test_the_text_can_be_selected(solved: SolvedSheet, tmp_path: Path) -> None:
    (tmp_path / "sheet.pdf").write_bytes(bytes(solved.document("pdf")))  # type: ignore[arg-type]
    done = subprocess.run(["pdftotext", "sheet.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
    text = unicodedata.normalize("NFKC", done.stdout.decode())
    for words in ("Layers & 50% of_it", "Question 1", "chain rule", "Checked at 5 random points", "Not answered."):
        assert words in text


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
def test_conventions_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "sheet.pdf").write_bytes(bytes(symgrad.load("softmax_ce").solve(["by_p"]).document("pdf")))  # type: ignore[arg-type]
    done = subprocess.run(["pdftotext", "sheet.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
    text = " ".join(unicodedata.normalize("NFKC", done.stdout.decode()).split())
    assert "⊘ divides entry by entry; CE(p, q) = " in text


def test_texts_of_users_are_texts(solved: SolvedSheet) -> None:
    problem = symgrad.load(
        "title: |-\n  " + POISON + "\nabout: |-\n  " + POISON + "\nsymbols: {x: {shape: n}}\nmodel: [e = x.T @ x]\n"
        "questions: [{id: g, ask: derivative, of: e, wrt: x, note: '" + POISON.replace("'", "") + "'}]\n"
    )
    assert problem.solve().document("pdf")


@pytest.mark.parametrize("edition", ["full", "answers", "hints", "questions"])
def test_editions(edition: str) -> None:
    problem = pipeline.load("residual")
    made = pipeline.solve([problem, problem], "typ", (), Look(edition=edition, title="Both"))  # type: ignore[arg-type]
    text = str(made.document)
    assert text.count("#question(8") == 1
    assert ('boxed("' in text) == (edition in ("full", "answers"))
    assert ("Checked at" in text) == (edition == "full")
    assert ("#v(5cm)" in text) == (edition == "questions")
    assert typst_document(text)


def test_a_source_that_does_not_compile() -> None:
    with pytest.raises(InternalError, match="unknown variable: nothing_like_it"):
        typst_document("#nothing_like_it")


@pytest.mark.parametrize("source", ['#read("/etc/passwd")', '#image("/etc/hostname")', '#import "@preview/cetz:0.3.0"'])
def test_a_source_reads_no_file_and_no_network(source: str) -> None:
    with pytest.raises(InternalError):
        typst_document(f'#set document(title: "t")\n{source}')


def test_time_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_SECONDS", 0.5)
    with pytest.raises(MachineError, match="took more than"):
        typst_document('#set document(title: "t")\n#for a in range(9999) { for b in range(9999) { [] } }')


def test_without_tex_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MachineError, match=r"^pdflatex is not installed; on Debian: apt install texlive-latex"):
        tex_document("")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_tex_makes_the_same_sheet(solved: SolvedSheet) -> None:
    made = pipeline.printed(answers(solved), "pdf", Look(pdf_engine="pdflatex"))  # type: ignore[arg-type]
    assert isinstance(made, bytes)
    assert made.startswith(b"%PDF")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize(
    "body",
    [
        r"\input{/etc/passwd}",
        r"\openin5=/etc/passwd \ifeof5 \undefinedcommand\fi",
        r"\immediate\write18{touch made}\openin5=made \ifeof5 \undefinedcommand\fi",
    ],
)
def test_tex_reads_no_file_and_runs_no_program(body: str) -> None:
    with pytest.raises(InternalError):
        tex_document(rf"\documentclass{{article}}\begin{{document}}{body}\end{{document}}")


def test_own_templates(solved: SolvedSheet, tmp_path: Path) -> None:
    (tmp_path / "sheet.md").write_text("mine: << sheet.title | text >>\n")
    look = Look(templates=tmp_path)
    assert str(pipeline.printed(answers(solved), "md", look)).startswith("mine: Layers")  # type: ignore[arg-type]
    (tmp_path / "sheet.md").write_text("<< sheet.__class__.__mro__ >>\n")
    with pytest.raises(symgrad.errors.ProblemError, match=re.escape(str(tmp_path))):
        pipeline.printed(answers(solved), "md", look)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["gated_rnn", "focal_loss"])
def test_every_formula_and_figure_is_said_in_words(name: str) -> None:
    """The tree of tags: a document of headings, tables with headers, formulas and figures with their alternatives."""
    pypdf = pytest.importorskip("pypdf")
    pytest.importorskip("matplotlib")
    problem = pipeline.load(name)
    document = pipeline.printed([(problem, pipeline.derive(problem))], "pdf", Look(diagram=True))
    assert isinstance(document, bytes)
    reader = pypdf.PdfReader(io.BytesIO(document))
    catalog = reader.trailer["/Root"]
    assert catalog["/Lang"] == "en"
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    found: dict[str, list[str]] = {}
    waiting = [catalog["/StructTreeRoot"]]
    while waiting:
        element = waiting.pop().get_object()
        if isinstance(element, list):
            waiting += element
        elif isinstance(element, dict):
            found.setdefault(str(element.get("/S")), []).append(str(element.get("/Alt", "")))
            waiting += [element["/K"]] if "/K" in element else []
    assert all(found["/Formula"])
    assert any("boxed" in alt for alt in found["/Formula"])
    assert all(found["/Figure"])
    assert len(found["/H1"]) == len(problem.questions)
    assert len(reader.outline) >= 1


@pytest.mark.parametrize("edition", ["questions", "answers", "hints"])
def test_questions_stand_one_behind_the_other(edition: str) -> None:
    """Only what has an answer below it holds on to it: the first question begins on the page of the model."""
    if shutil.which("pdftotext") is None:
        pytest.skip("poppler is not installed")
    problem = pipeline.load("residual")
    made = pipeline.solve(problem, "pdf", (), Look(edition=edition)).document  # type: ignore[arg-type]
    assert isinstance(made, bytes)
    done = subprocess.run(["pdftotext", "-l", "1", "-", "-"], input=made, capture_output=True, check=True)
    assert "Question 1" in done.stdout.decode()
