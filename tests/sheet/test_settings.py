"""What all sheets of a course share: symgrad.toml, and the logo in the head."""

import base64
from pathlib import Path

import pytest
from click.testing import CliRunner

from symgrad.cli import main
from symgrad.errors import ProblemError
from symgrad.sheet.logo import read_logo
from symgrad.sheet.settings import read_settings
from symgrad.source import Source

PROBLEM = "title: One\nlogo: img/own.svg\nsymbols: {x: {shape: n}}\nmodel: [e = x.T @ x]\nquestions:\n" + (
    "  - {id: g, ask: derivative, of: e, wrt: x, hint: Twice.}\n"
)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "own.svg").write_bytes(SVG)
    (tmp_path / "logo.png").write_bytes(PNG)
    (tmp_path / "symgrad.toml").write_text('author = "A & B"\nlogo = "logo.png"\nedition = "hints"\npaper = "letter"\n')
    (tmp_path / "one.yaml").write_text(PROBLEM)
    (tmp_path / "plain.yaml").write_text(PROBLEM.replace("logo: img/own.svg\n", ""))
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, [*arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.stdout, done.stderr


def test_settings_hold_where_nothing_else_is_said(folder: Path) -> None:
    code, text, _ = run("solve", "plain.yaml")
    assert code == 0
    assert text.startswith("![Logo](logo.png)\n\n# One\n\nA &amp; B\n")
    assert "*Hint.* Twice." in text
    assert "boxed" not in text
    assert "boxed" in run("solve", "plain.yaml", "--edition", "full")[1]
    assert "us-letter" in run("solve", "plain.yaml", "-f", "typ")[1]


def test_settings_stand_beside_the_problem(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        assert "A &amp; B" in run("solve", str(folder / "plain.yaml"))[1]


def test_the_problems_own_logo_comes_first(folder: Path) -> None:
    assert run("solve", "one.yaml")[1].startswith("![Logo](img/own.svg)")


@pytest.mark.parametrize("name", ["one.yaml", "plain.yaml"])
def test_every_format_has_the_logo(folder: Path, name: str) -> None:
    page = run("solve", name, "-f", "html")[1]
    kind, data = ("svg+xml", SVG) if name == "one.yaml" else ("png", PNG)
    assert f'<img class="logo" src="data:image/{kind};base64,{base64.b64encode(data).decode()}" alt="Logo">' in page
    assert run("solve", name, "-o", "sheet.pdf")[0] == 0
    assert (folder / "sheet.pdf").read_bytes().startswith(b"%PDF")


def test_errors_have_places(folder: Path) -> None:
    (folder / "symgrad.toml").write_text('papr = "a4"\npaper = "a5"\nauthor = 3\ndiagram = "yes"\n')
    code, _, err = run("solve", "plain.yaml")
    assert code == 2
    assert [line for line in err.splitlines() if line.startswith("symgrad.toml:")] == [
        "symgrad.toml:1:1: symgrad.toml has no field 'papr'",
        "symgrad.toml:2:1: 'paper' is a4 or letter",
        "symgrad.toml:3:1: 'author' is a text in quotation marks",
        "symgrad.toml:4:1: 'diagram' is true or false",
    ]
    assert "did you mean 'paper'?" in err


def test_broken_toml_has_a_place(folder: Path) -> None:
    (folder / "symgrad.toml").write_text('author = "A"\npaper = \n')
    with pytest.raises(ProblemError, match=r"symgrad\.toml:2:9: Invalid value"):
        read_settings(folder / "symgrad.toml")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("../logo.png", "a logo is a file beside this one"),
        ("/etc/passwd", "a logo is a file beside this one"),
        ("logo.gif", "a logo is one of .png, .jpg, .jpeg, .svg"),
        ("none.png", "the logo cannot be opened"),
        ("fake.png", "this is no PNG image of at most 4 MB"),
    ],
)
def test_logos_that_cannot_be_used(folder: Path, path: str, message: str) -> None:
    (folder / "fake.png").write_bytes(b"root:x:0:0")
    with pytest.raises(ProblemError, match=message):
        read_logo(Source(str(folder / "symgrad.toml"), path))
