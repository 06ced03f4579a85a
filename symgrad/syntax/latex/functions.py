"""Functions in LaTeX, with and without brackets, with powers and primes; what stands above a factor."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from symgrad.errors import ProblemError
from symgrad.syntax.latex.cursor import Cursor
from symgrad.syntax.latex.names import Found, Scanned, items, text_of
from symgrad.syntax.latex.signs import FUNCTIONS, GREEK
from symgrad.syntax.tokens import Kind, Token
from symgrad.syntax.tree import (
    IMPLICIT,
    Binary,
    Call,
    Distributed,
    Given,
    Keyword,
    Name,
    Number,
    Subscript,
    Transpose,
    Tree,
    Unary,
    children,
)

_TRANSPOSES: Final = ("⊤", "†")
_NUMBERS: Final = frozenset({"norm", "sum", "trace", "det", "dot", "mean"})
"""Functions whose values have no axes."""
_SETTING: Final = re.compile(r"([a-z]+) ?=? ?([0-9]+)")


class FunctionReader(Cursor):
    """Reads what is applied, and what stands above."""

    def raised(self, tree: Tree, inside: tuple[int, int], start: Token) -> Tree:
        """A power, a transpose, an inverse; `^{\\odot 2}` is entry by entry."""
        place = self.since(start)
        text = text_of(self.tokens, inside)
        if text in _TRANSPOSES or (text == "T" and not ("T" in self.vocabulary.integers and self.is_number(tree))):
            return Transpose(tree, place=place)
        first = self.begins(inside[0])
        if text in ("-⊤", "-T"):
            one = Number(Fraction(1), "1", place=first.place)
            inverse = Binary("^", tree, Unary("-", one, place=first.place), place=place)
            return Transpose(inverse, place=place)
        if first.says("⊙", "∘"):
            exponent = self.group((inside[0] + 1, inside[1]), self.expression)
            return Binary("**", tree, exponent, place=place)
        exponent = self.group(inside, self.expression)
        if isinstance(tree, Name) and tree.id == "e" and (not self.vocabulary.knows("e") or self.has_names(exponent)):
            return Call(Name("exp", place=tree.place), (exponent,), (), place=place)
        return Binary("^", tree, exponent, place=place)

    def is_number(self, tree: Tree) -> bool:
        """Whether a value surely has no axes, so that T above it is an exponent."""
        match tree:
            case Number():
                return True
            case Name(name) | Subscript(Name(name), _):
                given = len(tree.items) if isinstance(tree, Subscript) else 0
                order = self.vocabulary.orders.get(name)
                if order is None:
                    return name in self.vocabulary.integers or name in GREEK
                return given >= order + self.vocabulary.arities.get(name, 0)
            case Binary(_, left, right):
                return self.is_number(left) and self.is_number(right)
            case Unary(_, operand):
                return self.is_number(operand)
            case Call(func):
                return func.id in _NUMBERS or (bool(tree.args) and all(map(self.is_number, tree.args)))
        return False

    def has_names(self, tree: Tree) -> bool:
        """Whether a name stands in a tree: e to such a power is the exponential, also beside a loss e."""
        return isinstance(tree, Name) or any(self.has_names(x) for x in children(tree))

    def indices(self, parts: list[tuple[int, int]]) -> tuple[Tree, ...]:
        """The subscripts between commas; letters side by side are subscripts each."""
        found: list[Tree] = []
        for part in parts:
            if part[0] >= part[1]:
                raise ProblemError("a subscript is missing", self.begins(part[0] - 1).place)
            tree = self.group(part, self.span)
            found += _letters(tree)
        return tuple(found)

    def sizes(self, inside: tuple[int, int]) -> tuple[Tree, ...]:
        """The sizes below a constant, `0_{2n}`, `1_{n \\times m}` and `I_n`."""
        found: list[Tree] = []
        for part in items(self.tokens, inside):
            tree, sizes = self.group(part, self.expression), list[Tree]()
            while isinstance(tree, Binary) and tree.op == "×":
                sizes.insert(0, tree.right)
                tree = tree.left
            found += [tree, *sizes]
        return tuple(found)

    def function(self, found: Scanned, start: Token) -> Tree:
        """`\\tanh^2(x)`, `\\sigma'(z)`, `\\log p`; by itself the function's name alone."""
        name = FUNCTIONS[found.base]
        self.at = found.end
        if self.token.kind is not Kind.NUMBER and not self.starts_operand(self.token):
            alone = Name(found.base + "'" * found.primes, place=self.since(start))
            return self.raised(alone, found.above, start) if found.above else alone
        keywords: tuple[Keyword, ...] = ()
        if found.below is not None:
            keywords = self.setting(name, found.below)
        tree: Tree = self.call_of(name + "'" * found.primes, start, keywords)
        return self.raised(tree, found.above, start) if found.above else tree

    def own_function(self, found: Scanned, known: Found, start: Token) -> Tree:
        """A function or density of the problem; its name alone says which one, as in z ~ q."""
        self.at = found.end
        if not self.token.says("(", "[", r"\{"):
            return Name(known.name, place=self.since(start))
        primes = "" if known.above else "'" * found.primes
        tree: Tree = self.call_of(known.name + primes, start)
        return self.raised(tree, found.above, start) if found.above and not known.above else tree

    def setting(self, name: str, below: tuple[int, int]) -> tuple[Keyword, ...]:
        """`softmax` of the rows or the columns."""
        text, place = text_of(self.tokens, below), self.begins(below[0]).place
        axis = {"rows": "1", "columns": "0", "row": "1", "col": "0", "axis0": "0", "axis1": "1"}.get(text)
        settings = [("axis", axis)] if axis else _SETTING.findall(text)
        if not settings or (axis is None and _SETTING.sub("", text).strip(" ,")):
            raise ProblemError(f"{text!r} below {name} has no meaning here", place)
        return tuple(
            Keyword(Name(key, place=place), Number(Fraction(value), value, place=place), place=place)
            for key, value in settings
        )

    def call_of(self, name: str, start: Token, keywords: tuple[Keyword, ...] = ()) -> Call:
        """A function with its arguments, in brackets or not."""
        head = Name(name, place=start.place)
        if self.token.says("(", "[", r"\{", "{"):
            closing = self.closing()
            args, named = self.group((self.at + 1, closing), self.arguments)
            self.at = closing + 1
            return Call(head, tuple(args), (*keywords, *named), place=self.since(start))
        if not (self.starts_operand(self.token) or self.token.kind is Kind.NUMBER):
            raise ProblemError(f"{name} stands here without an argument", start.place)
        return Call(head, (self.operand(),), keywords, place=self.since(start))

    def operand(self) -> Tree:
        """What a function without brackets acts on: factors side by side up to a bracket or another function."""
        start = self.token
        tree = self.postfix()
        while self.token.kind is Kind.NAME and not self.is_function(self.token.text):
            tree = Binary(IMPLICIT, tree, self.postfix(), place=self.since(start))
        return tree

    def arguments(self) -> tuple[list[Tree], list[Keyword]]:
        """What stands in the brackets of a call."""
        args: list[Tree] = []
        named: list[Keyword] = []
        left: list[Tree] | None = None
        while True:
            item = self.argument()
            if isinstance(item, Keyword):
                named.append(item)
            else:
                args.append(item)
            if self.token.says("|") and left is None:
                self.take()
                left, args = args, []
            elif not self.take_if(",", ";", "‖"):
                break
        if left is not None:
            args = [Given(tuple(left), tuple(args), place=left[0].place.to(args[-1].place))]
        return args, named

    def argument(self) -> Tree:
        """One argument: a setting, a law `z ~ q`, or an expression."""
        after = self.peek()
        if self.token.kind is Kind.NAME and after is not None and after.says("=") and self.begins(self.at + 2).text:
            return self.keyword()
        start = self.token
        tree = self.no_span(self.condition())
        if self.take_if("~"):
            return Distributed(tree, self.expression(), place=self.since(start))
        return tree


def _letters(tree: Tree) -> list[Tree]:
    """i and j from ij; a number and a letter stay a product."""
    parts = side_by_side(tree)
    return parts if all(isinstance(p, Name) for p in parts) else [_joined(parts)]


def side_by_side(tree: Tree) -> list[Tree]:
    """The factors of a product without signs, from left to right."""
    found: list[Tree] = []
    while isinstance(tree, Binary) and tree.op == IMPLICIT:
        found.insert(0, tree.right)
        tree = tree.left
    return [tree, *found]


def _joined(parts: list[Tree]) -> Tree:
    tree = parts[0]
    for part in parts[1:]:
        tree = Binary(IMPLICIT, tree, part, place=tree.place.to(part.place))
    return tree
