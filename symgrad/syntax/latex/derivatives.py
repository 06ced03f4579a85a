"""Fractions and derivatives in LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from msgspec import Struct

from symgrad.errors import ProblemError
from symgrad.source import Place
from symgrad.syntax.latex.cursor import JUXTAPOSED
from symgrad.syntax.latex.names import scan, script, text_of
from symgrad.syntax.latex.parser import LatexParser, rule
from symgrad.syntax.latex.ranges import limits
from symgrad.syntax.latex.signs import ACCENTS, FUNCTIONS
from symgrad.syntax.tokens import Kind
from symgrad.syntax.tree import (
    Binary,
    Call,
    Keyword,
    Name,
    Number,
    Transpose,
    Tree,
)

Range = tuple[int, int]

_PARTIAL: Final = r"\partial"


class _Partial(Struct, frozen=True):
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
    if isinstance(top_part.of, Name) and top_part.of.id in FUNCTIONS and top_part.times == 1 and p.token.says("("):
        return p.call_of(f"{FUNCTIONS[top_part.of.id]}'", start)
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
    named = below[1] - below[0] > 1 and (tokens[below[0] + 1].kind is Kind.NAME or tokens[below[0] + 1].text in ACCENTS)
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


def _variables(p: LatexParser, sign: str, times: int, along: bool = False) -> list[Tree]:
    """What stands below the line: ∂x ∂yᵀ, or ∂x²; behind a slash (``along``) as many as stand above."""
    found: list[Tree] = []
    while p.token.kind is not Kind.END and not (along and len(found) == times):
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
    if isinstance(of, Name) and of.id in FUNCTIONS and len(variables) == 1:
        of = Call(Name(FUNCTIONS[of.id], place=of.place), (variables[0],), (), place=of.place)
    for variable in variables:
        kind = Keyword(Name("kind", place=place), Name("immediate", place=place), place=place)
        of = Call(Name("jacobian", place=place), (of, variable), (kind,) if immediate else (), place=place)
    return of


@rule(_PARTIAL)
def inline_derivative(p: LatexParser) -> Tree:
    """`∂E / ∂W`, and `∂/∂x (…)`."""
    slash = next((k for k in range(p.at, p.stop) if p.tokens[k].says("/")), None)
    after = None if slash is None else p.begins(slash + 1)
    if slash is None or after is None or after.text != _PARTIAL:
        raise ProblemError("∂ stands here by itself; a derivative is ∂y/∂x", p.token.place)
    return _inline(p, slash, _PARTIAL)


@rule("d")
def inline_total_derivative(p: LatexParser) -> Tree:
    """`dE/dW`, and `d/dx (…)`."""
    slash = p.slash_of_derivative()
    assert slash is not None
    return _inline(p, slash, "d")


def _inline(p: LatexParser, slash: int, sign: str) -> Tree:
    start = p.token
    top = p.group((p.at, slash), lambda: _above(p, sign))
    p.at = slash + 1
    variables = _variables(p, sign, top.times, along=True)
    of = p.expression(JUXTAPOSED.left) if top.of is None else top.of
    return _derivative(of, variables, top.immediate, p.since(start))


@rule(r"\nabla")
def gradient(p: LatexParser) -> Tree:
    """`\\nabla_W L`."""
    start = p.take()
    below, above = limits(p)
    inside = below or _argument(p)
    if inside is None:
        raise ProblemError("∇ needs the variable below it", start.place)
    times = 1 if above is None else int(text_of(p.tokens, above)) if text_of(p.tokens, above) in ("1", "2") else 0
    if not times:
        raise ProblemError("above ∇ stands 2, of the Hessian, or nothing", start.place)
    variable = p.group(inside, p.expression)
    return _derivative(p.operand(), [variable] * times, False, p.since(start))


def _argument(p: LatexParser) -> Range | None:
    r"""What stands alone in brackets behind a name, `\nabla J(w)`."""
    found = scan(p.tokens, p.at, p.stop, p.partner)
    if found is None or not p.begins(found.end).says("("):
        return None
    inside = (found.end + 1, p.partner.get(found.end, found.end))
    return inside if p.is_value(inside) else None
