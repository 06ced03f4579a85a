"""The parser: text to whole trees, and bad text to whole error messages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from symgrad.errors import ProblemError
from symgrad.syntax.reading import (
    parse_definition,
    parse_expression,
    parse_key,
    parse_limit,
    parse_range,
)
from symgrad.syntax.tree import Number, Tree, sexp

EXPRESSIONS = [
    ("x", "x"),
    ("ŷ_1", "ŷ_1"),
    ("y\u0302", "ŷ"),
    ("0.1", "1/10"),
    ("1e-3 + .5 + 2.", "(+ (+ 1/1000 1/2) 2)"),
    ("1 - 2 - 3", "(- (- 1 2) 3)"),
    ("a / b * c @ d", "(@ (* (/ a b) c) d)"),
    ("a + b @ c", "(+ a (@ b c))"),
    ("-x**2", "(-. (** x 2))"),
    ("2**-x**2", "(** 2 (-. (** x 2)))"),
    ("2**3**4", "(** 2 (** 3 4))"),
    ("(-x)**2", "(** (-. x) 2)"),
    ("-a @ b", "(@ (-. a) b)"),
    ("a * -b", "(* a (-. b))"),
    ("--x", "(-. (-. x))"),
    ("V.T @ (yhat - y)", "(@ (T V) (- yhat y))"),
    ("W[i, j].T.T", "(T (T ([] W i j)))"),
    ("x**A.T", "(** x (T A))"),
    ("tanh(U @ I[t] + W @ h[t-1])", "(tanh (+ (@ U ([] I t)) (@ W ([] h (- t 1)))))"),
    ("z[t][1..m]", "([] ([] z t) (.. 1 m))"),
    ("E[i[t], :]", "([] E ([] i t) :)"),
    ("h[1-k..0]", "([] h (.. (- 1 k) 0))"),
    ("h[1..3]", "([] h (.. 1 3))"),
    ("sum(E[t], t=1..3)", "(sum ([] E t) t=(.. 1 3))"),
    (
        "sum(max(0, s[j] - s[c] + 1), j=1..K, j != c)",
        "(sum (max 0 (+ (- ([] s j) ([] s c)) 1)) (j != c) j=(.. 1 K))",
    ),
    ("softmax(S, axis=1)", "(softmax S axis=1)"),
    ("conv2d(x, w, padding=[1, 2])", "(conv2d x w padding=(list 1 2))"),
    ("[[1, 0], [0, 1]]", "(list (list 1 0) (list 0 1))"),
    ("1 <= s < t", "(1 <= s < t)"),
    ("where(x > 0, x, a * x)", "(where (x > 0) x (* a x))"),
    ("indicator(a == b)", "(indicator (a == b))"),
    ("p(z | x)", "(p (| (z) (x)))"),
    ("p(x, y | z, w)", "(p (| (x y) (z w)))"),
    ("E(log(p(x)), z ~ q(z | x))", "(E (log (p x)) (~ z (q (| (z) (x)))))"),
    ("normal(z, mean=0, cov=S)", "(normal z mean=0 cov=S)"),
    ("first.at + first.value[1]", "(+ first.at ([] first.value 1))"),
    ("f()", "(f)"),
]


@pytest.mark.parametrize(("text", "tree"), EXPRESSIONS)
def test_expression(text: str, tree: str) -> None:
    assert sexp(parse_expression(text)) == tree


@pytest.mark.parametrize(
    ("parse", "text", "tree"),
    [
        (parse_definition, "x_0 = x", "(= x_0 x)"),
        (parse_definition, "f(u) = u * sigmoid(u)", "(= (f u) (* u (sigmoid u)))"),
        (
            parse_definition,
            "q[i, t] = Q[i] @ h[t-i], i=1..k, i != t",
            "(= ([] q i t) (@ ([] Q i) ([] h (- t i))) i=(.. 1 k) (i != t))",
        ),
        (parse_key, "I[t]", "([] I t)"),
        (parse_key, "h[1-k..0]", "([] h (.. (- 1 k) 0))"),
        (parse_key, "h[-1]", "([] h (-. 1))"),
        (parse_key, "hb[T+1]", "([] hb (+ T 1))"),
        (parse_key, "p(x, z)", "(p x z)"),
        (parse_range, "1..T", "(.. 1 T)"),
        (parse_range, "t..k+1", "(.. t (+ k 1))"),
        (parse_limit, "tau -> 0+", "(-> tau 0+)"),
        (parse_limit, "p -> 1-", "(-> p 1-)"),
        (parse_limit, "x -> -inf", "(-> x (-. inf))"),
        (parse_limit, "x -> a + b", "(-> x (+ a b))"),
    ],
)
def test_other_texts(parse: Callable[[str], Tree], text: str, tree: str) -> None:
    assert sexp(parse(text)) == tree


ERRORS = [
    ("", "1: an expression is missing", 0, 0),
    ("a = b", "3: = stands only in definitions; use == to compare", 2, 1),
    ("x^2", "2: '^' cannot be read: use ** for powers", 1, 1),
    ("x × y", "3: '×' cannot be read: use * for the product element by element", 2, 1),
    ("x ⊙ y", "3: '⊙' cannot be read: use * for the product element by element", 2, 1),
    ("a·b", "2: '·' cannot be read: use * element by element, @ for the matrix product", 1, 1),
    ("Wᵀ x", "2: 'ᵀ' cannot be read: use .T for the transpose", 1, 1),
    ("W'", "2: ''' cannot be read: use .T for the transpose", 1, 1),
    ("a ≤ b", "3: '≤' cannot be read: use <=", 2, 1),
    ("\\frac{1}{2}", "1: '\\' cannot be read: this looks like LaTeX", 0, 1),
    ("W h", "3: an operator is missing between 'W' and 'h'; products are written * or @", 2, 1),
    ("2x", "1: write 2*x... for a product with a number", 0, 1),
    ("(a + b", "1: this '(' is never closed", 0, 1),
    ("f(x, [a, b)", "11: ']' is needed here, not ')': '[' was opened at column 6", 10, 1),
    ("a + b)", "6: this ')' was never opened", 5, 1),
    ("a +", "4: something is missing behind '+'", 3, 1),
    ("f(a + )", "7: something is missing before ')'", 6, 1),
    ("* a", "1: something is missing before '*'", 0, 1),
    ("f(x,)", "5: an argument is missing here", 4, 1),
    ("(a, b)", "3: round brackets group; a list is written [a, b]", 2, 1),
    ("x[1:3]", "4: a range is written with two dots, 1..3, and both ends belong to it", 3, 1),
    ("1..3", "1: a range can stand only in a subscript or behind a name, as in i=1..3", 0, 4),
    ("x[1..2..3]", "7: a range has two ends, lo..hi, and no step", 6, 2),
    ("|x|", "1: use abs(x) for an absolute value, norm(x) for a norm", 0, 1),
    ("a < b and b < c", "7: conditions are separated with commas, and all must hold", 6, 3),
    ("a b c", "3: an operator is missing between 'a' and 'b'; products are written * or @", 2, 1),
    ("f(x)(y)", "5: only a name can have arguments; for a product write * or @", 4, 1),
    ("1e999999999", "1: this number is too long or too large to be meant", 0, 11),
    ("p(z | x | y)", "9: one bar stands between what is random and what is given", 8, 1),
]


@pytest.mark.parametrize(("text", "message", "at", "width"), ERRORS)
def test_bad_expression(text: str, message: str, at: int, width: int) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_expression(text)
    excerpt = f"\n    {text}\n    {' ' * at}{'^' * width}" if text else ""
    assert str(caught.value) == f"<text>:1:{message}{excerpt}"


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_definition, "a == b", "a definition is written with =, not '=='"),
        (parse_definition, "a", "a definition is needed here, name = expression"),
        (parse_definition, "a + b = c", "the left side of a definition is one name, name[t] or name(x)"),
        (parse_definition, "a = b = c", "a definition has one =; use == to compare"),
        (parse_definition, "f(1) = c", "the left side of a definition is a name, name[t] or name(x)"),
        (parse_key, "2", "a declared symbol is a name, name[t] or name(x)"),
        (parse_key, "a b", "an operator is missing between 'a' and 'b'; products are written * or @"),
        (parse_range, "3", "a range is needed here, such as 1..3"),
        (parse_limit, "tau", "a limit is written variable -> point"),
    ],
)
def test_bad_other_texts(parse: Callable[[str], Tree], text: str, message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse(text)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(" * 5000, "nested more than 100 deep; give a part of it a name"),
        ("-" * 5000 + "x", "nested more than 100 deep; give a part of it a name"),
        ("2**" * 5000 + "2", "nested more than 100 deep; give a part of it a name"),
        ("a+" * 5000 + "a", "more than 200 operations in a row; give a part of it a name"),
        ("x" + ".T" * 5000, "more than 200 operations in a row; give a part of it a name"),
        ("a" * 20_001, "the expression has 20001 characters; at most 20000 are read"),
    ],
)
def test_limits(text: str, message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_expression(text)
    assert caught.value.message == message


def test_numbers_keep_their_spelling() -> None:
    tree = parse_expression("0.10")
    assert isinstance(tree, Number)
    assert tree.spelling == "0.10"


def test_places_cover_the_brackets() -> None:
    tree = parse_expression("(a + b).T @ f((x), 1)")
    assert [part.place.text for part in (tree, tree.left, tree.right)] == [  # type: ignore[attr-defined]
        "(a + b).T @ f((x), 1)",
        "(a + b).T",
        "f((x), 1)",
    ]
