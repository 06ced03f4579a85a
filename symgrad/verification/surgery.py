"""A tree with one part replaced, and the same edit in the writer's own text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from symgrad.source import Place
from symgrad.syntax.tree import (
    Approach,
    Binary,
    Call,
    Compare,
    Definition,
    Distributed,
    Given,
    Keyword,
    ListTree,
    Member,
    Name,
    Span,
    Subscript,
    Transpose,
    Tree,
    Unary,
    children,
)

PRODUCTS: Final = frozenset({"*", "·", "×", "⊙", "∘", "@", "implicit"})
_WINDOW: Final = 16
_BRACKETS: Final = (("(", ")"), ("[", "]"), (r"\{", r"\}"), ("{", "}"))
_LEFT: Final = re.compile(r"(?:\\left|\\[bB]ig{1,2}l?)?\s*(\(|\[|\\\{|\{)\s*$")
_RIGHT: Final = re.compile(r"\s*(?:\\right|\\[bB]ig{1,2}r?)?\s*(\)|\]|\\\}|\})")

Path = tuple[int, ...]


class Splice(Struct, frozen=True):
    """Text to be put in place of the characters from ``start`` up to ``end`` of a source."""

    start: int
    end: int
    text: str


def parts(tree: Tree) -> tuple[Tree, ...]:
    """The parts of a tree that can be replaced: those with a value, and subscripts and ends of ranges."""
    match tree:
        case Call(_, args, keywords):
            return (*args, *keywords)
        case Member() | Given() | Distributed() | Definition() | Approach():
            return ()
    return children(tree)


def with_parts(tree: Tree, new: Sequence[Tree]) -> Tree:
    """The tree with other parts, in the order of ``parts``."""
    match tree:
        case Subscript():
            return tree.replaced(base=new[0], items=tuple(new[1:]))
        case Span(lo, hi):
            ends = iter(new)
            return tree.replaced(lo=lo and next(ends), hi=hi and next(ends))
        case Keyword():
            return tree.replaced(value=new[0])
        case Call(_, args, _):
            keywords = tuple(k for k in new[len(args) :] if isinstance(k, Keyword))
            return tree.replaced(args=tuple(new[: len(args)]), keywords=keywords)
        case Unary(op):
            return Unary(op, new[0], place=tree.place)
        case Transpose():
            return Transpose(new[0], place=tree.place)
        case Binary(op):
            return Binary(op, new[0], new[1], place=tree.place)
        case Compare():
            return tree.replaced(operands=tuple(new))
        case ListTree():
            return tree.replaced(items=tuple(new))
    return tree


def places(tree: Tree) -> Iterator[tuple[Path, Tree, Tree | None]]:
    """Every part of a tree with the way to it and the part around it, the outermost first."""
    waiting: list[tuple[Path, Tree, Tree | None]] = [((), tree, None)]
    for path, node, parent in waiting:
        yield path, node, parent
        waiting.extend(((*path, k), part, node) for k, part in enumerate(parts(node)))


def put(tree: Tree, path: Path, new: Tree) -> Tree:
    """The tree with another part at the end of a way."""
    if not path:
        return new
    inner = list(parts(tree))
    inner[path[0]] = put(inner[path[0]], path[1:], new)
    return with_parts(tree, inner)


def put_names(tree: Tree, names: Mapping[str, str]) -> Tree:
    """The tree with some names replaced by others."""
    if isinstance(tree, Name):
        return tree.replaced(id=names[tree.id]) if tree.id in names else tree
    if isinstance(tree, Call) and tree.func.id in names:
        tree = tree.replaced(func=tree.func.replaced(id=names[tree.func.id]))
    inner = parts(tree)
    changed = [put_names(x, names) for x in inner]
    return tree if all(a is b for a, b in zip(inner, changed, strict=True)) else with_parts(tree, changed)


def put_trees(tree: Tree, trees: Mapping[Tree, Tree]) -> Tree:
    """The tree with some parts replaced by others."""
    if not trees:
        return tree
    if tree in trees:
        return trees[tree]
    inner = parts(tree)
    changed = [put_trees(x, trees) for x in inner]
    return tree if all(a is b for a, b in zip(inner, changed, strict=True)) else with_parts(tree, changed)


def put_bare(tree: Tree, trees: Mapping[str, Tree]) -> Tree:
    """The tree with some names that bear no subscripts replaced."""
    if isinstance(tree, Name):
        found = trees.get(tree.id)
        return tree if found is None else found.replaced(place=tree.place)
    inner = list(parts(tree))
    first = 1 if isinstance(tree, Subscript) and isinstance(tree.base, Name) else 0
    changed = [*inner[:first], *(put_bare(x, trees) for x in inner[first:])]
    return tree if all(a is b for a, b in zip(inner, changed, strict=True)) else with_parts(tree, changed)


def factors(tree: Tree) -> list[Tree]:
    """The factors of a product, from left to right."""
    found: list[Tree] = []
    while isinstance(tree, Binary) and tree.op in PRODUCTS:
        found.insert(0, tree.right)
        tree = tree.left
    return [tree, *found]


def operators(tree: Tree) -> list[str]:
    """The signs between the factors."""
    found: list[str] = []
    while isinstance(tree, Binary) and tree.op in PRODUCTS:
        found.insert(0, tree.op)
        tree = tree.left
    return found


def multiplied(parts_: Sequence[Tree], signs: Sequence[str]) -> Tree:
    """The product of factors with signs between them."""
    tree = parts_[0]
    for sign, part in zip(signs, parts_[1:], strict=True):
        tree = Binary(
            sign, tree, part, place=tree.place.to(part.place) if tree.place.source is part.place.source else part.place
        )
    return tree


# The writer's text


def extent(tree: Tree) -> tuple[int, int]:
    """The characters of a part, with the brackets around it."""
    start, end = inner_extent(tree)
    source = tree.place.source.text
    while True:
        left, right = _LEFT.search(source, max(0, start - _WINDOW), start), _RIGHT.match(source, end)
        if left is None or right is None or (left[1], right[1]) not in _BRACKETS:
            return start, end
        if left[1] == "{" and source[: left.start()].rstrip()[-1:] in ("_", "^", "}", "c"):
            return start, end
        if left[1] == "(" and source[: left.start()].rstrip()[-1:].isalpha() and not isinstance(tree, Binary | Unary):
            return start, end
        start, end = left.start(), right.end()


def inner_extent(tree: Tree) -> tuple[int, int]:
    """The characters of a part, without brackets around it."""
    return tree.place.start, tree.place.end


def text_of(tree: Tree) -> str:
    """A part as it is written."""
    start, end = extent(tree)
    return tree.place.source.text[start:end]


def bare_text(tree: Tree) -> str:
    """A part as it is written, without brackets around it."""
    start, end = inner_extent(tree)
    return tree.place.source.text[start:end]


def spliced(place: Place, edits: Sequence[Splice]) -> str:
    """The text of a place with edits made."""
    text, shift = place.source.text, place.start
    out: list[str] = []
    at = shift
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        out += [text[at : edit.start], edit.text]
        at = max(at, edit.end)
    out.append(text[at : max(at, place.end)])
    return "".join(out).strip()


def scripted(source: str, start: int, text: str) -> str:
    """A subscript as TeX needs it: in braces where it stands right behind `_` or `^` and is more than one sign."""
    return "{" + text + "}" if len(text) > 1 and source[:start].rstrip()[-1:] in ("_", "^") else text
