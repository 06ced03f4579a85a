"""Faults of writing and of recognition, each with its mend; they are offered, never applied silently."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from symgrad.syntax.latex.cursor import partners
from symgrad.syntax.latex.signs import FUNCTIONS
from symgrad.syntax.tokens import Kind, Token

Tokens = tuple[Token, ...]


def mended(tokens: Tokens, knows: Callable[[str], bool]) -> Iterator[tuple[str, Tokens]]:
    """Other readings of tokens, each with what is changed; those that mend what cannot be parsed come first."""
    for why, mend in _MENDS:
        changed = mend(tokens, knows)
        if changed is not None and changed != tokens:
            yield why, changed


def _like(token: Token, kind: Kind, text: str) -> Token:
    return Token(kind, text, token.place.source.place(token.place.start, token.place.start))


def _is_word(token: Token) -> bool:
    written = token.place.text
    return token.kind is Kind.NAME and len(written) > 1 and written[0].isalpha() and token.text not in FUNCTIONS


def _partial_below(tokens: Tokens, knows: Callable[[str], bool]) -> Tokens | None:
    r"""`\frac{\partial h}{x}` with the ∂ below."""
    partner = partners(tokens)
    out = list(tokens)
    added = 0
    for at, token in enumerate(tokens):
        above = at + 1
        if token.text != r"\frac" or above not in partner or tokens[above + 1].text != r"\partial":
            continue
        below = partner[above] + 1
        if below in partner and tokens[below + 1].text != r"\partial":
            out.insert(below + 1 + added, _like(tokens[below + 1], Kind.COMMAND, r"\partial"))
            added += 1
    return tuple(out)


def _closed(tokens: Tokens, knows: Callable[[str], bool]) -> Tokens | None:
    """A bracket that is never closed, closed at the end of its group; one that was never opened, left out."""
    partner = partners(tokens)
    closed = set(partner.values())
    signs = {"(": ")", "[": "]", r"\{": r"\}"}
    lost = [at for at, t in enumerate(tokens) if t.kind is Kind.OPEN and at not in partner and t.text in signs]
    stray = [at for at, t in enumerate(tokens) if t.kind is Kind.CLOSE and at not in closed]
    if len(lost) + len(stray) != 1:
        return None
    if stray:
        return (*tokens[: stray[0]], *tokens[stray[0] + 1 :])
    around = [end for start, end in partner.items() if start < lost[0] < end]
    end = min(around, default=len(tokens))
    last = tokens[min(end, len(tokens) - 1)]
    return (*tokens[:end], _like(last, Kind.CLOSE, signs[tokens[lost[0]].text]), *tokens[end:])


def _minus(tokens: Tokens, knows: Callable[[str], bool]) -> Tokens | None:
    """A minus sign between two numbers or words side by side that a space or a fault has swallowed."""
    written = [piece for token in tokens for piece in _as_written(token)]
    out: list[Token] = list(written[:1])
    for before, token in pairwise(written):
        if (before.kind is Kind.NUMBER or _is_word(before)) and (token.kind is Kind.NUMBER or _is_word(token)):
            out.append(_like(token, Kind.OPERATOR, "-"))
        out.append(token)
    return tuple(out)


def _as_written(token: Token) -> Iterator[Token]:
    """The digits of a number that white space keeps apart, one token for each; any other token itself."""
    start, source = token.place.start, token.place.source
    if token.kind is not Kind.NUMBER or " " not in token.place.text or "." in token.text:
        yield token
        return
    for part in re.finditer(r"\d+", token.place.text):
        yield Token(Kind.NUMBER, part[0], source.place(start + part.start(), start + part.end()))


def _dot(tokens: Tokens, knows: Callable[[str], bool]) -> Tokens | None:
    """`.` read as `·`: 0.4 as 0·4, and a dot between factors."""
    out: list[Token] = []
    for token in tokens:
        if token.kind is Kind.DOT:
            out.append(replace(token, kind=Kind.OPERATOR, text="·"))
        elif token.kind is Kind.NUMBER and "." in token.text and not token.text.startswith("."):
            whole, _, rest = token.text.partition(".")
            out += [replace(token, text=whole), _like(token, Kind.OPERATOR, "·"), replace(token, text=rest)]
        else:
            out.append(token)
    return tuple(out)


def _hadamard(tokens: Tokens, knows: Callable[[str], bool]) -> Tokens | None:
    r"""`x o_c` for `x \odot c` where no o is declared, and `x o c`."""
    if knows("o"):
        return None
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind is Kind.NAME and token.text == "o" and out:
            out.append(replace(token, kind=Kind.OPERATOR, text="⊙"))
            at += 2 if at + 1 < len(tokens) and tokens[at + 1].says("_") else 1
            continue
        out.append(token)
        at += 1
    return tuple(out)


def _sum(tokens: Tokens, knows: Callable[[str], bool]) -> Tokens | None:
    """S, E or Σ with a range below it for the sign of a sum."""
    out = list(tokens)
    for at, token in enumerate(tokens[:-2]):
        letter = token.kind is Kind.NAME and token.text in ("S", "E", "Sigma", "Z") and not knows(token.text)
        if letter and tokens[at + 1].says("_") and tokens[at + 2].says("{"):
            inside = tokens[at + 3 : partners(tokens).get(at + 2, at + 3)]
            if any(t.says("=") for t in inside):
                out[at] = replace(token, kind=Kind.COMMAND, text=r"\sum")
    return tuple(out)


_MENDS: Final = (
    ("a lost ∂ below the line is put back", _partial_below),
    ("a bracket is closed or left out", _closed),
    ("a lost minus sign is put back", _minus),
    ("o is read as ⊙", _hadamard),
    ("a letter with a range below it is read as Σ", _sum),
    ("the dot is read as ·", _dot),
)
