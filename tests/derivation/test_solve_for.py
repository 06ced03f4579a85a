"""All solutions, against solutions by hand, brute force over integers, and signs on either side of every end."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad

SYMBOLS = """
title: S
symbols:
  X: {shape: m}
  x: {is: integer}
  k: {is: integer}
  s: {is: integer}
  u: {}
  v: {}
  w: {is: positive}
  r: {is: [integer, positive]}
model:
  - f = u**2 - 3*u
questions:
"""


def answer(unknown: str, *where: str) -> dict[str, Any]:
    question = json.dumps({"id": "q", "ask": "solve", "for": unknown.split(), "where": list(where)})
    solved = symgrad.load(f"{SYMBOLS}  - {question}\n").solve().text("json")
    found = json.loads(solved)["questions"][0]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("unknown", "where", "value", "latex"),
    [
        ("x", ["floor((x+2*1-9)/3)+1 == 16"], [52, 53, 54], r"x \in \lbrace52, 53, 54 \rbrace"),
        ("m", ["floor((m+2*1-9)/3)+1 == 16"], [52, 53, 54], r"m \in \lbrace52, 53, 54 \rbrace"),
        ("x", ["ceil(x/4) == 5"], [17, 18, 19, 20], r"x \in \lbrace17, 18, 19, 20 \rbrace"),
        ("x", ["2*x == 5"], [], r"\text{no solution}"),
        ("x", ["x**2 == 9"], [-3, 3], r"x \in \lbrace-3, 3 \rbrace"),
        ("m", ["m**2 == 9"], [3], "m = 3"),
        ("x", ["0 < x", "3*x < 10"], [1, 2, 3], r"x \in \lbrace1, 2, 3 \rbrace"),
        ("u", ["f + 2 == 0"], [1, 2], r"u \in \lbrace1, 2 \rbrace"),
        ("u", ["f + 2 <= 0"], "1 <= u <= 2", r"1 \le u \le 2"),
        ("u", ["f + 2 > 0"], "u < 1 or u > 2", r"u < 1 \text{ or } u > 2"),
        ("u", ["3 - 2*u < 7"], "u > -2", "u > -2"),
        ("u", ["floor(u/2) == 3"], "6 <= u < 8", r"6 \le u < 8"),
        ("u", ["floor(u/2) == 3/2"], [], r"\text{no solution}"),
        ("w", ["w**2 == 2"], ["sqrt(2)"], r"w = \sqrt{2}"),
        ("u", ["exp(u) == 3"], ["log(3)"], r"u = \log 3"),
        ("u", ["sigmoid(u) > 1/2"], "u > 0", "u > 0"),
        ("u", ["tanh(u) == 1/2"], ["log(3)/2"], r"u = \frac{1}{2} \log 3"),
        ("u", ["1/u > 2"], "0 < u < 1/2", r"0 < u < \frac{1}{2}"),
        ("u", ["1/(u - 1) <= 1/(u + 1)"], "-1 < u < 1", "-1 < u < 1"),
        ("u", ["log(u) < 1"], "0 < u < exp(1)", "0 < u < e"),
        ("u", ["sqrt(u) <= 3"], "0 <= u <= 9", r"0 \le u \le 9"),
        ("u", ["sqrt(u) == u - 2"], [4], "u = 4"),
        ("u", ["u**2 + 1 > 0"], "always", None),
        ("w", ["abs(1 - 2*w) < 1", "abs(1 - 10*w) < 1"], "0 < w < 1/5", r"0 < w < \frac{1}{5}"),
        ("u v", ["u + v == 3", "u - 2*v == 0"], [[2, 1]], "u = 2, v = 1"),
        ("u v", ["u + v == 3", "u*v == 2"], [[1, 2], [2, 1]], r"u = 1, v = 2 \text{ or } u = 2, v = 1"),
        ("u v", ["u + v == 3", "u*v == 2", "u < v"], [[1, 2]], "u = 1, v = 2"),
        ("k s", ["floor((28 - k)/s) + 1 == 14", "1 <= k <= 7", "1 <= s <= 4"], [[1, 2], [2, 2]], None),
    ],
)
def test_solutions_by_hand(unknown: str, where: list[str], value: Any, latex: str | None) -> None:
    found = answer(unknown, *where)
    assert found["status"] == "certified", found["message"]
    (result,) = found["results"]
    assert result["value"] == value
    assert latex is None or result["latex"] == latex


def test_the_floor_is_taken_off_step_by_step() -> None:
    steps = answer("m", "floor((m-7)/3)+1 == 16")["results"][0]["steps"]
    assert [s["latex"].split(r" \iff ")[1] for s in steps] == [
        r"\Bigl\lfloor\frac{m - 7}{3} \Bigr\rfloor = 15",
        r"15 \le \frac{m - 7}{3} < 16",
        r"45 \le m - 7 < 48",
        r"52 \le m < 55",
        r"m \in \lbrace52, 53, 54 \rbrace",
    ]
    assert [s["reason"] for s in steps] == [
        "subtract $1$",
        r"$\lfloor u \rfloor = n$ means $n \le u < n + 1$",
        "multiply by $3$",
        "add $7$",
        "$m$ is a positive integer",
    ]


@pytest.mark.parametrize(
    ("unknown", "where", "text", "value"),
    [
        ("u", ["u + v == 3"], "u == 3 - v", "u == 3 - v"),
        ("u", ["sigmoid(w*u + v) == 1/2"], "u == -v/w", "u == -v/w"),
        ("u", ["sigmoid(w*u + v) == 1/2", "w == 2", "v == 3"], "u == -3/2", ["-3/2"]),
        ("k", ["m + 2*k - 4 == m"], "k == 2", [2]),
        ("k", ["m + 2*k - s + 1 == m"], "k == (s - 1)/2", "k == (s - 1)/2"),
        ("r", ["floor((m+6-7)/r) + 1 == 112", "m == 224"], "r == 2", [2]),
        ("r", ["100/r > 30"], "r == 1 or r == 2 or r == 3", [1, 2, 3]),
        ("x", ["floor(100/w) == x", "w == 7"], "x == 14", [14]),
    ],
)
def test_other_symbols_have_values_or_stay(unknown: str, where: list[str], text: str, value: object) -> None:
    found = answer(unknown, *where)
    assert found["status"] == "certified", found["message"]
    assert (found["results"][0]["text"], found["results"][0]["value"]) == (text, value)


@pytest.mark.parametrize(
    ("unknown", "where", "message"),
    [
        ("u", ["sin(u) == 0"], "SymPy does not find all solutions"),
        ("u", ["u <= v"], "v has no value: solve for it as well, or give it one"),
        ("u", ["v == 1"], "no condition speaks of u"),
        ("u v", ["u + v == 3"], "there are not finitely many solutions"),
        ("k s", ["k*s == 12"], "say between which numbers k lies, such as 1 <= k <= 9"),
    ],
)
def test_what_is_refused(unknown: str, where: list[str], message: str) -> None:
    found = answer(unknown, *where)
    assert found["status"] == "failed"
    assert found["message"].startswith(message)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 3), st.integers(1, 20))
def test_sizes_of_convolutions_against_brute_force(kernel: int, stride: int, pad: int, out: int) -> None:
    found = answer("m", f"floor((m + 2*{pad} - {kernel})/{stride}) + 1 == {out}")
    assert found["status"] == "certified", found["message"]
    brute = [m for m in range(1, 120) if math.floor((m + 2 * pad - kernel) / stride) + 1 == out]
    assert found["results"][0]["value"] == brute
