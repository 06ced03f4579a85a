"""The table of slips: for each, the ways to undo it at one part of an expression, with the edit in the text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from symgrad.problem.names import Names
from symgrad.syntax.tree import (
    IMPLICIT,
    Binary,
    Call,
    Keyword,
    Name,
    Number,
    Span,
    Subscript,
    Transpose,
    Tree,
    Unary,
)
from symgrad.verify.surgery import (
    PRODUCTS,
    Path,
    Splice,
    bare_text,
    extent,
    factors,
    inner_extent,
    multiplied,
    name_latex,
    operators,
    places,
    put,
    scripted,
    text_of,
)


@dataclass(frozen=True, slots=True)
class Context:
    """What the writer's names are, and the factors that may have been forgotten, with how they are written.

    ``steps`` are the values of one family that have others beside them of the same shape, ``activations`` how a
    quantity is made from what goes in: tanh or sigmoid.
    """

    names: Names
    alike: Mapping[str, Sequence[str]]
    activations: Mapping[str, str]
    latex: Mapping[str, str]
    pool: Sequence[Tree] = ()
    terms: Sequence[tuple[Tree, str]] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of an expression: the slip that it undoes, what it does in words, the tree and the text after it."""

    slip: str
    said: str
    tree: Tree
    splices: tuple[Splice, ...]


Variant = tuple[Tree, str, tuple[Splice, ...]]
"""A part after an edit, what was done, and the edit in the text."""
Undo = Callable[[Context, Tree, Tree | None], Iterator[Variant]]


@dataclass(frozen=True, slots=True)
class Slip:
    """One kind of slip: its name, what it is in words, and how it is undone at a part of an expression."""

    name: str
    about: str
    undo: Undo


def edits(tree: Tree, context: Context, only: Collection[str] | None = None) -> Iterator[Edit]:
    """Every single edit of an expression, in the order of the table; of some slips only, where they are named."""
    found = list(places(tree))
    for slip in SLIPS:
        if only is not None and slip.name not in only:
            continue
        for path, node, parent in found:
            if _in_derivative(tree, path) and slip.name != "step":
                continue
            for new, said, splices in slip.undo(context, node, parent):
                yield Edit(slip.name, said, put(tree, path, new), splices)


def _in_derivative(tree: Tree, path: Path) -> bool:
    """Whether a part stands inside ∂…/∂…."""
    node = tree
    for k in path:
        if isinstance(node, Call) and node.func.id in ("jacobian", "grad"):
            return True
        inner = list(_children(node))
        node = inner[k]
    return False


def _children(node: Tree) -> tuple[Tree, ...]:
    match node:
        case Subscript(base, items):
            return (base, *items)
        case Span(lo, hi):
            return tuple(e for e in (lo, hi) if e is not None)
        case Keyword(_, value):
            return (value,)
        case Call(_, args, keywords):
            return (*args, *keywords)
        case Unary(_, operand) | Transpose(operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
    return getattr(node, "operands", getattr(node, "items", ()))


def _around(node: Tree, before: str, behind: str) -> tuple[Splice, ...]:
    start, end = extent(node)
    return Splice(start, start, before), Splice(end, end, behind)


def _instead(node: Tree, text: str) -> tuple[Splice, ...]:
    return (Splice(*extent(node), text),)


def _is_value(node: Tree, parent: Tree | None) -> bool:
    """Whether a part is a factor or a term, not a subscript, a range or an exponent."""
    if isinstance(node, Number | Span | Keyword):
        return False
    if isinstance(parent, Subscript | Span | Keyword):
        return False
    return not (isinstance(parent, Binary) and parent.op in ("^", "**") and node is parent.right)


def _bracketed(node: Tree) -> str:
    """A part as a factor: in brackets where it is a sum."""
    start, end = extent(node)
    inner = inner_extent(node)
    text = node.place.source.text[start:end]
    return f"({text})" if isinstance(node, Binary) and node.op in ("+", "-") and (start, end) == inner else text


# One function for each slip


def _transposes(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    if isinstance(node, Transpose):
        inner = node.operand
        yield inner, f"{text_of(inner)} should not be transposed", (Splice(extent(inner)[1], node.place.end, ""),)
    elif _is_value(node, parent) and not isinstance(node, Unary) and not isinstance(parent, Transpose):
        if isinstance(node, Binary) and node.op in ("^", "**"):
            return
        shown = _bracketed(node)
        yield Transpose(node, place=node.place), f"{shown} should be transposed", _instead(node, shown + r"^\top")


def _step(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    if not isinstance(node, Subscript) or not isinstance(node.base, Name):
        return
    family = context.names.families.get(node.base.id)
    arity = family.arity if family is not None else len(node.items)
    for k, item in enumerate(node.items[:arity]):
        if isinstance(item, Span):
            continue
        for by in (-1, 1):
            moved, text = shifted(item, by)
            items = (*node.items[:k], moved, *node.items[k + 1 :])
            start, end = inner_extent(item)
            source = item.place.source.text
            whole = bare_text(node)
            splice = Splice(start, end, scripted(source, start, text))
            said = whole[: start - node.place.start] + splice.text + whole[end - node.place.start :]
            yield Subscript(node.base, items, place=node.place), f"{said} should stand instead of {whole}", (splice,)


def shifted(index: Tree, by: int) -> tuple[Tree, str]:
    """An index moved by one, and how it is written."""
    place = index.place
    if isinstance(index, Number):
        value = index.value + by
        return Number(value, str(value), place=place), str(value)
    if isinstance(index, Binary) and index.op in ("+", "-") and isinstance(index.right, Number):
        offset = (index.right.value if index.op == "+" else -index.right.value) + by
        base = bare_text(index.left)
        if offset == 0:
            return index.left, base
        number = Number(abs(offset), str(abs(offset)), place=place)
        sign = "+" if offset > 0 else "-"
        return Binary(sign, index.left, number, place=place), f"{base}{sign}{abs(offset)}"
    sign = "+" if by > 0 else "-"
    one = Number(Fraction(1), "1", place=place)
    return Binary(sign, index, one, place=place), f"{bare_text(index)}{sign}1"


def _sign(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    if isinstance(node, Binary) and node.op in ("+", "-") and _is_value(node, parent):
        other = "-" if node.op == "+" else "+"
        gap = (extent(node.left)[1], extent(node.right)[0])
        between = node.place.source.text[slice(*gap)]
        at = between.find(node.op)
        if at >= 0:
            splice = Splice(gap[0] + at, gap[0] + at + 1, other)
            said = f"{other} should stand before {text_of(node.right)}"
            yield Binary(other, node.left, node.right, place=node.place), said, (splice,)
    if isinstance(node, Unary) and node.op == "-":
        start = node.place.start
        yield (
            node.operand,
            f"no minus should stand before {text_of(node.operand)}",
            (Splice(start, extent(node.operand)[0], ""),),
        )
    if parent is None and not isinstance(node, Unary):
        shown = _bracketed(node)
        yield Unary("-", node, place=node.place), "a minus should stand before the whole", _instead(node, f"-{shown}")


def _first_term(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """The sign of the first term of a sum."""
    if isinstance(node, Binary) and node.op in ("+", "-"):
        first = node.left
        if not (isinstance(first, Binary) and first.op in ("+", "-")) and not isinstance(first, Unary):
            said = f"a minus should stand before {text_of(first)}"
            start = extent(first)[0]
            negative = Unary("-", first, place=first.place)
            yield Binary(node.op, negative, node.right, place=node.place), said, (Splice(start, start, "-"),)


def _bracket(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """A · [B] + [C] for A · {[B] + [C]}, and 1 − h² W for (1 − h²) W."""
    if not isinstance(node, Binary) or node.op not in ("+", "-"):
        return
    left, right = node.left, node.right
    if isinstance(left, Binary) and left.op in PRODUCTS:
        row, signs = factors(left), operators(left)
        for k in range(1, len(row)):
            tail = multiplied(row[k:], signs[k:])
            inner = Binary(node.op, tail, right, place=node.place)
            start, end = extent(row[k])[0], extent(right)[1]
            said = f"a bracket around {node.place.source.text[start:end]} is lost"
            yield multiplied([*row[:k], inner], signs[:k]), said, (Splice(start, start, "("), Splice(end, end, ")"))
    if isinstance(right, Binary) and right.op in PRODUCTS:
        row, signs = factors(right), operators(right)
        for k in range(1, len(row)):
            head = multiplied(row[:k], signs[: k - 1])
            inner = Binary(node.op, left, head, place=node.place)
            start, end = extent(left)[0], extent(row[k - 1])[1]
            said = f"a bracket around {node.place.source.text[start:end]} is lost"
            yield (
                multiplied([inner, *row[k:]], signs[k - 1 :]),
                said,
                (Splice(start, start, "("), Splice(end, end, ")")),
            )


def _entrywise(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    if not isinstance(node, Binary) or node.op not in PRODUCTS:
        return
    gap = Splice(extent(node.left)[1], extent(node.right)[0], "")
    whole = f"{text_of(node.left)} and {text_of(node.right)}"
    if node.op in ("⊙", "∘"):
        new = Binary(IMPLICIT, node.left, node.right, place=node.place)
        yield new, f"between {whole} a matrix product should stand, not ⊙", (Splice(gap.start, gap.end, " "),)
    else:
        new = Binary("⊙", node.left, node.right, place=node.place)
        yield (
            new,
            f"between {whole} a product entry by entry, ⊙, should stand",
            (Splice(gap.start, gap.end, r" \odot "),),
        )


def _diag(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    if isinstance(node, Call) and node.func.id == "diag" and len(node.args) == 1:
        inner = node.args[0]
        yield inner, f"diag does not belong around {bare_text(inner)}", _instead(node, f"({bare_text(inner)})")
    elif _is_value(node, parent) and (parent is None or isinstance(parent, Binary)):
        call = Call(Name("diag", place=node.place), (node,), (), place=node.place)
        shown = bare_text(node)
        yield call, f"diag is missing around {shown}", _instead(node, rf"\operatorname{{diag}}({shown})")


def _order(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    if not isinstance(node, Binary) or node.op not in PRODUCTS:
        return
    row, signs = factors(node), operators(node)
    last = len(row) - 1
    swapped = [*row[: last - 1], row[last], row[last - 1]]
    one, two = row[last - 1], row[last]
    splices = (Splice(*extent(one), _bracketed(two)), Splice(*extent(two), _bracketed(one)))
    said = f"{text_of(two)} should stand before {text_of(one)}"
    yield multiplied(swapped, signs), said, splices


def _slope(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """σ for σ′, h for 1 − h², 1 − h for 1 − h²."""
    if isinstance(node, Call):
        name = node.func.id
        other = name[:-1] if name.endswith("'") else f"{name}'"
        if other.rstrip("'") in ("sigmoid", "tanh", "relu", "softplus", "gelu", "silu"):
            written = node.place.source.text[node.place.start : extent(node.args[0])[0]]
            new = Call(Name(other, place=node.func.place), node.args, node.keywords, place=node.place)
            text = written.replace("'", "").replace("^{\\prime}", "") if name.endswith("'") else _primed(written)
            said = f"{text}…) should stand instead of {written}…)"
            yield new, said, (Splice(node.place.start, node.place.start + len(written), text),)
    base = node.base if isinstance(node, Subscript) else node
    if not isinstance(base, Name) or not _is_value(node, parent):
        return
    activation, shown = context.activations.get(base.id), bare_text(node)
    one, two = (Number(Fraction(k), str(k), place=node.place) for k in (1, 2))
    square = Binary("**", node, two, place=node.place)
    if activation == "tanh":
        slope = Binary("-", one, square, place=node.place)
        yield slope, f"1 - {_raised(shown)} should stand instead of {shown}", _instead(node, f"(1 - {_raised(shown)})")
    if activation == "sigmoid":
        rest = Binary("-", one, node, place=node.place)
        yield (
            Binary("⊙", node, rest, place=node.place),
            f"{shown} (1 - {shown}) should stand instead of {shown}",
            _instead(node, rf"({shown} \odot (1 - {shown}))"),
        )


def _power(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """A lost or added exponent."""
    if isinstance(node, Binary) and node.op in ("^", "**"):
        yield node.left, f"{text_of(node.left)} should have no exponent", _instead(node, text_of(node.left))
    elif isinstance(node, Name | Subscript) and _is_value(node, parent) and not isinstance(parent, Transpose):
        if isinstance(parent, Binary) and parent.op in ("^", "**"):
            return
        two = Number(Fraction(2), "2", place=node.place)
        shown = bare_text(node)
        yield Binary("**", node, two, place=node.place), f"{shown} should be squared", _instead(node, _raised(shown))


def _raised(shown: str) -> str:
    return f"{shown}^2" if "^" not in shown else f"({shown})^2"


def _primed(text: str) -> str:
    at = max(text.rfind("("), text.rfind("["), text.rfind("{"))
    left = text.rfind(r"\left")
    cut = left if 0 <= left < at else at
    return f"{text[:cut].rstrip()}'{text[cut:]}" if cut > 0 else f"{text.rstrip()}'"


def _variable(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    base = node.base if isinstance(node, Subscript) else node
    if (
        not isinstance(base, Name)
        or not _is_value(node, parent)
        or (isinstance(parent, Subscript) and node is parent.base)
    ):
        return
    for other in context.alike.get(base.id, ()):
        written, below = name_latex(other, context.latex.get(other))
        name = Name(other, place=base.place)
        if isinstance(node, Subscript):
            new: Tree = Subscript(name, node.items, place=node.place)
            inside = ", ".join(filter(None, (below, *(bare_text(x) for x in node.items))))
        else:
            new, inside = name, below
        text = f"{written}_{{{inside}}}" if len(inside) > 1 else f"{written}_{inside}" if inside else written
        yield new, f"{text} should stand instead of {bare_text(node)}", _instead(node, text)


def _bound(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    if not isinstance(node, Span) or not isinstance(parent, Keyword) or node.lo is None or node.hi is None:
        return
    for low in (False, True):
        end = node.lo if low else node.hi
        for by in (-1, 1):
            moved, text = shifted(end, by)
            new = Span(moved, node.hi, place=node.place) if low else Span(node.lo, moved, place=node.place)
            start, stop = inner_extent(end)
            splice = Splice(start, stop, scripted(end.place.source.text, start, text))
            said = f"the range should {'begin' if low else 'end'} at {text}, not at {bare_text(end)}"
            yield new, said, (splice,)


def _extra(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """A factor or a term too many."""
    if isinstance(node, Binary) and node.op in PRODUCTS:
        for keep, drop in ((node.left, node.right), (node.right, node.left)):
            yield keep, f"the factor {text_of(drop)} does not belong here", _instead(node, text_of(keep))
    if isinstance(node, Binary) and node.op in ("+", "-") and _is_value(node, parent):
        yield node.left, f"the term {text_of(node.right)} does not belong here", _instead(node, text_of(node.left))
        if node.op == "+":
            yield node.right, f"the term {text_of(node.left)} does not belong here", _instead(node, text_of(node.right))


def _lost(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """A factor too few: what else occurs in the answer, and 2 and 1/2."""
    if (
        not _is_value(node, parent)
        or isinstance(parent, Transpose)
        or (isinstance(parent, Binary) and parent.op in ("^", "**"))
    ):
        return
    if isinstance(node, Binary) and node.op in PRODUCTS and isinstance(parent, Binary) and parent.op in PRODUCTS:
        return
    shown = _bracketed(node)
    for factor in context.pool:
        text = _bracketed(factor)
        for before in (True, False):
            pair = (factor, node) if before else (node, factor)
            new = Binary(IMPLICIT, *pair, place=node.place)
            joined = f"{text} {shown}" if before else f"{shown} {text}"
            yield new, f"the factor {text} is missing", _instead(node, joined)
        if not isinstance(factor, Number):
            new = Binary("⊙", factor, node, place=node.place)
            yield new, f"the factor {text} is missing", _instead(node, rf"{text} \odot {shown}")


def _path(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """A path too few: the term of a node through which the derivative also goes."""
    if parent is not None:
        return
    for term, text in context.terms:
        _, end = inner_extent(node)
        new = Binary("+", node, term, place=node.place)
        yield new, f"the path {text} is missing", (Splice(end, end, f" + {text}"),)


SLIPS: Final[tuple[Slip, ...]] = (
    Slip("transpose", "a transpose is lost or too many", _transposes),
    Slip("step", "a step index is off by one", _step),
    Slip("sign", "a sign is wrong", _sign),
    Slip("sign", "the sign of the first term is wrong", _first_term),
    Slip("bracket", "a bracket is lost", _bracket),
    Slip("diag", "diag is missing or too many", _diag),
    Slip("product", "⊙ stands for a matrix product, or the other way round", _entrywise),
    Slip("order", "factors stand in the wrong order", _order),
    Slip("slope", "a function stands for its derivative", _slope),
    Slip("exponent", "an exponent is lost or too many", _power),
    Slip("bound", "a range is off by one", _bound),
    Slip("variable", "a wrong variable", _variable),
    Slip("factor", "a factor or a term is too many", _extra),
    Slip("path", "a path is missing in the sum", _path),
    Slip("factor", "a factor is lost", _lost),
)
"""Every kind of slip, the likeliest first."""
