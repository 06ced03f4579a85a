"""Notations that writers bring along: steps above, digits beside, hats, sums of paths, lists, I_{0,1}."""

from functools import cache

import pytest

from symgrad.pipeline import load
from symgrad.verification.marked import Markers


@cache
def markers(problem: str) -> Markers:
    return Markers.of([load(problem)])


R, IF, W, S, D = "right", "right-if", "wrong", "shape-error", "definition"

LSTM = [
    # steps above
    (r"$\delta o^t = \delta h^t \odot \tanh(c^t)$", [R]),
    (r"$\delta o^{(t)} = \delta h^{(t)} \odot \tanh(c^{(t)})$", [R]),
    (r"$\delta i^t = \delta c^t \odot c^{t-1}$", [W]),
    (r"$\delta f^t = \delta c^t \odot c^{t-1}$", [R]),
    (r"$\delta o_i^t = \delta h_i^t \tanh(c_i^t)$", [R]),
    (r"$\delta o_i^t = \delta h_i^t \tanh(c_i^{t-1})$", [W]),
    (r"$\frac{\partial L}{\partial o_{t,i}} = \delta h_{t,i} \tanh(c_{t,i})$", [R]),
    (r"$z^t = W I^t$, $(I^t)^T = [h^{t-1}; x^t]^T$", [R, R]),
    (r"$\delta I^t = W^T \times \delta z^t$", [R]),
    # what a function is taken of
    (r"$i_t = \sigma(\hat i_t)$ so $\delta \hat i_t = \delta i_t \odot i_t \odot (1 - i_t)$", [R, R]),
    (r"$\delta \hat g_t = \delta g_t \odot (1 - \tanh^2(\hat g_t))$", [R]),
    (r"$\delta \hat g_t = \delta g_t \odot (1 - g_t)$", [W]),
    (r"$g_t = \tanh(a_t)$ and $\delta a_t = \delta g_t \odot (1 - g_t^2)$", [R, R]),
    (r"$\delta z_t = [\delta \hat i_t, \delta \hat f_t, \delta \hat o_t, \delta \hat g_t]^T$", [R]),
    (r"$\delta z_t = [\delta \hat i_t, \delta \hat o_t, \delta \hat f_t, \delta \hat g_t]^T$", [W]),
    # vectors in a list
    (r"$z_t = W [h_{t-1}, x_t]$", [R]),
    (r"$z_t = W [x_t, h_{t-1}]$", [W]),
    # what is added up
    (r"$\delta W_t = \delta z_t I_t^T$, $\delta W = \sum_{t=1}^T \delta W_t$", [R, R]),
    (r"$\delta W^t = \delta z^t \times (I^t)^T$", [R]),
    (r"$\delta W_t = -\delta z_t I_t^T$", [W]),
    (r"$\delta W_t = \delta z_t I_{t-1}^T$", ["unjudged"]),  # there is no I_0
    (r"$\delta W_t = \delta z_t I_t$", [S]),
    (r"$\delta W += \delta z_t I_t^T$", [R]),
    (r"$\delta c_t += \delta h_t \odot o_t \odot (1 - \tanh^2(c_t))$", [R]),
    (r"$\delta c_t \mathrel{+}= \delta h_t \odot o_t \odot (1 - c_t^2)$", [W]),
    (r"$\delta c_{t-1} += \delta c_t \odot f_t$", [R]),
    (r"$\delta c_{t-1} += \delta c_t \odot i_t$", [W]),
    (r"$\delta c_{t-1} = \delta c_t \odot f_t$", [W]),
    (r"$\delta c_t += \delta h_t \odot o_t \odot (1 - \tanh^2(c_t))$, $\delta c_{t-1} = \delta c_t \odot f_t$", [R, IF]),
    (r"$\delta h_{t-1} += (W^T \delta z_t)_{1:n}$", [R]),
]  # fmt: skip

RESIDUAL = [
    ("```\n∂e/∂x3 = I{0,1} ∂e/∂y\n```", [R]),
    ("```\n∂e/∂x1 = H^T I{0,1} ∂e/∂y\n∂e/∂x = ∂e/∂x0 + ∂e/∂x1 = ∂e/∂y + H^T I{0,1} ∂e/∂y\n```", [R, R, R]),
    (r"$\frac{\partial e}{\partial v} = I_{\{0,1\}} \frac{\partial e}{\partial y}$", [R]),
    (r"$\frac{\partial e}{\partial x} = H^\top I_{\{0,1\}} \frac{\partial e}{\partial y}$", [W]),
    (r"$\frac{\partial e}{\partial x_1} = I_{\{0,1\}} H^\top \frac{\partial e}{\partial y}$", [W]),
    (r"$H \leftarrow H - \eta I_{\{0,1\}} \frac{\partial e}{\partial y} x^T$", [R]),
    (r"$x2 = H x1$", [R]),
    (r"$x3 = x2 - v$", [W]),
]


@pytest.mark.parametrize(("text", "verdicts"), LSTM, ids=[c[0] for c in LSTM])
def test_the_backward_step_of_an_lstm_in_other_notations(text: str, verdicts: list[str]) -> None:
    assert [c.verdict for c in markers("lstm_step").mark(text + "\n").claims] == verdicts


@pytest.mark.parametrize(("text", "verdicts"), RESIDUAL, ids=[c[0] for c in RESIDUAL])
def test_the_residual_block_in_other_notations(text: str, verdicts: list[str]) -> None:
    assert [c.verdict for c in markers("residual").mark(text + "\n").claims] == verdicts


BPTT = [
    (r"$h_i^t = \tanh(U_{i,:} I^t + W_{i,:} h^{t-1})$", [R]),
    (r"$\frac{\partial E^t}{\partial h^t} = V^\top(\hat y^t - y^t)$", [R]),
    (r"$\frac{\partial E_2}{\partial h_2} = V^T(\hat y^{(2)} - y^{(2)})$", [R]),
    (r"$(h_i^t)^2 = (h_i^t) h_i^t$", [R]),
    (r"$h_{t,i}^2 = h_{t,i} h_{t,i}$", [R]),
    (r"$\frac{\partial h^t}{\partial h^{t-1}} = \operatorname{diag}(1 - (h^t)^2) W$", [R]),
    (r"$\frac{\partial h^t}{\partial h^{t-1}} = \operatorname{diag}(1 - (h^{t-1})^2) W$", [W]),
]


ENTRIES = [
    ("conv1d_index", r"$\frac{\partial f_W(x)}{\partial W}[r, c, i, k] = x[k+2(r-1)]_i$", R),
    ("conv1d_index", r"$\frac{\partial f_W(x)}{\partial W}[r, c, i, k] = x[k+r-1]_i$", W),
    ("conv1d_index", r"$\frac{\partial f_W(x)}{\partial x}[r, k, i] = \begin{cases} W_{1,i,k-2(r-1)}, & 1 \le k - 2(r-1) \le 3 \\ 0, & \text{otherwise}\end{cases}$", R),
    ("conv1d_index", r"$\left(\frac{\partial \ell}{\partial W}\right)[1, i, k] = \sum_{r=1}^{3} \left(\frac{\partial \ell}{\partial f_W(x)}\right)[r] x[k+2(r-1)]_i$", R),
    ("conv1d_index", r"$\left(\frac{\partial \ell}{\partial W}\right)[1, i, k] = \sum_{r=1}^{3} \left(\frac{\partial \ell}{\partial f_W(x)}\right)[r] x[k+(r-1)]_i$", W),
    ("attention_rnn", r"$\frac{\partial a_i[t]}{\partial w_1[t]} = a_i[t] (\delta_{i1} - a_1[t])$", R),
    ("attention_rnn", r"$\frac{\partial a_i[t]}{\partial w_1[t]} = a_i[t] (\delta_{i1} - a_i[t])$", W),
    ("bptt", r"$(W h_{t-1})[i] = \sum_j W_{ij} h_{t-1,j}$", R),
    ("bptt", r"$(\hat y_t - y_t)[i] = \frac{\partial E_t}{\partial z_t}[i]$", R),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "text", "verdict"), ENTRIES, ids=[c[1] for c in ENTRIES])
def test_entries_in_brackets_behind_derivatives_and_brackets(problem: str, text: str, verdict: str) -> None:
    assert [c.verdict for c in markers(problem).mark(text + "\n").claims] == [verdict]


@pytest.mark.parametrize(("text", "verdicts"), BPTT, ids=[c[0] for c in BPTT])
def test_a_recurrent_network_with_its_steps_above(text: str, verdicts: list[str]) -> None:
    assert [c.verdict for c in markers("bptt").mark(text + "\n").claims] == verdicts


NAMES = [
    # an end of steps below a name of the writer's
    ("gated_rnn", r"Let $\delta_t = \frac{\partial \ell}{\partial h_t}$; so $\delta_K = \frac{\partial^+ \ell}{\partial h_K}$.", [R, R]),
    ("gated_rnn", r"Let $\delta_t = \frac{\partial \ell}{\partial h_t}$; so $\delta_K = \frac{\partial^+ \ell}{\partial h_1}$.", [R, W]),
    # u_t under another name, and its adjoint
    ("lstm", r"Let $\tilde c_t = \tanh(W^c x_t + U^c h_{t-1})$. $\delta \tilde c_t = \delta c_t \circ i_t$", [D, R]),
    ("lstm", r"Let $\tilde c_t = \tanh(W^c x_t + U^c h_{t-1})$. $\delta \tilde c_t = \delta c_t \circ f_t$", [D, W]),
    # labels above a new name
    ("lstm", r"With $a^f_t = W^f x_t + U^f h_{t-1}$: $\delta a^f_t = \delta f_t \circ f_t \circ (1 - f_t)$", [D, R]),
    ("lstm", r"With $a^f_t = W^f x_t + U^f h_{t-1}$: $\delta a^f_t = \delta f_t \circ f_t$", [D, W]),
    # a name that is a number elsewhere in the problem
    ("lstm", r"Let $g_t = \tanh(c_t)$. $h_T = o_T \odot g_T$, $h_t = f_t \odot g_t$", [D, R, W]),
    # steps left out
    ("attention_rnn", r"$\frac{\partial h_t}{\partial h_{t-1}} = a_1 (V_1 + (v_1 - h_t) h_{t-1}^T (Q_1^T K_1 + K_1^T Q_1))$", [R]),
    ("attention_rnn", r"$\frac{\partial h_t}{\partial h_{t-1}} = a_1 (V_1 + (v_1 - h_t) h_{t-1}^T (Q_1^T K_1 - K_1^T Q_1))$", [W]),
    # differentials of names that are explained behind them
    ("bptt", r"$dW = \sum_t da_t h_{t-1}^T$ where $a_t = U I_t + W h_{t-1}$", [R, D]),
    # along the cell alone, which a question asks for
    ("lstm", r"$\frac{\partial c_T}{\partial c_k} = \prod_{t=k+1}^{T} \operatorname{diag}(f_t)$", [IF]),
    ("lstm", r"$\frac{\partial c_T}{\partial c_k} = \prod_{t=k}^{T} \operatorname{diag}(f_t)$", [W]),
    ("lstm", r"$\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\tanh c_t) \frac{\partial o_t}{\partial h_{t-1}}$", [W]),
    ("lstm_step", r"$\frac{\partial c_t}{\partial c_{t-1}} = \operatorname{diag}(f_t)$", [IF]),
    # intervals, constraints
    ("lstm", r"$f_{t,i} \in (0, 1)$, $h_{t,i} \in [-1, 1]$, $h_{t,i} \in (0, 1)$", [R, R, W]),
    ("unit_sphere", r"Maximize $y = \sigma(w^T x + u^T h)$ subject to $\|h\| = 1$.", [R, D]),
    ("unit_sphere", r"$h = \frac{u}{\|u\|}$, $y = \sigma(w^T x + \|u\|)$; $h = -\frac{u}{\|u\|}$, $y = \sigma(w^T x - \|u\|)$", [R, IF, R, IF]),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "text", "verdicts"), NAMES, ids=[c[1] for c in NAMES])
def test_names_of_the_writers_own(problem: str, text: str, verdicts: list[str]) -> None:
    assert [c.verdict for c in markers(problem).mark(text + "\n").claims] == verdicts


def test_a_power_stays_a_power() -> None:
    found = markers("bptt").mark(r"$\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t^2) W$" + "\n")
    assert [c.verdict for c in found.claims] == [R]
