"""Formulas in LaTeX: text to whole trees over declared names, and bad text to whole messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.errors import SymgradError
from symgrad.syntax.latex.names import spelling
from symgrad.syntax.latex.notation import Spelling, Vocabulary, latex, written_as
from symgrad.syntax.latex.signs import BIG, FUNCTIONS, GREEK, NAMES, OPERATORS
from symgrad.syntax.reading import parse_definition, parse_expression
from symgrad.syntax.tree import sexp

STATES = dict.fromkeys(("I", "y", "h", "z", "yhat", "E", "c", "f"), 1)
WEIGHTS = dict.fromkeys(("U", "W", "V", "W__f", "W_x", "x_0", "x", "theta", "pstar"), 0)
WORDS = Vocabulary.of(
    STATES | WEIGHTS,
    {"h": 1, "c": 1, "f": 1, "W": 2, "W__f": 2, "V": 2, "x": 1, "E": 0},
    ["t", "T", "n", "d"],
    ["p", "q"],
    {"pstar": Spelling("p", (), "*")},
)

FORMULAS = [
    # Names, steps and entries.
    (r"h_{t-1}", "([] h (- t 1))"),
    (r"\hat{y}_t + \hat{y_t} + \hat y_t + ŷ_t", "(+ (+ (+ ([] yhat t) ([] yhat t)) ([] yhat t)) ([] yhat t))"),
    (r"W^f + W^{f} + W_x + x_0 + x_{0}", "(+ (+ (+ (+ W__f W__f) W_x) x_0) x_0)"),
    (r"E_3", "([] E 3)"),
    (r"W_{ij} + W[i, j] + W(i, j)", "(+ (+ ([] W i j) ([] W i j)) ([] W i j))"),
    (r"f_t[d_1] + W^f[d_1, :]", "(+ ([] ([] f t) d_1) ([] W__f d_1 :))"),
    (r"h^{(t)} + h(t-1)", "(+ ([] h t) ([] h (- t 1)))"),
    (r"[h_t]_i", "([] ([] h t) i)"),
    (r"\mathbf{h}_t + \boldsymbol{\theta}", "(+ ([] h t) theta)"),
    (r"p^* - p^{\ast}", "(- pstar pstar)"),
    (r"\delta h_t + \delta a_{o,t+1}", "(+ ([] δh t) ([] δa_o (+ t 1)))"),
    ("x'", "xprime"),
    (r"\alpha_{k} in\_size n_{in}", "(implicit (implicit alpha_k in_size) n_in)"),
    # Products keep their sign.
    (r"UI_t + Wh_{t-1}", "(+ (implicit U ([] I t)) (implicit W ([] h (- t 1))))"),
    (r"W \odot V \circ W * V \cdot W \times V \oslash W", "(⊘ (× (· (* (∘ (⊙ W V) W) V) W) V) W)"),
    (r"W x \odot V x", "(⊙ (implicit W x) (implicit V x))"),
    (r"W(1 - h_1^2)h_0", "(implicit (implicit W (- 1 (^ ([] h 1) 2))) ([] h 0))"),
    (r"-y_t\, \log \hat y_t", "(implicit (-. ([] y t)) (log ([] yhat t)))"),
    # Brackets.
    (r"\tanh[UI_t]", "(tanh (implicit U ([] I t)))"),
    (r"\{1 - h_t^2\} \left\{ W \right\} \bigl( V \bigr)", "(implicit (implicit (- 1 (^ ([] h t) 2)) W) V)"),
    (r"|x| + \lvert x \rvert + \left| x \right|", "(+ (+ (abs x) (abs x)) (abs x))"),
    (r"\|x\|_2^2 + ||x||", "(+ (^ (norm x 2) 2) (norm x))"),
    (r"\lVert W \rVert_F + \|x\|_1", "(+ (norm W fro) (norm x 1))"),
    (r"\lfloor x \rfloor + \lceil x \rceil + floor(x)", "(+ (+ (floor x) (ceil x)) (floor x))"),
    (r"[h_{t-1}; x]", "(concat ([] h (- t 1)) x)"),
    # Above.
    (r"W^\top V^{\mathsf{T}} W^{\top}", "(implicit (implicit (T W) (T V)) (T W))"),
    (r"W^T h_t^T + \gamma^T + E_t^T", "(+ (+ (implicit (T W) (T ([] h t))) (^ gamma T)) (^ ([] E t) T))"),
    (r"W.T @ h[t] ** 2", "(@ (T W) (** ([] h t) 2))"),
    (r"W^{-1} + W^{-\top} + W^{\odot 2}", "(+ (+ (^ W (-. 1)) (T (^ W (-. 1)))) (** W 2))"),
    (r"Wᵀx² hₜ₋₁", "(implicit (implicit (T W) (^ x 2)) ([] h (- t 1)))"),
    (r"e^{\theta} + e^{\theta x} + e^{out}", "(+ (+ (exp theta) (exp (implicit theta x))) e__out)"),
    (r"\tanh^2(x) + \sigma'(x) + e^{-x}", "(+ (+ (^ (tanh x) 2) (sigmoid' x)) (exp (-. x)))"),
    # Functions.
    (r"softmax(Vh_t)", "(softmax (implicit V ([] h t)))"),
    (r"\mathrm{softmax}(x) + \text{softmax}(x)", "(+ (softmax x) (softmax x))"),
    (r"\operatorname{diag}(x) \sqrt{x} \sqrt[3]{x}", "(implicit (implicit (diag x) (sqrt x)) (** x (/ 1 3)))"),
    (r"\mathbf{1}[x > 0] + \mathbb{1}[x > 0]", "(+ (indicator (x > 0)) (indicator (x > 0)))"),
    (r"1[x>0]", "(indicator (x > 0))"),
    (r"\delta_{ij}", "(indicator (i == j))"),
    (r"\mathbf{I} + \mathbf{e}_i + \mathbf{1}", "(+ (+ (identity) (one_hot i)) (ones))"),
    (r"\max(0, x) + \max_j x_j", "(+ (max 0 x) (max ([] x j) j=:))"),
    # Derivatives.
    (r"\frac{\partial E_t}{\partial h_t}", "(jacobian ([] E t) ([] h t))"),
    (r"\frac{\partial^{+} h_k}{\partial W}", "(jacobian ([] h k) W kind=immediate)"),
    (r"\frac{\partial}{\partial h_t} \tanh(W h_t)", "(jacobian (tanh (implicit W ([] h t))) ([] h t))"),
    (r"\frac{\partial (W h_t)}{\partial h_t[j]}", "(jacobian (implicit W ([] h t)) ([] ([] h t) j))"),
    (r"\frac{\partial^2 E_t}{\partial x\,\partial x^\top}", "(jacobian (jacobian ([] E t) x) x)"),
    (r"\frac{\partial^2 E_t}{\partial x^2}", "(jacobian (jacobian ([] E t) x) x)"),
    (r"\frac{dE_t}{dW} + \frac{\mathrm{d} E_t}{\mathrm{d} W}", "(+ (jacobian ([] E t) W) (jacobian ([] E t) W))"),
    (r"∂E_t/∂h_t + \partial E_t / \partial h_t", "(+ (jacobian ([] E t) ([] h t)) (jacobian ([] E t) ([] h t)))"),
    (r"\nabla_W E_t", "(jacobian ([] E t) W)"),
    (r"\frac{\partial c_t}{\partial c_{t-1}}\Big|_{h_t}", "(jacobian ([] c t) ([] c (- t 1)) held=(list ([] h t)))"),
    # Ranges.
    (r"\sum_{k=1}^{t} W h_k + x", "(+ (sum (implicit W ([] h k)) k=(.. 1 t)) x)"),
    (
        r"\prod_{j=k+1}^{t} \frac{\partial h_j}{\partial h_{j-1}}",
        "(prod (jacobian ([] h j) ([] h (- j 1))) j=(.. (+ k 1) t))",
    ),
    (r"\sum_{j \neq c} x_j", "(sum ([] x j) (j != c) j=:)"),
    (r"\sum_{\substack{j=1 \\ j \ne c}}^{n} x_j", "(sum ([] x j) (j != c) j=(.. 1 n))"),
    (r"\max_{1 \le j \le n} x_j + \sum_i x_i", "(+ (max ([] x j) j=(.. 1 n)) (sum ([] x i) i=:))"),
    (r"\sum_{r \in \{0, 0.5, \dots, 2\}} r", "(sum r r=(list 0 1/2 1 3/2 2))"),
    # Densities.
    (r"\mathbb{E}_{z \sim q(z|x)}[\log p(x, z)]", "(E (log (p x z)) (~ z (q (| (z) (x)))))"),
    (r"D_{KL}(q(z|x) \| p(z))", "(KL (q (| (z) (x))) (p z))"),
    # Cases and matrices.
    (r"\begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}", "(where (x > 0) x 0)"),
    (r"\begin{cases} x, & x > 0 \\ 0, & x \le 0 \end{cases}", "(where (x > 0) x 0)"),
    (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "(matrix (list 1 2) (list 3 4))"),
    # What only spaces or numbers lines.
    (r"x \,\quad + \; x \tag{3} \label{eq}", "(+ x x)"),
    (r"\underbrace{x + x}_{\text{twice}} \cdot \boxed{2}", "(· (+ x x) 2)"),
    (r"\stackrel{!}{x}", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tree"), FORMULAS)
def test_formula(text: str, tree: str) -> None:
    assert sexp(parse_expression(text, latex(WORDS))) == tree


def test_definitions_are_read_in_both_notations() -> None:
    tree = parse_definition(r"q_{i,t} = W_i h_{t-i}, i=1..n", latex(Vocabulary.of({"q": 2, "W": 1, "h": 1}, {}, "it")))
    assert sexp(tree) == "(= ([] q i t) (implicit ([] W i) ([] h (- t i))) i=(.. 1 n))"


ERRORS = [
    ("W +", "something is missing behind '+'", 3),
    (r"\frac{W}{}", "a fraction has two parts", 0),
    (r"\frac{\partial h_t}{h_{t-1}}", "a ∂ is missing below the line", 20),
    ("(W", "this '(' is never closed", 0),
    ("W)", "this ')' was never opened", 1),
    ("3 1", "an operator is missing between '3' and '1'", 2),
    ("kernel 2", "an operator is missing between 'kernel' and '2'", 7),
    ("stride stride", "an operator is missing between 'stride' and 'stride'", 7),
    (r"x \text{ is small}", "the words 'is small' stand inside the formula", 2),
    (r"\foo x", "the command \\foo is not known here", 0),
    (r"\sum W", "what runs is not said below the sign", 0),
    (r"x \pm 1", "'\\pm' cannot be read: say which sign is meant", 2),
    (r"\int x", "an integral ends with dx, which says over what", 0),
    (r"W^{}", "something is missing in this group", 2),
    (r"\begin{cases} x & x > 0", "this cases is never ended", 0),
    (r"\begin{pmatrix} 1 & 2 \\ 3 \end{pmatrix}", "the rows of this matrix are not equally long", 0),
    (r"\frac.7 2", "a part of this fraction is a mere point", 5),
    ("(:)", "it is not clear what the dots stand for", 1),
    (r"\partial x", "∂ stands here by itself; a derivative is ∂y/∂x", 0),
]


@pytest.mark.parametrize(("text", "message", "column"), ERRORS)
def test_what_cannot_be_read_is_said_where_it_stands(text: str, message: str, column: int) -> None:
    with pytest.raises(SymgradError) as caught:
        parse_expression(text, latex(WORDS))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.place is not None
    assert (diagnostic.message, diagnostic.place.start) == (message, column)


def test_a_trailing_token_is_never_dropped() -> None:
    for text, _ in FORMULAS:
        with pytest.raises(SymgradError):
            parse_expression(text + " )", latex(WORDS))


SPELLED = [
    ("W", Spelling("W")),
    ("yhat", Spelling("hat y")),
    ("y_hat_t", Spelling("hat y", ("t",))),
    ("ŷ", Spelling("hat y")),
    ("W__f", Spelling("W", (), "f")),
    ("W_hx", Spelling("W", ("hx",))),
    ("theta_0", Spelling("theta", ("0",))),
    ("k0", Spelling("k", ("0",))),
    ("pstar", Spelling("p", (), "*")),
    ("δh", Spelling("delta h")),
    ("δ", Spelling("delta")),
    ("E_total", Spelling("E", ("total",))),
]


@pytest.mark.parametrize(("name", "written"), SPELLED)
def test_names_are_spelled_as_the_field_writes_them(name: str, written: Spelling) -> None:
    assert spelling(name) == written


@pytest.mark.parametrize(("text", "written"), [
    ("p^{*}", Spelling("p", (), "*")), (r"\hat{\beta}_{0}", Spelling("hat beta", ("0",))),
    ("h_t", Spelling("h", ("t",))), ("a+b", None), (r"\foo", None),
])  # fmt: skip
def test_latex_of_a_declaration(text: str, written: Spelling | None) -> None:
    assert written_as(text) == written


def test_the_tables_of_signs_do_not_overlap() -> None:
    commands = [*OPERATORS, *NAMES, *BIG, *("\\" + name for name in GREEK)]
    assert len(set(commands)) == len(commands)
    assert all(value.rstrip("'").isidentifier() for value in FUNCTIONS.values())


PIECES = st.sampled_from(
    ["W", "h_t", r"\frac", "{", "}", "(", ")", "[", "]", r"\partial", "^", "_", "'", "=", "+", "-", "1", "0.5", r"\sum",
     r"\left(", r"\right)", r"\hat", r"\text{if}", r"\begin{cases}", r"\end{cases}", "&", r"\\", "|", r"\|", ",", ".",
     " ",
     r"\mathbf{1}", "e", r"\log", "ᵀ", "∂", r"\E", r"\max", r"\sqrt", r"\nabla", "~", r"\in", "T", "i"]
)  # fmt: skip


def places(text: str) -> list[int]:
    """Where what is wrong with a text ends; nothing where it can be read."""
    try:
        parse_expression(text, latex(WORDS))
    except SymgradError as error:
        return [len(text) + 1 if d.place is None else d.place.end for d in error.diagnostics]
    return []


@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    assert all(end <= len(text) for end in places(text))


@given(st.text(max_size=40))
def test_any_characters_are_read_or_refused_with_a_place(text: str) -> None:
    assert all(end <= len(text) for end in places(text))
