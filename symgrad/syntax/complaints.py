"""What to say when a token stands where the grammar has no use for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from symgrad.errors import Diagnostic
from symgrad.syntax.tokens import Kind, Token

CLOSING: Final = {"(": ")", "[": "]"}

_OPERAND_ENDS: Final = (Kind.NAME, Kind.NUMBER, Kind.CLOSE)


def complaint(before: Token | None, token: Token, opening: Token | None, hints: Mapping[str, str]) -> Diagnostic:
    """The diagnostic for `token`, read behind `before` inside the bracket `opening`."""
    complete = before is not None and before.kind in _OPERAND_ENDS
    if token.kind is Kind.END:
        return _at_end(before, token, opening, complete)
    if token.kind is Kind.CLOSE:
        return _at_closing(token, opening, complete)
    text = token.text
    if complete and before is not None:
        if text in ("and", "or"):
            return Diagnostic("conditions are separated with commas, and all must hold", token.place)
        if token.kind in (Kind.NAME, Kind.NUMBER, Kind.OPEN):
            left, right = before.place.text, token.place.text
            message = f"an operator is missing between {left!r} and {right!r}; products are written * or @"
            return Diagnostic(message, token.place)
    if text == "=":
        return Diagnostic("= stands only in definitions; use == to compare", token.place)
    if text == "|" and not complete:
        return Diagnostic("use abs(x) for an absolute value, norm(x) for a norm", token.place)
    if text == "..":
        message = "a range cannot stand here" if complete else "a range has two ends, lo..hi"
        return Diagnostic(message, token.place)
    if text in hints:
        return Diagnostic(f"{text!r} cannot be read: {hints[text]}", token.place)
    if not complete and token.kind in (Kind.OPERATOR, Kind.COMMA):
        return Diagnostic(f"something is missing before {text!r}", token.place)
    return Diagnostic(f"{text!r} does not belong here", token.place)


def _at_end(before: Token | None, token: Token, opening: Token | None, complete: bool) -> Diagnostic:
    if opening is not None and (complete or before is opening):
        return Diagnostic(f"this {opening.text!r} is never closed", opening.place)
    if before is None:
        return Diagnostic("an expression is missing", token.place)
    return Diagnostic(f"something is missing behind {before.place.text!r}", token.place)


def _at_closing(token: Token, opening: Token | None, complete: bool) -> Diagnostic:
    if opening is None:
        return Diagnostic(f"this {token.text!r} was never opened", token.place)
    if CLOSING[opening.text] != token.text:
        line = f"{CLOSING[opening.text]!r} is needed here, not {token.text!r}"
        return Diagnostic(f"{line}: {opening.text!r} was opened at column {opening.place.column}", token.place)
    if complete:
        return Diagnostic(f"{token.text!r} does not belong here", token.place)
    return Diagnostic(f"something is missing before {token.text!r}", token.place)
