"""The grammar of formulas in LaTeX, on the operators and levels of the one parser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Final, NoReturn, TypeVar

from symgrad.errors import ProblemError
from symgrad.syntax.latex_names import Found, Scanned, Spelling, Vocabulary, items, scan, script, text_of
from symgrad.syntax.latex_signs import ACCENTS, FUNCTIONS, PARTNERS
from symgrad.syntax.parser import Parser
from symgrad.syntax.tokens import DEEPEST_NESTING, Infix, Kind, Token
from symgrad.syntax.tree import (
    IMPLICIT,
    Binary,
    Call,
    Compare,
    Distributed,
    Given,
    Keyword,
    ListTree,
    Name,
    Number,
    Span,
    Subscript,
    Transpose,
    Tree,
    Unary,
)

T = TypeVar("T")

JUXTAPOSED: Final = Infix(24, 25)
PRODUCT: Final = 20
_MOST_INDEX_TOKENS: Final = 24
_SHORTEST_WORD: Final = 3
_RELATIONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "="})
_TRANSPOSES: Final = ("⊤", "†")
_BARS: Final = ("|", "‖")
_LABELS: Final = ("*", "+", "'")
_SETTING: Final = re.compile(r"([a-z]+) ?=? ?([0-9]+)")


@dataclass(slots=True)
class LatexParser(Parser):
    """A cursor over tokens of LaTeX; ``stop`` is the end of the group that is being read."""

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
        token = self.token
        if token.kind is Kind.OPERATOR:
            return None if token.text in self.bars else self.dialect.infix.get(token.text)
        if not self.starts_operand(token):
            return None
        before = self.tokens[self.at - 1]
        if _is_word(before) and _is_word(token) and not self.is_function(token.text):
            message = f"an operator is missing between {before.place.text!r} and {token.place.text!r}"
            raise ProblemError(message, token.place)
        return JUXTAPOSED

    def operator(self) -> str:
        if self.token.kind is not Kind.OPERATOR:
            return IMPLICIT
        return self.take().text

    def starts_operand(self, token: Token) -> bool:
        """Whether a factor may begin here without a sign before it."""
        if token.kind is Kind.COMMAND:
            return not token.text.startswith(r"\end")
        return token.kind in (Kind.NAME, Kind.OPEN)

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
        elif self.token.says(",") and (after := self.peek()) and after.says("…"):
            self.at += 2
            self.take_if(",")
        elif not self.take_if("…", ":"):
            return low
        return Span(low, self.expression(), place=self.since(start))

    # Factors

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
            elif self.token.says("|") and "|" not in self.bars and (after := self.peek()) and after.says("_"):
                tree = self.holding(tree, start)
            elif self.token.says("'", "!"):
                self.unexpected()
            else:
                return tree

    def primary(self) -> Tree:
        token = self.token
        match token.kind:
            case Kind.NUMBER:
                self.take()
                if token.text == "1" and self.token.says("[") and self.compares(self.at):
                    return self.indicator(token)
                if self.token.kind is Kind.NUMBER:
                    message = f"an operator is missing between {token.text!r} and {self.token.text!r}"
                    raise ProblemError(message, self.token.place)
                return Number(Fraction(token.text), token.text, place=token.place)
            case Kind.NAME:
                return self.name()
            case Kind.COMMAND if token.text in ACCENTS:
                return self.name()
            case Kind.COMMAND:
                return RULES[token.text.partition("{")[0]](self)
            case Kind.OPEN:
                return self.bracket()
            case Kind.OPERATOR if token.text in _BARS:
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
            return self.called("dot", opening, self.group(inside, self.listed), closing)
        parts = self.group(inside, self.listed)
        self.at = closing + 1
        joined = self.separated(";", inside)
        if len(parts) == 1 and isinstance(parts[0], Span):
            return _members(parts[0])
        if len(parts) == 1:
            return parts[0]
        if joined:
            return Call(Name("concat", place=opening.place), tuple(parts), (), place=self.since(opening))
        return ListTree(tuple(parts), place=self.since(opening))

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
        if len(parts) > 1:
            parts = [self.no_span(part) for part in parts]
        return parts

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
        inside = (at + 1, self.partner.get(at, at))
        return any(self.separated(sign, inside) for sign in _RELATIONS)

    def indicator(self, start: Token) -> Tree:
        """1[condition]."""
        closing = self.closing()
        found = self.group((self.at + 1, closing), self.conditions)
        self.at = closing + 1
        tree: Tree = Call(Name("indicator", place=start.place), (found[0],), (), place=self.since(start))
        for other in found[1:]:
            call = Call(Name("indicator", place=start.place), (other,), (), place=self.since(start))
            tree = Binary("*", tree, call, place=self.since(start))
        return tree

    def holding(self, tree: Tree, start: Token) -> Tree:
        """A derivative with what is held below a bar behind it."""
        inside, self.at = script(self.tokens, self.at + 2, self.stop, self.partner)
        if not isinstance(tree, Call) or tree.func.id != "jacobian" or self.separated("=", inside):
            raise ProblemError("an evaluation at a point is not read", self.since(start))
        held = ListTree(self.indices(items(self.tokens, inside)), place=self.begins(inside[0]).place)
        keyword = Keyword(Name("held", place=held.place), held, place=held.place)
        return Call(tree.func, tree.args, (*tree.keywords, keyword), place=self.since(start))

    # |x| and ‖x‖

    def between_bars(self) -> Tree:
        opening = self.take()
        self.bars.append(opening.text)
        inner = self.expression()
        self.bars.pop()
        if not self.token.says(opening.text):
            self.unexpected()
        self.take()
        return self.measured(opening.text, inner, opening)

    def fenced(self, opening: Token, inside: tuple[int, int]) -> Tree:
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

    # Names

    def name(self) -> Tree:
        """A declared name with its steps and entries, a function with its arguments, or a new name."""
        start = self.token
        found = scan(self.tokens, self.at, self.stop, self.partner)
        if found is None:
            raise ProblemError("an accent stands over a name", start.place)
        found = self.prefixed(found) or found
        below = items(self.tokens, found.below)
        parts = [text_of(self.tokens, part) for part in below]
        above = "'" * found.primes or text_of(self.tokens, found.above)
        known = self.vocabulary.find(found.base, parts, above)
        if known is not None and known.name in self.vocabulary.integers and known.below < len(parts):
            known = None
        if known is not None and known.name in self.vocabulary.functions and known.below < len(parts):
            known = None
        if known is not None and known.name in self.vocabulary.functions:
            return self.own_function(found, known, start)
        if known is not None and not known.above and above in _LABELS:
            known = None
        special = None if known is not None else self.special(found, parts, above, start)
        if special is not None:
            return special
        declared = known is not None
        known = known or self.unknown(found, parts, above)
        self.at = found.end
        if not declared and self.token.says("(") and not found.above and self.names_only():
            return self.call_of(known.name, start)
        tree: Tree = Name(known.name, place=start.place)
        rest = below[known.below :]
        if rest:
            tree = Subscript(tree, self.indices(rest), place=self.since(start))
        if found.primes and not known.above:
            raise ProblemError(f"a prime stands behind {known.name!r}, which is no function", self.since(start))
        if found.above and not known.above:
            tree = self.stepped(tree, known.name, found.above, start) or self.raised(tree, found.above, start)
        return self.picked(tree, known.name, len(rest), start)

    def prefixed(self, found: Scanned) -> Scanned | None:
        """`\\delta h_t`, a name of its own where δ has no value."""
        plain = found.below is None and found.above is None and not found.primes
        value = self.vocabulary.find(found.base, (), "")
        is_factor = value is not None and self.vocabulary.arities.get(value.name, 0) == 0
        if not plain or found.base not in ("delta", "Delta") or is_factor:
            return None
        inner = scan(self.tokens, found.end, self.stop, self.partner)
        if inner is None or inner.base in FUNCTIONS or inner.base in ("delta", "Delta"):
            return None
        return Scanned(f"{found.base} {inner.base}", inner.below, inner.above, inner.primes, inner.end)

    def unknown(self, found: Scanned, parts: list[str], above: str) -> Found:
        """A name that is not declared: subscripts without a step or an index belong to it."""
        count = len(parts)
        below = items(self.tokens, found.below)
        if any(self.moves(part) for part in below):
            count = next(k for k, part in enumerate(below) if self.moves(part))
        label = above if above in _LABELS or (len(above) > 1 and above.isalpha()) else ""
        label = above if above.startswith(("(", "<")) else label
        if text_of(self.tokens, found.above) in ("⊤", "T"):
            label = ""
        name = Spelling(found.base, tuple(parts[:count]), label).identifier
        return Found(name, count, label != "" or bool(found.primes))

    def names_only(self) -> bool:
        """Whether the bracket here holds arguments, `(z | x)`, rather than a sum that is a factor."""
        inside = self.tokens[self.at + 1 : self.partner.get(self.at, self.at)]
        kinds = (Kind.NAME, Kind.NUMBER, Kind.COMMA, Kind.COMMAND)
        names = any(t.kind is Kind.NAME for t in inside)
        return names and all(t.kind in kinds or t.says("|", ";", "_", "^", "{", "}") for t in inside)

    def moves(self, part: tuple[int, int]) -> bool:
        """Whether a subscript speaks of a step, a size or an index of the problem; a word is a label."""
        inside = self.tokens[slice(*part)]
        names = [t for t in inside if t.kind is Kind.NAME]
        if any(x.kind is y.kind is Kind.NAME for x, y in pairwise(inside)):
            return False
        return any(t.text in self.vocabulary.integers for t in names) and all(len(t.text) == 1 for t in names)

    def indices(self, parts: list[tuple[int, int]]) -> tuple[Tree, ...]:
        """The subscripts between commas; letters side by side are subscripts each."""
        found: list[Tree] = []
        for part in parts:
            if part[0] >= part[1]:
                raise ProblemError("a subscript is missing", self.begins(part[0] - 1).place)
            tree = self.group(part, self.span)
            found += _letters(tree)
        return tuple(found)

    def stepped(self, tree: Tree, name: str, inside: tuple[int, int], start: Token) -> Tree | None:
        """`h^{(t)}` and `h^{<t>}`: a step above instead of below."""
        missing = self.vocabulary.arities.get(name, 0) > (len(tree.items) if isinstance(tree, Subscript) else 0)
        first = self.begins(inside[0])
        if not missing or not first.says("(", "<"):
            return None
        steps = self.indices([(inside[0] + 1, inside[1] - 1)])
        base, rest = (tree.base, tree.items) if isinstance(tree, Subscript) else (tree, ())
        return Subscript(base, (*steps, *rest), place=self.since(start))

    def picked(self, tree: Tree, name: str, given: int, start: Token) -> Tree:
        """Entries in brackets behind a name, `f_t[d]`, `W(i, j)`; a bracket with values in it is a factor."""
        while self.token.says("[", "(") and self.indexes(name, given):
            closing = self.closing()
            parts = items(self.tokens, (self.at + 1, closing))
            chosen = tuple(self.group(part, self.span) for part in parts)
            self.at = closing + 1
            given += len(chosen)
            tree = Subscript(tree, chosen, place=self.since(start))
        if self.token.says("^"):
            inside, self.at = script(self.tokens, self.at + 1, self.stop, self.partner)
            return self.raised(tree, inside, start)
        return tree

    def indexes(self, name: str, given: int) -> bool:
        """Whether the bracket here holds subscripts of a name."""
        arity, order = self.vocabulary.arities.get(name), self.vocabulary.orders.get(name)
        if arity is None or (order is not None and given >= arity + order):
            return False
        inside = (self.at + 1, self.partner.get(self.at, self.at))
        if not 0 < inside[1] - inside[0] <= _MOST_INDEX_TOKENS:
            return False
        parts = items(self.tokens, inside)
        if len(parts) == 1 and self.tokens[inside[0]].kind is Kind.NUMBER and self.token.says("(") and given >= arity:
            return False
        return all(self.is_index(*part) for part in parts)

    def is_index(self, first: int, last: int) -> bool:
        """Whether tokens look like an index: a letter that is no value, a number, with + and - between them."""
        if first >= last or (self.tokens[first].kind is Kind.NUMBER and last - first > 1):
            return False
        for at in range(first, last):
            token = self.tokens[at]
            if token.kind is Kind.NAME and not self.tokens[at - 1].says("_"):
                if self.vocabulary.knows(token.text) and token.text not in self.vocabulary.integers:
                    return False
            elif not (token.kind is Kind.NUMBER or token.says("+", "-", ":", "_", "{", "}") or token.kind is Kind.NAME):
                return False
        return True

    # What stands above

    def raised(self, tree: Tree, inside: tuple[int, int], start: Token) -> Tree:
        """A power, a transpose, an inverse; `^{\\odot 2}` is entry by entry."""
        place = start.place.to(self.begins(max(inside[1] - 1, inside[0])).place)
        text = text_of(self.tokens, inside)
        if text in _TRANSPOSES or (text == "T" and "T" not in self.vocabulary.integers):
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
        if isinstance(tree, Name) and tree.id == "e" and not self.vocabulary.knows("e"):
            return Call(Name("exp", place=tree.place), (exponent,), (), place=place)
        return Binary("^", tree, exponent, place=place)

    # Names with a meaning of their own

    def special(self, found: Scanned, parts: list[str], above: str, start: Token) -> Tree | None:
        """Functions, ones, unit vectors, the identity, Kronecker's δ; None for any other name."""
        base = found.base
        if base == "D" and parts == ["KL"]:
            self.at = found.end
            return self.call_of("KL", start)
        if base in FUNCTIONS:
            return self.function(found, start)
        if base == "𝟏":
            self.at += 1
            if self.token.says("[", "(", r"\{") and self.compares(self.at):
                return self.indicator(start)
            return Call(Name("ones", place=start.place), (), (), place=start.place)
        if base in ("𝐞", "𝐈", "I"):
            return self.unit(found, start)
        if base == "delta" and found.below is not None and not above:
            sides = self.indices(items(self.tokens, found.below))
            if len(sides) == 2:
                self.at = found.end
                equal = Compare(("==",), sides, place=self.since(start))
                return Call(Name("indicator", place=start.place), (equal,), (), place=self.since(start))
        return None

    def unit(self, found: Scanned, start: Token) -> Tree | None:
        """I, I_n and the unit vector e_i."""
        if found.base == "𝐞" and found.below is None:
            return None
        below = self.indices(items(self.tokens, found.below)) if found.below else ()
        name = "one_hot" if found.base == "𝐞" else "identity"
        self.at = found.end
        tree: Tree = Call(Name(name, place=start.place), below, (), place=self.since(start))
        return self.raised(tree, found.above, start) if found.above else tree

    def function(self, found: Scanned, start: Token) -> Tree:
        """`\\tanh^2(x)`, `\\sigma'(z)`, `\\log p`; by itself the function's name alone."""
        name = FUNCTIONS[found.base]
        self.at = found.end
        if self.token.kind is not Kind.NUMBER and not self.starts_operand(self.token):
            return Name(found.base + "'" * found.primes, place=self.since(start))
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

    def is_function(self, text: str) -> bool:
        """Whether a name is a function and nothing else."""
        known = self.vocabulary.knows(text) and text not in self.vocabulary.functions
        return not known and (text in FUNCTIONS or text in self.vocabulary.functions)

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
        after = self.peek()
        if self.token.kind is Kind.NAME and after is not None and after.says("=") and self.begins(self.at + 2).text:
            return self.keyword()
        start = self.token
        tree = self.no_span(self.condition())
        if self.take_if("~"):
            return Distributed(tree, self.expression(), place=self.since(start))
        return tree

    # What is wrong

    def unexpected(self) -> NoReturn:
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
        if token.text in self.dialect.hints:
            raise ProblemError(f"'{shown}' cannot be read: {self.dialect.hints[token.text]}", token.place)
        operators = (Kind.OPERATOR, Kind.COMMA)
        if token.kind in operators and (before is None or before.kind in (*operators, Kind.OPEN)):
            raise ProblemError(f"something is missing before '{shown}'", token.place)
        raise ProblemError(f"'{shown}' does not belong here", token.place)


RULES: Final[dict[str, Callable[[LatexParser], Tree]]] = {}
"""The rules for commands with a grammar of their own, by command."""


def rule(*commands: str) -> Callable[[Callable[[LatexParser], Tree]], Callable[[LatexParser], Tree]]:
    """Enter a rule in the table."""

    def enter(reader: Callable[[LatexParser], Tree]) -> Callable[[LatexParser], Tree]:
        RULES.update(dict.fromkeys(commands, reader))
        return reader

    return enter


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


def _members(span: Span) -> Tree:
    """`w_{0,t}, …, w_{k,t}` as a stack over a range: the two ends differ in one subscript."""
    low, high = span.lo, span.hi
    if isinstance(low, Subscript) and isinstance(high, Subscript) and low.base == high.base:
        places = [k for k, (x, y) in enumerate(zip(low.items, high.items, strict=False)) if x != y]
        if len(places) == 1 and len(low.items) == len(high.items):
            at = places[0]
            index = Name("j", place=low.place)
            member = Subscript(low.base, (*low.items[:at], index, *low.items[at + 1 :]), place=low.place)
            ends = Keyword(index, Span(low.items[at], high.items[at], place=span.place), place=span.place)
            return Call(Name("stack", place=span.place), (member,), (ends,), place=span.place)
    raise ProblemError("it is not clear what the dots stand for", span.place)


def _letters(tree: Tree) -> list[Tree]:
    """i and j from ij; a number and a letter stay a product."""
    parts: list[Tree] = []
    while isinstance(tree, Binary) and tree.op == IMPLICIT:
        parts.insert(0, tree.right)
        tree = tree.left
    parts.insert(0, tree)
    return parts if all(isinstance(p, Name) for p in parts) else [_joined(parts)]


def _joined(parts: list[Tree]) -> Tree:
    tree = parts[0]
    for part in parts[1:]:
        tree = Binary(IMPLICIT, tree, part, place=tree.place.to(part.place))
    return tree
