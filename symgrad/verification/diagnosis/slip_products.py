"""Slips in products and sums: transposes, signs, brackets, diag, order, factors and paths lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from symgrad.syntax.tree import IMPLICIT, Binary, Call, Compare, Name, Number, Transpose, Tree, Unary
from symgrad.verification.diagnosis.edits import Choice, Context, Filler, Variant
from symgrad.verification.diagnosis.slip_text import bracketed, instead, is_value
from symgrad.verification.surgery import (
    PRODUCTS,
    Splice,
    bare_text,
    extent,
    factors,
    inner_extent,
    multiplied,
    operators,
    text_of,
)


def transposes(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """Aᵀ for A, and A for Aᵀ."""
    if isinstance(node, Transpose):
        inner = node.operand
        yield inner, f"{text_of(inner)} should not be transposed", (Splice(extent(inner)[1], node.place.end, ""),)
    elif is_value(node, parent) and not isinstance(node, Unary) and not isinstance(parent, Transpose):
        if isinstance(node, Binary) and node.op in ("^", "**"):
            return
        shown = bracketed(node)
        yield (
            Transpose(node, place=node.place),
            f"{shown} should be transposed",
            instead(node, context.hand.transposed(shown)),
        )


def sign(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """a − b for a + b, and −a for a."""
    if isinstance(node, Binary) and node.op in ("+", "-") and is_value(node, parent):
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
    branch = isinstance(parent, Call) and parent.func.id == "where" and node is not parent.args[0]
    if (parent is None or branch) and not isinstance(node, Unary):
        shown = bracketed(node)
        whole = "the whole" if parent is None else shown
        yield Unary("-", node, place=node.place), f"a minus should stand before {whole}", instead(node, f"-{shown}")


def comparison(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """< for >, and > for <."""
    if not isinstance(node, Compare) or len(node.ops) != 1 or node.ops[0] not in _OPPOSITE:
        return
    left, right = node.operands
    gap = Splice(inner_extent(left)[1], inner_extent(right)[0], f" {_OPPOSITE[node.ops[0]]} ")
    said = f"{bare_text(left)} {_OPPOSITE[node.ops[0]]} {bare_text(right)} should stand"
    yield Compare((_OPPOSITE[node.ops[0]],), node.operands, place=node.place), said, (gap,)


_OPPOSITE: Final = {"<": ">", ">": "<", "<=": ">", ">=": "<"}


def first_term(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """The sign of the first term of a sum."""
    if isinstance(node, Binary) and node.op in ("+", "-"):
        first = node.left
        if not (isinstance(first, Binary) and first.op in ("+", "-")) and not isinstance(first, Unary):
            said = f"a minus should stand before {text_of(first)}"
            start = extent(first)[0]
            negative = Unary("-", first, place=first.place)
            yield Binary(node.op, negative, node.right, place=node.place), said, (Splice(start, start, "-"),)


def bracket(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
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


def entrywise(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """a ⊙ b for A b, and A b for a ⊙ b."""
    if not isinstance(node, Binary) or node.op not in PRODUCTS:
        return
    gap = Splice(extent(node.left)[1], extent(node.right)[0], "")
    whole = f"{text_of(node.left)} and {text_of(node.right)}"
    if node.op in ("⊙", "∘"):
        new = Binary(IMPLICIT, node.left, node.right, place=node.place)
        yield (
            new,
            f"between {whole} a matrix product should stand, not ⊙",
            (Splice(gap.start, gap.end, context.hand.product),),
        )
    else:
        new = Binary("⊙", node.left, node.right, place=node.place)
        yield (
            new,
            f"between {whole} a product entry by entry, ⊙, should stand",
            (Splice(gap.start, gap.end, f" {context.hand.entrywise} "),),
        )


def diag(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """diag(v) for v, and v for diag(v)."""
    if isinstance(node, Call) and node.func.id == "diag" and len(node.args) == 1:
        inner = node.args[0]
        yield inner, f"diag does not belong around {bare_text(inner)}", instead(node, f"({bare_text(inner)})")
    elif is_value(node, parent) and (parent is None or isinstance(parent, Binary)):
        call = Call(Name("diag", place=node.place), (node,), (), place=node.place)
        shown = bare_text(node)
        yield call, f"diag is missing around {shown}", instead(node, f"{context.hand.diag}({shown})")


def order(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """B A for A B, of the last two factors."""
    if not isinstance(node, Binary) or node.op not in PRODUCTS:
        return
    row, signs = factors(node), operators(node)
    last = len(row) - 1
    swapped = [*row[: last - 1], row[last], row[last - 1]]
    one, two = row[last - 1], row[last]
    splices = (Splice(*extent(one), bracketed(two)), Splice(*extent(two), bracketed(one)))
    said = f"{text_of(two)} should stand before {text_of(one)}"
    yield multiplied(swapped, signs), said, splices


def extra(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """A factor or a term too many."""
    if isinstance(node, Binary) and node.op in PRODUCTS:
        for keep, drop in ((node.left, node.right), (node.right, node.left)):
            yield keep, f"the factor {text_of(drop)} does not belong here", instead(node, text_of(keep))
    if isinstance(node, Binary) and node.op in ("+", "-") and is_value(node, parent):
        yield node.left, f"the term {text_of(node.right)} does not belong here", instead(node, text_of(node.left))
        if node.op == "+":
            yield node.right, f"the term {text_of(node.left)} does not belong here", instead(node, text_of(node.right))


def lost(context: Context, node: Tree, parent: Tree | None) -> Iterator[Choice]:
    """A factor too few: what else occurs in the answer, and 2 and 1/2."""
    if (
        not is_value(node, parent)
        or isinstance(parent, Transpose)
        or (isinstance(parent, Binary) and parent.op in ("^", "**"))
    ):
        return
    if isinstance(node, Binary) and node.op in PRODUCTS and isinstance(parent, Binary) and parent.op in PRODUCTS:
        return
    shown = bracketed(node)

    def beside(x: Filler, before: bool) -> Variant:
        """A part with a factor before or behind it."""
        pair = (x.tree, node) if before else (node, x.tree)
        joined = context.hand.product.join((x.text, shown) if before else (shown, x.text))
        new = Binary(IMPLICIT, *pair, place=node.place)
        return new, f"the factor {x.text} is missing", instead(node, joined)

    def scaling(x: Filler) -> Variant:
        """A part scaled entry by entry."""
        new = Binary("⊙", x.tree, node, place=node.place)
        joined = f"{x.text} {context.hand.entrywise} {shown}"
        return new, f"the factor {x.text} is missing", instead(node, joined)

    yield Choice(context.factors, IMPLICIT, True, partial(beside, before=True))
    yield Choice(context.factors, IMPLICIT, False, partial(beside, before=False))
    yield Choice(context.factors, "⊙", True, scaling)


def path_lost(context: Context, node: Tree, parent: Tree | None) -> Iterator[Choice]:
    """A path too few: the term of a node through which the derivative also goes."""
    return _added(context.paths, "path", node, parent)


def term_lost(context: Context, node: Tree, parent: Tree | None) -> Iterator[Choice]:
    """A term too few: a multiple of what else occurs."""
    return _added(context.terms, "term", node, parent)


def _added(terms: Sequence[Filler], what: str, node: Tree, parent: Tree | None) -> Iterator[Choice]:
    if parent is not None or isinstance(node, Number):
        return
    _, end = inner_extent(node)

    def added(x: Filler, op: str) -> Variant:
        """A sum with one more term."""
        new = Binary(op, node, x.tree, place=node.place)
        return new, f"the {what} {x.text} is missing", (Splice(end, end, f" {op} {x.text}"),)

    for op in ("+", "-"):
        yield Choice(terms, op, False, partial(added, op=op))
