"""Slips in names: a wrong variable or function, a function for its derivative, an exponent."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from symgrad.syntax.tree import Binary, Call, Compare, Name, Number, Subscript, Transpose, Tree, Unary
from symgrad.verification.diagnosis.edits import Context, Variant
from symgrad.verification.diagnosis.slip_text import instead, is_value, primed
from symgrad.verification.surgery import Path, Splice, bare_text, extent, inner_extent, places, put, scripted, text_of


def slope(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """σ for σ′, h for 1 − h², 1 − h for 1 − h²."""
    if isinstance(node, Call):
        name = node.func.id
        other = name[:-1] if name.endswith("'") else f"{name}'"
        if other.rstrip("'") in ("sigmoid", "tanh", "relu", "softplus", "gelu", "silu"):
            written = node.place.source.text[node.place.start : extent(node.args[0])[0]]
            new = Call(Name(other, place=node.func.place), node.args, node.keywords, place=node.place)
            text = written.replace("'", "").replace("^{\\prime}", "") if name.endswith("'") else primed(written)
            said = f"{text}…) should stand instead of {written}…)"
            yield new, said, (Splice(node.place.start, node.place.start + len(written), text),)
    base = node.base if isinstance(node, Subscript) else node
    if not isinstance(base, Name) or not is_value(node, parent):
        return
    activation, shown = context.activations.get(base.id), bare_text(node)
    one, two = (Number(Fraction(k), str(k), place=node.place) for k in (1, 2))
    square = Binary("**", node, two, place=node.place)
    if activation == "tanh":
        slope = Binary("-", one, square, place=node.place)
        text = f"1 - {context.hand.squared(shown)}"
        yield slope, f"{text} should stand instead of {shown}", instead(node, f"({text})")
    if activation == "relu":
        positive = Compare((">",), (node, Number(Fraction(0), "0", place=node.place)), place=node.place)
        indicator = Call(Name("indicator", place=node.place), (positive,), (), place=node.place)
        text = context.hand.indicator(f"{shown} > 0")
        yield indicator, f"{text} should stand instead of {shown}", instead(node, text)
    if activation == "sigmoid":
        rest = Binary("-", one, node, place=node.place)
        yield (
            Binary("⊙", node, rest, place=node.place),
            f"{shown} (1 - {shown}) should stand instead of {shown}",
            instead(node, f"({shown} {context.hand.entrywise} (1 - {shown}))"),
        )


def complement(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """x for 1 − x, of a gate; and 1 − x for x."""
    one = Number(Fraction(1), "1", place=node.place)
    if isinstance(node, Binary) and node.op == "-" and node.left == one:
        shown = text_of(node.right)
        yield node.right, f"{shown} should stand instead of {bare_text(node)}", instead(node, shown)
        return
    gate = context.activations.get(base_id(node)) == "sigmoid" and is_value(node, parent)
    if gate and not isinstance(parent, Subscript):
        shown = f"(1 - {bare_text(node)})"
        said = f"{shown} should stand instead of {bare_text(node)}"
        yield Binary("-", one, node, place=node.place), said, instead(node, shown)


def power(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """A lost or added exponent, one with the wrong sign, a square root lost or added."""
    if isinstance(node, Binary) and node.op in ("^", "**"):
        yield node.left, f"{text_of(node.left)} should have no exponent", instead(node, text_of(node.left))
        if not isinstance(node.right, Unary):
            start = node.right.place.start
            negative = Unary("-", node.right, place=node.right.place)
            text = scripted(node.place.source.text, start, f"-{bare_text(node.right)}")
            said = f"the exponent {bare_text(node.right)} should be negative"
            new = Binary(node.op, node.left, negative, place=node.place)
            yield new, said, (Splice(*inner_extent(node.right), text),)
        else:
            said = f"the exponent {bare_text(node.right)} should be positive"
            new = Binary(node.op, node.left, node.right.operand, place=node.place)
            yield new, said, (Splice(*inner_extent(node.right), bare_text(node.right.operand)),)
    elif isinstance(node, Call) and node.func.id == "sqrt" and len(node.args) == 1:
        inner = bare_text(node.args[0])
        yield node.args[0], f"no root should be taken of {inner}", instead(node, f"({inner})")
    elif isinstance(node, Name | Subscript) and is_value(node, parent) and not isinstance(parent, Transpose):
        if isinstance(parent, Binary) and parent.op in ("^", "**"):
            return
        two = Number(Fraction(2), "2", place=node.place)
        shown = bare_text(node)
        yield (
            Binary("**", node, two, place=node.place),
            f"{shown} should be squared",
            instead(node, context.hand.squared(shown)),
        )


def variable(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """W for U: another quantity, one with the same number of steps."""
    base = node.base if isinstance(node, Subscript) else node
    if (
        not isinstance(base, Name)
        or not is_value(node, parent)
        or (isinstance(parent, Subscript) and node is parent.base)
    ):
        return
    for other in context.alike.get(base.id, ()):
        new: Tree = Name(other, place=base.place)
        items = node.items if isinstance(node, Subscript) else ()
        if items:
            new = Subscript(new, items, place=node.place)
        text = context.hand.member(other, context.latex.get(other), [bare_text(x) for x in items])
        yield new, f"{text} should stand instead of {bare_text(node)}", instead(node, text)


def exchanged(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """Two quantities that stand for one another, wherever they occur; inside ∂, only quantities of the model."""
    if parent is not None:
        return
    found: dict[Tree, list[tuple[Path, Tree]]] = {}
    taken: set[Path] = set()
    differentiated: set[Tree] = set()
    for path, part, around in places(node):
        within = any(path[:k] in taken for k in range(len(path)))
        if isinstance(part, Name | Subscript) and is_value(part, around) and not within:
            found.setdefault(part, []).append((path, part))
            taken.add(path)
            if isinstance(around, Call) and around.func.id in ("jacobian", "grad"):
                differentiated.add(part)
    own = {x for x in found if base_id(x) not in context.names.families}
    for one, two in itertools.combinations(found, 2):
        if {one, two} & own and {one, two} & differentiated:
            continue
        new, splices = node, list[Splice]()
        for part, other in ((one, two), (two, one)):
            for path, x in found[part]:
                new = put(new, path, other)
                splices += instead(x, bare_text(other))
        yield new, f"{bare_text(one)} and {bare_text(two)} are exchanged", tuple(splices)


def base_id(tree: Tree) -> str:
    """The name of which a tree is a member; none for another tree."""
    while isinstance(tree, Subscript):
        tree = tree.base
    return tree.id if isinstance(tree, Name) else ""


def function(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """Another function of the same kind."""
    if not isinstance(node, Call) or node.func.id not in _FUNCTIONS or len(node.args) != 1:
        return
    written = bare_text(node.func) if node.func.place.text else node.func.id
    for other in _FUNCTIONS:
        if other != node.func.id:
            text = context.hand.function(other)
            new = Call(Name(other, place=node.func.place), node.args, node.keywords, place=node.place)
            start = node.func.place.start
            yield new, f"{text} should stand instead of {written}", (Splice(start, node.func.place.end, text),)


_FUNCTIONS: Final = ("tanh", "sigmoid", "relu", "softmax", "exp", "log")
