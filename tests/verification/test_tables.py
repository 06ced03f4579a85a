"""Tables of numbers: the verdict on every row, from the results of the questions worked out by hand.

The ten detections hit at ranks 1, 2, 6, 7 and 10 of five objects. Box a is (0, 0, 11, 12) beside (0, 0, 8, 8): 64 of 132
shared, box b is (0, 0, 5, 4): 20 of 64; both corners are 5 away. The convolved picture is [1 13 20; 19 99 92; 26 86 64].
"""

import pytest

from symgrad.pipeline import load
from symgrad.verification.marked import Markers

RANKED = """
| Rank | TP | FP | Precision | Recall |
|---|---|---|---|---|
| 1 | 1 | 0 | 1 | 0.2 |
| 3 | 2 | 1 | 0.67 | 2/5 |
| 6 | 3 | 3 | $\\frac{1}{2}$ | 60% |
| 7 | 4 | 3 | 0.61 | 0.8 |
| 8 | 4 | 4 | **0.5** | 0.6 |
| 11 | 5 | 6 | 5/11 | 1 |
"""
HITS = """
Detection\tCorrect?\tPrecision\tRecall
1\tyes\t1\t1/5
2\tno\t1\t2/5
3\tno\t2/3\t2/5
"""
LEVELS = """
| $r$ | 0 | 0.4 | 0.5 | 1 |
|--|--|--|--|--|
| $p_{\\mathrm{interp}}(r)$ | 1 | 1 | 4/7 | 0.5 |
| Precision | 1 | 1 | 1/2 | 0.5 |
"""
BOXES = """
<table><tr><th>Box</th><th>$L_2$</th><th>IoU</th></tr>
<tr><td>box b</td><td>5</td><td>0.31</td></tr>
<tr><td>box a</td><td>5</td><td>64/132</td></tr></table>

| | distance | overlap |
|-|-|-|
| first | $\\sqrt{25}$ | 0.48 |
| second | 5 | 0.5 |
"""
LAYERS = """
\\begin{tabular}{|l|c|c|}
\\hline
Layer & Output size & Parameters \\\\ \\hline
first & $28 \\times 28 \\times 6$ & 6 · 26 = 156 \\\\
second & 5x15x15 & 86 \\\\ \\hline
third & (7, 7, 7) & 100,352 \\\\
fourth & 3 & 4
\\end{tabular}

| multiplications | additions |
|---|---|
| 2,508,800 | 2507200 |
| 2508800 | 2508800 |
"""
PICTURE = """
|    | c1 | c2 | c3 |
|----|----|----|----|
| r1 | 1  | 13 | 20 |
| r2 | 19 | 99 | 92 |
| r3 | 26 | 68 | 64 |

1\t13\t20
19\t99\t92
26\t86\t64

| points | of |
|---|---|
| 1 | 2 |
"""
TABLES = [
    ("average_precision", RANKED, "right, right-to-precision, right, wrong, wrong"),
    ("average_precision", HITS, "right, wrong, right"),
    ("average_precision", LEVELS, "right, wrong"),
    ("iou_l2", BOXES, "right-to-precision, right, right-to-precision, wrong"),
    ("layer_counts", LAYERS, "right, right, wrong, right, right, wrong"),
    ("conv_by_hand", PICTURE, "right, right, wrong, right, right, right, unjudged"),
]


@pytest.mark.parametrize(("problem", "text", "verdicts"), TABLES)
def test_every_row_has_a_verdict(problem: str, text: str, verdicts: str) -> None:
    marked = Markers.of([load(problem)]).mark(f"# Table\n{text}")
    assert ", ".join(claim.verdict for claim in marked.claims) == verdicts


def test_a_wrong_cell_is_named_with_what_it_should_be() -> None:
    marked = Markers.of([load("average_precision")]).mark(RANKED)
    assert [claim.reason for claim in marked.wrong] == ["the precision is 4/7", "the recall is 4/5"]
    assert [claim.place.line for claim in marked.wrong] == [7, 8]


def test_a_row_is_marked_by_the_problem_that_knows_it() -> None:
    marked = Markers.of([load("layer_counts"), load("iou_l2"), load("conv_by_hand")]).mark(f"{BOXES}\n{PICTURE}")
    assert [c.problem for c in marked.claims if c.verdict != "unjudged"] == ["iou_l2"] * 4 + ["conv_by_hand"] * 6


NAMED = [
    (r"$AP = \frac{51}{70}$", "right"),
    (r"$\mathrm{mAP} = 0.73$", "right-to-precision"),
    (r"$AP = 0.7$", "right-to-precision"),
    (r"$AP = 0.71$", "wrong"),
    (r"$IoU_a = \frac{16}{33} \approx 0.485$", "right, right-to-precision"),
    (r"$IoU_b = \frac{16}{33}$", "wrong"),
    (r"$\text{IoU} = 20/64$", "right"),
    (r"$IoU = 0.25$", "wrong"),
    (r"$d = \sqrt{3^2 + 4^2} = 5$", "right, right"),
]


@pytest.mark.parametrize(("text", "verdicts"), NAMED)
def test_numbers_that_tables_name(text: str, verdicts: str) -> None:
    marked = Markers.of([load("average_precision"), load("iou_l2")]).mark(f"So {text}.\n\nThat is all.")
    assert ", ".join(claim.verdict for claim in marked.claims) == verdicts
