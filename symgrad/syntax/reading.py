"""From a text to its tree: one function for each thing that can be written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from msgspec.structs import replace

from symgrad.errors import ProblemError
from symgrad.source import Source
from symgrad.syntax.dialect import Dialect
from symgrad.syntax.parser import Parser
from symgrad.syntax.plain import PLAIN
from symgrad.syntax.tokens import DEEPEST_TREE, Kind, Token
from symgrad.syntax.tree import (
    Approach,
    Call,
    Definition,
    Keyword,
    Name,
    Span,
    Subscript,
    Tree,
    depth,
)

T = TypeVar("T", bound=Tree)

_ARROW: Final = re.compile(r"->|\\(to|(long)?rightarrow)(?![a-zA-Z])")


def looks_like_latex(text: str) -> bool:
    """Whether a text has characters that only LaTeX uses."""
    return any(char in text for char in "\\{}")


def looks_like_limit(text: str) -> bool:
    """Whether a text says what a variable goes to: `p -> 1`, `\\tau \\to 0^+`."""
    return _ARROW.search(text) is not None


def parse_expression(text: Source | str, dialect: Dialect = PLAIN) -> Tree:
    """`tanh(U @ I[t] + W @ h[t-1])`, or a chain of comparisons, `1 <= s < t`."""
    parser = _start(text, dialect)
    return _whole(parser, parser.no_span(parser.condition()))


def parse_range(text: Source | str, dialect: Dialect = PLAIN) -> Span:
    """`1..T`, both ends included."""
    parser = _start(text, dialect)
    tree = parser.span()
    if not isinstance(tree, Span) or tree.lo is None:
        raise ProblemError("a range is needed here, such as 1..3", tree.place)
    return _whole(parser, tree)


def parse_key(text: Source | str, dialect: Dialect = PLAIN) -> Name | Subscript | Call:
    """A declared symbol: `W`, `I[t]`, `h[1-k..0]`, or a density or function with arguments, `p(x, z)`."""
    parser = _start(text, dialect)
    return _whole(parser, _target(parser.postfix(), "a declared symbol"))


def parse_target(text: Source | str, dialect: Dialect = PLAIN) -> Name | Subscript | Call:
    """The left side alone of a definition, whatever follows it."""
    return _target(_start(text, dialect).postfix(), "the left side of a definition")


def parse_definition(text: Source | str, dialect: Dialect = PLAIN) -> Definition:
    """`q[i, t] = Q[i] @ h[t-i], i=1..k` or `f(u) = u * sigmoid(u)`."""
    parser = _start(text, dialect)
    target = _target(parser.postfix(), "the left side of a definition")
    if not parser.take_if("="):
        if parser.token.says("==", ":=", ":", "<", ">", "<=", ">=", "!=", "->", "←", "≈"):
            parser.fail(f"a definition is written with =, not {parser.token.text!r}", parser.token)
        if parser.token.kind is Kind.END:
            parser.fail("a definition is needed here, name = expression", parser.token)
        if parser.token.kind is Kind.OPERATOR and parser.token.text in parser.grammar.infix:
            parser.fail("the left side of a definition is one name, name[t] or name(x)", parser.token)
        parser.unexpected()
    body = parser.no_span(parser.condition())
    binders: list[Keyword] = []
    conditions: list[Tree] = []
    while parser.take_if(","):
        item = parser.argument()
        if isinstance(item, Keyword):
            binders.append(item)
        else:
            conditions.append(item)
    if parser.token.says("=") and not binders and not conditions:
        parser.fail("a definition has one =; use == to compare", parser.token)
    place = target.place.to(parser.tokens[parser.at - 1].place)
    return _whole(parser, Definition(target, body, tuple(binders), tuple(conditions), place=place))


def parse_limit(text: Source | str, dialect: Dialect = PLAIN) -> Approach:
    """`tau -> 0+`, `x -> -inf`: the point may carry the side from which it is approached."""
    parser = _start(text, dialect)
    tokens, side = _without_side(parser.tokens)
    parser = dialect.parser(tokens)
    var = parser.expression()
    if not parser.take_if("->"):
        if parser.token.kind is Kind.END:
            parser.fail("a limit is written variable -> point", parser.token)
        parser.unexpected()
    target = parser.expression()
    return _whole(parser, Approach(var, target, side, place=var.place.to(target.place)))


def _start(text: Source | str, dialect: Dialect) -> Parser:
    source = Source("<text>", text) if isinstance(text, str) else text
    return dialect.read(source)


def _whole(parser: Parser, tree: T) -> T:
    parser.finish()
    if depth(tree) > DEEPEST_TREE:
        message = f"more than {DEEPEST_TREE} operations in a row; give a part of it a name"
        raise ProblemError(message, tree.place)
    return tree


def _target(tree: Tree, what: str) -> Name | Subscript | Call:
    match tree:
        case Name():
            return tree
        case Subscript(Name(), _):
            return tree
        case Subscript(Subscript(Name() as name, steps), items):
            return Subscript(name, (*steps, *items), place=tree.place)
        case Call(_, args, ()) if args and all(isinstance(arg, Name) for arg in args):
            return tree
        case _:
            raise ProblemError(f"{what} is a name, name[t] or name(x)", tree.place)


def _without_side(tokens: Sequence[Token]) -> tuple[Sequence[Token], str]:
    """The tokens before the side, `0+`, `0^+` or `0^{+}`, and the side."""
    end = len(tokens) - 1
    braced = end > 3 and tokens[end - 1].says("}") and tokens[end - 3].says("{")
    at = end - (2 if braced else 1)
    if at < 1 or not tokens[at].says("+", "-"):
        return tokens, ""
    stop = at - braced
    if tokens[stop - 1].says("^"):
        stop -= 1
    elif braced:
        return tokens, ""
    if stop < 1 or tokens[stop - 1].says("->"):
        return tokens, ""
    return (*tokens[:stop], replace(tokens[end], place=tokens[stop].place)), tokens[at].text
