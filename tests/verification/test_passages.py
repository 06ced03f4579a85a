"""Values without a left side: the question they answer is that of the passage in which they stand."""

import pytest

from symgrad.pipeline import load
from symgrad.verification.marked import Markers

SIZES = """
• You are given a 2-dimensional convolution with spatial size (78, 84), a kernel of size (5, 5), stride 3, padding 2.
What is the size of the output?

{}
"""
COUNTS = """
How many trainable parameters are

• in a convolutional layer with input (32, 19, 19), kernel size (7, 7), stride 3 and 64 channels, no bias?

$${}$$

How many multiplications are that?

$$7 \\cdot 7 \\cdot 32 \\cdot 25 \\cdot {}$$
"""
PROMPT = """
# LeNet

How many parameters does one filter of the first layer of LeNet have, its bias included?

$${}$$
"""
BEST = """
## Best

$h^* = {}\\frac{{u}}{{\\|u\\|}}$

## Worst

$h^* = -\\frac{{u}}{{\\|u\\|}}$
"""
PASSAGES = [
    ("conv_sizes", SIZES, "The output is $26 × 28$.", "padded right"),
    ("conv_sizes", SIZES, "The output is $26 × 27$.", "padded wrong"),
    ("conv_sizes", SIZES, "**Answer:** 27 × 28", "padded wrong"),
    # Not what is asked: something that is given, a step on the way, and words that announce no answer.
    ("conv_sizes", SIZES, "The input 78 × 84 has as output $26 × 28$.", "None unjudged, padded right"),
    ("conv_sizes", SIZES, "After padding the image has $82 × 88$ pixels.", "None unjudged"),
    ("layer_counts", COUNTS, "32 * 7 * 7 * 64", "wide right, wide_multiplications wrong"),
    ("layer_counts", COUNTS, "32 * 7 * 7 * 64 + 64", "wide wrong, wide_multiplications wrong"),
    ("layer_counts", PROMPT, r"5 \cdot 5 + 1", "lenet_filter right"),
    ("layer_counts", PROMPT, r"5 \cdot 5", "lenet_filter wrong"),
    ("unit_sphere", BEST, "", "best right, worst right"),
    ("unit_sphere", BEST, "-", "best wrong, worst right"),
]


@pytest.mark.parametrize(("problem", "text", "value", "verdicts"), PASSAGES)
def test_a_value_is_judged_by_the_question_of_its_passage(problem: str, text: str, value: str, verdicts: str) -> None:
    marked = Markers.of([load(problem)]).mark(text.format(value, value))
    found = [f"{c.question} {c.verdict}" for c in marked.claims if c.quantity in ("", "h^*")]
    assert ", ".join(found) == verdicts


LABELS = """
title: Labels
symbols:
  A: {shape: [9, 9]}
  B: {shape: [3, 3]}
model:
  - Y = conv2d(A, B)
  - Z = conv2d(A, B, stride=2)
questions:
  - {id: q1a, ask: shape, of: Y}
  - {id: q1b, ask: shape, of: Z}
"""


@pytest.mark.parametrize(
    "text",
    [
        "# Question 1\n\n(a) $7 \\times 7$\n\n(b) $7 \\times 7$\n",
        "## 1 Sizes\n\na) $7 \\times 7$\n\n**b)** $7 \\times 7$\n",
        "**Problem 1**\n\n- (a) The output is $7 \\times 7$.\n\n- (b) The output is $7 \\times 7$.\n",
    ],
)
def test_labels_name_the_question(text: str) -> None:
    marked = Markers.of([load(LABELS)]).mark(text)
    assert [(c.question, c.verdict) for c in marked.claims] == [("q1a", "right"), ("q1b", "wrong")]


def test_a_recurrence_is_looked_through_once() -> None:
    marked = Markers.of([load("gated_rnn")]).mark("(a) The dimension of the output is $3 \\times 4$.")
    assert [c.verdict for c in marked.claims] == ["unjudged"]


MADE = r"""
With $p=\sigma(z)$ we have $\frac{d p}{d z}=p(1-p)$, so

$$\frac{d \mathrm{FL}}{d z} = \gamma p(1-p)^{\gamma} \log p-(1-p)^{\gamma+1}$$

$$\frac{d \mathrm{FL}}{d z} = \gamma p(1-p)^{\gamma} \log p+(1-p)^{\gamma+1}$$

$$\frac{d \mathrm{FL}}{d p} = \gamma (1-p)^{\gamma-1} \log p - \frac{(1-p)^\gamma}{p}$$
"""


def test_an_input_that_a_text_makes_from_another_is_differentiated_through() -> None:
    marked = Markers.of([load("focal_loss")]).mark(MADE)
    assert [c.verdict for c in marked.claims] == ["definition", "right-if", "right-if", "wrong", "right"]
    assert [c.reason for c in marked.claims[1:3]] == [r"right if p=\sigma(z), as the text says"] * 2
    assert marked.wrong[0].diagnosis.startswith("sign:")
