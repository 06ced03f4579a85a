"""Answers in which words are lost, doubled or others: every line is read or refused, judged or not, and none by a fault."""

import re
from functools import cache
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from symgrad.pipeline import load
from symgrad.verification.marked import Markers

ANSWERS = Path(__file__).parent / "answers"
WORD = re.compile(r"\\[A-Za-z]+|\w+|\s+|.", re.DOTALL)
LINES = [x for file in sorted(ANSWERS.iterdir()) for x in file.read_text("utf-8").splitlines() if x.strip()]
WORDS = sorted({word for line in LINES for word in WORD.findall(line)})


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A few lines of an answer, damaged."""
    first = draw(st.integers(0, len(LINES) - 1))
    pieces = WORD.findall("\n\n".join(LINES[first : first + draw(st.integers(1, 4))]))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(pieces)))
        pieces[at : at + draw(st.integers(0, 2))] = draw(st.lists(st.sampled_from(WORDS), max_size=2))
    return "".join(pieces) + "\n"


@cache
def markers(problem: str) -> Markers:
    return Markers.of([load(problem)])


@given(st.sampled_from(["bptt", "attention_rnn", "residual"]), damaged())
@example("residual", "$W_x \\in \\mathbb{R}^{ \\times n}$\n")
@example("residual", "$$W_{ } = \\left\\lfloor \\frac{W + 2P - D(K-1) - 1}{S} + 1 \\right\\rfloor$$\n")
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_line_is_lost_by_a_fault(problem: str, text: str) -> None:
    for claim in markers(problem).mark(text).claims:
        assert 0 <= claim.place.resolved().start <= claim.place.resolved().end <= len(text)
        assert not claim.reason.startswith("symgrad cannot judge this")
