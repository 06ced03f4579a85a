"""Text for TeX: characters that stand for themselves, in one pass, whatever the text holds."""

import re
import unicodedata
from typing import Final

from symgrad.notation.symbols import GREEK_LETTERS, SYMBOLS

_SPECIAL: Final = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
    "\u00a0": "~", "\u202f": r"\,", "\u2009": r"\,", "\u2011": "-", "\u00ad": r"\-", "\u2212": "$-$",
    **{c: "\\" + c for c in "#$%&_{}"},
}  # fmt: skip
_DIGITS: Final = {
    **{c: f"\\textsuperscript{{{n}}}" for n, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{c: f"\\textsubscript{{{n}}}" for n, c in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    "⁺": r"\textsuperscript{+}", "⁻": r"\textsuperscript{$-$}", "ᵀ": r"$^{\top}$", "ⁿ": r"\textsuperscript{n}",
}  # fmt: skip
_MATHS: Final = {
    row.unicode: f"${row.latex}$" for row in SYMBOLS.values() if len(row.unicode) == 1 and not row.unicode.isascii()
} | {letter: f"${SYMBOLS[key].latex}$" for letter, key in GREEK_LETTERS.items()} | {
    "ℝ": r"$\mathbb{R}$", "√": r"$\surd$", "∇": r"$\nabla$", "…": r"\dots{}", "·": r"$\cdot$", "←": r"$\leftarrow$",
    "⇒": r"$\Rightarrow$", "⇔": r"$\Leftrightarrow$", "∀": r"$\forall$", "∃": r"$\exists$", "∉": r"$\notin$",
    "∪": r"$\cup$", "∩": r"$\cap$", "⊂": r"$\subset$", "∥": r"$\Vert$", "′": r"$'$", "≪": r"$\ll$", "≫": r"$\gg$",
}  # fmt: skip
_TABLE: Final = _MATHS | _DIGITS | _SPECIAL
_ACCENTS: Final = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d", "\u0327": "c", "\u0328": "k",
}  # fmt: skip
_PUNCTUATION: Final = frozenset("‐–—‘’‚“”„†‡•‰‹›€™«»")
_FORBIDDEN: Final = re.compile(
    r"\\(?:input|include|openin|openout|read|write|immediate|catcode|csname|def|edef|gdef|xdef|let|futurelet|special"
    r"|newcommand|renewcommand|usepackage|documentclass|loop|jobname|directlua|everymath|everypar|output|expandafter"
    r"|scantokens|char|mathchar|batchmode|verb|footnote|label|ref|href|url|par|iffalse|fi|end\s*\{document\})(?![A-Za-z])"
    r"|\^\^|(?<!\\)%"
)


def escaped(text: str) -> str:
    """The text with every character standing for itself; what the fonts do not have is named by its number."""
    return "".join(_character(c) for c in unicodedata.normalize("NFC", text))


def _character(c: str) -> str:
    if c in _TABLE:
        return _TABLE[c]
    if c in "\n\t":
        return c
    if " " <= c <= "~" or "\u00a1" <= c <= "\u017f" or c in _PUNCTUATION:
        return c
    base, *marks = list(unicodedata.normalize("NFD", c))
    if len(marks) == 1 and base.isascii() and base.isalpha() and marks[0] in _ACCENTS:
        return f"\\{_ACCENTS[marks[0]]}{{{base}}}"
    if unicodedata.category(c)[0] in "CM":
        return ""
    return rf"\texttt{{U+{ord(c):04X}}}"


def formula(text: str) -> str:
    """A formula that somebody wrote in LaTeX, or its source as text where it could do more than set a formula."""
    if _FORBIDDEN.search(text) or not _balanced(text) or not text.strip():
        return rf"\texttt{{{escaped(text)}}}"
    return f"${''.join(_in_math(c) for c in text.strip())}$"


def _in_math(c: str) -> str:
    if c.isascii():
        return " " if c == "\n" else c
    written = _TABLE.get(c)
    if written is not None and written.startswith("$"):
        return f"{{{written.strip('$')}}}"
    return rf"\text{{{_character(c)}}}"


def _balanced(text: str) -> bool:
    depth = 0
    for token in re.findall(r"\\.|[{}$]", text, re.DOTALL):
        if token == "$":
            return False
        depth += (token == "{") - (token == "}")
        if depth < 0:
            return False
    ends = re.findall(r"\\(begin|end)\s*\{([a-z*]*)\}", text)
    opened: list[str] = []
    for what, name in ends:
        if what == "begin":
            opened.append(name)
        elif not opened or opened.pop() != name:
            return False
    return (
        depth == 0
        and not opened
        and len(re.findall(r"\\left(?![a-z])", text)) == len(re.findall(r"\\right(?![a-z])", text))
    )
