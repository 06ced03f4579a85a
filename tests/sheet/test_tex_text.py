"""Text and an author's Markdown in TeX."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.sheet import markdown_text, tex_prose
from symgrad.sheet.tex_text import escaped, formula


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50% & #1_a $x$ {y}", r"50\% \& \#1\_a \$x\$ \{y\}"),
        ("\\z ~^", r"\textbackslash{}z \textasciitilde{}\textasciicircum{}"),
        ("Gödel – ŷ ≤ δ²", r"Gödel – ŷ $\le$ $\delta$\textsuperscript{2}"),
        ("ẹ 中 \u200b", r"\d{e} \texttt{U+4E2D} "),
        ("\\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
    ],
)  # fmt: skip
def test_escaped(text: str, expected: str) -> None:
    assert escaped(text) == expected


@given(st.text(alphabet=string.printable + "δ∂ŷé中\u0301"))
def test_no_character_keeps_its_meaning_in_tex(text: str) -> None:
    out = escaped(text)
    for command in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}"):
        out = out.replace(command, "")
    for c in "#$%&_{}":
        out = out.replace("\\" + c, "")
    assert not set(out) & set("#%&~^") or "\\" in out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\frac{a}{b}", r"$\frac{a}{b}$"),
        ("δ ≤ x", r"${\delta} {\le} x$"),
        (r"\inputs", r"$\inputs$"),
        (r"\input{x}", r"\texttt{\textbackslash{}input\{x\}}"),
        (r"a}{b", r"\texttt{a\}\{b}"),
        (r"\begin{aligned}x", r"\texttt{\textbackslash{}begin\{aligned\}x}"),
        (r"\left( x", r"\texttt{\textbackslash{}left( x}"),
        ("x % y", r"\texttt{x \% y}"),
        ("^^5cinput", r"\texttt{\textasciicircum{}\textasciicircum{}5cinput}"),
    ],
)
def test_formulas_of_an_author(text: str, expected: str) -> None:
    assert formula(text) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("Some *emphasis*, **more**, `a_b`.", r"Some \emph{emphasis}, \textbf{more}, \texttt{a\_b}."),
        ("One.\n\nTwo.", "One.\n\nTwo."),
        ("- a\n- $x_1$", "\\begin{itemize}\n\\item a\n\\item $x_1$\n\\end{itemize}"),
        ("[a](https://b.org/c_d#e)", r"\href{https://b.org/c\_d\#e}{a}"),
        ("<b>x</b>", r"\textless{}b\textgreater{}x\textless{}/b\textgreater{}"),
        (r"It costs \$5 & 10%.", r"It costs \$5 \& 10\%."),
        ("$$\nx = 1\n$$", r"\[x = 1\]"),
        ("> said", "\\begin{quote}\nsaid\n\n\\end{quote}"),
    ],
)
def test_markdown(markdown: str, expected: str) -> None:
    assert tex_prose.prose(markdown) == expected


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("a\n= b\n+ c\n- d\n\n&= e", "a\n{} = b\n{} + c\n{} - d\n&= e"),
        ("1. x", "{} 1. x"),
        ("{} + x", "{} + x"),
    ],
)
def test_displays_open_no_list_or_heading(latex: str, expected: str) -> None:
    assert markdown_text.display(latex) == expected


def test_markdown_text_is_no_markup() -> None:
    assert markdown_text.escaped("- *a*_b_ [c] <d> $e$ | # f") == r"\- \*a\*\_b\_ \[c\] &lt;d&gt; \$e\$ \| # f"
