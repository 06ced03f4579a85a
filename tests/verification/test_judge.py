"""Single equations: a table of claims with the verdict that the mathematics gives them."""

from pathlib import Path

import pytest

from symgrad.pipeline import load
from symgrad.verification.marked import Markers

MATRICES = """
symbols:
  A: {shape: [n, n]}
  B: {shape: [n, n]}
  C: {shape: [m, n]}
  u: {shape: n}
  v: {shape: n}
  a: {}
model:
  - f = u.T @ A @ u
"""


@pytest.fixture(scope="module")
def markers() -> dict[str, Markers]:
    names = ("bptt", "lstm", "softmax_ce", "residual", "attention_rnn", "gated_rnn", "conv1d_index", "lstm_step")
    names += (
        "conv_by_hand",
        "conv_sizes",
        "loss_at_init",
        "focal_loss",
        "vae_elbo",
        "gan_optimum",
        "vanishing",
        "unit_sphere",
    )
    return {**{n: Markers.of([load(n)]) for n in names}, "matrices": Markers.of([load(MATRICES)])}


def verdicts(markers: Markers, formula: str) -> list[str]:
    return [c.verdict for c in markers.mark(formula, formula=True).claims]


FALSE_IDENTITIES = [
    r"A B = B A",
    r"(A B)^\top = A^\top B^\top",
    r"(A B)^{-1} = A^{-1} B^{-1}",
    r"(A + B)^2 = A^2 + 2 A B + B^2",
    r"(A + B)(A - B) = A^2 - B^2",
    r"(A + B)^{-1} = A^{-1} + B^{-1}",
    r"(A B)^2 = A^2 B^2",
    r"A^\top A = A A^\top",
    r"\operatorname{tr}(A B) = \operatorname{tr}(A) \operatorname{tr}(B)",
    r"\det(A + B) = \det(A) + \det(B)",
    r"\det(2 A) = 2 \det(A)",
    r"A \odot B = A B",
    r"u v^\top = v u^\top",
    r"u^\top v = u v^\top",
    r"\operatorname{diag}(u) A = A \operatorname{diag}(u)",
    r"\|u + v\| = \|u\| + \|v\|",
    r"(C A)^\top = C^\top A^\top",
]
TRUE_IDENTITIES = [
    r"(A B)^\top = B^\top A^\top",
    r"(A B)^{-1} = B^{-1} A^{-1}",
    r"\operatorname{tr}(A B) = \operatorname{tr}(B A)",
    r"\det(A B) = \det(A) \det(B)",
    r"(A + B)^2 = A^2 + A B + B A + B^2",
    r"u^\top A v = v^\top A^\top u",
    r"\operatorname{diag}(u) A = u \odot A",
    r"\operatorname{diag}(u) v = u \odot v",
    r"(u v^\top) u = u (v^\top u)",
    r"\|u\|^2 = u^\top u",
    r"A I = A",
    r"\frac{\partial f}{\partial u} = (A + A^\top) u",
    r"\frac{\partial f}{\partial A} = u u^\top",
]


@pytest.mark.parametrize("formula", FALSE_IDENTITIES)
def test_no_false_identity_of_matrices_is_accepted(markers: dict[str, Markers], formula: str) -> None:
    assert verdicts(markers["matrices"], formula)[0] in ("wrong", "shape-error")


@pytest.mark.parametrize("formula", TRUE_IDENTITIES)
def test_true_identities_are_right(markers: dict[str, Markers], formula: str) -> None:
    assert verdicts(markers["matrices"], formula) == ["right"]


CLAIMS = [
    ("bptt", r"\frac{\partial E_t}{\partial h_t} = V^\top(\hat y_t - y_t)", "right"),
    ("bptt", r"\frac{\partial E_t}{\partial h_t} = (\hat y_t - y_t)^\top V", "right-other-layout"),
    ("bptt", r"\frac{\partial E_t}{\partial h_t} = (\hat y_t - y_t) V", "right-other-layout"),
    ("bptt", r"\frac{\partial E_t}{\partial h_t} = V^\top(\hat y_t + y_t)", "wrong"),
    ("bptt", r"\frac{\partial E_t}{\partial h_t} = V^\top h_t", "shape-error"),
    ("bptt", r"\frac{\partial E_t}{\partial h_t} = \frac{\partial E_t}{\partial z_t} \frac{\partial z_t}{\partial h_t}", "right"),
    ("bptt", r"\frac{\partial E_t}{\partial h_t} = \left(\frac{\partial z_t}{\partial h_t}\right)^\top \frac{\partial E_t}{\partial z_t}", "right"),
    ("bptt", r"\frac{\partial E_t}{\partial h_t} = \frac{\partial z_t}{\partial h_t} \frac{\partial E_t}{\partial z_t}", "right-other-layout"),
    ("bptt", r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t^2) W", "right"),
    ("bptt", r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t \odot h_t) W", "right"),
    ("bptt", r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\tanh'(U I_t + W h_{t-1})) W", "right"),
    ("bptt", r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(\operatorname{sech}^2(U I_t + W h_{t-1})) W", "right"),
    ("bptt", r"\frac{\partial h_t}{\partial h_{t-1}} = (1 - h_t^2) \odot W", "right"),
    ("bptt", r"\frac{\partial h_t}{\partial h_{t-1}} = W^\top \operatorname{diag}(1 - h_t^2)", "right-other-layout"),
    ("bptt", r"\frac{\partial h_t}{\partial h_{t-1}} = W \operatorname{diag}(1 - h_t^2)", "wrong"),
    ("bptt", r"\frac{\partial h_t}{\partial h_{t-1}} = (1 - h_t^2) W", "right-as-scalars"),
    ("bptt", r"\frac{\partial h_t}{\partial h_{t-1}} = 0", "wrong"),
    ("bptt", r"\frac{\partial h_1}{\partial h_2} = 0", "right"),
    ("bptt", r"\frac{\partial E}{\partial W} = \sum_{t=1}^{3} \frac{\partial E_t}{\partial W}", "right"),
    ("bptt", r"\frac{\partial E}{\partial W} = \sum_{t=1}^{2} \frac{\partial E_t}{\partial W}", "wrong"),
    ("bptt", r"\frac{\partial h_3}{\partial h_1} = \frac{\partial h_3}{\partial h_2} \frac{\partial h_2}{\partial h_1}", "right"),
    ("bptt", r"\frac{\partial h_3}{\partial h_1} = \prod_{j=2}^{3} \frac{\partial h_j}{\partial h_{j-1}}", "right-if"),
    ("bptt", r"\frac{\partial E_1}{\partial W} = \left((1 - h_1^2) \odot V^\top (\hat y_1 - y_1)\right) h_0^\top", "right"),
    ("bptt", r"\frac{\partial h_t}{\partial W} = (1 - h_t^2) h_{t-1}", "wrong"),
    ("bptt", r"\frac{\partial \hat y_{t,i}}{\partial z_{t,j}} = \hat y_{t,i} (\delta_{ij} - \hat y_{t,j})", "right"),
    ("bptt", r"\frac{\partial \hat y_{t,i}}{\partial z_{t,j}} = \hat y_{t,i} (1 - \hat y_{t,j})", "wrong"),
    ("bptt", r"\frac{\partial \hat y_t}{\partial z_t} = \operatorname{diag}(\hat y_t) - \hat y_t \hat y_t^\top", "right"),
    ("bptt", r"h_t = \tanh(U I_t + W h_{t-1})", "right"),
    ("bptt", r"h_t = \tanh(U I_t + W h_t)", "wrong"),
    ("bptt", r"h_t = \sigma(U I_t + W h_{t-1})", "wrong"),
    ("bptt", r"\frac{\partial E}{\partial z} = \hat y - y", "right"),
    ("bptt", r"\frac{\partial Q}{\partial h_t} = V", "unjudged"),
    ("bptt", r"\kappa = U I_1", "definition"),
    ("bptt", r"\frac{58}{77} = 0.753", "right-to-precision"),
    ("bptt", r"\frac{58}{77} = 0.754", "wrong"),
    ("bptt", r"1.005 = 1.004", "wrong"),
    ("bptt", r"\lfloor \frac{64 - 5}{2} \rfloor + 1 = 30", "right"),
    ("bptt", r"\sigma(z) = \frac{1}{1 + e^{-z}}", "right"),
    ("bptt", r"\sigma'(z) = \sigma(z)(1 - \sigma(z))", "right"),
    ("bptt", r"\sigma'(z) = \sigma(z)", "wrong"),
    ("bptt", r"(a + b)^2 = a^2 + 2 a b + b^2", "right"),
    ("bptt", r"(a + b)^2 = a^2 + b^2", "wrong"),
    ("bptt", r"M N = N M", "wrong"),
    ("bptt", r"\sigma(10001) = \sigma(1)", "wrong"),
    ("lstm", r"\frac{\partial c_t}{\partial c_{t-1}} = \operatorname{diag}(f_t)", "right-if"),
    ("lstm", r"W^i \in \mathbb{R}^{n \times d}", "right"),
    ("lstm", r"W^i \in \mathbb{R}^{d \times n}", "wrong"),
    ("lstm", r"\delta o_t = \delta h_t \odot \tanh(c_t)", "right"),
    ("lstm", r"\delta o_t = \delta h_t \odot c_t", "wrong"),
    ("softmax_ce", r"\frac{\partial e}{\partial x} = p - p^*", "right"),
    ("softmax_ce", r"\frac{\partial e}{\partial x} = p^* - p", "wrong"),
    ("softmax_ce", r"\frac{\partial e}{\partial p_i} = -\frac{p^*_i}{p_i}", "right"),
    ("residual", r"\frac{\partial x_4}{\partial x_3} = \operatorname{diag}(\mathbb{1}[x_3 > 0])", "right"),
    ("residual", r"\frac{\partial x_4}{\partial x_3} = \operatorname{diag}(\mathbb{1}[x_3 \ge 0])", "right-if"),
    ("residual", r"\frac{\partial x_4}{\partial x_3} = I", "wrong"),
    ("residual", r"\frac{\partial e}{\partial x_0} = \frac{\partial e}{\partial y}", "right"),
    ("residual", r"\frac{\partial e}{\partial x} = \frac{\partial e}{\partial y}", "wrong"),
    ("attention_rnn", r"h[t] = \sum_{i=0}^{2} a_i[t] v_i[t]", "right"),
    ("attention_rnn", r"h_t = \sum_{i=0}^{2} a_t^{(i)} v_t^{(i)}", "right"),
    ("attention_rnn", r"a[t] = \text{softargmax}([w_0[t], w_1[t], \dots, w_2[t]])", "right"),
    ("attention_rnn", r"q_i[t] = Q_i h[t-i], \quad i = 1, \dots, 2", "right"),
    ("attention_rnn", r"q_i[t] = Q_i h[t-i], \quad 0 \le i \le 2", "wrong"),
    ("attention_rnn", r"q_i[t] = Q_i h[t-i]", "right-if"),
    ("attention_rnn", r"\frac{\partial \ell}{\partial h[t]} = \frac{\partial^+ \ell}{\partial h[t]} + \left(\frac{\partial h[t+1]}{\partial h[t]}\right)^\top \frac{\partial \ell}{\partial h[t+1]} + \left(\frac{\partial h[t+2]}{\partial h[t]}\right)^\top \frac{\partial \ell}{\partial h[t+2]}", "right"),
    ("attention_rnn", r"\frac{\partial \ell}{\partial h[t]} = \frac{\partial^+ \ell}{\partial h[t]} + \left(\frac{\partial h[t+1]}{\partial h[t]}\right)^\top \frac{\partial \ell}{\partial h[t+1]}", "wrong"),
    ("gated_rnn", r"\frac{\partial \ell}{\partial W_x} = \sum_{t=1}^K \sum_{k=1}^t \left( (1 - c[k]) \odot \left( \prod_{j=k+1}^{t} \frac{\partial h[j]}{\partial h[j-1]} \right)^\top \frac{\partial \ell}{\partial h[t]} \right) x[k]^\top", "right-if"),
    ("gated_rnn", r"\frac{\partial \ell}{\partial W_x} = \sum_{t=1}^K \sum_{k=1}^t \left( (1 - c[k]) \odot \left( \prod_{j=k+1}^{t} \frac{\partial h[j]}{\partial h[j-2]} \right)^\top \frac{\partial \ell}{\partial h[t]} \right) x[k]^\top", "wrong"),
    ("gated_rnn", r"h[0] \doteq 0", "definition"),
    ("gated_rnn", r"h[2] \doteq 0", "wrong"),
    ("conv1d_index", r"f_W(x)[r] = \sum_{k=1}^{3} \sum_{c=1}^{5} x[k + 2(r-1), c] W[1, c, k]", "right"),
    ("conv1d_index", r"f_W(x)[r] = \sum_{k=1}^{3} \sum_{c=1}^{5} x[k + 2r, c] W_{1ck}", "wrong"),
    ("conv1d_index", r"\frac{\partial \ell}{\partial x_{11}} = \frac{\partial \ell}{\partial f_W(x)[1]} W_{111}", "right"),
    ("softmax_ce", r"p_i = \frac{e^{x_i}}{\sum_{j} e^{x_j}}", "right"),
    ("softmax_ce", r"e^2 = 2", "wrong"),
    ("softmax_ce", r"∂e/∂x = p − p*", "right"),
    ("softmax_ce", r"\frac{\partial p_i}{\partial x_j} = -p_i p_j \quad (i \neq j)", "right"),
    ("softmax_ce", r"\frac{\partial p_i}{\partial x_j} = -p_i p_j", "wrong"),
    ("softmax_ce", r"X_{pad} = 3", "definition"),
    ("lstm_step", r"do_t = dh_t \odot \tanh(c_t)", "right"),
    ("lstm_step", r"dW = \sum_t dz_t I_t^T", "right"),
    ("lstm_step", r"\frac{dL}{dW} = \sum_t dz_t I_t^T", "right"),
    ("lstm_step", r"dh_{t-1} = dI_t[1:n]", "wrong"),
    ("conv_by_hand", r"Y_{22} = 4.6 + 2.7 + 5.10 + 1.11", "right-if"),
    ("conv_by_hand", r"Y_{22} = 4.6 + 2.7 + 5.10 + 1.12", "wrong"),
    ("loss_at_init", r"p_k = \frac14", "right-if"),
    ("loss_at_init", r"E = \log 4", "right-if"),
    ("loss_at_init", r"E = \log 3", "wrong"),
    ("loss_at_init", r"\frac{\partial E}{\partial z} = \begin{pmatrix} 0.25 & 0.25 & -0.75 & 0.25 \end{pmatrix}^\top", "right-if"),
    ("focal_loss", r"FL = -(1-p)^{\gamma/2} \log p", "wrong"),
    ("focal_loss", r"\lim_{p \to 0} \frac{FL}{CE} = 1", "right"),
    ("focal_loss", r"\lim_{p \to 0} \frac{FL}{CE} = 0", "wrong"),
    ("focal_loss", r"\lim_{p \to 1} FL = \lim_{p \to 1} (1 - p)^\gamma", "right"),
    ("vae_elbo", r"p(z|x) = \frac{p(x|z) p(z)}{p(x)}", "right"),
    ("vae_elbo", r"p(z|x) = \frac{p(x|z) p(x)}{p(z)}", "wrong"),
    ("vae_elbo", r"D_{KL}(q_\phi(z|x) \| p_\theta(z|x)) = \mathbb{E}_{q}[\log q(z)] - \mathbb{E}_{q_\phi(z|x)}[\log p(z|x)]", "right"),
    ("vae_elbo", r"\text{ELBO} = \mathbb{E}_{q}[\log p(x|z)] - D_{KL}(q(z)\|p(z))", "right"),
    ("vae_elbo", r"\text{ELBO} = \mathbb{E}_{q}[\log p(x|z)] + D_{KL}(q(z)\|p(z))", "wrong"),
    ("vae_elbo", r"\log p(x) \ge \text{ELBO}", "right"),
    ("vae_elbo", r"\log p(x) \le \text{ELBO}", "wrong"),
    ("gan_optimum", r"D^*(x) = \frac{p_{data}(x)}{p_{data}(x) + p_g(x)}", "right"),
    ("gan_optimum", r"D^*(x) = \frac{1}{2}", "right-if"),
    ("gan_optimum", r"C(G) = -\log 4 + 2 \cdot JSD(p_{data} \| p_g)", "right"),
    ("gan_optimum", r"C(G) = -\log 4 + JSD(p_{data} \| p_g)", "wrong"),
    ("gan_optimum", r"C(G) \ge -\log 4", "right"),
    ("gan_optimum", r"V(D, G) = \int_x p_{data}(x) \log D(x) + p_g(x) \log(1 - D(x)) \, dx", "right"),
    ("gan_optimum", r"V(D, G) = \int_x p_{data}(x) \log D(x) + p_g(x) \log D(x) \, dx", "wrong"),
    ("vanishing", r"\left\| \frac{\partial h_t}{\partial h_{t-1}} \right\| \le \|W\|", "right"),
    ("vanishing", r"\left\| \frac{\partial h_t}{\partial h_{t-1}} \right\| \le 1", "wrong"),
    ("conv_sizes", r"H \ge K", "unjudged"),
    ("vanishing", r"\frac{\partial h_t}{\partial h_k} = \prod_{i=k+1}^{t} \diag(1 - h_i^2) W", "right-if"),
    ("vanishing", r"\frac{\partial h_t}{\partial h_k} = \prod_{i=t}^{k+1} \diag(1 - h_i^2) W", "right"),
    ("vanishing", r"\left\|\frac{\partial h_t}{\partial h_{t-1}}\right\| \le \left\|\diag(1-h_t^2)\right\| \|W\| \le \|W\|", "right"),
    ("vanishing", r"\left\|\frac{\partial h_t}{\partial h_{t-1}}\right\| \le \left\|\diag(1-h_t^2)\right\| \|W\| \le 1", "wrong"),
    ("residual", r"H \leftarrow H - \eta \frac{\partial e}{\partial x_3} x^\top", "right"),
    ("residual", r"H \leftarrow H + \eta \frac{\partial e}{\partial H}", "wrong"),
    ("residual", r"x \leftarrow x - \eta \frac{\partial e}{\partial x}", "unjudged"),
    ("conv_sizes", r"H_{out} = \left\lfloor \frac{H + 2P - D(K-1) - 1}{S} + 1 \right\rfloor", "right"),
    ("conv_sizes", r"H_{out} = \left\lfloor \frac{H + 2P - D(K-1)}{S} + 1 \right\rfloor", "wrong"),
    ("conv_sizes", r"F \times \left(\left\lfloor \frac{H + 2P - D(K-1) - 1}{S} \right\rfloor + 1\right) \times \left(\left\lfloor \frac{W + 2P - D(K-1) - 1}{S} \right\rfloor + 1\right)", "right"),
    ("conv_sizes", r"F \times \left(\left\lfloor \frac{H + 2P - D(K-1) - 1}{S} \right\rfloor + 1\right) \times \left(\left\lfloor \frac{W + P - D(K-1) - 1}{S} \right\rfloor + 1\right)", "unjudged"),
    ("bptt", r"h_t = \tanh(U I_t + W h_{t-1}), \quad t = 3, 2, 1", "right"),
    ("bptt", r"h_t = h_t + t - 2, \quad t = 2", "right"),
    ("attention_rnn", r"\frac{\partial a[t]}{\partial w[t]} = \operatorname{diag}(a[t]) - a[t] a[t]^\top", "right"),
    ("attention_rnn", r"\frac{\partial a_t}{\partial w_t} = \operatorname{diag}(a_t)", "wrong"),
    ("focal_loss", r"\frac{\partial FL}{\partial z} = (1-q)^\gamma (\gamma q \log q + q - 1)", "right-if"),
    ("focal_loss", r"\frac{\partial FL}{\partial z} = (1-q)^\gamma (\gamma q \log q - q - 1)", "wrong"),
    ("lstm", r"dU^f = \sum_t (df_t \odot f_t \odot (1-f_t)) h_{t-1}^T", "right"),
    ("lstm", r"\delta W^f = \sum_t (\delta f_t \odot f_t \odot (1-f_t)) h_{t-1}^T", "shape-error"),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "formula", "verdict"), CLAIMS, ids=[c[1] for c in CLAIMS])
def test_the_verdict_is_that_of_the_mathematics(
    markers: dict[str, Markers], problem: str, formula: str, verdict: str
) -> None:
    assert verdicts(markers[problem], formula) == [verdict]


def test_a_wrong_line_shows_where_it_fails(markers: dict[str, Markers]) -> None:
    (claim,) = markers["bptt"].mark(r"\frac{\partial E_t}{\partial h_t} = V^\top(\hat y_t + y_t)", formula=True).claims
    assert claim.counterexample is not None
    assert abs(claim.counterexample.expected - claim.counterexample.given) > 1e-6
    assert claim.counterexample.at["t"] in (1, 2, 3)
    assert claim.question == "state"


@pytest.mark.parametrize(
    ("problem", "formula", "sign"),
    [
        ("vanishing", r"\left\| \frac{\partial h_t}{\partial h_{t-1}} \right\| \le 1", 1),
        ("vanishing", r"\left\|\frac{\partial h_t}{\partial h_{t-1}}\right\| \le \left\|\diag(1-h_t^2)\right\| \|W\| \le 1", 1),
        ("vae_elbo", r"\text{ELBO} \ge \log p(x)", -1),
        ("bptt", r"h_t \le 0", 1),
    ],
)  # fmt: skip
def test_a_wrong_inequality_shows_a_point_beyond_it(
    markers: dict[str, Markers], problem: str, formula: str, sign: int
) -> None:
    (claim,) = markers[problem].mark(formula, formula=True).claims
    assert claim.verdict == "wrong"
    assert claim.counterexample is not None
    assert sign * (claim.counterexample.expected - claim.counterexample.given) > 1e-6


WORDED = [
    (r"$$\frac{\partial E_t}{\partial z_t} = \hat y_t - y_t$$ Each of these values is upper bounded by 1.", "wrong"),
    (r"$$\frac{\partial E_t}{\partial z_t} = \hat y_t - y_t$$ All of the factors are at most $2$.", "right"),
    (r"$$\frac{\partial h_t}{\partial h_k} = \prod_{j=t}^{k+1} \operatorname{diag}(1-h_j^2) W$$ All of them are less than 1.", "wrong"),
    (r"$$\frac{\partial h_2}{\partial h_1} = \operatorname{diag}(1-h_2^2) W$$ Each of the factors is bounded from above by 1.", "wrong"),
    (r"$$\frac{\partial \hat y_t}{\partial z_t} = \operatorname{diag}(\hat y_t) - \hat y_t \hat y_t^\top$$ Each of them is at most 1.", "right"),
    (r"$$h_t = \tanh(U I_t + W h_{t-1})$$ Each of these values is bounded by 1.", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "verdict"), WORDED, ids=[c[0] for c in WORDED])
def test_a_bound_in_words_is_tried_on_every_factor(markers: dict[str, Markers], text: str, verdict: str | None) -> None:
    found = [c.verdict for c in markers["bptt"].mark(text + "\n").claims]
    assert found[1:] == ([verdict] if verdict else [])


OPTIMA = [
    ("unit_sphere", r"h^* = \frac{u}{\|u\|}", "right", "best"),
    ("unit_sphere", r"h^* = \frac{u}{\sqrt{u^T u}}", "right", "best"),
    ("unit_sphere", r"h^\star = -u/\|u\|_2", "right", "worst"),
    ("unit_sphere", r"h = u/\|u\|", "right", "best"),
    ("unit_sphere", r"h^* = \frac{u}{u^T u}", "wrong", "best"),
    ("unit_sphere", r"h^* = u", "wrong", "best"),
    ("unit_sphere", r"h^* = x", "shape-error", "best"),
    ("unit_sphere", r"h = 0", "definition", None),
    ("gan_optimum", r"D^* = \frac{p_{data}}{p_{data}+p_g}", "right", None),
    ("gan_optimum", r"D = 1 - \frac{p_g}{p_{data}+p_g}", "right", "best"),
    ("gan_optimum", r"D^* = \frac{p_g}{p_{data}+p_g}", "wrong", None),
    ("gan_optimum", r"m = (p_{data} + p_g)/2", "right", None),
    ("gan_optimum", r"m = (p_{data} - p_g)/2", "wrong", None),
]


@pytest.mark.parametrize(("problem", "formula", "verdict", "question"), OPTIMA, ids=[c[1] for c in OPTIMA])
def test_an_optimum_is_compared_with_that_of_the_question(
    markers: dict[str, Markers], problem: str, formula: str, verdict: str, question: str | None
) -> None:
    (claim,) = markers[problem].mark(formula, formula=True).claims
    assert claim.verdict == verdict
    assert question is None or claim.question == question


def test_a_line_of_a_question_is_compared_with_its_own_optimum(markers: dict[str, Markers], tmp_path: Path) -> None:
    answer = tmp_path / "answer.yaml"
    answer.write_text("best: '$h^* = -u/\\|u\\|$'\nworst: '$h^* = -u/\\|u\\|$'\n")
    marked = markers["unit_sphere"].mark(answer)
    assert [(c.question, c.verdict) for c in marked.claims] == [("best", "wrong"), ("worst", "right")]


NUMBERS = [
    (r"\operatorname{diag}(f_t(1-f_t)) U^f", "right-as-scalars"),
    (r"f_t(1-f_t) U^f", "right-as-scalars"),
    (r"\operatorname{diag}(f_t(1+f_t)) U^f", "wrong"),
    (r"\operatorname{diag}(f_t \odot (1-f_t)) U^f", "right"),
    (r"{U^f}^T \operatorname{diag}(f_t(1-f_t))", "shape-error"),
]


@pytest.mark.parametrize("beside", ["", r" \\ \frac{\partial c_t}{\partial f_t} = \operatorname{diag}(c_{t-1})"])
@pytest.mark.parametrize(("right", "verdict"), NUMBERS, ids=[c[0] for c in NUMBERS])
def test_the_diag_of_a_number_is_the_number(markers: dict[str, Markers], right: str, verdict: str, beside: str) -> None:
    found = verdicts(markers["lstm"], rf"\frac{{\partial f_t}}{{\partial h_{{t-1}}}} = {right}{beside}")
    assert found == ([verdict, "right"] if beside else [verdict])
