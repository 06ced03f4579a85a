"""Math trees as Unicode text for a terminal: ∂E₂/∂h₂ = Vᵀ (ŷ₂ − y₂)."""

import unicodedata
from typing import Final

from symgrad.errors import InternalError
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

_SUB: Final = dict(zip("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
_SUP: Final = dict(
    zip("0123456789+-−=()abcdefghijklmnoprstuvwxyzTᵀ*∗′", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀᵀ**′", strict=True)
)
_SPACES: Final = {"thin": " ", "medium": " ", "quad": "   "}


def plain(tree: Tree) -> str:
    """The tree as one line of Unicode text; aligned equations take a line each."""
    match tree:
        case Sym(key=key):
            return SYMBOLS[key].unicode
        case Ident(text=text, font=font):
            return _letters(text, font)
        case Number(text=text) | OpName(text=text) | Text(words=text) | Verbatim(plain=text):
            return text
        case Space(width=width):
            return _SPACES[width]
        case Oper(op=op):
            return SYMBOLS[op].unicode
        case Row(items=items):
            return _row(items)
        case Infix(items=items, ops=ops):
            return _infix(items, ops, tight=False)
        case Prefix(op=op, body=body):
            return SYMBOLS[op].unicode + plain(body)
        case Frac(top=top, bottom=bottom):
            return f"{_grouped(top)}/{_grouped(bottom)}"
        case Root(body=body):
            return f"√{_grouped(body)}"
        case Script():
            return _script(tree)
        case Accent(kind=kind, body=body):
            base = plain(body)
            return unicodedata.normalize("NFC", base + ACCENTS[kind].combining) if len(base) == 1 else f"{base}^{kind}"
        case Fenced(body=body, left=left, right=right):
            return SYMBOLS[left].unicode + plain(body) + SYMBOLS[right].unicode
        case Delim(key=key):
            return SYMBOLS[key].unicode
        case _:
            return _structure(tree)


def _structure(tree: Tree) -> str:
    match tree:
        case BigOp():
            head = _big(tree)
            return head if tree.body is None else f"{head} {plain(tree.body)}"
        case Func(name=name, args=args, bare=True):
            return f"{plain(name)} {plain(args[0])}"
        case Func(name=name, args=args):
            return f"{plain(name)}({', '.join(plain(a) for a in args)})"
        case Lines(rows=items):
            return ", ".join(plain(x) for x in items)
        case Cases(rows=cases):
            return "{" + "; ".join(f"{plain(v)} {_condition(c)}" for v, c in cases) + "}"
        case Grid(rows=rows, left=left, right=right):
            body = "; ".join(", ".join(plain(x) for x in row) for row in rows)
            return f"{SYMBOLS[left].unicode}{body}{SYMBOLS[right].unicode}"
        case Evaluated(body=body, at=at):
            return f"{plain(body)} | {plain(at)} fixed"
        case Boxed(body=body):
            return plain(body)
        case Line():
            return _lines((tree,))
        case Aligned(lines=lines):
            return _lines(lines)
        case _:
            raise InternalError(f"{type(tree).__name__} is not printed as text")


def _letters(text: str, font: str) -> str:
    if len(text) != 1 or font not in ("bold", "blackboard"):
        return text
    kind = "BOLD" if font == "bold" else "DOUBLE-STRUCK"
    what = f"DIGIT {unicodedata.name(text).removeprefix('DIGIT ')}" if text.isdigit() else ""
    what = what or f"{'CAPITAL' if text.isupper() else 'SMALL'} {text.upper()}"
    for name in (f"MATHEMATICAL {kind} {what}", f"{kind} {what}"):
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return text


def _row(items: tuple[Tree, ...]) -> str:
    shown = [x for x in items if not isinstance(x, Space)]
    spaced = {k for k, x in enumerate(items) if isinstance(x, Space)}
    broken = any(isinstance(x, Oper | Delim) for x in shown)
    indent = next((k for k in range(len(items)) if k not in spaced), len(items))
    out, before = _SPACES["quad"] * indent, None
    for k, item in enumerate(items):
        if k in spaced:
            continue
        if before is not None:
            product = k - 1 in spaced and not broken and (isinstance(before, Frac) or isinstance(item, Frac))
            out += " · " if product else _gap(before, item, broken)
        out += plain(item)
        before = item
    return out


def _gap(before: Tree, item: Tree, broken: bool) -> str:
    """What stands between two things side by side; ``broken`` is a row that a line break has made."""
    if isinstance(before, Text) or isinstance(item, Text):
        return ""
    if broken:
        opened = isinstance(before, Delim) and before.side == "left"
        base = item.base if isinstance(item, Script) else item
        closed = isinstance(base, Delim) and base.side == "right"
        comma = isinstance(item, Oper) and item.op == "comma"
        return "" if opened or closed or comma else " "
    if isinstance(before, Sym) and before.key in ("partial", "delta", "slash", "colon", "odot"):
        return ""
    if isinstance(before, Script) and before.base == Sym("partial"):
        return ""
    if isinstance(item, Sym) and item.key in ("slash", "colon"):
        return ""
    number = isinstance(before, Number) and isinstance(item, Ident | Sym | Script)
    one = isinstance(before, Ident) and before.font == "bold" and isinstance(item, Fenced)
    return "" if number or one else " "


def _infix(items: tuple[Tree, ...], ops: tuple[str, ...], tight: bool) -> str:
    text = _tight if tight else plain
    out = text(items[0])
    for op, item in zip(ops, items[1:], strict=True):
        sign = SYMBOLS[op].unicode
        if op in ("comma", "semicolon"):
            out += f"{sign}{text(item)}" if tight else f"{sign} {text(item)}"
        else:
            out += f"{sign}{text(item)}" if tight else f" {sign} {text(item)}"
    return out


def _tight(tree: Tree) -> str:
    match tree:
        case Infix(items=items, ops=ops):
            return _infix(items, ops, tight=True)
        case Row(items=items):
            return "".join(_tight(x) for x in items if not isinstance(x, Space))
        case Prefix(op=op, body=body):
            return SYMBOLS[op].unicode + _tight(body)
        case Fenced(body=Infix(ops=("minus" | "plus",)) as body, left="(", right=")"):
            return f"({_tight(body)})"
        case _:
            return plain(tree)


def _grouped(tree: Tree) -> str:
    text = plain(tree)
    first = tree.items[0] if isinstance(tree, Row) and tree.items else tree
    partial = Sym("partial") in (first, first.base if isinstance(first, Script) else None)
    single = isinstance(tree, Ident | Sym | Number | Accent | Script | Fenced | Func | OpName | Root | Verbatim)
    return text if (single or partial) and " " not in text.split("(")[0] else f"({text})"


def _script(tree: Script) -> str:
    base = plain(tree.base)
    if tree.sub is not None:
        text = _tight(tree.sub)
        base += _mapped(text, _SUB) or (f"_{text}" if text.isalnum() else f"[{text}]")
    if tree.sup is not None:
        text = _tight(tree.sup)
        base += _mapped(text, _SUP) or (f"^{text}" if text.isalnum() else f"^({text})")
    return base


def _mapped(text: str, table: dict[str, str]) -> str:
    return "".join(table[c] for c in text) if all(c in table for c in text) else ""


def _big(tree: BigOp) -> str:
    sign = SYMBOLS[tree.kind].unicode
    lower = _tight(tree.lower) if tree.lower else ""
    upper = _tight(tree.upper) if tree.upper else ""
    below, above = _mapped(lower, _SUB), _mapped(upper, _SUP)
    if len(sign) == 1 and (below or not lower) and (above or not upper):
        return sign + below + above
    if isinstance(tree.lower, Lines) and upper:
        first, *rest = (_tight(x) for x in tree.lower.rows)
        return f"{sign}[{', '.join((f'{first}..{upper}', *rest))}]"
    return f"{sign}[{lower}{'..' + upper if upper else ''}]"


def _condition(tree: Tree) -> str:
    return plain(tree) if isinstance(tree, Text) else f"if {plain(tree)}"


def _lines(lines: tuple[Line, ...]) -> str:
    lefts = [plain(x.left) if x.left else "" for x in lines]
    indent = max(len(x) for x in lefts)
    out = []
    for left, line in zip(lefts, lines, strict=True):
        relation = SYMBOLS[line.relation].unicode if line.relation else " "
        text = f"{left:>{indent}} {relation} {plain(line.right)}"
        out.append((text, plain(line.reason) if line.reason else ""))
    wide = max(len(text) for text, _ in out)
    return "\n".join(f"{text:<{wide}}   {reason}".rstrip() for text, reason in out)
