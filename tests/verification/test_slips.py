"""Right lines in other forms are accepted; every slip of the table, applied to them, is rejected and named."""

import pytest

from symgrad.pipeline import load
from symgrad.verification.diagnosis.slips import SLIPS
from symgrad.verification.judging import verdicts as w
from symgrad.verification.marked import Markers

STATE = r"\frac{\partial E_t}{\partial h_t} = "
JACOBIAN = r"\frac{\partial h_t}{\partial h_{t-1}} = "
FIRST = r"\frac{\partial E_1}{\partial W} = "
SECOND = r"\frac{\partial E_2}{\partial V} = "
TOTAL = r"\frac{\partial E}{\partial V} = "
OUTPUT = r"\frac{\partial \hat y_t}{\partial z_t} = "
CELL = r"\delta o_t = "
GATE = r"\delta u_t = "
ENTRIES = r"\frac{\partial \hat y_{t,i}}{\partial z_{t,j}} = "
SCORES = r"\frac{\partial e}{\partial x} = "

FORMS = [
    ("bptt", STATE, [r"V^\top(\hat y_t - y_t)", r"-V^\top(y_t - \hat y_t)", r"V^\top \hat y_t - V^\top y_t",
                     r"\left((\hat y_t - y_t)^\top V\right)^\top"]),
    ("bptt", JACOBIAN, [r"\operatorname{diag}(1 - h_t^2) W", r"(1 - h_t \odot h_t) \odot W",
                        r"\left(W^\top \operatorname{diag}(1 - h_t^2)\right)^\top", r"W - \operatorname{diag}(h_t^2) W",
                        r"\operatorname{diag}(\operatorname{sech}^2(U I_t + W h_{t-1})) W",
                        r"\operatorname{diag}(1 - \tanh^2(W h_{t-1} + U I_t)) W",
                        r"(I - \operatorname{diag}(h_t) \operatorname{diag}(h_t)) W"]),
    ("bptt", FIRST, [r"\left((1 - h_1^2) \odot V^\top(\hat y_1 - y_1)\right) h_0^\top",
                     r"\operatorname{diag}(1 - h_1^2) V^\top (\hat y_1 - y_1) h_0^\top",
                     r"\left(h_0 (\hat y_1 - y_1)^\top V \operatorname{diag}(1 - h_1^2)\right)^\top"]),
    ("bptt", TOTAL, [r"\sum_{t=1}^{3} (\hat y_t - y_t) h_t^\top", r"\sum_{k=0}^{2} (\hat y_{k+1} - y_{k+1}) h_{k+1}^\top",
                     r"\sum_{t=1}^{3} \hat y_t h_t^\top - \sum_{t=1}^{3} y_t h_t^\top"]),
    ("bptt", OUTPUT, [r"\operatorname{diag}(\hat y_t) - \hat y_t \hat y_t^\top",
                      r"-\hat y_t \hat y_t^\top + \operatorname{diag}(\hat y_t)"]),
    ("lstm", CELL, [r"\delta h_t \odot \tanh(c_t)", r"\operatorname{diag}(\tanh(c_t)) \delta h_t"]),
    ("lstm", GATE, [r"\delta c_t \odot i_t", r"i_t \odot \delta c_t"]),
    ("softmax_ce", SCORES, [r"p - p^*", r"-(p^* - p)"]),
]  # fmt: skip

SLIPPED = [
    ("bptt", STATE, r"V (\hat y_t - y_t)", "transpose"),
    ("bptt", STATE, r"V^\top(\hat y_t + y_t)", "sign"),
    ("bptt", STATE, r"V^\top(y_t - \hat y_t)", "sign"),
    ("bptt", STATE, r"V^\top(\hat y_{t-1} - y_t)", "step"),
    ("bptt", STATE, r"V^\top(\hat y_t - y_{t+1})", "step"),
    ("bptt", STATE, r"V^\top \hat y_t - y_t", "bracket"),
    ("bptt", STATE, r"\hat y_t - y_t", "factor"),
    ("bptt", STATE, r"2 V^\top(\hat y_t - y_t)", "factor"),
    ("bptt", STATE, r"V^\top(z_t - y_t)", "variable"),
    ("bptt", JACOBIAN, r"W \operatorname{diag}(1 - h_t^2)", "order"),
    ("bptt", JACOBIAN, r"\operatorname{diag}(1 - h_t^2) W^\top", "transpose"),
    ("bptt", JACOBIAN, r"\operatorname{diag}(1 + h_t^2) W", "sign"),
    ("bptt", JACOBIAN, r"\operatorname{diag}(1 - h_{t-1}^2) W", "step"),
    ("bptt", JACOBIAN, r"\operatorname{diag}(1 - h_t) W", "exponent"),
    ("bptt", JACOBIAN, r"\operatorname{diag}(h_t) W", "slope"),
    ("bptt", JACOBIAN, r"\operatorname{diag}(\tanh(U I_t + W h_{t-1})) W", "slope"),
    ("bptt", JACOBIAN, r"\operatorname{diag}(1 - h_t^2) U", "variable"),
    ("bptt", FIRST, r"\left((1 - h_1^2) \odot V^\top(\hat y_1 - y_1)\right) h_0", "transpose"),
    ("bptt", FIRST, r"\left((1 - h_1^2) V^\top(\hat y_1 - y_1)\right) h_0^\top", "diag"),
    ("bptt", FIRST, r"\left((1 - h_1^2) \odot V^\top(\hat y_1 - y_1)\right) h_1^\top", "step"),
    ("bptt", FIRST, r"\left((1 - h_1^2) \odot W^\top(\hat y_1 - y_1)\right) h_0^\top", "variable"),
    ("bptt", FIRST, r"V^\top(\hat y_1 - y_1) h_0^\top", "factor"),
    ("bptt", SECOND, r"h_2 (\hat y_2 - y_2)^\top", "layout"),
    ("bptt", TOTAL, r"\sum_{t=1}^{2} (\hat y_t - y_t) h_t^\top", "bound"),
    ("bptt", TOTAL, r"\sum_{t=2}^{3} (\hat y_t - y_t) h_t^\top", "bound"),
    ("bptt", TOTAL, r"\sum_{t=1}^{3} (\hat y_t - y_t) h_{t-1}^\top", "step"),
    ("bptt", OUTPUT, r"\operatorname{diag}(\hat y_t) + \hat y_t \hat y_t^\top", "sign"),
    ("bptt", OUTPUT, r"\hat y_t - \hat y_t \hat y_t^\top", "diag"),
    ("bptt", r"\frac{\partial E}{\partial h_t} = ", r"V^\top(\hat y_t - y_t)", "path"),
    ("bptt", r"\frac{\partial E_2}{\partial h_1} = ", r"W^\top \left((1 - h_2^2) V^\top (\hat y_2 - y_2)\right)", "diag"),
    ("lstm", CELL, r"\delta h_t \tanh(c_t)", "product"),
    ("lstm", CELL, r"\delta h_t \odot c_t", None),
    ("lstm", GATE, r"\delta c_t \odot f_t", "variable"),
    ("lstm", GATE, r"\delta c_{t+1} \odot i_t", "step"),
    ("lstm", r"\frac{\partial f_t}{\partial h_{t-1}} = ", r"\operatorname{diag}(f_t \odot f_t) U^f", "complement"),
    ("gated_rnn", r"\frac{\partial l}{\partial h_t} = ", r"\left(\frac{\partial h_{t+1}}{\partial h_t}\right)^\top \delta h_{t+1}", "path"),
    ("softmax_ce", SCORES, r"p + p^*", "sign"),
    ("softmax_ce", r"\frac{\partial e}{\partial x_2} = ", r"p_1 - p^*_2", "index"),
    ("bptt", r"h_t = ", r"\sigma(U I_t + W h_{t-1})", "function"),
    ("bptt", r"E_t = ", r"-\hat y_t^\top \log y_t", "exchange"),
    ("bptt", ENTRIES, r"\hat y_{t,i} (\delta_{ij} - \hat y_{t,i})", "index"),
    ("bptt", r"\frac{\partial h_{t,i}}{\partial h_{t-1,j}} = ", r"(1 - h_{t,i}^2) W_{ji}", "transpose"),
    ("bptt", r"\frac{\partial E_3}{\partial V_{ij}} = ", r"(\hat y_{3,j} - y_{3,j}) h_{3,i}", "transpose"),
    ("bptt", r"\hat y_{t,i} = ", r"\frac{e^{z_{t,i}}}{\sum_{j=1}^{n} e^{z_{t,j}}}", "bound"),
    ("bptt", r"\frac{\partial E_2}{\partial W} = ", r"\left((1 - h_2^2) \odot V^\top(\hat y_2 - y_2)\right) h_1^\top", "path"),
    ("residual", r"x_3 = ", r"H x_1", "term"),
    ("residual", r"\frac{\partial x_4}{\partial x_3} = ", r"\operatorname{diag}(\mathbb{1}[x_3 < 0])", "sign"),
    ("softmax_ce", r"\frac{\partial e}{\partial p_i} = ", r"-\frac{p_i}{p^*_i}", "exchange"),
]  # fmt: skip


@pytest.fixture(scope="module")
def markers() -> dict[str, Markers]:
    return {name: Markers.of([load(name)]) for name in ("bptt", "gated_rnn", "lstm", "residual", "softmax_ce")}


@pytest.mark.parametrize(
    ("problem", "formula"), [(p, left + right) for p, left, forms in FORMS for right in forms], ids=str
)
def test_every_form_of_a_right_line_is_right(markers: dict[str, Markers], problem: str, formula: str) -> None:
    assert [c.verdict for c in markers[problem].mark(formula, formula=True).claims] == [w.RIGHT]


@pytest.mark.parametrize(("problem", "left", "right", "slip"), SLIPPED, ids=[s[1] + s[2] for s in SLIPPED])
def test_every_slip_is_rejected_and_named(
    markers: dict[str, Markers], problem: str, left: str, right: str, slip: str | None
) -> None:
    (claim,) = markers[problem].mark(left + right, formula=True).claims
    if slip == "layout":
        assert claim.verdict == w.OTHER_LAYOUT
        return
    assert claim.verdict in (w.WRONG, w.SHAPE_ERROR, w.AS_SCALARS)
    if slip is None:
        return
    named = claim.diagnosis.partition(":")[0]
    assert named in ({"diag", "product"} if slip in ("diag", "product") else {slip})
    (again,) = markers[problem].mark(left + claim.correction, formula=True).claims
    assert again.verdict == w.RIGHT


def test_every_slip_of_the_table_occurs_above() -> None:
    assert {s.name for s in SLIPS} <= {s for _, _, _, s in SLIPPED if s is not None}
