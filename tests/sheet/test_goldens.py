"""Whole sheets, read by a person before they were kept; figures of the checks are left out, being the machine's."""

import re
from pathlib import Path

import pytest

from symgrad import pipeline

HERE = Path(__file__).parent / "goldens"
FIGURES = re.compile(r"(?<=relative error )[^;]+|(?<=differences to )[^.*]+")


@pytest.mark.parametrize("path", sorted(HERE.iterdir()), ids=lambda p: p.name)
def test_the_sheet_is_the_one_that_was_read(path: Path) -> None:
    name, _, suffix = path.name.partition(".")
    problem = pipeline.load(name)
    text = pipeline.printed([(problem, pipeline.derive(problem))], suffix)
    assert isinstance(text, str)
    assert FIGURES.sub("…", text) == FIGURES.sub("…", path.read_text())
