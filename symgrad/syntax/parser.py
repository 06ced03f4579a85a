"""One precedence-climbing parser over tokens, whichever lexer made them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NoReturn

from msgspec import Struct, field

from symgrad.errors import ProblemError
from symgrad.source import Place
from symgrad.syntax.complaints import CLOSING, complaint
from symgrad.syntax.grammar import Grammar, Infix
from symgrad.syntax.tokens import DEEPEST_NESTING, Kind, Token
from symgrad.syntax.tree import (
    Binary,
    Call,
    Compare,
    Distributed,
    Given,
    Keyword,
    ListTree,
    Member,
    Name,
    Number,
    Span,
    Subscript,
    Transpose,
    Tree,
    Unary,
)

_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_RESULT_PARTS: Final = ("at", "value")
_SIGN = 30


class Parser(Struct):
    """A cursor over tokens; each method reads one construct and stops behind it."""

    tokens: Sequence[Token]
    grammar: Grammar
    at: int = 0
    level: int = 0
    _open: list[Token] = field(default_factory=list)

    @property
    def token(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.at]

    def take(self) -> Token:
        """The next token, which is now read; the END token stays."""
        token = self.token
        if token.kind is not Kind.END:
            self.at += 1
        return token

    def take_if(self, *texts: str) -> Token | None:
        """The next token if it is one of these."""
        return self.take() if self.token.says(*texts) else None

    def finish(self) -> None:
        """Nothing may be left."""
        if self.token.kind is not Kind.END:
            self.unexpected()

    def since(self, start: Token) -> Place:
        """From `start` to the last token read, brackets included."""
        return start.place.to(self.tokens[self.at - 1].place)

    # Levels, from the loosest to the tightest.

    def condition(self) -> Tree:
        """An expression or a chain of comparisons."""
        start = self.token
        operands, ops = [self.span()], []
        while self.token.kind is Kind.OPERATOR and self.token.text in _COMPARISONS:
            ops.append(self.take().text)
            operands.append(self.span())
        if not ops:
            return operands[0]
        for operand in operands:
            self.no_span(operand)
        return Compare(tuple(ops), tuple(operands), place=self.since(start))

    def span(self) -> Tree:
        """`lo..hi`, `:` or an expression."""
        if everything := self.take_if(":"):
            return Span(None, None, place=everything.place)
        start = self.token
        low = self.expression()
        if colon := self.take_if(":"):
            raise ProblemError("a range is written with two dots, 1..3, and both ends belong to it", colon.place)
        if not self.take_if(".."):
            return low
        high = self.expression()
        if self.token.says(".."):
            raise ProblemError("a range has two ends, lo..hi, and no step", self.token.place)
        return Span(low, high, place=self.since(start))

    def no_span(self, tree: Tree) -> Tree:
        """The tree, which must not be a range."""
        if isinstance(tree, Span):
            message = "a range can stand only in a subscript or behind a name, as in i=1..3"
            raise ProblemError(message, tree.place)
        return tree

    def expression(self, tightness: int = 0) -> Tree:
        """Operators that bind at least as tightly as `tightness`."""
        start = self.token
        self.level += 1
        if self.level > DEEPEST_NESTING:
            message = f"nested more than {DEEPEST_NESTING} deep; give a part of it a name"
            raise ProblemError(message, self.token.place)
        if self.token.kind is Kind.OPERATOR and self.token.text in ("-", "+"):
            sign = self.take()
            operand = self.expression(_SIGN)
            left: Tree = Unary(sign.text, operand, place=self.since(start))
        else:
            left = self.postfix()
        while (infix := self.infix()) is not None and infix.left >= tightness:
            op = self.operator()
            right = self.expression(infix.right)
            left = Binary(op, left, right, place=self.since(start))
        self.level -= 1
        return left

    # Operators and their operands.

    def infix(self) -> Infix | None:
        """How the next token binds, if it is an operator between operands."""
        return self.grammar.infix.get(self.token.text) if self.token.kind is Kind.OPERATOR else None

    def operator(self) -> str:
        """The operator between two operands, which is now read."""
        return self.take().text

    def postfix(self) -> Tree:
        """A primary with its subscripts, arguments and transposes."""
        start = self.token
        tree = self.primary()
        while True:
            if self.token.says("["):
                items = self.subscripts()
                tree = Subscript(tree, items, place=self.since(start))
            elif self.token.says("("):
                tree = self.call(tree)
            elif dot := self.take_if("."):
                tree = self.attribute(tree, start, dot)
            else:
                return tree

    def attribute(self, tree: Tree, start: Token, dot: Token) -> Tree:
        """`.T`, or a part of another question's result."""
        name = self.take()
        place = self.since(start)
        if name.text == "T":
            return Transpose(tree, place=place)
        if isinstance(tree, Name) and name.text in _RESULT_PARTS:
            return Member(tree, name.text, place=place)
        where = dot.place.to(name.place)
        message = "behind a dot stands T (transpose), or at or value of another question's result"
        if name.kind is Kind.NAME and self.token.says("("):
            message = f"write {name.text}(...) as a function of what it acts on; {message}"
        raise ProblemError(message, where)

    def primary(self) -> Tree:
        """A number, a name, a bracket or a list."""
        token = self.token
        match token.kind:
            case Kind.NUMBER:
                self.take()
                return Number(Fraction(token.text), token.text, place=token.place)
            case Kind.NAME:
                self.take()
                return Name(token.text, place=token.place)
            case Kind.OPEN if token.text == "(":
                self.enter()
                inner = self.no_span(self.condition())
                if self.token.kind is Kind.COMMA:
                    raise ProblemError("round brackets group; a list is written [a, b]", self.token.place)
                self.leave()
                return inner
            case Kind.OPEN if token.text == "[":
                self.enter()
                items = [self.no_span(self.condition())]
                while self.take_if(","):
                    items.append(self.no_span(self.condition()))
                self.leave()
                return ListTree(tuple(items), place=self.since(token))
            case _:
                self.unexpected()

    def subscripts(self) -> tuple[Tree, ...]:
        """`[i, 1..3, :]` behind what it picks from."""
        self.enter()
        items = [self.span()]
        while self.take_if(","):
            items.append(self.span())
        self.leave()
        return tuple(items)

    def call(self, func: Tree) -> Call:
        """`func(args, keywords)` with `|` and `~` among the arguments."""
        if not isinstance(func, Name):
            message = "only a name can have arguments; for a product write * or @"
            raise ProblemError(message, self.token.place)
        self.enter()
        args: list[Tree] = []
        keywords: list[Keyword] = []
        condition: tuple[list[Tree], Token] | None = None
        while not self.token.says(")"):
            item = self.argument()
            if isinstance(item, Keyword):
                keywords.append(item)
            else:
                args.append(item)
            if bar := self.take_if("|"):
                if condition is not None or not args:
                    self.fail("one bar stands between what is random and what is given", bar)
                condition, args = (args, bar), []
            elif not self.take_if(","):
                break
            if self.token.says(")"):
                self.fail("an argument is missing here", self.token)
        self.leave()
        if condition is not None:
            left, bar = condition
            if not args:
                self.fail("what is given is missing behind the bar", bar)
            both = left[0].place.to(args[-1].place)
            args = [Given(tuple(left), tuple(args), place=both)]
        return Call(func, tuple(args), tuple(keywords), place=func.place.to(self.tokens[self.at - 1].place))

    def argument(self) -> Tree:
        """An expression, a condition, `name=value` or `var ~ density`."""
        if self.token.kind is Kind.NAME and self.tokens[self.at + 1].says("="):
            return self.keyword()
        start = self.token
        tree = self.no_span(self.condition())
        if self.take_if("~"):
            density = self.expression()
            return Distributed(tree, density, place=self.since(start))
        return tree

    def keyword(self) -> Keyword:
        """`name=value` or `name=lo..hi`."""
        token = self.take()
        name = Name(token.text, place=token.place)
        self.take()
        value = self.span()
        return Keyword(name, value, place=self.since(token))

    # Brackets.

    def enter(self) -> None:
        """Read an opening bracket."""
        self._open.append(self.take())

    def leave(self) -> None:
        """Read the bracket that closes the last one opened."""
        opening = self._open[-1]
        if self.token.says(CLOSING[opening.text]):
            self._open.pop()
            self.take()
        else:
            self.unexpected()

    # What is wrong.

    def fail(self, message: str, token: Token) -> NoReturn:
        """Refuse the text at a token."""
        raise ProblemError(message, token.place)

    def unexpected(self) -> NoReturn:
        """Say what stands where something else is needed."""
        before = self.tokens[self.at - 1] if self.at else None
        opening = self._open[-1] if self._open else None
        diagnostic = complaint(before, self.token, opening, self.grammar.hints)
        raise ProblemError(diagnostic)
