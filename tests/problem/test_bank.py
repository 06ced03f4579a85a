"""The bank: problems by name, by path, and near names."""

from __future__ import annotations

from pathlib import Path

import pytest

from symgrad.errors import ProblemError
from symgrad.problem import bank


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "problems"
    (root / "rnn").mkdir(parents=True)
    for name in ("softmax.yaml", "rnn/bptt.yaml", "rnn/lstm.yml", "README.md"):
        (root / name).touch()
    monkeypatch.setattr(bank, "problems_dir", lambda: root)
    return root


def test_names(problems: Path) -> None:
    assert bank.bank_names() == ("rnn/bptt", "rnn/lstm", "softmax")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("softmax", "softmax.yaml"),
        ("rnn/bptt", "rnn/bptt.yaml"),
        ("bptt", "rnn/bptt.yaml"),
        ("lstm", "rnn/lstm.yml"),
    ],
)
def test_a_problem_by_name(problems: Path, name: str, file: str) -> None:
    assert bank.find_problem(name) == problems / file


def test_a_path_is_itself(problems: Path) -> None:
    path = problems / "softmax.yaml"
    assert bank.find_problem(str(path)) == path


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "softmx",
            "softmx: there is no bundled problem of that name, and no such file\n    did you mean 'softmax'?",
        ),
        ("zzz", "zzz: there is no bundled problem of that name, and no such file"),
    ],
)
def test_an_unknown_name(problems: Path, name: str, says: str) -> None:
    with pytest.raises(ProblemError) as caught:
        bank.find_problem(name)
    assert str(caught.value) == says


def test_a_misspelled_path_suggests_its_neighbour(problems: Path) -> None:
    with pytest.raises(ProblemError) as caught:
        bank.find_problem(problems / "rnn" / "bpt.yaml")
    assert caught.value.diagnostics[0].suggestion == "bptt.yaml"
