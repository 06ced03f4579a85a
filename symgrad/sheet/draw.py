"""Drawings printed as TikZ, as Typst and as SVG."""

from collections.abc import Callable
from html import escape
from typing import Final

from symgrad.notation.latex import latex
from symgrad.notation.plain import plain
from symgrad.notation.symbols import SYMBOLS
from symgrad.notation.tree import Accent, Ident, Infix, Number, OpName, Prefix, Row, Script, Space, Sym, Text, Tree
from symgrad.notation.typst import quoted, typst
from symgrad.sheet.drawing import FONT_SIZE, NOTE_SIZE, Arrow, Box, Drawing, Point, scaled

TEXT_WIDTH: Final = 440.0
_COMBINING: Final = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "vec": "\u20d7"}
_FILLS: Final = {"input": "#e3edfa", "boundary": "#f1f1f4", "state": "#e2f2e4", "loss": "#fbe5e1", "node": "#ffffff"}
_STROKES: Final = {"adjoint": "#b03a2e"}
_ITALIC: Final = ' font-style="italic"'
_INK: Final = "#333333"
_DASHES: Final = (3.0, 2.0)


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".").replace("-0", "0") if abs(value) < 0.05 else f"{value:.1f}"


def tikz(drawing: Drawing) -> str:
    """The drawing for the package tikz; its colours are defined in the template."""
    scale = scaled(drawing, TEXT_WIDTH)

    def at(p: Point) -> str:
        return f"({_number(p[0])},{_number(-p[1])})"

    lines = [rf"\begin{{tikzpicture}}[x=1pt,y=1pt,scale={scale:.3f},line width=0.5pt]"]
    for a in drawing.arrows:
        shaft = "".join(f" .. controls {at(p)} and {at(q)} .. {at(r)}" for p, q, r in a.shaft)
        style = "adjoint,dash pattern=on 3pt off 2pt" if a.kind == "adjoint" else "ink"
        lines.append(rf"\draw[{style}] {at(a.start)}{shaft};")
        first, second, third = a.head
        lines.append(rf"\fill[{style.split(',')[0]}] {at(first)} -- {at(second)} -- {at(third)} -- cycle;")
    for b in drawing.boxes:
        corner, other = (b.x - b.width / 2, b.y - b.height / 2), (b.x + b.width / 2, b.y + b.height / 2)
        dashed = ",dashed" if b.kind == "boundary" else ""
        lines.append(rf"\draw[ink,fill={_kind(b)},rounded corners=3pt{dashed}] {at(corner)} rectangle {at(other)};")
        lines.append(_tikz_label(at((b.x, b.label_y)), b.label, scale * FONT_SIZE))
        if b.note is not None:
            lines.append(_tikz_label(at((b.x, b.note_y)), b.note, scale * NOTE_SIZE))
    lines += [rf"\node at {at(p)} {{$\cdots$}};" for p in drawing.dots]
    return "\n".join([*lines, r"\end{tikzpicture}"])


def _kind(b: Box) -> str:
    return f"{b.kind}box" if b.kind in _FILLS else "nodebox"


def _tikz_label(place: str, tree: Tree, size: float) -> str:
    font = rf"\fontsize{{{size:.1f}}}{{{1.2 * size:.1f}}}\selectfont"
    return rf"\node[inner sep=0pt,font={font}] at {place} {{${latex(tree)}$}};"


def typst_drawing(drawing: Drawing) -> str:
    """The drawing as the body of a Typst figure."""
    scale = scaled(drawing, TEXT_WIDTH)

    def at(p: Point) -> str:
        return f"({scale * p[0]:.1f}pt, {scale * p[1]:.1f}pt)"

    lines = [f"#block(width: {scale * drawing.width:.1f}pt, height: {scale * drawing.height:.1f}pt, breakable: false)["]
    for a in drawing.arrows:
        shaft = ", ".join(f"curve.cubic({at(p)}, {at(q)}, {at(r)})" for p, q, r in a.shaft)
        colour = _STROKES.get(a.kind, _INK)
        dash = "dash: (3pt, 2pt), " if a.kind == "adjoint" else ""
        stroke = f'({dash}paint: rgb("{colour}"), thickness: 0.5pt)'
        lines.append(f"#place(curve(stroke: {stroke}, curve.move({at(a.start)}), {shaft}))")
        lines.append(f'#place(polygon(fill: rgb("{colour}"), {", ".join(at(p) for p in a.head)}))')
    for b in drawing.boxes:
        x, y = scale * (b.x - b.width / 2), scale * (b.y - b.height / 2)
        size = f"width: {scale * b.width:.1f}pt, height: {scale * b.height:.1f}pt"
        dash = 'dash: "dashed", ' if b.kind == "boundary" else ""
        stroke = f'({dash}paint: rgb("{_INK}"), thickness: 0.5pt)'
        fill = f'rgb("{_FILLS.get(b.kind, _FILLS["node"])}")'
        lines.append(f"#place(dx: {x:.1f}pt, dy: {y:.1f}pt, rect({size}, radius: 3pt, fill: {fill}, stroke: {stroke}))")
        lines.append(_typst_label(b.x * scale, b.label_y * scale, b.label, scale * FONT_SIZE))
        if b.note is not None:
            lines.append(_typst_label(b.x * scale, b.note_y * scale, b.note, scale * NOTE_SIZE))
    size = f"{scale * FONT_SIZE:.1f}pt"
    lines += [f"#spot({scale * x:.1f}pt, {scale * y:.1f}pt, {size}, sym.dots.h.c)" for x, y in drawing.dots]
    return "\n".join([*lines, "]"])


def _typst_label(x: float, y: float, tree: Tree, size: float) -> str:
    return f"#spot({x:.1f}pt, {y:.1f}pt, {size:.1f}pt, m({quoted(latex(tree))}, ${typst(tree)}$))"


def svg(drawing: Drawing, name: str = "drawing") -> str:
    """The drawing as an SVG element with its title and description; labels are text."""
    scale = scaled(drawing, TEXT_WIDTH * 1.5)
    width, height = drawing.width, drawing.height
    title = "".join(w if isinstance(w, str) else plain(w) for w in drawing.caption)
    size = f'width="{1.4 * scale * width:.0f}" height="{1.4 * scale * height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" {size} role="img"'
        f' aria-labelledby="{name}-title {name}-desc">',
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-desc">{escape(drawing.description)}</desc>',
    ]
    for a in drawing.arrows:
        lines += _svg_arrow(a)
    for b in drawing.boxes:
        fill = _FILLS.get(b.kind, _FILLS["node"])
        dash = ' stroke-dasharray="3 2"' if b.kind == "boundary" else ""
        lines.append(
            f'<rect class="{b.kind}" x="{b.x - b.width / 2:.1f}" y="{b.y - b.height / 2:.1f}" width="{b.width:.1f}"'
            f' height="{b.height:.1f}" rx="3" fill="{fill}" stroke="{_INK}" stroke-width="0.7"{dash}/>'
        )
        lines.append(_svg_label(b.x, b.label_y, b.label, FONT_SIZE + 1))
        if b.note is not None:
            lines.append(_svg_label(b.x, b.note_y, b.note, NOTE_SIZE))
    middle = 'text-anchor="middle" font-size="12"'
    lines += [f'<text class="label" x="{x:.1f}" y="{y + 3:.1f}" {middle}>⋯</text>' for x, y in drawing.dots]
    return "\n".join([*lines, "</svg>"])


def _svg_arrow(a: Arrow) -> list[str]:
    def at(p: Point) -> str:
        return f"{p[0]:.1f} {p[1]:.1f}"

    path = f"M{at(a.start)}" + "".join(f"C{at(p)} {at(q)} {at(r)}" for p, q, r in a.shaft)
    colour = _STROKES.get(a.kind, _INK)
    kind = "back" if a.kind == "adjoint" else "forth"
    dash = f' stroke-dasharray="{_DASHES[0]} {_DASHES[1]}"' if kind == "back" else ""
    head = " ".join(f"{x:.1f},{y:.1f}" for x, y in a.head)
    return [
        f'<path class="{kind}" d="{path}" fill="none" stroke="{colour}" stroke-width="0.7"{dash}/>',
        f'<polygon class="{kind}" points="{head}" fill="{colour}"/>',
    ]


def _svg_label(x: float, y: float, tree: Tree, size: float) -> str:
    """A label whose scripts are raised and lowered spans."""
    spans, _ = _spans(tree, size, 0.0)
    font = 'font-family="Latin Modern Math, STIX Two Text, Cambria, Georgia, serif"'
    place = f'x="{x:.1f}" y="{y + 0.3 * size:.1f}" text-anchor="middle" font-size="{size:.1f}"'
    return f'<text class="label" {place} {font}>{spans}</text>'


def _spans(tree: Tree, size: float, level: float, raised: float = 0.0) -> tuple[str, float]:
    """The text of a tree and the height it ends at; ``raised`` is the height it begins at."""
    match tree:
        case Ident(text=text, font=font):
            style = {"bold": ' font-weight="bold"', "roman": "", "blackboard": "", "script": ""}.get(font, _ITALIC)
            return _span(text, size, level - raised, style), level
        case Sym(key=key):
            text = {"transpose": "⊤"}.get(key, SYMBOLS[key].unicode)
            italic = _ITALIC if text.isalpha() and text.islower() else ""
            return _span(text, size, level - raised, italic), level
        case Accent(kind=kind, body=Ident(text=text)):
            return _span(text + _COMBINING[kind], size, level - raised, _ITALIC), level
        case Number(text=text) | OpName(text=text) | Text(words=text):
            return _span(text, size, level - raised, ""), level
        case Space():
            return _span("\u2009", size, level - raised, ""), level
        case Prefix(op=op, body=body):
            return _joined([SYMBOLS[op].unicode, body], size, level, raised)
        case Row(items=items):
            return _joined(list(items), size, level, raised)
        case Infix(items=items, ops=ops):
            pieces: list[str | Tree] = [items[0]]
            for op, item in zip(ops, items[1:], strict=True):
                sign = SYMBOLS[op].unicode
                pieces += [f"{sign}\u2009" if op == "comma" else sign, item]
            return _joined(pieces, size, level, raised)
        case Script(base=base, sub=sub, sup=sup):
            out, height = _spans(base, size, level, raised)
            for part, shift in ((sup, -0.4), (sub, 0.22)):
                if part is not None:
                    text, height = _spans(part, 0.7 * size, level + shift * size, height)
                    out += text
            return out, height
    return _span(plain(tree), size, level - raised, ""), level


def _joined(pieces: list[str | Tree], size: float, level: float, raised: float) -> tuple[str, float]:
    out = ""
    for piece in pieces:
        if isinstance(piece, str):
            text, raised = _span(piece, size, level - raised, ""), level
        else:
            text, raised = _spans(piece, size, level, raised)
        out += text
    return out, raised


def _span(text: str, size: float, dy: float, style: str) -> str:
    moved = f' dy="{dy:.1f}"' if abs(dy) > 0.04 else ""
    return f'<tspan font-size="{size:.1f}"{moved}{style}>{escape(text)}</tspan>'


PRINTERS: Final[dict[str, Callable[[Drawing], str]]] = {"tex": tikz, "typ": typst_drawing, "html": svg}
