"""Fractions and derivatives, roots, sums over ranges, expectations, cases and matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from symgrad.errors import ProblemError
from symgrad.source import Place
from symgrad.syntax.latex_names import items, script
from symgrad.syntax.latex_parser import JUXTAPOSED, PRODUCT, LatexParser, rule
from symgrad.syntax.latex_signs import BIG
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
    Transpose,
    Tree,
)

Range = tuple[int, int]

_PARTIAL: Final = r"\partial"
_MATRICES: Final = ("pmatrix", "bmatrix", "Bmatrix", "matrix", "smallmatrix", "array", "vmatrix", "Vmatrix")
_IF: Final = ("if", "for", "when", "where", "falls", "iff")
_OTHERWISE: Final = ("otherwise", "else", "or else", "sonst")
_CHAINS: Final = ("<", "<=")
_MOST: Final = 1000


# Fractions and derivatives


@dataclass(frozen=True, slots=True)
class _Partial:
    """∂ᵏx above a line: ``of`` is what is differentiated, None where it follows behind the fraction."""

    of: Tree | None
    times: int
    immediate: bool


@rule(r"\frac", r"\cfrac")
def fraction(p: LatexParser) -> Tree:
    """`\\frac{a}{b}`, or a derivative where both lines begin with ∂ or d."""
    start = p.take()
    above, p.at = script(p.tokens, p.at, p.stop, p.partner)
    below, p.at = script(p.tokens, p.at, p.stop, p.partner)
    end = p.at
    if below[0] >= below[1]:
        raise ProblemError("a fraction has two parts", start.place)
    sign = _sign_of_derivative(p, above, below)
    if sign is None:
        top, bottom = p.group(above, p.expression), p.group(below, p.expression)
        return Binary("/", top, bottom, place=p.since(start))
    top_part = p.group(above, lambda: _above(p, sign))
    variables = p.group(below, lambda: _variables(p, sign, top_part.times))
    p.at = end
    of = p.expression(JUXTAPOSED.left) if top_part.of is None else top_part.of
    return _derivative(of, variables, top_part.immediate, p.since(start))


def _sign_of_derivative(p: LatexParser, above: Range, below: Range) -> str | None:
    tokens = p.tokens
    first, second = tokens[below[0]].text, tokens[above[0]].text
    if first == _PARTIAL and second == _PARTIAL:
        return _PARTIAL
    if _PARTIAL in (first, second) and not any(t.text == "/" for t in tokens[slice(*above)]):
        lacking = "below" if second == _PARTIAL else "above"
        first_token = tokens[below[0] if lacking == "below" else above[0]]
        raise ProblemError(f"a ∂ is missing {lacking} the line", first_token.place)
    alone = above[1] - above[0] == 1 or tokens[above[0] + 1].kind is not Kind.OPERATOR or tokens[above[0] + 1].says("^")
    named = below[1] - below[0] > 1 and tokens[below[0] + 1].kind is Kind.NAME
    return "d" if first == second == "d" and alone and named else None


def _above(p: LatexParser, sign: str) -> _Partial:
    p.take()
    times, immediate = 1, False
    if p.token.says("^"):
        inside, p.at = script(p.tokens, p.at + 1, p.stop, p.partner)
        mark = p.tokens[inside[0]]
        immediate = mark.text in ("+", "†")
        if mark.kind is Kind.NUMBER:
            times = int(Fraction(mark.text))
        elif not immediate:
            raise ProblemError(f"{mark.text!r} above {sign[-1]} has no meaning here", mark.place)
    of = None if p.token.kind is Kind.END else p.expression()
    return _Partial(of, times, immediate)


def _variables(p: LatexParser, sign: str, times: int) -> list[Tree]:
    """What stands below the line: ∂x ∂yᵀ, or ∂x²."""
    found: list[Tree] = []
    while p.token.kind is not Kind.END:
        if p.token.text != sign:
            p.unexpected()
        p.take()
        tree = p.postfix()
        power = 1
        match tree:
            case Binary("^", base, Number(value, _)) if times > 1 and value.denominator == 1:
                tree, power = base, int(value)
            case Transpose(base):
                tree = base
        found += [tree] * power
    if len(found) != times:
        place = found[0].place.to(found[-1].place)
        raise ProblemError(f"{times} derivatives stand above the line and {len(found)} below", place)
    return found


def _derivative(of: Tree, variables: Sequence[Tree], immediate: bool, place: Place) -> Tree:
    for variable in variables:
        kind = Keyword(Name("kind", place=place), Name("immediate", place=place), place=place)
        of = Call(Name("jacobian", place=place), (of, variable), (kind,) if immediate else (), place=place)
    return of


@rule(_PARTIAL)
def inline_derivative(p: LatexParser) -> Tree:
    """`∂E / ∂W`, and `∂/∂x (…)`."""
    start = p.token
    slash = next((k for k in range(p.at, p.stop) if p.tokens[k].says("/")), None)
    after = None if slash is None else p.begins(slash + 1)
    if slash is None or after is None or after.text != _PARTIAL:
        raise ProblemError("∂ stands here by itself; a derivative is ∂y/∂x", start.place)
    top = p.group((p.at, slash), lambda: _above(p, _PARTIAL))
    p.at = slash + 2
    variable = p.postfix()
    variable = variable.operand if isinstance(variable, Transpose) else variable
    of = p.expression(JUXTAPOSED.left) if top.of is None else top.of
    return _derivative(of, [variable], top.immediate, p.since(start))


@rule(r"\nabla")
def gradient(p: LatexParser) -> Tree:
    """`\\nabla_W L`."""
    start = p.take()
    if not p.token.says("_"):
        raise ProblemError("∇ needs the variable below it", start.place)
    inside, p.at = script(p.tokens, p.at + 1, p.stop, p.partner)
    variable = p.group(inside, p.expression)
    return _derivative(p.operand(), [variable], False, p.since(start))


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


# Sums, products and extremes over ranges


@rule(r"\sum", r"\prod", r"\max", r"\min", r"\argmax", r"\argmin", r"\arg")
def over_range(p: LatexParser) -> Tree:
    """`\\sum_{k=1}^{t} body`; without a range, `\\max(a, b)` is a function."""
    start = p.take()
    name = BIG.get(start.text, "")
    if start.text == r"\arg":
        name = "arg" + BIG.get(p.take().text, "")
    below, above = _limits(p)
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


def _limits(p: LatexParser) -> tuple[Range | None, Range | None]:
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
        found = p.group(part, lambda: _runs(p, above if not keywords else None))
        (keywords if isinstance(found, Keyword) else conditions).append(found)  # type: ignore[arg-type]
    known = {k.name.id for k in keywords}
    for tree in list(conditions):
        if isinstance(tree, Compare) and not known:
            index, place = _index_of(p, tree), tree.place
            keywords.append(Keyword(index, Span(None, None, place=place), place=place))
            known.add(index.id)
    if above is not None and not keywords:
        raise ProblemError("what runs is not said below the sign", p.begins(below[0]).place)
    return keywords, conditions


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
    below, _ = _limits(p)
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
    """Integrals."""
    raise ProblemError("an integral is not read in LaTeX", p.token.place)


@rule(r"\lim")
def limit(p: LatexParser) -> Tree:
    """`\\lim_{p \\to 0^{+}} f(p)`."""
    start = p.take()
    below, _ = _limits(p)
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


# Cases and matrices


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
    return tree


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
