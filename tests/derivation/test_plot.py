"""Questions of kind plot: the points are those of the model, found here by other means."""

import json
import math

import numpy as np
import pytest

import symgrad

RNN = """
symbols: {"x[t]": {shape: m}, "h[0]": {shape: n}, U: {shape: [n, m]}, W: {shape: [n, n]}, V: {shape: [n, n]}}
steps: {t: 1..T}
model:
  - h[t] = tanh(U @ x[t] + W @ h[t-1])
  - s[t] = V @ h[t] + h[t-1]
questions:
  - {id: q, ask: plot, of: "h[t]", wrt: "h[k]"QUESTION}
"""
SCALARS = """
symbols: {p: {is: probability}, gamma: {is: positive}, x: {shape: n}, w: {}}
model:
  - FL = -(1 - p)**gamma * log(p)
  - g = log(w)
  - s = p * sum(x)
questions:
  - {id: q, ask: plot, QUESTION}
"""


def asked(text: str, question: str) -> dict[str, object]:
    made: dict[str, object] = json.loads(symgrad.load(text.replace("QUESTION", question)).solve().text("json"))
    return made["questions"][0]  # type: ignore[index, no-any-return]


def test_curves_of_a_loss() -> None:
    found = asked(SCALARS, "of: FL, over: [p, gamma], values: {gamma: [0, 1/2, 5], p: [0.1, 0.9]}")
    assert found["status"] == "certified"
    (result,) = found["results"]  # type: ignore[misc]
    assert [c["at"] for c in result["plot"]["curves"]] == [0, 0.5, 5]
    assert (result["plot"]["x"], result["plot"]["by"]) == ("p", "gamma")
    for c in result["plot"]["curves"]:
        assert (c["x"][0], c["x"][-1]) == (0.1, 0.9)
        expected = [-((1 - p) ** c["at"]) * math.log(p) for p in c["x"]]
        np.testing.assert_allclose(c["y"], expected, rtol=1e-12)


def test_where_there_is_no_value_there_is_no_point() -> None:
    (result,) = asked(SCALARS, "of: g, over: w, values: {w: [-1, 1]}")["results"]  # type: ignore[misc]
    (curve,) = result["plot"]["curves"]
    assert [y is None for x, y in zip(curve["x"], curve["y"], strict=True)] == [x <= 0 for x in curve["x"]]


@pytest.mark.parametrize("norms", ["", ", norms: [0.7, 2]"])
def test_norms_stay_below_their_bound(norms: str) -> None:
    found = asked(RNN, norms)
    assert found["status"] == "certified"
    (result,) = found["results"]  # type: ignore[misc]
    curves = result["plot"]["curves"]
    assert [c["at"] for c in curves[::2]] == ([0.7, 2.0] if norms else [0.5, 0.9, 1.1, 1.5])
    for drawn, bound in zip(curves[::2], curves[1::2], strict=True):
        assert drawn["x"] == list(range(1, 21))
        assert all(y <= z * (1 + 1e-9) for y, z in zip(drawn["y"], bound["y"], strict=True))
        np.testing.assert_allclose(bound["y"], [drawn["at"] ** k for k in drawn["x"]], rtol=1e-9)


def test_a_recurrence_with_a_numeric_end_goes_on() -> None:
    (result,) = asked(RNN.replace("1..T", "1..3"), "")["results"]  # type: ignore[misc]
    assert len(result["plot"]["curves"][0]["x"]) == 20


def test_a_model_without_a_bound_is_drawn_alone() -> None:
    text = RNN.replace("tanh(U @ x[t] + W @ h[t-1])", "tanh(U @ x[t] + W @ h[t-1] + V @ h[t-2])").replace(
        '"h[0]"', '"h[-1]": {shape: n}, "h[0]"'
    )
    (result,) = asked(text, "")["results"]  # type: ignore[misc]
    assert not any(c["bound"] for c in result["plot"]["curves"])


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("of: x, over: p", "a plot is of a number over one variable or two"),
        ("of: FL, over: p", "no value is given for gamma: add it to 'at'"),
        ("of: s, over: x", "x is no scalar that the problem gives"),
        ("of: FL, over: p, at: {gamma: 2}, form: contours", "contour lines are over two variables"),
        ("of: FL, over: p, at: {gamma: 2}, values: {p: 1/2}", "p needs two ends, [lo, hi]"),
    ],
)
def test_what_cannot_be_drawn(question: str, message: str) -> None:
    found = asked(SCALARS, question)
    assert (found["status"], found["message"]) == ("failed", message)


def test_a_state_that_acts_past_the_next_one_has_no_product() -> None:
    """∂c_t/∂c_k goes through h, too: one step apart the product holds, two steps apart it does not."""
    text = """
symbols: {"x[t]": {shape: n}, "h[0]": {shape: n}, W: {shape: [n, n]}}
steps: {t: 1..K}
model:
  - c[t] = sigmoid(x[t] + W @ h[t-1])
  - h[t] = c[t] * h[t-1]
questions:
  - {id: q, ask: bound, of: "c[t]", wrt: "c[k]"}
"""
    found = asked(text, "")
    assert found["status"] == "failed"
    assert "c acts past the next c" in str(found["message"])
