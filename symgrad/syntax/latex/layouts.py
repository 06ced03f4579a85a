"""Roots, cases and matrices in LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from symgrad.errors import ProblemError
from symgrad.syntax.latex.names import script
from symgrad.syntax.latex.parser import LatexParser, rule
from symgrad.syntax.tokens import Kind, Token
from symgrad.syntax.tree import (
    Binary,
    Call,
    ListTree,
    Name,
    Number,
    Tree,
)

Range = tuple[int, int]

_MATRICES: Final = ("pmatrix", "bmatrix", "Bmatrix", "matrix", "smallmatrix", "array", "vmatrix", "Vmatrix")
_IF: Final = ("if", "for", "when", "where", "falls", "iff")
_OTHERWISE: Final = ("otherwise", "else", "or else", "sonst")


@rule(r"\sqrt")
def root(p: LatexParser) -> Tree:
    """`\\sqrt{x}` and `\\sqrt[n]{x}`."""
    start = p.take()
    degree: Tree | None = None
    if p.token.says("["):
        closing = p.closing()
        degree = p.group((p.at + 1, closing), p.expression)
        p.at = closing + 1
    if p.token.says("("):
        inner = p.bracket()
    else:
        inside, p.at = script(p.tokens, p.at, p.stop, p.partner)
        inner = p.group(inside, p.expression)
    place = p.since(start)
    if degree is None:
        return Call(Name("sqrt", place=start.place), (inner,), (), place=place)
    one = Number(Fraction(1), "1", place=start.place)
    return Binary("**", inner, Binary("/", one, degree, place=place), place=place)


@rule(r"\begin")
def environment(p: LatexParser) -> Tree:
    """Cases and matrices."""
    start = p.take()
    kind = start.text[len(r"\begin{") : -1]
    end = _end_of(p, start, kind)
    rows = _rows(p, (p.at, end))
    if kind in ("cases", "dcases", "rcases"):
        tree = _cases(p, rows, start)
    elif kind in _MATRICES:
        tree = _matrix(p, rows, start)
    else:
        raise ProblemError(f"{kind} cannot stand inside a formula", start.place)
    p.at = end + 1
    return tree.replaced(place=p.since(start))


@rule(r"\end")
def stray_end(p: LatexParser) -> Tree:
    """An end without a beginning."""
    raise ProblemError(f"this {p.token.place.text} was never begun", p.token.place)


def _end_of(p: LatexParser, start: Token, kind: str) -> int:
    depth = 1
    for at in range(p.at, p.stop):
        text = p.tokens[at].text
        depth += text.startswith(r"\begin{") - text.startswith(r"\end{")
        if depth == 0:
            if text != rf"\end{{{kind}}}":
                raise ProblemError(f"{kind} is not ended here", p.tokens[at].place)
            return at
    raise ProblemError(f"this {kind} is never ended", start.place)


def _rows(p: LatexParser, inside: Range) -> list[list[Range]]:
    """The cells of an environment, row by row."""
    rows: list[list[Range]] = [[]]
    first, depth = inside[0], 0
    for at in range(*inside):
        token = p.tokens[at]
        opens = token.kind is Kind.OPEN or token.text.startswith(r"\begin{")
        closes = token.kind is Kind.CLOSE or token.text.startswith(r"\end{")
        depth += opens - closes
        if depth == 0 and token.says("&", "\\\\"):
            rows[-1].append((first, at))
            first = at + 1
            if token.text == "\\\\":
                rows.append([])
    rows[-1].append((first, inside[1]))
    return [row for row in rows if any(a < z for a, z in row)]


def _cases(p: LatexParser, rows: Sequence[Sequence[Range]], start: Token) -> Tree:
    branches = [_branch(p, row) for row in rows]
    if not branches:
        raise ProblemError("there are no cases", start.place)
    value, _ = branches[-1]
    for chosen, condition in reversed(branches[:-1]):
        if condition is None:
            raise ProblemError("a condition is missing", chosen.place)
        value = Call(Name("where", place=start.place), (condition, chosen, value), (), place=start.place)
    return value


def _branch(p: LatexParser, row: Sequence[Range]) -> tuple[Tree, Tree | None]:
    """A value and its condition; None is otherwise."""
    cell = row[0]
    if p.tokens[cell[1] - 1].says(",", ";"):
        cell = (cell[0], cell[1] - 1)
    words = next((k for k in range(*cell) if p.tokens[k].kind is Kind.WORDS), None)
    rest = row[1] if len(row) > 1 else (words, cell[1]) if words is not None else None
    if len(row) == 1 and words is not None:
        cell = (cell[0], words - p.tokens[words - 1].says(","))
    value = p.group(cell, p.expression)
    return value, None if rest is None else p.group(rest, lambda: _when(p))


def _when(p: LatexParser) -> Tree | None:
    first = p.token
    if first.kind is Kind.WORDS or first.text in _OTHERWISE:
        words = p.take().text.lower()
        if words in _OTHERWISE:
            p.at = p.stop
            return None
        if words not in _IF:
            raise ProblemError(f"the words {first.text!r} stand where a condition is needed", first.place)
    tree, *others = p.conditions()
    for other in others:
        tree = Binary("*", tree, other, place=tree.place.to(other.place))
    return tree


def _matrix(p: LatexParser, rows: Sequence[Sequence[Range]], start: Token) -> Tree:
    cells = [ListTree(tuple(p.group(c, p.expression) for c in row), place=start.place) for row in rows]
    if len({len(row.items) for row in cells}) != 1:
        raise ProblemError("the rows of this matrix are not equally long", start.place)
    return Call(Name("matrix", place=start.place), tuple(cells), (), place=start.place)
