"""Parts of statements: the lines of a formula, the place of a side, the name that a side is."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from symgrad.problem.texts import walk
from symgrad.source import Place
from symgrad.syntax.latex.cursor import partners
from symgrad.syntax.latex.names import Vocabulary, script
from symgrad.syntax.tokens import Token
from symgrad.syntax.tree import Call, Name, Subscript, Tree, children
from symgrad.verification.documents.claims import Formula
from symgrad.verification.documents.statements import Statement, Tokens

_NUMBERS = ("ℝ", "R", "ℕ", "ℤ")
_LINE_BREAK = "\\\\"


def lines_of(formula: Formula) -> list[Formula]:
    """The lines of a formula that cannot be read as a whole."""
    text, found, start = formula.source.text, [], 0
    while start <= len(text):
        end = text.find(_LINE_BREAK, start)
        end = len(text) if end < 0 else end
        if text[start:end].strip():
            found.append(replace(formula, source=formula.source.part(start, end)))
        start = end + len(_LINE_BREAK)
    return found


def place_of(side: Tokens) -> Place:
    """From the first token of a side to the last."""
    return side[0].place.to(side[-1].place)


def whole_of(statement: Statement, side: Tokens) -> Place:
    """From the beginning of a statement to the end of one of its sides."""
    first = next(one for one in (*statement.lead, *statement.sides) if one)
    start = first[0].place
    return start.source.place(min(start.start, side[0].place.start), side[-1].place.end)


def own_name(tree: Tree | None) -> str | None:
    """The name, the member or the function that a side is; None for anything else."""
    match tree:
        case Name(name) | Subscript(Name(name), _):
            return name
        case Call(func, args, ()) if args and all(isinstance(arg, Name) for arg in args):
            return func.id
        case _:
            return None


def family_at_index(tree: Tree | None, right: Tree, vocabulary: Vocabulary) -> Subscript | None:
    """D_k as the member at k of a family D, where k is open on the right side; None where k is a mere label."""
    if not isinstance(tree, Name):
        return None
    bound = {k.name.id for x in walk(right) if isinstance(x, Call) for k in x.keywords}
    free = set(among_subscripts(right)) - bound - vocabulary.arities.keys()
    labels = tree.id.split("_")
    indices = ""
    while len(labels) > 1 and labels[-1] and set(labels[-1]) <= free:
        indices = labels.pop() + indices
    stem = "_".join(labels)
    if not indices or vocabulary.knows(stem) or stem in vocabulary.functions:
        return None
    items = tuple(Name(letter, place=tree.place) for letter in indices)
    return Subscript(Name(stem, place=tree.place), items, place=tree.place)


def is_numeric(tree: Tree) -> bool:
    """Whether a tree has numbers and no names."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Name):
            return False
        waiting.extend(child for child in children(node) if child is not getattr(node, "func", None))
    return True


def is_size(tree: Tree, vocabulary: Vocabulary) -> bool:
    """Whether a tree is a formula for a size: a rounded quotient of letters that are no values."""
    waiting, rounded = [tree], False
    while waiting:
        node = waiting.pop()
        valued = isinstance(node, Name) and (node.id in vocabulary.arities or node.id in vocabulary.functions)
        if valued or (isinstance(node, Name) and len(node.id) > 1):
            return False
        rounded = rounded or (isinstance(node, Call) and node.func.id in ("floor", "ceil"))
        waiting.extend(child for child in children(node) if child is not getattr(node, "func", None))
    return rounded


def among_subscripts(tree: Tree | None) -> Iterator[str]:
    """The names that stand among subscripts somewhere in a tree."""
    waiting = [(tree, False)] if tree is not None else []
    while waiting:
        node, below = waiting.pop()
        if below and isinstance(node, Name):
            yield node.id
        inside = node.items if isinstance(node, Subscript) else ()
        waiting.extend((child, below or any(child is item for item in inside)) for child in children(node))


def written_sizes(side: Tokens) -> list[Tokens] | None:
    """n and m as they stand in ℝ^{n × m}, or in {0, 1}^n; None for any other set."""
    start = 1
    if side and side[0].says(r"\{"):
        start = next((k for k, t in enumerate(side) if t.says(r"\}")), len(side)) + 1
    elif not side or side[0].text not in _NUMBERS:
        return None
    rest = side[start:]
    if not rest:
        return []
    inside, end = script(rest, 1, len(rest), partners(rest))
    if not rest[0].says("^") or end != len(rest):
        return None
    found: list[list[Token]] = [[]]
    for token in rest[slice(*inside)]:
        if token.says("×", ","):
            found.append([])
        else:
            found[-1].append(token)
    return [tuple(part) for part in found]


def own_parts(tree: Tree) -> tuple[str | None, tuple[Tree, ...]]:
    """A name with its subscripts; None for anything else."""
    match tree:
        case Name(name):
            return name, ()
        case Subscript(Name(name), items):
            return name, items
    return None, ()


def base_name(tree: Tree) -> str:
    """The name at the bottom of a name with subscripts."""
    while isinstance(tree, Subscript):
        tree = tree.base
    return tree.id if isinstance(tree, Name) else ""
