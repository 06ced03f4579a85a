"""How wide and how high a tree is when it is set, estimated from a table of glyph widths, in em of the text size."""

from functools import lru_cache
from typing import Final

from symgrad.notation.symbols import SYMBOLS
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
    Script,
    Space,
    Sym,
    Text,
    Tree,
    Verbatim,
    parts,
)

_SMALL: Final = 0.72
_GROWTH: Final = 0.2
_BESIDE: Final = frozenset({"expectation", "integral"})
_SPACES: Final = {"thin": 0.17, "medium": 0.22, "quad": 1.0}
_AROUND: Final = {"binary": 0.44, "relation": 0.56, "ordinary": 0.0, "large": 0.17, "fence": 0.0}
_LETTER_WIDTHS: Final = {
    **dict.fromkeys("ijlt", 0.36), **dict.fromkeys("frs", 0.48), **dict.fromkeys("mw", 0.8), "M": 0.97, "W": 0.94,
}  # fmt: skip


def width(tree: Tree, scale: float = 1.0) -> float:
    """The width in em; scale is 1 for text size and less in scripts."""
    match tree:
        case Sym(key=key):
            return SYMBOLS[key].width * scale
        case Ident(text=text) | OpName(text=text):
            return sum(_letter(c) for c in text) * scale
        case Number(text=text):
            return 0.5 * len(text) * scale
        case Text(words=words):
            return 0.47 * len(words) * scale
        case Verbatim(plain=plain):
            return 0.6 * len(plain) * scale
        case Space(width=name):
            return _SPACES[name] * scale
        case Oper(op=op):
            return operator_width(op, scale)
        case Delim(key=key):
            return SYMBOLS[key].width * scale
    return _composite(tree, scale)


@lru_cache(maxsize=16_384)
def _composite(tree: Tree, scale: float) -> float:
    match tree:
        case Infix(items=items, ops=ops):
            return sum(width(x, scale) for x in items) + sum(operator_width(op, scale) for op in ops)
        case Prefix(op=op, body=body):
            return SYMBOLS[op].width * scale + width(body, scale)
        case Frac(top=top, bottom=bottom):
            return max(width(top, scale), width(bottom, scale)) + 0.34 * scale
        case Script(base=base, sub=sub, sup=sup):
            below = width(sub, scale * _SMALL) if sub else 0.0
            above = width(sup, scale * _SMALL) if sup else 0.0
            return width(base, scale) + max(below, above) + 0.1 * scale
        case Fenced(body=body, left=left, right=right):
            grown = _GROWTH * _size(body)
            return width(body, scale) + (SYMBOLS[left].width + SYMBOLS[right].width + grown) * scale
        case BigOp(kind=kind, lower=lower, upper=upper, body=inner):
            limits = max((width(x, scale * _SMALL) for x in (lower, upper) if x), default=0.0)
            sign = SYMBOLS[kind].width * scale
            head = sign + limits if kind in _BESIDE else max(sign, limits)
            return head + 0.3 * scale + (width(inner, scale) if inner else 0.0)
        case Func(name=name, args=args, bare=bare):
            brackets = 0.17 if bare else 0.8 + _GROWTH * max((_size(a) for a in args), default=0)
            return width(name, scale) + sum(width(a, scale) for a in args) + (brackets + 0.44 * (len(args) - 1)) * scale
        case Lines(rows=rows):
            return max(width(x, scale) for x in rows)
        case _:
            return _box_width(tree, scale)


def _box_width(tree: Tree, scale: float) -> float:
    match tree:
        case Cases(rows=rows):
            return max(width(a, scale) for a, _ in rows) + max(width(b, scale) for _, b in rows) + 3.4 * scale
        case Grid(rows=rows):
            columns = zip(*rows, strict=True)
            return sum(max(width(x, scale) for x in c) + 1.0 * scale for c in columns)
        case Root(body=body):
            return width(body, scale) + 0.85 * scale
        case Boxed(body=body):
            return width(body, scale) + 0.7 * scale
        case Evaluated(body=body, at=at):
            return width(body, scale) + width(at, scale * _SMALL) + 0.5 * scale
        case Accent(body=body):
            return width(body, scale)
        case Line(left=left, relation=relation, right=right, reason=reason):
            sides = [width(x, scale) for x in (left, right) if x]
            return sum(sides) + (1.34 if relation else 0.0) + (width(reason, scale) + 2.0 if reason else 0.0)
        case Aligned(lines=lines):
            return max(width(x, scale) for x in lines)
        case _:
            return sum(width(x, scale) for x in parts(tree))


def operator_width(op: str, scale: float = 1.0) -> float:
    """An operator with the spaces round it; scripts have none."""
    symbol = SYMBOLS[op]
    return (symbol.width + (_AROUND[symbol.spacing] if scale > 0.9 else 0.0)) * scale


def _letter(char: str) -> float:
    if char in _LETTER_WIDTHS:
        return _LETTER_WIDTHS[char]
    return 0.74 if char.isupper() else 0.54


def fence_size(body: Tree) -> int:
    """How large delimiters round a body are, 0 to 4: grown for fractions, big signs, and fences inside."""
    return min(_size(body), 4)


def _size(tree: Tree) -> int:
    match tree:
        case Frac(top=top, bottom=bottom):
            return 3 if max(_size(top), _size(bottom)) else 2
        case BigOp(body=inner, lower=lower, upper=upper):
            own = 3 if lower is not None and upper is not None else 2
            return max(own, _size(inner) if inner else 0)
        case Grid(rows=rows) | Cases(rows=rows):
            return 4 if len(rows) > 2 else 3
        case Script(base=base):
            return _size(base)
        case Fenced(body=body, left="(" | "[" | "{" | "norm" | "|", size=size):
            inside = _size(body) if size is None else size
            return inside if inside >= 2 else 1
        case Func(args=args, bare=bare):
            inside = max((_size(a) for a in args), default=0)
            return inside if inside >= 2 or bare else 1
        case Root(body=body) | Evaluated(body=body):
            return max(1, _size(body))
        case _:
            return max((_size(x) for x in parts(tree)), default=0)
