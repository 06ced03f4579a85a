"""Calls of layers in problems: what they build, how they are written back, and what is wrong with wrong ones."""

import pytest

from symgrad.errors import ProblemError
from symgrad.notation.source import source
from symgrad.problem.elaborate import load_problem
from symgrad.tensor.integers import size_symbol

SYMBOLS = """
symbols:
  X: {shape: [2, 6, 5]}
  W: {shape: [4, 2, 3, 2]}
  V: {shape: [2, 3, 2, 2]}
  b: {shape: 4}
  u: {shape: n}
  k: {shape: 3}
"""


def built(expression: str) -> str:
    problem = load_problem(f"{SYMBOLS}model: ['Y = {expression}']\nquestions: []\n")
    return source(problem.system.definitions[-1].body)


@pytest.mark.parametrize(
    "expression",
    [
        "conv2d(X, W)",
        "conv2d(X, W, stride=2)",
        "conv2d(X, W, bias=b, stride=[2, 1], padding=1, dilation=[1, 2])",
        "conv2d(X, W[:, 1..1, :, :], groups=2)",
        "conv_transpose2d(X, V, stride=2, output_padding=1)",
        "maxpool2d(X, 2)",
        "maxpool2d(X, [3, 2], stride=1, padding=1)",
        "avgpool2d(X, 2)",
        "conv1d(u, k, stride=S, padding=P)",
    ],
)
def test_layers_are_written_as_they_are_read(expression: str) -> None:
    assert built(expression) == expression


def test_a_stride_that_is_no_size_of_an_array_is_a_size() -> None:
    problem = load_problem(f"{SYMBOLS}model: ['y = conv1d(u, k, stride=S)']\nquestions: []\n")
    assert problem.sizes["S"] is size_symbol("S")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("conv2d(X)", "conv2d takes an input and filters"),
        ("conv2d(X, W, 2)", "conv2d takes an input and filters, then settings such as stride=2"),
        ("maxpool2d(X)", "maxpool2d takes an input and a kernel size"),
        ("conv2d(X, W, strides=2)", "conv2d has no setting 'strides'"),
        ("conv2d(X, W, stride=[1, 2, 3])", "conv2d slides along 2 axes; stride has 3 numbers"),
        ("conv2d(X, W, stride=1/2)", "an integer is needed here, not 1/2"),
        ("maxpool2d(X, 2, kernel=3)", "kernel is given twice"),
        ("conv2d(X, W, dilation=3)", "kernel 3 (spread over 7 by dilation 3) is larger than the input 6: no output"),
        ("conv2d(X, V)", "conv2d: filters for 3 channels, but the input has 2"),
        ("conv2d(X, W, padding=1..2)", "conv2d takes no range"),
    ],
)
def test_what_is_wrong_is_said(expression: str, message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        built(expression)
    assert message in str(caught.value)
