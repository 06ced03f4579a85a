"""Names in LaTeX: declared ones with steps and entries, names with a meaning of their own, new ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final

from symgrad.errors import ProblemError
from symgrad.source import Place
from symgrad.syntax.latex.functions import FunctionReader, side_by_side
from symgrad.syntax.latex.names import PREFIXES, Found, Scanned, Spelling, items, scan, script, text_of
from symgrad.syntax.latex.signs import FUNCTIONS, GREEK
from symgrad.syntax.tokens import Kind, Token
from symgrad.syntax.tree import (
    Call,
    Compare,
    Name,
    Number,
    Subscript,
    Transpose,
    Tree,
)

_MOST_INDEX_TOKENS: Final = 24
_INDEX_SIGNS: Final = ("+", "-", ":", "_", "{", "}")
_IN_SQUARE: Final = ("(", ")", "·", "*")
_INDEX_LETTERS: Final = frozenset("abcijklmnpqrst")
_LABEL_WORDS: Final = frozenset({"in", "out", "pad", "min", "tr", "rms"})
_LABELS: Final = ("*", "+", "'")
_TRANSPOSED: Final = ("T", "⊤")


@dataclass(slots=True)
class NameReader(FunctionReader):
    """Reads names."""

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
        labelled = above[:-1] if above[-1:] in _TRANSPOSED and above[:-1] in (*_LABELS, "(*)") else ""
        if labelled and self.vocabulary.find(found.base, parts, labelled):
            return Transpose(self.labelled(found, labelled, start), place=self.since(start))
        if not above and self.starred(found, parts):
            found = replace(found, above=(found.end, found.end + 1), end=found.end + 1)
            above = "*"
        known = self.vocabulary.find(found.base, parts, above)
        if known is not None and any(self.is_label(part) for part in below[known.below :]):
            known = None
        if known is not None and known.name in self.vocabulary.integers and known.below < len(parts):
            known = None
        if known is not None and known.name in self.vocabulary.functions and known.below < len(parts):
            labels = all(self.is_value(part) for part in below[known.below :])
            known = known if labels and self.begins(found.end).says("(") else None
        if known is not None and known.name in self.vocabulary.functions:
            return self.own_function(found, known, start)
        turned = found.primes == 1 and known is not None and self.vocabulary.arities.get(known.name, 0) > 0
        if known is not None and not known.above and above in _LABELS and not turned:
            known = None
        special = None if known is not None else self.special(found, parts, above, start)
        if special is not None:
            return special
        declared = known is not None
        known = known or self.of_known(found, parts, above) or self.unknown(found, parts, above)
        self.at = found.end
        if not declared and self.token.says("(") and not found.above and self.names_only():
            return self.call_of(known.name, start)
        rest = below[known.below :]
        if known.name in self.vocabulary.made and self.depends():
            self.at = self.closing() + 1
            rest = [part for part in rest if not self.is_value(part)]
        tree: Tree = Name(known.name, place=self.name_place(found, known, bool(rest), start))
        if rest:
            assert found.below is not None
            end = max(found.stem, self.behind(found.below))
            place = start.place.to(self.tokens[end - 1].place)
            tree = Subscript(tree, self.entries(known.name, self.indices(rest)), place=place)
        if turned and not known.above:
            tree = Transpose(tree, place=self.since(start))
        elif found.primes and not known.above:
            raise ProblemError(f"a prime stands behind {known.name!r}, which is no function", self.since(start))
        if found.above and not known.above:
            tree = self.stepped(tree, known.name, found.above, start) or self.raised(tree, found.above, start)
        return self.picked(tree, known.name, len(rest), start)

    def name_place(self, found: Scanned, known: Found, stepped: bool, start: Token) -> Place:
        """The letter with its accents and the labels that belong to the name."""
        end = found.stem
        for inside, belongs in ((found.below, known.below > 0 and not stepped), (found.above, known.above)):
            if inside is not None and belongs:
                end = max(end, self.behind(inside))
        if found.primes and known.above:
            end = found.end
        return start.place.to(self.tokens[min(end, found.end) - 1].place)

    def behind(self, inside: tuple[int, int]) -> int:
        """The place behind a script and its braces."""
        return inside[1] + (self.begins(inside[1]).says("}") and self.begins(inside[0] - 1).says("{"))

    def labelled(self, found: Scanned, label: str, start: Token) -> Tree:
        """A declared name whose label stands before a T above it, `p^{*T}`; its subscripts are steps and entries."""
        below = items(self.tokens, found.below)
        known = self.vocabulary.find(found.base, [text_of(self.tokens, part) for part in below], label)
        assert known is not None
        self.at = found.end
        name = Name(known.name, place=self.since(start))
        rest = below[known.below :]
        return Subscript(name, self.indices(rest), place=name.place) if rest else name

    def prefixed(self, found: Scanned) -> Scanned | None:
        """`\\delta h_t`, a name of its own where δ has no value; `dh_t` beside a quantity h."""
        plain = found.below is None and found.above is None and not found.primes
        if not plain or found.base not in ("delta", "Delta", "d"):
            return None
        value = self.vocabulary.find(found.base, (), "")
        is_value = value is not None and value.name in self.vocabulary.arities
        if is_value and value is not None and self.vocabulary.arities[value.name] == 0:
            return None
        inner = scan(self.tokens, found.end, self.stop, self.partner)
        if inner is None or inner.base in FUNCTIONS or inner.base in ("delta", "Delta"):
            return None
        if found.base == "d":
            beside = self.token.place.end == self.tokens[found.end].place.start
            parts = [text_of(self.tokens, part) for part in items(self.tokens, inner.below)]
            known = self.vocabulary.find(inner.base, parts, text_of(self.tokens, inner.above))
            if is_value or not beside or known is None or known.name not in self.vocabulary.arities:
                return None
        return Scanned(f"{found.base} {inner.base}", inner.below, inner.above, inner.primes, inner.stem, inner.end)

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

    def of_known(self, found: Scanned, parts: list[str], above: str) -> Found | None:
        """`dU^f` and `\\delta U^f` where U^f is declared: the label above belongs to the name, as it does there."""
        mark, _, base = found.base.partition(" ")
        inner = self.vocabulary.find(base, parts, above) if base and mark in PREFIXES else None
        if inner is None or not (inner.above or inner.below):
            return None
        return Found(PREFIXES[mark] + inner.name, inner.below, inner.above)

    def starred(self, found: Scanned, parts: list[str]) -> bool:
        """Whether the star behind a name is part of it, `p*` for p^*, and no sign."""
        if found.end >= self.stop or not self.tokens[found.end].says("*"):
            return False
        known = self.vocabulary.find(found.base, parts, "*")
        after = self.begins(found.end + 1)
        ends = found.end + 1 >= self.stop or (after.kind in (Kind.OPERATOR, Kind.COMMA) and not after.says("-"))
        return known is not None and known.above and ends

    def is_label(self, part: tuple[int, int]) -> bool:
        """Whether a subscript is a word, `X_{pad}`, or has a letter that is no index, `W_{hh}`."""
        inside = self.tokens[slice(*part)]
        if any(t.kind is not Kind.NAME for t in inside) or not inside:
            return False
        text = "".join(t.text for t in inside)
        if len(text) < 2 or any(len(t.text) > 1 for t in inside) or not text.isalpha():
            return False
        return text in _LABEL_WORDS or any(x not in self.vocabulary.integers and x not in _INDEX_LETTERS for x in text)

    def names_only(self) -> bool:
        """Whether the bracket here holds arguments, `(z | x)`, rather than a sum that is a factor."""
        inside = self.tokens[self.at + 1 : self.partner.get(self.at, self.at)]
        kinds = (Kind.NAME, Kind.NUMBER, Kind.COMMA, Kind.COMMAND)
        names = any(t.kind is Kind.NAME for t in inside)
        return names and all(t.kind in kinds or t.says("|", ";", "_", "^", "{", "}") for t in inside)

    def depends(self) -> bool:
        """Whether the bracket here says only what a quantity depends on: `f_W(x)`, `C(G)`, `L(\\theta)`."""
        if not self.token.says("("):
            return False
        at, closing = self.at + 1, self.partner.get(self.at, self.at)
        while at < closing:
            found = scan(self.tokens, at, closing, self.partner)
            if found is None or not self.is_value((at, found.end)):
                return False
            at = found.end
            if at < closing and not self.tokens[at].says(",", ";", "|", "‖"):
                return False
            at += 1
        return at > self.at + 1

    def is_value(self, part: tuple[int, int]) -> bool:
        """Whether a part is the name of a value, or a letter of the kind that is no index."""
        found = scan(self.tokens, part[0], part[1], self.partner)
        if found is None or found.end != part[1] or found.base in self.vocabulary.integers:
            return False
        below = [text_of(self.tokens, inside) for inside in items(self.tokens, found.below)]
        known = self.vocabulary.find(found.base, below, text_of(self.tokens, found.above))
        plain = found.base in GREEK or (len(found.base) == 1 and found.base.isupper())
        return known is not None or plain

    def moves(self, part: tuple[int, int]) -> bool:
        """Whether a subscript speaks of a step, a size or an index of the problem; a word is a label."""
        inside = self.tokens[slice(*part)]
        names = [t for t in inside if t.kind is Kind.NAME]
        if any(x.kind is y.kind is Kind.NAME for x, y in pairwise(inside)):
            return False
        return any(t.text in self.vocabulary.integers for t in names) and all(len(t.text) == 1 for t in names)

    def stepped(self, tree: Tree, name: str, inside: tuple[int, int], start: Token) -> Tree | None:
        """`h^{(t)}` and `h^{<t>}`: a step above instead of below; `a_t^{(i)}`: an entry."""
        base, rest = (tree.base, tree.items) if isinstance(tree, Subscript) else (tree, ())
        missing = self.vocabulary.arities.get(name, 0) > len(rest)
        first, last = self.begins(inside[0]), self.begins(inside[1] - 1)
        closed = first.says("(", "<") and last.says(")", ">")
        if not closed or not (missing or (name in self.vocabulary.arities and rest)):
            return None
        if not missing and not self.is_index(inside[0] + 1, inside[1] - 1):
            return None
        steps = self.indices([(inside[0] + 1, inside[1] - 1)])
        return Subscript(base, (*steps, *rest) if missing else (*rest, *steps), place=self.since(start))

    # Entries

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

    def entries(self, name: str, given: tuple[Tree, ...]) -> tuple[Tree, ...]:
        """The subscripts of a name; digits and letters side by side are entries each where there are as many axes."""
        order = self.vocabulary.orders.get(name) or 0
        if len(given) != 1 or order < 2 or self.vocabulary.arities.get(name, 0):
            return given
        single = [x for factor in side_by_side(given[0]) for x in _digits(factor)]
        return tuple(single) if len(single) == order else given

    def indexes(self, name: str, given: int) -> bool:
        """Whether the bracket here holds subscripts of a name."""
        arity, order = self.vocabulary.arities.get(name), self.vocabulary.orders.get(name)
        if (arity is None and self.token.says("(")) or (order is not None and given >= (arity or 0) + order):
            return False
        inside = (self.at + 1, self.partner.get(self.at, self.at))
        if not 0 < inside[1] - inside[0] <= _MOST_INDEX_TOKENS:
            return False
        parts = items(self.tokens, inside)
        round_, numbered = self.token.says("("), self.tokens[inside[0]].kind is Kind.NUMBER
        if len(parts) == 1 and numbered and round_ and given >= (arity or 0):
            return False
        return all(self.is_index(*part, square=not round_) for part in parts)

    def is_index(self, first: int, last: int, square: bool = False) -> bool:
        """Whether tokens look like an index: a letter that is no value, a number, with + and - between them.

        In square brackets there may be products, `[2(r-1) + k]`.
        """
        signs = (*_INDEX_SIGNS, *_IN_SQUARE) if square else _INDEX_SIGNS
        if first >= last or (self.tokens[first].kind is Kind.NUMBER and last - first > 1 and not square):
            return False
        for at in range(first, last):
            token = self.tokens[at]
            if token.kind is Kind.NAME and not self.tokens[at - 1].says("_"):
                if self.vocabulary.knows(token.text) and token.text not in self.vocabulary.integers:
                    return False
            elif not (token.kind is Kind.NUMBER or token.says(*signs) or token.kind is Kind.NAME):
                return False
        return True

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
            return self.ones(found, start)
        if base in ("𝐞", "𝐈", "I"):
            return self.unit(found, start)
        if base == "delta" and found.below is not None and not above:
            sides = self.indices(items(self.tokens, found.below))
            if len(sides) == 2:
                self.at = found.end
                equal = Compare(("==",), sides, place=self.since(start))
                return Call(Name("indicator", place=start.place), (equal,), (), place=self.since(start))
        return None

    def ones(self, found: Scanned, start: Token) -> Tree:
        """1[condition], the vector 1 or 1_n, and a blackboard I without a condition, which is the identity."""
        if found.below is None:
            self.at += 1
            if self.token.says("[", "(", r"\{") and self.compares(self.at):
                return self.indicator(start)
            name = "identity" if "I" in start.place.text else "ones"
            return Call(Name(name, place=start.place), (), (), place=start.place)
        self.at = found.end
        if self.relates(found.below):
            tree = self.indicated(found.below, start)
        else:
            name = "identity" if "I" in start.place.text else "ones"
            sizes = self.indices(items(self.tokens, found.below))
            tree = Call(Name(name, place=start.place), sizes, (), place=self.since(start))
        return self.raised(tree, found.above, start) if found.above else tree

    def unit(self, found: Scanned, start: Token) -> Tree | None:
        """I, I_n and the unit vector e_i."""
        if found.base == "𝐞" and found.below is None:
            return None
        if found.below is not None and self.relates(found.below):
            self.at = found.end
            inner = self.indicated(found.below, start)
            return Call(Name("diag", place=start.place), (inner,), (), place=self.since(start))
        below = self.indices(items(self.tokens, found.below)) if found.below else ()
        name = "one_hot" if found.base == "𝐞" else "identity"
        self.at = found.end
        tree: Tree = Call(Name(name, place=start.place), below, (), place=self.since(start))
        return self.raised(tree, found.above, start) if found.above else tree


def _digits(tree: Tree) -> list[Tree]:
    """The digits of a number."""
    if not isinstance(tree, Number) or not tree.spelling.isdigit():
        return [tree]
    return [Number(Fraction(digit), digit, place=tree.place) for digit in tree.spelling]
