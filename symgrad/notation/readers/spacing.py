"""Factors side by side: where a thin space or a dot keeps two of them apart."""

from collections.abc import Sequence

from symgrad.notation import precedence as level
from symgrad.notation.integers import Piece, bracketed
from symgrad.notation.tree import BigOp, Evaluated, Fenced, Frac, Func, Infix, Number, OpName, Row, Script, Space, Tree


def juxtaposed(
    pieces: Sequence[Piece],
    loosest_last: int = level.PRODUCT,
    thin: frozenset[int] = frozenset(),
    scalars: bool = False,
) -> Piece:
    """a b c; the last factor may be open to the right, such as Σ x.

    Args:
        pieces: The factors.
        loosest_last: The level the last factor must have, if it is not open.
        thin: Positions of factors before which a thin space stands in any case.
        scalars: Whether a letter before a bracket is a factor that could be taken for a function.
    """
    last = pieces[-1]
    if len(pieces) == 1:
        return last
    fits = last.level == level.OPEN or last.level >= loosest_last
    trees = [bracketed(p, level.FACTOR) for p in pieces[:-1]]
    trees.append(last.tree if fits else bracketed(last, level.FACTOR))
    items: list[Tree] = [trees[0]]
    for k, tree in enumerate(trees[1:], start=1):
        before = trees[k - 1]
        if _ends_in_digit(before) and _begins_with_digit(tree):
            items[-1] = Infix((items[-1], tree), ("cdot",))
            continue
        could_be_call = scalars and isinstance(tree, Fenced) and not isinstance(before, Fenced | Number | Frac)
        if k in thin or could_be_call or needs_space(before, tree):
            items.append(Space("thin"))
        items.append(tree)
    own = min(level.PRODUCT, last.level) if fits else level.PRODUCT
    return Piece(items[0] if len(items) == 1 else Row(_flat(items)), own)


def _flat(items: Sequence[Tree]) -> tuple[Tree, ...]:
    flat: list[Tree] = []
    for x in items:
        flat.extend(x.items if isinstance(x, Row) else (x,))
    return tuple(flat)


def needs_space(left: Tree, right: Tree) -> bool:
    """Whether two factors would run into each other."""
    closed = isinstance(left, Fenced) and left.left == "("
    left, right = _core(left), _core(right)
    if isinstance(right, BigOp) or (isinstance(right, Func) and isinstance(_core(right.name), OpName)):
        return False
    if isinstance(right, Frac | Evaluated):
        return not isinstance(left, Number)
    if isinstance(left, Frac | Evaluated):
        return not is_number(left)
    if isinstance(left, Func):
        return not left.bare
    return closed and not isinstance(right, Fenced)


def is_number(tree: Tree) -> bool:
    """Whether a tree is a number or a fraction such as 1/n with a number above its line."""
    return isinstance(tree.top if isinstance(tree, Frac) else tree, Number)


def _core(tree: Tree) -> Tree:
    while isinstance(tree, Script):
        tree = tree.base
    return tree


def _ends_in_digit(tree: Tree) -> bool:
    return isinstance(tree, Number) or (isinstance(tree, Script) and tree.sub is None and isinstance(tree.base, Number))


def _begins_with_digit(tree: Tree) -> bool:
    match tree:
        case Number():
            return True
        case Script(base=base) | Infix(items=(base, *_)) | Row(items=(base, *_)):
            return _begins_with_digit(base)
        case Frac(top=Number(), bottom=Number()):
            return True
        case _:
            return False
