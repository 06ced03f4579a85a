"""What typesetting does not show: white space inside a number, braces round a cell of a table or round a relation."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from symgrad.syntax.latex.cursor import partners
from symgrad.syntax.tokens import Kind, Token
from symgrad.verification.documents.statements import EQUALITIES, Tokens

_MOSTLY: Final = 0.8
_MOST_DIGITS: Final = 15
_TAKES_GROUPS: Final = {r"\frac": 2, r"\binom": 2}


def as_typeset(tokens: Tokens) -> Tokens:
    r"""The tokens of a formula in TeX, as its page shows them: `2 1` is 21, `& { = x }` is `& = x`, `{=}` is =."""
    return _joined(_without_groups(tokens)) if _is_spelled_out(tokens) else _without_groups(tokens)


def _is_spelled_out(tokens: Tokens) -> bool:
    r"""Whether every sign is set apart, `\frac { 2 1 - 4 } { 4 }`: elsewhere a space may be a sign that was lost."""
    pairs = [bool(_between(a, b)) for a, b in pairwise(tokens) if b.kind is not Kind.END]
    return sum(pairs) >= _MOSTLY * len(pairs)


# Numbers


def _joined(tokens: Tokens) -> Tokens:
    """Digits with nothing but white space between them are one number, the bare arguments of a fraction excepted."""
    out: list[Token] = []
    for at, token in enumerate(tokens):
        if token.kind is Kind.NUMBER and out and not _is_argument(tokens, at):
            before = out[-1]
            short = len(before.text) + len(token.text) <= _MOST_DIGITS
            if before.kind is Kind.NUMBER and _apart(before, token) and "." not in token.text and short:
                out[-1] = _number(before.text + token.text, before, token)
                continue
            whole = out[-2] if len(out) > 1 and before.kind is Kind.DOT else None
            if whole is not None and whole.kind is Kind.NUMBER and _apart(whole, before) and _apart(before, token):
                out[-2:] = [_number(f"{whole.text}.{token.text}", whole, token)]
                continue
        out.append(token)
    return tuple(out)


def _number(text: str, first: Token, last: Token) -> Token:
    return Token(Kind.NUMBER, text, first.place.to(last.place))


def _between(first: Token, second: Token) -> str:
    """What stands in the text between two tokens."""
    return first.place.source.text[first.place.end : second.place.start]


def _apart(first: Token, second: Token) -> bool:
    between = _between(first, second)
    return bool(between) and not between.strip(" ")


def _is_argument(tokens: Tokens, at: int) -> bool:
    """Whether a number may be an argument without braces: it follows a command, or what does."""
    return any(t.kind is Kind.COMMAND for t in tokens[max(0, at - 2) : at])


# Groups


def _without_groups(tokens: Tokens) -> Tokens:
    """The tokens without braces that only hold a relation, begin with one, or go round a cell or several lines."""
    partner = partners(tokens)
    closing = {end: start for start, end in partner.items()}
    dropped: set[int] = set()
    for at, end in partner.items():
        if _is_system(tokens, at, end):
            dropped.update((at, end))
        if not tokens[at].says("{") or not tokens[end].says("}") or _belongs(tokens, closing, at):
            continue
        inside = tokens[at + 1 : end]
        related = bool(inside) and inside[0].kind is Kind.OPERATOR and inside[0].text in EQUALITIES
        if related or (_bounds(tokens, at - 1) and _bounds(tokens, end + 1)):
            dropped.update((at, end))
    return tuple(t for at, t in enumerate(tokens) if at not in dropped) if dropped else tokens


def _is_system(tokens: Tokens, at: int, end: int) -> bool:
    r"""Whether a formula is lines behind one brace: `\left\{ \begin{array}{l} … \end{array} \right.`"""
    begins = all(t.kind is Kind.COMMAND and t.text.startswith(r"\begin{") for t in tokens[:at])
    return (
        begins
        and tokens[at].says(r"\{")
        and tokens[end].text in (".", r"\}")
        and (tokens[at + 1].text.startswith(r"\begin{") and tokens[end - 1].text.startswith(r"\end{"))
    )


def _bounds(tokens: Tokens, at: int) -> bool:
    """Whether a cell ends at a place: the formula, its environment, a column or a row does."""
    if not 0 <= at < len(tokens) or tokens[at].kind is Kind.END:
        return True
    return tokens[at].says("&", "\\\\") or tokens[at].text.startswith((r"\begin{", r"\end{"))


def _belongs(tokens: Tokens, closing: dict[int, int], at: int) -> bool:
    """Whether a group is a script or an argument of what stands before it."""
    taken = 0
    before = at - 1
    while before in closing and tokens[before].says("}"):
        before, taken = closing[before] - 1, taken + 1
    if before < 0:
        return False
    token = tokens[before]
    if token.kind is Kind.COMMAND and not token.text.startswith((r"\begin{", r"\end{")):
        return taken < _TAKES_GROUPS.get(token.text, 1)
    return taken == 0 and token.says("_", "^")
