"""A cursor over the tokens of LaTeX: groups, operators and ranges; what stands in them others read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NoReturn, TypeVar

from msgspec import field

from symgrad.errors import ProblemError
from symgrad.syntax.grammar import Infix
from symgrad.syntax.latex.names import Vocabulary
from symgrad.syntax.latex.signs import FUNCTIONS, PARTNERS
from symgrad.syntax.parser import Parser
from symgrad.syntax.tokens import Kind, Token
from symgrad.syntax.tree import (
    IMPLICIT,
    Binary,
    Call,
    Compare,
    Name,
    Span,
    Tree,
)

T = TypeVar("T")

JUXTAPOSED: Final = Infix(24, 25)
PRODUCT: Final = 20
BARS: Final = ("|", "‖")
_SHORTEST_WORD: Final = 3
_RELATIONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "="})


class Cursor(Parser):
    """A place in tokens of LaTeX; ``stop`` is the end of the group that is being read."""

    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    stop: int = 0
    partner: dict[int, int] = field(default_factory=dict)
    bars: list[str] = field(default_factory=list)
    applied: int = 0
    ending: tuple[int, Token] | None = None

    def __post_init__(self) -> None:
        self.stop = len(self.tokens) - 1
        self.partner = partners(self.tokens)

    @property
    def token(self) -> Token:
        """The token here, or the end of the group."""
        if self.at < self.stop:
            return self.tokens[self.at]
        if self.ending is None or self.ending[0] != self.stop:
            place = self.tokens[self.stop].place
            self.ending = (self.stop, Token(Kind.END, "", place.source.place(place.start, place.start)))
        return self.ending[1]

    def peek(self, ahead: int = 1) -> Token | None:
        """A later token, if there is one in this group."""
        return self.tokens[self.at + ahead] if self.at + ahead < self.stop else None

    def begins(self, at: int) -> Token:
        """The token at a place, or the end."""
        return self.tokens[at] if at < len(self.tokens) else self.tokens[-1]

    @contextmanager
    def within(self, inside: tuple[int, int]) -> Iterator[None]:
        """Read the tokens of a group, all of them, and come back."""
        kept, bars = (self.at, self.stop), self.bars
        self.at, self.stop, self.bars = *inside, []
        yield
        self.finish()
        (self.at, self.stop), self.bars = kept, bars

    def group(self, inside: tuple[int, int], read: Callable[[], T]) -> T:
        """What a reader makes of a whole group."""
        with self.within(inside):
            if inside[0] >= inside[1]:
                raise ProblemError("something is missing in this group", self.begins(inside[0] - 1).place)
            return read()

    # Operators

    def infix(self) -> Infix | None:
        """The operator that stands here, a product where none is written; None where the expression ends."""
        token = self.token
        if self.opens_bars():
            return JUXTAPOSED
        if token.kind is Kind.OPERATOR:
            return None if token.text in self.bars else self.grammar.infix.get(token.text)
        if not self.starts_operand(token):
            return None
        before = self.tokens[self.at - 1]
        if _is_word(before) and _is_word(token) and not self.is_function(token.text):
            message = f"an operator is missing between {before.place.text!r} and {token.place.text!r}"
            raise ProblemError(message, token.place)
        return JUXTAPOSED

    def opens_bars(self) -> bool:
        """Whether |x| or ‖x‖ begins here: the same bar stands once more behind it."""
        bar = self.token.text
        if self.token.kind is not Kind.OPERATOR or bar not in BARS or bar in self.bars:
            return False
        return self.separated(bar, (self.at + 1, self.stop))

    def operator(self) -> str:
        """The sign of the operator here, which is taken; nothing is written for a product."""
        if self.token.kind is not Kind.OPERATOR or self.token.text in BARS:
            return IMPLICIT
        return self.take().text

    def starts_operand(self, token: Token) -> bool:
        """Whether a factor may begin here without a sign before it."""
        if token.kind is Kind.COMMAND:
            return not token.text.startswith(r"\end")
        return token.kind in (Kind.NAME, Kind.OPEN)

    def is_function(self, text: str) -> bool:
        """Whether a name is a function and nothing else."""
        known = self.vocabulary.knows(text) and text not in self.vocabulary.functions
        return not known and (text in FUNCTIONS or text in self.vocabulary.functions)

    def condition(self) -> Tree:
        """An expression or a chain of comparisons, in which = is an equality."""
        start = self.token
        operands, ops = [self.span()], []
        while self.token.kind is Kind.OPERATOR and self.token.text in _RELATIONS:
            ops.append({"=": "=="}.get(op := self.take().text, op))
            operands.append(self.span())
        if not ops:
            return operands[0]
        return Compare(tuple(ops), tuple(self.no_span(x) for x in operands), place=self.since(start))

    def conditions(self) -> list[Tree]:
        """Conditions that must all hold, with commas or words between them."""
        found = [self.condition()]
        while self.take_if(",", "and") or (self.token.kind is Kind.WORDS and self.token.text == "and" and self.take()):
            found.append(self.condition())
        return found

    def span(self) -> Tree:
        """`lo..hi`, `1, …, k`, `:`, `lo:hi` or an expression."""
        if everything := self.take_if(":"):
            return Span(None, None, place=everything.place)
        start = self.token
        low = self.expression()
        if self.token.says(".") and (after := self.peek()) and after.says("."):
            self.at += 2
        elif self.token.says(",") and (dots := self.dots()):
            self.at = dots + 1
            self.take_if(",")
        elif not self.take_if("…", ":"):
            return low
        return Span(low, self.expression(), place=self.since(start))

    def dots(self) -> int | None:
        """The place of the dots behind the numbers `, 2, …` that begin here; None where there are none."""
        at = self.at + 1
        while at + 1 < self.stop and self.tokens[at].kind is Kind.NUMBER and self.tokens[at + 1].says(","):
            at += 2
        return at if at < self.stop and self.tokens[at].says("…") else None

    # Brackets

    def closing(self) -> int:
        """The place of the bracket that closes this one."""
        at = self.partner.get(self.at, self.stop)
        if at >= self.stop:
            raise ProblemError(f"this {self.token.text[:1]!r} is never closed", self.token.place)
        return at

    def called(self, name: str, start: Token, args: list[Tree], closing: int) -> Call:
        """A call whose arguments stand in the brackets that end at ``closing``."""
        self.at = closing + 1
        return Call(Name(name, place=start.place), tuple(args), (), place=self.since(start))

    def listed(self) -> list[Tree]:
        """Parts between commas or semicolons."""
        parts = [self.condition()]
        while self.take_if(",", ";"):
            parts.append(self.condition())
        return parts if len(parts) == 1 else [*(self.no_span(part) for part in parts[:-1]), parts[-1]]

    def separated(self, sign: str, inside: tuple[int, int]) -> bool:
        """Whether a sign stands in a group, outside the brackets in it."""
        at = inside[0]
        while at < inside[1]:
            if self.tokens[at].says(sign):
                return True
            at = self.partner.get(at, at) + 1 if self.tokens[at].kind is Kind.OPEN else at + 1
        return False

    def compares(self, at: int) -> bool:
        """Whether the bracket at a place holds a comparison."""
        return self.relates((at + 1, self.partner.get(at, at)))

    def relates(self, inside: tuple[int, int]) -> bool:
        """Whether a group is a comparison, in curly brackets of its own or not."""
        if self.begins(inside[0]).says(r"\{") and self.partner.get(inside[0]) == inside[1] - 1:
            inside = (inside[0] + 1, inside[1] - 1)
        return any(self.separated(sign, inside) for sign in _RELATIONS)

    def indicator(self, start: Token) -> Tree:
        """1[condition]."""
        closing = self.closing()
        inside, self.at = (self.at + 1, closing), closing + 1
        return self.indicated(inside, start)

    def indicated(self, inside: tuple[int, int], start: Token) -> Tree:
        """1 where all the conditions of a group hold, 0 elsewhere; the group is read already."""
        found = self.group(inside, self.conditions)
        tree: Tree = Call(Name("indicator", place=start.place), (found[0],), (), place=self.since(start))
        for other in found[1:]:
            call = Call(Name("indicator", place=start.place), (other,), (), place=self.since(start))
            tree = Binary("*", tree, call, place=self.since(start))
        return tree

    # What is wrong

    def unexpected(self) -> NoReturn:
        """Refuse the token here, with what is missing before or behind it."""
        before = self.tokens[self.at - 1] if self.at else None
        token = self.token
        shown = token.place.text or token.text
        if token.kind is Kind.END:
            closing = self.tokens[self.stop] if self.stop < len(self.tokens) else token
            if closing.kind is Kind.CLOSE:
                raise ProblemError(f"something is missing before {closing.place.text!r}", closing.place)
            what = f"something is missing behind {before.place.text!r}" if before else "an expression is missing"
            raise ProblemError(what, token.place)
        if token.kind is Kind.CLOSE:
            raise ProblemError(f"this {shown!r} was never opened", token.place)
        if token.kind is Kind.WORDS:
            raise ProblemError(f"the words {token.text!r} stand inside the formula", token.place)
        if token.kind is Kind.NUMBER and before is not None:
            message = f"an operator is missing between {before.place.text!r} and {shown!r}"
            raise ProblemError(message, token.place)
        if token.text in self.grammar.hints:
            raise ProblemError(f"'{shown}' cannot be read: {self.grammar.hints[token.text]}", token.place)
        operators = (Kind.OPERATOR, Kind.COMMA)
        if token.kind in operators and (before is None or before.kind in (*operators, Kind.OPEN)):
            raise ProblemError(f"something is missing before '{shown}'", token.place)
        raise ProblemError(f"'{shown}' does not belong here", token.place)


def partners(tokens: Sequence[Token]) -> dict[int, int]:
    """The closing bracket of every opening one, by place; braces hold even where brackets in them do not match."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind is Kind.OPEN:
            waiting.append(at)
        elif token.kind is Kind.CLOSE:
            if token.text == "}":
                while waiting and tokens[waiting[-1]].text != "{":
                    waiting.pop()
                if waiting:
                    found[waiting.pop()] = at
            elif waiting and _fits(tokens[waiting[-1]].text, token.text):
                found[waiting.pop()] = at
    return found


def _fits(opening: str, closing: str) -> bool:
    """Whether a bracket closes another; `\\right.` closes any, and `\\left.` is closed by any."""
    return PARTNERS.get(opening) == closing or ("." in (opening[:1], closing) and opening != "{")


def _is_word(token: Token) -> bool:
    """Whether a token is several letters, which is rarely a factor beside another word."""
    written = token.place.text
    return token.kind is Kind.NAME and len(written) >= _SHORTEST_WORD and written[0].isalpha()
