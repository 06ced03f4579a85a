"""Math trees as MathML Core: letters of special fonts are characters of their own, boxes and alignment are classes."""

import unicodedata
from collections.abc import Iterable
from html import escape
from typing import Final

from symgrad.errors import InternalError
from symgrad.notation.formula import read_formula
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
    "word": ("MATHEMATICAL ITALIC",),
    "bold": ("MATHEMATICAL BOLD",),
    "blackboard": ("DOUBLE-STRUCK", "MATHEMATICAL DOUBLE-STRUCK"),
    "script": ("SCRIPT", "MATHEMATICAL SCRIPT"),
}
_DIGITS: Final = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
_SPACES: Final = {"thin": "0.17em", "medium": "0.22em", "quad": "1em"}
_SIGNS: Final = {"transpose": "⊤", "cdot": "⋅"}
_HEIGHTS: Final = ("1em", "1.2em", "1.8em", "2.4em", "3em")
_GAP: Final = '<mspace width="0.17em"></mspace>'
_UPRIGHT: Final = ' mathvariant="normal"'
_TIGHT: Final = ' lspace="0" rspace="0"'


def mathml(tree: Tree) -> str:
    """The tree as one element, or several side by side."""
    match tree:
        case Sym(key=key):
            return _sign(key)
        case Ident(text=text, font=font):
            return _letters(text, font)
        case Number(text=text):
            return f"<mn>{escape(text)}</mn>"
        case Text(words=words):
            return f"<mtext>{_blanks(words)}</mtext>"
        case Verbatim(latex=given, plain=plain):
            found = read_formula(given)
            return f"<mtext>{_blanks(plain)}</mtext>" if found is None else mathml(found)
        case Space(width=width):
            return f'<mspace width="{_SPACES[width]}"></mspace>'
        case Oper(op=op):
            return _operator(op)
        case OpName(text=text):
            return f"<mi{_UPRIGHT if len(text) == 1 else ''}>{escape(text)}</mi>"
        case Row(items=items):
            return _row(items)
        case Infix(items=items, ops=ops):
            signs = (_operator(op) for op in ops)
            return mathml(items[0]) + "".join(s + mathml(x) for s, x in zip(signs, items[1:], strict=True))
        case Prefix(op=op, body=body):
            return _operator(op, ' form="prefix"') + mathml(body)
        case Frac(top=top, bottom=bottom):
            return f"<mfrac>{grouped(top)}{grouped(bottom)}</mfrac>"
        case Root(body=body):
            return f"<msqrt>{mathml(body)}</msqrt>"
        case Script(base=base, sub=sub, sup=sup):
            return _scripted(grouped(base), sub, sup, ("msub", "msup", "msubsup"))
        case Accent(kind=kind, body=body):
            return f'<mover accent="true">{grouped(body)}<mo stretchy="false">{ACCENTS[kind].mathml}</mo></mover>'
        case _:
            return _structure(tree)


def grouped(tree: Tree) -> str:
    """The tree as one element."""
    made = mathml(tree)
    single = isinstance(tree, Ident | Number | Sym | Text | OpName | Frac | Root | Script | Accent)
    return made if single else f"<mrow>{made}</mrow>"


def _structure(tree: Tree) -> str:
    match tree:
        case Fenced(body=body, left=left, right=right, size=size):
            return _fence(mathml(body), left, right, fence_size(body) if size is None else size)
        case Delim(key=key, side=side, size=size):
            return _delimiter(key, "prefix" if side == "left" else "postfix", size)
        case BigOp():
            return _big(tree)
        case Func(name=name, args=args, bare=bare):
            if bare:
                return f"{mathml(name)}{_GAP}{mathml(args[0])}"
            size = max((fence_size(a) for a in args), default=0)
            return f"{mathml(name)}<mo>&#x2061;</mo>{_fence(_listed(args), '(', ')', size)}"
        case Lines(rows=rows):
            return _table("lines", ((x,) for x in rows))
        case Cases(rows=rows):
            branches = _table("cases", ((value, _condition(when)) for value, when in rows))
            return f'<mrow><mo form="prefix" stretchy="true">{{</mo>{branches}</mrow>'
        case Grid(rows=rows, left=left, right=right):
            return _fence(_table("grid", rows), left, right, 1)
        case Evaluated(body=body, at=at):
            bar = _delimiter("|", "postfix", max(fence_size(body), 2))
            return f"<mrow>{mathml(body)}<msub>{bar}{grouped(at)}</msub></mrow>"
        case Boxed(body=body):
            return f'<mrow class="boxed">{mathml(body)}</mrow>'
        case Line():
            return (mathml(tree.left) if tree.left else "") + right_side(tree)
        case Aligned(lines=lines):
            inside = "".join(f"<mtr><mtd>{mathml(x)}</mtd></mtr>" for x in lines)
            return f'<mtable class="rows" displaystyle="true">{inside}</mtable>'
        case _:
            raise InternalError(f"{type(tree).__name__} is not printed in MathML")


def right_side(line: Line) -> str:
    """What stands on a line from its relation on."""
    if line.relation is None:
        return f'<mspace width="1em"></mspace>{mathml(line.right)}'
    return (_operator(line.relation) if line.relation else "") + mathml(line.right)


def _blanks(words: str) -> str:
    """Words whose blanks at the ends are set, too."""
    inner = words.strip(" ")
    before = len(words) - len(words.lstrip(" "))
    after = len(words) - before - len(inner) if inner else 0
    return "\u00a0" * before + escape(inner) + "\u00a0" * after


def _letters(text: str, font: str) -> str:
    if font == "italic":
        return f"<mi>{escape(text)}</mi>"
    if font == "roman":
        return f"<mi{_UPRIGHT if len(text) == 1 else ''}>{escape(text)}</mi>"
    return f"<mi>{''.join(_lettered(c, font) for c in text)}</mi>"


def _lettered(char: str, font: str) -> str:
    if char == "h" and font == "word":
        return "ℎ"
    kind = "DIGIT" if char.isdigit() else "CAPITAL" if char.isupper() else "SMALL"
    name = _DIGITS[int(char)] if char.isdigit() and char.isascii() else char.upper()
    for prefix in _FONTS[font]:
        try:
            return unicodedata.lookup(f"{prefix} {kind} {name}")
        except KeyError:
            continue
    return escape(char)


def _sign(key: str) -> str:
    row = SYMBOLS[key]
    text = _SIGNS.get(key, row.unicode)
    if row.spacing != "ordinary":
        return _operator(key)
    if key in ("colon", "slash"):
        return f"<mo{_TIGHT}>{text}</mo>"
    if key in ("prime", "star", "dagger"):
        return f"<mo>{text}</mo>"
    italic = key == "partial" or (text.isalpha() and text.islower() and key != "ell")
    return f"<mi{'' if italic else _UPRIGHT}>{text}</mi>"


def _operator(key: str, extra: str = "") -> str:
    row = SYMBOLS[key]
    if key == "mid":
        extra += ' lspace="0.28em" rspace="0.28em"'
    if key in ("slash", "colon"):
        extra += _TIGHT
    if row.spacing == "relation":
        extra += ' stretchy="false"'
    return f"<mo{extra}>{escape(_SIGNS.get(key, row.unicode))}</mo>"


def _row(items: tuple[Tree, ...]) -> str:
    out: list[str] = []
    for k, item in enumerate(items):
        if isinstance(item, Oper) and all(isinstance(x, Space) for x in items[:k]):
            # An operator at the beginning of a line would be set as a sign.
            out.append(_operator(item.op, ' form="infix"'))
            continue
        if k and _is_named(item) and not isinstance(items[k - 1], Space | Oper | Delim | Text):
            out.append(_GAP)
        out.append(mathml(item))
    return "".join(out)


def _is_named(tree: Tree) -> bool:
    """Whether it begins with the upright name of a function, which keeps its distance."""
    match tree:
        case OpName():
            return True
        case Func(name=base) | Script(base=base):
            return _is_named(base)
    return False


def _scripted(base: str, below: Tree | None, above: Tree | None, names: tuple[str, str, str]) -> str:
    under, over, both = names
    if below is not None and above is not None:
        return f"<{both}>{base}{grouped(below)}{grouped(above)}</{both}>"
    if below is not None:
        return f"<{under}>{base}{grouped(below)}</{under}>"
    return base if above is None else f"<{over}>{base}{grouped(above)}</{over}>"


def _big(tree: BigOp) -> str:
    text = SYMBOLS[tree.kind].unicode
    beside = tree.kind in ("integral", "expectation")
    extra = ' movablelimits="true" lspace="0" rspace="0.17em"' if text.isascii() else ""
    sign = f"<mo{extra}>{text}</mo>"
    names = ("msub", "msup", "msubsup") if beside else ("munder", "mover", "munderover")
    head = _scripted(sign, tree.lower, tree.upper, names)
    return head if tree.body is None else f"<mrow>{head}{mathml(tree.body)}</mrow>"


def _delimiter(key: str, form: str, size: int) -> str:
    height = f' minsize="{_HEIGHTS[size]}" maxsize="{_HEIGHTS[size]}"' if size else ""
    stretchy = "true" if size else "false"
    return f'<mo form="{form}" fence="true" stretchy="{stretchy}"{height}{_TIGHT}>{SYMBOLS[key].unicode}</mo>'


def _fence(body: str, left: str, right: str, size: int) -> str:
    stretchy = "true" if size else "false"
    opening, closing = (
        f'<mo form="{form}" fence="true" stretchy="{stretchy}"{_TIGHT}>{SYMBOLS[key].unicode}</mo>'
        for form, key in (("prefix", left), ("postfix", right))
    )
    return f"<mrow>{opening}{body}{closing}</mrow>"


def _listed(args: tuple[Tree, ...]) -> str:
    return _operator("comma").join(mathml(a) for a in args)


def _table(name: str, rows: Iterable[Iterable[Tree]]) -> str:
    lines = "".join(f"<mtr>{''.join(f'<mtd>{mathml(x)}</mtd>' for x in row)}</mtr>" for row in rows)
    return f'<mtable class="{name}">{lines}</mtable>'


def _condition(tree: Tree) -> Tree:
    return tree if isinstance(tree, Text) else Row((Text("if "), tree))
