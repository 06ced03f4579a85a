"""Drawings printed as SVG, their labels as text."""

from collections.abc import Sequence
from html import escape
from typing import Final

from symgrad.notation.plain import plain
from symgrad.notation.symbols import SYMBOLS
from symgrad.notation.tree import Accent, Ident, Infix, Number, OpName, Prefix, Row, Script, Space, Sym, Text, Tree
from symgrad.sheet.draw import FILLS, INK, STROKES, TEXT_WIDTH
from symgrad.sheet.drawing import FONT_SIZE, NOTE_SIZE, Arrow, Drawing, Point

_COMBINING: Final = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "vec": "\u20d7"}
_ITALIC: Final = ' font-style="italic"'
_BETWEEN: Final = 16.0
_ZOOM: Final = 1.4


def svg(drawing: Drawing) -> str:
    """The drawing as an SVG element with its title and description."""
    return "\n".join(
        [*_opened(drawing.width, drawing.height, _title(drawing), drawing.description), *_body(drawing), "</svg>"]
    )


def svg_file(drawings: Sequence[Drawing]) -> str:
    """Drawings one below the other in an SVG document."""
    width = max(d.width for d in drawings)
    height = sum(d.height for d in drawings) + _BETWEEN * (len(drawings) - 1)
    title, description = " ".join(_title(d) for d in drawings), "; ".join(d.description for d in drawings)
    lines = [
        *_opened(width, height, title, description),
        f'<rect width="{width:.1f}" height="{height:.1f}" fill="#ffffff"/>',
    ]
    y = 0.0
    for d in drawings:
        lines += [f'<g transform="translate({(width - d.width) / 2:.1f} {y:.1f})">', *_body(d), "</g>"]
        y += d.height + _BETWEEN
    return "\n".join([*lines, "</svg>", ""])


def _title(drawing: Drawing) -> str:
    return "".join(w if isinstance(w, str) else plain(w) for w in drawing.caption)


def _opened(width: float, height: float, title: str, description: str) -> list[str]:
    scale = _ZOOM * min(1.0, 1.5 * TEXT_WIDTH / width)
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}"'
        f' width="{scale * width:.0f}" height="{scale * height:.0f}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(description)}</desc>",
    ]


def _body(drawing: Drawing) -> list[str]:
    lines: list[str] = []
    for a in drawing.arrows:
        lines += _svg_arrow(a)
    for b in drawing.boxes:
        fill = FILLS.get(b.kind, FILLS["node"])
        dash = ' stroke-dasharray="3 2"' if b.kind == "boundary" else ""
        lines.append(
            f'<rect class="{b.kind}" x="{b.x - b.width / 2:.1f}" y="{b.y - b.height / 2:.1f}" width="{b.width:.1f}"'
            f' height="{b.height:.1f}" rx="3" fill="{fill}" stroke="{INK}" stroke-width="0.7"{dash}/>'
        )
        lines.append(_svg_label(b.x, b.label_y, b.label, FONT_SIZE + 1))
        if b.note is not None:
            lines.append(_svg_label(b.x, b.note_y, b.note, NOTE_SIZE))
    middle = 'text-anchor="middle" font-size="12"'
    lines += [f'<text class="label" x="{x:.1f}" y="{y + 3:.1f}" {middle}>⋯</text>' for x, y in drawing.dots]
    return lines


def _svg_arrow(a: Arrow) -> list[str]:
    def at(p: Point) -> str:
        return f"{p[0]:.1f} {p[1]:.1f}"

    path = f"M{at(a.start)}" + "".join(f"C{at(p)} {at(q)} {at(r)}" for p, q, r in a.shaft)
    colour = STROKES.get(a.kind, INK)
    kind = "back" if a.kind == "adjoint" else "forth"
    dash = ' stroke-dasharray="3 2"' if kind == "back" else ""
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
