"""Sums, products and extremes over ranges, expectations and limits in LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from typing import Final

from symgrad.errors import ProblemError
from symgrad.syntax.latex.cursor import PRODUCT
from symgrad.syntax.latex.names import items, script
from symgrad.syntax.latex.parser import LatexParser, rule
from symgrad.syntax.latex.signs import BIG
from symgrad.syntax.tokens import Kind, Token
from symgrad.syntax.tree import (
    Approach,
    Binary,
    Call,
    Compare,
    Distributed,
    Keyword,
    ListTree,
    Name,
    Number,
    Span,
    Tree,
)

Range = tuple[int, int]

_CHAINS: Final = ("<", "<=")
_MOST: Final = 1000


@rule(r"\sum", r"\prod", r"\max", r"\min", r"\argmax", r"\argmin", r"\arg")
def over_range(p: LatexParser) -> Tree:
    """`\\sum_{k=1}^{t} body`; without a range, `\\max(a, b)` is a function."""
    start = p.take()
    name = BIG.get(start.text, "")
    if start.text == r"\arg":
        name = "arg" + BIG.get(p.take().text, "")
    below, above = limits(p)
    if below is None:
        if name not in ("sum", "prod") or p.token.says("("):
            return p.call_of(name, start)
        raise ProblemError("what runs is not said below the sign", start.place)
    keywords, conditions = _running(p, below, above)
    if name in ("max", "min", "argmax", "argmin") and p.token.says("(", "[", r"\{"):
        body = p.bracket()
    else:
        body = p.expression(PRODUCT)
    return Call(Name(name, place=start.place), (body, *conditions), tuple(keywords), place=p.since(start))


def limits(p: LatexParser) -> tuple[Range | None, Range | None]:
    """What stands below and above a sum, in either order."""
    below: Range | None = None
    above: Range | None = None
    while p.token.says("_", "^"):
        sign = p.take().text
        inside, p.at = script(p.tokens, p.at, p.stop, p.partner)
        if sign == "_" and below is None:
            below = inside
        elif sign == "^" and above is None:
            above = inside
        else:
            p.unexpected()
    return below, above


def _running(p: LatexParser, below: Range, above: Range | None) -> tuple[list[Keyword], list[Tree]]:
    """What runs, and the conditions on it; the end above belongs to the first index."""
    keywords: list[Keyword] = []
    conditions: list[Tree] = []
    if below[1] - below[0] > 2 and p.tokens[below[0]].says("{") and p.partner.get(below[0]) == below[1] - 1:
        below = (below[0] + 1, below[1] - 1)
    for part in _parts(p, below):
        if _are_letters(p, part):
            keywords += [_open(p.tokens[k]) for k in range(*part)]
            continue
        end = None if keywords else above
        found = p.group(part, partial(_runs, p, end))
        if isinstance(found, Keyword):
            keywords.append(found)
        else:
            conditions.append(found)
    known = {k.name.id for k in keywords}
    for tree in list(conditions):
        if isinstance(tree, Compare) and not known:
            index, place = _index_of(p, tree), tree.place
            keywords.append(Keyword(index, Span(None, None, place=place), place=place))
            known.add(index.id)
    if above is not None and not keywords:
        raise ProblemError("what runs is not said below the sign", p.begins(below[0]).place)
    return keywords, conditions


def _are_letters(p: LatexParser, part: Range) -> bool:
    """Whether indices stand side by side, `\\sum_{ij}`."""
    inside = p.tokens[slice(*part)]
    return len(inside) > 1 and all(t.kind is Kind.NAME and len(t.text) == 1 for t in inside)


def _open(token: Token) -> Keyword:
    """An index whose range is not stated."""
    return Keyword(Name(token.text, place=token.place), Span(None, None, place=token.place), place=token.place)


def _parts(p: LatexParser, below: Range) -> list[Range]:
    """The lines or the parts between commas; a bare name behind a comma is an index of its own."""
    parts: list[Range] = []
    for first, last in items(p.tokens, below):
        cuts = [k for k in range(first, last) if p.tokens[k].says("\\\\", ":", ";")]
        for end in [*cuts, last]:
            if first < end:
                parts.append((first, end))
            first = end + 1
    return parts


def _runs(p: LatexParser, above: Range | None) -> Tree:
    """`k=1` with the end above, `k`, `1 \\le k \\le n`, or a condition."""
    start = p.token
    after = p.peek()
    if start.kind is Kind.NAME and (after is None or after.says("=")):
        name = Name(start.text, place=start.place)
        p.take()
        low: Tree | None = None
        high: Tree | None = None
        if p.take_if("="):
            value = p.span()
            low, high = (value.lo, value.hi) if isinstance(value, Span) else (value, None)
        if above is not None:
            high = p.group(above, p.expression)
        if (low is None) != (high is None):
            raise ProblemError("a range has two ends", start.place)
        return Keyword(name, Span(low, high, place=p.since(start)), place=p.since(start))
    if start.kind is Kind.NAME and after is not None and after.says("∈"):
        return _over_set(p)
    tree = p.condition()
    match tree:
        case Compare((one, two), (lo, Name() as name, hi)) if one in _CHAINS and two in _CHAINS:
            low, high = _shifted(lo, one == "<", 1), _shifted(hi, two == "<", -1)
            return Keyword(name, Span(low, high, place=tree.place), place=tree.place)
        case Name() as name:
            return Keyword(name, Span(None, None, place=tree.place), place=tree.place)
        case Compare():
            return tree
    raise ProblemError("what runs is not said here", tree.place)


def _over_set(p: LatexParser) -> Tree:
    """`r \\in \\{0, 0.1, \\dots, 1\\}`: the numbers one by one."""
    start = p.take()
    p.take()
    if not p.token.says(r"\{"):
        raise ProblemError("this set is not read", p.token.place)
    closing = p.closing()
    inside = (p.at + 1, closing)
    numbers: list[Tree] = []
    parts = items(p.tokens, inside)
    for k, part in enumerate(parts):
        if not p.tokens[part[0]].says("…"):
            numbers.append(p.group(part, p.expression))
            continue
        if k < 2 or k + 1 >= len(parts):
            raise ProblemError("it is not clear what the dots stand for", p.tokens[part[0]].place)
        numbers += _progression(numbers[-2:], p.group(parts[k + 1], p.expression))
    p.at = closing + 1
    name = Name(start.text, place=start.place)
    return Keyword(name, ListTree(tuple(numbers), place=p.since(start)), place=p.since(start))


def _progression(before: Sequence[Tree], last: Tree) -> list[Tree]:
    """The numbers between 0, 0.1 and 1."""
    match (*before, last):
        case (Number(one, _), Number(two, _), Number(end, _)) if two != one and 0 <= (end - two) / (two - one) <= _MOST:
            count = int((end - two) / (two - one))
            between = [two + k * (two - one) for k in range(1, count)]
            return [Number(value, str(value), place=last.place) for value in between]
    raise ProblemError("it is not clear what the dots stand for", last.place)


def _shifted(end: Tree, strict: bool, by: int) -> Tree:
    one = Number(Fraction(1), "1", place=end.place)
    return Binary("+" if by > 0 else "-", end, one, place=end.place) if strict else end


def _index_of(p: LatexParser, tree: Compare) -> Name:
    """The index of j != c: the side that is a bare name, the left one first."""
    for side in tree.operands:
        if isinstance(side, Name):
            return side
    raise ProblemError("what runs is not said here", tree.place)


@rule(r"\E")
def expectation(p: LatexParser) -> Tree:
    """`\\mathbb{E}_{z \\sim q}[f(z)]`."""
    start = p.take()
    below, _ = limits(p)
    given: tuple[Tree, ...] = ()
    if below is not None:
        given = (p.group(below, lambda: _distributed(p)),)
    body = p.bracket() if p.token.kind is Kind.OPEN else p.expression(PRODUCT)
    return Call(Name("E", place=start.place), (body, *given), (), place=p.since(start))


def _distributed(p: LatexParser) -> Tree:
    start = p.token
    var = p.expression()
    if not p.take_if("~"):
        return var
    return Distributed(var, p.expression(), place=p.since(start))


@rule(r"\int")
def integral(p: LatexParser) -> Tree:
    """`\\int_x f(x) \\, dx`, over all values of x."""
    start = p.take()
    limits(p)
    ends = _differential(p)
    if ends is None:
        raise ProblemError("an integral ends with dx, which says over what", start.place)
    body = p.group((p.at, ends), p.expression)
    var = p.tokens[ends + 1]
    p.at = ends + 2
    over = Name(var.text, place=var.place)
    return Call(Name("integral", place=start.place), (body, over), (), place=p.since(start))


def _differential(p: LatexParser) -> int | None:
    """Where the d of dx stands that ends the integral which begins here."""
    at = p.at
    while at + 1 < p.stop:
        if p.tokens[at].text == "d" and p.tokens[at + 1].kind is Kind.NAME:
            return at
        at = p.partner.get(at, at) + 1 if p.tokens[at].kind is Kind.OPEN else at + 1
    return None


@rule(r"\lim")
def limit(p: LatexParser) -> Tree:
    """`\\lim_{p \\to 0^{+}} f(p)`."""
    start = p.take()
    below, _ = limits(p)
    if below is None:
        raise ProblemError("a limit needs what goes where below it", start.place)
    approach = p.group(below, lambda: _approach(p))
    body = p.expression(PRODUCT)
    return Call(Name("lim", place=start.place), (body, approach), (), place=p.since(start))


def _approach(p: LatexParser) -> Tree:
    start = p.token
    var = p.expression()
    if not p.take_if("->"):
        p.unexpected()
    side = ""
    last = p.tokens[p.stop - 1]
    if last.says("+", "-") or (last.says("}") and p.tokens[p.stop - 2].says("+", "-")):
        back = 1 if last.says("+", "-") else 3
        side = (p.tokens[p.stop - 1] if back == 1 else p.tokens[p.stop - 2]).text
        end = p.stop - back - (p.tokens[p.stop - back - 1].says("^"))
        target = p.group((p.at, end), p.expression)
        p.at = p.stop
    else:
        target = p.expression()
    return Approach(var, target, side, place=p.since(start))
