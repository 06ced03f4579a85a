"""Large sizes as numbers: the answer for all sizes at these numbers, in code that differences confirm."""

from fractions import Fraction

import numpy as np
import pytest

from symgrad.derivation.certify import Certifier
from symgrad.derivation.open_sizes import open_sizes
from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Derivation, lines
from symgrad.errors import CertificationError
from symgrad.notation.source import source
from symgrad.problem.elaborate import load_problem
from symgrad.sheet.evaluation import evaluate
from symgrad.sheet.programs import program
from symgrad.tensor import build as b
from symgrad.tensor.dependence import dependence
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.reindex import reindex
from symgrad.tensor.system import Definition
from symgrad.tensor.walk import postorder

MLP = """
title: Digits
symbols: {x: {shape: %(d)s}, y: {shape: 10, is: one-hot}, W: {shape: [%(n)s, %(d)s]}, b: {shape: %(n)s}, V: {shape: [10, %(n)s]}}
model: ["h = tanh(W @ x + b)", "z = V @ h", "p = softmax(z)", "L = cross_entropy(y, p)", "m = mean(h)"]
questions:
  - {id: chain, ask: derivative, of: L, wrt: [W, x]}
  - {id: backwards, ask: derivative, of: L, wrt: [W, b], form: backprop}
  - {id: jacobian, ask: derivative, of: h, wrt: x}
  - {id: entries, ask: derivative, of: h, wrt: x, form: components}
  - {id: tensor, ask: derivative, of: z, wrt: V}
  - {id: average, ask: derivative, of: m, wrt: b}
  - {id: step, ask: update, loss: L, wrt: W, rate: 0.1}
  - {id: shape, ask: shape, of: z, wrt: W}
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[Derivation, Derivation]]:
    numbers, symbols = (load_problem(MLP % sizes) for sizes in ({"n": 300, "d": 784}, {"n": "n", "d": "d"}))
    return {a.id: (a, b) for a, b in zip(solve_problem(numbers), solve_problem(symbols), strict=True)}


@pytest.mark.parametrize("name", ["chain", "backwards", "jacobian", "entries", "tensor", "average", "step", "shape"])
def test_the_answer_is_that_for_all_sizes(name: str, answers: dict[str, tuple[Derivation, Derivation]]) -> None:
    found, general = answers[name]
    assert (found.status, found.message) == ("certified", "")
    for at_numbers, for_all in zip(found.results, general.results, strict=True):
        assert at_numbers.shape == tuple({"n": 300, "d": 784}.get(str(s), s) for s in for_all.shape)
        if for_all.value is not None and at_numbers.value is not None:
            numbers = {s: {"n": 300, "d": 784}[s.name] for s in dependence(for_all.value).symbols if s.name in "nd"}
            assert source(at_numbers.value) == source(reindex(for_all.value, numbers))
        for line in lines(at_numbers.blocks):
            assert not [s for x in (line.left, *line.right) for s in _sizes(x)]


def _sizes(expr: Expr) -> list[object]:
    return [s for x in postorder(expr) for s in x.shape if not isinstance(s, int)]


def test_the_shape_is_exact(answers: dict[str, tuple[Derivation, Derivation]]) -> None:
    assert answers["shape"][0].results[0].exact == [10, 300, 784]


def test_the_code_agrees_with_differences(answers: dict[str, tuple[Derivation, Derivation]]) -> None:
    problem = load_problem(MLP % {"n": 300, "d": 784})
    random = np.random.default_rng(1)
    shapes = {"x": (784,), "W": (300, 784), "b": (300,), "V": (10, 300)}
    arrays = {name: random.normal(size=shape) / 20 for name, shape in shapes.items()} | {"y": np.eye(10)[3]}

    def loss(W: np.ndarray) -> float:
        z = arrays["V"] @ np.tanh(W @ arrays["x"] + arrays["b"])
        return float(np.log(np.exp(z).sum()) - z[3])

    gradient = evaluate(program(problem, answers["chain"][0]), arrays)["W"]
    direction = random.normal(size=(300, 784))
    slope = (loss(arrays["W"] + 1e-5 * direction) - loss(arrays["W"] - 1e-5 * direction)) / 2e-5
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-7)


SAME = """
title: %s
symbols: {%s}
model: ["%s"]
questions: [{id: a, ask: derivative, of: e, wrt: W}]
"""


@pytest.mark.parametrize(
    ("symbols", "model"),
    [
        ("W: {shape: [4, 100]}", "e = sum(W)"),
        ("W: {shape: [n, m]}", "e = sum(W)"),
        ("W: {shape: [30, 30]}, c: {shape: 900}", "e = vec(W).T @ c"),
    ],
    ids=["small", "symbols", "sizes that hang together"],
)
def test_sizes_that_stay(symbols: str, model: str) -> None:
    problem = load_problem(SAME % ("t", symbols, model))
    assert open_sizes(problem) is None
    assert [d.status for d in solve_problem(problem)] == ["certified"]


@pytest.mark.parametrize(
    ("symbols", "points", "sizes"),
    [("W: {shape: [n, m]}", 5, 3), ("W: {shape: [n, n]}", 5, 3), ("W: {shape: [2, 3]}", 15, 1)],
    ids=["two symbols", "one symbol", "numbers"],
)
def test_a_check_counts_the_sizes_that_differ(symbols: str, points: int, sizes: int) -> None:
    (found,) = solve_problem(load_problem(SAME % ("t", symbols, "e = sum(tanh(W))")))
    assert {(c.points, c.sizes) for c in found.results[0].checks} == {(points, sizes)}


FLATTENED = """
title: Flattened
symbols:
  X: {shape: [4, 8, 8]}
  W: {shape: [40, 256]}
  V: {shape: [10, 40]}
  y: {shape: 10, is: one-hot}
model:
  - v = reshape(X, 256)
  - h = relu(W @ v)
  - p = softmax(V @ h)
  - L = cross_entropy(y, p)
questions:
  - {id: a, ask: derivative, of: L, wrt: W}
"""
"""256 = 4 · 8 · 8 holds for these numbers alone, so that they cannot be opened."""


def test_very_many_entries_are_compared_along_directions() -> None:
    problem = load_problem(FLATTENED)
    (derivation,) = solve_problem(problem)
    assert derivation.status == "certified"
    kinds = {c.kind for r in derivation.results for c in r.checks}
    assert {f"{way} along random directions" for way in ("the complex step", "central differences")} <= kinds


@pytest.mark.parametrize("entry", [(0, 0), (17, 203)])
def test_an_error_in_one_of_ten_thousand_entries_is_seen(entry: tuple[int, int]) -> None:
    problem = load_problem(FLATTENED)
    (derivation,) = solve_problem(problem)
    (result,) = derivation.results
    assert result.value is not None
    assert result.where
    (asked,) = problem.question("a").wrt
    assert isinstance(asked.expr, Var)
    error = np.zeros((40, 256))
    error[entry] = 1e-3
    wrong = b.add(result.value, b.literal([Fraction(x) for x in error.flat], (40, 256)))
    certifier = Certifier.of(problem.system, [{}])
    certifier.know(Definition(x.name.name, x.name.subs, x.body) for x in result.where)
    left = b.deriv(problem.question("a").of.expr, asked.expr)
    certifier.line(left, result.value)
    with pytest.raises(CertificationError, match="differ by"):
        certifier.line(left, wrong)
    with pytest.raises(CertificationError, match="central differences"):
        certifier.differences(problem.question("a").of.expr, asked.expr, wrong)
