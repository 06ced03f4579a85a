"""Trees as Typst: what is printed, and that the compiler takes it without a word."""

import pytest
import typst

from symgrad.notation.formula import read_formula
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
    Lines,
    Number,
    Oper,
    OpName,
    Prefix,
    Row,
    Script,
    Space,
    Sym,
    Text,
    Tree,
    Verbatim,
)  # fmt: skip
from symgrad.notation.typst import quoted
from symgrad.notation.typst import typst as printed
from symgrad.problem.bank import templates_dir

X, H = Ident("x"), Script(Ident("h"), Infix((Ident("t"), Number("1")), ("minus",)))
NAMES = (templates_dir() / "notation.typ").read_text()


def compiled(source: str) -> None:
    page = '#set document(title: "t")\n#set page(width: 60cm)\n' + NAMES + source
    _, warnings = typst.compile_with_warnings(page.encode(), format="pdf", ignore_system_fonts=True)
    assert [w.message for w in warnings] == []


TREES: list[tuple[Tree, str]] = [
    (H, "attach(h, b: t - 1)"),
    (Ident("loss", "roman"), 'upright("loss")'),
    (Ident("é"), 'italic("é")'),
    (Infix((X, X), ("comma",)), "x comma x"),
    (Script(X, None, Sym("prime")), "attach(x, t: primes(#1))"),
    (Prefix("minus", X), "- x"),
    (Row((Oper("plus"), X)), 'class("binary", +) x'),
    (Row((Text("for "), X)), '"for "x'),
    (Row((X, Ident("Wx", "word"), X)), 'x#h(0pt)italic("Wx")x'),
    (Fenced(X), "open(paren.l, #1em) x close(paren.r, #1em)"),
    (BigOp("sum", Lines((X, X)), Number("2"), H), "attach(sum, b: stacked(x, x), t: 2) attach(h, b: t - 1)"),
    (Boxed(X), 'boxed("x", x)'),
    (Verbatim("\\x", 'a"b\\'), 'upright("a\\"b\\\\")'),
    (Text("#let $x$ \\ //"), '"#let $x$ \\\\ //"'),
    (Evaluated(X, X), "x attach(close(bar.v, #1.8em), b: x)"),
    (Func(OpName("f"), (X,)), 'op("f")open(paren.l, #1em) x close(paren.r, #1em)'),
    (Aligned((Line(X, "=", X), Line(None, None, Row((Space("quad"), X))))), "rows(x = x, quad quad x)"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "source"), TREES)
def test_source(tree: Tree, source: str) -> None:
    assert printed(tree) == source


def test_the_compiler_takes_every_construct() -> None:
    compiled("\n\n".join(f'#math.equation(alt: "x", $ {printed(tree)} $)' for tree, _ in TREES))


def test_the_compiler_takes_every_sign() -> None:
    trees = [*(Oper(key) for key in SYMBOLS), *(Script(Sym(key), X) for key in SYMBOLS)]
    compiled("\n\n".join(f'#math.equation(alt: "x", $ x {printed(tree)} x $)' for tree in trees))


def test_the_compiler_takes_formulas_of_authors() -> None:
    tree = read_formula(
        r"\begin{bmatrix}1 & x:y; z\\ a, b & /\end{bmatrix} \sum_{i=1}^n \left|\hat x_i\right| \to \|w\|"
    )
    assert tree is not None
    compiled(f'#math.equation(alt: "x", $ {printed(tree)} $)')


@pytest.mark.parametrize("text", ['"', "\\", '"); #panic("', "\\u{41}", "é∂"])
def test_text_cannot_leave_its_quotes(text: str) -> None:
    compiled(f"#assert.eq({quoted(text)}.len(), {len(text.encode())})")


def test_what_cannot_be_seen_is_left_out() -> None:
    assert quoted("a\nb\x00\x07") == '"a b"'


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (Infix((Ident("a"), Ident("0", "bold")), ("=",)), 'a = bold(upright("0"))'),
        (Infix((Ident("a"), Ident("KL", "roman")), ("minus",)), 'a - upright("KL")'),
        (Prefix("minus", Ident("KL", "roman")), '-#h(0pt)upright("KL")'),
        (Row((Ident("a"), Ident("KL", "roman"))), 'a#h(0pt)upright("KL")'),
    ],
)
def test_signs_have_their_own_room_beside_words(tree: Tree, expected: str) -> None:
    assert printed(tree) == expected
