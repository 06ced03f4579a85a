"""The command line: what it prints where, exit codes, and what it does not import."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from symgrad.cli import main

PROBLEM = """
title: One layer
symbols:
  x: {shape: n}
  W: {shape: [m, n]}
model:
  - y = tanh(W @ x)
  - e = y.T @ y
questions:
  - {id: gradient, ask: derivative, of: e, wrt: [W, x]}
  - {id: words, ask: diagram, of: x}
"""


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    path = tmp_path / "layer.yaml"
    path.write_text(PROBLEM)
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("format", ["tex", "md", "json", "numpy"])
def test_formats(problem: Path, format: str) -> None:
    code, out, err = run("solve", problem, "--format", format, "-q", "gradient")
    assert (code, err) == (0, "")
    assert out.startswith({"tex": r"\documentclass", "md": "# One layer", "json": "{", "numpy": '"""One layer'}[format])


def test_a_failed_question_does_not_stop_the_others(problem: Path) -> None:
    code, out, err = run("solve", problem, "--format", "json")
    questions = json.loads(out)["questions"]
    assert code == 1
    assert [q["status"] for q in questions] == ["certified", "failed"]
    assert "question words: " in err


def test_the_suffix_of_the_output_decides_the_format(problem: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.tex"
    assert run("solve", problem, "-q", "gradient", "-o", target) == (0, "", "")
    assert target.read_text().startswith(r"\documentclass")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["layer.yaml", "out.tex"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("-q", "gradeint"),
            "layer has no question 'gradeint'; its questions are gradient, words\n    did you mean 'gradient'?\n",
        ),
        (
            ("--format", "jsn"),
            "there is no format 'jsn'; known are pdf, tex, typ, md, html, json, numpy, ipynb, svg, png\n    did you mean 'json'?\n",
        ),
    ],
)
def test_unusable_requests(problem: Path, arguments: tuple[str, ...], message: str) -> None:
    assert run("solve", problem, *arguments) == (2, "", message)


def test_errors_of_the_file_have_places(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("symbols: {x: {shape: n}}\nmodel: [y = tanh(xx)]\nquestions: []\n")
    code, out, err = run("solve", path)
    assert (code, out) == (2, "")
    assert err.startswith(f"{path}:2:18: ")
    assert "did you mean 'x'?" in err


def test_unwritable_output(problem: Path, tmp_path: Path) -> None:
    target = tmp_path / "missing" / "out.md"
    code, out, err = run("solve", problem, "-q", "gradient", "-o", target)
    assert (code, out, err) == (2, "", f"{target}: cannot be written: No such file or directory\n")


def test_unknown_problem() -> None:
    code, _, err = run("solve", "no_such_problem_at_all")
    assert code == 2
    assert "no bundled problem of that name" in err


def test_check_prints_a_table(problem: Path) -> None:
    code, out, _ = run("check", problem)
    lines = [line.split() for line in out.splitlines()]
    assert code == 1
    assert lines[0] == ["problem", "question", "check", "error", "points", "result"]
    assert {line[1] for line in lines[1:]} == {"gradient", "words"}
    assert [line[-1] for line in lines[1:]].count("failed") == 1


def test_check_of_nothing() -> None:
    assert run("check") == (2, "", "name a problem, or say --all\n")


def test_list_names_every_bundled_problem() -> None:
    code, out, err = run("list")
    assert (code, err) == (0, "")
    assert any(line.split()[0] == "bptt" for line in out.splitlines())


def test_schema_accepts_a_problem() -> None:
    code, out, _ = run("schema")
    assert code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(out))


def test_help_and_import_are_cheap() -> None:
    script = (
        "import sys, symgrad\n"
        "from symgrad.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'sympy', 'numpy', 'jinja2', 'markdown_it'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_document_of_bytes_is_written_beside(problem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("solve", problem, "-q", "gradient", "-f", "pdf") == (0, "", "written to layer.pdf\n")
    assert (tmp_path / "layer.pdf").read_bytes().startswith(b"%PDF")


def test_several_problems_on_one_sheet(problem: Path, tmp_path: Path) -> None:
    target = tmp_path / "all.html"
    assert run("solve", problem, "softmax_ce", "--edition", "questions", "--title", "Week 3", "-o", target) == (
        0,
        "",
        "",
    )
    assert "<h1>Week 3</h1>" in target.read_text()
    code, _, err = run("solve", problem, "softmax_ce", "-f", "json")
    assert (code, err) == (2, "json is written for one problem at a time\n")
