"""Math trees as Typst: every construct is a call or a named sign; no letter, comma or bracket is taken for code."""

from collections.abc import Iterable
from typing import Final

from symgrad.errors import InternalError
from symgrad.notation.formula import read_formula
from symgrad.notation.latex import latex
from symgrad.notation.measure import fence_size
from symgrad.notation.symbols import ACCENTS, SYMBOLS
from symgrad.notation.tree import (
    Accent,
    Aligned,
    BigOp,
    Boxed,
    Cases,
    Delim,
    Evaluated,
    Fenced,
    Frac,
    Func,
    Grid,
    Ident,
    Infix,
    Line,
    Lines,
    Number,
    Oper,
    OpName,
    Prefix,
    Root,
    Row,
    Script,
    Space,
    Sym,
    Text,
    Tree,
    Verbatim,
)

_FONTS: Final = {
    "word": "italic({})", "roman": "upright({})", "bold": "bold(upright({}))", "blackboard": "bb({})",
    "script": "cal({})",
}  # fmt: skip
_SPACES: Final = {"thin": "thin", "medium": "med", "quad": "quad"}
_WORDS: Final = ("upright(", "italic(", "bold(")
_SPACED: Final = frozenset(x.typst for x in SYMBOLS.values() if x.spacing in ("binary", "relation")) | {"comma", "semi"}
"""What has room of its own, so that no blank is set beside it."""
_HEIGHTS: Final = ("1em", "1.2em", "1.8em", "2.4em", "3em")
_QUOTED: Final = {"\\": "\\\\", '"': '\\"', "\n": " ", "\r": " ", "\t": " "}


def typst(tree: Tree) -> str:
    """The tree in Typst's math mode; the template defines ``boxed``, ``rows``, ``reason``, ``open`` and ``close``."""
    match tree:
        case Sym(key="transpose"):
            return "top"
        case Sym(key=key) | Oper(op=key):
            return SYMBOLS[key].typst
        case Ident(text=text, font="italic"):
            return text if text.isascii() and text.isalnum() else f"italic({quoted(text)})"
        case Ident(text=text, font=font):
            return _FONTS[font].format(quoted(text))
        case Number(text=text):
            return text if text.isascii() and text.isdigit() else f"upright({quoted(text)})"
        case Text(words=words):
            return quoted(words)
        case Verbatim(latex=given, plain=plain):
            found = read_formula(given)
            return f"upright({quoted(plain)})" if found is None else typst(found)
        case Space(width=width):
            return _SPACES[width]
        case OpName(text=text):
            return f"op({quoted(text)})"
        case Row(items=items):
            return _row(items)
        case Infix(items=items, ops=ops):
            return _side_by_side(_alternating(items, ops))
        case Prefix(op=op, body=body):
            return SYMBOLS[op].typst + _gap("", typst(body)) + typst(body)
        case Frac(top=top, bottom=bottom):
            return f"frac({typst(top)}, {typst(bottom)})"
        case Root(body=body):
            return f"sqrt({typst(body)})"
        case Script(base=base, sub=sub, sup=sup):
            return _attached(typst(base), sub, sup)
        case Accent(kind=kind, body=body):
            return f"accent({typst(body)}, {ACCENTS[kind].typst})"
        case _:
            return _structure(tree)


def _structure(tree: Tree) -> str:
    match tree:
        case Fenced(body=body, left=left, right=right, size=size):
            return _fence(typst(body), left, right, fence_size(body) if size is None else size)
        case Delim(key=key, side=side, size=size):
            return _delimiter(key, "open" if side == "left" else "close", size)
        case BigOp(kind=kind, lower=lower, upper=upper, body=inner):
            head = _attached(SYMBOLS[kind].typst, lower, upper)
            return head if inner is None else _side_by_side([head, typst(inner)])
        case Func(name=name, args=args, bare=bare):
            if bare:
                return _side_by_side([typst(name), typst(args[0])])
            size = max((fence_size(a) for a in args), default=0)
            listed = _side_by_side(_alternating(args, ("comma",) * (len(args) - 1))) if args else ""
            return _side_by_side([typst(name), _fence(listed, "(", ")", size)])
        case Lines(rows=rows):
            return f"stacked({', '.join(typst(x) for x in rows)})"
        case Cases(rows=rows):
            return f"cases({', '.join(f'{typst(value)} &quad {_condition(when)}' for value, when in rows)})"
        case Grid(rows=rows, left=left):
            cells = "; ".join(", ".join(typst(x) for x in row) for row in rows)
            return f"mat(delim: {quoted(left)}, {cells})"
        case Evaluated(body=body, at=at):
            bar = _delimiter("|", "close", max(fence_size(body), 2))
            return _side_by_side([typst(body), _attached(bar, at, None)])
        case Boxed(body=body):
            return f"boxed({quoted(latex(body))}, {typst(body)})"
        case Line():
            return _line(tree)
        case Aligned(lines=lines):
            return f"rows({', '.join(_indented(x) for x in lines)})"
        case _:
            raise InternalError(f"{type(tree).__name__} is not printed in Typst")


def typst_rows(aligned: Aligned) -> str:
    """The equations of a display, their reasons in a column of their own."""
    return " \\\n".join(_line(x) for x in aligned.lines)


def quoted(text: str) -> str:
    """A string of Typst: it stands for itself, whatever it holds."""
    return '"' + "".join(_QUOTED.get(c, c) for c in text if c in _QUOTED or c.isprintable()) + '"'


def _alternating(items: tuple[Tree, ...], ops: tuple[str, ...]) -> Iterable[str]:
    yield typst(items[0])
    for op, item in zip(ops, items[1:], strict=True):
        yield SYMBOLS[op].typst
        yield typst(item)


def _side_by_side(pieces: Iterable[str]) -> str:
    """Pieces one after the other; a blank beside words would be set."""
    out = before = ""
    for piece in pieces:
        bare = not out or not piece or out.endswith(('"', '")', '"))'))
        out += piece if bare else _gap(before, piece) + piece
        before = piece
    return out


def _gap(before: str, piece: str) -> str:
    """What parts a piece from the one before it without being seen."""
    if piece.startswith('"'):
        return ""
    return "#h(0pt)" if piece.startswith(_WORDS) and before not in _SPACED else " "


def _row(items: tuple[Tree, ...]) -> str:
    pieces: list[str] = []
    for k, item in enumerate(items):
        # An operator at the beginning of a line would be set as a sign.
        leads = isinstance(item, Oper) and all(isinstance(x, Space) for x in items[:k])
        pieces.append(f'class("binary", {typst(item)})' if leads else typst(item))
    return _side_by_side(pieces)


def _attached(base: str, sub: Tree | None, sup: Tree | None) -> str:
    above = "primes(#1)" if isinstance(sup, Sym) and sup.key == "prime" else sup and typst(sup)
    scripts = [f", b: {typst(sub)}" if sub is not None else "", f", t: {above}" if above else ""]
    return f"attach({base}{''.join(scripts)})" if any(scripts) else base


def _delimiter(key: str, side: str, size: int) -> str:
    return f"{side}({SYMBOLS[key].typst}, #{_HEIGHTS[size]})"


def _fence(body: str, left: str, right: str, size: int) -> str:
    return _side_by_side([_delimiter(left, "open", size), body, _delimiter(right, "close", size)])


def _condition(tree: Tree) -> str:
    return typst(tree) if isinstance(tree, Text) else _side_by_side(['"if "', typst(tree)])


def _indented(line: Line) -> str:
    """A line of a block within a formula, which has no column of its own for what stands before the relation."""
    pieces = ["quad"] if line.relation is None else []
    pieces += [typst(line.left)] if line.left else []
    pieces += [SYMBOLS[line.relation].typst] if line.relation else []
    return _side_by_side([*pieces, typst(line.right)])


def _line(line: Line) -> str:
    left = typst(line.left) + " " if line.left else ""
    sign = "quad " if line.relation is None else f"{SYMBOLS[line.relation].typst} " if line.relation else ""
    body = f"{left}&{sign}{typst(line.right)}"
    return body if line.reason is None else f"{body} &&{_reason(line.reason)}"


def _reason(reason: Tree) -> str:
    rows = [x.right for x in reason.lines] if isinstance(reason, Aligned) else [reason]
    return f"reason({', '.join(typst(x) for x in rows)})"
