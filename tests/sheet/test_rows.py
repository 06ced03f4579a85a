"""Equations in rows."""

import pytest

from symgrad.derivation.steps import Check
from symgrad.notation.latex import latex
from symgrad.notation.measure import width
from symgrad.notation.tree import Boxed, Delim, Fenced, Ident, Infix, Tree, parts
from symgrad.sheet.checks import number, sentence
from symgrad.sheet.rows import PRINTED, SCREEN, Equation, aligned, apart, balanced, displays, stated, wrapped

A, B, C = Ident("a"), Ident("b"), Ident("c")


def total(n: int) -> Tree:
    return Infix(tuple(Ident("x") for _ in range(n)), ("plus",) * (n - 1))


def rows(*equations: Equation) -> list[str]:
    return latex(aligned(equations)).split("\n")[1:-1]


def test_short_sides_share_a_row_with_the_reason_beside_them() -> None:
    assert rows(Equation(A, (B, C), ("because ", B)), Equation(B, (C,))) == [
        r"a &= b = c && \text{because } b \\",
        "b &= c",
    ]


def test_a_name_is_explained_behind_the_row_that_uses_it() -> None:
    explained = Equation(C, (Ident("d"),))
    assert rows(Equation(A, (B,), asides=(explained,))) == [r"a &= b,\quad c = d"]


I_RANGE, J_RANGE = (Infix((Ident(x), Ident("K")), ("=",)) for x in "ij")
T_RANGE = Infix((Ident("t"), Ident("T")), ("<",))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ((T_RANGE,), "t < T"),
        ((I_RANGE, T_RANGE), r"i = K \text{ and } t < T"),
        ((I_RANGE, J_RANGE), "i, j = K"),
        ((I_RANGE, J_RANGE, T_RANGE), r"i, j = K \text{ and } t < T"),
    ],
)
def test_indices_stand_behind(where: tuple[Tree, ...], expected: str) -> None:
    assert rows(Equation(A, (B,), where=where)) == [rf"a &= b\quad \text{{for }} {expected}"]


def test_a_range_that_equations_share_is_said_once() -> None:
    both = [Equation(A, (B,), where=(T_RANGE,)), Equation(B, (C,), where=(T_RANGE, I_RANGE)), Equation(C, (A,))]
    shared, rest = apart(both)
    assert (shared, [e.where for e in rest]) == ((T_RANGE,), [(), (I_RANGE,), ()])


def test_the_usual_range_is_said_with_its_exceptions() -> None:
    last = Infix((Ident("t"), Ident("T")), ("=",))
    many = [*(Equation(A, (B,), where=(T_RANGE,)) for _ in range(3)), Equation(B, (C,), where=(last,))]
    shared, rest = apart(many)
    assert (shared, [e.where for e in rest]) == ((T_RANGE,), [(), (), (), (last,)])
    assert stated(shared, rest)[-1] == ", where nothing else is said"
    assert stated(shared, rest[:3]) == (T_RANGE,)


def test_a_range_that_differs_stays_behind_its_equation() -> None:
    other = Infix((Ident("t"), Ident("T")), ("=",))
    both = [Equation(A, (B,), where=(T_RANGE,)), Equation(B, (C,), where=(other,))]
    assert apart(both) == ((), both)
    pair = [Equation(A, (B,), where=(I_RANGE,)), Equation(B, (C,), where=(I_RANGE, J_RANGE))]
    assert apart(pair) == ((), pair)


def test_a_result_is_boxed_with_its_space() -> None:
    assert rows(Equation(A, (B, C), boxed=True, behind=(("in", Ident("R", "blackboard")),))) == [
        r"a &= b = \boxed{c} \in \mathbb{R}"
    ]


def test_long_sides_are_broken_and_long_reasons_wrapped() -> None:
    made = aligned([Equation(A, (total(40), B), ("some words " * 6,))])
    assert len(made.lines) > 2
    assert all(width(line.right) <= PRINTED.width for line in made.lines)


def test_a_long_result_has_a_display_of_its_own() -> None:
    before = [Equation(A, (B,), ("words " * 8,)) for _ in range(3)]
    made = displays([*before, Equation(A, (total(18),), boxed=True)])
    assert [len(x.lines) for x in made] == [3, 1]
    assert isinstance(made[1].lines[0].right, Boxed)


@pytest.mark.parametrize("most", [6.0, 10.0, 20.0])
def test_wrapping_keeps_every_word(most: float) -> None:
    words = ("chain rule; ", A, " acts at every step, ", B, ": at this step only")
    for split in (wrapped, balanced):
        lines = split(words, most)
        text = " ".join("".join(w if isinstance(w, str) else latex(w) for w in line) for line in lines)
        assert " ".join(text.split()) == "chain rule; a acts at every step, b: at this step only"
    assert len(balanced(words, most)) == len(wrapped(words, most))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (2e-14, r"2 \cdot 10^{-14}"), (9.7e-10, "10^{-9}"), (1.2e-3, "10^{-3}"), (0.04, "0.04")],
)
def test_small_numbers(value: float, expected: str) -> None:
    assert latex(number(value)) == expected


def test_the_sentence_on_checks() -> None:
    checks = [Check("complex step", 2e-14, 5, 3), Check("complex step", 0, 5, 3), Check("central differences", 3e-9, 5)]
    text = "".join(w if isinstance(w, str) else latex(w) for w in sentence(checks))
    assert text == (
        r"Checked at 5 random points and 3 sizes; largest relative error 2 \cdot 10^{-14}; "
        r"agrees with central differences to 3 \cdot 10^{-9}."
    )
    assert sentence([]) == ()


def test_a_name_without_room_behind_is_explained_above_and_the_left_side_said_again() -> None:
    explained = Equation(C, (total(12),))
    before, after = Equation(A, (B,)), Equation(None, (total(9),), asides=(explained,), continues=A)
    assert [line.split(" &= ")[0] for line in rows(before, after)] == ["a", "c", "a"]


def test_what_a_result_is_about_stands_behind_its_box() -> None:
    assert rows(Equation(A, (B,), boxed=True, behind=(("approx", C),))) == [r"a &= \boxed{b} \approx c"]


def test_on_a_screen_a_reason_takes_one_line_beside_or_lines_below() -> None:
    equations = [Equation(A, (total(16),), ("short",)), Equation(B, (total(16),), ("many words " * 5,))]
    made = aligned(equations, SCREEN)
    assert [latex(x.reason) if x.reason else None for x in made.lines] == [r"\text{short}", None, None]
    assert latex(made.lines[2].right).startswith(r"\quad \text{(many words ")


def test_lines_are_rather_longer_than_brackets_cut() -> None:
    product = Infix((Ident("x" * 9, "word"), Fenced(total(9))), ("cdot",))
    made = aligned([Equation(A, (product,), ("because of something " * 2,))])
    assert not [x for line in made.lines for x in parts(line.right) if isinstance(x, Delim)]
