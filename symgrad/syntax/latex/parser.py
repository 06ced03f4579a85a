"""The grammar of formulas in LaTeX, on the operators and levels of the one parser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

from symgrad.errors import ProblemError
from symgrad.syntax.latex.cursor import BARS
from symgrad.syntax.latex.names import items, scan, script, text_of
from symgrad.syntax.latex.naming import NameReader
from symgrad.syntax.latex.signs import ACCENTS
from symgrad.syntax.tokens import DEEPEST_NESTING, Kind, Token
from symgrad.syntax.tree import (
    Call,
    Keyword,
    ListTree,
    Name,
    Number,
    Span,
    Subscript,
    Transpose,
    Tree,
)


class LatexParser(NameReader):
    """Reads formulas."""

    def postfix(self) -> Tree:
        """A primary with its scripts."""
        start = self.token
        self.applied += 1
        if self.applied > DEEPEST_NESTING:
            raise ProblemError(f"nested more than {DEEPEST_NESTING} deep", start.place)
        tree = self.primary()
        self.applied -= 1
        while True:
            if self.token.says("^"):
                inside, self.at = script(self.tokens, self.at + 1, self.stop, self.partner)
                tree = self.raised(tree, inside, start)
            elif self.token.says("_"):
                inside, self.at = script(self.tokens, self.at + 1, self.stop, self.partner)
                tree = Subscript(tree, self.indices(items(self.tokens, inside)), place=self.since(start))
            elif self.token.says("[") and self.picks(tree, start):
                parts = items(self.tokens, (self.at + 1, self.closing()))
                chosen = tuple(self.group(part, self.span) for part in parts)
                self.at = self.closing() + 1
                tree = Subscript(tree, chosen, place=self.since(start))
            elif self.token.says("|") and "|" not in self.bars and (after := self.peek()) and after.says("_"):
                tree = self.holding(tree, start)
            elif self.transposes_behind_dot():
                self.at += 2
                tree = Transpose(tree, place=self.since(start))
            elif self.token.says("'", "!"):
                self.unexpected()
            else:
                return tree

    def picks(self, tree: Tree, start: Token) -> bool:
        """Whether the bracket here holds entries of a derivative or of what stands in brackets, `(A B)[i, j]`."""
        base = tree.base if isinstance(tree, Subscript) else tree
        derivative = isinstance(base, Call) and base.func.id == "jacobian"
        inside = (self.at + 1, self.partner.get(self.at, self.at))
        if not (derivative or start.says("(")) or inside[0] == inside[1]:
            return False
        return all(self.is_index(*part, square=True) for part in items(self.tokens, inside))

    def transposes_behind_dot(self) -> bool:
        """Whether `.T` stands here, as in NumPy."""
        after = self.peek()
        if self.token.kind is not Kind.DOT or after is None or after.kind is not Kind.NAME or after.text != "T":
            return False
        return (
            self.tokens[self.at - 1].place.end == self.token.place.start and self.token.place.end == after.place.start
        )

    def slash_of_derivative(self) -> int | None:
        """The place of the slash in `dE_t/dh_t`, where that begins here; a size d has a space behind it."""
        if self.token.text != "d" or not self.differential(self.at):
            return None
        above = self.begins(self.at + 1).says("^")
        first = script(self.tokens, self.at + 2, self.stop, self.partner)[1] if above else self.at + 1
        inner = scan(self.tokens, first, self.stop, self.partner)
        slash = self.behind_entries(inner.end) if inner is not None else first
        if not (self.begins(slash).says("/") and slash < self.stop and self.begins(slash + 1).text == "d"):
            return None
        return slash if self.differential(slash + 1) else None

    def behind_entries(self, at: int) -> int:
        """The place behind subscripts in brackets."""
        while at < self.stop and self.tokens[at].says("["):
            at = self.partner.get(at, at) + 1
        return at

    def differential(self, at: int) -> bool:
        """Whether a d stands right before a name, or before its power."""
        before, after = self.begins(at), self.begins(at + 1)
        follows = after.kind is Kind.NAME or after.text in ACCENTS or after.says("^", "/")
        return follows and (before.place.end == after.place.start or not self.vocabulary.knows("d"))

    def primary(self) -> Tree:
        """What can stand between two operators: a number, a name, brackets, bars, a command with its arguments."""
        token = self.token
        match token.kind:
            case Kind.NUMBER:
                self.take()
                if token.text == "1" and self.token.says("[") and self.compares(self.at):
                    return self.indicator(token)
                if token.text == "0" and self.token.says("_"):
                    inside, self.at = script(self.tokens, self.at + 1, self.stop, self.partner)
                    return Call(Name("zeros", place=token.place), self.sizes(inside), (), place=self.since(token))
                if self.token.kind is Kind.NUMBER:
                    message = f"an operator is missing between {token.text!r} and {self.token.text!r}"
                    raise ProblemError(message, self.token.place)
                return Number(Fraction(token.text), token.text, place=token.place)
            case Kind.NAME if self.slash_of_derivative() is not None:
                return RULES["d"](self)
            case Kind.NAME:
                return self.name()
            case Kind.COMMAND if token.text in ACCENTS:
                return self.name()
            case Kind.COMMAND:
                return RULES[token.text.partition("{")[0]](self)
            case Kind.OPEN:
                return self.bracket()
            case Kind.OPERATOR if token.text in BARS:
                return self.between_bars()
            case _:
                self.unexpected()

    def bracket(self) -> Tree:
        """A group; a list with commas, or two parts over one another with a semicolon."""
        opening = self.token
        closing, inside = self.closing(), (self.at + 1, self.partner.get(self.at, -1))
        if opening.text in ("|(", "‖("):
            return self.fenced(opening, inside)
        if opening.text in "⌊⌈":
            name = "floor" if opening.text == "⌊" else "ceil"
            return self.called(name, opening, [self.group(inside, self.condition)], closing)
        if opening.text == "⟨":
            factors = [self.no_span(part) for part in self.group(inside, self.listed)]
            return self.called("dot", opening, factors, closing)
        parts = self.group(inside, self.listed)
        self.at = closing + 1
        joined = self.separated(";", inside)
        if isinstance(parts[-1], Span):
            return _members(parts[:-1], parts[-1])
        if len(parts) == 1:
            return parts[0]
        if joined:
            return Call(Name("concat", place=opening.place), tuple(parts), (), place=self.since(opening))
        return ListTree(tuple(parts), place=self.since(opening))

    # |x|, ‖x‖, and what is held

    def holding(self, tree: Tree, start: Token) -> Tree:
        """A derivative with what is held below a bar behind it."""
        inside, self.at = script(self.tokens, self.at + 2, self.stop, self.partner)
        if not isinstance(tree, Call) or tree.func.id != "jacobian" or self.separated("=", inside):
            raise ProblemError("an evaluation at a point is not read", self.since(start))
        held = ListTree(self.indices(items(self.tokens, inside)), place=self.begins(inside[0]).place)
        keyword = Keyword(Name("held", place=held.place), held, place=held.place)
        return Call(tree.func, tree.args, (*tree.keywords, keyword), place=self.since(start))

    def between_bars(self) -> Tree:
        """|x| and ‖x‖."""
        opening = self.take()
        self.bars.append(opening.text)
        inner = self.expression()
        self.bars.pop()
        if not self.token.says(opening.text):
            self.unexpected()
        self.take()
        return self.measured(opening.text, inner, opening)

    def fenced(self, opening: Token, inside: tuple[int, int]) -> Tree:
        """|x| and ‖x‖ between bars that are known to be a pair."""
        inner = self.group(inside, self.expression)
        self.at = inside[1] + 1
        return self.measured(opening.text[0], inner, opening)

    def measured(self, bar: str, inner: Tree, start: Token) -> Tree:
        """An absolute value, or a norm with its order below."""
        if bar == "|":
            return Call(Name("abs", place=start.place), (inner,), (), place=self.since(start))
        args: list[Tree] = [inner]
        if self.token.says("_"):
            inside, self.at = script(self.tokens, self.at + 1, self.stop, self.partner)
            order = text_of(self.tokens, inside)
            if order in ("F", "Fro", "fro"):
                args.append(Name("fro", place=self.begins(inside[0]).place))
            else:
                args.append(self.group(inside, self.expression))
        return Call(Name("norm", place=start.place), tuple(args), (), place=self.since(start))


RULES: Final[dict[str, Callable[[LatexParser], Tree]]] = {}
"""The rules for commands with a grammar of their own, by command."""


def rule(*commands: str) -> Callable[[Callable[[LatexParser], Tree]], Callable[[LatexParser], Tree]]:
    """Enter a rule in the table."""

    def enter(reader: Callable[[LatexParser], Tree]) -> Callable[[LatexParser], Tree]:
        """The reader, which is in the table now."""
        RULES.update(dict.fromkeys(commands, reader))
        return reader

    return enter


def _members(before: Sequence[Tree], span: Span) -> Tree:
    """`w_{0,t}, w_{1,t}, …, w_{k,t}` as a stack over a range: the members differ in one subscript."""
    row = [_flat(tree) for tree in (*before, span.lo, span.hi) if tree is not None]
    unclear = ProblemError("it is not clear what the dots stand for", span.place)
    if not row:
        raise unclear
    (base, first), (_, last) = row[0], row[-1]
    places = [k for k, (x, y) in enumerate(zip(first, last, strict=False)) if x != y]
    alike = all(b == base and len(items) == len(last) for b, items in row)
    if not alike or len(places) != 1 or not _one_by_one([items[places[0]] for _, items in row[:-1]]):
        raise unclear
    at, index = places[0], Name("j", place=base.place)
    member = Subscript(base, (*first[:at], index, *first[at + 1 :]), place=base.place)
    ends = Keyword(index, Span(first[at], last[at], place=span.place), place=span.place)
    return Call(Name("stack", place=span.place), (member,), (ends,), place=span.place)


def _flat(tree: Tree) -> tuple[Tree, tuple[Tree, ...]]:
    """A name with all of its subscripts in a row."""
    base = tree
    items: tuple[Tree, ...] = ()
    while isinstance(base, Subscript):
        items = (*base.items, *items)
        base = base.base
    return base, items


def _one_by_one(subscripts: Sequence[Tree]) -> bool:
    """Whether there is one subscript before the dots, or there are numbers that follow one another."""
    numbers = [x.value for x in subscripts if isinstance(x, Number)]
    follow = len(numbers) == len(subscripts) and all(y - x == 1 for x, y in pairwise(numbers))
    return len(subscripts) == 1 or follow
