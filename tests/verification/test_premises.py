"""What a text supposes: lines that are right only then, how far a premise reaches, and what it must not excuse."""

from functools import cache

import pytest

from symgrad.pipeline import load
from symgrad.verification.marked import Marked, Markers


@cache
def markers(problem: str) -> Markers:
    return Markers.of([load(problem)])


def marked(problem: str, text: str) -> Marked:
    return markers(problem).mark(text + "\n")


D, IF, R, W, U = "definition", "right-if", "right", "wrong", "unjudged"

PREMISES: list[tuple[str, str, list[str]]] = [
    ("lstm", r"If $f_t = 1$, then $c_t = c_{t-1} + i_t \circ u_t$.", [D, IF]),
    ("lstm", r"If $f_t = 1$, then $c_t = c_{t-1}$.", [D, W]),
    ("lstm", r"When $f_t = 0$ and $i_t = 1$ the cell forgets: $c_t = u_t$.", [D, D, IF]),
    ("lstm", r"If $f_t = 1, i_t = 0$ then $c_t = c_{t-1}$.", [D, D, IF]),
    ("lstm", r"If $f_t = 1, c_t = c_{t-1}$.", [D, W]),
    ("lstm", "Suppose $o_t = 1$. Then $h_t = \\tanh(c_t)$.\n\n# Next\n\n$h_t = \\tanh(c_t)$", [D, IF, W]),
    ("lstm", r"$$c_t = c_{t-1} + i_t \circ u_t \quad \text{if } f_t = 1$$", [IF, D]),
    ("lstm", r"$$c_t = c_{t-1} \text{ when } f_t = 1 \text{ and } i_t = 0$$", [IF, D, D]),
    ("lstm", r"$c_t = u_t$ if $f_t = 0$ and $i_t = 1$.", [IF, D, D]),
    ("lstm", r"$c_t = u_t$ if $f_t = 0$.", [W, D]),
    ("lstm", r"If $f_t = 1$ nothing is lost. But then, $c_t = c_{t-1} + i_t \circ u_t$.", [D, W]),
    ("lstm", r"If $x_t = 0$ then $f_t = \sigma(U^f h_{t-1})$.", [D, IF]),
    ("lstm", r"If $x_t = 0$ then $f_t = \sigma(W^f h_{t-1})$.", [D, "shape-error"]),
    ("lstm", r"Since $f_t = 0$, we have $c_t = i_t \circ u_t$.", ["wrong", W]),
    # ∂c_t/∂c_{t−1} goes through f_t by h_{t−1}; along the cell alone it does not
    ("lstm", r"With $f_t \approx 1$: $\frac{\partial c_t}{\partial c_{t-1}} \approx I$.", [D, IF]),
    ("lstm", r"With $f_t \approx 0$: $\frac{\partial c_t}{\partial c_{t-1}} \approx I$.", [D, U]),
    # f_t stands between h_{t−1} and h_t: held at a number it would hide a path
    ("lstm", r"If $f_t = 0$, then $\frac{\partial f_t}{\partial h_{t-1}} = 0$.", [D, U]),
    ("lstm", r"If $f_t \approx 0$, then $c_t \approx i_t \odot u_t$, and $c_t \approx c_{t-1}$.", [D, IF, U]),
    ("residual", r"If $x_3 > 0$, then $\frac{\partial y}{\partial x} = I + H$.", [D, IF]),
    ("residual", r"If $x_3 > 0$, then $\frac{\partial y}{\partial x} = I - H$.", [D, W]),
    ("residual", r"If $x_3 < 0$: $\frac{\partial e}{\partial x} = \frac{\partial e}{\partial y}$", [D, IF]),
    ("residual", r"If $x_3 < 0$: $\frac{\partial e}{\partial x} = 0$", [D, W]),
    ("residual", r"For $x_3 > 0$ we get $x_4 = x_3$ and $y = x + Hx + v$.", [D, IF, IF]),
    ("residual", r"$x_4 = 0$ if $x_3 \le 0$.", [IF, D]),
    ("residual", r"With $v = 0$: $x_3 = H x$. For $H = I$, $x_2 = x$.", [D, IF, D, IF]),
    ("residual", r"With $v = 0$: $x_3 = H x + x$.", [D, W]),
    ("residual", r"$\frac{\partial e}{\partial v_i} = \frac{\partial e}{\partial y_i}$ if $x_{3,i} > 0$, else $0$.", [IF, D]),
    ("residual", r"$\frac{\partial e}{\partial v_i} = 0$ if $x_{3,i} > 0$.", [W, D]),
    ("residual", r"If $x_{3,i} > x_{3,i} + 1$ then $\frac{\partial e}{\partial v_i} = 0$.", [D, W]),
    ("residual", "With $v = 0$: $x_3 = H x$.\n\n$x_3 = H x$", [D, IF, W]),
    ("bptt", r"If $\hat y_t = y_t$, then $\frac{\partial E_t}{\partial z_t} = 0$.", [D, U]),
    ("bptt", r"If $h_0 = 0$, then $\frac{\partial E_1}{\partial W} = 0$.", [D, IF]),
    ("bptt", r"If $h_0 = 0$, then $\frac{\partial E_2}{\partial W} = 0$.", [D, W]),
    ("bptt", r"If $h_0 = 0$, then $\frac{\partial E_2}{\partial W} = \operatorname{diag}(1 - h_2^2) V^\top (\hat y_2 - y_2) h_1^\top$.", [D, IF]),
    ("bptt", r"If $W = 0$: $\frac{\partial h_t}{\partial h_{t-1}} = 0$ and $h_t = \tanh(U I_t)$", [D, IF, IF]),
    ("bptt", r"For $W = I$ the Jacobian is $\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t^2)$.", [D, IF]),
    ("focal_loss", r"When $\gamma = 0$, $FL = CE$; when $\gamma = 1$, $FL = (1 - p) CE$.", [D, IF, D, IF]),
    ("focal_loss", r"When $\gamma = 2$, $FL = (1 - p) CE$.", [D, W]),
    ("focal_loss", r"$FL = \frac{1}{4} CE$ for $p = \frac{1}{2}$ and $\gamma = 2$.", [IF, D, D]),
    ("gated_rnn", r"If $c[t] = 1$ then $h[t] = h[t-1]$; if $c[t] = 0$ then $h[t] = W_x x[t]$.", [D, IF, D, IF]),
    ("gated_rnn", r"If $c[t] = 0$ then $h[t] = h[t-1]$.", [D, W]),
    ("vanishing", r"If $W = 0$, $\left\|\frac{\partial h_t}{\partial h_{t-1}}\right\| \le 1$.", [D, IF]),
    ("vanishing", r"If $U = 0$, $\left\|\frac{\partial h_t}{\partial h_{t-1}}\right\| \le 1$.", [D, W]),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "text", "verdicts"), PREMISES, ids=[p[1] for p in PREMISES])
def test_a_line_is_judged_where_its_premise_holds(problem: str, text: str, verdicts: list[str]) -> None:
    assert [c.verdict for c in marked(problem, text).claims] == verdicts


def test_the_reason_names_the_premises_that_are_needed() -> None:
    found = marked("lstm", r"Let $x_t = 0$. If $f_t = 1$ and $i_t = 0$, then $c_t = c_{t-1}$.").claims[-1]
    assert found.reason == "right if f_t = 1 and i_t = 0, as the text says"
