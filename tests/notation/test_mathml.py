"""Trees as MathML: well formed, in the elements of MathML Core."""

import xml.etree.ElementTree as ET

import pytest

from symgrad.notation.formula import read_formula
from symgrad.notation.mathml import mathml
from symgrad.notation.symbols import SYMBOLS
from symgrad.notation.tree import (
    Aligned,
    BigOp,
    Boxed,
    Evaluated,
    Fenced,
    Func,
    Ident,
    Infix,
    Line,
    Number,
    Oper,
    OpName,
    Prefix,
    Row,
    Script,
    Sym,
    Text,
    Tree,
    Verbatim,
)  # fmt: skip

X, H = Ident("x"), Script(Ident("h"), Ident("t"))
CORE = {
    "mi", "mn", "mo", "mtext", "mspace", "mrow", "mfrac", "msqrt", "msub", "msup", "msubsup", "munder", "mover",
    "munderover", "mtable", "mtr", "mtd", "math",
}  # fmt: skip


@pytest.mark.parametrize(
    ("tree", "printed"),
    [
        (H, "<msub><mi>h</mi><mi>t</mi></msub>"),
        (Ident("R", "blackboard"), "<mi>ℝ</mi>"),
        (Ident("W", "bold"), "<mi>𝐖</mi>"),
        (Ident("1", "bold"), "<mi>𝟏</mi>"),
        (Ident("L", "script"), "<mi>ℒ</mi>"),
        (Ident("Wh", "word"), "<mi>𝑊ℎ</mi>"),
        (Sym("Gamma"), '<mi mathvariant="normal">Γ</mi>'),
        (Infix((X, Number("1")), ("<",)), '<mi>x</mi><mo stretchy="false">&lt;</mo><mn>1</mn>'),
        (Prefix("minus", X), '<mo form="prefix">−</mo><mi>x</mi>'),
        (Row((Oper("plus"), X)), '<mo form="infix">+</mo><mi>x</mi>'),
        (Text(" for <all> "), "<mtext>\u00a0for &lt;all&gt;\u00a0</mtext>"),
        (Verbatim(r"\input{x}", "w<0"), "<mtext>w&lt;0</mtext>"),
        (Verbatim(r"\frac12", "half"), "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        (Boxed(X), '<mrow class="boxed"><mi>x</mi></mrow>'),
        # What runs stands below a sum and below max, but beside an integral and an expectation.
        (BigOp("sum", Ident("i"), Ident("n"), X),
         "<mrow><munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover><mi>x</mi></mrow>"),
        (BigOp("max", Ident("i"), None, X),
         '<mrow><munder><mo movablelimits="true" lspace="0" rspace="0.17em">max</mo><mi>i</mi></munder><mi>x</mi></mrow>'),
        (BigOp("integral", Number("0"), Number("1"), None), "<msubsup><mo>∫</mo><mn>0</mn><mn>1</mn></msubsup>"),
        (BigOp("expectation", Ident("q"), None, X), "<mrow><msub><mo>𝔼</mo><mi>q</mi></msub><mi>x</mi></mrow>"),
    ],
)  # fmt: skip
def test_elements(tree: Tree, printed: str) -> None:
    assert mathml(tree) == printed


@pytest.mark.parametrize("key", SYMBOLS)
def test_every_sign_is_one_element(key: str) -> None:
    assert ET.fromstring(mathml(Oper(key))).text


@pytest.mark.parametrize(
    "tree",
    [
        Aligned((Line(X, "=", Fenced(H)), Line(None, None, Row((Oper("plus"), X))))),
        Evaluated(Func(OpName("f"), (X, H)), Infix((X, Number("0")), ("=",))),
        read_formula(r"\begin{cases} 1 & x > 0 \\ 0 & \text{else}\end{cases} \sum_{i=1}^n \sqrt{\hat x_i}"),
    ],
)
def test_only_elements_that_browsers_know(tree: Tree) -> None:
    made = ET.fromstring(f"<math>{mathml(tree)}</math>")
    assert {e.tag for e in made.iter()} <= CORE
