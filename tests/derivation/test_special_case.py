"""Special cases, against forms by hand, and against the expression evaluated at the values."""

import json
from typing import Any

import numpy as np
import pytest

import symgrad

SYMBOLS = """
title: L
symbols:
  z: {shape: K}
  y: {shape: K, is: one-hot}
  x: {}
  a: {is: positive}
  p: {is: probability}
  gamma: {is: positive}
  tau: {is: positive}
model:
  - CE = -log(p)
  - FL = -(1 - p)**gamma * log(p)
  - q = softmax(z / tau)
  - e = cross_entropy(y, q)
  - u = sigmoid(a * x)
questions:
"""


def asked(of: str, fixed: Any) -> Any:
    question = json.dumps({"id": "q", "ask": "special_case", "of": of, "set": fixed})
    return symgrad.load(f"{SYMBOLS}  - {question}\n").solve()


def answer(of: str, fixed: Any) -> dict[str, Any]:
    found = json.loads(asked(of, fixed).text("json"))["questions"][0]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("of", "fixed", "latex", "value"),
    [
        ("FL", {"gamma": 0}, r"\mathrm{CE}", None),
        ("FL", {"gamma": 1}, r"-(1 - p) \log p", None),
        ("FL", {"p": 1}, "0", 0),
        ("e", {"z": 0}, r"\log K", None),
        ("e", {"z": 0, "K": 4}, r"\log{\left(4 \right)}", "log(4)"),
        ("e", {"y": [0, 1, 0]}, r"-\log q_2", None),
        ("e", "y = one_hot(2, K)", r"-\log q_2", None),
        ("q", {"tau": 1}, r"\operatorname{softmax}(z)", None),
        ("q", {"z": 3, "K": 2}, None, ["1/2", "1/2"]),
        ("u", {"x": 0}, r"\frac{1}{2}", "1/2"),
        ("cos(x) + x", {"x": 0}, "1", 1),
        ("logsumexp(z)", {"z": 0}, r"\log K", None),
    ],
)
def test_cases_by_hand(of: str, fixed: Any, latex: str | None, value: Any) -> None:
    found = answer(of, fixed)
    assert found["status"] == "certified", found["message"]
    (result,) = found["results"]
    assert latex is None or result["latex"] == latex
    assert result["value"] == value


def test_the_values_are_put_in_before_anything_is_worked_out() -> None:
    steps = answer("FL", {"gamma": 0})["results"][0]["steps"]
    assert [s["latex"] for s in steps] == [
        r"\mathrm{FL} = -(1 - p)^{\gamma} \log p",
        r"\mathrm{FL} = -(1 - p)^{0} \log p",
        r"\mathrm{FL} = -\log p",
        r"\mathrm{FL} = \mathrm{CE}",
    ]
    assert [s["reason"] for s in steps[:2]] == ["definition", r"$\gamma = 0$"]


@pytest.mark.parametrize("gamma", [0, 1, 2])
def test_the_case_is_the_expression_at_the_value(gamma: int) -> None:
    found = asked("FL", {"gamma": gamma})["q"].results[0].evaluate(p=0.3)
    assert np.isclose(found, -(0.7**gamma) * np.log(0.3), rtol=1e-14)


@pytest.mark.parametrize(
    ("of", "fixed", "message"),
    [
        ("FL", {"tau": 1}, "nothing that is set occurs in it"),
        ("FL", "p -> 1", "a value that is approached makes a limit: ask: limit"),
    ],
)
def test_what_is_refused(of: str, fixed: Any, message: str) -> None:
    found = answer(of, fixed)
    assert (found["status"], found["message"]) == ("failed", message)


STEPS = """
title: States that stay
symbols:
  x[t]: {shape: m}
  h[0]: {shape: n}
  c[0]: {shape: n}
  W: {shape: [n, m]}
  U: {shape: [n, n]}
  Uf: {shape: [n, n]}
  q: {shape: k, is: probability}
  v: {shape: n}
  a: {}
  u: {}
steps: {t: 1..T}
model:
  - f[t] = sigmoid(Uf @ h[t-1])
  - g[t] = tanh(W @ x[t] + U @ h[t-1])
  - c[t] = f[t]*c[t-1] + (1 - f[t])*g[t]
  - h[t] = tanh(c[t])
  - leaky = where(u > 0, u, a*u)
questions:
"""


@pytest.mark.parametrize(
    ("of", "fixed", "text"),
    [
        ("c[t]", {"f[t]": 1}, "c[t-1]"),
        ("c[t]", {"f": 0}, "g[t]"),
        ("h[t]", {"f[t]": 0}, "tanh(g[t])"),
        ("h[t]", {"Uf": 0}, "tanh(1/2*c[t-1] + 1/2*g[t])"),
        ("c[3]", {"f": 1}, "c[0]"),
        ("g[t]", {"U": 0}, "tanh(W @ x[t])"),
        ("leaky", {"a": 0}, "relu(u)"),
        ("leaky", {"a": 1}, "u"),
        ("leaky", {"a": -1}, "abs(u)"),
        ("grad(leaky, u)", {"a": 0}, "indicator(u > 0)"),
        ("-sum(q*log(q))", {"q": "1/size(q, 0)"}, "log(k)"),
        ("v*h[0]", {"v": "h[0]"}, "h[0]**2"),
        ("trace(U)", {"U": "diag(v)"}, "sum(v)"),
    ],
)
def test_states_stay_and_arrays_are_put_in(of: str, fixed: Any, text: str) -> None:
    question = json.dumps({"id": "q", "ask": "special_case", "of": of, "set": fixed})
    (found,) = json.loads(symgrad.load(f"{STEPS}  - {question}\n").solve().text("json"))["questions"]
    assert found["status"] == "certified", found["message"]
    assert found["results"][0]["text"] == text


@pytest.mark.parametrize(
    ("of", "settings", "text", "value"),
    [
        ("V", "{D(z): 1/2}", "2*log(1/2)", "-2*log(2)"),
        ("best.value", "{q(z): p(z)}", "2*log(1/2)", "-2*log(2)"),
        ("best.at", "{q(z): p(z)}", "1/2", "1/2"),
        ("KL(p(z), q(z))", "{q(z): p(z)}", "0", 0),
        ("D(z)**2", '{D(z): "p(z)/(p(z) + q(z))"}', "(p(z)/(p(z) + q(z)))**2", None),
    ],
)
def test_functions_and_densities_are_set_by_their_value_at_a_point(
    of: str, settings: str, text: str, value: object
) -> None:
    problem = f"""
symbols: {{p(z): {{is: density}}, q(z): {{is: density}}, D(z): {{is: function, range: [0, 1]}}}}
model: ["V = E(log(D(z)), z ~ p) + E(log(1 - D(z)), z ~ q)"]
questions:
  - {{id: best, ask: optimum, of: V, over: D(z), sense: max}}
  - {{id: only, ask: special_case, of: "{of}", set: {settings}}}
"""
    (found,) = json.loads(symgrad.load(problem).solve(["only"]).text("json"))["questions"]
    assert found["status"] == "certified", found["message"]
    assert (found["results"][0]["text"], found["results"][0]["value"]) == (text, value)
