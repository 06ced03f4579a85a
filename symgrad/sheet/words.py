"""Words with formulas among them: tanh′ = 1 − tanh² in a sentence becomes a math tree, so that it is set as one."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from symgrad.notation.names_latex import read_latex_name
from symgrad.notation.symbols import GREEK_LETTERS, SYMBOLS
from symgrad.notation.tree import Fenced, Ident, Infix, Number, Oper, OpName, Root, Row, Script, Space, Sym, Text, Tree
from symgrad.sheet.document import Words
from symgrad.tensor.scalars import SCALARS

_SUPERSCRIPTS: Final = {
    "′": Sym("prime"), "²": Number("2"), "³": Number("3"), "⁺": Sym("plus"), "ᵀ": Sym("transpose"),
}  # fmt: skip
_SUBSCRIPTS: Final = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_OPERATORS: Final = {
    row.unicode: row.key for row in SYMBOLS.values() if row.spacing in ("binary", "relation") and row.unicode not in "|"
} | {"=": "=", "∗": "convolve"}
_SIGNS: Final = {
    row.unicode: row.key for row in SYMBOLS.values() if row.spacing == "ordinary" and len(row.unicode) == 1
} | dict(GREEK_LETTERS)
_BRACKETS: Final = {
    "(": (")", "(", ")"), "|": ("|", "|", "|)"), "‖": ("‖", "norm", "norm)"), "⌊": ("⌋", "floor", "floor)"),
    "⌈": ("⌉", "ceil", "ceil)"),
}  # fmt: skip
_MARKS: Final = frozenset(
    c for table in (_SUPERSCRIPTS, _SUBSCRIPTS, _SIGNS, _BRACKETS, "√") for c in table if c not in "(,;:/…"
)
"""What makes a word a formula wherever it stands."""
_NOTHING: Final = Row(())
_NAMES: Final = frozenset(SCALARS) | {"softmax", "det", "tr", "diag", "vec"}
_LETTERS_OF_PROSE: Final = frozenset("aAI")
_TOKEN: Final = re.compile(r"[A-Za-z]+|[0-9]+|.")
_CALL: Final = re.compile(r"[A-Za-z]+\([A-Za-z0-9]\)|[0-9]+/\(?[A-Za-z0-9]\)?")
_TAIL: Final = ",;:."
_MATH: Final = re.compile(r"\$([^\s$](?:[^$]*[^\s$])?)\$")


def with_formulas(text: str) -> Words:
    """The words of a sentence, $mathematics$ and each run of mathematics without dollars in it as a tree."""
    parts = _MATH.split(text)
    pieces = [x for k, part in enumerate(parts) for x in ([read_latex_name(part, part)] if k % 2 else _found(part))]
    return joined(pieces)


def _found(text: str) -> list[str | Tree]:
    pieces: list[str | Tree] = []
    run: list[str] = []
    words = re.split(r"(\s+)", text)
    chunks = [(w, _is_formula(words, k)) for k, w in enumerate(words)]
    for k, (word, formula) in enumerate(chunks):
        blank = word.isspace()
        between = blank and bool(run) and k + 1 < len(chunks) and chunks[k + 1][1]
        if formula or between:
            bare = word if between else word.rstrip(_TAIL)
            run.append(bare)
            if len(bare) < len(word):
                pieces += [_formula("".join(run)), word[len(bare) :]]
                run = []
        else:
            if run:
                pieces.append(_formula("".join(run)))
                run = []
            pieces.append(word)
    if run:
        pieces.append(_formula("".join(run)))
    return pieces


def joined(pieces: Iterable[str | Tree]) -> Words:
    """The pieces with neighbouring words in one."""
    out: list[str | Tree] = []
    for piece in pieces:
        if isinstance(piece, str) and out and isinstance(out[-1], str):
            out[-1] += piece
        elif piece != "":
            out.append(piece)
    return tuple(out)


def as_tree(words: Words) -> Tree:
    """A sentence as a tree, its words as upright text, to stand beside an equation."""
    trees = tuple(Text(w) if isinstance(w, str) else w for w in words)
    return trees[0] if len(trees) == 1 else Row(trees)


def listed(items: Sequence[str | Tree], last: str = "and") -> Words:
    """a, b and c."""
    pieces: list[str | Tree] = []
    for k, item in enumerate(items):
        if k:
            pieces.append(f" {last} " if k == len(items) - 1 else ", ")
        pieces.append(item)
    return joined(pieces)


def in_one(ranges: Sequence[Tree]) -> Words:
    """i, j = 1, …, n and t = 1, …, T: the ranges of several indices; those with one range share it."""
    alike: dict[tuple[Tree, str], list[Tree]] = {}
    for tree in ranges:
        match tree:
            case Infix(items=(index, span), ops=("=",)):
                alike.setdefault((span, "="), []).append(index)
            case _:
                alike[tree, ""] = []
    return listed([Infix((_comma(names), span), ("=",)) if names else span for (span, _), names in alike.items()])


def _comma(trees: Sequence[Tree]) -> Tree:
    return trees[0] if len(trees) == 1 else Infix(tuple(trees), ("comma",) * (len(trees) - 1))


def _is_formula(words: Sequence[str], k: int) -> bool:
    """Whether a word is mathematics: it holds a sign, or stands beside an operator and is a number or function."""
    word = words[k].rstrip(_TAIL)
    if not word or word.isspace():
        return False
    if any(c in _MARKS for c in word):
        return True
    if len(word) == 1 and (word in _OPERATORS or (word.isalpha() and word not in _LETTERS_OF_PROSE)):
        return True
    beside = {words[j].strip() for j in (k - 2, k + 2) if 0 <= j < len(words)}
    near = any(x in _OPERATORS or x.endswith("=") for x in beside)
    if re.fullmatch(r"\(?[-−]?[0-9]+\)?", word) or word.lstrip("(-−") in _NAMES:
        return near
    return bool(_CALL.fullmatch(word))


def _formula(text: str) -> str | Tree:
    """The tree of a run of mathematics; the text as it is where its brackets do not match."""
    items = _nested(iter(_TOKEN.findall(text)), None)
    if items is None:
        return text
    return items[0] if len(items) == 1 else Row(tuple(items))


def _nested(tokens: Iterator[str], closing: str | None) -> list[Tree] | None:
    """The items up to a closing bracket."""
    done: list[Tree] = []
    root = lowered = False
    for token in tokens:
        if token == closing:
            return done
        if token == "√":
            root = True
        elif token == "_":
            lowered = True
        elif token in _SUPERSCRIPTS and done:
            done[-1] = _raised(done[-1], _SUPERSCRIPTS[token])
        else:
            item = _bracketed(token, tokens) if token in _BRACKETS else _item(token, done)
            if item is None and (token in _BRACKETS or not token.isspace()):
                return None
            lowered = _append(done, item, root, lowered)
            root = False
    return done if closing is None else None


def _append(done: list[Tree], item: Tree | None, root: bool, lowered: bool) -> bool:
    """Add an item to a row; returns whether the next one is to be a subscript."""
    if item is None:
        return False
    if isinstance(item, Oper):
        if not done:
            item = Sym(item.op)
        elif isinstance(done[-1], Space):
            done.pop()
    if lowered and done:
        done[-1] = Script(done[-1], item)
    elif isinstance(item, Script) and item.base == _NOTHING and done:
        done[-1] = Script(done[-1], item.sub)
    else:
        done.append(Root(item) if root else item)
    return False


def _bracketed(token: str, tokens: Iterator[str]) -> Tree | None:
    closing, left, right = _BRACKETS[token]
    inside = _nested(tokens, closing)
    if not inside:
        return None
    return Fenced(inside[0] if len(inside) == 1 else Row(tuple(inside)), left, right, 0)


def _item(token: str, before: Sequence[Tree]) -> Tree | None:
    if token.isspace():
        # Juxtaposed names, as in x Φ(x) or sign x, keep a thin space.
        return Space() if before and not isinstance(before[-1], Oper | Space) else None
    if token in _SUBSCRIPTS:
        return Script(_NOTHING, Number(_SUBSCRIPTS[token]))
    if token.isdigit():
        return Number(token)
    if token.isalpha() and token.isascii():
        return Ident(token) if len(token) == 1 else OpName(token)
    if token in _OPERATORS:
        return Oper(_OPERATORS[token])
    return Sym(_SIGNS[token]) if token in _SIGNS else None


def _raised(base: Tree, sup: Tree) -> Tree:
    return (
        Script(base.base, base.sub, sup) if isinstance(base, Script) and base.sup is None else Script(base, None, sup)
    )
