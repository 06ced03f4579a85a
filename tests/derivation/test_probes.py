"""Which derivatives are compared along random directions, and that the sums compared there are those of the entries."""

import numpy as np
import pytest

from symgrad.calculus.directional import Directional
from symgrad.calculus.numeric import Numbers
from symgrad.derivation.probes import Along, Entries, probe
from symgrad.tensor import build as b
from symgrad.tensor.nodes import Expr, Var
from symgrad.tensor.system import Definition, System

L = b.var("L")


def model(rows: int, columns: int) -> tuple[System, Var, Var, Expr]:
    """s = tanh(W x), L = cᵀ s: the system, W, s, and ∂L/∂W = (c ⊙ (1 − s ⊙ s)) xᵀ."""
    W, s = b.var("W", (), (rows, columns)), b.var("s", (), (rows,))
    x, c = b.var("x", (), (columns,)), b.var("c", (), (rows,))
    made = Definition("s", (), b.apply("tanh", b.matmul(W, x))), Definition("L", (), b.inner(c, s))
    return System(made), W, s, b.outer(b.mul(c, b.sub(b.ONE, b.power(s, b.num(2)))), x)


@pytest.mark.parametrize(("shape", "way"), [((3, 4), Entries), ((90, 110), Along)])
def test_only_many_entries_are_compared_along_directions(shape: tuple[int, int], way: type[Entries | Along]) -> None:
    system, W, _, _ = model(*shape)
    assert isinstance(probe(Numbers.of(system, {}), L, W, {}), way)


def test_sums_along_directions_are_those_of_the_entries() -> None:
    system, W, s, gradient = model(3, 4)
    numbers = Numbers.of(system, {})
    directions = Directional(numbers, {}).directions(W)
    along = Along(numbers, {}, directions)
    dense = numbers.value(b.deriv(s, W))
    np.testing.assert_allclose(along.slopes(b.deriv(s, W)), np.einsum("pijk,pdjk->pdi", dense, directions), rtol=1e-12)
    expected = np.einsum("pjk,pdjk->pd", numbers.value(gradient), directions)
    chain = b.chain([b.deriv(L, s), b.deriv(s, W)], [1])
    for claim in (gradient, b.deriv(L, W), chain, b.sub(b.add(chain, gradient), b.deriv(L, W))):
        np.testing.assert_allclose(along.value(claim), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(along.slopes(b.deriv(L, W)), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(along.differences(L, W, (), 1e-3), expected, rtol=1e-9, atol=1e-11)
