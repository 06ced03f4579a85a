"""What the signs on a sheet mean that not every reader knows: ⊙, ⊘, 𝟏, e_j, ∂⁺. Each is said once, if it is used."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from symgrad.notation.tree import Fenced, Ident, Infix, Oper, Row, Script, Sym, Tree, parts
from symgrad.sheet.document import Block, Equations, Paragraph, Table, Words

_ONES: Final = Ident("1", "bold")
_UNIT: Final = Ident("e", "bold")
_IMMEDIATE: Final = Script(Sym("partial"), None, Sym("plus"))


def _entrywise(sign: str) -> Callable[[Tree], bool]:
    def stands(tree: Tree) -> bool:
        return (isinstance(tree, Infix) and sign in tree.ops) or tree in (Sym(sign), Oper(sign))

    return stands


def _holds_ones(tree: Tree) -> bool:
    """Whether a vector of ones stands in it, which is no indicator."""
    if isinstance(tree, Row):
        behind = (*tree.items[1:], None)
        return any(x == _ONES and not isinstance(y, Fenced) for x, y in zip(tree.items, behind, strict=True))
    return not isinstance(tree, Row) and _ONES in parts(tree)


def _is_indicator(tree: Tree) -> bool:
    return isinstance(tree, Row) and any(
        x == _ONES and isinstance(y, Fenced) for x, y in zip(tree.items, tree.items[1:], strict=False)
    )


def _is_unit(tree: Tree) -> bool:
    return isinstance(tree, Script) and tree.base == _UNIT


_SIGNS: Final[dict[str, Callable[[Tree], bool]]] = {
    "odot": _entrywise("odot"),
    "oslash": _entrywise("oslash"),
    "ones": _holds_ones,
    "indicator": _is_indicator,
    "unit": _is_unit,
    "immediate": lambda tree: tree == _IMMEDIATE,
}
_LETTER: Final = Ident("j")
_SAID: Final[dict[str, Words]] = {
    "odot": (Sym("odot"), " multiplies entry by entry"),
    "oslash": (Sym("oslash"), " divides entry by entry"),
    "both": (Sym("odot"), " and ", Sym("oslash"), " multiply and divide entry by entry"),
    "ones": (_ONES, " is the vector of ones"),
    "indicator": (Row((_ONES, Fenced(Sym("cdot"), "[", "]"))), " is 1 where the condition holds, else 0"),
    "unit": (Script(_UNIT, _LETTER), " is the ", _LETTER, "th unit vector"),
    "immediate": (_IMMEDIATE, " is an immediate partial: other nodes are held fixed"),
}


def legend(blocks: Iterable[Block]) -> tuple[Words, ...]:
    """What the signs mean that the blocks use, in a fixed order."""
    used = _used(blocks)
    if used >= {"odot", "oslash"}:
        used = used - {"odot", "oslash"} | {"both"}
    return tuple(words for sign, words in _SAID.items() if sign in used)


def _used(blocks: Iterable[Block]) -> set[str]:
    used: set[str] = set()
    seen: set[int] = set()
    waiting = [tree for block in blocks for tree in _trees(block)]
    while waiting and len(used) < len(_SIGNS):
        tree = waiting.pop()
        if id(tree) in seen:
            continue
        seen.add(id(tree))
        used |= {sign for sign, stands in _SIGNS.items() if sign not in used and stands(tree)}
        waiting += parts(tree)
    return used


def _trees(block: Block) -> Iterator[Tree]:
    match block:
        case Equations(aligned=tree):
            yield tree
        case Paragraph(words=words):
            yield from (w for w in words if isinstance(w, Tree))
        case Table(rows=rows):
            yield from (w for row in rows for cell in row for w in cell if isinstance(w, Tree))
