"""Questions that name the results of others: `first.at` and `first.value` wherever an expression may stand."""

from fractions import Fraction

import numpy as np
import pytest

import symgrad
from symgrad.api import SolvedSheet
from symgrad.errors import ProblemError

PROBLEM = """
title: Results of other questions
symbols:
  X: {shape: [m, d]}
  y: {shape: m}
  w: {shape: d}
  lam: {is: positive}
  n1: {is: positive}
  n0: {is: positive}
  theta: {is: probability}
  x: {}
  u: {}
model:
  - J = norm(X @ w - y)**2 + lam*norm(w)**2
  - l = n1*log(theta) + n0*log(1 - theta)
  - g = x**2 - 4*x + 7
questions:
  - {id: before, ask: evaluate, of: least.value + 1}
  - {id: ridge, ask: optimum, of: J, over: w, sense: min}
  - {id: gradient, ask: special_case, of: "grad(J, w)", set: {w: ridge.at}}
  - {id: likely, ask: optimum, of: l, over: theta, sense: max}
  - {id: coin, ask: evaluate, of: likely.at, at: {n1: 3, n0: 7}}
  - {id: slope, ask: derivative, of: likely.at, wrt: n1}
  - {id: least, ask: optimum, of: g, over: x, sense: min}
  - {id: equal, ask: identity, left: least.at + least.value, right: 5}
  - {id: size_of, ask: shape, of: ridge.at}
  - {id: roots, ask: solve, for: u, where: u**2 == least.value + 1}
  - {id: there, ask: evaluate, of: g, at: {x: least.at}}
  - {id: shifted, ask: special_case, of: g, set: {x: 2*least.at}}
  - {id: near, ask: limit, of: g, at: x -> least.at}
  - {id: bowl, ask: convexity, of: (u - least.at)**2, over: u}
  - {id: chain, ask: evaluate, of: before.value * coin.value}
  - {id: count_of, ask: count, of: g, what: multiplications}
  - {id: twice, ask: evaluate, of: 2*count_of.value}
"""


@pytest.fixture(scope="module")
def sheet() -> SolvedSheet:
    return symgrad.load(PROBLEM).solve()


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("before", 4),
        ("coin", "3/10"),
        ("equal", True),
        ("roots", [-2, 2]),
        ("there", 3),
        ("shifted", 7),
        ("near", 3),
        ("bowl", True),
        ("chain", "6/5"),
    ],
)
def test_results_stand_in_any_field(sheet: SolvedSheet, question: str, value: object) -> None:
    answer = sheet[question]
    assert answer.status == "certified", answer.message
    assert answer.results[0].value == value


def test_gradient_at_the_optimum_vanishes(sheet: SolvedSheet) -> None:
    random = np.random.default_rng(1)
    given = {"X": random.normal(size=(5, 3)), "y": random.normal(size=5), "lam": 0.3}
    assert np.allclose(sheet["gradient"].results[0].evaluate(**given), 0, atol=1e-12)


def test_derivative_of_an_optimum(sheet: SolvedSheet) -> None:
    n1, n0 = 3.0, 7.0
    assert sheet["slope"].results[0].evaluate(n1=n1, n0=n0) == pytest.approx(n0 / (n1 + n0) ** 2)


def test_results_stand_inside_of_expectations() -> None:
    written = """
    symbols: {q(z): {is: density}, f(z): {is: function}, a: {}}
    model: [L = (a - 3)**2]
    questions:
      - {id: first, ask: optimum, of: L, over: a}
      - {id: mean, ask: identity, left: "E(first.at*f(z), z ~ q)", right: "3*E(f(z), z ~ q)"}
      - {id: whole, ask: identity, left: "integral(first.at*q(z), z)", right: 3}
    """
    solved = symgrad.load(written).solve()
    assert [solved[name].results[0].value for name in ("mean", "whole")] == [True, True]


def test_a_question_alone_has_those_that_it_needs_answered() -> None:
    solved = symgrad.load(PROBLEM).solve(["chain"])
    assert [d.id for d in solved.derivations] == ["chain"]
    assert Fraction(str(solved["chain"].results[0].value)) == Fraction(6, 5)


def test_sheets_of_every_format(sheet: SolvedSheet) -> None:
    for format in ("md", "tex", "html", "json", "numpy"):
        assert sheet.text(format)


HEAD = "title: t\nsymbols: {x: {shape: n}, u: {}}\nquestions:\n"


@pytest.mark.parametrize(
    ("questions", "says"),
    [
        (
            "  - {id: a, ask: evaluate, of: b.value}\n  - {id: b, ask: evaluate, of: a.value}\n",
            "<problem>:4:32: these questions need each other's results: a → b → a",
        ),
        ("  - {id: a, ask: evaluate, of: a.value}\n", "<problem>:4:32: a question cannot need its own result"),
        ("  - {id: a, ask: evaluate, of: c.value}\n", "<problem>:4:32: there is no question 'c'"),
        (
            "  - {id: a, ask: evaluate, of: u, at: {u: b.val}}\n  - {id: b, ask: evaluate, of: 1 + 1}\n",
            "<problem>:4:44: behind a dot stands T (transpose), or at or value of another question's result",
        ),
    ],
)
def test_what_can_never_be_answered_is_refused(questions: str, says: str) -> None:
    with pytest.raises(ProblemError) as caught:
        symgrad.load(HEAD + questions)
    assert str(caught.value).splitlines()[0] == says


@pytest.mark.parametrize(
    ("questions", "says"),
    [
        (
            "  - {id: a, ask: evaluate, of: b.at}\n  - {id: b, ask: evaluate, of: 1 + 1}\n",
            "b has a value, but no point: b.at is of an optimum",
        ),
        (
            "  - {id: a, ask: evaluate, of: b.value}\n  - {id: b, ask: text, answer: words}\n",
            "the result of b is no value that could stand in an expression",
        ),
        (
            "  - {id: a, ask: evaluate, of: b.value}\n  - {id: b, ask: limit, of: 1/u, at: u -> 0}\n",
            "b.value is needed, but b has no answer: there is no limit: it is -inf from below and inf from above",
        ),
        (
            '  - {id: a, ask: evaluate, of: b.value}\n  - {id: b, ask: derivative, of: "u*sum(x)", wrt: [u, x]}\n',
            "b has 2 results, and b.value names one",
        ),
    ],
)
def test_what_has_no_result_fails_with_the_reason(questions: str, says: str) -> None:
    answer = symgrad.load(HEAD + questions).solve()["a"]
    assert (answer.status, answer.message) == ("failed", says)
