"""Whole expressions as Unicode text."""

from fractions import Fraction

import pytest

from symgrad.notation.plain import plain
from symgrad.notation.read import read
from symgrad.notation.tree import Aligned, Line, Text
from symgrad.tensor import build as b
from symgrad.tensor.functions import construct as c
from symgrad.tensor.integers import index_symbol, size_symbol
from symgrad.tensor.nodes import Expr, Literal

n, m, K = (size_symbol(s) for s in ["n", "m", "K"])
i, j, k, t = (index_symbol(s) for s in "ijkt")
V, A, X = b.var("V", (), (K, n)), b.var("A", (), (n, n)), b.var("X", (), (m, n))
x, z = b.var("x", (), (n,)), b.var("z", (), (n,))
a, L = b.var("a"), b.var("L")


def h(step: object) -> Expr:
    return b.var("h", [step], (n,))


ERROR = b.sub(b.var("yhat", [2], (K,)), b.var("y", [2], (K,)))
CHAIN = b.chain([b.deriv(L, h(t)), b.deriv(h(t), h(k)), b.deriv(h(k), A, "immediate")], [1, 1])

CASES = [
    (b.matmul(b.transpose(V), ERROR), "Vᵀ (ŷ₂ − y₂)"),
    (b.matmul(ERROR, b.transpose(h(1))), "(ŷ₂ − y₂) h₁ᵀ"),
    (b.sub(b.ONE, b.power(h(t), b.num(2))), "1 − hₜ ⊙ hₜ"),
    (b.deriv(L, h(t - 1)), "∂L/∂hₜ₋₁"),
    (CHAIN, "∂L/∂hₜ · ∂hₜ/∂hₖ · ∂⁺hₖ/∂A"),
    (b.deriv(h(t), A, held=[h(t - 1)]), "∂hₜ/∂A | hₜ₋₁ fixed"),
    (b.deriv(b.deriv(L, x), x), "∂²L/(∂x ∂xᵀ)"),
    (b.fold("sum", h(k), [b.binder(k, 1, t)]), "∑ₖ₌₁ᵗ hₖ"),
    (b.fold("sum", h(k), [b.binder(k, 1, K)]), "∑[k=1..K] hₖ"),
    (b.fold("sum", b.at(z, j), [b.binder(j, 1, n)], [b.rel("!=", j, i)]), "∑[j=1..n, j≠i] zⱼ"),
    (b.reduce("max", z), "max[i] zᵢ"),
    (b.mul(a, b.sub(b.ONE, a)), "a (1 − a)"),
    (b.div(b.ONE, b.add(b.ONE, b.apply("exp", b.neg(a)))), "1/(1 + e⁻ᵃ)"),
    (b.div(x, c.norm(x)), "x/‖x‖"),
    (b.power(a, b.num(Fraction(1, 2))), "√a"),
    (b.apply("where", b.compare(">=", a, b.ZERO), a, b.ZERO), "{a if a ≥ 0; 0 otherwise}"),
    (b.compare(">", x, b.ZERO), "𝟏[x > 0]"),
    (b.delta(i, j), "δᵢⱼ"),
    (b.at(X, i, j), "Xᵢⱼ"),
    (b.at(h(t), i), "[hₜ]ᵢ"),
    (b.concat([h(t), x]), "[hₜ; x]"),
    (Literal((Fraction(1), Fraction(2), Fraction(3), Fraction(-4)), (2, 2)), "[1, 2; 3, −4]"),
    (c.inv(A), "A⁻¹"),
    (b.mul(b.num(2), a, b.apply("log", a)), "2a log a"),
]


@pytest.mark.parametrize(("expr", "expected"), CASES, ids=[text for _, text in CASES])
def test_whole_text(expr: Expr, expected: str) -> None:
    assert plain(read(expr)) == expected


def test_aligned_equations_take_a_line_each() -> None:
    lines = (
        Line(read(b.deriv(L, x)), "=", read(b.matmul(A, x)), Text("chain rule")),
        Line(None, "=", read(x)),
    )
    assert plain(Aligned(lines)) == "∂L/∂x = A x   chain rule\n      = x"
