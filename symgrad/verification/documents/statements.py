"""The tokens of a formula taken apart: rows, statements between words and commas, and the sides of relations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from symgrad.syntax.latex.cursor import partners
from symgrad.syntax.tokens import Kind, Token

RELATIONS: Final = frozenset({"=", "==", "≈", "<", "<=", ">", ">=", "!=", "∈", "->", "~", "∝", "↦", "←"})
EQUALITIES: Final = frozenset({"=", "==", "≈"})
STATING: Final = EQUALITIES | {"←", "+="}
INEQUALITIES: Final = frozenset({"<", "<=", ">", ">=", "!="})

_LAYOUT: Final = frozenset(
    {"equation", "align", "aligned", "alignat", "alignedat", "gather", "gathered", "multline", "eqnarray", "split",
     "displaymath", "math", "dmath", "flalign", "center"}
)  # fmt: skip
_BRACED: Final = frozenset({"cases", "dcases", "matrix", "rcases"})
_CONTINUES: Final = ("+", "-", "·", "×", "*", "⊙", "∘", "/", "⊘")
_BETWEEN: Final = ("⇒", "⇔", ";", ":", "∀")
_WIDE: Final = re.compile(r"\\q?quad(?![A-Za-z])")

Tokens = tuple[Token, ...]
_Part = tuple[Tokens, bool, str]
"""A part of a row, whether more than a comma ends it, and the words just before it."""


class Statement(Struct, frozen=True):
    """sides[0] relations[0] sides[1] …; the first side is empty where the statement goes on from the one before."""

    sides: tuple[Tokens, ...]
    relations: tuple[str, ...]
    lead: tuple[Tokens, ...] = ()
    """Parts without a relation between commas just before it: W, U in `W, U \\in R^n`."""
    words: str = ""
    """The words in the formula just before it: `if` in `c = 0 \\text{ if } f = 0`."""


def rows(tokens: Sequence[Token]) -> list[Tokens]:
    """The lines of a formula, without what only aligns them; a line that begins with + goes on."""
    found: list[list[Token]] = [[]]
    partner = partners(tokens)
    dissolved = _layouts(tokens)
    open_until: list[tuple[int, str]] = []
    inner = 0
    skipped, nested = False, 0
    for at, token in enumerate(tokens):
        if token.kind is Kind.END:
            break
        while open_until and open_until[-1][0] < at:
            open_until.pop()
        if skipped:
            nested += token.text.startswith(r"\begin{") - token.text.startswith(r"\end{")
            if nested > 0 or (nested == 0 and not token.says("\\\\") and not token.text.startswith(r"\end{")):
                continue
            skipped = False
        if token.kind is Kind.COMMAND and token.text.startswith((r"\begin{", r"\end{")):
            if at in dissolved:
                continue
            inner += 1 if token.text.startswith(r"\begin{") else -1
        elif inner == 0 and token.says("&", "\\\\") and not (open_until and open_until[-1][1] == "{"):
            if token.text == "\\\\" and not open_until:
                found.append([])
            elif at and tokens[at - 1].says("&") and token.text == "&":
                if _states(tokens, at):
                    found[-1].append(Token(Kind.OPERATOR, ";", token.place))
                else:
                    skipped, nested = True, 0
            continue
        if token.kind is Kind.OPEN and at in partner:
            open_until.append((partner[at], token.text))
        found[-1].append(token)
    return _joined([_without_empty_group(line) for line in found])


def _states(tokens: Sequence[Token], at: int) -> bool:
    """Whether a column is aligned at a relation of its own; any other gives the reason for the column before it."""
    for before, token in zip(tokens[at:], tokens[at + 1 :], strict=False):
        if token.says("\\\\") or token.kind is Kind.END:
            return False
        if token.says("=") and before.says("&"):
            return True
    return False


def _without_empty_group(line: list[Token]) -> list[Token]:
    """A line without the `{}` at its beginning that only sets the sign behind it as one between operands."""
    empty = len(line) > 2 and line[0].says("{") and line[1].says("}")
    return line[2:] if empty else line


def _layouts(tokens: Sequence[Token]) -> set[int]:
    """The places of the begins and ends that only lay lines out; an array does where its cells hold equations."""
    found: set[int] = set()
    waiting: list[int] = []
    equal: list[bool] = []
    for at, token in enumerate(tokens):
        if token.says("=") and equal:
            equal[-1] = True
        if token.kind is not Kind.COMMAND:
            continue
        if token.text.startswith(r"\begin{"):
            waiting.append(at)
            equal.append(False)
        elif token.text.startswith(r"\end{") and not waiting:
            found.add(at)
        elif token.text.startswith(r"\end{"):
            begun, holds = waiting.pop(), equal.pop()
            name = token.text[len(r"\end{") : -1]
            alone = not any(t.kind is not Kind.COMMAND for t in tokens[:begun])
            if name in _LAYOUT or (name == "array" and holds) or (name in _BRACED and holds and alone):
                found.update((begun, at))
    return found | {at for at in waiting if tokens[at].text[len(r"\begin{") : -1] in _LAYOUT}


def _joined(lines: Sequence[list[Token]]) -> list[Tokens]:
    found: list[list[Token]] = []
    for line in lines:
        if found and found[-1] and line and line[0].says(*_CONTINUES):
            found[-1].extend(line)
        elif line:
            found.append(line)
    return [tuple(line) for line in found]


def statements(row: Tokens) -> list[Statement]:
    """What a line states, one after the other."""
    found: list[Statement] = []
    lead: list[Tokens] = []
    parts = _parts(row)
    together = _in_parallel(parts)
    if together:
        return together
    for part, ends_sentence, words in parts:
        sides, relations = _sides(part)
        if not relations and not ends_sentence:
            lead.append(part)
            continue
        belongs = bool(relations) and relations[0] == "∈"
        if not belongs:
            found += [Statement((one,), ()) for one in lead]
        found.append(Statement(sides, relations, tuple(lead) if belongs else (), words))
        lead = []
    return [*found, *(Statement((one,), ()) for one in lead)]


def _in_parallel(parts: Sequence[_Part]) -> list[Statement]:
    """`a, b = c, d` as a = c and b = d; nothing for any other line."""
    sides = [_sides(part) for part, *_ in parts]
    equal = [at for at, (_, relations) in enumerate(sides) if relations]
    middle = len(parts) // 2
    if len(parts) < 3 or equal != [middle] or len(parts) % 2 == 0 or sides[middle][1] != ("=",):
        return []
    if any(ends for _, ends, _ in parts[:-1]) or any(t.says("…") for part, *_ in parts for t in part):
        return []
    (last, first), _ = sides[middle]
    lefts = [*(part for part, *_ in parts[:middle]), last]
    rights = [first, *(part for part, *_ in parts[middle + 1 :])]
    if not all((*lefts, *rights)):
        return []
    return [Statement((left, right), ("=",)) for left, right in zip(lefts, rights, strict=True)]


def _parts(row: Tokens) -> list[_Part]:
    """The parts between commas, words and arrows outside brackets."""
    found: list[_Part] = []
    start, words = 0, ""
    places = _outside(row)
    for at in places:
        token = row[at]
        if _begins_anew(row, places, start, at):
            found.append((row[start:at], True, words))
            words = ""
            start = at
        comma = token.kind is Kind.COMMA
        if comma and _in_range(row, start, at):
            continue
        last = token.kind is Kind.DOT and at == len(row) - 1
        if comma or last or token.kind is Kind.WORDS or token.says(*_BETWEEN):
            if start < at:
                found.append((row[start:at], not comma, words))
                words = ""
            words = token.text if token.kind is Kind.WORDS else words
            start = at + 1
    aside = _aside(row, start)
    if aside is not None:
        return [*found, (row[start:aside], False, words), (row[aside + 1 : -1], True, "if")]
    if start < len(row):
        found.append((row[start:], True, words))
    return found


def _begins_anew(row: Tokens, places: Sequence[int], start: int, at: int) -> bool:
    """Whether a wide space before a token parts two statements, `p = softmax(x) \\qquad e = -\\log p`."""
    token, before = row[at], row[at - 1]
    if at <= start or token.kind is Kind.OPERATOR or before.kind is Kind.OPERATOR:
        return False
    if _WIDE.search(token.place.source.text[before.place.end : token.place.start]) is None:
        return False
    behind = [row[k] for k in places if k >= at]
    end = next((k for k, t in enumerate(behind) if t.kind in (Kind.COMMA, Kind.WORDS)), len(behind))
    return all(any(_relates(t) for t in part) for part in ([row[k] for k in places if start <= k < at], behind[:end]))


def _relates(token: Token) -> bool:
    return token.kind is Kind.OPERATOR and token.text in RELATIONS


def _aside(row: Tokens, start: int) -> int | None:
    """Where a condition in brackets begins that ends the row, `… (i \\neq j)`; None where there is none."""
    partner = partners(row)
    begins = next((at for at, end in partner.items() if end == len(row) - 1 and row[at].says("(", "[")), None)
    if begins is None or begins <= start or not row[-1].says(")", "]"):
        return None
    before, opening = row[begins - 1], row[begins]
    apart = any(c.isspace() for c in opening.place.source.text[before.place.end : opening.place.start])
    function = before.kind is Kind.OPERATOR or before.text in ("𝟏", "I")
    inside = row[begins + 1 : -1]
    signs = [inside[at] for at in _outside(inside)]
    compares = any(t.kind is Kind.OPERATOR and t.text in INEQUALITIES | EQUALITIES for t in signs)
    return begins if apart and compares and not function else None


def _in_range(row: Tokens, start: int, comma: int) -> bool:
    """Whether a comma belongs to a range, `i = 1, 2, …, k`."""
    if not any(t.says("=") for t in row[start:comma]):
        return False
    if row[comma - 1].says("…"):
        return True
    after = comma + 1
    while after + 1 < len(row) and row[after].kind in (Kind.NUMBER, Kind.NAME) and row[after + 1].kind is Kind.COMMA:
        after += 2
    listed = all(t.kind in (Kind.NUMBER, Kind.COMMA) for t in row[comma - 1 :]) and row[comma - 2].says("=")
    return after < len(row) and (row[after].says("…") or listed)


def _outside(row: Tokens) -> list[int]:
    """The places outside brackets and environments."""
    partner = partners(row)
    places: list[int] = []
    at = depth = 0
    while at < len(row):
        token = row[at]
        if token.kind is Kind.COMMAND and token.text.startswith((r"\begin{", r"\end{")):
            depth += 1 if token.text.startswith(r"\begin{") else -1
        elif depth == 0:
            places.append(at)
        at = partner[at] + 1 if token.kind is Kind.OPEN and at in partner else at + 1
    return places


def _without_plus(side: Tokens) -> tuple[Tokens, bool]:
    """The side before `+=` without its plus, which may stand in braces, and whether there is one."""
    kept = side[:-1] if side and side[-1].says("+") else side
    braced = [t.text for t in side[-3:]] == ["{", "+", "}"]
    kept = side[:-3] if braced else kept
    return kept, len(kept) < len(side) and bool(kept)


def _sides(part: Tokens) -> tuple[tuple[Tokens, ...], tuple[str, ...]]:
    sides: list[Tokens] = []
    relations: list[str] = []
    start = 0
    for at in _outside(part):
        if _relates(part[at]):
            side, adds = _without_plus(part[start:at]) if part[at].text == "=" else (part[start:at], False)
            sides.append(side)
            relations.append("+=" if adds else "=" if part[at].text == "==" else part[at].text)
            start = at + 1
    return (*sides, part[start:]), tuple(relations)
