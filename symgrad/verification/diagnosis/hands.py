r"""How a writer sets what an edit puts in: `^\top`, `ᵀ` or `.T`; `\odot`, `⊙` or `*`; names with their steps."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from symgrad.syntax.latex.names import spelling
from symgrad.syntax.latex.signs import ACCENTS, COMBINING, GREEK

_TRANSPOSE: Final = re.compile(
    r"\^\s*(?:\\(?:top|intercal)(?![A-Za-z])|T(?!\w)|⊤|\{\s*(?:\\(?:top|intercal)|T|⊤"
    r"|\\(?:mathsf|mathrm|text|textsf|mathbf|rm)\s*\{?\s*T\s*\}?)\s*\})|ᵀ|\.T(?!\w)"
)
_ENTRYWISE: Final = re.compile(r"\\odot|\\circ(?![A-Za-z])|⊙|∘")
_DIAG: Final = re.compile(r"\\[A-Za-z]+\*?\s*\{\s*diag\s*\}|\\diag(?![A-Za-z])")
_PLAIN: Final = ("@", ".T", "**")
_MARKS: Final = {ACCENTS[command]: combining for combining, command in COMBINING.items()}


class Hand(Struct, frozen=True):
    """What a writer puts behind what he transposes, between factors, and before a vector on the diagonal."""

    latex: bool = True
    plain: bool = False
    transpose: str = r"^\top"
    entrywise: str = r"\odot"
    diag: str = r"\operatorname{diag}"

    @property
    def product(self) -> str:
        """What stands between the factors of a product."""
        return " @ " if self.plain else " "

    def transposed(self, text: str) -> str:
        """A factor with its transpose sign."""
        return text + self.transpose

    def squared(self, text: str) -> str:
        """A factor with the exponent 2."""
        if self.plain:
            return f"{text}**2"
        return f"{text}^2" if "^" not in text else f"({text})^2"

    def function(self, name: str) -> str:
        """The name of a function."""
        if not self.latex:
            return {"sigmoid": "σ"}.get(name, name) if not self.plain else name
        if name in ("tanh", "exp", "log"):
            return rf"\{name}"
        return r"\sigma" if name == "sigmoid" else rf"\operatorname{{{name}}}"

    def root(self, text: str) -> str:
        """The square root of a number."""
        return rf"\sqrt{{{text}}}" if self.latex else f"sqrt({text})"

    def fraction(self, above: str, below: str) -> str:
        """A fraction."""
        return rf"\frac{{{above}}}{{{below}}}" if self.latex else f"{above}/({below})"

    def derivative(self, of: str, wrt: str, immediate: bool = False) -> str:
        """A derivative, or the immediate partial."""
        mark = "^+" if immediate else ""
        if self.latex:
            return rf"\frac{{\partial{mark} {of}}}{{\partial {wrt}}}"
        return f"∂{mark}{of}/∂{wrt}"

    def indicator(self, condition: str) -> str:
        """1 where a condition holds."""
        if self.latex:
            return rf"\mathbb{{1}}[{condition}]"
        return f"indicator({condition})" if self.plain else f"𝟏[{condition}]"

    def member(self, name: str, latex: str | None, subscripts: Sequence[str]) -> str:
        """A declared name with its subscripts."""
        if self.plain:
            return f"{name}[{', '.join(subscripts)}]" if subscripts else name
        written, below = _in_latex(name, latex) if self.latex or latex else _in_unicode(name)
        inside = ", ".join(filter(None, (below, *subscripts)))
        if not inside:
            return written
        return f"{written}_{inside}" if len(inside) == 1 else f"{written}_{{{inside}}}"


def hand_of(text: str) -> Hand:
    """The hand in which a text is written; what it does not show is set as is usual beside the rest."""
    latex = "\\" in text
    plain = not latex and any(sign in text for sign in _PLAIN)
    transpose, entrywise, diag = (found.search(text) for found in (_TRANSPOSE, _ENTRYWISE, _DIAG))
    if latex:
        usual = Hand()
    elif plain:
        usual = Hand(latex=False, plain=True, transpose=".T", entrywise="*", diag="diag")
    else:
        usual = Hand(latex=False, transpose="^T" if text.isascii() else "ᵀ", entrywise="⊙", diag="diag")
    return Hand(
        latex,
        plain,
        transpose[0] if transpose else usual.transpose,
        entrywise[0] if entrywise and not plain else usual.entrywise,
        diag[0] if diag else usual.diag,
    )


def _in_latex(name: str, latex: str | None) -> tuple[str, str]:
    """How a name is written in LaTeX, and what stands below it before its steps."""
    if latex is not None:
        return latex, ""
    written = spelling(name)
    *marks, letter = written.base.split(" ")
    text = letter if len(letter) == 1 else rf"\{letter}" if letter in GREEK or letter == "ell" else _word(letter)
    for mark in reversed(marks):
        text = rf"\{mark} {text}" if mark in ("delta", "Delta") else rf"\{mark}{{{text}}}"
    return (text + (f"^{{{written.above}}}" if written.above else "")), ",".join(written.below)


def _word(letters: str) -> str:
    return rf"\mathrm{{{letters}}}"


def _in_unicode(name: str) -> tuple[str, str]:
    """How a name is written in Unicode: ŷ, α, W^{f}."""
    written = spelling(name)
    *marks, letter = written.base.split(" ")
    text = GREEK.get(letter, letter)
    for mark in reversed(marks):
        text = {"delta": "δ", "Delta": "Δ"}.get(mark, "") + text + _MARKS.get(mark, "")
    text = unicodedata.normalize("NFC", text)
    return (text + (f"^{{{written.above}}}" if written.above else "")), ",".join(written.below)
