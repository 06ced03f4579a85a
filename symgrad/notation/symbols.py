"""The table of signs: each row has the spelling in every output format, and the spacing an operator asks for."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from symgrad.notation.tree import Font

Spacing: TypeAlias = Literal["ordinary", "binary", "relation", "large", "fence"]


class Symbol(Struct, frozen=True):
    """One sign.

    Attributes:
        key: Its name in the math tree.
        latex: In LaTeX's math mode.
        unicode: In plain text and in MathML.
        typst: In Typst's math mode.
        spacing: What it is among its neighbours.
        width: In em, at text size.
    """

    key: str
    latex: str
    unicode: str
    typst: str
    spacing: Spacing = "ordinary"
    width: float = 0.55


_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ",
    "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip

_TYPST_GREEK = {
    "epsilon": "epsilon.alt", "varepsilon": "epsilon", "vartheta": "theta.alt", "phi": "phi.alt", "varphi": "phi",
}  # fmt: skip

_ROWS = (
    *(Symbol(k, "\\" + k, u, _TYPST_GREEK.get(k, k), width=0.75 if u.isupper() else 0.56) for k, u in _GREEK.items()),
    Symbol("ell", r"\ell", "ℓ", "ell", width=0.42),
    Symbol("partial", r"\partial", "∂", "partial", width=0.58),
    Symbol("nabla", r"\nabla", "∇", "nabla", width=0.83),
    Symbol("infinity", r"\infty", "∞", "infinity", width=1.0),
    Symbol("transpose", r"\top", "ᵀ", "top", width=0.78),
    Symbol("star", r"\ast", "∗", "ast.op", width=0.5),
    Symbol("prime", r"\prime", "′", "prime", width=0.28),
    Symbol("dagger", r"\dagger", "†", "dagger", width=0.45),
    Symbol("colon", ":", ":", "colon", width=0.28),
    Symbol("dots", r"\dots", "…", "dots.h", width=1.2),
    Symbol("cdots", r"\cdots", "⋯", "dots.h.c", width=1.2),
    Symbol("vdots", r"\vdots", "⋮", "dots.v", width=0.3),
    Symbol("empty", r"\emptyset", "∅", "nothing"),
    Symbol("plus", "+", "+", "+", "binary", 0.78),
    Symbol("minus", "-", "−", "-", "binary", 0.78),
    Symbol("plusminus", r"\pm", "±", "plus.minus", "binary", 0.78),
    Symbol("odot", r"\odot", "⊙", "dot.o", "binary", 0.78),
    Symbol("oslash", r"\oslash", "⊘", "⊘", "binary", 0.78),
    Symbol("otimes", r"\otimes", "⊗", "times.o", "binary", 0.78),
    Symbol("oplus", r"\oplus", "⊕", "plus.o", "binary", 0.78),
    Symbol("cdot", r"\cdot", "·", "dot.op", "binary", 0.28),
    Symbol("times", r"\times", "×", "times", "binary", 0.78),
    Symbol("convolve", r"\ast", "∗", "ast.op", "binary", 0.5),
    Symbol("slash", "/", "/", "slash", "ordinary", 0.5),
    Symbol("=", "=", "=", "=", "relation", 0.78),
    Symbol("==", "=", "=", "=", "relation", 0.78),
    Symbol("!=", r"\ne", "≠", "!=", "relation", 0.78),
    Symbol("<", "<", "<", "<", "relation", 0.78),
    Symbol(">", ">", ">", ">", "relation", 0.78),
    Symbol("<=", r"\le", "≤", "<=", "relation", 0.78),
    Symbol(">=", r"\ge", "≥", ">=", "relation", 0.78),
    Symbol("in", r"\in", "∈", "in", "relation", 0.67),
    Symbol("subset", r"\subseteq", "⊆", "subset.eq", "relation", 0.78),
    Symbol("approx", r"\approx", "≈", "approx", "relation", 0.78),
    Symbol("equiv", r"\equiv", "≡", "equiv", "relation", 0.78),
    Symbol("propto", r"\propto", "∝", "prop", "relation", 0.78),
    Symbol("sim", r"\sim", "∼", "tilde.op", "relation", 0.78),
    Symbol("to", r"\to", "→", "->", "relation", 1.0),
    Symbol("mapsto", r"\mapsto", "↦", "|->", "relation", 1.0),
    Symbol("implies", r"\implies", "⟹", "==>", "relation", 2.0),
    Symbol("iff", r"\iff", "⟺", "<==>", "relation", 2.0),
    Symbol("define", ":=", "≔", ":=", "relation", 1.0),
    Symbol("comma", ",", ",", "comma", "ordinary", 0.44),
    Symbol("semicolon", ";", ";", "semi", "ordinary", 0.44),
    Symbol("mid", r"\mid", "|", 'class("relation", bar.v)', "relation", 0.28),
    Symbol("parallel", r"\parallel", "∥", "parallel", "relation", 0.5),
    Symbol("sum", r"\sum", "∑", "sum", "large", 1.45),
    Symbol("prod", r"\prod", "∏", "product", "large", 1.28),
    Symbol("matprod", r"\prod", "∏", "product", "large", 1.28),
    Symbol("integral", r"\int", "∫", "integral", "large", 1.0),
    Symbol("max", r"\max", "max", "max", "large", 1.9),
    Symbol("min", r"\min", "min", "min", "large", 1.7),
    Symbol("argmax", r"\arg\max", "arg max", 'op("arg" thin "max", limits: #true)', "large", 3.6),
    Symbol("argmin", r"\arg\min", "arg min", 'op("arg" thin "min", limits: #true)', "large", 3.4),
    Symbol("lim", r"\lim", "lim", "lim", "large", 1.5),
    Symbol("expectation", r"\mathbb{E}", "𝔼", "EE", "large", 0.7),
    Symbol("(", "(", "(", "paren.l", "fence", 0.4),
    Symbol(")", ")", ")", "paren.r", "fence", 0.4),
    Symbol("[", "[", "[", "bracket.l", "fence", 0.3),
    Symbol("]", "]", "]", "bracket.r", "fence", 0.3),
    Symbol("{", r"\lbrace", "{", "brace.l", "fence", 0.5),
    Symbol("}", r"\rbrace", "}", "brace.r", "fence", 0.5),
    Symbol("|", r"\lvert", "|", "bar.v", "fence", 0.28),
    Symbol("|)", r"\rvert", "|", "bar.v", "fence", 0.28),
    Symbol("norm", r"\lVert", "‖", "bar.v.double", "fence", 0.5),
    Symbol("norm)", r"\rVert", "‖", "bar.v.double", "fence", 0.5),
    Symbol("floor", r"\lfloor", "⌊", "floor.l", "fence", 0.44),
    Symbol("floor)", r"\rfloor", "⌋", "floor.r", "fence", 0.44),
    Symbol("ceil", r"\lceil", "⌈", "ceil.l", "fence", 0.44),
    Symbol("ceil)", r"\rceil", "⌉", "ceil.r", "fence", 0.44),
)  # fmt: skip

SYMBOLS: Final = MappingProxyType({row.key: row for row in _ROWS})

GREEK: Final = frozenset(_GREEK)

GREEK_LETTERS: Final = MappingProxyType({u: k for k, u in _GREEK.items()} | {"µ": "mu", "φ": "phi", "ε": "varepsilon"})
"""Greek letters of Unicode to their keys; φ on a keyboard is the author's plain phi."""


class Mark(Struct, frozen=True):
    """One accent.

    Attributes:
        latex: In LaTeX's math mode, over a letter.
        combining: The character that combines with a letter in plain text.
        typst: In Typst's math mode.
        mathml: The operator over a base.
        wide: In LaTeX's math mode, over several letters, where that is another command.
    """

    latex: str
    combining: str
    typst: str
    mathml: str
    wide: str | None = None


ACCENTS: Final = MappingProxyType(
    {
        "hat": Mark(r"\hat", "\u0302", "hat", "^", r"\widehat"),
        "bar": Mark(r"\bar", "\u0304", "macron", "¯", r"\overline"),
        "tilde": Mark(r"\tilde", "\u0303", "tilde", "~", r"\widetilde"),
        "dot": Mark(r"\dot", "\u0307", "dot", "˙"),
        "vec": Mark(r"\vec", "\u20d7", "arrow", "→"),
    }
)
"""The accents, by what names end with: yhat is ŷ."""

ACCENT_COMMANDS: Final = MappingProxyType(
    {command: kind for kind, mark in ACCENTS.items() for command in (mark.latex, mark.wide) if command is not None}
)
"""LaTeX's commands for them."""

FONT_COMMANDS: Final[Mapping[str, Font]] = MappingProxyType(
    {
        r"\mathrm": "roman",
        r"\mathit": "word",
        r"\mathbf": "bold",
        r"\boldsymbol": "bold",
        r"\bm": "bold",
        r"\mathbb": "blackboard",
        r"\mathcal": "script",
    }
)
"""LaTeX's commands for the fonts of letters."""
