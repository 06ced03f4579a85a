"""A paragraph without marks says the same with and without a reader of Markdown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad import pipeline
from symgrad.problem.bank import bank_names
from symgrad.sheet.plain_prose import pieces
from symgrad.sheet.tex_markdown import written
from symgrad.sheet.tex_prose import prose

SIGNS = ["a", "word", "x", "7", " ", "  ", ".", ",", ":", "(", ")", "-", "$", "$f_t$", "$ x$", "_", "*", "`", "\n", "\\", "1.", "#", "é", "<b>", "&", "'"]  # fmt: skip


@given(st.lists(st.sampled_from(SIGNS), max_size=12).map("".join))
def test_it_is_the_same_text(markdown: str) -> None:
    assert prose(markdown) == written(markdown)


@pytest.mark.parametrize("name", bank_names())
def test_what_the_bank_says_is_the_same_text(name: str) -> None:
    problem = pipeline.load(name)
    for text in (problem.about, *(q.prompt for q in problem.questions), *(q.note for q in problem.questions)):
        assert prose(text) == written(text)


def test_a_formula_needs_no_reader() -> None:
    found = pieces("With $f_t \\approx 1$ the gradient flows back.")
    assert found is not None
    assert [(x.text, x.formula) for x in found] == [
        ("With ", False), ("f_t \\approx 1", True), (" the gradient flows back.", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "markdown", ["- a list", "1. a list", "a *word*", "two\nlines", "a `code`", "<b>", "x$y$", "$x$5"]
)
def test_marks_need_one(markdown: str) -> None:
    assert pieces(markdown) is None
