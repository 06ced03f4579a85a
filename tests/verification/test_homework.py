"""Whole answers of many hands: on every line that states something, the verdict that the mathematics gives it.

They are written as recognised pages are: other letters, scalars beside matrices, lost signs, lines in parallel, lines
that go on from the ones before, several problems on one sheet.
"""

from pathlib import Path

import pytest

from symgrad.pipeline import load
from symgrad.verification.marked import Markers

ANSWERS = Path(__file__).parent / "answers"

HOMEWORK = {
    "convolutions-and-recurrences.md": (
        "conv_sizes conv1d_index gated_rnn attention_rnn attention_rnn_k attention_rnn_all",
        """
        11: unjudged, unjudged
        13: right, right, right
        15: unjudged, unjudged
        17: right
        19: right
        21: right
        25: definition, unjudged
        27: right, right
        31: right
        33: right
        37: right
        39: right
        43: right, right
        47: right
        49: right, right
        59: right
        61: right
        63: right, right, right, right, right, definition
        67: right
        71: right
        73: right
        75: right
        79: right, right
        81: right-as-scalars
        83: right-if
        85: right
        89: right, right, right
        91: right, right, right
        93: right, right, right
        95: right
        97: right
        99: right
        101: right
        105: right, right, right, right, right, right
        109: right-other-layout
        111: right
        113: right-other-layout
        115: right
        117: right
        121: right
        123: right
        """,
    ),
    "filters-and-gates.md": (
        "conv_by_hand layer_counts softmax_ce lstm_step",
        """
        9: unjudged, right, right, right
        11: definition
        13: right
        15: right, right
        17: right, right
        19: right-if, right
        25: right
        26: wrong
        27: wrong
        31: right, right
        33: right, right
        35: unjudged, right, right, right
        39: right
        41: definition
        45: right
        49: right, right
        53: right, right
        57: right, right
        59: right, right
        61: right, right, right
        63: right, definition, right
        66: right
        67: right
        68: right
        73: right
        75: right
        77: unjudged
        79: right, right
        84: right
        85: right
        86: right
        87: right
        88: right
        91: right
        93: right
        95: right
        97: wrong, right
        """,
    ),
    "bounds-and-games.md": (
        "vae_elbo gan_optimum loss_at_init focal_loss",
        """
        10: right
        12: right
        15: right
        16: right
        17: right
        18: right
        21: unread, right
        23: wrong
        25: unjudged, unjudged
        27: right
        29: right
        31: right, right, right, right
        33: wrong
        37: right
        39: right
        43: right
        45: unjudged, right-if
        47: right
        49: right
        51: right
        53: right, right, right, right-if, right-if
        57: right-if, right-if, right-if, right-to-precision, right-if, right-if, definition
        59: right, right-if
        63: right
        65: definition, right-if
        67: right, right
        69: right
        71: right
        73: right-if
        """,
    ),
    "adjoints.md": (
        "bptt",
        """
        7: definition, right, right, right, right, definition
        9: right, right
        15: right
        17: right
        21: right
        23: right
        25: right, right
        27: shape-error
        31: definition
        34: right
        35: right
        36: right
        41: right
        45: right
        47: unread
        49: right
        51: right
        53: wrong
        58: right
        59: right
        60: right
        61: right
        66: right
        68: right
        70: right-if
        """,
    ),
    "spelled-out.md": (
        "conv_sizes conv1d_index gated_rnn attention_rnn attention_rnn_k attention_rnn_all",
        """
        11: right, right, right
        16: right, right
        21: right
        24: right
        27: right
        30: right
        33: right
        38: right, right
        45: right
        50: right, right
        54: right
        57: right
        60: right
        63: right
        67: right
        73: right, right
        74: right, right
        75: right, right
        76: right
        77: right
        78: right
        85: right, right, right
        89: right
        95: right-other-layout
        98: right
        101: right-other-layout
        105: right
        110: right
        """,
    ),
    "bold-letters.md": (
        "bptt vanishing focal_loss",
        """
        14: right
        15: right
        16: right
        20: right
        25: right
        29: right
        32: definition, right
        35: right
        40: right
        41: right
        49: wrong
        54: right
        57: right
        60: definition
        63: right-if, right
        69: right
        73: right
        79: right, right
        82: definition, right-if
        85: right
        89: right, right
        92: definition, right-if
        96: right
        97: right-if
        """,
    ),
    "residual.tex": (
        "residual vanishing conv_sizes",
        """
        12: right, right, right, right
        15: right
        16: right
        17: right
        18: right
        22: right
        23: right
        24: right
        25: right, right
        26: right
        27: right
        28: right, right
        30: right-other-layout
        32: wrong
        33: right-other-layout
        37: right, right
        41: right
        43: right
        47: right
        48: right-if, right-if
        49: right
        51: unjudged
        52: wrong
        55: right
        """,
    ),
    "one-cell.md": (
        "lstm",
        """
        9: right
        10: right
        11: right
        12: definition
        13: right
        14: right
        16: right, right, wrong, right
        22: right
        26: right
        30: right
        31: right
        32: shape-error
        33: right
        34: wrong
        39: right
        46: right
        48: right
        50: wrong
        52: right
        56: right, right-if
        58: definition, right-if
        60: right-if
        62: wrong
        66: right, right
        68: right
        69: right
        70: wrong
        71: right, right, right
        72: wrong
        74: definition
        76: right
        77: shape-error
        79: right, right
        81: wrong
        82: right-other-layout
        84: right
        85: right
        86: right
        87: wrong
        """,
    ),
    "attention-and-norms.md": (
        "attention_rnn gated_rnn vanishing",
        """
        5: right, right
        7: right, right, right, wrong
        11: right
        13: wrong
        15: wrong
        17: right, right
        19: right
        21: right
        22: wrong
        23: right
        24: right
        25: right
        26: right
        30: right
        32: right, right, right
        33: right-if, right-if, right
        34: right, right, right
        36: right, right
        38: right
        39: wrong
        40: wrong
        41: wrong
        43: right
        45: right
        46: right
        47: wrong
        48: right
        52: right, right
        53: right
        54: wrong
        55: right-if
        """,
    ),
}


@pytest.mark.parametrize("name", HOMEWORK)
def test_every_line_has_the_verdict_of_the_mathematics(name: str) -> None:
    problems, table = HOMEWORK[name]
    marked = Markers.of([load(problem) for problem in problems.split()]).mark(ANSWERS / name)
    found: dict[int, list[str]] = {}
    for claim in marked.claims:
        found.setdefault(claim.place.line, []).append(claim.verdict)
    rows = [row.split(": ") for row in table.split("\n") if row.strip()]
    assert found == {int(line): verdicts.split(", ") for line, verdicts in rows}
