"""Math trees as LaTeX (amsmath, amssymb), with few braces and delimiters of fixed size, which may cross line breaks."""

import re
from typing import Final

from symgrad.errors import InternalError
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
    "word": r"\mathit", "roman": r"\mathrm", "bold": r"\mathbf", "blackboard": r"\mathbb", "script": r"\mathcal",
}  # fmt: skip
_SPACES: Final = {"thin": r"\,", "medium": r"\:", "quad": r"\quad"}
_NAMED: Final = frozenset(["tanh", "sin", "cos", "log", "exp", "max", "min", "det", "lim"])
_BIG: Final = ("", r"\big", r"\Big", r"\bigg", r"\Bigg")
_MATRICES: Final = {("[", "]"): "bmatrix", ("(", ")"): "pmatrix", ("|", "|)"): "vmatrix"}
_COMMAND_AT_END: Final = re.compile(r"\\[A-Za-z]+$")
_ESCAPES: Final = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    c: "\\" + c for c in "#$%&_{}"
}


def latex(tree: Tree) -> str:
    """The tree in LaTeX's math mode."""
    match tree:
        case Sym(key=key):
            return SYMBOLS[key].latex
        case Ident(text=text, font="italic"):
            return text
        case Ident(text=text, font=font):
            return f"{_FONTS[font]}{{{text}}}"
        case Number(text=text):
            return text
        case Text(words=words):
            return rf"\text{{{escaped(words)}}}"
        case Verbatim(latex=given):
            return given
        case Space(width=width):
            return _SPACES[width]
        case Oper(op=op):
            return SYMBOLS[op].latex
        case OpName(text=text):
            return "\\" + text if text in _NAMED else rf"\operatorname{{{text}}}"
        case Row(items=items):
            return _row(items)
        case Infix(items=items, ops=ops):
            return _infix(items, ops)
        case Prefix(op=op, body=body):
            return _glued(SYMBOLS[op].latex, latex(body))
        case Frac(top=top, bottom=bottom):
            return rf"\frac{{{latex(top)}}}{{{latex(bottom)}}}"
        case Root(body=body):
            return rf"\sqrt{{{latex(body)}}}"
        case Script():
            return _script(tree)
        case Accent(kind=kind, body=body):
            return rf"{ACCENTS[kind].latex}{{{latex(body)}}}"
        case Fenced(body=body, left=left, right=right, size=size):
            chosen = fence_size(body) if size is None else size
            return _fence(latex(body), left, right, chosen)
        case Delim(key=key, side=side, size=size):
            return _delimiter(key, side, size)
        case _:
            return _structure(tree)


def _structure(tree: Tree) -> str:
    match tree:
        case BigOp(kind=kind, lower=lower, upper=upper, body=inner):
            head = SYMBOLS[kind].latex + _below(lower) + (f"^{{{_tight(upper)}}}" if upper else "")
            return head if inner is None else f"{head} {latex(inner)}"
        case Func(name=name, args=args, bare=bare):
            if bare:
                return _glued(latex(name), latex(args[0]), " ")
            size = max((fence_size(a) for a in args), default=0)
            return _call(latex(name), ", ".join(latex(a) for a in args), size)
        case Lines(rows=rows):
            return r"\substack{" + r" \\ ".join(latex(x) for x in rows) + "}"
        case Cases(rows=rows):
            branches = r" \\ ".join(f"{latex(value)} & {_condition(when)}" for value, when in rows)
            return rf"\begin{{cases}} {branches} \end{{cases}}"
        case Grid(rows=rows, left=left, right=right):
            kind = _MATRICES[left, right]
            cells = r" \\ ".join(" & ".join(latex(x) for x in row) for row in rows)
            return rf"\begin{{{kind}}} {cells} \end{{{kind}}}"
        case Evaluated(body=body, at=at):
            bar = (r"\big|", r"\big|", r"\Big|", r"\bigg|", r"\Bigg|")[max(fence_size(body), 2)]
            return f"{latex(body)}{bar}_{{{_tight(at)}}}"
        case Boxed(body=body):
            return rf"\boxed{{{latex(body)}}}"
        case Line():
            return _line(tree)
        case Aligned(lines=lines):
            block = " \\\\\n".join(_line(x) for x in lines)
            return f"\\begin{{aligned}}\n{block}\n\\end{{aligned}}"
        case _:
            raise InternalError(f"{type(tree).__name__} is not printed in LaTeX")


def escaped(words: str) -> str:
    """Words that stand for themselves in LaTeX's text mode."""
    return "".join(_ESCAPES.get(c, c) for c in words)


def _row(items: tuple[Tree, ...]) -> str:
    out = ""
    for k, item in enumerate(items):
        text = latex(item)
        if isinstance(item, Oper):
            # An operator at the beginning of a line would be set as a sign.
            leads = all(isinstance(x, Space) for x in items[:k])
            out += f"{{}} {text} " if leads else f"{text} "
        elif isinstance(item, Space):
            out = out.rstrip() + text + " "
        else:
            out = _glued(out, text) + (_between(item, items[k + 1]) if k + 1 < len(items) else "")
    return out.rstrip()


def _between(left: Tree, right: Tree) -> str:
    if isinstance(right, Oper):
        return "" if right.op in ("comma", "semicolon") else " "
    opens = isinstance(left, Delim) and left.side == "left"
    indicates = isinstance(left, Ident) and left.text == "1" and isinstance(right, Fenced)
    joined = any(isinstance(x, Sym) and x.key in ("slash", "colon") for x in (left, right))
    return "" if opens or indicates or joined or _closes(right) else " "


def _closes(tree: Tree) -> bool:
    base = tree.base if isinstance(tree, Script) else tree
    return isinstance(base, Delim) and base.side == "right"


def _infix(items: tuple[Tree, ...], ops: tuple[str, ...]) -> str:
    out = latex(items[0])
    for op, item in zip(ops, items[1:], strict=True):
        sign = SYMBOLS[op].latex
        out += f"{sign} {latex(item)}" if op in ("comma", "semicolon") else f" {sign} {latex(item)}"
    return out


def _glued(left: str, right: str, gap: str = "") -> str:
    """Two pieces, kept apart where a command would swallow the letter behind it."""
    if _COMMAND_AT_END.search(left) and right[:1].isalpha():
        return f"{left} {right}"
    return f"{left}{gap}{right}"


def _script(tree: Script) -> str:
    base = latex(tree.base)
    if isinstance(tree.base, Verbatim) and any(c in base for c in "_^'"):
        base = f"{{{base}}}"
    if isinstance(tree.base, Script | Row | Infix | Prefix):
        base = f"{{{base}}}"
    out = base + _below(tree.sub)
    if isinstance(tree.sup, Sym) and tree.sup.key == "prime":
        return out + "'" if tree.sub is None else f"{base}'{_below(tree.sub)}"
    return out + (f"^{{{_tight(tree.sup)}}}" if tree.sup else "")


def _below(sub: Tree | None) -> str:
    if sub is None:
        return ""
    text = _tight(sub)
    return f"_{text}" if len(text) == 1 and text.isascii() and text.isalnum() else f"_{{{text}}}"


def _tight(tree: Tree) -> str:
    """A script, where operators have no space of their own."""
    match tree:
        case Row(items=items):
            out = ""
            for item in items:
                out = _glued(out, _tight(item)) if out else _tight(item)
            return out
        case Infix(items=items, ops=ops):
            out = _tight(items[0])
            for op, item in zip(ops, items[1:], strict=True):
                out = _glued(_glued(out, SYMBOLS[op].latex), _tight(item))
            return out
        case Prefix(op=op, body=body):
            return _glued(SYMBOLS[op].latex, _tight(body))
        case _:
            return latex(tree)


def _delimiter(key: str, side: str, size: int) -> str:
    sign = SYMBOLS[key].latex
    if not size:
        return sign
    return f"{_BIG[size]}{'l' if side == 'left' else 'r'}{sign}"


def _fence(body: str, left: str, right: str, size: int) -> str:
    opening, closing = _delimiter(left, "left", size), _delimiter(right, "right", size)
    gap = " " if opening[-1].isalpha() and body[:1].isalpha() else ""
    # A body such as \top would run into \rVert, but a command ends before a backslash.
    return f"{opening}{gap}{body}{' ' if closing.startswith(chr(92)) and left not in '([' else ''}{closing}"


def _call(name: str, body: str, size: int) -> str:
    return name + _fence(body, "(", ")", size)


def _condition(tree: Tree) -> str:
    return latex(tree) if isinstance(tree, Text) else rf"\text{{if }} {latex(tree)}"


def _line(line: Line) -> str:
    left = latex(line.left) + " " if line.left else ""
    if line.relation is None:
        body = rf"{left}& \quad {latex(line.right)}"
    else:
        sign = f"{SYMBOLS[line.relation].latex} " if line.relation else ""
        body = f"{left}&{sign}{latex(line.right)}"
    return body if line.reason is None else f"{body} && {latex(line.reason)}"
