"""Two real answers: the verdict on every statement, from the mathematics.

In the first, written for a recurrent network, most products stand in an order that only plain numbers allow; the sum for
the second weight has lost its braces. In the second, σ of a norm is not σ(1), and W is written once where U is meant.
"""

from pathlib import Path

import pytest

from symgrad.pipeline import load
from symgrad.verification.marked import Marked, Markers

ANSWERS = Path(__file__).parent / "answers"

BPTT = [
    (17, "right"),  # h_t = \tanh[UI_t + Wh_{t-1}]
    (19, "right"),  # \hat{y_t} = softmax(Vh_t)
    (23, "right"),  # t}{\partial \hat{y}_t} * \frac{\partial \hat{y}_t}{\partial z_t} * \fr
    (24, "right-other-layout"),  # } * \frac{\partial \hat{y}_t}{\partial z_t} * \frac{\partial z_t}{\par
    (32, "right"),  # \frac{\partial h_t}{\partial h_{t-1}} = \frac{\partial}{\partial h_{t-
    (34, "right-as-scalars"),  # \{1 - \tanh^2[UI_t + Wh_{t-1}]\}W
    (36, "right-as-scalars"),  # [1 - h_t^2]W
    (42, "right"),  # rac{\partial E_1}{\partial W} &= \frac{\partial E_1}{\partial h_1} * \
    (42, "right-as-scalars"),  # (\hat{y_1} - y_1) * V * (1 - h_1^2) * h_0
    (44, "right"),  # frac{\partial E_1}{\partial U} = \frac{\partial E_1}{\partial h_1} * \
    (45, "right-as-scalars"),  # (\hat{y_1} - y_1) * V * (1 - h_1^2) * I_1
    (47, "right"),  # frac{\partial E_1}{\partial V} = \frac{\partial E_1}{\partial z_1} * \
    (48, "right-as-scalars"),  # (\hat{y_1} - y_1) * h_1
    (52, "right"),  # 2} \sum_{k=1}^{2} \left[ \frac{\partial h_2}{\partial h_k} * \frac{\pa
    (52, "right-other-layout"),  # ial W} + \left[ \frac{\partial h_2}{\partial h_1} * \frac{\partial h_1
    (52, "wrong"),  # (\hat{y}_2 - y_2) * V * \left[ (1 - h_2^2)h_1 \right] + \left[ (1 - h_
    (52, "right-as-scalars"),  # (\hat{y}_2 - y_2) * V * (1 - h_2^2) * \left\{ h_1 + W(1 - h_1^2)h_0 \r
    (54, "right"),  # 2} \sum_{k=1}^{2} \left[ \frac{\partial h_2}{\partial h_k} * \frac{\pa
    (55, "right-other-layout"),  # ial U} + \left[ \frac{\partial h_2}{\partial h_1} * \frac{\partial h_1
    (56, "right-as-scalars"),  # _2) * V * \left\{ \left[ (1 - h_2^2)I_2 \right] + \left[ (1 - h_2^2)W(
    (57, "right-as-scalars"),  # )I_1 \right] \right\} = (\hat{y}_2 - y_2) * V * (1 - h_2^2) * \left\{
    (62, "right"),  # frac{\partial E_2}{\partial V} = \frac{\partial E_2}{\partial z_2} * \
    (63, "right-as-scalars"),  # (\hat{y_2} - y_2) * h_2
    (69, "right"),  # 3} \sum_{k=1}^{3} \left[ \frac{\partial h_3}{\partial h_k} * \frac{\pa
    (70, "right-other-layout"),  # \partial h_2} * \frac{\partial h_2}{\partial h_1} * \frac{\partial h_1
    (71, "right-as-scalars"),  #  (1 - h_3^2)W(1 - h_2^2)h_1 \right] + \left[ (1 - h_3^2)W(1 - h_2^2)W(
    (72, "right-as-scalars"),  #  - y_3) * V * (1 - h_3^2) * \left[ h_2 + W(1 - h_2^2) \left\{ h_1 + W(
    (75, "right"),  # 3} \sum_{k=1}^{3} \left[ \frac{\partial h_3}{\partial h_k} * \frac{\pa
    (76, "right-other-layout"),  # \partial h_2} * \frac{\partial h_2}{\partial h_1} * \frac{\partial h_1
    (77, "right-as-scalars"),  #  (1 - h_3^2)W(1 - h_2^2)I_2 \right] + \left[ (1 - h_3^2)W(1 - h_2^2)W(
    (78, "right-as-scalars"),  # 3 - y_3) * V * (1 - h_3^2) * \left[ I_3 + W(1 - h_2^2)\left\{ I_2 + W(
    (81, "right"),  # frac{\partial E_3}{\partial V} = \frac{\partial E_3}{\partial z_3} * \
    (82, "right-as-scalars"),  # l V} = \frac{\partial E_3}{\partial z_3} * \frac{\partial z_3}{\partia
    (89, "right"),  # \frac{\partial E}{\partial W} = \sum_{k=1}^{3} \frac{\partial E_k}{\pa
    (90, "right-as-scalars"),  #  - h_1^2)h_0\} + (\hat{y}_3 - y_3) * V * (1 - h_3^2) * [h_2 + W(1 - h_
    (97, "right"),  # \frac{\partial E}{\partial U} = \sum_{k=1}^{3} \frac{\partial E_k}{\pa
    (98, "right-as-scalars"),  #  - h_1^2)I_1\} + (\hat{y}_3 - y_3) * V * (1 - h_3^2) * [I_3 + W(1 - h_
    (102, "right"),  # \frac{\partial E}{\partial V} = \sum_{k=1}^{3} \frac{\partial E_k}{\pa
    (103, "right-as-scalars"),  # rtial E_k}{\partial V} = (\hat{y}_1 - y_1) * h_1 + (\hat{y}_2 - y_2) *
    (112, "right-if"),  # l h_3} \left( \prod_{j=k+1}^{3} \frac{\partial h_j}{h_{j-1}} \right) \
    (114, "wrong"),  # Each of these values is upper bounded by 1
    (139, "definition"),  # Rank=0
    (147, "right"),  # rank 1
    (148, "right"),  # rank 2
    (149, "right"),  # rank 3
    (150, "right"),  # rank 4
    (151, "right"),  # rank 5
    (152, "right"),  # rank 6
    (153, "right"),  # rank 7
    (154, "right"),  # rank 8
    (155, "right"),  # rank 9
    (156, "right"),  # rank 10
    (160, "definition"),  # AP = \frac{1}{11} \sum_{r \in \{0, 0.1, \dots, 1\}} p_{interp}(r)
    (165, "unjudged"),  # p_{interp}(r) = \max_{\tilde{r}:\tilde{r} \ge r} p(\tilde{r})
    (173, "right"),  # p_{interp}(r)
    (177, "right"),  # AP = \frac{1}{11}[1+1+1+1+1+\frac{4}{7}+\frac{4}{7}+\frac{4}{7}+\frac{
    (179, "right"),  # \frac{58}{77}
    (181, "right-to-precision"),  # 0.753
    (186, "definition"),  # \gamma = 0
    (188, "right"),  # FL = -(1 - p_t)^{\gamma} \log(p_t)
    (190, "right-if"),  # -\log(p_t)
    (192, "right-if"),  # CE
    (218, "unread"),  # in\_size * stride stride + kernel\_size 2 * padding
    (219, "unjudged"),  # 3 \times 3
    (219, "unjudged"),  # 7 \times 7
    (219, "right-if"),  # 3 \* 1 1 + 7 0
    (219, "unjudged"),  # 9 \times 9
    (230, "unjudged"),  # 4 \times 9
]

LSTM = [
    (11, "right"),  # i_t = \sigma(W^i x_t + U^i h_{t-1})
    (13, "right"),  # f_t = \sigma(W^f x_t + U^f h_{t-1})
    (15, "right"),  # o_t = \sigma(W^o x_t + U^o h_{t-1})
    (17, "right"),  # u_t = \tanh(W^c x_t + U^c h_{t-1})
    (19, "right"),  # c_t = f_t \circ c_{t-1} + i_t \circ u_t
    (21, "right"),  # h_t = o_t \circ \tanh(c_t)
    (23, "right"),  # \sigma(x) = \frac{1}{1 + e^{-x}}
    (35, "right"),  # h_t &= o_t \circ \tanh(c_t)
    (35, "right"),  # }{\partial h_{t-1}} \circ \tanh(c_t) + o_t \circ (\tanh'(c_t) \frac{\p
    (35, "right"),  # c_t &= f_t \circ c_{t-1} + i_t \circ u_t
    (35, "right"),  #  + \frac{\partial i_t}{\partial h_{t-1}} \circ u_t + i_t \circ \frac{\
    (35, "right"),  #  + \frac{\partial i_t}{\partial h_{t-1}} \circ u_t + i_t \circ \frac{\
    (39, "right"),  # \sigma(z) = \frac{1}{1 + e^{-z}}
    (41, "right"),  # \sigma'(z) = -1 \frac{1}{(1 + e^{-z})^2} (-e^{-z})
    (41, "right"),  # \sigma'(z) = -1 \frac{1}{(1 + e^{-z})^2} (-e^{-z}) = \frac{e^{-z}}{(1
    (45, "right"),  # f_t = \sigma(W^f x_t + U^f h_{t-1})
    (47, "right"),  # f_t[d_1] = \sigma(W^f[d_1, :] x_t + U^f[d_1, :] h_{t-1})
    (51, "right"),  # f_t[d_1] = \sigma(W^f[d_1,:] \cdot x_t + U^f[d_1,:] \cdot h_{t-1})
    (53, "right"),  # ot x_t + U^f[d_1,:] \cdot h_{t-1}) \frac{\partial (U^f[d_1,:] \cdot h_
    (55, "right"),  # U^f[d_1,:] \cdot h_{t-1} \in \mathbb{R}^1
    (57, "right"),  # U^f[d_1,:] \cdot h_{t-1} = \sum_{d} U^f(d_1,d) \cdot h_{t-1}(d)
    (61, "right-if"),  # \frac{\partial (U^f[d_1,d_2] \cdot h_{t-1}[d_2]}{\partial h_{t-1}[d_2]
    (62, "right"),  # U^f[d_1,d_2]
    (66, "right"),  # f_t[d_1] = \sigma(W^f[d_1,:]x_t + U^f[d_1,:]h_{t-1})
    (67, "right"),  # [d_1]}{\partial h_{t-1}[d_2]} = \sigma'(W^f[d_1,:] \cdot x_t + U^f[d_1
    (73, "unjudged"),  # f_t \approx 1
    (73, "definition"),  # f_t \approx 1
    (75, "right"),  # c_t = f_t \circ c_{t-1} + i_t \circ u_t
    (75, "right-if"),  # c_t = f_t \circ c_{t-1} + i_t \circ u_t \approx 1 \circ c_{t-1} + i_t
    (75, "right"),  #  f_t \circ c_{t-1} + i_t \circ u_t \approx 1 \circ c_{t-1} + i_t \circ
    (77, "unjudged"),  # \frac{\partial c_t}{\partial c_{t-1}} \approx 1
    (81, "right"),  # f_t = \sigma(W^f x_t + U^f h_{t-1})
    (85, "right"),  # x_t \in \mathbb{R}^d
    (85, "right"),  # W_f \in \mathbb{R}^{k \times d}
    (85, "right"),  # h_{t-1} \in \mathbb{R}^k
    (85, "wrong"),  # W_f \in \mathbb{R}^{k \times k}
    (87, "unjudged"),  # \mathbb{R}^k
    (89, "right"),  # f_t(d) = \sigma(W^f(d) \cdot x_t + U^f(d) \cdot h_{t-1})
    (93, "definition"),  # x_t = 0
    (93, "unjudged"),  # U^f(d) \neq 0
    (97, "unread"),  # peratorname{argmax}_{\{h_{t-1}: \|h_{t-1}\|_2 = 1\}} \sigma(W^f(d) \cd
    (99, "right"),  # v \cdot v = ||v||_2^2
    (103, "right"),  # \mathrm{argmax}_{v:\|v\|_2=1}u\cdot v=\frac{u}{\|u\|_2}
    (105, "definition"),  # h_{t-1} = \frac{U^f(d)}{\|U^f(d)\|_2}
    (109, "definition"),  # x_t = 0
    (109, "wrong"),  # \sigma(U^f(d) \cdot \frac{U^f(d)}{\|U^f(d)\|_2}) = \sigma(1)
    (109, "definition"),  # x_t = 10000 \frac{W^f(d)}{\|W^f(d)\|_2}
    (109, "wrong"),  # \sigma(10000 + 1)
    (109, "carried-forward"),  # \sigma(1)
    (117, "right"),  # floor(\frac{78 + 2*2 - 5}{3}) + 1 = 26
    (119, "right"),  # floor(\frac{84 + 2*2 - 5}{3}) + 1 = 28
    (125, "right"),  # floor(\frac{64+0-3}{2}) + 1 = 31
    (127, "right"),  # floor(\frac{64+0-5}{2}) + 1 = 30
    (133, "right"),  # floor(\frac{x+2*1-9}{3}) + 1 = 16
    (135, "right"),  # floor(\frac{x+2*1-9}{3}) = 15
    (137, "right"),  # (\frac{x+2*1-9}{3} \ge 15)
    (137, "right"),  # (\frac{x+2*1-9}{3} < 16)
    (139, "right"),  # (x-7 \ge 45)
    (139, "right"),  # (x-7 < 48)
    (141, "right"),  # (x \ge 52)
    (141, "right"),  # (x < 55)
    (143, "right"),  # 52 \le x < 55
    (149, "right"),  # 32 * 7 * 7 * 64
    (153, "right"),  # floor(\frac{19+0-7}{3})+1=5
    (155, "right"),  # 5\*5=25
    (155, "definition"),  # n_{in}=32
    (155, "definition"),  # n_{out}=64
    (159, "right"),  # 512 * 128
]


@pytest.fixture(scope="module")
def first() -> Marked:
    problems = [load(n) for n in ("bptt", "focal_loss", "average_precision", "vanishing")]
    return Markers.of(problems).mark(ANSWERS / "assignment-iv.md")


@pytest.fixture(scope="module")
def second() -> Marked:
    problems = [load(n) for n in ("lstm", "conv_sizes", "layer_counts", "unit_sphere")]
    return Markers.of(problems).mark(ANSWERS / "week-08.md")


def test_the_verdicts_on_the_first_answer(first: Marked) -> None:
    assert [(c.place.line, c.verdict) for c in first.claims] == BPTT


def test_the_verdicts_on_the_second_answer(second: Marked) -> None:
    assert [(c.place.line, c.verdict) for c in second.claims] == LSTM


def test_the_lost_braces_are_named(first: Marked) -> None:
    wrong = first.wrong[0]
    assert [c.place.line for c in first.wrong] == [52, 114]
    assert wrong.diagnosis.startswith("bracket: a bracket around")
    assert wrong.correction.count("(") == wrong.correction.count(")")


def test_the_wrong_letter_is_named(second: Marked) -> None:
    wrong = next(c for c in second.wrong if c.place.line == 85)
    assert wrong.diagnosis == "wrong variable: U__f has this shape"


def test_the_saturated_sigmoid_is_compared_before_it(second: Marked) -> None:
    wrong = next(c for c in second.wrong if c.latex == r"\sigma(10000 + 1)")
    assert "before sigmoid" in wrong.reason


def test_the_product_in_the_other_order_says_so(first: Marked) -> None:
    claim = next(c for c in first.claims if c.place.line == 112)
    assert "the product over the range is taken in the other order" in claim.reason
    assert "∂ below the line is put back" in claim.reason
