"""How names print: the defaults of the field, and what a declaration says."""

import pytest

from symgrad.notation.latex import latex
from symgrad.notation.names import Names
from symgrad.notation.plain import plain
from symgrad.notation.read import read
from symgrad.notation.style import Style
from symgrad.tensor import build as b
from symgrad.tensor.integers import index_symbol

t, i = index_symbol("t"), index_symbol("i")


@pytest.mark.parametrize(
    ("name", "subs", "expected", "text"),
    [
        ("h", (), "h", "h"),
        ("h", (t - 1,), "h_{t-1}", "hₜ₋₁"),
        ("h", (0,), "h_0", "h₀"),
        ("h", (-1,), "h_{-1}", "h₋₁"),
        ("q", (i, t), "q_{i,t}", "q[i,t]"),
        ("yhat", (), r"\hat{y}", "ŷ"),
        ("yhat", (t,), r"\hat{y}_t", "ŷₜ"),
        ("x_hat", (), r"\hat{x}", "x̂"),
        ("xbar", (), r"\bar{x}", "x̄"),
        ("xtilde", (), r"\tilde{x}", "x̃"),
        ("mubar", (), r"\bar{\mu}", "μ̄"),
        ("ŷ", (2,), r"\hat{y}_2", "ŷ₂"),
        ("theta", (), r"\theta", "θ"),
        ("Theta", (), r"\Theta", "Θ"),
        ("θ", (t,), r"\theta_t", "θₜ"),
        ("alpha_1", (), r"\alpha_1", "α₁"),
        ("x_0", (), "x_0", "x₀"),
        ("x_0", (t,), "x_{0,t}", "x[0,t]"),
        ("W_f", (), "W_f", "W_f"),
        ("W__f", (), "W^{f}", "Wᶠ"),
        ("W__f", (t,), "W_t^{f}", "Wₜᶠ"),
        ("W_hx", (), "W_{hx}", "Wₕₓ"),
        ("x_out", (), r"x_{\mathrm{out}}", "xₒᵤₜ"),
        ("W_x__i", (), "W_x^{i}", "Wₓⁱ"),
        ("W1", (), "W_1", "W₁"),
        ("loss", (), r"\mathrm{loss}", "loss"),
        ("MSE", (), r"\mathrm{MSE}", "MSE"),
        ("Wx", (), r"\mathit{Wx}", "Wx"),
        ("dh1", (), r"\mathit{dh}_1", "dh₁"),
        ("δh", (t,), r"\delta h_t", "δhₜ"),
        ("D_htilde", (t,), r"D_{\tilde{h},t}", "D[h̃,t]"),
        ("δ", (t,), r"\delta_t", "δₜ"),
        ("delta_h", (), r"\delta_h", "δₕ"),
        ("xstar", (), r"x^{\ast}", "x*"),
        ("xprime", (t,), "x'_t", "xₜ′"),
        ("lambda_", (), r"\lambda", "λ"),
        ("ell", (), r"\ell", "ℓ"),
    ],
)
def test_default_names(name: str, subs: tuple[object, ...], expected: str, text: str) -> None:
    tree = read(b.var(name, subs))
    assert latex(tree) == expected
    assert plain(tree) == text


@pytest.mark.parametrize(
    ("declared", "given", "name", "subs", "expected"),
    [
        ("w", r"\mathbf{w}", "w", (), r"\mathbf{w}"),
        ("h[t]", r"\mathbf{h}", "h", (t - 1,), r"\mathbf{h}_{t-1}"),
        ("h[t]", r"\mathbf{h}_t", "h", (t - 1,), r"\mathbf{h}_{t-1}"),
        ("h[t]", r"\tilde h_{t}", "h", (2,), r"\tilde{h}_2"),
        ("W", "W_{hh}", "W", (t,), "W_{hh,t}"),
        ("h[0]", r"h_{\mathrm{init}}", "h", (0,), r"h_{\mathrm{init}}"),
        ("h[0]", r"h_{\mathrm{init}}", "h", (1,), "h_1"),
        ("g", r"\overset{!}{g}", "g", (t,), r"\overset{!}{g}_t"),
        ("g", r"\overset{!}{g}_0", "g", (t,), r"{\overset{!}{g}_0}_t"),
        ("N", r"\mathcal{N}", "N", (), r"\mathcal{N}"),
        ("h", r"\mathbf{h}", "D_h", (t,), r"D_{\mathbf{h},t}"),
        ("h", r"\mathbf{h}", "δh", (t,), r"\delta \mathbf{h}_t"),
    ],
)
def test_declared_latex(declared: str, given: str, name: str, subs: tuple[object, ...], expected: str) -> None:
    style = Style(Names(latex={declared: given}))
    assert latex(read(b.var(name, subs), style)) == expected


def test_latex_that_is_not_understood_has_the_declared_name_elsewhere() -> None:
    style = Style(Names(latex={"g": r"\overset{!}{g}"}))
    assert plain(read(b.var("g", [t]), style)) == "gₜ"
