"""How declared names are spelled in LaTeX: `yhat` as \\hat{y}, `W__f` as W^{f}, `h` at step t as h_t."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from symgrad.syntax.latex.signs import ACCENTS, COMBINING, FUNCTIONS, GREEK, GREEK_LETTERS
from symgrad.syntax.tokens import Kind, Token

_SUFFIX_ACCENTS: Final = ("tilde", "hat", "bar", "dot", "vec")
_SUFFIX_MARKS: Final = {"star": "*", "prime": "'"}
_MARK_NAMES: Final = {"*": "star", "'": "prime", "+": "plus"}
_MARKS: Final = {combining: ACCENTS[command] for combining, command in COMBINING.items()}
_DIGITS: Final = re.compile(r"(.*?[^0-9_])([0-9]+)")
_VARIANTS: Final = {"ell": "l", "l": "ell", "epsilon": "varepsilon", "varepsilon": "epsilon", "varphi": "phi"}
_SHORTEST_WORD = 3
PREFIXES: Final = {"delta": "δ", "Delta": "Δ", "d": "d"}
_MOST_ACCENTS = 2


class Spelling(Struct, frozen=True):
    """A name as it is written: the letter or word with its accents, what is below it, what is above."""

    base: str
    below: tuple[str, ...] = ()
    above: str = ""

    @property
    def identifier(self) -> str:
        """The name in the problem language."""
        *marks, letter = self.base.split(" ")
        for mark in reversed(marks):
            letter = PREFIXES[mark] + letter if mark in PREFIXES else letter + mark
        parts = [re.sub(r"\W+", "", part) for part in self.below]
        name = "_".join([letter, *filter(None, parts)])
        if self.above in _MARK_NAMES and not parts:
            return letter + _MARK_NAMES[self.above]
        label = _MARK_NAMES.get(self.above) or re.sub(r"\W+", "", self.above)
        return f"{name}__{label}" if label else name


class Scanned(Struct, frozen=True):
    """A name in the tokens: where its scripts stand, the place behind its letter, and the one behind it all."""

    base: str
    below: tuple[int, int] | None
    above: tuple[int, int] | None
    primes: int
    stem: int
    end: int


class Found(Struct, frozen=True):
    """A declared name with the number of subscripts that belong to it, and whether what is above does."""

    name: str
    below: int
    above: bool


class Vocabulary(Struct):
    """The names that a text may use.

    Attributes:
        arities: The values, with their number of steps.
        orders: The number of axes of a member, where it is known.
        integers: Sizes, steps and indices.
        steps: The steps among them.
        functions: Functions and densities of the problem.
        made: The values that the model defines, and which may so be written with what they depend on, `f_W(x)`.
    """

    arities: dict[str, int] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    integers: set[str] = field(default_factory=set)
    steps: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    _spelled: dict[Spelling, tuple[str, ...]] = field(default_factory=dict)
    _words: set[str] = field(default_factory=set)
    _letters: set[str] = field(default_factory=set)
    _pieces: dict[tuple[str, bool], tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        arities: Mapping[str, int],
        orders: Mapping[str, int] | None = None,
        integers: Iterable[str] = (),
        functions: Iterable[str] = (),
        spellings: Mapping[str, Spelling] | None = None,
    ) -> Vocabulary:
        """The vocabulary of declared names; ``spellings`` where the default does not serve."""
        made = cls()
        for name, arity in arities.items():
            made.know(name, arity, (orders or {}).get(name), (spellings or {}).get(name))
        for name in integers:
            made.integers.add(name)
            made._see(spelling(name), name)
        for name in functions:
            made.know_function(name, (spellings or {}).get(name))
        return made

    def copy(self) -> Vocabulary:
        """A vocabulary to which names can be added."""
        return Vocabulary(
            dict(self.arities), dict(self.orders), set(self.integers), set(self.steps), set(self.functions),
            set(self.made),
            dict(self._spelled), set(self._words), set(self._letters),
        )  # fmt: skip

    def know(self, name: str, arity: int, order: int | None = None, written: Spelling | None = None) -> None:
        """Add a value."""
        self.arities[name] = arity
        if order is not None:
            self.orders[name] = order
        self._see(spelling(name), name)
        if written is not None:
            self._see(written, name)
        if name.isalnum() and not name.isalpha():
            self._see(Spelling(name), name)

    def know_function(self, name: str, written: Spelling | None = None) -> None:
        """Add a function or a density."""
        self.functions.add(name)
        self._see(spelling(name), name)
        if written is not None:
            self._see(written, name)

    def _see(self, written: Spelling, name: str) -> None:
        joined = Spelling(written.base, ("".join(written.below),), written.above) if written.below else written
        for form in dict.fromkeys((written, joined)):
            known = self._spelled.get(form, ())
            self._spelled[form] = known if name in known else (*known, name)
        for piece in written.base.split(" ")[-1:]:
            (self._letters if len(piece) == 1 else self._words).add(piece)
        self._pieces.clear()

    @property
    def labels(self) -> set[str]:
        """What stands above declared names: f, where the problem has W^f."""
        return {written.above for written in self._spelled if written.above}

    def knows(self, base: str) -> bool:
        """Whether a letter or word is a value or an integer by itself."""
        return Spelling(base) in self._spelled

    def counts(self, letter: str) -> bool:
        """Whether a letter or word is a size, a step or an index, by its own name or as one prints."""
        return letter in self.integers or any(n in self.integers for n in self._spelled.get(Spelling(letter), ()))

    def find(self, base: str, below: Sequence[str], above: str, stepped: bool = False) -> Found | None:
        """The declared name that takes most of what is written; further subscripts are steps and entries.

        Of names that are written alike, as a family k_i and a size k, it is the one with so many steps; ``stepped``
        says that more of them follow in brackets.
        """
        for letter in (base, _VARIANTS.get(base, base)):
            for label in dict.fromkeys((above, "")):
                for count in range(len(below), -1, -1):
                    names = self._spelled.get(Spelling(letter, tuple(below[:count]), label), ())
                    if names:
                        return Found(self._with_steps(names, len(below) - count, stepped), count, label != "")
        return None

    def _with_steps(self, names: Sequence[str], given: int, more: bool) -> str:
        """The name that has as many steps as are given, else one that has any where some are given; else the first."""
        arities = [self.arities.get(n, 0) for n in names]
        if given in arities and not more:
            return names[arities.index(given)]
        return next((n for n, arity in zip(names, arities, strict=True) if arity and (given or more)), names[0])

    def pieces(self, run: str, script: bool = False) -> tuple[str, ...]:
        """How a run of letters falls into names: into known ones, if it does; else a word, or letters."""
        key = (run, script)
        if key not in self._pieces:
            self._pieces[key] = self._divided(run, script)
        return self._pieces[key]

    def _divided(self, run: str, script: bool) -> tuple[str, ...]:
        if len(run) == 1 or run in self._words or run in FUNCTIONS:
            return (run,)
        best: list[tuple[str, ...] | None] = [()]
        for end in range(1, len(run) + 1):
            choices = [
                (*before, run[start:end])
                for start in range(max(0, end - 20), end)
                if (before := best[start]) is not None and self._is_piece(run[start:end])
            ]
            best.append(min(choices, key=len, default=None))
        if best[-1] is not None:
            return best[-1]
        known = run[1:] in self.arities or run[1:] in self._words
        if run[0] == "d" and known and not script:
            return ("d", run[1:])
        whole = not script and (len(run) >= _SHORTEST_WORD or run.isupper())
        return (run,) if whole else tuple(run)

    def _is_piece(self, piece: str) -> bool:
        return piece in self._letters if len(piece) == 1 else piece in self._words or piece in FUNCTIONS


def spelling(name: str) -> Spelling:
    """How a name is written when its declaration does not say: the inverse of ``Spelling.identifier``."""
    name = unicodedata.normalize("NFC", name)
    if name[0] in "δΔ" and len(name) > 1 and name[1].isalpha():
        inner = spelling(name[1:])
        return Spelling(f"{GREEK_LETTERS[name[0]]} {inner.base}", inner.below, inner.above)
    stem, _, above = name.strip("_").partition("__")
    base, *below = [part for part in stem.split("_") if part] or [name]
    if below and below[0] in _SUFFIX_ACCENTS and _is_letter(base):
        base += below.pop(0)
    digits = _DIGITS.fullmatch(base)
    if digits:
        base = digits[1]
        below.insert(0, digits[2])
    mark = ""
    for suffix, sign in _SUFFIX_MARKS.items():
        front = base.removesuffix(suffix)
        if front != base and _is_letter(front):
            base, mark = front, sign
    return Spelling(_base(base), tuple(_letter(part) for part in below), mark or _letter(above.replace("_", "")))


def _base(word: str) -> str:
    for suffix in _SUFFIX_ACCENTS:
        front = word.removesuffix(suffix)
        if front != word and _is_letter(front):
            return f"{suffix} {_letter(front)}"
    decomposed = unicodedata.normalize("NFD", word)
    letter, marks = decomposed[0], decomposed[1:]
    if len(word) <= 2 and marks and all(mark in _MARKS for mark in marks):
        return " ".join([*(_MARKS[mark] for mark in marks), _letter(letter)])
    return _letter(word)


def _is_letter(word: str) -> bool:
    return len(word) == 1 or word in GREEK or word == "ell"


def _letter(word: str) -> str:
    return GREEK_LETTERS.get(word, word) if word != "eps" else "varepsilon"


def scan(tokens: Sequence[Token], at: int, stop: int, partner: Mapping[int, int]) -> Scanned | None:
    """The name that begins at a token, with its scripts; None where no name begins."""
    if at >= stop:
        return None
    token = tokens[at]
    below: tuple[int, int] | None = None
    above: tuple[int, int] | None = None
    if token.kind is Kind.COMMAND and token.text in ACCENTS:
        inner = _under_accent(tokens, at + 1, stop, partner)
        if inner is None:
            return None
        base, below, above, at = f"{ACCENTS[token.text]} {inner.base}", inner.below, inner.above, inner.end
    elif token.kind is Kind.NAME:
        base, at = token.text, at + 1
    else:
        return None
    primes, stem = 0, at
    while at < stop:
        token = tokens[at]
        if token.says("'") and above is None:
            primes, at = primes + 1, at + 1
        elif token.says("_") and below is None:
            below, at = script(tokens, at + 1, stop, partner)
        elif token.says("^") and above is None and not primes:
            above, at = script(tokens, at + 1, stop, partner)
        else:
            break
    return Scanned(base, below, above, primes, stem, at)


def _under_accent(tokens: Sequence[Token], at: int, stop: int, partner: Mapping[int, int]) -> Scanned | None:
    """A name with its scripts in braces, or a bare letter; accents are not stacked more than twice."""
    if at < stop and tokens[at].says("{"):
        close = min(partner.get(at, stop), stop)
        stacked = sum(t.text in ACCENTS for t in tokens[at : at + 8] if t.kind is Kind.COMMAND)
        inner = None if stacked > _MOST_ACCENTS else scan(tokens, at + 1, close, partner)
        if inner is None or inner.end != close:
            return None
        return Scanned(inner.base, inner.below, inner.above, inner.primes, close + 1, close + 1)
    if at < stop and tokens[at].kind is Kind.NAME:
        return Scanned(tokens[at].text, None, None, 0, at + 1, at + 1)
    return None


def script(tokens: Sequence[Token], at: int, stop: int, partner: Mapping[int, int]) -> tuple[tuple[int, int], int]:
    """The tokens of a script, without their braces, and the place behind them."""
    if at < stop and tokens[at].says("{"):
        close = min(partner.get(at, stop), stop)
        return (at + 1, close), min(close + 1, stop)
    if at + 1 < stop and tokens[at].kind is Kind.COMMAND and tokens[at].text in ACCENTS:
        end = min(partner.get(at + 1, at + 1) + 1, stop)
        return (at, end), end
    return (at, min(at + 1, stop)), min(at + 1, stop)


def items(tokens: Sequence[Token], inside: tuple[int, int] | None) -> list[tuple[int, int]]:
    """The parts of a script between its commas."""
    if inside is None:
        return []
    parts, start, depth = [], inside[0], 0
    for at in range(*inside):
        depth += (tokens[at].kind is Kind.OPEN) - (tokens[at].kind is Kind.CLOSE)
        if tokens[at].kind is Kind.COMMA and depth == 0:
            parts.append((start, at))
            start = at + 1
    return [*parts, (start, inside[1])]


def text_of(tokens: Sequence[Token], inside: tuple[int, int] | None) -> str:
    """What a script says, without its braces."""
    return "" if inside is None else "".join(t.text for t in tokens[slice(*inside)] if not t.says("{", "}"))
