"""Slips in names: a wrong step, variable or range, a function for its derivative, an exponent."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from symgrad.syntax.tree import Binary, Call, Keyword, Name, Number, Span, Subscript, Transpose, Tree
from symgrad.verify.edits import Context, Variant
from symgrad.verify.slip_text import instead, is_value, primed, raised, shifted
from symgrad.verify.surgery import Splice, bare_text, extent, inner_extent, name_latex, scripted, text_of


def step(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
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
        yield slope, f"1 - {raised(shown)} should stand instead of {shown}", instead(node, f"(1 - {raised(shown)})")
    if activation == "sigmoid":
        rest = Binary("-", one, node, place=node.place)
        yield (
            Binary("⊙", node, rest, place=node.place),
            f"{shown} (1 - {shown}) should stand instead of {shown}",
            instead(node, rf"({shown} \odot (1 - {shown}))"),
        )


def power(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    """A lost or added exponent."""
    if isinstance(node, Binary) and node.op in ("^", "**"):
        yield node.left, f"{text_of(node.left)} should have no exponent", instead(node, text_of(node.left))
    elif isinstance(node, Name | Subscript) and is_value(node, parent) and not isinstance(parent, Transpose):
        if isinstance(parent, Binary) and parent.op in ("^", "**"):
            return
        two = Number(Fraction(2), "2", place=node.place)
        shown = bare_text(node)
        yield Binary("**", node, two, place=node.place), f"{shown} should be squared", instead(node, raised(shown))


def variable(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
    base = node.base if isinstance(node, Subscript) else node
    if (
        not isinstance(base, Name)
        or not is_value(node, parent)
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
        yield new, f"{text} should stand instead of {bare_text(node)}", instead(node, text)


def bound(context: Context, node: Tree, parent: Tree | None) -> Iterator[Variant]:
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
