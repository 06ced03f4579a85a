"""Plots as pictures: the same bytes every time, in every format, and what is said where matplotlib is missing."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from symgrad import pipeline
from symgrad.cli import main
from symgrad.errors import MachineError, ProblemError
from symgrad.sheet import plotting
from symgrad.sheet.pdf import tex_document, typst_document

CASES = [
    ("vanishing", "gradient-flow", {}),
    ("focal_loss", "loss-surface", {"values": "{gamma: [0, 1/2, 1, 2, 5]}"}),
    ("focal_loss", "loss-surface", {"form": "contours"}),
    ("focal_loss", "loss-surface", {"of": "CE", "over": "p"}),
]


@pytest.fixture(autouse=True)
def _matplotlib() -> None:
    pytest.importorskip("matplotlib")


@pytest.mark.parametrize(("name", "kind", "fields"), CASES)
@pytest.mark.parametrize(("format", "start"), [("svg", "<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_pictures(name: str, kind: str, fields: dict[str, str], format: str, start: str | bytes) -> None:
    problem = pipeline.load(name)
    first, second = (pipeline.plot(problem, kind, fields, format) for _ in range(2))
    assert first == second
    assert first[: len(start)] == start
    if isinstance(first, str):
        ET.fromstring(first)


@pytest.mark.parametrize("name", ["vanishing", "focal_loss"])
def test_plots_on_a_sheet(name: str) -> None:
    problem = pipeline.load(name)
    question = problem.ids[-1]
    answers = [(problem, pipeline.derive(problem, [question]))]
    page = str(pipeline.printed(answers, "html"))
    assert '<img class="chart" src="data:image/svg+xml;base64,' in page
    assert typst_document(str(pipeline.printed(answers, "typ"))).startswith(b"%PDF")
    text = str(pipeline.printed(answers, "md"))
    assert {"vanishing": "dashed: the bound", "focal_loss": "a curve for each $\\gamma$"}[name] in text
    assert text.count("\n| ") >= 6


def test_plots_in_tex() -> None:
    problem = pipeline.load("focal_loss")
    source = str(pipeline.printed([(problem, pipeline.derive(problem, ["surface"]))], "tex"))
    assert source.count(r"\addplot[") == 5
    try:
        assert tex_document(source).startswith(b"%PDF")
    except MachineError as error:
        pytest.skip(error.message)


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plotting, "find_spec", lambda name: None)
    problem = pipeline.load("focal_loss")
    with pytest.raises(MachineError, match=r"^a plot needs matplotlib: pip install 'symgrad\[plots\]'$"):
        pipeline.plot(problem, "loss-surface", {}, "svg")
    page = str(pipeline.printed([(problem, pipeline.derive(problem, ["surface"]))], "html"))
    assert "A plot needs matplotlib" in page
    assert page.count("<tr>") > 6


@pytest.mark.parametrize(
    ("name", "kind", "fields", "message"),
    [
        ("bptt", "loss-surface", {}, "bptt has no number of one or two scalars; say --of and --over"),
        ("focal_loss", "gradient-flow", {}, "focal_loss has no recurrence of vectors; say --of and --wrt"),
        ("focal_loss", "loss-surface", {"of": "FL", "over": "[p, gama]"}, "'gama' is neither declared nor defined"),
    ],
)
def test_what_is_not_there(name: str, kind: str, fields: dict[str, str], message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        pipeline.plot(pipeline.load(name), kind, fields, "svg")
    assert caught.value.message == message


def test_on_the_command_line(tmp_path: Path) -> None:
    target = tmp_path / "flow.svg"
    done = CliRunner().invoke(main, ["plot", "gradient-flow", "bptt", "-o", str(target)])
    assert (done.exit_code, done.stderr) == (0, "")
    ET.fromstring(target.read_text())
    done = CliRunner().invoke(main, ["plot", "loss-surface", "focal_loss", "--of", "FL", "--over", "p"])
    assert (done.exit_code, done.stderr) == (1, "no value is given for gamma: add it to 'at'\n")
