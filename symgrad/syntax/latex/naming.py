"""Names in LaTeX: declared ones with steps and entries, names with a meaning of their own, new ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from symgrad.errors import ProblemError
from symgrad.source import Place
from symgrad.syntax.latex.entries import EntryReader
from symgrad.syntax.latex.names import PREFIXES, Found, Scanned, Spelling, items, scan, text_of
from symgrad.syntax.latex.signs import ACCENTS, FUNCTIONS, GREEK
from symgrad.syntax.latex.special import SpecialNames
from symgrad.syntax.tokens import Kind, Token
from symgrad.syntax.tree import Name, Number, Subscript, Transpose, Tree, children

_INDEX_LETTERS: Final = frozenset("abcijklmnpqrst")
_LABEL_WORDS: Final = frozenset({"in", "out", "pad", "min", "tr", "rms"})
_LABELS: Final = ("*", "+", "'")
_TRANSPOSED: Final = ("T", "⊤")
_BOLD: Final = {"𝐈": "I", "𝐞": "e"}
"""Bold letters that are the identity and the unit vector, unless the problem has steps of that letter: I_t."""


class NameReader(SpecialNames, EntryReader):
    """Reads names."""

    def name(self) -> Tree:
        """A declared name with its steps and entries, a function with its arguments, or a new name."""
        start = self.token
        found = scan(self.tokens, self.at, self.stop, self.partner)
        if found is None:
            raise ProblemError("an accent stands over a name", start.place)
        found = self.prefixed(found) or found
        found = self.numbered(found) or found
        below = items(self.tokens, found.below)
        parts = [text_of(self.tokens, part) for part in below]
        above = "'" * found.primes or text_of(self.tokens, found.above)
        if self.vocabulary.arities.get(_BOLD.get(found.base, "")) == len(parts) > 0:
            found = replace(found, base=_BOLD[found.base])
        labelled = above[:-1] if above[-1:] in _TRANSPOSED and above[:-1] in (*_LABELS, "(*)") else ""
        if labelled and self.vocabulary.find(found.base, parts, labelled):
            return Transpose(self.labelled(found, labelled, start), place=self.since(start))
        if not above and self.starred(found, parts):
            found = replace(found, above=(found.end, found.end + 1), end=found.end + 1)
            above = "*"
        declared = self.declared(found, below, above)
        if declared is not None and declared.name in self.vocabulary.functions:
            return self.own_function(found, declared, start)
        special = self.special(found, parts, above, start) if declared is None else None
        if special is not None:
            return special
        known = declared or self.of_known(found, parts, above) or self.unknown(found, parts, above)
        self.at = found.end
        if declared is None and self.token.says("(") and not found.above and self.names_only():
            return self.call_of(known.name, start)
        turned = declared is not None and self.is_turned(found, declared)
        return self.scripted(found, known, below[known.below :], turned, start)

    def declared(self, found: Scanned, below: list[tuple[int, int]], above: str) -> Found | None:
        """The declared name that is meant; None where a subscript or a label makes it another one."""
        parts = [text_of(self.tokens, part) for part in below]
        known = self.vocabulary.find(found.base, parts, above, stepped=self.begins(found.end).says("["))
        if known is None:
            return None
        rest = below[known.below :]
        if any(self.is_label(part) for part in rest) or (rest and known.name in self.vocabulary.integers):
            return None
        if known.name in self.vocabulary.functions:
            given = all(self.is_value(part) for part in rest) and self.begins(found.end).says("(")
            return known if given or not rest else None
        other = not known.above and above in _LABELS and not self.is_turned(found, known)
        return None if other else known

    def is_turned(self, found: Scanned, known: Found) -> bool:
        """Whether a prime is a transpose: one behind a name that is no function."""
        return found.primes == 1 and self.vocabulary.arities.get(known.name, 0) > 0

    def scripted(self, found: Scanned, known: Found, rest: list[tuple[int, int]], turned: bool, start: Token) -> Tree:
        """A name with its steps and entries, primes and powers; ``rest`` are the subscripts behind its own."""
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

    def numbered(self, found: Scanned) -> Scanned | None:
        """`x0` and `h1` for x_0 and h_1, where these are declared; None for any other name."""
        digit = self.begins(found.end)
        beside = digit.kind is Kind.NUMBER and digit.place.start == self.tokens[found.end - 1].place.end
        if not beside or found.below or found.above or found.primes or not digit.text.isdigit():
            return None
        known = self.vocabulary.find(found.base, (digit.text,), "")
        stepped = known is not None and (known.below or self.vocabulary.arities.get(known.name, 0) > 0)
        return replace(found, below=(found.end, found.end + 1), end=found.end + 1) if stepped else None

    def unknown(self, found: Scanned, parts: list[str], above: str) -> Found:
        """A name that is not declared: subscripts without a step or an index belong to it."""
        count = len(parts)
        below = items(self.tokens, found.below)
        if any(self.moves(part) for part in below):
            count = next(k for k, part in enumerate(below) if self.moves(part))
        label = above if above in _LABELS or (len(above) > 1 and above.isalpha()) else ""
        own = above in self.vocabulary.labels and not self.vocabulary.counts(above)
        label = above if own or above.startswith(("(", "<")) else label
        if text_of(self.tokens, found.above) in ("⊤", "T") or self.is_exponential(found):
            label = ""
        name = Spelling(found.base, tuple(parts[:count]), label).identifier
        return Found(name, count, label != "" or bool(found.primes))

    def is_exponential(self, found: Scanned) -> bool:
        """Whether e stands to the power of what has a value, `e^{\\theta x}`; `e^{out}` is a name."""
        if found.base != "e" or found.below is not None or found.above is None:
            return False
        names = [t.text for t in self.tokens[slice(*found.above)] if t.kind is Kind.NAME]
        return all(self.vocabulary.knows(name) or name in GREEK for name in names)

    def of_known(self, found: Scanned, parts: list[str], above: str) -> Found | None:
        """`dU^f` and `\\delta h_i` where U^f and h are declared: labels and subscripts are what they are there."""
        mark, _, base = found.base.partition(" ")
        inner = self.vocabulary.find(base, parts, above) if base and mark in PREFIXES else None
        labelled = any(self.is_label(part) for part in items(self.tokens, found.below))
        if inner is None or labelled or inner.name not in self.vocabulary.arities:
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
        return text in _LABEL_WORDS or any(not self.vocabulary.counts(x) and x not in _INDEX_LETTERS for x in text)

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
        if found is None or found.end != part[1] or self.vocabulary.counts(found.base):
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
        return any(self.vocabulary.counts(t.text) for t in names) and all(len(t.text) == 1 for t in names)

    def stepped(self, tree: Tree, name: str, inside: tuple[int, int], start: Token) -> Tree | None:
        """`h^{(t)}`, `h^{<t>}` and `h^{t-1}`: a step above instead of below; `a_t^{(i)}`: an entry."""
        base, rest = (tree.base, tree.items) if isinstance(tree, Subscript) else (tree, ())
        missing = self.is_missing_step(name, rest)
        first, last = self.begins(inside[0]), self.begins(inside[1] - 1)
        closed = first.says("(", "<", "[") and last.says(")", ">", "]")
        if not closed and missing and self.is_bare_step(inside):
            return Subscript(base, (*self.indices([inside]), *rest), place=self.since(start))
        if not closed or not (missing or (name in self.vocabulary.arities and rest)):
            return None
        if not missing and not self.is_index(inside[0] + 1, inside[1] - 1):
            return None
        steps = self.indices([(inside[0] + 1, inside[1] - 1)])
        return Subscript(base, (*steps, *rest) if missing else (*rest, *steps), place=self.since(start))

    def steps_of(self, name: str) -> int:
        """The number of steps of a quantity, of the derivative by it, δh, and of what has its letter, ĥ.

        Where a quantity has none, δW at a step is what this step adds to the derivative by it.
        """
        arities = self.vocabulary.arities
        stems = [name.removeprefix(p) for p in PREFIXES.values() if name.startswith(p)]
        stems += [stem.removesuffix(a) for stem in (name, *stems) for a in ACCENTS.values() if stem.endswith(a)]
        own = arities.get(name)
        beside = next((max(arities[x], 1) for x in stems if x in arities), 0)
        return beside if own is None else own

    def is_missing_step(self, name: str, rest: Sequence[Tree]) -> bool:
        """Whether a quantity has fewer subscripts than steps, or as many and none of them speaks of a step: h_i^t."""
        steps = self.steps_of(name)
        return steps > len(rest) or (steps == len(rest) == 1 and not any(self.is_step(item) for item in rest))

    def is_step(self, item: Tree) -> bool:
        """Whether a subscript is a number, or has a step of the problem in it."""
        own = isinstance(item, Number) or (isinstance(item, Name) and item.id in self.vocabulary.steps)
        return own or any(self.is_step(x) for x in children(item))

    def is_letter_of_step(self, letter: str) -> bool:
        """Whether a letter runs over steps: one that is declared for them, or an index that is nothing else."""
        known = letter in self.vocabulary.steps
        return known or (letter in _INDEX_LETTERS and not self.vocabulary.knows(letter))

    def is_bare_step(self, inside: tuple[int, int]) -> bool:
        """Whether what stands above is a step and no power: t, t − 1, but not 2 or T."""
        tokens = self.tokens[slice(*inside)]
        names = [t.text for t in tokens if t.kind is Kind.NAME]
        plain = all(t.kind in (Kind.NAME, Kind.NUMBER) or t.says("+", "-") for t in tokens)
        return plain and len(names) == 1 and self.is_letter_of_step(names[0])
