"""Stated shapes: in signs and in words, with axes of length 1, lying down, transposed and flattened."""

from functools import cache

import pytest

from symgrad.pipeline import load
from symgrad.verification.marked import Markers


@cache
def markers(problem: str) -> Markers:
    return Markers.of([load(problem)])


STATED = [
    ("bptt", r"$h_t \in \mathbb{R}^{n}$", "right"),
    ("bptt", r"$h_t \in \mathbb{R}^{n \times 1}$", "right"),
    ("bptt", r"$h_t \in \mathbb{R}^{1 \times n}$", "right-other-layout"),
    ("bptt", r"$h_t \in \mathbb{R}^{d}$", "wrong"),
    ("bptt", r"$h_t \in \mathbb{R}^{d \times 1}$", "wrong"),
    ("bptt", r"$V \in \mathbb{R}^{n \times m}$", "wrong"),
    ("bptt", r"$E_t \in \mathbb{R}^{1 \times 1}$", "right"),
    ("bptt", r"$\frac{\partial E_t}{\partial h_t} \in \mathbb{R}^{1 \times n}$", "right-other-layout"),
    ("bptt", r"$\frac{\partial E_t}{\partial V} \in \mathbb{R}^{m \times n}$", "right"),
    ("bptt", r"$\frac{\partial E_t}{\partial V} \in \mathbb{R}^{n \times m}$", "right-other-layout"),
    ("bptt", r"$\frac{\partial E_t}{\partial V} \in \mathbb{R}^{n \times n}$", "wrong"),
    ("bptt", r"$\frac{\partial \hat y_t}{\partial h_t} \in \mathbb{R}^{m \times n}$", "right"),
    ("bptt", r"$\frac{\partial \hat y_t}{\partial h_t} \in \mathbb{R}^{n \times m}$", "right-other-layout"),
    ("bptt", r"$\frac{\partial h_t}{\partial U} \in \mathbb{R}^{n \times n \times d}$", "right"),
    ("bptt", r"$\frac{\partial h_t}{\partial U} \in \mathbb{R}^{n \times (n d)}$", "right-if"),
    ("bptt", r"$\frac{\partial h_t}{\partial U} \in \mathbb{R}^{n \times d}$", "wrong"),
    # 2n is m in the first world only
    ("bptt", r"$\hat y_t \in \mathbb{R}^{m}$", "right"),
    ("bptt", r"$\hat y_t \in \mathbb{R}^{n + d}$", "wrong"),
    ("bptt", r"$h_t \in \mathbb{R}^{m / 2}$", "wrong"),
    ("bptt", r"$h_t \in \mathbb{R}^{2 m}$", "wrong"),
    ("bptt", r"$h_t \in \mathbb{R}^{d + 1}$", "wrong"),
    ("conv1d_index", r"The dimension of $\frac{\partial f}{\partial W}$ is $\mathbb{R}^{3 \times 1 \times 5 \times 3}$.", "right"),
    ("conv1d_index", r"The dimension of $\frac{\partial f}{\partial W}$ is $\mathbb{R}^{3 \times 1 \times 3 \times 3}$.", "wrong"),
    ("conv1d_index", r"$\frac{\partial l}{\partial W}$ has shape $1 \times 5 \times 3$.", "right"),
    ("conv1d_index", r"$\frac{\partial l}{\partial W}$ has shape $(1, 5, 3)$.", "right"),
    ("conv1d_index", r"The shape of $\frac{\partial l}{\partial x}$ will be $7 \times 5$", "right"),
    ("conv1d_index", r"The shape of $\frac{\partial l}{\partial x}$ will be $5 \times 7$", "right-other-layout"),
    ("conv1d_index", r"The shape of $\frac{\partial l}{\partial x}$ will be $5 \times 5$", "wrong"),
    ("conv1d_index", r"Dimension of $\frac{\partial f}{\partial W}$: $3 \times 5 \times 3$", "right-if"),
    ("conv1d_index", r"$\frac{\partial l}{\partial W}$ is a tensor of shape $1 \times 5 \times 3$.", "right"),
    ("conv1d_index", r"We see that $f$ lies in $\mathbb{R}^3$", "right"),
    ("conv1d_index", r"We see that $f$ lies in $\mathbb{R}^2$", "wrong"),
    ("conv1d_index", r"$\dim f = 3$", "right"),
    ("conv1d_index", r"$\dim(f) = 4$", "wrong"),
    ("conv1d_index", r"$\operatorname{shape}(W) = 1 \times 5 \times 3$", "right"),
    ("conv1d_index", r"$\text{shape}(x) = (7, 5)$", "right"),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "text", "verdict"), STATED, ids=[s[1] for s in STATED])
def test_a_stated_shape_is_compared(problem: str, text: str, verdict: str) -> None:
    assert [c.verdict for c in markers(problem).mark(text + "\n").claims] == [verdict]


def test_words_about_something_else_state_no_shape() -> None:
    text = "We multiply $x$ by $7 \\times 5$ numbers. Then $f$ and $3$ filters.\n"
    assert [c.verdict for c in markers("conv1d_index").mark(text).claims] != ["right"]
    assert not any(c.quantity == "x" for c in markers("conv1d_index").mark(text).claims)
