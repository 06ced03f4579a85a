"""How declared names print: yhat as ŷ, theta as θ, W_f with a subscript, W__f with a superscript, steps below.

The defaults read a name as its author meant it; ``latex:`` in a declaration overrides them.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from symgrad.notation.names_latex import read_latex_name
from symgrad.notation.symbols import ACCENTS, GREEK, GREEK_LETTERS
from symgrad.notation.tree import Accent, Font, Ident, Infix, Number, Row, Script, Sym, Tree
from symgrad.tensor.integers import Int

_SUFFIX_SCRIPTS: Final = {"star": "star", "prime": "prime"}
_COMBINING: Final = {mark.combining: kind for kind, mark in ACCENTS.items()}
_WORDS_AS_SIGNS: Final = {"ell": "ell", "eps": "varepsilon", "nabla": "nabla", "inf": "infinity"}
_KEY: Final = re.compile(r"\s*([^\[\s]+)\s*(?:\[(.*)\])?\s*")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one problem.

    Attributes:
        latex: The ``latex:`` of declarations by their keys, ``h``, ``h[t]`` or ``h[0]``.
        declared: All names in use, without subscripts: what printing adds (dummy indices, I, σ) keeps clear of them.
    """

    latex: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    declared: frozenset[str] = frozenset()
    _given: dict[str, Tree] = field(init=False, default_factory=dict, repr=False, compare=False)
    _members: dict[str, Tree] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for key, text in self.latex.items():
            match = _KEY.fullmatch(key)
            name, inside = (match[1], match[2]) if match else (key, None)
            subs = None if inside is None else [s.strip() for s in inside.split(",")]
            if subs is not None and not all(_is_index(s) for s in subs):
                self._members[member_key(name, subs)] = read_latex_name(text, key)
            else:
                self._given[name] = read_latex_name(text, name, subs or ())

    def name(self, name: str) -> Tree:
        """A name without steps."""
        return self._given.get(name) or self._made(name) or default_name(name)

    def _made(self, name: str) -> Tree | None:
        """δh or D_h, made of a letter and the name of a node, where a declaration says how that node looks."""
        letter, _, node = name.partition("_")
        if name in self.declared:
            return None
        if node in self._given:
            return subscripted(default_name(letter), [self._given[node]])
        return Row((Sym("delta"), self._given[name[1:]])) if name[:1] == "δ" and name[1:] in self._given else None

    def member(self, name: str, subs: Sequence[Tree], steps: Sequence[Int] = ()) -> Tree:
        """A member of a family: its steps below the name, unless a declaration says how that member looks."""
        if not subs:
            return self.name(name)
        own = self._members.get(member_key(name, map(str, steps))) if self._members else None
        return own or subscripted(self.name(name), subs)

    def taken(self, *names: str) -> bool:
        """Whether one of these is declared."""
        return any(n in self.declared for n in names)


def member_key(name: str, subs: Iterable[str]) -> str:
    """The key of one member, h[0]."""
    return f"{name}[{','.join(s.replace(' ', '') for s in subs)}]"


def _is_index(text: str) -> bool:
    return text.isidentifier()


def subscripted(base: Tree, subs: Sequence[Tree], comma: bool = True) -> Tree:
    """The base with more subscripts behind those it has."""
    match base:
        case Script(base=inner, sub=None, sup=sup):
            return Script(inner, sequence(subs, comma), sup)
        case Script(base=inner, sub=sub, sup=sup) if sub is not None:
            return Script(inner, sequence((*_listed(sub), *subs)), sup)
        case Row(items=(*front, last)):
            return Row((*front, subscripted(last, subs, comma)))
        case _:
            return Script(base, sequence(subs, comma))


def superscripted(base: Tree, sup: Tree) -> Tree:
    """The base with a superscript; it must not have one."""
    match base:
        case Script(base=inner, sub=sub, sup=None):
            return Script(inner, sub, sup)
        case Row(items=(*front, last)):
            return Row((*front, superscripted(last, sup)))
        case _:
            return Script(base, None, sup)


def has_superscript(tree: Tree) -> bool:
    """Whether the top right corner is taken."""
    match tree:
        case Script(sup=sup):
            return sup is not None
        case Row(items=(*_, last)):
            return has_superscript(last)
        case _:
            return False


def sequence(items: Sequence[Tree], comma: bool = True) -> Tree:
    """i, j, k, or ijk without commas."""
    if len(items) == 1:
        return items[0]
    return Infix(tuple(items), ("comma",) * (len(items) - 1)) if comma else Row(tuple(items))


def _listed(tree: Tree) -> tuple[Tree, ...]:
    return tree.items if isinstance(tree, Infix) and set(tree.ops) == {"comma"} else (tree,)


@lru_cache(maxsize=4096)
def default_name(name: str) -> Tree:
    """A name as the field reads it."""
    name = unicodedata.normalize("NFC", name)
    if name.startswith("δ") and len(name) > 1 and name[1].isalpha():
        return Row((Sym("delta"), default_name(name[1:])))
    if name.startswith("∂"):
        return Row((Sym("partial"), default_name(name[1:]))) if len(name) > 1 else Sym("partial")
    stem, _, above = name.strip("_").partition("__")
    base, *below = [p for p in stem.split("_") if p] or [name]
    if below and below[0] in ACCENTS and _is_letter(base):
        base += below.pop(0)
    tree = _base(base)
    if below:
        tree = subscripted(tree, [_script_part(p) for p in below])
    if above:
        parts = [_script_part(p) for p in above.replace("__", "_").split("_") if p]
        if parts and not has_superscript(tree):
            tree = superscripted(tree, sequence(parts))
    return tree


def _base(word: str) -> Tree:
    letters = word.rstrip("0123456789")
    if letters and letters != word:
        return subscripted(_base(letters), [Number(word[len(letters) :])])
    for suffix in ACCENTS:
        front = word.removesuffix(suffix)
        if front != word and _is_letter(front):
            return Accent(suffix, _letters(front))
    for suffix, sign in _SUFFIX_SCRIPTS.items():
        front = word.removesuffix(suffix)
        if front != word and _is_letter(front):
            return Script(_letters(front), None, Sym(sign))
    decomposed = unicodedata.normalize("NFD", word)
    if len(decomposed) == 2 and decomposed[1] in _COMBINING:
        return Accent(_COMBINING[decomposed[1]], _letters(decomposed[0]))
    return _letters(word)


def _is_letter(word: str) -> bool:
    return len(word) == 1 or word in GREEK or word == "ell"


def _letters(word: str) -> Tree:
    if word in GREEK:
        return Sym(word)
    if word in GREEK_LETTERS:
        return Sym(GREEK_LETTERS[word])
    if word in _WORDS_AS_SIGNS:
        return Sym(_WORDS_AS_SIGNS[word])
    if len(word) == 1:
        return Ident(word)
    font: Font = "roman" if (len(word) > 2 and (word.islower() or word.isupper())) or word.isupper() else "word"
    return Ident(word, font)


def _script_part(part: str) -> Tree:
    if part.isdigit():
        return Number(part)
    if _is_letter(part) or part in GREEK_LETTERS:
        return _letters(part)
    if len(part) == 2 and part.isalpha():
        return Row((Ident(part[0]), Ident(part[1])))
    accented = any(part.endswith(x) and _is_letter(part.removesuffix(x)) for x in ACCENTS)
    return Ident(part, "roman") if part.isalpha() and not accented else _base(part)
