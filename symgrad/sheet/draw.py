"""Drawings printed as TikZ and as Typst."""

from typing import Final

from symgrad.notation.latex import latex
from symgrad.notation.tree import Tree
from symgrad.notation.typst import quoted, typst
from symgrad.sheet.drawing import FONT_SIZE, NOTE_SIZE, Box, Drawing, Point, scaled

TEXT_WIDTH: Final = 440.0
FILLS: Final = {"input": "#e3edfa", "boundary": "#f1f1f4", "state": "#e2f2e4", "loss": "#fbe5e1", "node": "#ffffff"}
STROKES: Final = {"adjoint": "#b03a2e"}
INK: Final = "#333333"


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
    return f"{b.kind}box" if b.kind in FILLS else "nodebox"


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
        colour = STROKES.get(a.kind, INK)
        dash = "dash: (3pt, 2pt), " if a.kind == "adjoint" else ""
        stroke = f'({dash}paint: rgb("{colour}"), thickness: 0.5pt)'
        lines.append(f"#place(curve(stroke: {stroke}, curve.move({at(a.start)}), {shaft}))")
        lines.append(f'#place(polygon(fill: rgb("{colour}"), {", ".join(at(p) for p in a.head)}))')
    for b in drawing.boxes:
        x, y = scale * (b.x - b.width / 2), scale * (b.y - b.height / 2)
        size = f"width: {scale * b.width:.1f}pt, height: {scale * b.height:.1f}pt"
        dash = 'dash: "dashed", ' if b.kind == "boundary" else ""
        stroke = f'({dash}paint: rgb("{INK}"), thickness: 0.5pt)'
        fill = f'rgb("{FILLS.get(b.kind, FILLS["node"])}")'
        lines.append(f"#place(dx: {x:.1f}pt, dy: {y:.1f}pt, rect({size}, radius: 3pt, fill: {fill}, stroke: {stroke}))")
        lines.append(_typst_label(b.x * scale, b.label_y * scale, b.label, scale * FONT_SIZE))
        if b.note is not None:
            lines.append(_typst_label(b.x * scale, b.note_y * scale, b.note, scale * NOTE_SIZE))
    size = f"{scale * FONT_SIZE:.1f}pt"
    lines += [f"#spot({scale * x:.1f}pt, {scale * y:.1f}pt, {size}, sym.dots.h.c)" for x, y in drawing.dots]
    return "\n".join([*lines, "]"])


def _typst_label(x: float, y: float, tree: Tree, size: float) -> str:
    return f"#spot({x:.1f}pt, {y:.1f}pt, {size:.1f}pt, m({quoted(latex(tree))}, ${typst(tree)}$))"
