"""Formulas within sentences."""

import pytest

from symgrad.notation.latex import latex
from symgrad.notation.tree import Ident, Text
from symgrad.sheet.words import joined, listed, with_formulas
from symgrad.tensor.scalars import SCALARS


def shown(text: str) -> str:
    return "".join(w if isinstance(w, str) else f"${latex(w)}$" for w in with_formulas(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tanh′ = 1 − tanh²", r"$\tanh' = 1 - \tanh^{2}$"),
        ("|x|′ = sign x for x ≠ 0", r"$\lvert x \rvert' = \operatorname{sign}\, x$ for $x \ne 0$"),
        ("cos′ = −sin", r"$\cos' = - \sin$"),
        ("chain rule; x acts twice: the paths add", "chain rule; $x$ acts twice: the paths add"),
        (", ∂⁺: at this step only", r", $\partial^{+}$: at this step only"),
        ("δ_2 is h₂", r"$\delta_2$ is $h_2$"),
        ("sum over j ≠ c", r"sum over $j \ne c$"),
        ("relu′(x) = 1 for x > 0, else 0", r"$\operatorname{relu}'(x) = 1$ for $x > 0$, else 0"),
        ("a sign (as given) and/or I/O, 3 rows", "a sign (as given) and/or I/O, 3 rows"),
        ("a copy: ", "a copy: "),
        ("(δ is open", "(δ is open"),
        ("AttentionRNN($k$) of $W_{hh}$, and $5", "AttentionRNN($k$) of $W_{hh}$, and $5"),
        (r"a rate $\eta \in (0, 1)$", r"a rate $\eta \in (0, 1)$"),
        ("", ""),
    ],
)
def test_formulas_in_a_sentence(text: str, expected: str) -> None:
    assert shown(text).replace(" (", "(") == expected.replace(" (", "(")


@pytest.mark.parametrize("reason", [row.reason for row in SCALARS.values()])
def test_textbook_reasons_leave_no_sign_in_words(reason: str) -> None:
    assert [w for w in with_formulas(reason) if isinstance(w, str) and not w.isascii()] == []


def test_lists() -> None:
    a, b, c = Ident("a"), Ident("b"), Ident("c")
    assert [listed(x) for x in ((), (a,), (a, b), (a, b, c))] == [
        (), (a,), (a, " and ", b), (a, ", ", b, " and ", c),
    ]  # fmt: skip
    assert joined(["x", "y", Text("z"), ""]) == ("xy", Text("z"))
