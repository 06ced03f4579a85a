"""Questions of kind count: formulas, their numbers, and the conventions behind them."""

import pytest
import sympy

from symgrad.derivation.solve import solve_problem
from symgrad.derivation.steps import Derivation, Line
from symgrad.derivation.structure.operations import Work, work_of
from symgrad.derivation.structure.tally import Tally
from symgrad.problem.elaborate import load_problem
from symgrad.tensor import build as b
from symgrad.tensor.functions import layers
from symgrad.tensor.integers import size_symbol
from symgrad.tensor.nodes import Count, Expr

LAYERS = """
symbols:
  X: {shape: [32, 19, 19]}
  W: {shape: [64, 32, 7, 7]}
  b: {shape: 64}
  P: {shape: [32, 32]}
  Q: {shape: [6, 1, 5, 5]}
  q: {shape: 6}
model:
  - Y = conv2d(X, W, stride=3)
  - Z = conv2d(X, W, stride=3, bias=b)
  - L = conv2d(P, Q, bias=q)
  - M = avgpool2d(L, 2)
  - U = conv_transpose1d(stack(1, 2, 3), stack(1, 2))
questions:
"""


def ask(model: str, of: str, what: str) -> Derivation:
    problem = load_problem(model + f"  - {{id: a, ask: count, of: '{of}', what: {what}}}\n")
    (found,) = solve_problem(problem)
    return found


@pytest.mark.parametrize(
    ("of", "what", "number"),
    [
        ("Y", "parameters", 64 * 32 * 7 * 7),
        ("Y", "multiplications", 2_508_800),
        ("Y", "macs", 2_508_800),
        ("Y", "additions", 2_507_200),
        ("Z", "parameters", 100_352 + 64),
        ("Z", "additions", 2_507_200 + 64 * 25),
        ("L", "parameters", 156),
        ("L", "multiplications", 6 * 28 * 28 * 25),
        ("M", "multiplications", 6 * 28 * 28 * 25 + 6 * 14 * 14),
        ("M", "macs", 6 * 28 * 28 * 25),
        ("M", "additions", 6 * 28 * 28 * 25 + 6 * 14 * 14 * 3),
        ("Y[1, 1, 1] * 3", "multiplications", 2_508_800 + 1),
    ],
)
def test_layers(of: str, what: str, number: int) -> None:
    found = ask(LAYERS, of, what)
    assert found.status == "certified", found.message
    assert found.results[0].exact == number


m, n = size_symbol("m"), size_symbol("n")
MLP = """
symbols:
  x: {shape: n}
  W: {shape: [m, n], is: parameter}
  c: {shape: m, is: parameter}
  V[l]: {shape: [m, m], is: parameter}
steps: {l: 1..3}
model:
  - h[0] = tanh(W @ x + c)
  - h[l] = tanh(V[l] @ h[l-1])
  - y = sum(h[3])
questions:
"""


@pytest.mark.parametrize(
    ("of", "what", "expected"),
    [
        ("h[0]", "parameters", m * n + m),
        ("h[0]", "multiplications", m * n),
        ("h[0]", "additions", m * (n - 1) + m),
        ("y", "parameters", 3 * m**2 + m * n + m),
        ("y", "multiplications", 3 * m**2 + m * n),
    ],
)
def test_symbolic_sizes(of: str, what: str, expected: sympy.Expr) -> None:
    found = ask(MLP, of, what)
    assert found.status == "certified", found.message
    (result,) = found.results
    assert result.exact is None
    assert result.value is b.count(sympy.expand(expected))


def test_the_formula_stands_before_the_number() -> None:
    (result,) = ask(LAYERS, "L", "parameters").results
    line = next(x for x in result.blocks if isinstance(x, Line))
    assert line.boxed
    assert line.left is not line.right[0]
    assert b.number_of(line.right[0]) == 156


def test_parameters_must_be_known() -> None:
    found = ask("symbols: {W: {shape: [2, 3]}, x: {shape: 3}}\nmodel: [y = W @ x]\nquestions:\n", "y", "parameters")
    assert found.status == "failed"
    assert "is: parameter" in found.message


A, B = b.var("A", shape=(2, 3)), b.var("B", shape=(3, 4))
x, y = b.var("x", shape=(4,)), b.var("y", shape=(4,))
OPERATIONS: dict[str, tuple[Expr, int, int]] = {
    "a matrix product": (b.matmul(A, B), 24, 16),
    "from the right where a vector ends it": (b.matmul(A, B, x), 12 + 6, 9 + 4),
    "an inner product": (b.inner(x, y), 4, 3),
    "an outer product": (b.outer(x, y), 16, 0),
    "a sum": (b.add(x, y), 0, 4),
    "a difference": (b.sub(x, y), 0, 4),
    "entry by entry": (b.mul(b.num(2), x, y), 8, 0),
    "a sign": (b.neg(x), 0, 0),
    "a sum of all": (b.reduce("sum", A), 0, 5),
    "a cube": (b.power(x, b.num(3)), 8, 0),
    "a convolution of one channel": (layers.conv1d(x, b.var("w", shape=(2,))), 6, 3),
    "groups": (layers.conv1d(A, b.var("w", shape=(2, 1, 2)), groups=2), 8, 4),
    "a transposed convolution": (layers.conv_transpose1d(x, b.var("w", shape=(2,))), 8, 8),
    "the largest of windows": (layers.maxpool1d(x, 2), 0, 0),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_work_of_one_operation(name: str) -> None:
    node, products, sums = OPERATIONS[name]
    found: Work = work_of(node)
    from_numbers = [b.number_of(_total(f)) for f in (found.multiplications, found.additions)]
    assert from_numbers == [products, sums]
    if Tally.reads(node):
        assert Tally({}).of(node) == (products, sums)


def _total(formula: Expr) -> Expr:
    parts = [_total(c) for c in formula.children]
    if not parts:
        return formula
    return b.add(*parts) if type(formula).__name__ == "Add" else b.mul(*parts)


TWO_WAYS = """
symbols:
  x[t]: {shape: d}
  h[0]: {shape: n}
  b[T+1]: {shape: n}
  W: {shape: [n, d]}
  U: {shape: [n, n]}
steps: {t: 1..T}
model:
  - h[t] = tanh(W @ x[t] + U @ h[t-1])
  - b[t] = tanh(W @ x[t] + U @ b[t+1])
  - g[t] = sum(h[t])
  - s[t] = sum(b[t])
  - L = sum(g[t], t=1..T)
questions:
"""
CELL = "(n*(d - 1) + n*(n - 1) + n)"


@pytest.mark.parametrize(
    ("of", "what", "expected"),
    [
        ("g[t]", "multiplications", "t*(n*d + n**2)"),
        ("g[t]", "additions", f"t*{CELL} + n - 1"),
        ("g[T]", "additions", f"T*{CELL} + n - 1"),
        ("g[3]", "additions", f"3*{CELL} + n - 1"),
        ("h[t-1]", "macs", "(t - 1)*(n*d + n**2)"),
        ("s[t]", "additions", f"(T - t + 1)*{CELL} + n - 1"),
        ("L", "additions", f"T*({CELL} + n - 1) + T - 1"),
    ],
)
def test_only_the_steps_that_are_read_are_counted(of: str, what: str, expected: str) -> None:
    (result,) = ask(TWO_WAYS, of, what).results
    assert isinstance(result.value, Count)
    names = {s.name: s for s in sympy.sympify(result.value.value).free_symbols}
    assert sympy.expand(result.value.value - sympy.parse_expr(expected, names)) == 0
