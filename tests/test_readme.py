"""The README's example: what it shows is what the commands print."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from symgrad.cli import main

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
LAYER = next(text for kind, text in BLOCKS if kind == "yaml")
ANSWER = next(text for kind, text in BLOCKS if kind == "markdown")


def block(beginning: str) -> str:
    """The block that begins so."""
    return next(text for _, text in BLOCKS if text.startswith(beginning))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "layer.yaml").write_text(LAYER)
    (tmp_path / "answer.md").write_text(ANSWER)
    return tmp_path


def said(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments).output


def test_the_derivation(here: Path) -> None:
    (shown,) = re.findall(r"^\$\$\n\\begin\{aligned\}.*?^\$\$\n", README, re.DOTALL | re.MULTILINE)[:1]
    assert shown in said("solve", "layer.yaml", "--format", "md")


def test_the_code(here: Path) -> None:
    head, *body = block("def weights").splitlines()
    printed = said("solve", "layer.yaml", "--format", "numpy")
    assert head in printed
    assert "\n".join(body) in printed


def test_the_mistake(here: Path) -> None:
    (here / "layer.yaml").write_text(LAYER.replace("= softmax", "= soft_max"))
    assert block("layer.yaml:9:9").strip() in said("solve", "layer.yaml")


def test_the_verdicts(here: Path) -> None:
    command, shown = block("$ symgrad verify").split("\n", 1)
    assert said(*command.split()[2:]).strip() == shown.strip()
